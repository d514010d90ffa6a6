//! Runs the performer's layers and draws them: into the pictures of presets, or over the finished picture.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::thread::{self, JoinHandle};

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
    /// Images of the layers on air.
    images: Vec<LayerImage>,
    /// Layers and images that are no longer needed; freed by the next step unless the caller takes them.
    retired: Vec<Box<dyn Send>>,
}

/// An image on the device, or on its way there.
struct LayerImage {
    image: Arc<Mipmap>,
    tiled: bool,
    /// `None` until the image is uploaded.
    group: Option<wgpu::BindGroup>,
    /// The upload that is running on another thread.
    upload: Option<Upload>,
}

/// The result of an upload and its thread.
type Upload = (Receiver<wgpu::BindGroup>, JoinHandle<()>);

impl LayerImage {
    /// Uploads the image of a layer, on another thread if `on_thread` is true.
    fn new(render_context: &Arc<RenderContext>, draw: &LayerDraw, on_thread: bool) -> Self {
        let upload = if on_thread { start_upload(render_context, draw) } else { None };
        let RenderContext { gpu, layer, .. } = &**render_context;
        let group = upload.is_none().then(|| layer.upload(gpu, &draw.image, draw.tiled));
        Self { image: draw.image.clone(), tiled: draw.tiled, group, upload }
    }

    fn matches(&self, draw: &LayerDraw) -> bool {
        Arc::ptr_eq(&self.image, &draw.image) && self.tiled == draw.tiled
    }

    /// Takes over the image if its upload has ended. Never blocks.
    fn receive(&mut self) {
        if let Some(group) = self.upload.as_ref().and_then(|(group, _)| group.try_recv().ok()) {
            (self.group, self.upload) = (Some(group), None);
        }
    }
}

impl Drop for LayerImage {
    /// Waits for the upload, because the process may crash if it exits during a driver call.
    fn drop(&mut self) {
        if let Some((_, thread)) = self.upload.take() {
            thread.join().ok(); // If the thread has panicked, there is no image.
        }
    }
}

/// Uploads the image of a layer on a separate thread, because copying a large one takes longer than a frame. Returns
/// `None` if the thread cannot be started.
fn start_upload(context: &Arc<RenderContext>, draw: &LayerDraw) -> Option<Upload> {
    let (context, image, tiled) = (context.clone(), draw.image.clone(), draw.tiled);
    let (done, group) = mpsc::sync_channel(1);
    let work = move || {
        done.send(context.layer.upload(&context.gpu, &image, tiled)).ok(); // Fails if the layer has ended.
    };
    match thread::Builder::new().name("layer image".into()).spawn(work) {
        Ok(thread) => Some((group, thread)),
        Err(error) => {
            log::debug!("uploading an image on the render thread: {error}");
            None
        }
    }
}

impl LayerPainter {
    /// Creates a painter of the layers in `files`. If `threads` is true, background threads draw the letters of titles
    /// and upload images, and a layer appears once they have finished.
    pub fn new(render_context: &RenderContext, files: Arc<LayerFiles>, threads: bool) -> Self {
        Self {
            files,
            player: LayerPlayer::new(threads),
            frame: LayerFrame::default(),
            vertices: GrowableBuffer::new(&render_context.gpu.device, "layers", wgpu::BufferUsages::VERTEX),
            images: Vec::new(),
            retired: Vec::new(),
        }
    }

    pub fn files(&self) -> &Arc<LayerFiles> {
        &self.files
    }

    /// Returns whether layers are prepared on background threads.
    pub fn threads(&self) -> bool {
        self.player.title_threads()
    }

    /// Runs the layers of `cue` for one frame of `width` x `height` pixels, and uploads their images and vertices.
    pub fn step(&mut self, render_context: &Arc<RenderContext>, cue: &Cue, [width, height]: [u32; 2]) {
        let aspect = width as f32 / height as f32;
        let input = LayerInput { audio: &cue.audio, fps: cue.fps, aspect };
        self.player.step(&self.files, &cue.layers, &input, &mut self.frame);
        self.retired = self.player.take_retired(); // Frees what the caller has not taken.
        let draws = &self.frame.draws;
        let unused = |image: &mut LayerImage| !draws.iter().any(|draw| image.matches(draw));
        for image in self.images.extract_if(.., unused) {
            self.retired.push(Box::new(image));
        }
        self.images.iter_mut().for_each(LayerImage::receive);
        for draw in draws {
            if !self.images.iter().any(|image| image.matches(draw)) {
                self.images.push(LayerImage::new(render_context, draw, self.player.title_threads()));
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
            let image = self.images.iter().find(|image| image.matches(draw));
            let Some(group) = image.and_then(|image| image.group.as_ref()) else { continue };
            render.set_pipeline(render_context.layer.pipeline(draw.blend, burned));
            render.set_bind_group(0, group, &[]);
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
    use crate::stage::Gpu;
    use crate::stage::preload;

    fn cue(layers: Vec<LayerOnAir>) -> Cue {
        Cue { layers, ..preload::cue(None) }
    }

    #[test]
    fn images_are_retired_when_their_layers_go_off_air() {
        let Some(gpu) = Gpu::for_test() else { return };
        let context = Arc::new(RenderContext::new(gpu, &[]));
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

    #[test]
    fn images_are_uploaded_on_other_threads_during_a_live_show() {
        let Some(gpu) = Gpu::for_test() else { return };
        let context = Arc::new(RenderContext::new(gpu, &[]));
        let sprite = LayerOnAir { id: 1, age_secs: 0.0, seed: 0, content: LayerContent::Sprite(0) };
        let cue = cue(vec![sprite]);
        let uploaded = |painter: &LayerPainter| {
            painter.images.iter().map(|image| image.group.is_some()).collect::<Vec<_>>()
        };
        let mut live = LayerPainter::new(&context, Arc::new(LayerFiles::of_every_kind()), true);
        live.step(&context, &cue, [64, 36]);
        assert_eq!(uploaded(&live), [false], "uploaded by the render thread");
        for _ in 0..1000 {
            live.step(&context, &cue, [64, 36]);
            if uploaded(&live) == [true] {
                return;
            }
            thread::sleep(std::time::Duration::from_millis(10));
        }
        panic!("never uploaded");
    }
}
