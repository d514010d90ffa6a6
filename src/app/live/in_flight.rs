//! Frames submitted to the graphics device: how many are unfinished, and how long each finished one took.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::stage::Gpu;

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
    /// CPU time that this process had used by then, in seconds; `None` if unknown, or if a graphics card draws.
    used: Option<f64>,
}

/// Times of a finished frame, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct FrameTime {
    /// Time from the frame's start, or from the previous frame's end if that is later, until the frame was found
    /// finished.
    pub secs: f64,
    /// Lower bound on the time that the frame itself took, without delays caused by other programs or a late check.
    pub least_secs: f64,
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
        let used = gpu.software().then(processor_secs).flatten();
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
        let used = self.started.front().and_then(|started| Some(processor_secs()? - started.used?));
        // The oldest frame was still unfinished at the last check; this thread may have been delayed since then.
        let least_secs = share((looked_at - begun).min(used.unwrap_or(f64::INFINITY)));
        self.started.drain(..count).map(move |_| FrameTime { secs: share(now - begun), least_secs })
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

/// Returns the CPU time that this process has used so far, in seconds.
#[cfg(unix)]
fn processor_secs() -> Option<f64> {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call writes one `timespec`.
    let failed = unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    (failed == 0).then_some(time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9)
}

#[cfg(not(unix))]
fn processor_secs() -> Option<f64> {
    None
}
