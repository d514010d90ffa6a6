//! Lines the new waveform up with the last one, so that steady sound stands still on screen.
//!
//! Coarse to fine: the best offset is found on a halved and halved again waveform first, then refined.

use super::{SHOWN, WAVE_SAMPLES};

/// How far a waveform may be shifted.
const ROOM: usize = WAVE_SAMPLES - SHOWN;
/// Levels of halving: `floor(log2(ROOM))`.
const OCTAVES: usize = 6;

/// Remembers the last waveform as it was shown.
pub(super) struct Aligner {
    last: [[f32; WAVE_SAMPLES]; 2],
    weights: Vec<Vec<f32>>,
    /// Room for the halved waveforms, fresh and last.
    halved: [Pyramid; 2],
}

/// A waveform, halved again and again.
type Pyramid = [Vec<f32>; OCTAVES];

impl Aligner {
    pub fn new() -> Self {
        let weights =
            (0..OCTAVES).map(|octave| weights((WAVE_SAMPLES >> octave) - (ROOM >> octave))).collect();
        Self { last: [[0.0; WAVE_SAMPLES]; 2], weights, halved: Default::default() }
    }

    /// Shifts each channel of `fresh` to where it matches the last one best; the end is padded with silence.
    pub fn align(&mut self, fresh: &[[f32; WAVE_SAMPLES]; 2], out: &mut [[f32; WAVE_SAMPLES]; 2]) {
        for channel in 0..2 {
            halve(&fresh[channel], &mut self.halved[0]);
            halve(&self.last[channel], &mut self.halved[1]);
            let offset = self.best_offset();
            out[channel].fill(0.0);
            out[channel][..SHOWN].copy_from_slice(&fresh[channel][offset..offset + SHOWN]);
            self.last[channel] = out[channel];
        }
    }

    fn best_offset(&self) -> usize {
        let [fresh, last] = &self.halved;
        let (mut from, mut to) = (0, ROOM >> (OCTAVES - 1));
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
                to = (best * 2 + 3).min(ROOM >> (octave - 1));
            }
        }
        best
    }
}

/// Fills `levels` with the waveform, each half as fine as the one before.
fn halve(wave: &[f32; WAVE_SAMPLES], levels: &mut Pyramid) {
    levels[0].clear();
    levels[0].extend_from_slice(wave);
    for octave in 1..OCTAVES {
        let (finer, coarser) = levels.split_at_mut(octave);
        let pairs = finer[octave - 1].chunks_exact(2);
        coarser[0].clear();
        coarser[0].extend(pairs.map(|pair| 0.5 * (pair[0] + pair[1])));
    }
}

/// The middle counts fully, the edges not at all.
fn weights(count: usize) -> Vec<f32> {
    (0..count)
        .map(|n| {
            let rising = n as f32 * 2.0 / count as f32;
            let falling = (count - 1 - n) as f32 * 2.0 / count as f32;
            let pyramid = if n < count / 2 { rising } else { falling };
            ((pyramid - 0.8) * 5.0 + 0.8).clamp(0.0, 1.0)
        })
        .collect()
}
