//! Runs the performer's layers and draws them: into the pictures of presets, or over the finished picture.

use std::sync::Arc;

use super::buffer::GrowableBuffer;
use super::cue::Cue;
use super::render_context::RenderContext;
use crate::layers::{LayerDraw, LayerFiles, LayerFrame, LayerInput, LayerPlayer, Mipmap};

/// Runs and draws the layers of a stage.
pub(super) struct LayerPainter {
    files: Arc<LayerFiles>,
    player: LayerPlayer,
    frame: LayerFrame,
    vertices: GrowableBuffer,
    /// Images of the layers on air, on the device.
    images: Vec<Uploaded>,
    /// Layers and images that are no longer needed; freed by the next step unless the caller takes them.
    retired: Vec<Box<dyn Send>>,
}

/// An image on the device.
struct Uploaded {
    image: Arc<Mipmap>,
    tiled: bool,
    group: wgpu::BindGroup,
}

impl Uploaded {
    fn matches(&self, draw: &LayerDraw) -> bool {
        Arc::ptr_eq(&self.image, &draw.image) && self.tiled == draw.tiled
    }
}

impl LayerPainter {
    /// Creates a painter of the layers in `files`. If `title_threads` is true, the letters of titles are drawn on
    /// background threads.
    pub fn new(render_context: &RenderContext, files: Arc<LayerFiles>, title_threads: bool) -> Self {
        Self {
            files,
            player: LayerPlayer::new(title_threads),
            frame: LayerFrame::default(),
            vertices: GrowableBuffer::new(&render_context.gpu.device, "layers", wgpu::BufferUsages::VERTEX),
            images: Vec::new(),
            retired: Vec::new(),
        }
    }

    pub fn files(&self) -> &Arc<LayerFiles> {
        &self.files
    }

    /// Returns whether the letters of titles are drawn on background threads.
    pub fn title_threads(&self) -> bool {
        self.player.title_threads()
    }

    /// Runs the layers of `cue` for one frame of `width` x `height` pixels, and uploads their images and vertices.
    pub fn step(&mut self, render_context: &RenderContext, cue: &Cue, [width, height]: [u32; 2]) {
        let aspect = width as f32 / height as f32;
        let input = LayerInput { audio: &cue.audio, fps: cue.fps, aspect };
        self.player.step(&self.files, &cue.layers, &input, &mut self.frame);
        self.retired = self.player.take_retired(); // Frees what the caller has not taken.
        let draws = &self.frame.draws;
        let unused = |uploaded: &mut Uploaded| !draws.iter().any(|draw| uploaded.matches(draw));
        for image in self.images.extract_if(.., unused) {
            self.retired.push(Box::new(image));
        }
        for draw in draws {
            if !self.images.iter().any(|uploaded| uploaded.matches(draw)) {
                let group = render_context.layer.upload(&render_context.gpu, &draw.image, draw.tiled);
                self.images.push(Uploaded { image: draw.image.clone(), tiled: draw.tiled, group });
            }
        }
        let gpu = &render_context.gpu;
        self.vertices.fill(&gpu.device, &gpu.queue, &self.frame.vertices);
    }

    /// Returns whether there is anything to draw over the finished picture.
    pub fn has_overlays(&self) -> bool {
        self.frame.draws.iter().any(|draw| !draw.burned)
    }

    /// Returns whether there is anything to draw into the pictures of presets.
    pub fn has_burned(&self) -> bool {
        self.frame.draws.iter().any(|draw| draw.burned)
    }

    /// Records the draw calls of the burned layers if `burned` is true, otherwise those of the layers that are drawn
    /// over the finished picture.
    pub fn draw(&self, render_context: &RenderContext, render: &mut wgpu::RenderPass, burned: bool) {
        render.set_vertex_buffer(0, self.vertices.slice());
        for draw in self.frame.draws.iter().filter(|draw| draw.burned == burned) {
            let Some(uploaded) = self.images.iter().find(|uploaded| uploaded.matches(draw)) else { continue };
            render.set_pipeline(render_context.layer.pipeline(draw.blend));
            render.set_bind_group(0, &uploaded.group, &[]);
            render.draw(draw.range.clone(), 0..1);
        }
    }

    /// Returns the IDs of layers that have ended, or failed to launch, but are still on air.
    pub fn ended(&self) -> impl Iterator<Item = u64> {
        self.player.ended()
    }

    /// Takes the messages for the performer.
    pub fn take_messages(&mut self) -> Vec<String> {
        self.player.take_messages()
    }

    /// Takes the layers and images that the last frame no longer needed.
    pub fn take_retired(&mut self) -> Vec<Box<dyn Send>> {
        std::mem::take(&mut self.retired)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::{LayerContent, LayerOnAir};
    use crate::milk::PresetAudio;
    use crate::stage::{Gpu, OutputMode, Post};

    fn cue(layers: Vec<LayerOnAir>) -> Cue {
        Cue {
            dt: 1.0 / 60.0,
            fps: 60.0,
            audio: PresetAudio::default().into(),
            front: None,
            fade: None,
            second: None,
            post: Post::default(),
            layers,
            output_mode: OutputMode::Open,
        }
    }

    #[test]
    fn images_are_retired_when_their_layers_go_off_air() {
        let Some(gpu) = Gpu::for_test() else { return };
        let context = RenderContext::new(gpu, &[]);
        let mut painter = LayerPainter::new(&context, Arc::default(), false);
        let content = LayerContent::Title("A song".into());
        painter.step(&context, &cue(vec![LayerOnAir { id: 1, age_secs: 1.0, seed: 0, content }]), [64, 36]);
        let image = Arc::downgrade(&painter.images[0].image);
        assert_eq!(painter.take_retired().len(), 0);
        painter.step(&context, &cue(Vec::new()), [64, 36]);
        assert!(painter.images.is_empty() && image.strong_count() > 0, "not freed yet");
        assert_eq!(painter.take_retired().len(), 2, "the title and its image");
        assert_eq!(image.strong_count(), 0);
    }
}
