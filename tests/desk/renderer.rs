//! Draws egui's test harness off screen with the program's own graphics device.
//!
//! The harness has its own renderer, but with a different set of wgpu features: wgpu would be built twice, and the
//! tests would not run the shipped code.

use aivj::stage::Gpu;
use egui_kittest::TestRenderer;

/// Format of the target; egui blends in gamma space, so writes are not converted to sRGB.
const FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::Rgba8Unorm;

/// A renderer that draws egui's shapes to a texture and reads it back.
pub struct OffScreen {
    gpu: Gpu,
    renderer: egui_wgpu::Renderer,
}

impl OffScreen {
    /// Creates a renderer on `gpu`, with no dithering and with filtering in the shader, so that all devices agree.
    pub fn new(gpu: Gpu) -> Self {
        let options = egui_wgpu::RendererOptions::PREDICTABLE;
        let renderer = egui_wgpu::Renderer::new(&gpu.device, FORMAT, options);
        Self { gpu, renderer }
    }

    fn target(&self, [width, height]: [u32; 2]) -> wgpu::Texture {
        self.gpu.device.create_texture(&wgpu::TextureDescriptor {
            label: Some("desk off screen"),
            size: wgpu::Extent3d { width, height, depth_or_array_layers: 1 },
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format: FORMAT,
            usage: wgpu::TextureUsages::RENDER_ATTACHMENT | wgpu::TextureUsages::COPY_SRC,
            view_formats: &[],
        })
    }

    /// Reads `texture` back after the commands in `encoder` have run.
    fn read(
        &self,
        mut encoder: wgpu::CommandEncoder,
        texture: &wgpu::Texture,
    ) -> Result<image::RgbaImage, String> {
        let (width, height) = (texture.width(), texture.height());
        let row = (4 * width).next_multiple_of(wgpu::COPY_BYTES_PER_ROW_ALIGNMENT);
        let buffer = self.gpu.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("desk read back"),
            size: u64::from(row * height),
            usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let layout =
            wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(row), rows_per_image: None };
        encoder.copy_texture_to_buffer(
            texture.as_image_copy(),
            wgpu::TexelCopyBufferInfo { buffer: &buffer, layout },
            texture.size(),
        );
        self.gpu.queue.submit([encoder.finish()]);
        buffer.slice(..).map_async(wgpu::MapMode::Read, |_| ());
        self.gpu.device.poll(wgpu::PollType::wait_indefinitely()).map_err(|e| e.to_string())?;
        let bytes = buffer.slice(..).get_mapped_range().map_err(|e| e.to_string())?;
        let pixels = bytes.chunks_exact(row as usize).flat_map(|row| &row[..4 * width as usize]);
        let picture = image::RgbaImage::from_raw(width, height, pixels.copied().collect());
        picture.ok_or_else(|| "the picture read back is incomplete".into())
    }
}

impl TestRenderer for OffScreen {
    fn handle_delta(&mut self, delta: &mut egui::TexturesDelta) {
        for (id, deltas) in delta.set.drain() {
            for delta in deltas {
                self.renderer.update_texture(&self.gpu.device, &self.gpu.queue, id, &delta);
            }
        }
        for id in delta.free.drain() {
            self.renderer.free_texture(&id);
        }
    }

    fn render(
        &mut self,
        context: &egui::Context,
        output: &egui::FullOutput,
    ) -> Result<image::RgbaImage, String> {
        let scale = context.pixels_per_point();
        let size = context.content_rect().size() * scale;
        let size_in_pixels = [size.x.round() as u32, size.y.round() as u32];
        let screen = egui_wgpu::ScreenDescriptor { size_in_pixels, pixels_per_point: scale };
        let jobs = context.tessellate(output.shapes.clone(), scale);
        let texture = self.target(size_in_pixels);
        let view = texture.create_view(&wgpu::TextureViewDescriptor::default());
        let Gpu { device, queue, .. } = &self.gpu;
        let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        queue.submit(self.renderer.update_buffers(device, queue, &mut encoder, &jobs, &screen));
        let pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
            label: Some("desk off screen"),
            color_attachments: &[Some(wgpu::RenderPassColorAttachment {
                view: &view,
                depth_slice: None,
                resolve_target: None,
                ops: wgpu::Operations {
                    load: wgpu::LoadOp::Clear(wgpu::Color::TRANSPARENT),
                    store: wgpu::StoreOp::Store,
                },
            })],
            ..Default::default()
        });
        self.renderer.render(&mut pass.forget_lifetime(), &jobs, &screen);
        self.read(encoder, &texture)
    }
}
