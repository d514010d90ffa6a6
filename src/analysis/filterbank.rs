//! Groups the bins of a transform into bands of about a quarter octave.

use super::RATE_HZ;

/// Lowest and highest frequency that counts, in Hz.
const REACH_HZ: (f32, f32) = (21.0, 16_000.0);
/// Width of a band as a ratio of its edges, a quarter octave; never narrower than one bin.
const STEP: f32 = 1.189_207;
/// Most bands a bank holds.
pub(super) const MOST_BANDS: usize = 48;

/// The bands of one transform size.
pub(super) struct Filterbank {
    /// First bin of each band; the last entry ends the last band.
    edges: Vec<usize>,
    centres_hz: Vec<f32>,
}

impl Filterbank {
    /// Bands for a transform of `size` samples at the house rate.
    pub fn new(size: usize) -> Self {
        let bin_hz = RATE_HZ as f32 / size as f32;
        let last = ((REACH_HZ.1 / bin_hz) as usize).min(size / 2);
        let mut edges = vec![((REACH_HZ.0 / bin_hz) as usize).max(1)];
        while let Some(&from) = edges.last()
            && from < last
            && edges.len() <= MOST_BANDS
        {
            edges.push(((from as f32 * STEP).round() as usize).max(from + 1).min(last));
        }
        let centre =
            |pair: &[usize]| ((pair[0] as f32) * (pair[1] as f32 - 1.0).max(pair[0] as f32)).sqrt() * bin_hz;
        Self { centres_hz: edges.windows(2).map(centre).collect(), edges }
    }

    /// Number of bands.
    pub fn len(&self) -> usize {
        self.centres_hz.len()
    }

    /// Middle of each band, in Hz.
    pub fn centres_hz(&self) -> &[f32] {
        &self.centres_hz
    }

    /// Power in each band, written to `levels`; returns those that exist.
    pub fn apply<'a>(&self, power: &[f32], levels: &'a mut [f32; MOST_BANDS]) -> &'a [f32] {
        for (level, pair) in levels.iter_mut().zip(self.edges.windows(2)) {
            *level = power[pair[0]..pair[1]].iter().sum();
        }
        &levels[..self.len()]
    }

    /// The bands whose middle lies within a range, in Hz.
    pub fn within(&self, from_hz: f32, to_hz: f32) -> std::ops::Range<usize> {
        let at = |hz: f32| self.centres_hz.partition_point(|&centre| centre < hz);
        at(from_hz)..at(to_hz)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_cover_every_bin_once_and_rise() {
        for size in [512, 1024, 2048] {
            let bank = Filterbank::new(size);
            assert!(bank.len() < MOST_BANDS, "{} bands", bank.len());
            assert!(bank.centres_hz().is_sorted_by(|a, b| a < b));
            let covered: f32 = bank.apply(&vec![1.0; size / 2 + 1], &mut [0.0; MOST_BANDS]).iter().sum();
            assert!(covered > 0.7 * size as f32 / 2.0, "{covered} bins of {size}");
            assert_eq!(bank.within(0.0, 30_000.0), 0..bank.len());
        }
    }
}
