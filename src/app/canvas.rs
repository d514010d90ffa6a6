//! Paints egui's shapes into a persistent picture of the desk, so that only what has changed is repainted.

use std::collections::HashMap;
use std::sync::Arc;

use egui::epaint::{ClippedShape, ImageData, ImageDelta};
use egui::{Rect, Vec2};

use super::damage;
use crate::stage::Gpu;

/// Largest area painted at once with software rendering, in square points: the show's frames wait for the desk's. Larger
/// changes are painted over several updates of the desk, but a part is never divided: the preview is painted on its own,
/// and a change of most of the desk, such as another page, at once.
const SOFTWARE_PORTION: f32 = 70_000.0;

/// egui's output for one frame of the desk.
pub(super) struct DeskFrame {
    pub shapes: Vec<ClippedShape>,
    pub textures: egui::TexturesDelta,
    pub pixels_per_point: f32,
    /// Width and height of the desk, in pixels.
    pub size: [u32; 2],
}

/// The persistent picture of the desk and its renderer.
pub(super) struct Canvas {
    renderer: egui_wgpu::Renderer,
    format: wgpu::TextureFormat,
    /// The output picture as an egui texture.
    preview: egui::TextureId,
    texture: Option<wgpu::Texture>,
    pixels_per_point: f32,
    /// Shapes of the previous frame.
    shapes: Vec<ClippedShape>,
    /// Parts that have changed but have not been repainted yet.
    late: Vec<Rect>,
    /// Largest area painted at once, in square points.
    portion: f32,
    /// Contents of egui's textures, for upload to a new device if the current one is lost.
    textures: HashMap<egui::TextureId, ImageDelta>,
}

impl Canvas {
    /// Creates a canvas with the pixel format `format`; the preview shows `picture`.
    pub fn new(gpu: &Gpu, format: wgpu::TextureFormat, picture: &wgpu::TextureView) -> Self {
        let options = egui_wgpu::RendererOptions::default();
        let mut renderer = egui_wgpu::Renderer::new(&gpu.device, format, options);
        let preview = renderer.register_native_texture(&gpu.device, picture, wgpu::FilterMode::Linear);
        Self {
            renderer,
            format,
            preview,
            texture: None,
            pixels_per_point: 1.0,
            shapes: Vec::new(),
            late: Vec::new(),
            portion: if gpu.software() { SOFTWARE_PORTION } else { f32::INFINITY },
            textures: HashMap::new(),
        }
    }

    /// Switches to another device; the next [`Self::paint`] repaints everything.
    pub fn renew(&mut self, gpu: &Gpu, format: wgpu::TextureFormat, picture: &wgpu::TextureView) {
        let textures = std::mem::take(&mut self.textures);
        *self = Self { textures, ..Self::new(gpu, format, picture) };
        for (id, whole) in &self.textures {
            self.renderer.update_texture(&gpu.device, &gpu.queue, *id, whole);
        }
    }

    /// Applies texture changes to the copies kept for [`Self::renew`]. Must be called for each frame, before
    /// painting it.
    pub fn keep(&mut self, textures: &egui::TexturesDelta) {
        for (id, deltas) in &textures.set {
            deltas.iter().for_each(|delta| self.keep_one(*id, delta));
        }
        textures.free.iter().for_each(|id| drop(self.textures.remove(id)));
    }

    fn keep_one(&mut self, id: egui::TextureId, delta: &ImageDelta) {
        let Some([left, top]) = delta.pos else {
            self.textures.insert(id, delta.clone());
            return;
        };
        let Some(whole) = self.textures.get_mut(&id) else { return };
        let (ImageData::Color(whole), ImageData::Color(part)) = (&mut whole.image, &delta.image);
        let [width, _] = whole.size;
        let pixels = &mut Arc::make_mut(whole).pixels;
        for (row, line) in part.pixels.chunks_exact(part.size[0].max(1)).enumerate() {
            let from = (top + row) * width + left;
            if let Some(place) = pixels.get_mut(from..from + line.len()) {
                place.copy_from_slice(line);
            }
        }
    }

    /// Returns the ID of the egui texture that shows the output picture.
    pub fn preview(&self) -> egui::TextureId {
        self.preview
    }

    /// Returns the picture of the desk; `None` until the desk has been painted on the current device.
    pub fn texture(&self) -> Option<&wgpu::Texture> {
        self.texture.as_ref()
    }

    /// Shows another texture as the preview.
    pub fn show_preview(&mut self, gpu: &Gpu, picture: &wgpu::TextureView) {
        let filter = wgpu::FilterMode::Linear;
        self.renderer.update_egui_texture_from_wgpu_texture(&gpu.device, picture, filter, self.preview);
    }

    /// Returns whether parts that have changed have not been repainted yet.
    pub fn is_late(&self) -> bool {
        !self.late.is_empty()
    }

    /// Repaints what has changed, including the preview if `preview_changed`; with software rendering, large changes are
    /// repainted over several calls. Returns whether anything was painted.
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
        let (parts, late) = damage::portion(&self.late, &parts, self.portion);
        self.late = late;
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
        gpu.submit(buffers);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::LibraryView;
    use crate::desk::{BakeView, Desk, DeskView, MidiView, Page, SettingsView};
    use crate::show::{AudioLine, FrameTimes, OutputMode, PresetAudio, Snapshot};
    use crate::units::{Seconds, Unipolar};

    const SIZE: [u32; 2] = [1240, 720];

    fn pixels(gpu: &Gpu, canvas: &Canvas) -> Vec<u8> {
        let texture = canvas.texture().expect("painted");
        let bytes_per_row = (SIZE[0] * 4).next_multiple_of(wgpu::COPY_BYTES_PER_ROW_ALIGNMENT);
        let buffer = gpu.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("desk"),
            size: u64::from(bytes_per_row * SIZE[1]),
            usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
            mapped_at_creation: false,
        });
        let mut encoder = gpu.device.create_command_encoder(&Default::default());
        let layout = wgpu::TexelCopyBufferLayout {
            offset: 0,
            bytes_per_row: Some(bytes_per_row),
            rows_per_image: Some(SIZE[1]),
        };
        let copy = wgpu::TexelCopyBufferInfo { buffer: &buffer, layout };
        encoder.copy_texture_to_buffer(texture.as_image_copy(), copy, texture.size());
        gpu.queue.submit([encoder.finish()]);
        buffer.map_async(wgpu::MapMode::Read, .., |_| ());
        gpu.device.poll(wgpu::PollType::wait_indefinitely()).expect("finished");
        buffer.get_mapped_range(..).expect("mapped").to_vec()
    }

    #[test]
    fn partial_repaints_give_the_same_desk_as_full_repaints() {
        let Some(gpu) = Gpu::for_test() else { return };
        let preview =
            picture(&gpu, wgpu::TextureFormat::Rgba8Unorm, [64, 36]).create_view(&Default::default());
        let mut canvases = [0, 1].map(|_| Canvas::new(&gpu, wgpu::TextureFormat::Bgra8Unorm, &preview));
        let (context, mut desk) = (egui::Context::default(), Desk::default());
        let mut snapshot = Snapshot::default();
        let (mut painted, mut quiet, mut portions) = (0, 0, 0);
        canvases[0].portion = 1.0;
        canvases[1].portion = f32::INFINITY;
        for number in 0..24_u32 {
            match number {
                3..9 => snapshot.features.energy_fast = Unipolar::new(number as f32 / 9.0),
                9 => snapshot.output_mode = OutputMode::Freeze,
                10 => snapshot.message = Some("a message".into()),
                14 => desk.open(Page::Settings),
                18 => desk.open(Page::Live),
                _ => snapshot.features.at = Seconds(f64::from(number / 4)),
            }
            let messages: Vec<&str> = snapshot.message.as_deref().into_iter().collect();
            let view = DeskView {
                snapshot: &snapshot,
                audio: &AudioLine::default(),
                times: FrameTimes { fps: (number / 5) as f32, ..FrameTimes::default() },
                heard: &PresetAudio::default(),
                preview: canvases[0].preview(),
                preview_aspect: 16.0 / 9.0,
                device: "a device",
                prompts: &[],
                messages: &messages,
                log_problem: "",
                midi: &MidiView::default(),
                bake: &BakeView::default(),
                library: &LibraryView::default(),
                settings: &SettingsView::default(),
                keys: &[],
            };
            let screen = Rect::from_min_size(egui::Pos2::ZERO, Vec2::new(SIZE[0] as f32, SIZE[1] as f32));
            let input = egui::RawInput {
                screen_rect: Some(screen),
                time: Some(f64::from(number) * 0.1),
                ..egui::RawInput::default()
            };
            let output = context.run_ui(input, |ui| drop(desk.show(ui, &view)));
            canvases[1].texture = None; // Forces a full repaint.
            let frame = |textures: &egui::TexturesDelta| DeskFrame {
                shapes: output.shapes.clone(),
                textures: textures.clone(),
                pixels_per_point: output.pixels_per_point,
                size: SIZE,
            };
            let changed = canvases.each_mut().map(|canvas| {
                canvas.paint(&gpu, &context, frame(&output.textures_delta), (3..9).contains(&number))
            });
            assert!(!canvases[1].is_late());
            while canvases[0].is_late() {
                portions += 1;
                assert!(canvases[0].paint(&gpu, &context, frame(&egui::TexturesDelta::default()), false));
            }
            painted += u32::from(changed[0]);
            quiet += u32::from(!changed[0]);
            assert!(pixels(&gpu, &canvases[0]) == pixels(&gpu, &canvases[1]), "frame {number} differs");
        }
        assert!(
            painted > 6 && quiet > 2 && portions > 1,
            "{painted} frames painted, {quiet} left unchanged, {portions} more portions"
        );
    }
}
