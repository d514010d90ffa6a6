//! Audio and features of a show without a window, split into one block per video frame.

use std::path::Path;

use anyhow::Context as _;

use crate::analysis::{Analyser, Features};
use crate::audio::{self, Pcm, SAMPLE_RATE_HZ};

/// The audio of a performance and its features, frame by frame.
pub(super) struct PerformanceAudio<'a> {
    sound: &'a Pcm,
    fps: u64,
    analyser: Analyser,
}

impl<'a> PerformanceAudio<'a> {
    /// Splits `sound` into `fps` blocks per second, one for each video frame.
    pub fn new(sound: &'a Pcm, fps: u32) -> Self {
        Self { sound, fps: u64::from(fps.max(1)), analyser: Analyser::new() }
    }

    /// Returns the number of video frames in `seconds`, rounded.
    pub fn frames(&self, seconds: f64) -> u64 {
        (seconds * self.fps as f64).round() as u64
    }

    /// Returns the audio for the frame with this number, counted from 0; empty after the end of the audio.
    pub fn block(&self, frame: u64) -> &'a [[f32; 2]] {
        let end = self.sound.frames.len();
        let sample = |frame: u64| (frame * u64::from(SAMPLE_RATE_HZ) / self.fps) as usize;
        &self.sound.frames[sample(frame).min(end)..sample(frame + 1).min(end)]
    }

    /// Analyses the next frame; frames must be passed in order. Returns the time since the previous frame, in
    /// seconds (0 for the first), and the features.
    pub fn analyse(&mut self, frame: u64) -> (f64, Features) {
        let dt = if frame == 0 { 0.0 } else { 1.0 / self.fps as f64 };
        self.analyser.push(self.block(frame));
        (dt, *self.analyser.features())
    }
}

/// Loads the first `seconds` of the audio file `name`. If `name` is `demo`, loads the demo track instead, starting at
/// its highlight if `seconds` is less than 60.
pub(super) fn performed_sound(name: &str, seconds: f64) -> anyhow::Result<Pcm> {
    let frames = (seconds * f64::from(SAMPLE_RATE_HZ)).ceil() as usize;
    let mut sound = if name == "demo" {
        let mut sound = audio::demo::render(SAMPLE_RATE_HZ);
        if seconds < 60.0 {
            let start = (audio::demo::HIGHLIGHT.0 * f64::from(SAMPLE_RATE_HZ)) as usize;
            sound.frames.drain(..start.min(sound.frames.len()));
        }
        sound
    } else {
        let pcm = audio::decode(Path::new(name)).with_context(|| format!("opening the audio file {name}"))?;
        Pcm { rate_hz: SAMPLE_RATE_HZ, frames: pcm.at_rate(SAMPLE_RATE_HZ).frames }
    };
    sound.frames.truncate(frames);
    Ok(sound)
}
