//! Frames submitted to the graphics device: how many are unfinished, and how long each finished one took.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::stage::Gpu;
use crate::units::process_time;

/// Time, in seconds, after which a frame counts as finished even if the device has not reported it.
const LONGEST_SECS: f64 = 1.0;

/// Tracks the frames in flight. Never blocks.
pub(super) struct InFlight {
    /// Maximum number of frames in flight.
    most: usize,
    /// Start of each frame in flight, oldest first.
    started: VecDeque<Started>,
    /// Number of frames that are no longer in flight.
    oldest: u64,
    finished: Arc<AtomicU64>,
    finished_at: f64,
    /// Time of the last check for finished frames, in seconds.
    looked_at: f64,
}

/// The start of a frame.
struct Started {
    /// When the frame was started, in seconds.
    at: f64,
    /// CPU time that this process had used by then; `None` if unknown, or if a graphics card draws.
    used: Option<Duration>,
}

/// Times of a finished frame, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct FrameTime {
    /// Time from the frame's start, or from the previous frame's end if that is later, until the frame was found
    /// finished.
    pub secs: f64,
    /// Shortest interval at which such frames can be drawn. On a graphics card, this is `secs`; on a software
    /// rasteriser, which uses all cores, it is longer if all cores but one would need longer for the same work.
    pub interval_secs: f64,
    /// Lower bound on `interval_secs`, without delays caused by other programs or a late check.
    pub least_interval_secs: f64,
}

/// Returns the shortest interval, in seconds, at which a software rasteriser can draw frames that take `secs` and use
/// `used` seconds of CPU time, if one core must stay free for audio and the desk. If `used` is unknown, all cores
/// count as busy.
fn software_interval(secs: f64, used: Option<f64>, cores: f64) -> f64 {
    let most = secs * cores;
    secs.max(used.map_or(most, |used| used.min(most)) / (cores - 1.0))
}

impl InFlight {
    /// Creates an empty tracker that allows at most `most` frames in flight.
    pub fn new(most: usize) -> Self {
        Self {
            most,
            started: VecDeque::new(),
            oldest: 0,
            finished: Arc::default(),
            finished_at: 0.0,
            looked_at: 0.0,
        }
    }

    /// Adds the frame that was just submitted; `at` is when it was started, in seconds.
    pub fn add(&mut self, gpu: &Gpu, at: f64) {
        let used = gpu.software().then(process_time).filter(|used| !used.is_zero());
        self.started.push_back(Started { at, used });
        let (number, finished) = (self.oldest + self.started.len() as u64, self.finished.clone());
        gpu.queue.on_submitted_work_done(move || {
            finished.fetch_max(number, Ordering::Relaxed);
        });
    }

    /// Removes the frames that are finished at `now`, in seconds, and returns their times.
    pub fn finished<'a>(&'a mut self, gpu: &Gpu, now: f64) -> impl Iterator<Item = FrameTime> + use<'a> {
        let mut lost = false;
        if !self.started.is_empty() {
            lost = gpu.poll().is_err();
        }
        let finished = self.finished.load(Ordering::Relaxed);
        let late = self.started.iter().take_while(|started| now - started.at > LONGEST_SECS).count();
        // A lost device never reports frames as finished.
        let late = if lost { self.started.len() } else { late };
        let count = (finished.saturating_sub(self.oldest) as usize).clamp(late, self.started.len());
        self.oldest += count as u64;
        let (before, looked_at) = (self.finished_at, std::mem::replace(&mut self.looked_at, now));
        if count > 0 {
            self.finished_at = now;
        }
        // Frames found finished by the same check share the elapsed time equally.
        let share = move |secs: f64| secs.max(0.0) / count as f64;
        let begun = self.started.front().map_or(now, |started| started.at.max(before));
        let used = self.started.front().and_then(|started| started.used);
        let used = used.map(|used| process_time().saturating_sub(used).as_secs_f64());
        // The oldest frame was still unfinished at the last check; this thread may have been delayed since then.
        let least_secs = (looked_at - begun).min(used.unwrap_or(f64::INFINITY));
        let interval = |secs: f64| match gpu.software() {
            true => share(software_interval(secs, used, cores())),
            false => share(secs),
        };
        let time = FrameTime {
            secs: share(now - begun),
            interval_secs: interval(now - begun),
            least_interval_secs: interval(least_secs),
        };
        self.started.drain(..count).map(move |_| time)
    }

    /// Returns whether another frame may be started.
    pub fn has_room(&self) -> bool {
        self.started.len() < self.most
    }

    /// Returns whether no frame is in flight.
    pub fn is_empty(&self) -> bool {
        self.started.is_empty()
    }
}

/// Returns the number of CPU cores, at least 2.
fn cores() -> f64 {
    std::thread::available_parallelism().map_or(2, std::num::NonZero::get).max(2) as f64
}

#[cfg(test)]
mod tests {
    use super::software_interval;

    #[test]
    fn a_frame_that_keeps_one_of_two_cores_busy_needs_no_rest() {
        assert_eq!(software_interval(0.01, Some(0.01), 2.0), 0.01);
        assert_eq!(software_interval(0.01, Some(0.002), 2.0), 0.01);
    }

    #[test]
    fn a_frame_that_keeps_all_cores_busy_leaves_time_for_other_work() {
        assert_eq!(software_interval(0.01, Some(0.02), 2.0), 0.02);
        assert_eq!(software_interval(0.012, Some(0.048), 4.0), 0.016);
        assert_eq!(software_interval(0.01, None, 2.0), 0.02);
    }
}
