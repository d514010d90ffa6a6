//! Divides the time budget of a bake between its stages, across restarts.
//!
//! Each stage may run until its share of the budget is used up, so that unused time passes to the next stage,
//! and the last stage always finishes.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::stage_times::{StageTime, StageTimes};

/// Share of the budget after which no more presets are audited: auditing a preset takes half as long as rendering its
/// frames.
pub(super) const AUDIT_UNTIL: f64 = 0.3;
/// The same if the audit also saves the frames, so that few are left to render.
pub(super) const AUDIT_WITH_FRAMES_UNTIL: f64 = 0.8;
/// Share of the budget after which no more frames are rendered.
pub(super) const FRAMES_UNTIL: f64 = 0.85;
/// Share of the budget after which no more presets are embedded.
pub(super) const EMBED_UNTIL: f64 = 0.96;
/// Share of the budget after which the embeddings are no longer tuned; clusters and index take the rest.
pub(super) const TUNE_UNTIL: f64 = 0.98;

/// Clock of a bake, including the time of its earlier runs.
pub(super) struct Clock {
    budget: Duration,
    earlier: Duration,
    started: Instant,
    /// What each stage has taken.
    pub stages: StageTimes,
}

impl Clock {
    /// Starts the clock of a bake with this budget, of which earlier runs spent `earlier`.
    pub fn new(budget: Duration, earlier: Duration) -> Self {
        Self { budget, earlier, started: Instant::now(), stages: StageTimes::default() }
    }

    /// Returns this clock with what the stages took in earlier runs.
    pub fn with_stages(self, past: BTreeMap<String, StageTime>) -> Self {
        Self { stages: StageTimes::resume(past), ..self }
    }

    /// Returns the time spent so far.
    pub fn spent(&self) -> Duration {
        self.earlier + self.started.elapsed()
    }

    /// Returns the time until this share of the budget is used up.
    pub fn left(&self, share: f64) -> Duration {
        self.budget.mul_f64(share).saturating_sub(self.spent())
    }

    /// Returns whether this share of the budget is used up.
    pub fn over(&self, share: f64) -> bool {
        self.left(share).is_zero()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resumed_bake_has_only_the_rest_of_its_budget() {
        let hours = |hours: u64| Duration::from_secs(hours * 3600);
        let fresh = Clock::new(hours(10), Duration::ZERO);
        let resumed = Clock::new(hours(10), hours(4));
        let left = |clock: &Clock, share| clock.left(share).as_secs_f64() / 3600.0;
        assert!((left(&fresh, AUDIT_UNTIL) - 3.0).abs() < 0.01);
        assert!(resumed.over(AUDIT_UNTIL) && (left(&resumed, FRAMES_UNTIL) - 4.5).abs() < 0.01);
        assert!(Clock::new(hours(10), hours(11)).over(1.0));
    }
}
