//! Uploads images without delaying other threads.
//!
//! `Queue::write_texture` copies the pixels while it holds the lock that every submission needs, so a large image on
//! another thread would stop the show. Here, the pixels are copied into a buffer that no other thread knows.

use super::gpu::Gpu;
use super::pass::FORMAT;

/// Creates a texture of RGBA images with 8 bits per channel: the bytes and size of each mip level, largest first. There
/// must be at least one.
pub(super) fn texture(
    gpu: &Gpu,
    label: &str,
    dimension: wgpu::TextureDimension,
    levels: &[(&[u8], wgpu::Extent3d)],
) -> wgpu::Texture {
    let texture = gpu.device.create_texture(&wgpu::TextureDescriptor {
        label: Some(label),
        size: levels[0].1,
        mip_level_count: levels.len() as u32,
        sample_count: 1,
        dimension,
        format: FORMAT,
        usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST,
        view_formats: &[],
    });
    let mut encoder = gpu.device.create_command_encoder(&Default::default());
    for (mip_level, &(pixels, size)) in (0..).zip(levels) {
        let bytes_per_row = (size.width * 4).next_multiple_of(wgpu::COPY_BYTES_PER_ROW_ALIGNMENT);
        let Some(buffer) = filled(gpu, label, pixels, size.width * 4, bytes_per_row) else {
            return texture; // Memory has run out, which the device reports.
        };
        let layout = wgpu::TexelCopyBufferLayout {
            offset: 0,
            bytes_per_row: Some(bytes_per_row),
            rows_per_image: Some(size.height),
        };
        let source = wgpu::TexelCopyBufferInfo { buffer: &buffer, layout };
        let target = wgpu::TexelCopyTextureInfo { mip_level, ..texture.as_image_copy() };
        encoder.copy_buffer_to_texture(source, target, size);
    }
    gpu.submit([encoder.finish()]);
    texture
}

/// Returns a buffer with rows of `row` bytes, padded to `stride` bytes each; `None` if it cannot be mapped.
fn filled(gpu: &Gpu, label: &str, bytes: &[u8], row: u32, stride: u32) -> Option<wgpu::Buffer> {
    let [row, stride] = [row as usize, stride as usize];
    let buffer = gpu.device.create_buffer(&wgpu::BufferDescriptor {
        label: Some(label),
        size: (bytes.len() / row * stride) as u64,
        usage: wgpu::BufferUsages::MAP_WRITE | wgpu::BufferUsages::COPY_SRC,
        mapped_at_creation: true,
    });
    let mut mapped = buffer.get_mapped_range_mut(..).ok()?;
    for (at, row_bytes) in bytes.chunks_exact(row).enumerate() {
        mapped.slice(at * stride..at * stride + row).copy_from_slice(row_bytes);
    }
    drop(mapped);
    buffer.unmap();
    Some(buffer)
}
