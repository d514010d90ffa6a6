//! Recorded audio in memory.

use super::frame::Frame;
use super::level::Level;
use super::resample::Resampler;
use crate::units::{SampleIndex, Seconds};

/// A recording in memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Pcm {
    /// Sample rate, in Hz.
    pub rate_hz: u32,
    /// The frames of the recording.
    pub frames: Vec<Frame>,
}

impl Pcm {
    /// Returns the duration of the recording.
    pub fn seconds(&self) -> Seconds {
        SampleIndex(self.frames.len() as u64).at(self.rate_hz)
    }

    /// Returns the level of the whole recording.
    pub fn level(&self) -> Level {
        Level::of(&self.frames)
    }

    /// Returns the frames between two times, clipped to the recording.
    pub fn between(&self, from: Seconds, to: Seconds) -> &[Frame] {
        let index = |at: Seconds| (at.0.max(0.0) * f64::from(self.rate_hz)).round() as usize;
        let end = index(to).min(self.frames.len());
        self.frames.get(index(from).min(end)..end).unwrap_or_default()
    }

    /// Returns the recording resampled to another rate.
    pub fn at_rate(&self, rate_hz: u32) -> Self {
        let mut resampler = Resampler::new(self.rate_hz, rate_hz);
        let mut frames = Vec::with_capacity(resampler.frames_out(self.frames.len()));
        resampler.push(&self.frames, &mut frames);
        resampler.finish(&mut frames);
        Self { rate_hz, frames }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn between_is_clipped_to_the_recording() {
        let pcm = Pcm { rate_hz: 10, frames: vec![[0.0; 2]; 25] };
        for (from, to, expected) in
            [(0.0, 1.0, 10), (2.0, 9.0, 5), (7.0, 9.0, 0), (2.0, 1.0, 0), (-3.0, 0.5, 5)]
        {
            assert_eq!(pcm.between(Seconds(from), Seconds(to)).len(), expected, "{from}..{to}");
        }
    }
}
