//! The stage: draws a [`Cue`] into the output picture with decks, mixer, post effects and flash limiter.

use std::collections::BTreeMap;
use std::sync::Arc;

use lactea_abi::{Address, Filter};

use super::cue::{Cue, DeckId, OnAirDeck, OutputMode};
use super::deck::{Deck, FrameTiming};
use super::error::StageError;
use super::layer_painter::LayerPainter;
use super::pass;
use super::pass::blit::{BlitPass, ResizePass};
use super::pass::flash::FlashLimiter;
use super::pass::mix::{self, MixUniforms};
use super::pass::post::ScreenPass;
use super::picture_stats::{PictureMeter, PictureStats};
use super::post::{PostChain, PostWork};
use super::readback::{self, Readback};
use super::render_context::RenderContext;
use crate::layers::LayerFiles;

/// The decks, the mixer, and the output picture.
pub struct Stage {
    render_context: Arc<RenderContext>,
    decks: BTreeMap<DeckId, Box<Deck>>,
    mixer: ScreenPass<MixUniforms>,
    /// Fills the output picture with that of a single deck, as the mixer would.
    resize: BlitPass,
    post: PostChain,
    limiter: Option<FlashLimiter>,
    meter: Option<PictureMeter>,
    layers: LayerPainter,
    /// Target of the mixer and the post effects.
    mixed: wgpu::TextureView,
    /// The output picture: the mixed picture, the limiter's picture, or the picture of the deck on air.
    picture: wgpu::TextureView,
    black: wgpu::TextureView,
    /// Size at which decks are drawn, relative to their full size.
    scale: f64,
    /// Copies the images of decks whose size changes.
    rescale: ResizePass,
}

/// The optional parts of a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StageOptions {
    /// Whether there is a flash limiter.
    pub limiter: bool,
    /// Whether there is a picture meter.
    pub meter: bool,
    /// Whether background threads draw the letters of titles and upload the images of layers, as a live show needs.
    /// Otherwise, this is done in the frame that launches a layer.
    pub layer_threads: bool,
}

impl Stage {
    /// Creates a stage without decks; `size` is the size of the output picture in pixels.
    pub fn new(render_context: Arc<RenderContext>, size: [u32; 2]) -> Self {
        let picture = pass::view(&pass::image(&render_context.gpu.device, "stage picture", size));
        Self {
            mixer: mix::pass(&render_context.gpu, pass::FORMAT),
            resize: BlitPass::opaque(&render_context.gpu, pass::FORMAT),
            post: PostChain::new(&render_context.gpu, size),
            limiter: None,
            meter: None,
            layers: LayerPainter::new(&render_context, Arc::default(), false),
            decks: BTreeMap::new(),
            mixed: picture.clone(),
            picture,
            black: black(&render_context),
            scale: 1.0,
            rescale: ResizePass::new(&render_context.gpu, render_context.feedback_format()),
            render_context,
        }
    }

    /// Creates a stage with `options` and without decks.
    pub fn with(render_context: Arc<RenderContext>, size: [u32; 2], options: StageOptions) -> Self {
        let mut stage = Self::new(render_context, size);
        stage.limit_flashes(options.limiter);
        stage.measure_picture(options.meter);
        stage.layers = LayerPainter::new(&stage.render_context, Arc::default(), options.layer_threads);
        stage
    }

    /// Returns the active options.
    pub fn options(&self) -> StageOptions {
        StageOptions {
            limiter: self.limiter.is_some(),
            meter: self.meter.is_some(),
            layer_threads: self.layers.threads(),
        }
    }

    /// Enables or disables the flash limiter (at most three flashes per second) from the next frame on.
    pub fn limit_flashes(&mut self, enabled: bool) {
        let RenderContext { gpu, flash, .. } = &*self.render_context;
        self.limiter = enabled.then(|| FlashLimiter::new(gpu, flash, self.size()));
    }

    /// Replaces the layers that can be launched; those on air restart.
    pub fn set_layers(&mut self, files: Arc<LayerFiles>) {
        self.layers = LayerPainter::new(&self.render_context, files, self.layers.threads());
    }

    /// Removes all layers, and prepares others on background threads or not.
    pub(super) fn use_layer_threads(&mut self, threads: bool) {
        self.layers = LayerPainter::new(&self.render_context, Arc::default(), threads);
    }

    /// Returns the layers that can be launched.
    pub fn layers(&self) -> &Arc<LayerFiles> {
        self.layers.files()
    }

    /// Returns the IDs of layers that have ended on their own, or failed to launch, but are still on air.
    pub fn ended_layers(&self) -> impl Iterator<Item = u64> {
        self.layers.ended()
    }

    /// Takes the messages for the performer about layers.
    pub fn take_layer_messages(&mut self) -> Vec<String> {
        self.layers.take_messages()
    }

    /// Takes the layers and images that the last [`Self::draw`] no longer needed. Freeing them may take longer than a
    /// frame; what is not taken is freed by the next `draw`.
    pub fn take_retired_layers(&mut self) -> Vec<Box<dyn Send>> {
        self.layers.take_retired()
    }

    /// Enables or disables [`Self::measure`].
    pub fn measure_picture(&mut self, enabled: bool) {
        self.meter = enabled.then(|| PictureMeter::new(&self.render_context.gpu));
    }

    /// Starts measuring the picture of a deck, before crossfades and post effects. Does nothing if measuring is
    /// disabled or the deck does not exist.
    pub fn measure(&mut self, id: DeckId) {
        let (Some(meter), Some(deck)) = (&mut self.meter, self.decks.get(&id)) else { return };
        let RenderContext { gpu, downsample, .. } = &*self.render_context;
        meter.request(gpu, downsample, id.0, deck.output());
    }

    /// Returns the next finished measurement. Returns `None` if there is none, or if it is of a deck other than the one
    /// last passed to [`Self::measure`]. Never blocks.
    pub fn picture_stats(&mut self) -> Option<PictureStats> {
        self.meter.as_mut()?.receive(&self.render_context.gpu)
    }

    /// Returns the context with which decks for this stage are built.
    pub fn render_context(&self) -> &Arc<RenderContext> {
        &self.render_context
    }

    /// Adds a warmed-up deck, scaled like the others.
    pub fn add(&mut self, id: DeckId, mut deck: Box<Deck>) {
        self.fit(&mut deck);
        self.decks.insert(id, deck);
    }

    /// Draws all decks at `scale` times their full size from the next frame on. The output picture keeps its size.
    pub fn set_scale(&mut self, scale: f64) {
        if scale != self.scale {
            self.scale = scale;
            let mut decks = std::mem::take(&mut self.decks);
            decks.values_mut().for_each(|deck| self.fit(deck));
            self.decks = decks;
        }
    }

    fn fit(&mut self, deck: &mut Deck) {
        if let Err(error) = deck.rescale(&self.render_context, &mut self.rescale, self.scale) {
            log::warn!("could not resize a deck ({error}); it keeps its size");
        }
    }

    /// Removes and returns a deck, if it exists. Dropping the deck frees its memory, except for pictures
    /// still bound by a pass of the stage, and may take longer than a frame.
    pub fn remove(&mut self, id: DeckId) -> Option<Box<Deck>> {
        self.decks.remove(&id)
    }

    /// Removes all decks.
    pub fn clear(&mut self) {
        self.decks.clear();
    }

    /// Iterates over all decks.
    pub fn decks(&self) -> impl Iterator<Item = &Deck> {
        self.decks.values().map(Box::as_ref)
    }

    /// Returns the deck with this ID, if there is one.
    pub fn deck(&self, id: DeckId) -> Option<&Deck> {
        self.decks.get(&id).map(Box::as_ref)
    }

    /// Draws one frame into the output picture, or keeps the last one in [`OutputMode::Freeze`]. If the front or
    /// incoming deck was not added, black is drawn in its place; a missing fused deck is skipped.
    pub fn draw(&mut self, cue: &Cue) {
        if cue.output_mode == OutputMode::Freeze {
            self.hold(cue.dt);
            return;
        }
        self.layers.step(&self.render_context, cue, size_of(&self.mixed));
        let gpu = &self.render_context.gpu;
        let blackout = cue.output_mode == OutputMode::Blackout;
        let time = FrameTiming { dt: cue.dt, fps: cue.fps };
        let second =
            cue.second.as_ref().filter(|second| !blackout && self.decks.contains_key(&second.on_air.deck));
        let on_air =
            [cue.front.as_ref(), cue.fade.as_ref().map(|fade| &fade.to), second.map(|second| &second.on_air)];
        for on_air in on_air.into_iter().flatten() {
            if let Some(deck) = self.decks.get_mut(&on_air.deck) {
                // One submission per deck, so that an error in one deck does not affect the others.
                let mut encoder = gpu.device.create_command_encoder(&Default::default());
                let input = (&*cue.audio, &on_air.modulation);
                deck.encode(&self.render_context, &mut encoder, input, time, Some(&self.layers));
                gpu.submit([encoder.finish()]);
            }
        }
        let output = |on_air: Option<&OnAirDeck>| {
            let deck = on_air.and_then(|on_air| self.decks.get(&on_air.deck));
            deck.map_or(&self.black, |deck| deck.output())
        };
        let front = output(on_air[0]);
        let incoming = if on_air[1].is_some() { output(on_air[1]) } else { front };
        let work = PostWork {
            post: &cue.post,
            second: second.map(|second| (output(Some(&second.on_air)), second.share.get())),
            dt: cue.dt as f32,
        };
        let [width, height] = size_of(&self.mixed);
        let covered = !blackout && self.layers.has_overlays();
        let plain = !blackout && cue.fade.is_none() && work.is_idle();
        if plain || blackout {
            self.post.reset_trails();
        }
        let finished_by_deck = plain && !covered && size_of(front) == [width, height];
        if finished_by_deck && self.limiter.is_none() {
            self.picture = front.clone();
            return;
        }
        let sampler = self.render_context.sampler(Filter::Linear, Address::Clamp);
        let mut encoder = gpu.device.create_command_encoder(&Default::default());
        let finished = if finished_by_deck {
            front.clone()
        } else {
            if blackout {
                drop(pass::begin(&mut encoder, "blackout", &self.mixed, true)); // Only clears the picture.
            } else if plain {
                let mut render = pass::begin(&mut encoder, "resize", &self.mixed, false);
                self.resize.fill(gpu, &mut render, sampler, front);
            } else {
                let uniforms = MixUniforms {
                    progress: cue.fade.as_ref().map_or(0.0, |fade| fade.progress.get()),
                    style: MixUniforms::style(cue.fade.as_ref().map(|fade| fade.style).unwrap_or_default()),
                    aspect: height as f32 / width as f32,
                    pad: 0.0,
                };
                let mixed = self.post.source(&work, &self.mixed);
                self.mixer.draw(gpu, &mut encoder, sampler, &[front, incoming], mixed, &uniforms);
                self.post.draw(&self.render_context, &mut encoder, &work, &self.mixed);
            }
            if covered {
                let mut render = pass::begin(&mut encoder, "layers", &self.mixed, false);
                self.layers.draw(&self.render_context, &mut render, false);
            }
            self.mixed.clone()
        };
        self.picture = match &mut self.limiter {
            Some(limiter) => {
                let pipelines = &self.render_context.flash;
                limiter.draw(gpu, pipelines, &mut encoder, &finished, cue.dt, cue.fps)
            }
            None => finished,
        };
        gpu.submit([encoder.finish()]);
    }

    /// Records that the output picture stays on screen for another `dt` seconds without a new frame.
    pub fn hold(&mut self, dt: f64) {
        if let Some(limiter) = &mut self.limiter {
            limiter.hold(dt);
        }
    }

    /// Blocks until the device is idle. Not for the render thread.
    pub fn finish(&self) {
        // Errors are checked by the owner of the device.
        self.render_context.gpu.wait().ok();
    }

    /// Returns the output picture, [`Self::size`] pixels large. Each [`Self::draw`] may write to another image; the
    /// returned one keeps its contents until a later `draw` reuses it.
    pub fn picture(&self) -> &wgpu::TextureView {
        &self.picture
    }

    /// Returns the width and height of the output picture, in pixels.
    pub fn size(&self) -> [u32; 2] {
        size_of(&self.mixed)
    }

    /// Starts reading back the output picture without blocking. Returns false if all buffers of `readback`
    /// are in flight, or if it is for pictures of another size.
    pub fn read_back(&self, readback: &mut Readback) -> bool {
        readback.request(&self.render_context.gpu, self.picture.texture())
    }

    /// Reads back the output picture. Blocks until the device is done; not for the render thread.
    ///
    /// # Errors
    /// Returns an error if the picture cannot be read back, for example because the device was lost.
    pub fn screenshot(&self) -> Result<image::RgbaImage, StageError> {
        readback::read_texture(&self.render_context.gpu, self.picture.texture())
    }
}

/// Returns the width and height of an image, in pixels.
fn size_of(image: &wgpu::TextureView) -> [u32; 2] {
    [image.texture().width(), image.texture().height()]
}

/// Creates a black picture, drawn in place of a missing deck.
fn black(render_context: &RenderContext) -> wgpu::TextureView {
    pass::view(&pass::image(&render_context.gpu.device, "black", [1, 1]))
}
