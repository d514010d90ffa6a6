//! Render passes, one file and one shader each, and helpers to build them.

pub(super) mod blit;
#[cfg(test)]
mod block_layout;
pub(super) mod blur;
pub(super) mod clamp;
pub(super) mod composite;
pub(super) mod coordinates;
pub(super) mod double;
pub(super) mod draw;
pub(super) mod flash;
pub(super) mod layer;
pub(super) mod mesh;
pub(super) mod mix;
pub(super) mod post;
pub(super) mod post_color;
pub(super) mod post_detail;
pub(super) mod post_echo;
pub(super) mod post_fuse;
pub(super) mod post_glow;
pub(super) mod post_lens;
pub(super) mod shape;
pub(super) mod warp;

use super::gpu::Gpu;
use crate::pipelines;
pub(super) use crate::pipelines::{PipelineDesc, SAMPLER, TEXTURE, UNIFORM, bind, pipeline};

/// Default format of render targets. Preset feedback relies on its 8-bit rounding.
pub(super) const FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::Rgba8Unorm;
/// Format of feedback images with 16 bits per channel.
pub(super) const DEEP_FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::Rgba16Float;

/// Code that is prepended to the shader of every fullscreen pass.
const SCREEN: &str = include_str!("../../../shaders/shared/screen.wgsl");

/// Creates a shader module from built-in WGSL.
pub(super) fn module(gpu: &Gpu, label: &str, text: &str) -> wgpu::ShaderModule {
    pipelines::module(&gpu.device, gpu.software(), label, text)
}

/// Creates the shader module of a fullscreen pass.
fn screen_module(gpu: &Gpu, label: &str, text: &str) -> wgpu::ShaderModule {
    module(gpu, label, &format!("{SCREEN}\n{text}"))
}

/// Creates a bind group layout; bindings are numbered from 0 and visible to vertex and fragment shaders.
pub(super) fn layout(gpu: &Gpu, label: &str, entries: &[wgpu::BindingType]) -> wgpu::BindGroupLayout {
    pipelines::layout(&gpu.device, label, entries)
}

/// Creates a texture of the default format that can be rendered to, sampled and copied.
pub(super) fn image(device: &wgpu::Device, label: &str, size: [u32; 2]) -> wgpu::Texture {
    image_in(device, label, size, FORMAT)
}

/// Creates a texture of `format` that can be rendered to, sampled and copied.
pub(super) fn image_in(
    device: &wgpu::Device,
    label: &str,
    [width, height]: [u32; 2],
    format: wgpu::TextureFormat,
) -> wgpu::Texture {
    device.create_texture(&wgpu::TextureDescriptor {
        label: Some(label),
        size: wgpu::Extent3d { width: width.max(1), height: height.max(1), depth_or_array_layers: 1 },
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format,
        usage: wgpu::TextureUsages::RENDER_ATTACHMENT
            | wgpu::TextureUsages::TEXTURE_BINDING
            | wgpu::TextureUsages::COPY_SRC
            | wgpu::TextureUsages::COPY_DST,
        view_formats: &[],
    })
}

/// Returns a view of the whole texture.
pub(super) fn view(texture: &wgpu::Texture) -> wgpu::TextureView {
    texture.create_view(&wgpu::TextureViewDescriptor::default())
}

/// Creates a buffer for one uniform block of type `T`, initially zero.
pub(super) fn uniform<T>(device: &wgpu::Device, label: &str) -> wgpu::Buffer {
    device.create_buffer(&wgpu::BufferDescriptor {
        label: Some(label),
        size: std::mem::size_of::<T>() as u64,
        usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    })
}

/// Begins a render pass on one image. If `clear` is true, the image is first cleared to black; otherwise its contents
/// are kept. A pass that writes every pixel need not clear it.
pub(super) fn begin<'e>(
    encoder: &'e mut wgpu::CommandEncoder,
    label: &str,
    target: &wgpu::TextureView,
    clear: bool,
) -> wgpu::RenderPass<'e> {
    let load = if clear { wgpu::LoadOp::Clear(wgpu::Color::BLACK) } else { wgpu::LoadOp::Load };
    encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
        label: Some(label),
        color_attachments: &[Some(wgpu::RenderPassColorAttachment {
            view: target,
            depth_slice: None,
            resolve_target: None,
            ops: wgpu::Operations { load, store: wgpu::StoreOp::Store },
        })],
        ..Default::default()
    })
}
