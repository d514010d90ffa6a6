//! Everything on the GPU: decks, passes, mixer, readback. Never imports mind or audio: what to show reaches it as a
//! [`Cue`].

mod buffer;
mod camera;
mod cue;
mod deck;
mod flat;
mod gpu;
mod noise;
mod pass;
mod picture;
mod picture_stats;
mod post;
mod present;
mod preset_pass;
mod readback;
mod render_context;
mod textures;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use camera::{Camera, Shot, Wait};
pub use cue::{Cue, DeckId, Fade, FadeStyle, OnAirDeck, OutputMode, Second};
pub use deck::{Deck, DeckSettings};
pub use gpu::{Gpu, GpuError};
pub use picture_stats::PictureStats;
pub use post::Post;
pub use present::Presenter;
pub use render_context::RenderContext;
pub use textures::Textures;

use lactea_abi::{Address, Filter};
use pass::flash::FlashPass;
use pass::mix::{self, MixUniforms};
use pass::post::ScreenPass;
use picture_stats::PictureMeter;
use post::{PostChain, PostWork};

/// The stage: a rack of warm decks, a mixer, and the picture the crowd sees.
pub struct Stage {
    render_context: Arc<RenderContext>,
    rack: BTreeMap<DeckId, Box<Deck>>,
    mixer: ScreenPass<MixUniforms>,
    chain: PostChain,
    limiter: Option<FlashPass>,
    enabled: Option<PictureMeter>,
    picture: wgpu::Texture,
    picture_view: wgpu::TextureView,
    black: wgpu::TextureView,
}

impl Stage {
    /// An empty stage whose picture has `size` pixels.
    pub fn new(render_context: Arc<RenderContext>, size: [u32; 2]) -> Self {
        let picture = pass::image(&render_context.gpu.device, "stage picture", size);
        Self {
            mixer: mix::pass(&render_context.gpu, pass::FORMAT),
            chain: PostChain::new(&render_context.gpu, size),
            limiter: None,
            enabled: None,
            rack: BTreeMap::new(),
            picture_view: pass::view(&picture),
            picture,
            black: deck::black(&render_context),
            render_context,
        }
    }

    /// Holds flashes of the picture to three a second from the next frame on, or lets them pass.
    pub fn limit_flashes(&mut self, limited: bool) {
        self.limiter = limited.then(|| FlashPass::new(&self.render_context.gpu, self.size()));
    }

    /// Lets [`Self::picture_stats`] look at the picture from now on, or not.
    pub fn measure_picture(&mut self, enabled: bool) {
        self.enabled = enabled.then(|| PictureMeter::new(&self.render_context.gpu, &self.picture_view));
    }

    /// Asks for a look at the picture as it is now and tells of one asked for some calls ago, if it has come back.
    /// Never waits.
    pub fn picture_stats(&mut self) -> Option<PictureStats> {
        let enabled = self.enabled.as_mut()?;
        enabled.look(&self.render_context.gpu);
        enabled.collect(&self.render_context.gpu)
    }

    /// What decks for this stage are built with.
    pub fn render_context(&self) -> &Arc<RenderContext> {
        &self.render_context
    }

    /// Puts a warm deck on the rack.
    pub fn rack(&mut self, id: DeckId, deck: Box<Deck>) {
        self.rack.insert(id, deck);
    }

    /// Takes a deck off the rack; its memory is given back, but for pictures that were mixed last.
    pub fn retire(&mut self, id: DeckId) {
        self.rack.remove(&id);
    }

    /// Takes every deck off the rack.
    pub fn clear(&mut self) {
        self.rack.clear();
    }

    /// Every deck on the rack.
    pub fn decks(&self) -> impl Iterator<Item = &Deck> {
        self.rack.values().map(Box::as_ref)
    }

    /// A deck on the rack.
    pub fn deck(&self, id: DeckId) -> Option<&Deck> {
        self.rack.get(&id).map(Box::as_ref)
    }

    /// Draws one frame of `cue` into the picture. A deck that is not on the rack counts as black.
    pub fn draw(&mut self, cue: &Cue) {
        if cue.veil == OutputMode::Freeze {
            return;
        }
        let gpu = &self.render_context.gpu;
        let dark = cue.veil == OutputMode::Blackout;
        let second =
            cue.second.as_ref().filter(|second| !dark && self.rack.contains_key(&second.airing.deck));
        let airings =
            [cue.front.as_ref(), cue.fade.as_ref().map(|fade| &fade.to), second.map(|second| &second.airing)];
        for airing in airings.into_iter().flatten() {
            if let Some(deck) = self.rack.get_mut(&airing.deck) {
                // Work of its own for the device: a deck that fails takes no other picture with it.
                let mut encoder = gpu.device.create_command_encoder(&Default::default());
                deck.encode(&self.render_context, &mut encoder, &cue.heard, &airing.hooks, cue.dt);
                gpu.queue.submit([encoder.finish()]);
            }
        }
        let mut encoder = gpu.device.create_command_encoder(&Default::default());
        let output = |airing: Option<&OnAirDeck>| {
            let deck = airing.and_then(|airing| self.rack.get(&airing.deck));
            deck.map_or(&self.black, |deck| deck.output())
        };
        let front = output(airings[0]);
        let incoming = if airings[1].is_some() { output(airings[1]) } else { front };
        let uniforms = MixUniforms {
            progress: cue.fade.as_ref().map_or(0.0, |fade| fade.progress.get()),
            style: MixUniforms::style(cue.fade.as_ref().map(|fade| fade.style).unwrap_or_default()),
            aspect: self.picture.height() as f32 / self.picture.width() as f32,
            light: if dark { 0.0 } else { 1.0 },
        };
        let rest = Post::default();
        let work = PostWork {
            post: if dark { &rest } else { &cue.post },
            second: second.map(|second| (output(Some(&second.airing)), second.share.get())),
            dt: cue.dt as f32,
        };
        let sampler = self.render_context.sampler(Filter::Linear, Address::Clamp);
        let finished = self.limiter.as_ref().map_or(&self.picture_view, FlashPass::candidate).clone();
        let mixed = self.chain.source(&work, &finished);
        self.mixer.draw(gpu, &mut encoder, sampler, &[front, incoming], mixed, &uniforms);
        self.chain.draw(&self.render_context, &mut encoder, &work, &finished);
        if let Some(limiter) = &mut self.limiter {
            let picture = (&self.picture, &self.picture_view);
            limiter.draw(gpu, &mut encoder, sampler, picture, cue.dt as f32);
        }
        gpu.queue.submit([encoder.finish()]);
    }

    /// Waits until the device has drawn everything; for headless tools, never for the render thread.
    pub fn finish(&self) {
        // Device errors are noted by their own callback.
        self.render_context.gpu.device.poll(wgpu::PollType::wait_indefinitely()).ok();
    }

    /// The picture the crowd sees, for windows to show.
    pub fn picture(&self) -> &wgpu::TextureView {
        &self.picture_view
    }

    /// Width and height of the picture, pixels.
    pub fn size(&self) -> [u32; 2] {
        [self.picture.width(), self.picture.height()]
    }

    /// The picture in memory; waits for the device, so headless tools only.
    pub fn screenshot(&self) -> Result<image::RgbaImage, String> {
        readback::read(&self.render_context.gpu, &self.picture)
    }
}
