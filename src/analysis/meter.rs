//! RMS level, peak and loudness of the raw signal before automatic gain.

use ebur128::{EbuR128, Mode};

use super::RATE_HZ;
use super::features::Level;

/// Number of level readings per loudness measurement, which processes 400 ms of audio each time.
const READS_PER_LOUDNESS: usize = 8;
/// Loudness reported for silence, in LUFS.
pub(super) const SILENT_LUFS: f32 = -120.0;

/// Level meter of the raw input.
pub(super) struct Meter {
    loudness: Option<EbuR128>,
    block: Vec<f32>,
    level: Level,
    square: f32,
    peak: f32,
    count: usize,
    reads: usize,
}

impl Meter {
    /// Builds a meter that is read every `hop` frames.
    pub fn new(hop: usize) -> Self {
        Self {
            loudness: EbuR128::new(2, RATE_HZ, Mode::M).ok(),
            block: Vec::with_capacity(hop * 2),
            level: Level { rms: 0.0, peak: 0.0, loudness_lufs: SILENT_LUFS },
            square: 0.0,
            peak: 0.0,
            count: 0,
            reads: 0,
        }
    }

    /// Adds one frame of finite samples.
    pub fn push(&mut self, frame: [f32; 2]) {
        self.square += frame[0] * frame[0] + frame[1] * frame[1];
        self.peak = self.peak.max(frame[0].abs()).max(frame[1].abs());
        self.count += 2;
        if self.block.len() + 2 <= self.block.capacity() {
            self.block.extend_from_slice(&frame);
        }
    }

    /// Returns the level of the frames since the last call and starts a new block.
    pub fn read(&mut self) -> Level {
        self.level.rms = (self.square / self.count.max(1) as f32).sqrt();
        self.level.peak = self.peak;
        (self.square, self.peak, self.count) = (0.0, 0.0, 0);
        if let Some(loudness) = &mut self.loudness {
            let added = loudness.add_frames_f32(&self.block).is_ok();
            if added && self.reads.is_multiple_of(READS_PER_LOUDNESS) {
                let lufs = loudness.loudness_momentary().unwrap_or(f64::from(SILENT_LUFS)) as f32;
                self.level.loudness_lufs = lufs.max(SILENT_LUFS);
            }
        }
        self.reads += 1;
        self.block.clear();
        self.level
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sine_at_minus_23_dbfs_reads_minus_23_lufs() {
        // EBU Tech 3341: 1 kHz at -23 dBFS on both channels is -23 LUFS.
        let mut meter = Meter::new(441);
        let mut level = Level::default();
        for n in 0..44_100 {
            let sample =
                10.0_f32.powf(-23.0 / 20.0) * (std::f32::consts::TAU * 1000.0 * n as f32 / 44_100.0).sin();
            meter.push([sample; 2]);
            if (n + 1) % 441 == 0 {
                level = meter.read();
            }
        }
        assert!((level.loudness_lufs + 23.0).abs() < 0.2, "{}", level.loudness_lufs);
        assert!((20.0 * level.rms.log10() + 26.0).abs() < 0.2, "{}", level.rms);
    }
}
