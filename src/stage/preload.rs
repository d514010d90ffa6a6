//! Draws everything that a show needs, except its presets, once before the show starts.
//!
//! A software rasteriser compiles a shader when something is first drawn with it, which would stall the show
//! for up to a few seconds. The driver caches the compiled code on disk.

use std::sync::Arc;

use super::cue::{Cue, DeckId, Fade, FadeStyle, FusedDeck, OnAirDeck, OutputMode};
use super::deck::Deck;
use super::error::StageError;
use super::post::Post;
use super::renderer::{Stage, StageOptions};
use super::settings::DeckSettings;
use crate::layers::{LayerContent, LayerFiles, LayerOnAir};
use crate::milk::{Modulation, PresetAudio, Program};
use crate::units::Unipolar;

/// A preset that uses only the built-in passes.
const PRESET: &[u8] = b"[preset00]\nfDecay=0.98\nbMotionVectorsOn=0\nnWaveMode=0\n";
/// Frame rate of the frames drawn while preloading, in Hz.
const FPS: f64 = 60.0;
/// All post effects at once.
const EFFECTS: Post = Post {
    echo: 0.5,
    detail: 0.5,
    glint: 0.5,
    glow: 0.5,
    hue: 0.1,
    saturation: 0.5,
    split: 0.5,
    fold: 0.5,
    zoom: 0.1,
};

impl Stage {
    /// Compiles the shaders of the mixer, post effects, flash limiter, layers and built-in passes, if the device is a
    /// software rasteriser. The stage must be new. Blocks until the device is done; not for the render thread.
    ///
    /// # Errors
    /// Returns an error if the device reports one or does not finish in time.
    pub fn preload(&mut self) -> Result<(), StageError> {
        if !self.render_context().gpu.software() {
            return Ok(());
        }
        let StageOptions { limiter, meter, layer_threads } = self.options();
        let drawn = self.draw_everything();
        self.clear();
        self.use_layer_threads(layer_threads);
        self.measure_picture(meter);
        self.limit_flashes(limiter);
        // Makes the picture black again and clears the trails of the effects.
        self.draw(&cue(None));
        let waited = self.render_context().gpu.wait();
        drawn.and(waited)
    }

    /// Draws decks, a crossfade, all effects, and layers of every kind.
    fn draw_everything(&mut self) -> Result<(), StageError> {
        let render_context = self.render_context().clone();
        let settings = DeckSettings { size: self.size(), mesh: [8, 6], fps: FPS };
        let program = Program::compile(PRESET).map_err(|error| StageError::Invalid(error.to_string()))?;
        let on_air = [0, 1, 2].map(|id| OnAirDeck { deck: DeckId(id), modulation: Modulation::default() });
        for deck in &on_air {
            let prepared = Deck::prepare(&render_context, program.clone(), settings, 0)?;
            self.add(deck.deck, Box::new(prepared));
        }
        let [front, to, second] = on_air;
        let mut cue = cue(Some(front));
        self.draw(&cue);
        // As when the show lowers the size of the decks.
        self.set_scale(0.5);
        self.draw(&cue);
        self.set_scale(1.0);
        self.measure(DeckId(0));
        cue.fade = Some(Fade { to, progress: Unipolar::HALF, style: FadeStyle::Mix });
        self.draw(&cue);
        cue.second = Some(FusedDeck { on_air: second, share: Unipolar::HALF });
        cue.post = EFFECTS;
        let files = LayerFiles::of_every_kind();
        cue.layers = on_air_of(&files);
        self.use_layer_threads(false); // So that they are drawn in this frame.
        self.set_layers(Arc::new(files));
        self.draw(&cue);
        render_context.gpu.wait()
    }
}

/// Returns the cue of one frame with the deck `front`, or no deck, on air.
pub(super) fn cue(front: Option<OnAirDeck>) -> Cue {
    Cue {
        dt: 1.0 / FPS,
        fps: FPS,
        audio: PresetAudio::default().into(),
        front,
        fade: None,
        second: None,
        post: Post::default(),
        layers: Vec::new(),
        output_mode: OutputMode::Open,
    }
}

/// Returns all sprites in `files`, as layers on air.
fn on_air_of(files: &LayerFiles) -> Vec<LayerOnAir> {
    let [sprites, _] = files.numbers();
    let on_air = |number: u8| LayerOnAir {
        id: u64::from(number),
        age_secs: 0.0,
        seed: 0,
        content: LayerContent::Sprite(number),
    };
    sprites.into_iter().map(on_air).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::layers::{LayerFrame, LayerInput, LayerPlayer};
    use crate::stage::{Gpu, RenderContext};

    #[test]
    fn layers_of_every_kind_are_drawn() {
        let (files, audio) = (Arc::new(LayerFiles::of_every_kind()), PresetAudio::default());
        assert_eq!(files.problems(), [""; 0]);
        let (mut player, mut frame) = (LayerPlayer::default(), LayerFrame::default());
        let input = LayerInput { audio: &audio, fps: FPS, aspect: 16.0 / 9.0 };
        player.step(&files, &on_air_of(&files), &input, &mut frame);
        let kinds: HashSet<_> =
            frame.draws.iter().map(|draw| (draw.blend, draw.tiled, draw.burned)).collect();
        assert_eq!(kinds.len(), 5 * 2 * 2, "blend modes, tiled or not, burned or not");
        assert!(frame.draws.iter().all(|draw| draw.range.len() == 6), "quads");
    }

    #[test]
    fn layers_are_drawn_although_a_live_show_uploads_their_images_on_other_threads() {
        let Some(gpu) = Gpu::for_test() else { return };
        let options = StageOptions { limiter: false, meter: false, layer_threads: true };
        let mut stage = Stage::with(Arc::new(RenderContext::new(gpu, &[])), [64, 36], options);
        stage.draw_everything().expect("drawn");
        let picture = stage.screenshot().expect("a picture");
        assert!(picture.get_pixel(32, 18).0[..3].iter().all(|channel| *channel > 240), "no sprite on top");
    }

    #[test]
    fn everything_is_drawn_without_an_error() {
        let Some(gpu) = Gpu::for_test() else { return };
        let context = Arc::new(RenderContext::new(gpu, &[]));
        let options = StageOptions { limiter: true, meter: true, layer_threads: true };
        let mut stage = Stage::with(context.clone(), [64, 36], options);
        let drawn = context.gpu.checked(|| stage.preload());
        assert_eq!(drawn, Ok(Ok(())));
        assert_eq!((stage.decks().count(), stage.options()), (0, options));
        let picture = stage.screenshot().expect("a picture");
        assert!(picture.pixels().all(|pixel| pixel.0[..3] == [0; 3]), "the picture is not black");
        assert_eq!(EFFECTS.passes(true).count(), 6, "an effect is missing");
    }
}
