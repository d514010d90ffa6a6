//! Estimates which of four beats starts the bar by comparing the accents on and between the beats with typical bars.

use super::cells::Ranges;

/// Accents on each of the four beats of a bar, and halfway to the next beat.
pub type BarView = [[Ranges; 2]; 4];

/// Weight of each position in a bar (on the beat, halfway to the next) for the low, mid, high and sharp
/// accents. Fitted to annotated music by conditional logit: each bar against the same bar shifted by one, two
/// and three beats.
const WEIGHTS: [[[f32; 4]; 2]; 4] = [
    [[0.04, -0.04, -0.05, -0.03], [-0.28, -0.36, -0.46, 0.37]],
    [[-0.32, 0.19, 0.07, 0.07], [0.09, -0.12, -0.68, -0.04]],
    [[0.34, -0.34, -0.22, -0.15], [0.09, 0.39, 0.34, -0.28]],
    [[-0.01, 0.19, 0.20, 0.10], [0.07, 0.28, 0.67, -0.15]],
];
/// Weight of a beat's share of the downbeat activations, and the constant that keeps weak activations from giving large
/// shares.
const ACTIVATION_WEIGHT: f32 = 4.0;
const ACTIVATION_FLOOR: f32 = 0.1;
/// Smoothing factor of the evidence, per update.
const SMOOTHING: f32 = 0.05;
/// Added to the mean accent, so that nearly empty bars give little evidence.
const FLOOR: f32 = 0.02;

/// Evidence, for each beat number modulo four, that it is the downbeat.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bar {
    evidence: [f32; 4],
    /// Beat number at which the performer started a bar; valid until the grid changes.
    start: Option<u64>,
}

impl Bar {
    /// Fixes beat `number` as the start of a bar.
    pub fn start_at(&mut self, number: u64) {
        self.start = Some(number);
    }

    /// Returns to automatic detection of the start.
    pub fn release(&mut self) {
        self.start = None;
    }

    /// Updates the evidence with the accents of a bar, indexed by beat number modulo four.
    pub fn update(&mut self, view: &BarView) {
        let mut mean = [FLOOR; 4];
        for place in view.iter().flatten() {
            mean.iter_mut().zip(place).for_each(|(mean, value)| *mean += value / 8.0);
        }
        let mean = mean.iter().sum::<f32>() / 4.0;
        let downbeats: f32 = view.iter().map(|[on, _]| on[5]).sum::<f32>() + ACTIVATION_FLOOR;
        for (first, evidence) in self.evidence.iter_mut().enumerate() {
            let mut score = 0.0;
            for (beat, weights) in WEIGHTS.iter().enumerate() {
                for (place, weights) in view[(first + beat) % 4].iter().zip(weights) {
                    score += place.iter().zip(weights).map(|(value, weights)| value * weights).sum::<f32>();
                }
            }
            let score = score / mean + ACTIVATION_WEIGHT * view[first][0][5] / downbeats;
            *evidence += (score - *evidence) * SMOOTHING;
        }
    }

    /// Returns the number of a beat that starts a bar (as does every fourth beat from there) and the
    /// confidence in it, 0 to 1.
    pub fn downbeat(&self) -> (u64, f32) {
        if let Some(start) = self.start {
            return (start, 1.0);
        }
        let best = (0..4).fold(0, |best, n| if self.evidence[n] > self.evidence[best] { n } else { best });
        // Softmax probability of the best beat, scaled to be 0 if all four are equal.
        let all: f32 = self.evidence.iter().map(|evidence| (evidence - self.evidence[best]).exp()).sum();
        (best as u64, (1.0 / all - 0.25) / 0.75)
    }
}
