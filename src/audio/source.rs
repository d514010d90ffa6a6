//! What every source of sound has in common, and the clock by which files play.

use crate::units::Seconds;

use super::{Block, HOUSE_RATE_HZ};

/// Anything that delivers sound at [`HOUSE_RATE_HZ`].
pub trait Source: Send {
    /// Replaces the contents of `block` by the sound that is new at `now` on the show's clock.
    ///
    /// Never waits. `block.start` counts every frame delivered before, from the source's first read. Reading
    /// with a counted clock (`now = k / fps`) gives the same blocks every time for files and the demo track.
    fn read(&mut self, now: Seconds, block: &mut Block);

    /// True when nothing more will ever come.
    fn finished(&self) -> bool;

    /// What is playing, for the panel.
    fn name(&self) -> String;
}

/// Longest stretch delivered by one read, in frames; after a stall the rest is skipped, like on a real device.
const MOST_PER_READ: u64 = HOUSE_RATE_HZ as u64 * 2;

/// How many frames a played source owes at a moment. The first question starts the clock.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Playhead {
    started: Option<Seconds>,
    delivered: u64,
}

impl Playhead {
    /// Frames delivered so far.
    pub(super) fn position(self) -> u64 {
        self.delivered
    }

    /// Frames due at `now`; they count as delivered. A clock that jumps far ahead loses the time between.
    pub(super) fn due(&mut self, now: Seconds) -> usize {
        let started = *self.started.get_or_insert(now);
        // The small bias keeps k / fps from falling one frame short by rounding.
        let target = ((now.since(started).0 * f64::from(HOUSE_RATE_HZ)) + 1e-6).floor() as u64;
        let due = target.saturating_sub(self.delivered);
        if due > MOST_PER_READ {
            let lost = (due - MOST_PER_READ) as f64 / f64::from(HOUSE_RATE_HZ);
            self.started = Some(Seconds(started.0 + lost));
        }
        let due = due.min(MOST_PER_READ);
        self.delivered += due;
        due as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_of_sixty_frames_a_second_owes_735_samples_each() {
        let mut head = Playhead::default();
        assert_eq!(head.due(Seconds(100.0)), 0);
        for k in 1..=10_000 {
            assert_eq!(head.due(Seconds(100.0 + f64::from(k) / 60.0)), 735, "frame {k}");
        }
    }

    #[test]
    fn a_stalled_clock_skips_instead_of_flooding() {
        let mut head = Playhead::default();
        head.due(Seconds(0.0));
        assert_eq!(head.due(Seconds(60.0)) as u64, MOST_PER_READ);
        assert_eq!(head.due(Seconds(60.5)), 22_050);
        assert_eq!(head.due(Seconds(10.0)), 0, "a clock that runs backwards owes nothing");
    }
}
