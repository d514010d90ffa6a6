//! Section and passage from energy and onsets alone; the beat grid only aligns the phrase.

use super::features::{BeatGrid, Passage, Section};
use crate::units::Seconds;

/// Energy thresholds between calm, groove and peak, each with the time for which it must stay crossed, in seconds.
/// Measured: pads stay below 0.38, drums are at 0.4 to 0.46, dense and loud drums reach 0.55.
const GROOVE: (f32, f32) = (0.385, 1.2);
const PEAK: (f32, f32) = (0.465, 1.5);
const PEAK_ENDS: (f32, f32) = (0.425, 2.0);
const GROOVE_ENDS: (f32, f32) = (0.345, 2.0);
/// Shares of the usual kick strength below which the drums are gone, and above which they are back.
const DRUMS_GONE: f32 = 0.4;
const DRUMS_BACK: f32 = 0.7;
/// Seconds without drums before a breakdown.
const MISSING_SECS: f32 = 1.5;
/// Detection latency of a drop, in seconds.
const DROP_LATENCY_SECS: f32 = 0.4;
/// Time after a drop within which a newly trusted grid still starts a phrase at the drop, in seconds.
const DROP_WAIT_SECS: f32 = 8.0;
/// Duration of a drop, in seconds.
const DROP_SECS: f32 = 2.0;
/// Ratio of the fast to the slow mean of the high onset strength above which a passage counts as a build.
const BUILD_RATIO: f32 = 1.35;
/// Phrase lengths, in bars.
const PHRASES: [u32; 3] = [8, 16, 32];

/// Tracker of section, passage and phrase.
pub struct SectionTracker {
    dt: f32,
    section: Section,
    /// Seconds since the threshold to the next section was crossed.
    due: f32,
    kicks: f32,
    usual_kicks: f32,
    high_fast: f32,
    high_slow: f32,
    gone: f32,
    drop_left: f32,
    /// Seconds since the last drop, until it starts a phrase or [`DROP_WAIT_SECS`] have passed.
    dropped: Option<f32>,
    passage: Passage,
    /// Number of the first beat of the phrase.
    phrase: u64,
}

impl SectionTracker {
    /// Builds a tracker stepped every `dt` seconds.
    pub fn new(dt: f32) -> Self {
        Self {
            dt,
            section: Section::Calm,
            due: 0.0,
            kicks: 0.0,
            usual_kicks: 0.0,
            high_fast: 0.0,
            high_slow: 0.0,
            gone: 0.0,
            drop_left: 0.0,
            dropped: None,
            passage: Passage::Steady,
            phrase: 0,
        }
    }

    /// Returns the section and passage, given slow energy and low and high onset strength; `sound` is false
    /// in silence.
    pub fn step(&mut self, energy: f32, low: f32, high: f32, sound: bool) -> (Section, Passage) {
        if !sound {
            *self = Self { usual_kicks: self.usual_kicks, phrase: self.phrase, ..Self::new(self.dt) };
            return (self.section, self.passage);
        }
        self.move_section(energy);
        self.move_passage(low, high);
        (self.section, self.passage)
    }

    fn move_section(&mut self, energy: f32) {
        let next = match self.section {
            Section::Calm if energy > GROOVE.0 => Some((Section::Groove, GROOVE.1)),
            Section::Groove if energy > PEAK.0 => Some((Section::Peak, PEAK.1)),
            Section::Groove if energy < GROOVE_ENDS.0 => Some((Section::Calm, GROOVE_ENDS.1)),
            Section::Peak if energy < PEAK_ENDS.0 => Some((Section::Groove, PEAK_ENDS.1)),
            _ => None,
        };
        let Some((section, after)) = next else {
            self.due = 0.0;
            return;
        };
        self.due += self.dt;
        if self.due >= after {
            (self.section, self.due) = (section, 0.0);
        }
    }

    fn move_passage(&mut self, low: f32, high: f32) {
        let dt = self.dt;
        let follow = |value: &mut f32, now: f32, secs: f32| *value += (now - *value) * dt / secs;
        follow(&mut self.kicks, low, 0.8);
        follow(&mut self.high_fast, high, 1.5);
        follow(&mut self.high_slow, high, 8.0);
        // The usual strength rises within seconds and decays within a minute.
        let pace = if self.kicks > self.usual_kicks { 3.0 } else { 60.0 };
        follow(&mut self.usual_kicks, self.kicks, pace);
        let has_kicks = self.usual_kicks > 0.02;
        let share = self.kicks / self.usual_kicks.max(1e-6);
        self.gone = if has_kicks && share < DRUMS_GONE { self.gone + dt } else { self.gone };
        self.drop_left = (self.drop_left - dt).max(0.0);
        self.dropped = self.dropped.map(|since| since + dt).filter(|&since| since < DROP_WAIT_SECS);
        let missing = self.gone >= MISSING_SECS;
        if share > DRUMS_BACK {
            if missing {
                self.drop_left = DROP_SECS;
                self.dropped = Some(DROP_LATENCY_SECS);
            }
            self.gone = 0.0;
        } else if share >= DRUMS_GONE && !missing {
            self.gone = 0.0;
        }
        let rising = self.high_fast > BUILD_RATIO * self.high_slow && self.high_fast > 0.01;
        self.passage = if self.drop_left > 0.0 {
            Passage::Drop
        } else if rising && (missing || self.section != Section::Peak) {
            Passage::Build
        } else if missing {
            Passage::Breakdown
        } else {
            Passage::Steady
        };
    }

    /// Writes the phrase position into `grid` if it is trusted; a phrase starts at a drop or after 32 bars.
    pub fn phrase(&mut self, grid: &mut BeatGrid, now: Seconds) {
        if !grid.trusted() {
            return;
        }
        let number = grid.anchor_beat;
        if number + 1 < self.phrase {
            self.phrase = 0; // A new grid restarts the count.
        }
        if let Some(since) = self.dropped.take() {
            self.phrase = grid.beats_at(Seconds(now.0 - f64::from(since))).round().max(0.0) as u64;
        }
        let longest = u64::from(PHRASES[2]) * u64::from(grid.beats_per_bar);
        // The beat of a drop just detected may still be ahead of the grid's last beat.
        let since = number.saturating_sub(self.phrase) % longest;
        grid.phrase_beats = since as f32;
        let reached =
            PHRASES.into_iter().find(|&bars| since < u64::from(bars) * u64::from(grid.beats_per_bar));
        grid.phrase_bars = reached.unwrap_or(PHRASES[2]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DT: f32 = 0.01;

    /// Runs `tracker` for `secs` with two kicks per second of strength `low`; returns the last section and
    /// the passages in order.
    fn run(tracker: &mut SectionTracker, secs: f32, energy: f32, low: f32) -> (Section, Vec<Passage>) {
        let mut passages = Vec::new();
        let mut section = Section::Calm;
        for hop in 0..(secs / DT) as usize {
            let kick = if hop % 50 < 4 { low } else { 0.0 };
            let (now, passage) = tracker.step(energy, kick, 0.02, true);
            section = now;
            if passages.last() != Some(&passage) {
                passages.push(passage);
            }
        }
        (section, passages)
    }

    #[test]
    fn sections_follow_energy_with_a_delay() {
        let mut tracker = SectionTracker::new(DT);
        assert_eq!(run(&mut tracker, 1.0, 0.9, 0.8).0, Section::Calm);
        assert_eq!(run(&mut tracker, 1.0, 0.9, 0.8).0, Section::Groove);
        assert_eq!(run(&mut tracker, 2.0, 0.9, 0.8).0, Section::Peak);
        assert_eq!(run(&mut tracker, 6.0, 0.1, 0.8).0, Section::Calm);
        run(&mut tracker, 6.0, 0.9, 0.8);
        assert_eq!(tracker.step(0.9, 0.0, 0.0, false).0, Section::Calm, "silence is calm at once");
    }

    #[test]
    fn missing_drums_are_a_breakdown_and_their_return_a_drop() {
        let mut tracker = SectionTracker::new(DT);
        let (_, before) = run(&mut tracker, 12.0, 0.5, 0.8);
        assert!(!before.contains(&Passage::Breakdown) && !before.contains(&Passage::Drop), "{before:?}");
        let (_, without) = run(&mut tracker, 8.0, 0.3, 0.0);
        assert_eq!(without.last(), Some(&Passage::Breakdown), "{without:?}");
        let (_, back) = run(&mut tracker, 5.0, 0.6, 0.8);
        assert!(back.contains(&Passage::Drop), "{back:?}");
        assert_eq!(back.last(), Some(&Passage::Steady), "{back:?}");
    }

    #[test]
    fn a_phrase_starts_with_the_drop_even_if_the_grid_is_trusted_later() {
        let mut tracker = SectionTracker::new(DT);
        run(&mut tracker, 12.0, 0.5, 0.8);
        run(&mut tracker, 8.0, 0.3, 0.0);
        let dropped = Seconds(20.0);
        run(&mut tracker, 3.0, 0.6, 0.8);
        let now = Seconds(23.0);
        let mut grid = BeatGrid { anchor: now, anchor_beat: 46, ..BeatGrid::default() };
        tracker.phrase(&mut grid, now);
        assert_eq!(grid.phrase_bars, 0, "no phrase without a grid");
        grid.confidence = crate::units::Unipolar::ONE;
        tracker.phrase(&mut grid, now);
        let since = (now.0 - dropped.0) / grid.tempo.period().0;
        assert!((f64::from(grid.phrase_beats) - since).abs() <= 1.0, "{grid:?} after {since} beats");
        assert_eq!(grid.phrase_bars, 8);
    }

    #[test]
    fn phrases_are_counted_in_bars_of_any_metre() {
        let mut tracker = SectionTracker::new(DT);
        for (beats_per_bar, anchor_beat, phrase) in
            [(4, 31, (31.0, 8)), (3, 23, (23.0, 8)), (3, 24, (24.0, 16)), (7, 225, (1.0, 8))]
        {
            let confidence = crate::units::Unipolar::ONE;
            let mut grid = BeatGrid { anchor_beat, beats_per_bar, confidence, ..BeatGrid::default() };
            tracker.phrase(&mut grid, Seconds::ZERO);
            assert_eq!(
                (grid.phrase_beats, grid.phrase_bars),
                phrase,
                "beat {anchor_beat} of {beats_per_bar}/4"
            );
        }
    }
}
