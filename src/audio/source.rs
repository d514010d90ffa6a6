//! The interface of every audio source, and the playhead of the sources that are not devices.

use crate::units::Seconds;

use super::{Block, SAMPLE_RATE_HZ};

/// A source of audio at [`SAMPLE_RATE_HZ`].
pub trait Source: Send {
    /// Replaces the contents of `block` with the audio from the last read until `now` on the show clock.
    ///
    /// Never blocks. `block.start` counts all frames delivered since the first read. With a fixed time step
    /// (`now = k / fps`), files and the demo track give the same blocks on every run.
    fn read(&mut self, now: Seconds, block: &mut Block);

    /// Returns whether the source has ended.
    fn finished(&self) -> bool;

    /// Returns the name of the device, file or track, for the desk.
    fn name(&self) -> String;
}

/// Maximum number of frames delivered by one read; after a longer stall, the rest is skipped, as with a device.
const MAX_PER_READ: u64 = SAMPLE_RATE_HZ as u64 * 2;

/// Counter of the frames due from a file, a recording or the demo track. Its clock starts with the first call to
/// [`Self::due`].
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Playhead {
    started: Option<Seconds>,
    delivered: u64,
}

impl Playhead {
    /// Returns the number of frames delivered so far.
    pub(super) fn position(self) -> u64 {
        self.delivered
    }

    /// Returns the number of frames due at `now` and counts them as delivered. After a long jump of the
    /// clock, skips all but [`MAX_PER_READ`] frames.
    pub(super) fn due(&mut self, now: Seconds) -> usize {
        let started = *self.started.get_or_insert(now);
        // The small bias keeps k / fps from falling one frame short through rounding.
        let target = ((now.since(started).0 * f64::from(SAMPLE_RATE_HZ)) + 1e-6).floor() as u64;
        let due = target.saturating_sub(self.delivered);
        if due > MAX_PER_READ {
            let lost = (due - MAX_PER_READ) as f64 / f64::from(SAMPLE_RATE_HZ);
            self.started = Some(Seconds(started.0 + lost));
        }
        let due = due.min(MAX_PER_READ);
        self.delivered += due;
        due as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_60_fps_clock_gives_735_samples_per_frame() {
        let mut head = Playhead::default();
        assert_eq!(head.due(Seconds(100.0)), 0);
        for k in 1..=10_000 {
            assert_eq!(head.due(Seconds(100.0 + f64::from(k) / 60.0)), 735, "frame {k}");
        }
    }

    #[test]
    fn a_stalled_clock_skips_audio() {
        let mut head = Playhead::default();
        head.due(Seconds(0.0));
        assert_eq!(head.due(Seconds(60.0)) as u64, MAX_PER_READ);
        assert_eq!(head.due(Seconds(60.5)), 22_050);
        assert_eq!(head.due(Seconds(10.0)), 0, "a clock that runs backwards delivers nothing");
    }
}
