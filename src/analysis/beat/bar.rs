//! Estimates how many beats a bar has and which of them starts it. Bars of four beats are compared with typical bars, by
//! the accents on and between their beats.

use super::cells::Ranges;
use super::metre::{METRES, most_likely};

/// Accents on each beat of a bar of four, and halfway to the next beat.
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
/// Log odds by which another metre must lead, and the consecutive updates for which it must, to replace the current one.
const METRE_LEAD: f32 = 2.0;
const METRE_UPDATES: u32 = 10;

/// The metre, and evidence on which beat is the downbeat.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bar {
    /// Evidence, for each beat number modulo four, that it is the downbeat of a bar of four beats.
    evidence: [f32; 4],
    /// Index of the metre in [`METRES`], and the number of consecutive updates in which another one led.
    metre: usize,
    other_led: u32,
    /// The downbeat of a bar that does not have four beats, and the confidence in it.
    downbeat: (u64, f32),
    /// Beat number at which the performer started a bar; valid until the grid changes.
    start: Option<u64>,
}

impl Bar {
    /// Fixes beat `number` as the start of a bar.
    pub fn start_at(&mut self, number: u64) {
        self.start = Some(number);
    }

    /// Restores the automatic detection of the start.
    pub fn release(&mut self) {
        self.start = None;
    }

    /// Returns whether the performer fixed the start.
    pub fn is_set(&self) -> bool {
        self.start.is_some()
    }

    /// Returns the number of beats in a bar.
    pub fn beats_per_bar(&self) -> u8 {
        METRES[self.metre]
    }

    /// Updates the metre with the log odds of each of [`METRES`]; `downbeat` returns the downbeat of a bar of a given
    /// number of beats, and the confidence in it.
    pub fn update_metre(&mut self, odds: &[f32; METRES.len()], downbeat: impl FnOnce(u8) -> (u64, f32)) {
        let (best, _) = most_likely(odds);
        let leads = odds[best] > odds[self.metre] + METRE_LEAD;
        self.other_led = if leads { self.other_led + 1 } else { 0 };
        if self.other_led >= METRE_UPDATES {
            (self.metre, self.other_led) = (best, 0);
        }
        self.downbeat = downbeat(self.beats_per_bar());
    }

    /// Updates the evidence on bars of four beats with the accents of a bar, indexed by beat number modulo four.
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

    /// Returns the number of a beat that starts a bar (as does every beat a whole number of bars later) and the
    /// confidence in it, 0 to 1.
    pub fn downbeat(&self) -> (u64, f32) {
        if let Some(start) = self.start {
            return (start, 1.0);
        }
        if self.beats_per_bar() != 4 {
            return self.downbeat;
        }
        let (first, confidence) = most_likely(&self.evidence);
        (first as u64, confidence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_metre_changes_only_after_lasting_and_clear_evidence() {
        let mut bar = Bar::default();
        let mut update = |odds: [f32; METRES.len()], times: u32| {
            (0..times).for_each(|_| bar.update_metre(&odds, |metre| (u64::from(metre) - 1, 0.5)));
            (bar.beats_per_bar(), bar.downbeat())
        };
        let (four, three) = ([0.0, -8.0, -9.0, -9.0, -9.0], [0.0, 3.0, -9.0, -9.0, -9.0]);
        assert_eq!(update([0.0, 1.5, -9.0, -9.0, -9.0], 100).0, 4, "too little evidence");
        assert_eq!(update(three, METRE_UPDATES - 1).0, 4);
        assert_eq!(update(four, 1).0, 4);
        assert_eq!(update(three, METRE_UPDATES - 1).0, 4, "not in succession");
        assert_eq!(update(three, 1), (3, (2, 0.5)));
        assert_eq!(update([2.5, 1.0, -9.0, -9.0, -9.0], 100).0, 3, "too little evidence");
        assert_eq!(update(four, METRE_UPDATES).0, 4);
    }
}
