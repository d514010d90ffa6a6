//! What the last six seconds were like, as numbers that do not depend on the level.

use super::super::filterbank::Filterbank;
use super::super::onset::Onset;
use super::super::spectral::Shape;

/// Hops in view, 6 s.
pub const VIEW: usize = 600;
/// Edges of the ranges whose levels are compared, in Hz; nothing above 9 kHz, which many sources lack.
const EDGES_HZ: [f32; 11] =
    [30.0, 75.0, 150.0, 300.0, 500.0, 850.0, 1_400.0, 2_300.0, 3_800.0, 6_000.0, 9_000.0];
const RANGES: usize = EDGES_HZ.len() - 1;
/// Rates at which envelopes are searched for movement, in Hz.
const RATES_HZ: [f32; 9] = [0.5, 0.8, 1.2, 1.8, 2.7, 4.0, 6.0, 9.0, 13.0];
/// Numbers per hop: the ranges, the level, three onset strengths, centroid, flatness.
const TRACKS: usize = RANGES + 6;
/// Quietest level told apart, dB below the reference.
const FLOOR_DB: f32 = -60.0;

/// Numbers in a summary.
pub const SIZE: usize = 2 * RANGES + 9 + 3 + 4 + 3 * RATES_HZ.len() + PULSE;
/// Numbers about the pulse, which the beat tracker adds.
pub const PULSE: usize = 4;

/// What the beat tracker knows, for the summary.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Pulse {
    /// How far the best tempo stands out from chance.
    pub z: f32,
    /// Tempo of that, octaves over 120 BPM.
    pub octaves: f32,
    /// The same distance for kicks alone.
    pub kick_z: f32,
    /// And for snares and claps alone, at half that tempo.
    pub snare_z: f32,
}

/// The last seconds, hop by hop.
pub struct Summary {
    ranges: [std::ops::Range<usize>; RANGES],
    ring: Vec<[f32; TRACKS]>,
    at: usize,
    heard: usize,
    waves: Vec<[f32; 2]>,
}

impl Summary {
    /// Nothing seen yet, over the bands of `bank`.
    pub fn new(bank: &Filterbank) -> Self {
        let wave = |rate: f32, hop: usize| {
            let turn = std::f32::consts::TAU * rate * hop as f32 * 0.01;
            let window = (std::f32::consts::PI * (hop as f32 + 0.5) / VIEW as f32).sin();
            [window * turn.cos(), window * turn.sin()]
        };
        Self {
            ranges: std::array::from_fn(|n| bank.within(EDGES_HZ[n], EDGES_HZ[n + 1])),
            ring: vec![[0.0; TRACKS]; VIEW],
            at: 0,
            heard: 0,
            waves: RATES_HZ.iter().flat_map(|&rate| (0..VIEW).map(move |hop| wave(rate, hop))).collect(),
        }
    }

    /// Takes the band powers of a hop, the reference power, its onset and its shape.
    pub fn push(&mut self, bands: &[f32], reference: f32, onset: Onset, shape: Shape) {
        let db = |power: f32| (10.0 * (power / reference + 1e-9).log10()).max(FLOOR_DB);
        let tracks = &mut self.ring[self.at];
        let mut total = 0.0;
        for (track, range) in tracks.iter_mut().zip(&self.ranges) {
            let power: f32 = bands[range.clone()].iter().sum();
            total += power;
            *track = db(power);
        }
        tracks[RANGES..].copy_from_slice(&[
            db(total),
            onset.low,
            onset.mid,
            onset.high,
            shape.centroid,
            shape.flatness,
        ]);
        self.at = (self.at + 1) % VIEW;
        self.heard = (self.heard + 1).min(VIEW);
    }

    /// Whether enough was heard for a summary: two seconds.
    pub fn ready(&self) -> bool {
        self.heard >= VIEW / 3
    }

    fn track(&self, track: usize) -> impl Iterator<Item = f32> + '_ {
        let from = self.at + VIEW - self.heard;
        (0..self.heard).map(move |hop| self.ring[(from + hop) % VIEW][track])
    }

    /// The summary.
    pub fn read(&self, pulse: Pulse) -> [f32; SIZE] {
        let mut out = [0.0; SIZE];
        let mut at = 0;
        let mut put = |value: f32| {
            out[at] = if value.is_finite() { value } else { 0.0 };
            at += 1;
        };
        let moments = |track: usize| {
            let count = self.heard.max(1) as f32;
            let mean = self.track(track).sum::<f32>() / count;
            let spread = (self.track(track).map(|v| (v - mean) * (v - mean)).sum::<f32>() / count).sqrt();
            (mean, spread)
        };
        let (level, level_spread) = moments(RANGES);
        for range in 0..RANGES {
            let (mean, spread) = moments(range);
            put((mean - level) / 10.0);
            put(spread / 5.0);
        }
        for track in RANGES + 1..RANGES + 4 {
            let (mean, spread) = moments(track);
            let peak = self.track(track).fold(0.0, f32::max);
            put((mean + 1e-3).ln());
            put(spread / (mean + 1e-3));
            put(self.track(track).filter(|&v| v > 0.3 * peak).count() as f32 / self.heard as f32 * 10.0);
        }
        let quieter = self.track(RANGES).filter(|&v| v < level - 8.0).count() as f32 / self.heard as f32;
        let louder = self.track(RANGES).filter(|&v| v > level + 4.0).count() as f32 / self.heard as f32;
        put(level_spread / 5.0);
        put(quieter * 4.0);
        put(louder * 4.0);
        for track in RANGES + 4..RANGES + 6 {
            let (mean, spread) = moments(track);
            put(mean * 4.0);
            put(spread * 10.0);
        }
        self.movement(&[RANGES], &mut put);
        self.movement(&[RANGES + 1], &mut put);
        self.movement(&[RANGES + 2, RANGES + 3], &mut put);
        for value in [pulse.z / 3.0, pulse.octaves, pulse.kick_z / 3.0, pulse.snare_z / 3.0] {
            put(value);
        }
        out
    }

    /// How much of a track's movement happens at each rate, as logarithms of shares.
    fn movement(&self, tracks: &[usize], put: &mut impl FnMut(f32)) {
        let mut values = [0.0_f32; VIEW];
        for &track in tracks {
            for (value, next) in values.iter_mut().zip(self.track(track)) {
                *value += next;
            }
        }
        let mean = values[..self.heard].iter().sum::<f32>() / self.heard.max(1) as f32;
        let mut power = [0.0_f32; RATES_HZ.len()];
        for (rate, power) in power.iter_mut().enumerate() {
            let waves = &self.waves[rate * VIEW..(rate + 1) * VIEW];
            let mut sums = [0.0_f32; 2];
            for (value, wave) in values[..self.heard].iter().zip(waves) {
                sums[0] += (value - mean) * wave[0];
                sums[1] += (value - mean) * wave[1];
            }
            *power = sums[0] * sums[0] + sums[1] * sums[1];
        }
        let total: f32 = power.iter().sum::<f32>() + 1e-6;
        for power in power {
            put((power / total + 0.01).ln() / 2.0);
        }
    }
}
