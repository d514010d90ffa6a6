//! Level measurement in dBFS.

use super::frame::Frame;

/// Lowest level reported, in dBFS.
pub const FLOOR_DBFS: f32 = -120.0;

/// Unweighted level of both channels together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Level {
    /// Root mean square, in dBFS (a full-scale sine is -3).
    pub rms_dbfs: f32,
    /// Largest absolute sample, in dBFS.
    pub peak_dbfs: f32,
}

impl Level {
    /// The level of digital silence.
    pub const SILENT: Self = Self { rms_dbfs: FLOOR_DBFS, peak_dbfs: FLOOR_DBFS };

    /// Measures `frames`; an empty slice counts as silence.
    pub fn of(frames: &[Frame]) -> Self {
        let samples = frames.iter().flatten();
        let square: f64 = samples.clone().map(|&s| f64::from(s) * f64::from(s)).sum();
        let peak = samples.fold(0.0f32, |peak, s| peak.max(s.abs()));
        let mean = square / (2 * frames.len()).max(1) as f64;
        Self { rms_dbfs: dbfs(mean.sqrt() as f32), peak_dbfs: dbfs(peak) }
    }
}

/// Converts an amplitude (1 is full scale) to dBFS, at least [`FLOOR_DBFS`].
pub fn dbfs(amplitude: f32) -> f32 {
    (20.0 * amplitude.abs().max(1e-9).log10()).max(FLOOR_DBFS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_scale_square_is_zero_dbfs_and_silence_is_the_floor() {
        let square = vec![[1.0, -1.0]; 100];
        assert_eq!(Level::of(&square), Level { rms_dbfs: 0.0, peak_dbfs: 0.0 });
        assert_eq!(Level::of(&[]), Level::SILENT);
    }
}
