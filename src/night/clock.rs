//! How the hours of a night are shared, over as many starts as it takes.
//!
//! Each stage may work until its share of the whole is over, so that time a stage does not need goes to the next one
//! and the last stage always finishes.

use std::time::{Duration, Instant};

/// Share of the night after which no more presets are audited: one costs a fifth of its frames.
pub(super) const AUDIT_UNTIL: f64 = 0.2;
/// Share after which no more frames are rendered.
pub(super) const FRAMES_UNTIL: f64 = 0.85;
/// Share after which no more presets are embedded; clusters and index take what is left.
pub(super) const EMBED_UNTIL: f64 = 0.96;

/// The night's clock. What earlier starts of the same night have spent counts.
pub(super) struct Clock {
    whole: Duration,
    before: Duration,
    started: Instant,
}

impl Clock {
    /// A night of `whole`, of which `before` is spent.
    pub fn new(whole: Duration, before: Duration) -> Self {
        Self { whole, before, started: Instant::now() }
    }

    /// What is spent of the night.
    pub fn spent(&self) -> Duration {
        self.before + self.started.elapsed()
    }

    /// What is left until this share of the night is over.
    pub fn left(&self, share: f64) -> Duration {
        self.whole.mul_f64(share).saturating_sub(self.spent())
    }

    /// Whether this share of the night is over.
    pub fn over(&self, share: f64) -> bool {
        self.left(share).is_zero()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_night_that_goes_on_has_only_what_is_left_of_it() {
        let hours = |hours: u64| Duration::from_secs(hours * 3600);
        let fresh = Clock::new(hours(10), Duration::ZERO);
        let again = Clock::new(hours(10), hours(4));
        let left = |clock: &Clock, share| clock.left(share).as_secs_f64() / 3600.0;
        assert!((left(&fresh, AUDIT_UNTIL) - 2.0).abs() < 0.01);
        assert!(again.over(AUDIT_UNTIL) && (left(&again, FRAMES_UNTIL) - 4.5).abs() < 0.01);
        assert!(Clock::new(hours(10), hours(11)).over(1.0));
    }
}
