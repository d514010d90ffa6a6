//! Stereo frames and blocks of them, as delivered by every source.

use crate::units::{SampleIndex, Seconds};

/// Sample rate of all sources, in Hz, whatever the rate of the device or file.
pub const SAMPLE_RATE_HZ: u32 = 44_100;

/// One stereo frame: left and right, nominally -1 to 1, always finite.
pub type Frame = [f32; 2];

/// Consecutive frames on the audio clock at [`SAMPLE_RATE_HZ`]; reused for every read.
#[derive(Clone, Debug, Default)]
pub struct Block {
    /// Position of the first frame on the clock of the source.
    pub start: SampleIndex,
    /// The frames of the block.
    pub frames: Vec<Frame>,
}

impl Block {
    /// Builds a block with capacity for `seconds` of audio to avoid allocation during reads.
    pub fn with_capacity(seconds: Seconds) -> Self {
        let frames = (seconds.0.max(0.0) * f64::from(SAMPLE_RATE_HZ)).ceil() as usize;
        Self { start: SampleIndex(0), frames: Vec::with_capacity(frames) }
    }

    /// Returns the position just after the last frame.
    pub fn end(&self) -> SampleIndex {
        SampleIndex(self.start.0 + self.frames.len() as u64)
    }
}
