//! Spectrum of a hop on a logarithmic scale, by band and by pitch class.

use super::RATE_HZ;

/// Number of bands of the analyser's long transform, and of pitch classes.
const BANDS: usize = 33;
const PITCHES: usize = 12;
/// Frequency range of the pitch classes, in Hz.
const PITCH_RANGE_HZ: std::ops::Range<f32> = 180.0..2_500.0;
/// Offset added to the powers, 50 dB below the reference power.
const FLOOR: f32 = 1e-5;

/// Logarithmic powers of a hop, or their sum over several hops.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Spectrum {
    bands: Levels<BANDS>,
    pitches: Levels<PITCHES>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Levels<const COUNT: usize>([f32; COUNT]);

impl<const COUNT: usize> Default for Levels<COUNT> {
    fn default() -> Self {
        Self([0.0; COUNT])
    }
}

impl<const COUNT: usize> Levels<COUNT> {
    fn add(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(sum, level)| *sum += level);
    }

    /// Returns the mean absolute difference, apart from a difference that all levels share.
    fn distance(&self, other: &Self) -> f32 {
        let differences = || self.0.iter().zip(other.0).map(|(a, b)| a - b);
        let shared = differences().sum::<f32>() / COUNT as f32;
        differences().map(|difference| (difference - shared).abs()).sum::<f32>() / COUNT as f32
    }
}

impl Spectrum {
    /// Adds the levels of another spectrum.
    pub fn add(&mut self, other: &Self) {
        self.bands.add(&other.bands);
        self.pitches.add(&other.pitches);
    }

    /// Returns the levels divided by `count`.
    pub fn divided_by(mut self, count: f32) -> Self {
        self.bands.0.iter_mut().chain(&mut self.pitches.0).for_each(|level| *level /= count);
        self
    }

    /// Returns the distance from another spectrum by band and by pitch class, regardless of loudness.
    pub fn distances(&self, other: &Self) -> [f32; 2] {
        [self.bands.distance(&other.bands), self.pitches.distance(&other.pitches)]
    }
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
        for (class, power) in self.classes.iter().zip(&power[self.first..]) {
            spectrum.pitches.0[*class] += power;
        }
        spectrum.bands.0.iter_mut().zip(bands).for_each(|(level, power)| *level = *power);
        for level in spectrum.bands.0.iter_mut().chain(&mut spectrum.pitches.0) {
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
