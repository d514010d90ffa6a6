//! Sound at rest: stereo frames in memory, and how loud they are.

use crate::units::{SampleIndex, Seconds};

/// The rate at which analysis and presets hear, in Hz, whatever the source runs at.
pub const HOUSE_RATE_HZ: u32 = 44_100;

/// Quietest level that is told apart from nothing, in dBFS.
pub const FLOOR_DBFS: f32 = -120.0;

/// One moment of sound: left and right, nominally -1 to 1, always finite.
pub type Frame = [f32; 2];

/// A stretch of sound on the audio clock at [`HOUSE_RATE_HZ`]; reused from read to read.
#[derive(Clone, Debug, Default)]
pub struct Block {
    /// Where the first frame sits on the source's clock.
    pub start: SampleIndex,
    /// The sound.
    pub frames: Vec<Frame>,
}

impl Block {
    /// A block with room for `seconds` of sound, so that reading into it allocates nothing.
    pub fn with_room_for(seconds: Seconds) -> Self {
        let frames = (seconds.0.max(0.0) * f64::from(HOUSE_RATE_HZ)).ceil() as usize;
        Self { start: SampleIndex(0), frames: Vec::with_capacity(frames) }
    }

    /// The clock just after the last frame.
    pub fn end(&self) -> SampleIndex {
        SampleIndex(self.start.0 + self.frames.len() as u64)
    }
}

/// A whole piece of sound in memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Pcm {
    /// Frames a second.
    pub rate_hz: u32,
    /// The sound.
    pub frames: Vec<Frame>,
}

impl Pcm {
    /// How long it plays.
    pub fn seconds(&self) -> Seconds {
        SampleIndex(self.frames.len() as u64).at(self.rate_hz)
    }

    /// How loud the whole piece is.
    pub fn level(&self) -> Level {
        Level::of(&self.frames)
    }

    /// The stretch between two moments; empty where the piece does not reach.
    pub fn between(&self, from: Seconds, to: Seconds) -> &[Frame] {
        let index = |at: Seconds| (at.0.max(0.0) * f64::from(self.rate_hz)).round() as usize;
        let end = index(to).min(self.frames.len());
        self.frames.get(index(from).min(end)..end).unwrap_or_default()
    }

    /// The same sound at another rate.
    pub fn at_rate(&self, rate_hz: u32) -> Self {
        let mut resampler = super::Resampler::new(self.rate_hz, rate_hz);
        let mut frames = Vec::with_capacity(resampler.frames_out(self.frames.len()));
        resampler.push(&self.frames, &mut frames);
        resampler.finish(&mut frames);
        Self { rate_hz, frames }
    }
}

/// How loud a stretch of sound is, raw, over both channels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Level {
    /// Root mean square, in dBFS (a full-scale sine is -3).
    pub rms_dbfs: f32,
    /// Largest sample, in dBFS.
    pub peak_dbfs: f32,
}

impl Level {
    /// No sound at all.
    pub const SILENT: Self = Self { rms_dbfs: FLOOR_DBFS, peak_dbfs: FLOOR_DBFS };

    /// Measures `frames`; no frames are silence.
    pub fn of(frames: &[Frame]) -> Self {
        let samples = frames.iter().flatten();
        let square: f64 = samples.clone().map(|&s| f64::from(s) * f64::from(s)).sum();
        let peak = samples.fold(0.0f32, |peak, s| peak.max(s.abs()));
        let mean = square / (2 * frames.len()).max(1) as f64;
        Self { rms_dbfs: dbfs(mean.sqrt() as f32), peak_dbfs: dbfs(peak) }
    }
}

/// An amplitude (1 is full scale) in dBFS, never below [`FLOOR_DBFS`].
pub fn dbfs(amplitude: f32) -> f32 {
    (20.0 * amplitude.abs().max(1e-9).log10()).max(FLOOR_DBFS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_scale_square_is_zero_dbfs_and_nothing_is_the_floor() {
        let square = vec![[1.0, -1.0]; 100];
        assert_eq!(Level::of(&square), Level { rms_dbfs: 0.0, peak_dbfs: 0.0 });
        assert_eq!(Level::of(&[]), Level::SILENT);
    }

    #[test]
    fn between_stays_inside_the_piece() {
        let pcm = Pcm { rate_hz: 10, frames: vec![[0.0; 2]; 25] };
        for (from, to, expected) in
            [(0.0, 1.0, 10), (2.0, 9.0, 5), (7.0, 9.0, 0), (2.0, 1.0, 0), (-3.0, 0.5, 5)]
        {
            assert_eq!(pcm.between(Seconds(from), Seconds(to)).len(), expected, "{from}..{to}");
        }
    }
}
