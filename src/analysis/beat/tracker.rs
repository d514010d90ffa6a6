//! The tracker: takes up a grid when the evidence stands out, keeps it through breakdowns, and changes its mind only
//! for good reason.

use super::super::features::BeatGrid;
use super::super::onset::Onset;
use super::bar::Bar;
use super::comb::{Comb, Combs};
use super::drums::Accent;
use super::grid::Grid;
use super::hand::{Hand, TempoRequest};
use crate::units::{Seconds, Tempo, Unipolar};

/// Hops between two looks at the evidence, 100 ms, and its length in seconds.
const LOOK_EVERY: u64 = 10;
const LOOK_SECS: f32 = 0.1;
/// Hops heard before anything is looked at.
const FIRST_LOOK: u64 = 150;
/// Onsets are seen this late, seconds: they peak when half the window has passed over them.
const LATE_SECS: f64 = 0.032;
/// Length of a hop, seconds.
const HOP_SECS: f64 = 0.01;
/// How far a reading must stand out to be believed; confidence is a half there.
const BELIEVED_Z: f32 = 4.4;
/// How far it must stand out to be followed once believed, and where confidence is nothing.
const FOLLOWED_Z: f32 = 3.4;
const NOTHING_Z: f32 = 3.0;
/// A grid that goes on standing out counts as standing out so much more, at most, and after so many looks.
const STEADY: f32 = 1.3;
const STEADY_LOOKS: f32 = 60.0;
/// A rival must score this much more than the grid, stand out this much more, and score this share of what the grid
/// did at its best.
const RIVAL: f32 = 1.25;
const RIVAL_Z: f32 = 1.15;
const RIVAL_WORTH: f32 = 0.7;
/// Looks in a row that a rival must win: against a settled grid, and against a young or failing one.
const RIVAL_LOOKS: u32 = 12;
const QUICK_RIVAL_LOOKS: u32 = 3;
/// Looks in a row that must find beats between those of the grid before they are taken up; they are counted only
/// once the octave says so.
const QUICKER_LOOKS: u32 = 6;
/// Looks until a grid is settled.
const YOUNG: u32 = 40;
/// Looks before the octave is judged.
const OCTAVE_LOOKS: u32 = 20;
/// Onsets below this share of their usual strength mean that the drums are gone.
const GONE: f32 = 0.4;
/// How long a grid is kept without drums, and in silence, before a rival may take over and trust fades, seconds.
const KEPT_SECS: f32 = 20.0;
const KEPT_SILENT_SECS: f32 = 4.0;
/// How fast trust fades then, per look: six seconds from sure to doubtful.
const FORGET: f32 = 0.012;
/// Without anything sharp on top or hard in the middle, quick repetitions (period in hops) are texture, not a beat.
const TEXTURE: f32 = 0.002;
const ATTACK: f32 = 0.75;
const TEXTURE_PERIOD: f64 = 75.0;
/// Onset strength on top assumed at first.
const FIRST_HIGH: f32 = 0.006;

/// Follows the beat.
pub struct Tracker {
    combs: Combs,
    hop: u64,
    best: Comb,
    grid: Option<Grid>,
    confidence: f32,
    rival_looks: u32,
    /// Looks in a row that found beats between those of the grid.
    quicker_looks: u32,
    /// Low and overall onset strength of the last second or two.
    recent: [f32; 2],
    /// Onset strength on top over the last seconds.
    high: f32,
    /// How long there was no sound at all.
    silent_secs: f32,
    /// Strongest attack in the middle over the last seconds.
    attack: f32,
    bar: Bar,
    hand: Hand,
}

impl Tracker {
    /// No beat known.
    pub fn new() -> Self {
        Self {
            combs: Combs::new(),
            hop: 0,
            best: Comb::default(),
            grid: None,
            confidence: 0.0,
            rival_looks: 0,
            quicker_looks: 0,
            recent: [0.0; 2],
            high: FIRST_HIGH,
            silent_secs: 0.0,
            attack: 0.0,
            bar: Bar::default(),
            hand: Hand::default(),
        }
    }

    /// Takes the accent and the onsets of a hop, and whether there is sound at all.
    pub fn step(&mut self, accent: Accent, onset: Onset, sound: bool) {
        self.silent_secs = if sound { 0.0 } else { self.silent_secs + HOP_SECS as f32 };
        for (recent, now) in self.recent.iter_mut().zip([onset.low, onset.all()]) {
            *recent += (now - *recent) * 0.008;
        }
        self.high += (onset.high - self.high) * 0.003;
        self.attack = onset.mid.max(self.attack * 0.9985);
        self.combs.push(accent);
        self.hop += 1;
        if let Some(grid) = &mut self.grid {
            grid.run(self.hop as f64, Some(&accent));
        }
        if self.hop.is_multiple_of(LOOK_EVERY) && self.hop >= FIRST_LOOK {
            self.look();
        }
    }

    /// Does what the performer asks of the beat.
    pub fn wish(&mut self, wish: TempoRequest) {
        // What sounds now is seen a little later.
        let now = self.hop as f64 - 1.0 + LATE_SECS / HOP_SECS;
        let heard = self.grid.as_ref().map(Grid::count);
        if let Some((anchor, period)) = self.hand.obey(wish, now, heard, self.bar.downbeat().0) {
            let grid = self.grid.get_or_insert_with(|| Grid::new(anchor, period, 0, [0.0; 2]));
            grid.place(anchor, period);
            grid.run(self.hop as f64, None);
        }
        if wish == TempoRequest::Resync {
            let number = self.grid.as_ref().map_or(0, |grid| grid.count().number);
            self.bar.begin(number);
            self.hand.begin(number);
        }
        if self.hand.holds() {
            self.confidence = 1.0;
        }
    }

    fn look(&mut self) {
        self.combs.fold();
        let best = self.combs.best();
        self.best = best;
        let now = self.hop as f64 - 1.0;
        let Some(grid) = &mut self.grid else {
            if best.z > BELIEVED_Z {
                self.adopt(best, now);
            }
            return;
        };
        grid.age += 1;
        let own = grid.evidence(&self.combs, now);
        let gone = (0..2).any(|n| self.recent[n] < GONE * grid.drums[n]);
        if own.z > FOLLOWED_Z && !gone {
            grid.follow(own, now, self.hand.holds());
            for (drums, recent) in grid.drums.iter_mut().zip(self.recent) {
                *drums += (recent - *drums) * 0.03;
            }
        } else {
            grid.coasting += LOOK_SECS;
            grid.worth *= 1.0 - LOOK_SECS / 30.0;
        }
        if !gone {
            grid.steady += (own.z - grid.steady) / (grid.age as f32).min(STEADY_LOOKS);
            if let Some(view) = grid.bar() {
                self.bar.look(&view);
            }
        }
        if self.hand.holds() {
            return;
        }
        if !gone && !self.hand.counts() && grid.age >= OCTAVE_LOOKS && grid.count_anew() {
            self.bar = Bar::default();
        }
        let lost = gone && (grid.coasting >= KEPT_SECS || self.silent_secs >= KEPT_SILENT_SECS);
        let texture = self.high < TEXTURE && self.attack < ATTACK && grid.count().period < TEXTURE_PERIOD;
        let lasting = 1.0 + (STEADY - 1.0) * (grid.age as f32 / STEADY_LOOKS).min(1.0);
        let stands = if own.z > NOTHING_Z { own.z.max(grid.steady * lasting) } else { own.z };
        let target = if lost {
            0.0
        } else if gone {
            self.confidence
        } else if texture {
            0.3
        } else {
            ((stands - NOTHING_Z) / (2.0 * (BELIEVED_Z - NOTHING_Z))).clamp(0.0, 1.0)
        };
        let pace = match target > self.confidence {
            true => 0.35,
            false if lost => FORGET,
            false => 0.06,
        };
        self.confidence += (target - self.confidence) * pace;
        let young = grid.age < YOUNG;
        let stronger = best.z > BELIEVED_Z
            && best.score > RIVAL * own.score.max(1e-3)
            && (young || best.z > RIVAL_Z * own.z);
        let kin = grid.kin(best, now);
        let rival = !kin && stronger && (young || best.score > RIVAL_WORTH * grid.worth) && (!gone || lost);
        let count = |looks: u32, won: bool| if won { looks + 1 } else { looks.saturating_sub(2) };
        self.rival_looks = count(self.rival_looks, rival);
        let quicker = kin && grid.twice_as_quick(best) && best.z > FOLLOWED_Z && best.score > own.score;
        self.quicker_looks = count(self.quicker_looks, quicker);
        let patience = if young || own.z < FOLLOWED_Z { QUICK_RIVAL_LOOKS } else { RIVAL_LOOKS };
        if self.rival_looks >= patience {
            self.adopt(best, now);
        } else if self.quicker_looks >= QUICKER_LOOKS {
            *grid = Grid::quicker(&best, now, grid);
            self.quicker_looks = 0;
        } else if self.confidence < 0.08 {
            self.grid = None;
        }
    }

    fn adopt(&mut self, comb: Comb, now: f64) {
        let number = self.grid.as_ref().map_or(0, |grid| grid.count().number + 1);
        if self.grid.is_none() {
            self.confidence = self.confidence.max(0.5);
        }
        let mut grid = Grid::new(now - f64::from(comb.since), f64::from(comb.period), number, self.recent);
        grid.worth = comb.score;
        self.grid = Some(grid);
        self.bar = Bar::default();
        (self.rival_looks, self.quicker_looks) = (0, 0);
    }

    /// The grid as the house sees it.
    pub fn grid(&self) -> BeatGrid {
        let Some(grid) = &self.grid else { return BeatGrid::default() };
        let (downbeat, downbeat_confidence) = self.bar.downbeat();
        let (count, downbeat) = self.hand.scaled(grid.count(), downbeat);
        BeatGrid {
            anchor: Seconds((count.anchor + 1.0) * HOP_SECS - LATE_SECS),
            tempo: Tempo::new(60.0 / (count.period * HOP_SECS)),
            confidence: Unipolar::new(self.confidence),
            anchor_beat: count.number,
            downbeat: downbeat % 4,
            downbeat_confidence: Unipolar::new(downbeat_confidence * self.confidence),
            ..BeatGrid::default()
        }
    }
}
