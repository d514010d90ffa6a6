//! Groups FFT bins into quarter-octave bands.

use super::RATE_HZ;

/// Frequency range of the bands, in Hz.
const RANGE_HZ: (f32, f32) = (21.0, 16_000.0);
/// Ratio of a band's upper edge to its lower edge, a quarter octave; a band is at least one bin wide.
const STEP: f32 = 1.189_207;
/// Maximum number of bands.
pub(super) const MAX_BANDS: usize = 48;

/// Quarter-octave bands for one transform size.
pub(super) struct Filterbank {
    /// First bin of each band; the last entry is the end of the last band.
    edges: Vec<usize>,
    centres_hz: Vec<f32>,
}

impl Filterbank {
    /// Builds the bands of a transform of `size` samples at [`RATE_HZ`].
    pub fn new(size: usize) -> Self {
        let bin_hz = RATE_HZ as f32 / size as f32;
        let last = ((RANGE_HZ.1 / bin_hz) as usize).min(size / 2);
        let mut edges = vec![((RANGE_HZ.0 / bin_hz) as usize).max(1)];
        while let Some(&from) = edges.last()
            && from < last
            && edges.len() <= MAX_BANDS
        {
            edges.push(((from as f32 * STEP).round() as usize).max(from + 1).min(last));
        }
        let centre =
            |pair: &[usize]| ((pair[0] as f32) * (pair[1] as f32 - 1.0).max(pair[0] as f32)).sqrt() * bin_hz;
        Self { centres_hz: edges.windows(2).map(centre).collect(), edges }
    }

    /// Returns the number of bands.
    pub fn len(&self) -> usize {
        self.centres_hz.len()
    }

    /// Returns the centre frequency of each band, in Hz.
    pub fn centres_hz(&self) -> &[f32] {
        &self.centres_hz
    }

    /// Writes the power of each band to `levels` and returns the part that was written.
    pub fn apply<'a>(&self, power: &[f32], levels: &'a mut [f32; MAX_BANDS]) -> &'a [f32] {
        for (level, pair) in levels.iter_mut().zip(self.edges.windows(2)) {
            *level = power[pair[0]..pair[1]].iter().sum();
        }
        &levels[..self.len()]
    }

    /// Returns the bands whose centres are at least `from_hz` and below `to_hz`.
    pub fn within(&self, from_hz: f32, to_hz: f32) -> std::ops::Range<usize> {
        let at = |hz: f32| self.centres_hz.partition_point(|&centre| centre < hz);
        at(from_hz)..at(to_hz)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_are_in_order_and_cover_most_bins() {
        for size in [512, 1024, 2048] {
            let bank = Filterbank::new(size);
            assert!(bank.len() < MAX_BANDS, "{} bands", bank.len());
            assert!(bank.centres_hz().is_sorted_by(|a, b| a < b));
            let covered: f32 = bank.apply(&vec![1.0; size / 2 + 1], &mut [0.0; MAX_BANDS]).iter().sum();
            assert!(covered > 0.7 * size as f32 / 2.0, "{covered} bins of {size}");
            assert_eq!(bank.within(0.0, 30_000.0), 0..bank.len());
        }
    }
}
