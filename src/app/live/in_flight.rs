//! Frames submitted to the graphics device: how many are unfinished, and how long each finished one took.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::stage::Gpu;
use crate::units::process_time;

/// Time, in seconds, after which a frame is late: it is timed although the device has not finished it, and again
/// whenever the same time has passed.
const LONGEST_SECS: f64 = 1.0;
/// Time, in seconds, after which the device is assumed never to finish a frame.
const STUCK_SECS: f64 = 20.0;

/// Tracks the frames in flight, each with what it drew. Never blocks.
pub(super) struct InFlight<T> {
    frames: Frames<T>,
    /// Number of frames that the device has finished.
    finished: Arc<AtomicU64>,
}

/// The frames in flight, independent of the device.
struct Frames<T> {
    /// Maximum number of frames in flight.
    most: usize,
    /// Start of each frame in flight, oldest first.
    started: VecDeque<Started<T>>,
    /// Number of frames that are no longer in flight.
    oldest: u64,
    /// Time of the last check that timed a frame, in seconds.
    timed_at: f64,
    /// Time of the last check that found a finished frame, in seconds.
    finished_at: f64,
    /// Time of the last check for finished frames, in seconds.
    looked_at: f64,
}

/// The start of a frame.
struct Started<T> {
    /// When the frame was started, in seconds.
    at: f64,
    /// CPU time that this process had used by then; `None` if unknown, or if a graphics card draws.
    used: Option<Duration>,
    drew: T,
    /// Whether the frame was late and has therefore been timed already.
    late: bool,
}

/// Counts a frame as finished when it is dropped, because wgpu drops a callback without calling it if the work was
/// finished by other means, such as configuring a surface.
struct FinishOnDrop {
    /// Number of frames that are finished together with this one.
    number: u64,
    finished: Arc<AtomicU64>,
}

impl Drop for FinishOnDrop {
    fn drop(&mut self) {
        self.finished.fetch_max(self.number, Ordering::Relaxed);
    }
}

/// Times of a frame that is finished or late, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct FrameTime {
    /// Time from the frame's start, or from the previous frame's end if that is later, until the frame was found
    /// finished or late.
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

impl<T: Clone> InFlight<T> {
    /// Creates an empty tracker that allows at most `most` frames in flight.
    pub fn new(most: usize) -> Self {
        Self { frames: Frames::new(most), finished: Arc::default() }
    }

    /// Adds the frame that was just submitted; `at` is when it was started, in seconds.
    pub fn add(&mut self, gpu: &Gpu, at: f64, drew: T) {
        let used = gpu.software().then(process_time).filter(|used| !used.is_zero());
        let number = self.frames.add(at, used, drew);
        let report = FinishOnDrop { number, finished: self.finished.clone() };
        gpu.queue.on_submitted_work_done(move || drop(report));
    }

    /// Removes the frames that are finished at `now`, in seconds, and returns their times and what they drew, or those
    /// of the oldest frame if it is late. A late frame stays in flight until the device finishes it or is lost.
    pub fn finished<'a>(
        &'a mut self,
        gpu: &Gpu,
        now: f64,
    ) -> impl Iterator<Item = (FrameTime, T)> + use<'a, T> {
        if !self.is_empty() && gpu.poll().is_err() {
            self.frames.clear(); // A lost device finishes nothing.
        }
        let process = (!self.is_empty() && gpu.software()).then(process_time);
        self.frames.check(now, self.finished.load(Ordering::Relaxed), process)
    }

    /// Returns whether another frame may be started.
    pub fn has_room(&self) -> bool {
        self.frames.started.len() < self.frames.most
    }

    /// Returns whether the device appears to be stuck on the oldest frame in flight.
    pub fn stuck(&self, now: f64) -> bool {
        self.frames.stuck(now)
    }

    /// Returns whether no frame is in flight.
    pub fn is_empty(&self) -> bool {
        self.frames.started.is_empty()
    }
}

impl<T: Clone> Frames<T> {
    fn new(most: usize) -> Self {
        Self { most, started: VecDeque::new(), oldest: 0, timed_at: 0.0, finished_at: 0.0, looked_at: 0.0 }
    }

    /// Adds a frame that was started at `at`, in seconds, when this process had used `used` of CPU time. Returns the
    /// number of frames that are finished together with it.
    fn add(&mut self, at: f64, used: Option<Duration>, drew: T) -> u64 {
        self.started.push_back(Started { at, used, drew, late: false });
        self.oldest + self.started.len() as u64
    }

    /// Returns whether the oldest frame is unfinished although the device has had [`STUCK_SECS`] for it alone.
    fn stuck(&self, now: f64) -> bool {
        self.started.front().is_some_and(|oldest| now - oldest.at.max(self.finished_at) > STUCK_SECS)
    }

    /// Removes all frames without timing them.
    fn clear(&mut self) {
        self.oldest += self.started.len() as u64;
        self.started.clear();
    }

    /// Removes the frames that are finished at `now`, in seconds, and returns their times and what they drew, or those
    /// of the oldest frame if it is late. The device has finished `finished` frames in total. `process` is the CPU time
    /// that this process has used so far, `None` if a graphics card draws.
    fn check(
        &mut self,
        now: f64,
        finished: u64,
        process: Option<Duration>,
    ) -> impl Iterator<Item = (FrameTime, T)> {
        let looked_at = std::mem::replace(&mut self.looked_at, now);
        let count = (finished.saturating_sub(self.oldest) as usize).min(self.started.len());
        let begun = self.started.front().map_or(now, |oldest| oldest.at.max(self.timed_at));
        // The frames after the oldest one have not begun.
        let late = count == 0 && now - begun > LONGEST_SECS;
        if count > 0 || late {
            self.timed_at = now;
        }
        if count > 0 {
            self.finished_at = now;
        }
        // Frames found finished by the same check share the elapsed time equally.
        let share = |secs: f64| secs.max(0.0) / count.max(1) as f64;
        let used = self.started.front().and_then(|oldest| oldest.used).zip(process);
        let used = used.map(|(before, process)| process.saturating_sub(before).as_secs_f64());
        // The oldest frame was still unfinished at the last check; this thread may have been delayed since then.
        let least_secs = (looked_at - begun).min(used.unwrap_or(f64::INFINITY));
        let interval = |secs: f64| match process {
            Some(_) => share(software_interval(secs, used, cores())),
            None => share(secs),
        };
        let time = FrameTime {
            secs: share(now - begun),
            interval_secs: interval(now - begun),
            least_interval_secs: interval(least_secs),
        };
        let late = self.started.front_mut().filter(|_| late).map(|oldest| {
            oldest.late = true;
            oldest.used = oldest.used.and(process);
            (time, oldest.drew.clone())
        });
        self.oldest += count as u64;
        let finished = self.started.drain(..count).filter(|frame| !frame.late);
        late.into_iter().chain(finished.map(move |frame| (time, frame.drew)))
    }
}

/// Returns the number of CPU cores, at least 2.
fn cores() -> f64 {
    std::thread::available_parallelism().map_or(2, std::num::NonZero::get).max(2) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs a show on a device that draws frames one after the other, each in `took` seconds, while checking every
    /// millisecond and starting a frame every 16 ms if there is room. Returns the times of the frames, and the largest
    /// number of frames in flight.
    fn run(took: f64, secs: f64) -> (Vec<f64>, usize) {
        let mut frames = Frames::new(2);
        let (mut ends, mut times, mut most) = (VecDeque::<f64>::new(), Vec::new(), 0);
        for step in 0..(secs * 1000.0) as u32 {
            let now = f64::from(step) / 1000.0;
            let finished = ends.iter().filter(|end| **end <= now).count() as u64;
            times.extend(frames.check(now, finished, None).map(|(time, ())| time.least_interval_secs));
            if step % 16 == 0 && frames.started.len() < frames.most {
                let begun = ends.back().map_or(now, |end| end.max(now));
                ends.push_back(begun + took);
                frames.add(now, None, ());
            }
            most = most.max(frames.started.len());
        }
        (times, most)
    }

    #[test]
    fn frames_that_take_longer_than_a_second_are_timed_and_do_not_pile_up() {
        for took in [0.3, 0.9, 1.2, 5.5] {
            let (times, most) = run(took, 30.0);
            assert_eq!(most, 2, "{took} s");
            let each = took.min(LONGEST_SECS);
            assert!(
                times.iter().all(|secs| (each - 0.02..each + 0.02).contains(secs)),
                "{took} s: {times:?}"
            );
            // One time for every frame, and one for every full second of a frame.
            let expected = 30.0 / took * took.floor().max(1.0);
            assert!((times.len() as f64 - expected).abs() <= 2.0, "{took} s: {} times", times.len());
        }
    }

    #[test]
    fn a_single_stall_of_the_device_is_timed_once() {
        let mut frames = Frames::new(2);
        frames.add(0.0, None, ());
        frames.add(0.016, None, ());
        let mut times = Vec::new();
        for step in 0..1600 {
            let finished = if step < 1500 { 0 } else { 1 + u64::from(step >= 1510) };
            times.extend(frames.check(f64::from(step) / 1000.0, finished, None).map(|(time, ())| time.secs));
        }
        assert!(times.len() == 2 && times[0] > 1.0 && times[1] < 0.02, "{times:?}");
    }

    #[test]
    fn only_a_device_that_never_finishes_a_frame_is_stuck() {
        let mut frames = Frames::new(2);
        frames.add(0.0, None, ());
        frames.add(0.016, None, ());
        let mut stuck = |now: f64, finished: u64| {
            frames.check(now, finished, None).for_each(drop);
            frames.stuck(now)
        };
        assert!(!stuck(15.0, 0) && !stuck(16.0, 1) && !stuck(30.0, 1), "each frame takes long");
        assert!(stuck(36.1, 1));
        assert!(!stuck(36.2, 2));
    }

    #[test]
    fn a_lost_device_clears_the_frames_in_flight() {
        let mut frames = Frames::new(2);
        let number = frames.add(0.0, None, ());
        frames.add(0.016, None, ());
        frames.clear();
        assert!(frames.started.is_empty());
        frames.add(3.0, None, ());
        assert_eq!(frames.check(3.01, number, None).count(), 0, "a report of the lost device");
        assert_eq!(frames.check(3.02, 3, None).count(), 1);
    }

    #[test]
    fn a_frame_is_finished_even_if_its_callback_is_dropped() {
        let finished = Arc::new(AtomicU64::new(1));
        let report = FinishOnDrop { number: 3, finished: finished.clone() };
        let callback = move || drop(report);
        drop(callback);
        assert_eq!(finished.load(Ordering::Relaxed), 3);
    }

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
