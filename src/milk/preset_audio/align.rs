//! Aligns each waveform with the previous one, so that a steady sound stands still on screen.
//!
//! The search runs from coarse to fine: the best offset is first found at low resolution, then refined.

use super::sound::{ALIGNED_SAMPLES, WAVE_SAMPLES};

/// Upper bound of the offset (exclusive), in samples.
const MAX_OFFSET: usize = WAVE_SAMPLES - ALIGNED_SAMPLES;
/// Number of resolution levels, `floor(log2(MAX_OFFSET))`.
const OCTAVES: usize = 6;

/// Aligns waveforms with the previous result.
pub(super) struct Aligner {
    last: [[f32; WAVE_SAMPLES]; 2],
    weights: Vec<Vec<f32>>,
    /// The new and the previous waveform at all resolutions; reused to avoid per-frame allocations.
    pyramids: [Pyramid; 2],
}

/// One waveform at [`OCTAVES`] resolutions, the finest first.
type Pyramid = [Vec<f32>; OCTAVES];

impl Aligner {
    pub fn new() -> Self {
        let weights =
            (0..OCTAVES).map(|octave| weights((WAVE_SAMPLES >> octave) - (MAX_OFFSET >> octave))).collect();
        Self { last: [[0.0; WAVE_SAMPLES]; 2], weights, pyramids: Default::default() }
    }

    /// Shifts each channel of `fresh` by the offset that best matches the previous waveform, padding with silence.
    pub fn align(&mut self, fresh: &[[f32; WAVE_SAMPLES]; 2], out: &mut [[f32; WAVE_SAMPLES]; 2]) {
        for channel in 0..2 {
            fill_pyramid(&fresh[channel], &mut self.pyramids[0]);
            fill_pyramid(&self.last[channel], &mut self.pyramids[1]);
            let offset = self.best_offset();
            out[channel].fill(0.0);
            out[channel][..ALIGNED_SAMPLES]
                .copy_from_slice(&fresh[channel][offset..offset + ALIGNED_SAMPLES]);
            self.last[channel] = out[channel];
        }
    }

    fn best_offset(&self) -> usize {
        let [fresh, last] = &self.pyramids;
        let (mut from, mut to) = (0, MAX_OFFSET >> (OCTAVES - 1));
        let mut best = 0;
        for octave in (0..OCTAVES).rev() {
            let error = |offset: usize| -> f32 {
                let pairs = fresh[octave][offset..].iter().zip(&last[octave]);
                pairs.zip(&self.weights[octave]).map(|((a, b), w)| ((a - b) * w).abs()).sum()
            };
            best = from;
            let mut lowest = f32::INFINITY;
            for offset in from..to {
                let error = error(offset);
                if error < lowest {
                    (best, lowest) = (offset, error);
                }
            }
            if octave > 0 {
                from = (best * 2).saturating_sub(1);
                to = (best * 2 + 3).min(MAX_OFFSET >> (octave - 1));
            }
        }
        best
    }
}

/// Fills `levels` with the waveform, each level at half the resolution of the previous one.
fn fill_pyramid(wave: &[f32; WAVE_SAMPLES], levels: &mut Pyramid) {
    levels[0].clear();
    levels[0].extend_from_slice(wave);
    for octave in 1..OCTAVES {
        let (finer, coarser) = levels.split_at_mut(octave);
        let pairs = finer[octave - 1].chunks_exact(2);
        coarser[0].clear();
        coarser[0].extend(pairs.map(|pair| 0.5 * (pair[0] + pair[1])));
    }
}

/// Returns the weight of each sample: 1 in the middle, 0 at the edges.
fn weights(count: usize) -> Vec<f32> {
    (0..count)
        .map(|n| {
            let rising = n as f32 * 2.0 / count as f32;
            let falling = (count - 1 - n) as f32 * 2.0 / count as f32;
            let triangle = if n < count / 2 { rising } else { falling };
            ((triangle - 0.8) * 5.0 + 0.8).clamp(0.0, 1.0)
        })
        .collect()
}
