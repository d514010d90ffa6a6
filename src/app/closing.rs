//! Guards against closing the output window by mistake: the show ends only if the close button is pressed twice.

use std::time::{Duration, Instant};

use winit::window::Window;

/// Title of the output window.
pub(super) const TITLE: &str = "aivj output";
/// Title of the output window after a first press of its close button; visible even if the desk is hidden.
const ASKING: &str = "aivj output: close again to end the show";
/// Message on the desk after a first press of the output's close button.
const MESSAGE: &str = "close the output window again to end the show";
/// Time limit for the second press.
const CONFIRM_WITHIN: Duration = Duration::from_secs(5);

/// State of the close button, which must be pressed twice within [`CONFIRM_WITHIN`] to end the show.
#[derive(Debug, Default)]
pub(super) struct CloseGuard {
    asked: Option<Instant>,
}

impl CloseGuard {
    /// Handles a press of the close button at `now`; returns whether the show should end.
    pub fn pressed(&mut self, now: Instant) -> bool {
        let again = self.asking(now);
        self.asked = Some(now);
        again
    }

    /// Returns whether a second press would end the show.
    pub fn asking(&self, now: Instant) -> bool {
        self.asked.is_some_and(|asked| now.duration_since(asked) < CONFIRM_WITHIN)
    }

    /// Returns the message for the desk, if any.
    pub fn message(&self, now: Instant) -> Option<&'static str> {
        self.asking(now).then_some(MESSAGE)
    }

    /// Updates the title of the output window to match the state at `now`.
    pub fn show(&mut self, window: &Window, now: Instant) {
        if self.asking(now) {
            window.set_title(ASKING);
        } else if self.asked.take().is_some() {
            window.set_title(TITLE);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_second_press_in_time_ends_the_show() {
        let start = Instant::now();
        let at = |secs| start + Duration::from_secs(secs);
        let mut guard = CloseGuard::default();
        assert!(guard.message(start).is_none());
        assert!(!guard.pressed(at(0)) && guard.message(at(4)).is_some());
        assert!(guard.message(at(5)).is_none() && !guard.pressed(at(6)), "too late");
        assert!(guard.pressed(at(8)));
    }
}
