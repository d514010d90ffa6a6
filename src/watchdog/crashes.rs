//! Counts crashes, to decide when to start the show in safe mode and when to give up.

use std::collections::VecDeque;
use std::time::Duration;

/// Number of crashes within [`WINDOW`], or in a row before a picture was shown, after which the show starts in safe
/// mode. Crashes in a row count as well because a start may hang for longer than the window.
const MAX_CRASHES: usize = 3;
/// Period over which crashes are counted.
const WINDOW: Duration = Duration::from_secs(60);
/// Number of consecutive crashes, all before a picture was shown, after which the supervisor gives up.
const MAX_EARLY: usize = 5;

/// What to do after a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Restart the show normally.
    Restart,
    /// Restart the show with built-in presets only.
    SafeMode,
    /// Give up, because the show repeatedly crashed before it showed a picture.
    GiveUp,
}

/// The recent crashes of a show.
#[derive(Default)]
pub(super) struct Crashes {
    recent: VecDeque<Duration>,
    early: usize,
    safe_mode: bool,
}

impl Crashes {
    /// Counts a crash and returns what to do about it. `now` is the time since the supervisor started;
    /// `shown` is whether the child had shown a picture.
    pub fn add(&mut self, now: Duration, shown: bool) -> Next {
        self.recent.push_back(now);
        self.recent.retain(|crash| now - *crash < WINDOW);
        self.early = if shown { 0 } else { self.early + 1 };
        if self.early >= MAX_EARLY {
            return Next::GiveUp;
        }
        // Once in safe mode, the show stays there until the program is started again.
        self.safe_mode |= self.recent.len().max(self.early) >= MAX_CRASHES;
        if self.safe_mode { Next::SafeMode } else { Next::Restart }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(crashes: &[(u64, bool)]) -> Vec<Next> {
        let mut count = Crashes::default();
        crashes.iter().map(|(secs, shown)| count.add(Duration::from_secs(*secs), *shown)).collect()
    }

    #[test]
    fn three_crashes_within_a_minute_lead_to_safe_mode_for_good() {
        use Next::{Restart, SafeMode};
        assert_eq!(after(&[(0, true), (40, true), (61, true), (130, true)]), [Restart; 4]);
        assert_eq!(
            after(&[(0, true), (20, true), (59, true), (900, true)]),
            [Restart, Restart, SafeMode, SafeMode]
        );
    }

    #[test]
    fn three_hangs_at_the_start_lead_to_safe_mode_however_long_they_take() {
        use Next::{Restart, SafeMode};
        assert_eq!(after(&[(61, false), (122, false), (183, false)]), [Restart, Restart, SafeMode]);
        assert_eq!(after(&[(61, false), (122, false), (500, true), (561, false)]), [Restart; 4]);
    }

    #[test]
    fn the_supervisor_gives_up_on_a_show_that_never_shows_a_picture() {
        let crashes = [(0, false), (100, false), (200, false), (300, false), (400, false)];
        assert_eq!(after(&crashes).last(), Some(&Next::GiveUp));
        let once_up = [(0, false), (100, false), (200, true), (300, false), (400, false)];
        assert_eq!(after(&once_up).last(), Some(&Next::Restart));
    }
}
