//! Spectrum of a hop on a logarithmic scale, by band and by pitch class.

use super::RATE_HZ;

/// Number of bands of the analyser's long transform, and of pitch classes.
const BANDS: usize = 33;
const PITCHES: usize = 12;
/// Frequency range of the pitch classes, in Hz.
const PITCH_RANGE_HZ: std::ops::Range<f32> = 180.0..2_500.0;
/// Offset added to the powers, 50 dB below the reference power.
const FLOOR: f32 = 1e-5;

/// Logarithmic powers of a hop by band and then by pitch class, or their sum over several hops.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Spectrum([f32; BANDS + PITCHES]);

impl Default for Spectrum {
    fn default() -> Self {
        Self([0.0; BANDS + PITCHES])
    }
}

impl Spectrum {
    /// Adds the levels of another spectrum.
    pub fn add(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(sum, level)| *sum += level);
    }

    /// Returns the levels divided by `count`.
    pub fn divided_by(self, count: f32) -> Self {
        Self(self.0.map(|level| level / count))
    }

    /// Returns the distance from another spectrum by band and by pitch class, regardless of loudness.
    pub fn distances(&self, other: &Self) -> [f32; 2] {
        let (a, b) = (self.0.split_at(BANDS), other.0.split_at(BANDS));
        [distance(a.0, b.0), distance(a.1, b.1)]
    }
}

/// Returns the mean absolute difference, after removing the difference that all levels share.
fn distance(a: &[f32], b: &[f32]) -> f32 {
    let differences = || a.iter().zip(b).map(|(a, b)| a - b);
    let shared = differences().sum::<f32>() / a.len() as f32;
    differences().map(|difference| (difference - shared).abs()).sum::<f32>() / a.len() as f32
}

/// Measures spectra.
pub(super) struct SpectrumMeter {
    /// First bin in the frequency range of the pitch classes, and the class of each bin from there on.
    first: usize,
    classes: Vec<usize>,
}

impl SpectrumMeter {
    /// Builds a meter for a transform of `size` samples.
    pub fn new(size: usize) -> Self {
        let hz = |bin: usize| bin as f32 * RATE_HZ as f32 / size as f32;
        let bins = || (0..size / 2).filter(|&bin| PITCH_RANGE_HZ.contains(&hz(bin)));
        let class = |bin| (12.0 * (hz(bin) / 440.0).log2()).round() as i32;
        Self {
            first: bins().next().unwrap_or_default(),
            classes: bins().map(|bin| class(bin).rem_euclid(PITCHES as i32) as usize).collect(),
        }
    }

    /// Returns the spectrum of a hop from the powers of the bins and of the bands, the reference power and the gate.
    pub fn step(&self, power: &[f32], bands: &[f32], reference: f32, gate: f32) -> Spectrum {
        let mut spectrum = Spectrum::default();
        let (levels, pitches) = spectrum.0.split_at_mut(BANDS);
        levels.iter_mut().zip(bands).for_each(|(level, power)| *level = *power);
        for (class, power) in self.classes.iter().zip(&power[self.first..]) {
            pitches[*class] += power;
        }
        for level in &mut spectrum.0 {
            *level = (*level * gate / reference + FLOOR).ln();
        }
        spectrum
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Returns the spectrum of a note of a pitch class, played by an instrument that is `bright` or not.
    pub fn note(class: usize, bright: bool) -> Spectrum {
        let meter = SpectrumMeter::new(2048);
        let (mut power, mut bands) = ([0.0; 1025], [0.01; BANDS]);
        let bin = meter.classes.iter().rposition(|&of| of == class).unwrap();
        power[meter.first + bin] = 0.1;
        bands[if bright { 28 } else { 15 }] = 0.1;
        meter.step(&power, &bands, 1.0, 1.0)
    }

    #[test]
    fn spectra_differ_by_pitch_and_by_sound_but_not_by_loudness() {
        let meter = SpectrumMeter::new(2048);
        let a_sharp = (466.0_f32 * 2048.0 / RATE_HZ as f32).round() as usize;
        assert_eq!(meter.classes[a_sharp - meter.first], 1);
        let (first, same) = (note(0, false), note(0, false));
        assert_eq!(first.distances(&same), [0.0; 2]);
        let [bands, pitches] = first.distances(&note(7, false));
        assert!(bands == 0.0 && pitches > 1.0, "{bands} {pitches}");
        let [bands, pitches] = first.distances(&note(0, true));
        assert!(bands > 0.1 && pitches == 0.0, "{bands} {pitches}");
        let [quiet, loud] = [0.1, 1.0].map(|power| meter.step(&[power; 1025], &[power; BANDS], 1.0, 1.0));
        let [bands, pitches] = quiet.distances(&loud);
        assert!(bands < 1e-3 && pitches < 1e-3, "{bands} {pitches}");
    }
}
