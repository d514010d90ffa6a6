//! Features of one hop: levels in dB, and onsets, fine structure and partials, which do not depend on the
//! input level.

use super::super::RATE_HZ;
use super::super::filterbank::{Filterbank, MAX_BANDS};

/// Edges of the level ranges, in Hz; up to 10 kHz, because many sources contain nothing above that.
const EDGES_HZ: [f32; RANGES + 1] = [30.0, 90.0, 180.0, 400.0, 800.0, 1_600.0, 3_200.0, 6_000.0, 10_000.0];
/// Number of level ranges.
pub const RANGES: usize = 8;
/// Edges of the onset ranges, in Hz: kicks and bass; snares, chords and voices; hats and consonants.
const ONSET_EDGES_HZ: [f32; 4] = [25.0, 130.0, 2_000.0, 10_000.0];
/// Time constant of a band's mean level, in seconds.
const MEMORY_SECS: f32 = 3.0;
/// Hops between the two compared levels of an onset.
const LAG: usize = 2;
/// Frequency ranges of the fine structure, in Hz.
const FINE_HZ: [(f32, f32); FINES] = [(150.0, 1_000.0), (1_000.0, 5_000.0)];
/// Number of fine-structure ranges.
pub const FINES: usize = 2;
/// Fine structure is correlated with that of this many hops earlier; a match indicates a held note or chord.
const HELD_HOPS: usize = 40;
const PAST: usize = HELD_HOPS + 1;
/// Half width of a bin's neighbourhood, as a share of its frequency.
const NEIGHBOURS: f32 = 0.12;
const DT: f32 = 0.01;
/// Number of features per hop.
pub const TRACKS: usize = RANGES + 1 + 3 + 2 * FINES + FINES;
/// Index of the overall level.
pub const LEVEL: usize = RANGES;
/// Index of the first of three onset strengths.
pub const ONSETS: usize = RANGES + 1;
/// Index of the first fine-structure value; each range has its depth and its correlation with an earlier hop.
pub const FINE: usize = ONSETS + 3;
/// Index of the first of the partial prominences, one per range.
pub const PARTIAL: usize = FINE + 2 * FINES;
/// Frequency ranges searched for partials, in Hz.
const PARTIAL_HZ: [(f32, f32); FINES] = [(60.0, 600.0), (600.0, 5_000.0)];
/// Averaging time of partials, in seconds: long enough for noise to average out, short enough for notes to
/// remain.
const PARTIAL_SECS: f32 = 0.4;

/// Extractor of the features of each hop.
pub struct HopFeatures {
    ranges: [std::ops::Range<usize>; RANGES],
    onset_ranges: [std::ops::Range<usize>; 3],
    bins: [std::ops::Range<usize>; FINES],
    mean: [f32; MAX_BANDS],
    past: [[f32; MAX_BANDS]; LAG],
    fine_past: Vec<f32>,
    fine_len: usize,
    logs: Vec<f32>,
    sums: Vec<f32>,
    partial_bins: [std::ops::Range<usize>; FINES],
    slow: Vec<f32>,
    hops: usize,
}

impl HopFeatures {
    /// Builds the extractor for a transform of `size` samples and the bands of `bank`.
    pub fn new(size: usize, bank: &Filterbank) -> Self {
        let bin = |hz: f32| (hz * size as f32 / RATE_HZ as f32).round() as usize;
        let bins = FINE_HZ.map(|(from, to)| bin(from)..bin(to));
        let fine_len = bins.iter().map(ExactSizeIterator::len).sum();
        Self {
            ranges: std::array::from_fn(|n| bank.within(EDGES_HZ[n], EDGES_HZ[n + 1])),
            onset_ranges: std::array::from_fn(|n| bank.within(ONSET_EDGES_HZ[n], ONSET_EDGES_HZ[n + 1])),
            bins,
            mean: [0.0; MAX_BANDS],
            past: [[0.0; MAX_BANDS]; LAG],
            fine_past: vec![0.0; fine_len * PAST],
            fine_len,
            logs: vec![0.0; size / 2 + 1],
            sums: vec![0.0; size / 2 + 2],
            partial_bins: PARTIAL_HZ.map(|(from, to)| bin(from)..bin(to)),
            slow: vec![0.0; size / 2 + 1],
            hops: 0,
        }
    }

    /// Returns the features of a hop from the power of its bins and bands.
    pub fn step(&mut self, power: &[f32], bands: &[f32]) -> [f32; TRACKS] {
        let mut out = [0.0; TRACKS];
        let db = |power: f32| 10.0 * (power + 1e-12).log10();
        let mut total = 0.0;
        for (out, range) in out.iter_mut().zip(&self.ranges) {
            let sum: f32 = bands[range.clone()].iter().sum();
            total += sum;
            *out = db(sum);
        }
        out[LEVEL] = db(total);
        self.onsets(bands, &mut out[ONSETS..ONSETS + 3]);
        self.fine(power, &mut out[FINE..PARTIAL]);
        self.partials(power, &mut out[PARTIAL..]);
        self.hops += 1;
        out
    }

    /// Computes the rise of each band relative to its mean, so that equalisation has no effect. Compares each band
    /// with the loudest of itself and its two neighbours, which suppresses vibrato (Böck and Widmer, DAFx 2013).
    fn onsets(&mut self, bands: &[f32], out: &mut [f32]) {
        let share = (DT / MEMORY_SECS).max(1.0 / (self.hops + 1) as f32);
        let mut most = 0.0_f32;
        for (mean, power) in self.mean.iter_mut().zip(bands) {
            *mean += (power - *mean) * share;
            most = most.max(*mean);
        }
        let mut levels = [0.0; MAX_BANDS];
        for ((level, power), mean) in levels.iter_mut().zip(bands).zip(&self.mean) {
            *level = (1.0 + 3.0 * power / (mean + 1e-4 * most + 1e-12)).ln();
        }
        let before = &self.past[self.hops % LAG];
        if self.hops >= LAG {
            for (out, range) in out.iter_mut().zip(&self.onset_ranges) {
                for band in range.clone() {
                    let below = before[band.saturating_sub(1)];
                    let above = before[(band + 1).min(bands.len() - 1)];
                    *out += (levels[band] - before[band].max(below).max(above)).max(0.0);
                }
                *out /= range.len().max(1) as f32;
            }
        }
        self.past[self.hops % LAG] = levels;
    }

    /// Computes the depth of the fine structure (high for partials, low for noise) and its correlation with
    /// that of [`HELD_HOPS`] hops earlier.
    fn fine(&mut self, power: &[f32], out: &mut [f32]) {
        let all = self.bins[0].start..self.bins[FINES - 1].end;
        let most = power[all.clone()].iter().copied().fold(0.0_f32, f32::max);
        let reach = (all.end as f32 * (1.0 + NEIGHBOURS)) as usize + 2;
        for bin in 0..reach {
            self.logs[bin] = (power[bin] + 1e-5 * most + 1e-12).ln();
            self.sums[bin + 1] = self.sums[bin] + self.logs[bin];
        }
        let at = self.hops % PAST;
        let mut place = 0;
        for (part, bins) in self.bins.iter().enumerate() {
            let from = place;
            let mut square = 0.0;
            for bin in bins.clone() {
                let half = ((bin as f32 * NEIGHBOURS) as usize).max(3);
                let (low, high) = (bin.saturating_sub(half), bin + half + 1);
                let own = self.logs[bin] - (self.sums[high] - self.sums[low]) / (high - low) as f32;
                self.fine_past[at * self.fine_len + place] = own;
                square += own * own;
                place += 1;
            }
            out[part * 2] = (square / bins.len() as f32).sqrt();
            let now = &self.fine_past[at * self.fine_len + from..at * self.fine_len + place];
            let then = ((self.hops + PAST - HELD_HOPS) % PAST) * self.fine_len;
            let then = &self.fine_past[then + from..then + place];
            let (mut both, mut other) = (0.0, 0.0);
            for (now, then) in now.iter().zip(then) {
                both += now * then;
                other += then * then;
            }
            out[part * 2 + 1] = both / (square * other).sqrt().max(1e-6);
        }
    }

    /// Computes the prominence of the strongest lasting partial over its neighbourhood: the natural logarithm
    /// of the power ratio.
    fn partials(&mut self, power: &[f32], out: &mut [f32]) {
        let end = self.partial_bins[FINES - 1].end;
        let reach = (end as f32 * (1.0 + NEIGHBOURS)) as usize + 2;
        let share = (DT / PARTIAL_SECS).max(1.0 / (self.hops + 1) as f32);
        for bin in 0..reach {
            self.slow[bin] += (power[bin] - self.slow[bin]) * share;
            self.sums[bin + 1] = self.sums[bin] + self.slow[bin];
        }
        for (out, bins) in out.iter_mut().zip(&self.partial_bins) {
            let mut most = 1.0_f32;
            for bin in bins.clone() {
                let half = ((bin as f32 * NEIGHBOURS) as usize).max(4);
                let (low, high) = (bin.saturating_sub(half), bin + half + 1);
                // Exclude the partial itself, three bins wide.
                let own = self.sums[bin + 2] - self.sums[bin - 1];
                let around = self.sums[high] - self.sums[low] - own;
                most = most.max(self.slow[bin] * (high - low - 3) as f32 / (around + 1e-12));
            }
            *out = most.ln();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::stft::Stft;
    use super::*;
    use crate::units::Rng;

    /// Returns the features of the last hop of two seconds of audio; `at` maps seconds to samples.
    fn last(at: &mut dyn FnMut(f32) -> f32) -> [f32; TRACKS] {
        let (mut transform, bank) = (Stft::new(2048), Filterbank::new(2048));
        let mut features = HopFeatures::new(2048, &bank);
        let mut out = [0.0; TRACKS];
        for n in 0..88_200 {
            transform.push(at(n as f32 / 44_100.0));
            if n % 441 == 440 {
                let power = transform.power();
                out = features.step(power, bank.apply(power, &mut [0.0; MAX_BANDS]));
            }
        }
        out
    }

    #[test]
    fn a_held_chord_correlates_and_is_prominent_and_noise_is_neither() {
        let chord = last(&mut |t| {
            [220.0, 330.0, 880.0, 1_320.0].iter().map(|hz| (t * hz * std::f32::consts::TAU).sin()).sum()
        });
        let mut rng = Rng::new(1);
        let noise = last(&mut |_| rng.normal() as f32);
        for part in 0..FINES {
            let held = FINE + 2 * part + 1;
            assert!(chord[held] > 0.9 && noise[held].abs() < 0.4, "{} {}", chord[held], noise[held]);
            assert!(chord[PARTIAL + part] > noise[PARTIAL + part] + 1.0, "{chord:?} {noise:?}");
        }
    }
}
