//! Chooses the picture quality that a computer can keep up with, from measured step times.
//!
//! The governor first shrinks the picture, then drops steps evenly. Its decisions depend only on the measurements:
//! the same step times always produce the same decisions.

use serde::{Deserialize, Serialize};

/// Numbers of slots per step to try, in this order, if even the smallest scale is too slow at the full rate.
const EVERY: [u32; 4] = [2, 3, 4, 6];
/// Minimum number of step times for a decision.
const MIN_STEPS: usize = 5;
/// Minimum time that the step times must cover for a decision, in seconds.
const WINDOW_SECS: f64 = 0.5;
/// Number of step times ignored after a change: they include the cost of the change itself.
const SETTLING: usize = 3;
/// Share of the budget that the predicted step time at a higher quality must stay below before that quality
/// is tried.
const HEADROOM: f64 = 0.75;
/// Initial and maximum time, in seconds, for which a higher quality must appear to fit before it is tried.
/// The time doubles whenever a higher quality turns out to be too slow.
const PATIENCE_SECS: (f64, f64) = (3.0, 96.0);
/// Time after which a higher quality counts as sustainable, in seconds.
const PROVED_SECS: f64 = 10.0;

/// A picture quality: the size of the picture and the rate of steps.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quality {
    /// Side length of the picture and of the warp mesh, relative to full size.
    pub scale: f64,
    /// Number of slots per step; 1 at the full rate.
    pub every: u32,
}

impl Default for Quality {
    fn default() -> Self {
        Self::FULL
    }
}

impl Quality {
    /// Full size at the full rate.
    pub const FULL: Self = Self { scale: 1.0, every: 1 };
    /// Side lengths of the picture relative to full size, largest first.
    pub const SCALES: [f64; 4] = [1.0, 0.85, 0.7, 0.6];
    /// The smallest scale of the picture.
    pub const SMALLEST: f64 = Self::SCALES[Self::SCALES.len() - 1];

    fn of(level: usize) -> Self {
        match Self::SCALES.get(level) {
            Some(&scale) => Self { scale, every: 1 },
            None => Self { scale: Self::SMALLEST, every: EVERY[level - Self::SCALES.len()] },
        }
    }
}

/// Chooses the quality from the step times it observes.
#[derive(Clone, Debug)]
pub struct Governor {
    /// Time that a step at full rate may take, in seconds.
    budget: f64,
    level: usize,
    times: Vec<f64>,
    /// Seconds covered by `times`.
    window_secs: f64,
    ignored: usize,
    /// Seconds since the latest change.
    kept_secs: f64,
    /// Seconds for which a higher quality has seemed possible.
    fits_secs: f64,
    patience_secs: f64,
    /// Whether the latest change raised the quality.
    raised: bool,
}

impl Governor {
    /// Creates a governor that starts with full quality. `budget` is the time that a step at full rate may take, in
    /// seconds.
    pub fn new(budget: f64) -> Self {
        Self {
            budget,
            level: 0,
            times: Vec::new(),
            window_secs: 0.0,
            ignored: 0,
            kept_secs: 0.0,
            fits_secs: 0.0,
            patience_secs: PATIENCE_SECS.0,
            raised: false,
        }
    }

    /// Returns the current quality.
    pub fn quality(&self) -> Quality {
        Quality::of(self.level)
    }

    /// Returns the time budget of a step at full rate, in seconds.
    pub fn budget(&self) -> f64 {
        self.budget
    }

    /// Lowers the quality to the smallest size until there is time for a larger one.
    pub fn shrink(&mut self) {
        if self.level + 1 < Quality::SCALES.len() {
            self.change_to(Quality::SCALES.len() - 1, false);
        }
    }

    /// Sets the time budget of a step at full rate, in seconds; used when the rate changes.
    pub fn set_budget(&mut self, budget: f64) {
        self.budget = budget;
        self.forget();
    }

    /// Discards the observed step times; returns the seconds they covered.
    fn forget(&mut self) -> f64 {
        self.times.clear();
        std::mem::take(&mut self.window_secs)
    }

    /// Adds the time that a step took and the time since the previous step, in seconds. Returns the new quality when it
    /// changes.
    pub fn observe(&mut self, took: f64, dt: f64) -> Option<Quality> {
        self.kept_secs += dt;
        if self.kept_secs > PROVED_SECS {
            self.raised = false;
        }
        if self.ignored < SETTLING {
            self.ignored += 1;
            return None;
        }
        self.times.push(took);
        self.window_secs += dt;
        if self.times.len() < MIN_STEPS || self.window_secs < WINDOW_SECS {
            return None;
        }
        self.times.sort_by(f64::total_cmp);
        let median = self.times[self.times.len() / 2];
        let window_secs = self.forget();
        if median > self.limit(self.level) {
            return self.lower();
        }
        self.fits_secs = if self.higher_fits(median) { self.fits_secs + window_secs } else { 0.0 };
        (self.fits_secs >= self.patience_secs).then(|| self.change_to(self.level - 1, true))
    }

    /// Returns the time that a step may take at a quality level, in seconds.
    fn limit(&self, level: usize) -> f64 {
        self.budget * f64::from(Quality::of(level).every)
    }

    fn lower(&mut self) -> Option<Quality> {
        if self.raised {
            self.patience_secs = (self.patience_secs * 2.0).min(PATIENCE_SECS.1);
        }
        let lowest = Quality::SCALES.len() + EVERY.len() - 1;
        self.fits_secs = 0.0;
        (self.level < lowest).then(|| self.change_to(self.level + 1, false))
    }

    /// Predicts whether the next higher quality fits, assuming that step times are proportional to the number
    /// of pixels.
    fn higher_fits(&self, took: f64) -> bool {
        let Some(higher) = self.level.checked_sub(1) else { return false };
        let growth = Quality::of(higher).scale / self.quality().scale;
        took * growth * growth < HEADROOM * self.limit(higher)
    }

    fn change_to(&mut self, level: usize, raised: bool) -> Quality {
        self.level = level;
        self.ignored = 0;
        self.forget();
        (self.kept_secs, self.fits_secs, self.raised) = (0.0, 0.0, raised);
        self.quality()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLOT: f64 = 1.0 / 60.0;

    /// Runs for `secs` seconds with steps that take `fixed` seconds, plus a time proportional to the number of pixels:
    /// `pixels` seconds at full size. Returns the changes.
    fn run(governor: &mut Governor, secs: f64, fixed: f64, pixels: f64) -> Vec<Quality> {
        let (mut now, mut changes) = (0.0, Vec::new());
        while now < secs {
            let Quality { scale, every } = governor.quality();
            let took = fixed + pixels * scale * scale;
            let dt = SLOT * f64::from(every).max((took / SLOT).ceil());
            now += dt;
            changes.extend(governor.observe(took, dt));
        }
        changes
    }

    #[test]
    fn a_fast_computer_keeps_full_quality() {
        let mut governor = Governor::new(SLOT);
        assert_eq!(run(&mut governor, 60.0, 0.002, 0.012), []);
    }

    #[test]
    fn the_picture_shrinks_before_steps_are_dropped() {
        let mut governor = Governor::new(SLOT);
        run(&mut governor, 20.0, 0.002, 0.025);
        assert_eq!(governor.quality(), Quality { scale: 0.7, every: 1 });
        let mut governor = Governor::new(SLOT);
        run(&mut governor, 20.0, 0.002, 0.09);
        assert_eq!(governor.quality(), Quality { scale: 0.6, every: 3 });
        let mut governor = Governor::new(SLOT);
        run(&mut governor, 200.0, 2.0, 2.0);
        assert_eq!(governor.quality(), Quality { scale: 0.6, every: 6 });
    }

    #[test]
    fn quality_recovers_after_the_load_and_does_not_oscillate() {
        let mut governor = Governor::new(SLOT);
        run(&mut governor, 20.0, 0.002, 0.09);
        run(&mut governor, 60.0, 0.002, 0.008);
        assert_eq!(governor.quality(), Quality::FULL);
        // Full size is predicted to fit but never does, so attempts become rare.
        let mut governor = Governor::new(SLOT);
        let (mut now, mut raised) = (0.0, 0);
        while now < 600.0 {
            let took = if governor.quality().scale < 1.0 { 0.005 } else { 0.02 };
            now += SLOT;
            raised += u32::from(governor.observe(took, SLOT) == Some(Quality::FULL));
        }
        assert!((3..15).contains(&raised), "{raised} attempts in ten minutes");
    }

    #[test]
    fn single_slow_steps_change_nothing() {
        let mut governor = Governor::new(SLOT);
        for step in 0..6000 {
            let took = if step % 9 == 0 { 0.2 } else { 0.008 };
            assert_eq!(governor.observe(took, SLOT), None);
        }
    }
}
