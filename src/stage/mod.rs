//! Everything on the GPU: decks, passes, mixer, readback. Never imports mind or audio: what to show reaches it as a
//! [`Cue`].

mod buffer;
mod camera;
mod cue;
mod deck;
mod flat;
mod glance;
mod gpu;
mod noise;
mod pass;
mod picture;
mod post;
mod present;
mod preset_pass;
mod readback;
mod textures;
mod workshop;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use camera::{Camera, Shot, Wait};
pub use cue::{Airing, Cue, DeckId, Fade, FadeStyle, Second, Veil};
pub use deck::{Deck, DeckSettings};
pub use glance::Glance;
pub use gpu::{Gpu, GpuError};
pub use post::Post;
pub use present::Presenter;
pub use textures::Textures;
pub use workshop::Workshop;

use glance::Glancing;
use lactea_abi::{Address, Filter};
use pass::flash::FlashPass;
use pass::mix::{self, MixUniforms};
use pass::post::ScreenPass;
use post::{PostChain, PostWork};

/// The stage: a rack of warm decks, a mixer, and the picture the crowd sees.
pub struct Stage {
    workshop: Arc<Workshop>,
    rack: BTreeMap<DeckId, Box<Deck>>,
    mixer: ScreenPass<MixUniforms>,
    chain: PostChain,
    limiter: Option<FlashPass>,
    glancing: Option<Glancing>,
    picture: wgpu::Texture,
    picture_view: wgpu::TextureView,
    black: wgpu::TextureView,
}

impl Stage {
    /// An empty stage whose picture has `size` pixels.
    pub fn new(workshop: Arc<Workshop>, size: [u32; 2]) -> Self {
        let picture = pass::image(&workshop.gpu.device, "stage picture", size);
        Self {
            mixer: mix::pass(&workshop.gpu, pass::FORMAT),
            chain: PostChain::new(&workshop.gpu, size),
            limiter: None,
            glancing: None,
            rack: BTreeMap::new(),
            picture_view: pass::view(&picture),
            picture,
            black: deck::black(&workshop),
            workshop,
        }
    }

    /// Holds flashes of the picture to three a second from the next frame on, or lets them pass.
    pub fn limit_flashes(&mut self, limited: bool) {
        self.limiter = limited.then(|| FlashPass::new(&self.workshop.gpu, self.size()));
    }

    /// Lets [`Self::glance`] look at the picture from now on, or not.
    pub fn glance_at_picture(&mut self, glancing: bool) {
        self.glancing = glancing.then(|| Glancing::new(&self.workshop.gpu, &self.picture_view));
    }

    /// Asks for a look at the picture as it is now and tells of one asked for some calls ago, if it has come back.
    /// Never waits.
    pub fn glance(&mut self) -> Option<Glance> {
        let glancing = self.glancing.as_mut()?;
        glancing.look(&self.workshop.gpu);
        glancing.collect(&self.workshop.gpu)
    }

    /// What decks for this stage are built with.
    pub fn workshop(&self) -> &Arc<Workshop> {
        &self.workshop
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
        if cue.veil == Veil::Freeze {
            return;
        }
        let gpu = &self.workshop.gpu;
        let dark = cue.veil == Veil::Blackout;
        let second =
            cue.second.as_ref().filter(|second| !dark && self.rack.contains_key(&second.airing.deck));
        let airings =
            [cue.front.as_ref(), cue.fade.as_ref().map(|fade| &fade.to), second.map(|second| &second.airing)];
        for airing in airings.into_iter().flatten() {
            if let Some(deck) = self.rack.get_mut(&airing.deck) {
                // Work of its own for the device: a deck that fails takes no other picture with it.
                let mut encoder = gpu.device.create_command_encoder(&Default::default());
                deck.encode(&self.workshop, &mut encoder, &cue.heard, &airing.hooks, cue.dt);
                gpu.queue.submit([encoder.finish()]);
            }
        }
        let mut encoder = gpu.device.create_command_encoder(&Default::default());
        let output = |airing: Option<&Airing>| {
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
        let sampler = self.workshop.sampler(Filter::Linear, Address::Clamp);
        let finished = self.limiter.as_ref().map_or(&self.picture_view, FlashPass::candidate).clone();
        let mixed = self.chain.source(&work, &finished);
        self.mixer.draw(gpu, &mut encoder, sampler, &[front, incoming], mixed, &uniforms);
        self.chain.draw(&self.workshop, &mut encoder, &work, &finished);
        if let Some(limiter) = &mut self.limiter {
            let picture = (&self.picture, &self.picture_view);
            limiter.draw(gpu, &mut encoder, sampler, picture, cue.dt as f32);
        }
        gpu.queue.submit([encoder.finish()]);
    }

    /// Waits until the device has drawn everything; for headless tools, never for the render thread.
    pub fn finish(&self) {
        // Device errors are noted by their own callback.
        self.workshop.gpu.device.poll(wgpu::PollType::wait_indefinitely()).ok();
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
        readback::read(&self.workshop.gpu, &self.picture)
    }
}
