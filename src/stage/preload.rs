//! Draws everything that a show draws besides its presets before the show starts.
//!
//! A software rasteriser compiles a shader when something is first drawn with it, which would stop the show for up to a
//! few seconds. The compiled code goes into a cache on disk.

use std::sync::Arc;

use super::cue::{Cue, DeckId, Fade, FadeStyle, FusedDeck, OnAirDeck, OutputMode};
use super::deck::Deck;
use super::error::StageError;
use super::post::Post;
use super::render_context::RenderContext;
use super::renderer::{Stage, StageOptions};
use super::settings::DeckSettings;
use crate::milk::{Modulation, PresetAudio, Program};
use crate::units::Unipolar;

/// A preset that uses the built-in passes only.
const PRESET: &[u8] = b"[preset00]\nfDecay=0.98\nbMotionVectorsOn=0\nnWaveMode=0\n";
/// Frame rate of the frames.
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
    /// Compiles the mixer, the post effects, the flash limiter and the built-in passes for pictures of `size` pixels, if
    /// the driver compiles only what is drawn. Blocks; not for the render thread.
    ///
    /// # Errors
    /// Returns an error if the device reports one or does not finish in time.
    pub fn preload(
        render_context: &Arc<RenderContext>,
        size: [u32; 2],
        options: StageOptions,
    ) -> Result<(), StageError> {
        if !render_context.gpu.software() {
            return Ok(());
        }
        let mut stage = Self::with(render_context.clone(), size, options);
        let settings = DeckSettings { size, mesh: [8, 6], fps: FPS };
        let program = Program::compile(PRESET).map_err(|error| StageError::Invalid(error.to_string()))?;
        let on_air = [0, 1, 2].map(|id| OnAirDeck { deck: DeckId(id), modulation: Modulation::default() });
        for deck in &on_air {
            let prepared = Deck::prepare(render_context, program.clone(), settings, 0)?;
            stage.add(deck.deck, Box::new(prepared));
        }
        let [front, to, second] = on_air;
        let mut cue = Cue {
            dt: 1.0 / FPS,
            fps: FPS,
            audio: PresetAudio::default(),
            front: Some(front),
            fade: None,
            second: None,
            post: Post::default(),
            layers: Vec::new(),
            output_mode: OutputMode::Open,
        };
        stage.draw(&cue);
        stage.measure(DeckId(0));
        cue.fade = Some(Fade { to, progress: Unipolar::HALF, style: FadeStyle::Mix });
        stage.draw(&cue);
        cue.second = Some(FusedDeck { on_air: second, share: Unipolar::HALF });
        cue.post = EFFECTS;
        stage.draw(&cue);
        render_context.gpu.wait()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::Gpu;

    #[test]
    fn everything_is_drawn_without_an_error() {
        let Some(gpu) = Gpu::for_test() else { return };
        let context = Arc::new(RenderContext::new(gpu, &[]));
        let drawn = context
            .gpu
            .checked(|| Stage::preload(&context, [64, 36], StageOptions { limiter: true, meter: true }));
        assert_eq!(drawn, Ok(Ok(())));
        assert_eq!(EFFECTS.links(true).count(), 6, "an effect is missing");
    }
}
