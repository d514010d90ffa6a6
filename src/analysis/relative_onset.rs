//! Onset strength relative to the recent level of each band, for finding the beat in reverberant rooms and noisy
//! crowds.
//!
//! Per-channel energy normalisation (Wang et al., "Trainable frontend for robust and far-field keyword
//! spotting", ICASSP 2017) divides each band by its own running mean. Steady noise, reverberation and missing
//! highs then reduce the contrast only in the bands that they affect, whereas on a fixed scale they also bury
//! the onsets in the other bands.

use super::filterbank::{Filterbank, MAX_BANDS};
use super::onset::{self, Onset};

/// Time constant of the running mean of a band, in seconds: about one beat, so that every beat stands out against the
/// decay of the one before.
const MEAN_SECS: f32 = 0.4;
/// Floor of the running mean as a share of the reference power: 40 dB below the music, where bands contain
/// only leakage.
const FLOOR: f32 = 1e-4;
/// Offset added before taking the root, as a multiple of the mean: flattens fluctuations below the mean.
const OFFSET: f32 = 2.0;
/// Number of hops between the current level and the newest hop of the mean that it is compared with.
const LAG: usize = 3;
/// Number of hops in that mean. They span more than the 46 ms window, so that fluctuations of several decibels between
/// hops of a reverberant tail average out.
const SPAN: usize = 6;
const PAST: usize = LAG + SPAN - 1;
/// Number of hops before the first result, so that the running means cover more than the partly filled
/// windows at the start.
const START_HOPS: usize = 20;

/// Detector that computes relative onset strength from band powers.
pub(super) struct RelativeOnsets {
    ranges: [std::ops::Range<usize>; 3],
    /// Smoothing factor of the running mean, per hop.
    share: f32,
    mean: [f32; MAX_BANDS],
    /// Normalised levels of the last hops; the oldest is at `at`.
    past: [[f32; MAX_BANDS]; PAST],
    at: usize,
    hops: usize,
}

impl RelativeOnsets {
    /// Builds a detector over the bands of `bank`, stepped every `dt` seconds.
    pub fn new(bank: &Filterbank, dt: f32) -> Self {
        Self {
            ranges: onset::ranges(bank),
            share: 1.0 - (-dt / MEAN_SECS).exp(),
            mean: [0.0; MAX_BANDS],
            past: [[0.0; MAX_BANDS]; PAST],
            at: 0,
            hops: 0,
        }
    }

    /// Returns the onset strength from the band powers of a hop, the reference power and the gate.
    pub fn step(&mut self, bands: &[f32], reference: f32, gate: f32) -> Onset {
        let mut levels = [0.0; MAX_BANDS];
        // The mean is a plain average until the hops span the time constant.
        let share = self.share.max(1.0 / (self.hops + 1) as f32);
        let mut rises = [0.0; MAX_BANDS];
        for (band, power) in bands.iter().enumerate() {
            let power = power / reference;
            let mean = &mut self.mean[band];
            // In silence, the mean is frozen.
            *mean += (power - *mean) * share * gate;
            levels[band] = (power / (FLOOR + *mean) + OFFSET).sqrt().sqrt();
            let before: f32 = (0..SPAN).map(|n| self.past[(self.at + n) % PAST][band]).sum();
            rises[band] = (levels[band] - before / SPAN as f32).max(0.0);
        }
        self.past[self.at] = levels;
        self.at = (self.at + 1) % PAST;
        self.hops += 1;
        if self.hops <= START_HOPS {
            return Onset::default();
        }
        let [low, mid, high] = std::array::from_fn(|n| {
            let range = &self.ranges[n];
            gate * rises[range.clone()].iter().sum::<f32>() / range.len().max(1) as f32
        });
        Onset { low, mid, high }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::onset::OnsetDetector;
    use crate::units::Rng;

    /// Returns the contrast (mean strength at onsets divided by that of all hops) on the fixed and on the relative
    /// scale. The signal has an onset in all bands every 50 hops, in fluctuating noise of mean power `crowd`, and is
    /// multiplied by `level`.
    fn contrast(level: f32, crowd: f32) -> (f32, f32) {
        let bank = Filterbank::new(2048);
        let (mut fixed, mut relative) = (OnsetDetector::new(&bank), RelativeOnsets::new(&bank, 0.01));
        let mut rng = Rng::new(7);
        let (mut beats, mut all, mut power) = ([0.0; 2], [1e-6; 2], 0.0);
        for hop in 0..1_000 {
            power = if hop % 50 < 2 { 0.1 } else { power * 0.8 };
            let noise = -(1.0 - rng.unit_f32()).max(1e-3).ln();
            let bands: Vec<f32> = (0..bank.len()).map(|_| level * (power + crowd * noise)).collect();
            let strengths = [fixed.step(&bands, level, 1.0).all(), relative.step(&bands, level, 1.0).all()];
            if hop >= 200 {
                for n in 0..2 {
                    all[n] += strengths[n] / 800.0;
                    beats[n] += if hop % 50 < 3 { strengths[n] / 48.0 } else { 0.0 };
                }
            }
        }
        (beats[0] / all[0], beats[1] / all[1])
    }

    #[test]
    fn onsets_stand_out_in_noise_and_at_any_level() {
        let (fixed, relative) = contrast(1.0, 0.01);
        assert!(relative > 1.2 * fixed, "{relative} {fixed}");
        let (_, quiet) = contrast(1e-4, 0.01);
        assert!((quiet / relative - 1.0).abs() < 0.01, "{quiet} {relative}");
    }
}
