//! One grid of beats: follows its evidence, glides instead of jumping, and may count only every second beat.

use super::bar::BarView;
use super::cells::Cells;
use super::comb::{Comb, Combs};
use super::drums::Accent;
use super::octave;

/// How fast the opinion about the octave moves, per look, and where it changes the count.
const OCTAVE_PACE: f32 = 0.06;
const HALVE: f32 = 1.2;
const RESTORE: f32 = -1.8;
/// Slowest tempo that is counted, as a period in hops; a slower count is never made by halving.
const SLOWEST: f64 = 150.0;

/// Anchor and period in hops and number of the anchor's beat, as the music is counted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Count {
    /// A beat, in hops.
    pub anchor: f64,
    /// In hops.
    pub period: f64,
    /// Number of that beat.
    pub number: u64,
}

/// The grid. Its own beats are the quick ones; what is counted may be every second of them.
pub struct Grid {
    /// The last quick beat, in hops.
    pub anchor: f64,
    /// Of quick beats, in hops.
    pub period: f64,
    number: u64,
    /// When every second beat is counted: 0 when these are the even ones, else 1.
    slow: Option<u64>,
    /// Log odds that every second quick beat is none, smoothed.
    octave: f32,
    cells: Cells,
    /// What the evidence scored lately; fades slowly without any.
    pub worth: f32,
    /// How far the evidence stood out, over the last seconds.
    pub steady: f32,
    /// Low and overall onset strength while the evidence was good.
    pub drums: [f32; 2],
    /// Phase still to be made up, in hops, so that the grid glides and does not jump.
    debt: f64,
    /// Looks since it was adopted.
    pub age: u32,
    /// Seconds without evidence.
    pub coasting: f32,
}

impl Grid {
    /// A grid whose beat `number` falls on `anchor`.
    pub fn new(anchor: f64, period: f64, number: u64, drums: [f32; 2]) -> Self {
        Self {
            anchor,
            period,
            number,
            slow: None,
            octave: 0.0,
            cells: Cells::new(),
            worth: 0.0,
            steady: 0.0,
            drums,
            debt: 0.0,
            age: 0,
            coasting: 0.0,
        }
    }

    /// The same count on quick beats of half the period: nothing changes yet, but it may.
    pub fn quicker(comb: &Comb, now: f64, was: &Grid) -> Self {
        let count = was.count();
        let period = f64::from(comb.period);
        let mut grid = Self::new(now - f64::from(comb.since), period, 0, was.drums);
        // Quick beats since the counted one, whose number is twice its own.
        let since = ((grid.anchor - count.anchor) / period).round();
        grid.number = (2.0 * count.number as f64 + since).max(0.0) as u64;
        grid.slow = Some(0);
        grid.octave = HALVE;
        grid.age = was.age;
        grid
    }

    /// Puts a beat where the performer says; every beat counts.
    pub fn place(&mut self, anchor: f64, period: f64) {
        let number = self.count().number;
        *self = Self {
            worth: self.worth,
            steady: self.steady,
            age: self.age,
            ..Self::new(anchor, period, number, self.drums)
        };
    }

    /// Moves the anchor to the last beat before `hop`, pays back some phase, and notes the accent, which belongs to
    /// the moment `hop - 1`.
    pub fn run(&mut self, hop: f64, accent: Option<&Accent>) {
        let pay = self.debt * 0.04;
        self.anchor += pay;
        self.debt -= pay;
        while self.anchor + self.period <= hop {
            self.anchor += self.period;
            self.number += 1;
        }
        if let Some(accent) = accent {
            self.cells.push(self.number as f64 + (hop - 1.0 - self.anchor) / self.period, accent);
        }
    }

    /// What speaks for this grid at `now`: all of its beats, or every second one, in terms of its own period.
    pub fn evidence(&self, combs: &Combs, now: f64) -> Comb {
        let (period, since) = (self.period as f32, (now - self.anchor) as f32);
        let quick = combs.near(period, since);
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
        best(quick, best(slow(since), slow(since + period)))
    }

    /// Corrects phase and, unless the performer set it, tempo.
    pub fn follow(&mut self, own: Comb, now: f64, held: bool) {
        let away = (now - f64::from(own.since)) - self.anchor - self.debt;
        let away = away - (away / self.period).round() * self.period;
        self.debt += away * 0.25;
        if !held {
            self.period += (f64::from(own.period) - self.period) * 0.08 + away * 0.002;
        }
        self.worth += (own.score - self.worth) * 0.1;
        self.coasting = 0.0;
    }

    /// Decides whether every beat counts or every second one; returns whether that changed.
    pub fn count_anew(&mut self) -> bool {
        let Some(odds) = octave::too_fast(&self.cells, (6000.0 / self.period) as f32) else { return false };
        self.octave += (odds.clamp(-6.0, 6.0) - self.octave) * OCTAVE_PACE;
        let before = self.slow;
        if self.slow.is_none() && self.octave > HALVE && 2.0 * self.period < SLOWEST {
            let weight = |parity: usize| {
                self.cells
                    .mean(parity, 0, 2)
                    .map_or(0.0, |[low, mid, high, sharp]| low + 0.7 * mid + 0.3 * high + sharp)
            };
            self.slow = Some(u64::from(weight(1) > weight(0)));
        } else if self.slow.is_some() && self.octave < RESTORE {
            self.slow = None;
        }
        self.slow != before
    }

    /// What falls on the counted beats whose numbers modulo four are 0 to 3; `None` before all were passed.
    pub fn bar(&self) -> Option<BarView> {
        let mut view = BarView::default();
        for (beat, view) in view.iter_mut().enumerate() {
            *view = match self.slow {
                None => [self.cells.mean(beat, 0, 4)?, self.cells.mean(beat, 2, 4)?],
                Some(parity) => {
                    let quick = 2 * beat + parity as usize;
                    [self.cells.mean(quick, 0, 8)?, self.cells.mean(quick + 1, 0, 8)?]
                }
            };
        }
        Some(view)
    }

    /// The grid as it is counted.
    pub fn count(&self) -> Count {
        let Self { anchor, period, number, .. } = *self;
        match self.slow {
            None => Count { anchor, period, number },
            Some(parity) => {
                // Counted beat n is quick beat 2 n + parity.
                let back = (number + parity) % 2;
                let number = (number - back.min(number)).saturating_sub(parity) / 2;
                Count { anchor: anchor - back as f64 * period, period: 2.0 * period, number }
            }
        }
    }

    /// Whether a reading is this very grid, or the same one counted twice as fast or half as fast.
    pub fn kin(&self, comb: Comb, now: f64) -> bool {
        let period = f64::from(comb.period);
        let ratio = period / self.period;
        let away = (now - f64::from(comb.since) - self.anchor) / self.period.min(period);
        [1.0, 2.0, 0.5].iter().any(|octave| (ratio / octave - 1.0).abs() < 0.03)
            && (away - away.round()).abs() < 0.15
    }

    /// Whether a kindred reading has beats between those of this grid.
    pub fn twice_as_quick(&self, comb: Comb) -> bool {
        f64::from(comb.period) < 0.7 * self.period
    }
}
