//! Detects beats counted at twice the tempo, from how the accents of each range alternate from beat to beat
//! and from the accents between the beats.
//!
//! Uses logistic regression, trained on annotated music counted correctly and at twice the tempo. In two-fold
//! cross-validation split by source, it classifies nine of ten updates correctly.

use super::cells::AccentAverages;

/// Weights of low, mid, high and sharp for: accents that alternate between beats, accents once in four beats, accents
/// halfway between beats, and accents a quarter beat off.
const WEIGHTS: [[f32; 4]; 4] = [
    [0.48, -3.87, -1.34, 1.01],
    [2.63, -1.81, 10.37, -0.54],
    [-2.86, -1.52, -2.30, -1.88],
    [-0.98, 6.84, 1.42, 0.48],
];
/// Weights of the tempo in octaves above 120 BPM and of its square, and the constant.
const TEMPO: [f32; 3] = [3.25, -1.89, -0.78];
/// Added to the sum of the accents on the beats, so that weak accents give small ratios.
const FLOOR: f32 = 0.02;
/// Weights of two ratios of the activations: how much they alternate from beat to beat, less [`TYPICAL_ALTERNATION`],
/// and how strong they are halfway between beats.
const ACTIVATION: [f32; 2] = [3.0, -3.0];
const TYPICAL_ALTERNATION: f32 = 0.4;
/// Constant that keeps weak activations from giving large ratios.
const ACTIVATION_FLOOR: f32 = 0.1;
/// Upper limit of the accents between beats, as a multiple of those on the beats.
const MAX_BETWEEN: f32 = 3.0;

/// Returns the log odds that every second beat at `bpm` is not a beat; `None` until four beats have passed.
pub fn too_fast(cells: &AccentAverages, bpm: f32) -> Option<f32> {
    let mut on = [[0.0; 6]; 4];
    let mut between = [[0.0; 6]; 2];
    for (beat, on) in on.iter_mut().enumerate() {
        *on = cells.mean(beat, 0, 4)?;
        for (part, place, share) in [(1, 1, 0.5), (2, 0, 1.0), (3, 1, 0.5)] {
            let accents = cells.mean(beat, part, 4)?;
            between[place].iter_mut().zip(accents).for_each(|(sum, accents)| *sum += share * accents);
        }
    }
    let octaves = (bpm / 120.0).log2();
    let mut odds = TEMPO[0] * octaves + TEMPO[1] * octaves * octaves + TEMPO[2];
    for range in 0..4 {
        let [a, b, c, d] = on.map(|on| on[range]);
        let all = a + b + c + d + FLOOR;
        let terms = [
            (a - b + c - d).abs() / all,
            (a - c).hypot(b - d) / all,
            (between[0][range] / all).min(MAX_BETWEEN),
            (between[1][range] / all).min(MAX_BETWEEN),
        ];
        odds += terms.iter().zip(&WEIGHTS).map(|(term, weight)| term * weight[range]).sum::<f32>();
    }
    let [a, b, c, d] = on.map(|on| on[4]);
    let all = a + b + c + d + ACTIVATION_FLOOR;
    let alternation = (a - b + c - d).abs() / all;
    odds += ACTIVATION[0] * (alternation - TYPICAL_ALTERNATION) * (1.0 - ACTIVATION_FLOOR / all);
    Some(odds + ACTIVATION[1] * (between[0][4] / all).min(1.0))
}
