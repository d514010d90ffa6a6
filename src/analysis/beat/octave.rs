//! Whether the beats are counted twice too fast: how the accents of each range alternate from beat to beat, and what
//! lies between them.
//!
//! A logistic regression over the cells of annotated music, counted right and counted twice as fast; of two halves
//! of that music by source, each fitted without the other, it tells nine looks in ten.

use super::cells::{Cells, Ranges};

/// Weights of low, middle, high and sharp: for accents that alternate from beat to beat, that come once in four
/// beats, that lie half way between beats, and a quarter away from them.
const WEIGHTS: [Ranges; 4] = [
    [0.48, -3.87, -1.34, 1.01],
    [2.63, -1.81, 10.37, -0.54],
    [-2.86, -1.52, -2.30, -1.88],
    [-0.98, 6.84, 1.42, 0.48],
];
/// Weights of the tempo in octaves over 120 BPM and of its square, and the constant.
const TEMPO: [f32; 3] = [3.25, -1.89, -0.78];
/// Softens ratios of what is hardly there.
const LEAST: f32 = 0.02;
/// Most that is counted between beats, as a share of what lies on them.
const MOST: f32 = 3.0;

/// Log odds that every second beat at `bpm` is none; `None` before four beats were passed.
pub fn too_fast(cells: &Cells, bpm: f32) -> Option<f32> {
    let mut on = [[0.0; 4]; 4];
    let mut between = [[0.0; 4]; 2];
    for (beat, on) in on.iter_mut().enumerate() {
        *on = cells.mean(beat, 0, 4)?;
        for (part, place, share) in [(1, 1, 0.5), (2, 0, 1.0), (3, 1, 0.5)] {
            let there = cells.mean(beat, part, 4)?;
            between[place].iter_mut().zip(there).for_each(|(sum, there)| *sum += share * there);
        }
    }
    let octaves = (bpm / 120.0).log2();
    let mut odds = TEMPO[0] * octaves + TEMPO[1] * octaves * octaves + TEMPO[2];
    for range in 0..4 {
        let [a, b, c, d] = on.map(|on| on[range]);
        let all = a + b + c + d + LEAST;
        let terms = [
            (a - b + c - d).abs() / all,
            (a - c).hypot(b - d) / all,
            (between[0][range] / all).min(MOST),
            (between[1][range] / all).min(MOST),
        ];
        odds += terms.iter().zip(&WEIGHTS).map(|(term, weight)| term * weight[range]).sum::<f32>();
    }
    Some(odds)
}
