//! Section and passage from energy and onsets alone; the beat only places the phrase.

use super::features::{BeatGrid, Passage, Section};
use crate::units::Seconds;

/// Energy that lifts calm to groove, groove to peak, and lets them fall back; each must last so many seconds.
/// Pads lie below .38, drums between .4 and .46, dense and loud drums from there to .55.
const GROOVE: (f32, f32) = (0.385, 1.2);
const PEAK: (f32, f32) = (0.465, 1.5);
const PEAK_ENDS: (f32, f32) = (0.425, 2.0);
const GROOVE_ENDS: (f32, f32) = (0.345, 2.0);
/// Kicks below this share of what was usual mean a breakdown, above the other that they are back.
const DRUMS_GONE: f32 = 0.4;
const DRUMS_BACK: f32 = 0.7;
/// How long drums must be gone, seconds.
const GONE_SECS: f32 = 1.5;
/// How late a drop is noticed, and how long it may wait for a grid that is trusted, seconds.
const NOTICED_SECS: f32 = 0.4;
const WAITS_SECS: f32 = 8.0;
/// How long a drop is called one, seconds.
const DROP_SECS: f32 = 2.0;
/// Onsets on top must grow by this much over what they were, for a build.
const BUILD: f32 = 1.35;
/// Lengths of a phrase, in bars.
const PHRASES: [u32; 3] = [8, 16, 32];

/// Decides section, passage and phrase.
pub struct SectionWatch {
    dt: f32,
    section: Section,
    /// How long the next section has been due, seconds.
    due: f32,
    kicks: f32,
    usual_kicks: f32,
    high_fast: f32,
    high_slow: f32,
    gone: f32,
    drop_left: f32,
    /// Seconds since a drop with which no phrase has begun yet.
    dropped: Option<f32>,
    passage: Passage,
    /// Number of the beat that began the phrase.
    phrase: u64,
}

impl SectionWatch {
    /// A watch stepped every `dt` seconds.
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

    /// Takes slow energy, low and high onset strength and whether there is sound at all.
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
        // What is usual is learnt within seconds and forgotten within a minute.
        let pace = if self.kicks > self.usual_kicks { 3.0 } else { 60.0 };
        follow(&mut self.usual_kicks, self.kicks, pace);
        let worth_missing = self.usual_kicks > 0.02;
        let share = self.kicks / self.usual_kicks.max(1e-6);
        self.gone = if worth_missing && share < DRUMS_GONE { self.gone + dt } else { self.gone };
        self.drop_left = (self.drop_left - dt).max(0.0);
        self.dropped = self.dropped.map(|since| since + dt).filter(|&since| since < WAITS_SECS);
        let missing = self.gone >= GONE_SECS;
        if share > DRUMS_BACK {
            if missing {
                self.drop_left = DROP_SECS;
                self.dropped = Some(NOTICED_SECS);
            }
            self.gone = 0.0;
        } else if share >= DRUMS_GONE && !missing {
            self.gone = 0.0;
        }
        let rising = self.high_fast > BUILD * self.high_slow && self.high_fast > 0.01;
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

    /// Writes the phrase into a trusted grid: a phrase begins with a drop, or goes on by eights.
    pub fn phrase(&mut self, grid: &mut BeatGrid, now: Seconds) {
        if !grid.trusted() {
            return;
        }
        let number = grid.anchor_beat;
        if number + 1 < self.phrase {
            self.phrase = 0; // A new grid counts from its own beginning.
        }
        if let Some(since) = self.dropped.take() {
            self.phrase = grid.beats_at(Seconds(now.0 - f64::from(since))).round().max(0.0) as u64;
        }
        let longest = u64::from(PHRASES[2]) * 4;
        // The beat of a drop that was just noticed may still lie ahead of the grid's last.
        let since = number.saturating_sub(self.phrase) % longest;
        grid.phrase_beats = since as f32;
        let reached = PHRASES.into_iter().find(|&bars| since < u64::from(bars) * 4);
        grid.phrase_bars = reached.unwrap_or(PHRASES[2]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DT: f32 = 0.01;

    /// Steps the watch for `secs` with kicks as strong as `low`, twice a second; returns every passage it called.
    fn run(watch: &mut SectionWatch, secs: f32, energy: f32, low: f32) -> (Section, Vec<Passage>) {
        let mut passages = Vec::new();
        let mut section = Section::Calm;
        for hop in 0..(secs / DT) as usize {
            let kick = if hop % 50 < 4 { low } else { 0.0 };
            let (now, passage) = watch.step(energy, kick, 0.02, true);
            section = now;
            if passages.last() != Some(&passage) {
                passages.push(passage);
            }
        }
        (section, passages)
    }

    #[test]
    fn sections_move_on_energy_alone_and_not_at_once() {
        let mut watch = SectionWatch::new(DT);
        assert_eq!(run(&mut watch, 1.0, 0.9, 0.8).0, Section::Calm);
        assert_eq!(run(&mut watch, 1.0, 0.9, 0.8).0, Section::Groove);
        assert_eq!(run(&mut watch, 2.0, 0.9, 0.8).0, Section::Peak);
        assert_eq!(run(&mut watch, 6.0, 0.1, 0.8).0, Section::Calm);
        run(&mut watch, 6.0, 0.9, 0.8);
        assert_eq!(watch.step(0.9, 0.0, 0.0, false).0, Section::Calm, "silence is calm at once");
    }

    #[test]
    fn drums_that_leave_are_a_breakdown_and_their_return_a_drop() {
        let mut watch = SectionWatch::new(DT);
        let (_, before) = run(&mut watch, 12.0, 0.5, 0.8);
        assert!(!before.contains(&Passage::Breakdown) && !before.contains(&Passage::Drop), "{before:?}");
        let (_, without) = run(&mut watch, 8.0, 0.3, 0.0);
        assert_eq!(without.last(), Some(&Passage::Breakdown), "{without:?}");
        let (_, back) = run(&mut watch, 5.0, 0.6, 0.8);
        assert!(back.contains(&Passage::Drop), "{back:?}");
        assert_eq!(back.last(), Some(&Passage::Steady), "{back:?}");
    }

    #[test]
    fn a_phrase_begins_with_the_drop_even_when_the_grid_is_trusted_only_later() {
        let mut watch = SectionWatch::new(DT);
        run(&mut watch, 12.0, 0.5, 0.8);
        run(&mut watch, 8.0, 0.3, 0.0);
        let dropped = Seconds(20.0);
        run(&mut watch, 3.0, 0.6, 0.8);
        let now = Seconds(23.0);
        let mut grid = BeatGrid { anchor: now, anchor_beat: 46, ..BeatGrid::default() };
        watch.phrase(&mut grid, now);
        assert_eq!(grid.phrase_bars, 0, "no phrase without a grid");
        grid.confidence = crate::units::Unipolar::ONE;
        watch.phrase(&mut grid, now);
        let since = (now.0 - dropped.0) / grid.tempo.period().0;
        assert!((f64::from(grid.phrase_beats) - since).abs() <= 1.0, "{grid:?} after {since} beats");
        assert_eq!(grid.phrase_bars, 8);
    }
}
