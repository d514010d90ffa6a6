//! Spectral shape: centroid, flatness and the level of each range.

use super::features::Bands;
use super::filterbank::Filterbank;
use crate::units::Unipolar;

/// Edges of the four ranges in [`Bands`], in Hz.
const EDGES_HZ: [f32; 5] = [20.0, 60.0, 250.0, 4_000.0, 20_000.0];
/// Maximum gain of a range relative to the whole, in dB; more would amplify leakage.
const MAX_GAIN_DB: f32 = 30.0;
/// Range of a band meter from 0 to 1, in dB; the band's reference level reads 0.8.
const RANGE_DB: f32 = 24.0;
/// Rise and fall time constants of a band envelope, in seconds.
const ENVELOPE_SECS: (f32, f32) = (0.008, 0.12);
/// Rise and fall time constants of a band's reference level, in seconds.
const REFERENCE_SECS: (f32, f32) = (0.5, 10.0);

/// Spectral shape at one hop.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct SpectralShape {
    /// 0 dark to 1 bright, on a logarithmic scale from 60 Hz to 8 kHz.
    pub centroid: f32,
    /// 0 tonal to 1 noise.
    pub flatness: f32,
}

impl SpectralShape {
    /// Returns the spectral shape of `bands`, which are the powers of the bands of `bank`; zeros for silence.
    pub fn of(bands: &[f32], bank: &Filterbank) -> Self {
        let range = bank.within(60.0, 8_000.0);
        let (mut weight, mut moment, mut log_sum, mut sum) = (0.0_f32, 0.0_f32, 0.0_f32, 0.0_f32);
        for band in range.clone() {
            let (power, hz) = (bands[band], bank.centres_hz()[band]);
            let amplitude = power.sqrt();
            weight += amplitude;
            moment += amplitude * (hz / 60.0).log2();
            // Power per hertz, so that white noise is flat.
            let density = power / hz + 1e-15;
            log_sum += density.ln();
            sum += density;
        }
        if weight <= 1e-6 {
            return Self::default();
        }
        let count = range.len() as f32;
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
    started: bool,
}

impl BandMeters {
    /// Builds meters over the bands of `bank`, stepped every `dt` seconds.
    pub fn new(bank: &Filterbank, dt: f32) -> Self {
        let ranges = std::array::from_fn(|n| bank.within(EDGES_HZ[n], EDGES_HZ[n + 1]));
        Self { dt, ranges, reference_db: [-MAX_GAIN_DB; 4], value: [0.0; 4], started: false }
    }

    /// Returns the envelopes from the band powers of a hop, the reference power and the gate.
    pub fn step(&mut self, bands: &[f32], reference: f32, gate: f32) -> Bands {
        for (n, range) in self.ranges.iter().enumerate() {
            let power: f32 = bands[range.clone()].iter().sum();
            let level = 10.0 * (power / reference + 1e-9).log10();
            let own = &mut self.reference_db[n];
            if gate > 0.0 {
                let time = if level > *own { REFERENCE_SECS.0 } else { REFERENCE_SECS.1 };
                let share = if self.started { (self.dt / time).min(1.0) } else { 1.0 };
                *own = (*own + (level - *own) * share).max(-MAX_GAIN_DB);
            }
            let target = gate * (0.8 + (level - *own) / RANGE_DB).clamp(0.0, 1.0);
            let time = if target > self.value[n] { ENVELOPE_SECS.0 } else { ENVELOPE_SECS.1 };
            self.value[n] += (target - self.value[n]) * (self.dt / time).min(1.0);
        }
        self.started |= gate > 0.0;
        let [sub_bass, bass, mid, high] = self.value.map(Unipolar::new);
        Bands { sub_bass, bass, mid, high }
    }
}
