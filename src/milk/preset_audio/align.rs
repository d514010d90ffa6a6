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
}

impl Aligner {
    pub fn new() -> Self {
        let weights =
            (0..OCTAVES).map(|octave| weights((WAVE_SAMPLES >> octave) - (ROOM >> octave))).collect();
        Self { last: [[0.0; WAVE_SAMPLES]; 2], weights }
    }

    /// Shifts each channel of `fresh` to where it matches the last one best; the end is padded with silence.
    pub fn align(&mut self, fresh: &[[f32; WAVE_SAMPLES]; 2], out: &mut [[f32; WAVE_SAMPLES]; 2]) {
        for channel in 0..2 {
            let offset = self.best_offset(&fresh[channel], &self.last[channel]);
            out[channel].fill(0.0);
            out[channel][..SHOWN].copy_from_slice(&fresh[channel][offset..offset + SHOWN]);
            self.last[channel] = out[channel];
        }
    }

    fn best_offset(&self, fresh: &[f32; WAVE_SAMPLES], last: &[f32; WAVE_SAMPLES]) -> usize {
        let (fresh, last) = (pyramid(fresh), pyramid(last));
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

/// The waveform, halved `OCTAVES - 1` times.
fn pyramid(wave: &[f32; WAVE_SAMPLES]) -> Vec<Vec<f32>> {
    let mut levels = vec![wave.to_vec()];
    for octave in 1..OCTAVES {
        let finer = &levels[octave - 1];
        levels.push(finer.chunks_exact(2).map(|pair| 0.5 * (pair[0] + pair[1])).collect());
    }
    levels
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
