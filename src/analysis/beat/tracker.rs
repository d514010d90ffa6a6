//! The grid: follows the evidence, keeps going through breakdowns, and changes its mind only for good reason.

use super::super::features::BeatGrid;
use super::super::onset::Onset;
use super::super::scene::Pulse;
use super::bar::Bar;
use super::comb::{Comb, Combs};
use super::drums::Accent;
use super::hand::{Hand, TempoWish};
use crate::units::{Seconds, Tempo, Unipolar};

/// Hops between two looks at the evidence, 100 ms, and its length in seconds.
const LOOK_EVERY: u64 = 10;
const LOOK_SECS: f32 = 0.1;
/// Hops heard before anything is looked at.
const FIRST_LOOK: u64 = 150;
/// Onsets are seen this late, seconds: they peak when half the window has passed over them.
const LATE_SECS: f64 = 0.027;
/// Length of a hop, seconds.
const HOP_SECS: f64 = 0.01;
/// How far a reading must stand out to be believed; confidence is a half there.
const BELIEVED_Z: f32 = 4.4;
/// How far it must stand out to be followed once believed, and where confidence is nothing.
const FOLLOWED_Z: f32 = 3.4;
const NOTHING_Z: f32 = 3.0;
/// A rival must score this much more than the grid, and this share of what the grid scored at its best.
const RIVAL: f32 = 1.25;
const RIVAL_WORTH: f32 = 0.7;
/// Looks in a row that a rival must win: against a settled grid, and against a young or failing one.
const RIVAL_LOOKS: u32 = 12;
const QUICK_RIVAL_LOOKS: u32 = 3;
/// Looks until a grid is settled.
const YOUNG: u32 = 40;
/// Onsets below this share of their usual strength mean that the drums are gone.
const GONE: f32 = 0.4;
/// How long a grid is kept without drums before a rival may take over, seconds.
const KEPT_SECS: f32 = 20.0;
/// Without anything sharp on top, quick repetitions (period in hops) are texture, not a beat.
const TEXTURE: f32 = 0.002;
const TEXTURE_PERIOD: f64 = 75.0;
/// Periods below this may be counted twice too fast, hops: 97 BPM.
const QUICK_PERIOD: f64 = 62.0;
/// Share of the last looks that must find the snare alone before the count is halved, and restored.
const HALVE: f32 = 0.75;
const RESTORE: f32 = 0.12;

struct Grid {
    /// A beat, in hops.
    anchor: f64,
    /// In hops.
    period: f64,
    number: u64,
    /// What the evidence scored lately; fades slowly without any.
    worth: f32,
    /// Low and overall onset strength while the evidence was good.
    drums: [f32; 2],
    /// Phase still to be made up, in hops, so that the grid glides and does not jump.
    debt: f64,
    /// Looks since it was adopted.
    age: u32,
    /// Seconds without evidence.
    coasting: f32,
    /// How often the last looks found the snare on one beat in four.
    lone_snare: f32,
    /// Its beats are every second one of the evidence.
    halved: bool,
}

/// Follows the beat.
pub struct Tracker {
    combs: Combs,
    hop: u64,
    best: Comb,
    grid: Option<Grid>,
    confidence: f32,
    rival_looks: u32,
    /// Low and overall onset strength of the last second or two.
    recent: [f32; 2],
    /// Onset strength on top over the last seconds.
    high: f32,
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
            recent: [0.0; 2],
            high: 0.02,
            bar: Bar::default(),
            hand: Hand::default(),
        }
    }

    /// Takes the accent and the onsets of a hop.
    pub fn step(&mut self, accent: Accent, onset: Onset) {
        for (recent, now) in self.recent.iter_mut().zip([onset.low, onset.all()]) {
            *recent += (now - *recent) * 0.008;
        }
        self.high += (onset.high - self.high) * 0.003;
        self.combs.push(accent);
        self.hop += 1;
        if let Some(grid) = &mut self.grid {
            grid.run(self.hop as f64);
        }
        if self.hop % LOOK_EVERY == 0 && self.hop >= FIRST_LOOK {
            self.look();
        }
    }

    /// Does what the performer asks of the beat.
    pub fn wish(&mut self, wish: TempoWish) {
        // What sounds now is seen a little later.
        let now = self.hop as f64 - 1.0 + LATE_SECS / HOP_SECS;
        let heard = self.grid.as_ref().map(|grid| (grid.anchor, grid.period));
        let mut number = self.grid.as_ref().map_or(0, |grid| grid.number);
        if let Some((anchor, period)) = self.hand.obey(wish, now, heard) {
            let grid = self.grid.get_or_insert_with(|| Grid::new(anchor, period, number, [0.0; 2]));
            (grid.anchor, grid.period, grid.debt) = (anchor, period, 0.0);
            grid.run(self.hop as f64);
            number = grid.number;
        }
        if wish == TempoWish::Resync {
            self.bar.begin(number);
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
        if let Some(slots) = self.combs.slots(grid.period as f32, (now - grid.anchor) as f32)
            && !gone
        {
            self.bar.look(grid.number, slots);
        }
        if self.hand.holds() {
            return;
        }
        if !gone && grid.age >= 30 && grid.count_anew(&self.combs, now) {
            self.bar = Bar::default();
        }
        let texture = self.high < TEXTURE && grid.period < TEXTURE_PERIOD;
        let target = if texture {
            0.3
        } else if gone {
            self.confidence * 0.997
        } else {
            ((own.z - NOTHING_Z) / (2.0 * (BELIEVED_Z - NOTHING_Z))).clamp(0.0, 1.0)
        };
        let pace = if target > self.confidence { 0.35 } else { 0.06 };
        self.confidence += (target - self.confidence) * pace;
        let young = grid.age < YOUNG;
        let rival = !grid.kin(best, now)
            && best.z > BELIEVED_Z
            && best.score > RIVAL * own.score.max(1e-3)
            && (young || best.score > RIVAL_WORTH * grid.worth)
            && (!gone || grid.coasting >= KEPT_SECS);
        self.rival_looks = if rival { self.rival_looks + 1 } else { self.rival_looks.saturating_sub(2) };
        let patience = if young || own.z < FOLLOWED_Z { QUICK_RIVAL_LOOKS } else { RIVAL_LOOKS };
        if self.rival_looks >= patience {
            self.adopt(best, now);
        } else if self.confidence < 0.08 {
            self.grid = None;
        }
    }

    fn adopt(&mut self, comb: Comb, now: f64) {
        let number = self.grid.as_ref().map_or(0, |grid| grid.number + 1);
        if self.grid.is_none() {
            self.confidence = self.confidence.max(0.5);
        }
        let mut grid = Grid::new(now - f64::from(comb.since), f64::from(comb.period), number, self.recent);
        grid.worth = comb.score;
        self.grid = Some(grid);
        self.bar = Bar::default();
        self.rival_looks = 0;
    }

    /// What the evidence of the last look says about the pulse, for the scene.
    pub fn pulse(&self) -> Pulse {
        let best = self.best;
        if best.period <= 0.0 {
            return Pulse::default();
        }
        let [kick_z, snare_z] = self.combs.kick_and_snare(best.period);
        Pulse { z: best.z, octaves: (50.0 / best.period).log2(), kick_z, snare_z }
    }

    /// The grid as the house sees it.
    pub fn grid(&self) -> BeatGrid {
        let Some(grid) = &self.grid else { return BeatGrid::default() };
        let (anchor, period, number) = self.hand.scaled(grid.anchor, grid.period, grid.number);
        let (downbeat, downbeat_confidence) = self.bar.downbeat();
        BeatGrid {
            anchor: Seconds((anchor + 1.0) * HOP_SECS - LATE_SECS),
            tempo: Tempo::new(60.0 / (period * HOP_SECS)),
            confidence: Unipolar::new(self.confidence),
            anchor_beat: number,
            downbeat,
            downbeat_confidence: Unipolar::new(downbeat_confidence * self.confidence),
            ..BeatGrid::default()
        }
    }
}

impl Grid {
    fn new(anchor: f64, period: f64, number: u64, drums: [f32; 2]) -> Self {
        Self {
            anchor,
            period,
            number,
            worth: 0.0,
            drums,
            debt: 0.0,
            age: 0,
            coasting: 0.0,
            lone_snare: 0.0,
            halved: false,
        }
    }

    /// Pays back some phase and moves the anchor to the last beat before `hop`.
    fn run(&mut self, hop: f64) {
        let pay = self.debt * 0.04;
        self.anchor += pay;
        self.debt -= pay;
        while self.anchor + self.period <= hop {
            self.anchor += self.period;
            self.number += 1;
        }
    }

    /// What speaks for this grid; for a halved one also what speaks for its quicker self.
    fn evidence(&self, combs: &Combs, now: f64) -> Comb {
        let (period, since) = (self.period as f32, (now - self.anchor) as f32);
        let own = combs.near(period, since);
        if !self.halved {
            return own;
        }
        let quick = combs.near(period / 2.0, since % (period / 2.0));
        Comb { z: own.z.max(quick.z), score: own.score.max(quick.score), ..own }
    }

    /// Corrects phase and, unless the performer set it, tempo.
    fn follow(&mut self, own: Comb, now: f64, held: bool) {
        let away = (now - f64::from(own.since)) - self.anchor - self.debt;
        let away = away - (away / self.period).round() * self.period;
        self.debt += away * 0.25;
        if !held {
            self.period += (f64::from(own.period) - self.period) * 0.08 + away * 0.002;
        }
        self.worth += (own.score - self.worth) * 0.1;
        self.coasting = 0.0;
    }

    /// Halves the count where the snare falls on one beat in four, and undoes it when that was an error.
    fn count_anew(&mut self, combs: &Combs, now: f64) -> bool {
        let quick = if self.halved { self.period / 2.0 } else { self.period };
        if quick >= QUICK_PERIOD {
            return false;
        }
        let since = (now - self.anchor) as f32;
        let snare = combs.slots(quick as f32, since).and_then(|slots| slots.lone_snare());
        self.lone_snare += (f32::from(u8::from(snare.is_some())) - self.lone_snare) * 0.08;
        match snare {
            Some(back) if !self.halved && self.lone_snare > HALVE => {
                self.halved = true;
                self.anchor -= back as f64 * quick;
                self.period = 2.0 * quick;
                self.run(now + 1.0);
                true
            }
            _ if self.halved && self.lone_snare < RESTORE => {
                self.halved = false;
                self.period = quick;
                self.run(now + 1.0);
                true
            }
            _ => false,
        }
    }

    /// Whether a reading is this very grid, or the same one counted twice as fast.
    fn kin(&self, comb: Comb, now: f64) -> bool {
        let period = f64::from(comb.period);
        let ratio = period / self.period;
        let away = (now - f64::from(comb.since) - self.anchor) / self.period.min(period);
        ((ratio - 1.0).abs() < 0.03 || (2.0 * ratio - 1.0).abs() < 0.03) && (away - away.round()).abs() < 0.15
    }
}
