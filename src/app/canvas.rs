//! Paints egui's shapes to a picture of the desk that is kept, so that only what has changed is painted.

use egui::epaint::ClippedShape;
use egui::{Rect, Vec2};

use super::damage;
use crate::stage::Gpu;

/// One frame of egui.
pub(super) struct DeskFrame {
    pub shapes: Vec<ClippedShape>,
    pub textures: egui::TexturesDelta,
    pub pixels_per_point: f32,
    /// Width and height, pixels.
    pub size: [u32; 2],
}

/// The picture of the desk.
pub(super) struct Canvas {
    renderer: egui_wgpu::Renderer,
    format: wgpu::TextureFormat,
    /// The output picture as an egui texture.
    preview: egui::TextureId,
    texture: Option<wgpu::Texture>,
    pixels_per_point: f32,
    /// Shapes of the frame before.
    shapes: Vec<ClippedShape>,
}

impl Canvas {
    /// Creates a canvas of `format`; the preview shows `picture`.
    pub fn new(gpu: &Gpu, format: wgpu::TextureFormat, picture: &wgpu::TextureView) -> Self {
        let options = egui_wgpu::RendererOptions::default();
        let mut renderer = egui_wgpu::Renderer::new(&gpu.device, format, options);
        let preview = renderer.register_native_texture(&gpu.device, picture, wgpu::FilterMode::Linear);
        Self { renderer, format, preview, texture: None, pixels_per_point: 1.0, shapes: Vec::new() }
    }

    /// Returns the egui texture of the output picture.
    pub fn preview(&self) -> egui::TextureId {
        self.preview
    }

    /// Returns the picture of the desk, if anything was painted.
    pub fn texture(&self) -> Option<&wgpu::Texture> {
        self.texture.as_ref()
    }

    /// Shows another texture as the preview.
    pub fn show_preview(&mut self, gpu: &Gpu, picture: &wgpu::TextureView) {
        let filter = wgpu::FilterMode::Linear;
        self.renderer.update_egui_texture_from_wgpu_texture(&gpu.device, picture, filter, self.preview);
    }

    /// Paints what has changed; `preview_changed` says whether the preview has. Returns whether anything was painted.
    pub fn paint(
        &mut self,
        gpu: &Gpu,
        context: &egui::Context,
        frame: DeskFrame,
        preview_changed: bool,
    ) -> bool {
        let DeskFrame { shapes, textures, pixels_per_point, size } = frame;
        let mut anew = self.pixels_per_point != pixels_per_point;
        for (id, deltas) in &textures.set {
            for delta in deltas {
                self.renderer.update_texture(&gpu.device, &gpu.queue, *id, delta);
                anew |= delta.is_whole();
            }
        }
        if self.texture.as_ref().is_none_or(|texture| [texture.width(), texture.height()] != size) {
            self.texture = Some(picture(gpu, self.format, size));
            anew = true;
        }
        let points = Vec2::new(size[0] as f32, size[1] as f32) / pixels_per_point;
        let parts = if anew {
            vec![Rect::from_min_size(egui::Pos2::ZERO, points)]
        } else {
            let changed = preview_changed.then_some(self.preview);
            let pixels = |part: Rect| {
                let down = |side: f32| (side * pixels_per_point).floor() / pixels_per_point;
                let up = |side: f32| (side * pixels_per_point).ceil() / pixels_per_point;
                Rect::from_min_max(
                    egui::pos2(down(part.min.x), down(part.min.y)),
                    egui::pos2(up(part.max.x), up(part.max.y)),
                )
            };
            damage::damage(&self.shapes, &shapes, changed, points).into_iter().map(pixels).collect()
        };
        (self.pixels_per_point, self.shapes) = (pixels_per_point, shapes);
        if !parts.is_empty() {
            self.draw(gpu, context, &parts, size);
        }
        for id in &textures.free {
            self.renderer.free_texture(id);
        }
        !parts.is_empty()
    }

    fn draw(&mut self, gpu: &Gpu, context: &egui::Context, parts: &[Rect], size: [u32; 2]) {
        let Some(texture) = &self.texture else { return };
        let view = texture.create_view(&Default::default());
        let jobs = context.tessellate(damage::within(&self.shapes, parts), self.pixels_per_point);
        let screen =
            egui_wgpu::ScreenDescriptor { size_in_pixels: size, pixels_per_point: self.pixels_per_point };
        let mut encoder = gpu.device.create_command_encoder(&Default::default());
        let mut buffers = self.renderer.update_buffers(&gpu.device, &gpu.queue, &mut encoder, &jobs, &screen);
        let pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
            label: Some("desk"),
            color_attachments: &[Some(wgpu::RenderPassColorAttachment {
                view: &view,
                depth_slice: None,
                resolve_target: None,
                ops: wgpu::Operations { load: wgpu::LoadOp::Load, store: wgpu::StoreOp::Store },
            })],
            ..Default::default()
        });
        self.renderer.render(&mut pass.forget_lifetime(), &jobs, &screen);
        buffers.push(encoder.finish());
        gpu.queue.submit(buffers);
    }
}

fn picture(gpu: &Gpu, format: wgpu::TextureFormat, [width, height]: [u32; 2]) -> wgpu::Texture {
    gpu.device.create_texture(&wgpu::TextureDescriptor {
        label: Some("desk"),
        size: wgpu::Extent3d { width: width.max(1), height: height.max(1), depth_or_array_layers: 1 },
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format,
        usage: wgpu::TextureUsages::RENDER_ATTACHMENT
            | wgpu::TextureUsages::TEXTURE_BINDING
            | wgpu::TextureUsages::COPY_SRC,
        view_formats: &[],
    })
}
