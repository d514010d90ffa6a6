//! A beat grid that follows the evidence, corrects its phase gradually, and may count only every second beat.

use super::cells::AccentAverages;
use super::comb::{Comb, Combs};
use super::drums::Accent;
use super::metre::{METRES, MetreEvidence};
use super::octave;
use crate::activation::Hypothesis;

/// Smoothing factor of the octave evidence per update, and the thresholds beyond which the grid counts every
/// second beat, or every beat again.
const OCTAVE_SMOOTHING: f32 = 0.06;
const HALVE: f32 = 1.2;
const RESTORE: f32 = -1.8;
/// Log odds below which the octave is in doubt.
const DOUBT: f32 = 0.3;
/// Log odds of the octave, at most, while the accents repeat after an odd number of fast beats.
const ODD_BAR: f32 = -4.0;
/// Weights of the activations and of the backbeat relative to the accents in the choice between odd and even beats.
const ACTIVATION_WEIGHT: f32 = 2.0;
const BACKBEAT_WEIGHT: f32 = 0.5;
/// Smoothing factor of the log ratio between the beats that are not counted and those that are, per update; its limit;
/// the log ratio beyond which they are exchanged; and a constant that keeps weak accents from giving large ratios.
const PARITY_SMOOTHING: f32 = 0.04;
const MAX_RATIO: f32 = 1.0;
const EXCHANGE: f32 = 0.4;
const PARITY_FLOOR: f32 = 0.1;
/// Ratios between the periods of two grids that share their beats, up to an octave, and in triple time.
const OCTAVES: [f64; 3] = [1.0, 2.0, 0.5];
const TRIPLE: [f64; 2] = [3.0, 1.0 / 3.0];
/// Difference in tempo, as a share, and in phase, in beats, up to which two grids count the same beats.
const SAME_TEMPO: f64 = 0.03;
const SAME_PHASE: f64 = 0.15;
/// Maximum period when counting every second beat, in hops.
const MAX_PERIOD: f64 = 150.0;

/// The beats that a grid counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Count {
    /// Position of a beat, in hops.
    pub anchor: f64,
    /// Beat period, in hops.
    pub period: f64,
    /// Number of the beat at `anchor`.
    pub number: u64,
}

/// A beat grid. It tracks beats at the faster of two candidate tempi, the fast beats, and counts all of them or every
/// second one.
pub struct Grid {
    /// Position of the last fast beat, in hops.
    pub anchor: f64,
    /// Period of the fast beats, in hops.
    pub period: f64,
    number: u64,
    /// If only every second beat is counted, the parity of those beats.
    slow: Option<u64>,
    /// Smoothed log odds that every second fast beat is not a beat.
    octave: f32,
    /// Smoothed log ratio of the accents of the other parity to those of the counted one.
    parity: f32,
    cells: AccentAverages,
    metre: MetreEvidence,
    /// Smoothed score of the evidence; decays slowly while there is none.
    pub score: f32,
    /// Mean `z` of the evidence over the last few seconds.
    pub mean_z: f32,
    /// Share of the last updates in which no rival scored higher.
    pub lead: f32,
    /// Whether the evidence has ever been significant or has held for long enough, or the performer set the beat; an
    /// unproven grid is only a candidate.
    pub proven: bool,
    /// Running mean of low and overall onset strength, updated while there is evidence.
    pub drums: [f32; 2],
    /// Phase error still to be corrected, in hops; spread over time to avoid jumps.
    phase_error: f64,
    /// Updates since the grid was adopted.
    pub age: u32,
    /// Seconds without evidence.
    pub coasting_secs: f32,
}

impl Grid {
    /// Builds a grid with beat `number` at `anchor`; `anchor` and `period` are in hops.
    pub fn new(anchor: f64, period: f64, number: u64, drums: [f32; 2]) -> Self {
        Self {
            anchor,
            period,
            number,
            slow: None,
            octave: 0.0,
            parity: 0.0,
            cells: AccentAverages::new(),
            metre: MetreEvidence::default(),
            score: 0.0,
            mean_z: 0.0,
            lead: 0.0,
            proven: false,
            drums,
            phase_error: 0.0,
            age: 0,
            coasting_secs: 0.0,
        }
    }

    /// Returns a grid with the shorter period of `comb` that counts the same beats as `was` until the octave
    /// evidence confirms the added ones.
    pub fn at_half_period(comb: &Comb, now: f64, was: &Grid) -> Self {
        let count = was.count();
        let period = f64::from(comb.period);
        let mut grid = Self::new(now - f64::from(comb.since), period, 0, was.drums);
        // Number of fast beats since the last counted beat; counted beat n is fast beat 2 n.
        let since = ((grid.anchor - count.anchor) / period).round();
        grid.number = (2.0 * count.number as f64 + since).max(0.0) as u64;
        grid.slow = Some(0);
        grid.octave = HALVE;
        grid.age = was.age;
        (grid.mean_z, grid.lead, grid.proven) = (was.mean_z, was.lead, was.proven);
        grid
    }

    /// Returns the number of counted beats from beat 0 to a position in hops, including a fraction.
    pub fn beats_at(&self, position: f64) -> f64 {
        let Count { anchor, period, number } = self.count();
        number as f64 + (position - anchor) / period
    }

    /// Returns the number of the counted beat nearest to a position in hops.
    pub fn nearest(&self, position: f64) -> u64 {
        self.beats_at(position).round().max(0.0) as u64
    }

    /// Returns whether beats at this position with this period, in hops, are the ones that the grid counts.
    pub fn counts(&self, anchor: f64, period: f64) -> bool {
        let count = self.count();
        let away = (anchor - count.anchor) / count.period;
        (period / count.period - 1.0).abs() < SAME_TEMPO && (away - away.round()).abs() < SAME_PHASE
    }

    /// Moves the counted beats to this position and period, in hops, if they are already close to it, and otherwise
    /// sets them. What the grid has learnt about its beats is kept in the first case.
    pub fn correct(&mut self, anchor: f64, period: f64) {
        if !self.counts(anchor, period) {
            return self.set(anchor, period);
        }
        let count = self.count();
        let (fast, back) = (self.period, ((self.anchor - count.anchor) / self.period).round());
        let passed = ((anchor - count.anchor) / count.period).round();
        self.period = fast * period / count.period;
        self.anchor = anchor - passed * period + back * self.period;
        (self.phase_error, self.proven) = (0.0, true);
    }

    /// Sets beat position and period, in hops, as given by the performer; counts every beat from then on.
    pub fn set(&mut self, anchor: f64, period: f64) {
        let number = self.nearest(anchor);
        *self = Self {
            score: self.score,
            mean_z: self.mean_z,
            age: self.age,
            proven: true,
            ..Self::new(anchor, period, number, self.drums)
        };
    }

    /// Advances the anchor to the last beat before `hop`, applies part of the phase correction, and records the accent,
    /// which belongs to hop `hop - 1`.
    pub fn advance(&mut self, hop: f64, accent: Option<&Accent>) {
        let correction = self.phase_error * 0.04;
        self.anchor += correction;
        self.phase_error -= correction;
        while self.anchor + self.period <= hop {
            self.anchor += self.period;
            self.number += 1;
        }
        if let Some(accent) = accent {
            let beats = self.number as f64 + (hop - 1.0 - self.anchor) / self.period;
            if let Some((cell, strongest)) = self.cells.push(beats, accent) {
                self.metre.push(cell, strongest);
            }
        }
    }

    /// Returns the best hypothesis for this grid at `now`, on all fast beats or on every second one; its
    /// period is that of the fast beats.
    pub fn evidence(&self, combs: &Combs, now: f64) -> Comb {
        let (period, since) = (self.period as f32, (now - self.anchor) as f32);
        let fast = combs.near(period, since);
        let slow = |since: f32| {
            let comb = combs.near(2.0 * period, since);
            Comb { period: comb.period / 2.0, since: comb.since % (comb.period / 2.0), ..comb }
        };
        let best = |a: Comb, b: Comb| {
            if b.z > a.z {
                Comb { score: a.score.max(b.score), ..b }
            } else {
                Comb { score: a.score.max(b.score), ..a }
            }
        };
        best(fast, best(slow(since), slow(since + period)))
    }

    /// Moves the phase and, unless `tempo_is_set`, the period towards a hypothesis.
    pub fn follow(&mut self, comb: Comb, now: f64, tempo_is_set: bool) {
        let away = (now - f64::from(comb.since)) - self.anchor - self.phase_error;
        let away = away - (away / self.period).round() * self.period;
        self.phase_error += away * 0.25;
        if !tempo_is_set {
            self.period += (f64::from(comb.period) - self.period) * 0.08 + away * 0.002;
        }
        self.score += (comb.score - self.score) * 0.1;
        self.coasting_secs = 0.0;
    }

    /// Moves the counted beats towards those of a hypothesis of the activations; `score` is that of the accents.
    pub fn follow_counted(&mut self, hypothesis: Hypothesis, score: f32, now: f64, tempo_is_set: bool) {
        let share = (self.period / self.count().period) as f32;
        let (period, since) = (hypothesis.period * share, hypothesis.since % self.period as f32);
        self.follow(Comb { period, since, z: 0.0, score }, now, tempo_is_set);
    }

    /// Decides whether to count every beat or every second one, and which of them; returns whether that changed.
    pub fn update_octave(&mut self) -> bool {
        let Some(odds) = octave::too_fast(&self.cells, (6000.0 / self.period) as f32) else { return false };
        let odds = if self.metre.is_odd() { odds.min(ODD_BAR) } else { odds };
        self.octave += (odds.clamp(-6.0, 6.0) - self.octave) * OCTAVE_SMOOTHING;
        let before = self.slow;
        if self.slow.is_none() && self.octave > HALVE && 2.0 * self.period < MAX_PERIOD {
            self.slow = Some(u64::from(self.beat_weight(1) > self.beat_weight(0)));
            self.parity = 0.0;
        } else if self.slow.is_some() && self.octave < RESTORE {
            self.slow = None;
        } else {
            self.update_parity();
        }
        self.slow != before
    }

    /// If only every second beat is counted, counts the others instead once they have looked more like beats for long
    /// enough.
    fn update_parity(&mut self) {
        let Some(parity) = self.slow else { return };
        let weight = |parity: u64| self.beat_weight(parity as usize) + PARITY_FLOOR;
        let ratio = (weight(1 - parity) / weight(parity)).ln();
        self.parity += (ratio.clamp(-MAX_RATIO, MAX_RATIO) - self.parity) * PARITY_SMOOTHING;
        if self.parity > EXCHANGE {
            self.slow = Some(1 - parity);
            self.parity = -self.parity;
        }
    }

    /// Returns how much the fast beats of a parity look like beats: by their accents and activations, and by how much
    /// kicks and snares alternate on them.
    fn beat_weight(&self, parity: usize) -> f32 {
        let on = self.cells.mean(parity, 0, 2).map_or(0.0, |[low, mid, high, sharp, beat, _]| {
            low + 0.7 * mid + 0.3 * high + sharp + ACTIVATION_WEIGHT * beat
        });
        let kick = |beat| self.cells.mean(beat, 0, 4).map_or(0.0, |[low, _, _, sharp, ..]| low - sharp);
        on + BACKBEAT_WEIGHT * (kick(parity) - kick(parity + 2)).abs()
    }

    /// Returns the log odds of each of [`METRES`] for the counted beats; `None` until enough beats have passed.
    pub fn metres(&self) -> Option<[f32; METRES.len()]> {
        self.metre.metres(if self.slow.is_some() { 2 } else { 1 })
    }

    /// Returns the number of a counted beat that starts a bar of `metre` beats, modulo `metre`, and the confidence in it,
    /// 0 to 1.
    pub fn downbeat(&self, metre: u8) -> (u64, f32) {
        match self.slow {
            None => self.metre.first(metre, 1, 0),
            Some(parity) => self.metre.first(metre, 2, parity as usize),
        }
    }

    /// Returns whether the evidence for the current choice (every beat or every second one) is weak.
    pub fn octave_is_doubtful(&self) -> bool {
        if self.slow.is_some() { self.octave < DOUBT } else { self.octave > -DOUBT }
    }

    /// Returns the counted beats.
    pub fn count(&self) -> Count {
        let Self { anchor, period, number, .. } = *self;
        match self.slow {
            None => Count { anchor, period, number },
            Some(parity) => {
                // Counted beat n is fast beat 2 n + parity.
                let back = (number + parity) % 2;
                let number = (number - back.min(number)).saturating_sub(parity) / 2;
                Count { anchor: anchor - back as f64 * period, period: 2.0 * period, number }
            }
        }
    }

    /// Returns whether a hypothesis matches this grid at the same tempo, twice the tempo or half of it.
    pub fn matches_up_to_octave(&self, comb: Comb, now: f64) -> bool {
        self.matches(comb, now, &OCTAVES)
    }

    /// Returns whether a hypothesis divides the beats of this grid into three, or counts every third one.
    pub fn matches_in_triple_time(&self, comb: Comb, now: f64) -> bool {
        self.matches(comb, now, &TRIPLE)
    }

    fn matches(&self, comb: Comb, now: f64, ratios: &[f64]) -> bool {
        let period = f64::from(comb.period);
        let away = (now - f64::from(comb.since) - self.anchor) / self.period.min(period);
        ratios.iter().any(|ratio| (period / self.period / ratio - 1.0).abs() < SAME_TEMPO)
            && (away - away.round()).abs() < SAME_PHASE
    }

    /// Returns whether a matching hypothesis has beats between those of this grid.
    pub fn is_slower_than(&self, comb: Comb) -> bool {
        f64::from(comb.period) < 0.7 * self.period
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Period of the fast beats, in hops.
    const PERIOD: usize = 32;

    /// Advances `grid` by `hops` hops of a pattern with `on_beat` strokes (low, sharp) on fast beats 0 and 2 of four,
    /// and constant bass on the others; updates the parity every tenth hop.
    fn run(grid: &mut Grid, from: usize, hops: usize, on_beat: [[f32; 2]; 2]) {
        for hop in from..from + hops {
            let (beat, on) = (hop / PERIOD % 4, hop % PERIOD == 0);
            let [low, sharp] = match beat {
                _ if !on => [0.0; 2],
                1 | 3 => [0.7, 0.0],
                _ => on_beat[beat / 2],
            };
            grid.advance((hop + 1) as f64, Some(&Accent { low, mid: sharp, sharp, ..Accent::default() }));
            if hop % 10 == 0 {
                grid.update_parity();
            }
        }
    }

    #[test]
    fn drums_move_a_half_time_grid_from_the_bass_between_them_onto_the_beat() {
        let mut grid = Grid::new(0.0, PERIOD as f64, 0, [0.0; 2]);
        grid.slow = Some(1);
        run(&mut grid, 0, 64 * PERIOD, [[0.0; 2]; 2]);
        assert_eq!(grid.slow, Some(1), "the bass alone is the beat");
        run(&mut grid, 64 * PERIOD, 48 * PERIOD, [[0.9, 0.0], [0.1, 0.8]]);
        assert_eq!(grid.slow, Some(0));
        let at = grid.count().anchor / PERIOD as f64;
        assert!((at / 2.0 - (at / 2.0).round()).abs() < 0.05, "{at}");
        run(&mut grid, 112 * PERIOD, 8 * PERIOD, [[0.0; 2]; 2]);
        assert_eq!(grid.slow, Some(0), "a break of two bars is too short");
    }

    #[test]
    fn triple_time_is_related_but_not_an_octave() {
        let grid = Grid::new(0.0, 96.0, 0, [0.0; 2]);
        let comb = |period, since| Comb { period, since, ..Comb::default() };
        assert!(grid.matches_in_triple_time(comb(32.2, 4.0), 100.0));
        assert!(!grid.matches_up_to_octave(comb(32.2, 4.0), 100.0));
        assert!(!grid.matches_in_triple_time(comb(32.2, 20.0), 100.0), "between the beats");
        assert!(!grid.matches_in_triple_time(comb(48.0, 4.0), 100.0));
    }

    #[test]
    fn a_small_correction_keeps_what_was_learnt_about_the_beats() {
        let mut grid = Grid::new(1_000.0, 25.0, 8, [0.0; 2]);
        (grid.slow, grid.octave) = (Some(0), HALVE);
        grid.advance(1_030.0, None);
        assert_eq!(grid.count(), Count { anchor: 1_000.0, period: 50.0, number: 4 });
        grid.correct(1_103.0, 51.0);
        assert_eq!(grid.count(), Count { anchor: 1_001.0, period: 51.0, number: 4 });
        assert_eq!((grid.slow, grid.nearest(1_103.0)), (Some(0), 6));
        grid.correct(1_128.0, 51.0);
        assert_eq!((grid.slow, grid.octave, grid.count().anchor), (None, 0.0, 1_128.0), "other beats");
    }
}
