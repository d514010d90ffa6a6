//! What one hop is like: levels, onsets and the fine structure of the spectrum, none of which depend on the level.

use super::super::RATE_HZ;
use super::super::filterbank::{Filterbank, MOST_BANDS};

/// Edges of the ranges whose levels are followed, in Hz; nothing above 10 kHz, which many sources lack.
const EDGES_HZ: [f32; RANGES + 1] = [30.0, 90.0, 180.0, 400.0, 800.0, 1_600.0, 3_200.0, 6_000.0, 10_000.0];
/// Ranges of level.
pub const RANGES: usize = 8;
/// Ranges of onsets: kicks and bass; snares, chords, voices; hats and consonants.
const ONSET_EDGES_HZ: [f32; 4] = [25.0, 130.0, 2_000.0, 10_000.0];
/// How long a band's own mean level is remembered, seconds.
const MEMORY_SECS: f32 = 3.0;
/// Hops between the two levels that an onset compares.
const LAG: usize = 2;
/// Parts of the spectrum whose fine structure is followed, in Hz.
const FINE_HZ: [(f32, f32); FINES] = [(150.0, 1_000.0), (1_000.0, 5_000.0)];
/// How many those are.
pub const FINES: usize = 2;
/// Fine structure is compared with that of so many hops before: what is alike then is a held note or chord.
const HELD_HOPS: usize = 40;
const PAST: usize = HELD_HOPS + 1;
/// Half width of the neighbourhood a bin is compared with, as a share of its frequency.
const NEIGHBOURS: f32 = 0.12;
const DT: f32 = 0.01;
/// Numbers of a hop.
pub const TRACKS: usize = RANGES + 1 + 3 + 2 * FINES + FINES;
/// Where the level of everything stands among them.
pub const LEVEL: usize = RANGES;
/// Where the three onset strengths begin.
pub const ONSETS: usize = RANGES + 1;
/// Where the fine structure begins: for each part its depth and how much of it was there before.
pub const FINE: usize = ONSETS + 3;
/// Where it stands how far the strongest held partial of each part stands out.
pub const PARTIAL: usize = FINE + 2 * FINES;
/// Parts of the spectrum in which partials are looked for, in Hz.
const PARTIAL_HZ: [(f32, f32); FINES] = [(60.0, 600.0), (600.0, 5_000.0)];
/// How long a partial is listened to, seconds: noise levels out in that time, notes do not.
const PARTIAL_SECS: f32 = 0.4;

/// Follows the sound hop by hop.
pub struct Traits {
    ranges: [std::ops::Range<usize>; RANGES],
    onset_ranges: [std::ops::Range<usize>; 3],
    bins: [std::ops::Range<usize>; FINES],
    mean: [f32; MOST_BANDS],
    past: [[f32; MOST_BANDS]; LAG],
    fine_past: Vec<f32>,
    fine_len: usize,
    logs: Vec<f32>,
    sums: Vec<f32>,
    partial_bins: [std::ops::Range<usize>; FINES],
    slow: Vec<f32>,
    hops: usize,
}

impl Traits {
    /// Nothing heard yet, over a transform of `size` samples and the bands of `bank`.
    pub fn new(size: usize, bank: &Filterbank) -> Self {
        let bin = |hz: f32| (hz * size as f32 / RATE_HZ as f32).round() as usize;
        let bins = FINE_HZ.map(|(from, to)| bin(from)..bin(to));
        let fine_len = bins.iter().map(ExactSizeIterator::len).sum();
        Self {
            ranges: std::array::from_fn(|n| bank.within(EDGES_HZ[n], EDGES_HZ[n + 1])),
            onset_ranges: std::array::from_fn(|n| bank.within(ONSET_EDGES_HZ[n], ONSET_EDGES_HZ[n + 1])),
            bins,
            mean: [0.0; MOST_BANDS],
            past: [[0.0; MOST_BANDS]; LAG],
            fine_past: vec![0.0; fine_len * PAST],
            fine_len,
            logs: vec![0.0; size / 2 + 1],
            sums: vec![0.0; size / 2 + 2],
            partial_bins: PARTIAL_HZ.map(|(from, to)| bin(from)..bin(to)),
            slow: vec![0.0; size / 2 + 1],
            hops: 0,
        }
    }

    /// Takes the power of every bin and band of a hop.
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

    /// How much louder the bands became, each against its own mean, so that an equaliser changes nothing; the
    /// loudest neighbour before counts, so that vibrato is no onset (Böck and Widmer, DAFx 2013).
    fn onsets(&mut self, bands: &[f32], out: &mut [f32]) {
        let share = (DT / MEMORY_SECS).max(1.0 / (self.hops + 1) as f32);
        let mut most = 0.0_f32;
        for (mean, power) in self.mean.iter_mut().zip(bands) {
            *mean += (power - *mean) * share;
            most = most.max(*mean);
        }
        let mut levels = [0.0; MOST_BANDS];
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

    /// How deep the fine structure is (partials stand out, noise does not), and how much of it was there before.
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

    /// How far the strongest partial that lasts stands out of its neighbourhood, nepers.
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
                // The partial itself, three bins wide, is no part of its neighbourhood.
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

    /// The traits of the last hop of two seconds of sound.
    fn last(at: &mut dyn FnMut(f32) -> f32) -> [f32; TRACKS] {
        let (mut transform, bank) = (Stft::new(2048), Filterbank::new(2048));
        let mut traits = Traits::new(2048, &bank);
        let mut out = [0.0; TRACKS];
        for n in 0..88_200 {
            transform.push(at(n as f32 / 44_100.0));
            if n % 441 == 440 {
                let power = transform.power();
                out = traits.step(power, bank.apply(power, &mut [0.0; MOST_BANDS]));
            }
        }
        out
    }

    #[test]
    fn a_held_chord_stays_and_stands_out_noise_does_neither() {
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
