//! Decides whether a silent show has hung or is only waiting for a CPU.

use std::time::Duration;

use super::pressure::Pressure;

/// Silence after which a show that has shown a picture counts as hung, if nothing else kept it from running.
const HANG: Duration = Duration::from_millis(500);
/// Divisor for silence that may have a cause outside the show, or that comes before the first picture.
const DOUBT: u32 = 4;
/// Divisor for silence that comes before the first picture and may have a cause outside the show, such as a
/// driver that compiles shaders for up to a minute.
const COMPILING: u32 = 120;
/// Maximum time until the first heartbeat of a show.
const START_UP: Duration = Duration::from_secs(60);
/// Maximum time until the first heartbeat of a standby that takes over; it still has to open windows and the
/// library.
const TAKE_OVER: Duration = Duration::from_secs(30);

/// Progress of the show, as reported so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Stage {
    /// It has not reported anything yet.
    #[default]
    Starting,
    /// It has sent a heartbeat.
    Beating,
    /// It has reported its first picture.
    Shown,
}

/// The silence of a show since its last heartbeat.
///
/// Measured by the number of checks, not by the clock: while the computer is suspended or overloaded, the
/// supervisor does not run either.
#[derive(Debug)]
pub(super) struct Silence {
    stage: Stage,
    /// Maximum time until the first heartbeat.
    start_up: Duration,
    /// Silence so far, reduced while it may have a cause outside the show or no picture has been shown.
    counted: Duration,
}

impl Silence {
    /// Creates the silence of a show that has just been started or, if `standby` is true, of a standby that
    /// has just taken over.
    pub fn of(standby: bool) -> Self {
        let start_up = if standby { TAKE_OVER } else { START_UP };
        Self { stage: Stage::Starting, start_up, counted: Duration::ZERO }
    }

    /// Records a heartbeat, which ends the silence.
    pub fn beat(&mut self) {
        self.counted = Duration::ZERO;
        if self.stage == Stage::Starting {
            self.stage = Stage::Beating;
        }
    }

    /// Records that the first picture was shown.
    pub fn shown(&mut self) {
        self.stage = Stage::Shown;
    }

    /// Returns the progress reported so far.
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// Adds an interval of `length` without a heartbeat. Returns whether the show now counts as hung.
    pub fn check(&mut self, length: Duration, pressure: Pressure) -> bool {
        let (share, limit) = match (self.stage, pressure) {
            (Stage::Starting, _) => (length, self.start_up),
            (_, Pressure::Gone) => return true,
            // Restarting does not help a show that gets no CPU time.
            (_, Pressure::Starved) => (Duration::ZERO, HANG),
            // Before its first picture, a show may be compiling shaders for the first time.
            (Stage::Beating, Pressure::Doubtful) => (length / COMPILING, HANG),
            (Stage::Beating, _) | (_, Pressure::Doubtful) => (length / DOUBT, HANG),
            (Stage::Shown, Pressure::None) => (length, HANG),
        };
        self.counted += share;
        self.counted > limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHECK_INTERVAL: Duration = Duration::from_millis(25);

    /// Returns the length of the silence under `pressure` after which a show counts as hung; `None` if it exceeds a
    /// minute. `shown` is whether the show has shown a picture.
    fn hung_after(shown: bool, pressure: Pressure) -> Option<Duration> {
        let mut silence = Silence::of(false);
        silence.beat();
        if shown {
            silence.shown();
        }
        (1..2400).map(|checks| checks * CHECK_INTERVAL).find(|_| silence.check(CHECK_INTERVAL, pressure))
    }

    #[test]
    fn a_show_without_progress_counts_as_hung_after_half_a_second() {
        assert_eq!(hung_after(true, Pressure::None), Some(HANG + CHECK_INTERVAL));
        let doubtful = hung_after(true, Pressure::Doubtful).expect("hung");
        assert!((HANG * 4..HANG * 5).contains(&doubtful), "{doubtful:?}");
        assert_eq!(hung_after(false, Pressure::None), Some(doubtful), "before the first picture");
        assert_eq!(hung_after(false, Pressure::Doubtful), None, "it may be compiling for a minute");
        assert_eq!(hung_after(true, Pressure::Gone), Some(CHECK_INTERVAL), "the show thread has ended");
    }

    #[test]
    fn a_starved_show_never_counts_as_hung_and_heartbeats_end_a_silence() {
        assert_eq!(hung_after(true, Pressure::Starved), None);
        let mut silence = Silence::of(false);
        silence.beat();
        silence.shown();
        for _ in 0..100 {
            assert!((0..20).all(|_| !silence.check(CHECK_INTERVAL, Pressure::None)));
            silence.beat();
        }
    }

    #[test]
    fn a_start_may_take_a_minute() {
        let mut silence = Silence::of(false);
        let checks = (1..4800).find(|_| silence.check(CHECK_INTERVAL, Pressure::None)).expect("given up");
        assert!(checks * CHECK_INTERVAL > START_UP && checks * CHECK_INTERVAL < START_UP * 2);
    }
}
