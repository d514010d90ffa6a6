//! Estimates how many beats a bar has and which of them starts it. In bars of four beats, each beat adds to the log
//! odds of its place, according to how much its signs of a downbeat exceed the mean.

use super::super::spectrum::Spectrum;
use super::drums::Accent;
use super::metre::{METRES, confidence, most_likely};
use super::signs::{BeatSigns, Signs};

/// Log odds of a downbeat for each sign, per multiple of its mean. Fitted to annotated music by conditional logit: each
/// bar against the same bar shifted by one, two and three beats. Weights for the signs of the other three beats did not
/// generalise to music from other sources.
const WEIGHTS: Signs = [1.2, 1.5, 0.3, -0.35];
/// Added to the signs, so that weak ones give little evidence.
const FLOOR: f32 = 0.1;
/// Smoothing factor of the mean signs, and factor by which evidence decays, per beat.
const SMOOTHING: f32 = 0.05;
const KEEP: f32 = 0.97;
/// Log odds by which another downbeat must lead to replace the current one.
const LEAD: f32 = 0.3;
/// Log odds by which another metre must lead, and the consecutive updates for which it must, to replace the current one.
const METRE_LEAD: f32 = 2.0;
const METRE_UPDATES: u32 = 10;

/// The metre, and evidence on which beat is the downbeat.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bar {
    signs: BeatSigns,
    /// Mean signs of all beats; `None` before the first one.
    mean: Option<Signs>,
    /// Log odds, for each beat number modulo four, that it is the downbeat of a bar of four beats, and the current
    /// downbeat.
    evidence: [f32; 4],
    first: usize,
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

    /// Updates the evidence on bars of four beats with a hop `beats` beats after beat 0.
    pub fn step(&mut self, beats: f64, accent: &Accent, spectrum: &Spectrum) {
        let Some((number, signs)) = self.signs.push(beats, accent, spectrum) else { return };
        self.evidence.iter_mut().for_each(|evidence| *evidence *= KEEP);
        let evidence = &mut self.evidence[number.rem_euclid(4) as usize];
        let mean = self.mean.get_or_insert(signs);
        for ((sign, mean), weight) in signs.into_iter().zip(mean).zip(WEIGHTS) {
            *mean += (sign - *mean) * SMOOTHING;
            *evidence += weight * ((sign + FLOOR) / (*mean + FLOOR) - 1.0);
        }
        let (best, _) = most_likely(&self.evidence);
        if self.evidence[best] > self.evidence[self.first] + LEAD {
            self.first = best;
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
        (self.first as u64, confidence(&self.evidence, self.first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::spectrum::tests::note;

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

    #[test]
    fn bars_start_where_the_sound_changes_and_move_when_the_music_does() {
        let mut bar = Bar::default();
        let mut play = |beats: std::ops::Range<usize>, first: usize| {
            for hop in beats.start * 40..beats.end * 40 {
                let (beat, on) = (hop / 40, hop % 40 == 0);
                let accent = Accent { low: if on { 0.8 } else { 0.0 }, ..Accent::default() };
                bar.step(hop as f64 / 40.0, &accent, &note((beat + 4 - first) / 4 * 5 % 12, false));
            }
            bar.downbeat()
        };
        let (first, confidence) = play(0..16, 3);
        assert!(first == 3 && confidence > 0.8, "{first} {confidence}");
        let (first, _) = play(16..20, 1);
        assert_eq!(first, 3, "one change elsewhere is not enough");
        let (first, confidence) = play(20..60, 1);
        assert!(first == 1 && confidence > 0.8, "{first} {confidence}");
    }
}
