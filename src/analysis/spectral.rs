//! The shape of the spectrum: where its weight lies, how noisy it is, and how loud each range is.

use super::features::Bands;
use super::filterbank::Filterbank;
use crate::units::Unipolar;

/// Edges of the four ranges shown to the house, in Hz.
const EDGES_HZ: [f32; 5] = [20.0, 60.0, 250.0, 4_000.0, 20_000.0];
/// A range may be lifted this much over its share of the whole, dB; more would turn leakage into music.
const MOST_LIFT_DB: f32 = 30.0;
/// Range of a band meter, dB below the band's own reference.
const RANGE_DB: f32 = 24.0;
/// How fast a band envelope rises and falls, seconds.
const ENVELOPE_SECS: (f32, f32) = (0.008, 0.12);
/// How fast a band's reference rises and falls, seconds.
const REFERENCE_SECS: (f32, f32) = (0.5, 10.0);

/// The shape at one hop.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Shape {
    /// 0 dark to 1 bright, on a scale of pitch from 60 Hz to 8 kHz.
    pub centroid: f32,
    /// 0 tonal to 1 noise.
    pub flatness: f32,
}

impl Shape {
    /// Measures band powers; silence has no shape.
    pub fn of(bands: &[f32], bank: &Filterbank) -> Self {
        let heard = bank.within(60.0, 8_000.0);
        let (mut weight, mut moment, mut log_sum, mut sum) = (0.0_f32, 0.0_f32, 0.0_f32, 0.0_f32);
        for band in heard.clone() {
            let (power, hz) = (bands[band], bank.centres_hz()[band]);
            let amplitude = power.sqrt();
            weight += amplitude;
            moment += amplitude * (hz / 60.0).log2();
            // Per hertz, so that white noise is flat.
            let density = power / hz + 1e-15;
            log_sum += density.ln();
            sum += density;
        }
        if weight <= 1e-6 {
            return Self::default();
        }
        let count = heard.len() as f32;
        let centroid = moment / weight / (8_000.0_f32 / 60.0).log2();
        Self { centroid, flatness: (log_sum / count).exp() / (sum / count) }
    }
}

/// Envelopes of the four ranges after automatic gain.
pub(super) struct BandMeters {
    dt: f32,
    ranges: [std::ops::Range<usize>; 4],
    reference_db: [f32; 4],
    value: [f32; 4],
    heard: bool,
}

impl BandMeters {
    /// Meters over the bands of `bank`, stepped every `dt` seconds.
    pub fn new(bank: &Filterbank, dt: f32) -> Self {
        let ranges = std::array::from_fn(|n| bank.within(EDGES_HZ[n], EDGES_HZ[n + 1]));
        Self { dt, ranges, reference_db: [-MOST_LIFT_DB; 4], value: [0.0; 4], heard: false }
    }

    /// Takes the band powers of a hop, the reference power and the gate.
    pub fn step(&mut self, bands: &[f32], reference: f32, gate: f32) -> Bands {
        for (n, range) in self.ranges.iter().enumerate() {
            let power: f32 = bands[range.clone()].iter().sum();
            let level = 10.0 * (power / reference + 1e-9).log10();
            let own = &mut self.reference_db[n];
            if gate > 0.0 {
                let time = if level > *own { REFERENCE_SECS.0 } else { REFERENCE_SECS.1 };
                let share = if self.heard { (self.dt / time).min(1.0) } else { 1.0 };
                *own = (*own + (level - *own) * share).max(-MOST_LIFT_DB);
            }
            let target = gate * (0.8 + (level - *own) / RANGE_DB).clamp(0.0, 1.0);
            let time = if target > self.value[n] { ENVELOPE_SECS.0 } else { ENVELOPE_SECS.1 };
            self.value[n] += (target - self.value[n]) * (self.dt / time).min(1.0);
        }
        self.heard |= gate > 0.0;
        let [sub_bass, bass, mid, high] = self.value.map(Unipolar::new);
        Bands { sub_bass, bass, mid, high }
    }
}
