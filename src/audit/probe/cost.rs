//! Frame cost of a preset, and estimates for full HD and ultra HD on this computer.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::units::{process_time, thread_time};

/// Number of pixels at full HD, for which costs are estimated.
const FULL_HD: f64 = 1920.0 * 1080.0;
/// Number of pixels at ultra HD, for which costs are estimated.
const ULTRA_HD: f64 = 3840.0 * 2160.0;

/// Cost of one preset. Depends on the computer and its load, so it affects the verdict on the look only if
/// the user limits render times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// Time to read, compile and build the preset, in milliseconds.
    pub prepare_ms: f64,
    /// CPU time of the thread that runs the preset's code, in milliseconds per frame.
    pub cpu_ms: f64,
    /// Drawing time, in milliseconds per frame: the CPU time of all other threads with a software rasteriser,
    /// otherwise the elapsed time beyond [`Self::cpu_ms`].
    pub gpu_ms: f64,
    /// Elapsed time of the slowest measured frame, in milliseconds.
    pub slowest_ms: f64,
    /// Estimated frame time at 1920x1080, in milliseconds.
    pub full_hd_ms: f64,
    /// Estimated frame time at 3840x2160, in milliseconds.
    pub ultra_hd_ms: f64,
}

/// Measures the cost of a preset's frames.
pub(super) struct CostMeter {
    software: bool,
    pixels: f64,
    /// Drawing time of a tiny picture on this computer, in milliseconds: the part that does not grow with the
    /// number of pixels.
    floor_ms: f64,
    since: (Instant, Duration, Duration),
    own_ms: f64,
    frames: Vec<f64>,
}

impl CostMeter {
    pub fn new(software: bool, size: [u32; 2], floor_ms: f64) -> Self {
        let pixels = f64::from(size[0]) * f64::from(size[1]);
        Self { software, pixels, floor_ms, since: now(), own_ms: 0.0, frames: Vec::new() }
    }

    /// Starts measuring; called before the first measured frame.
    pub fn begin(&mut self) {
        self.since = now();
        self.own_ms = 0.0;
        self.frames.clear();
    }

    /// Runs the work of one frame and records its cost.
    pub fn frame<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let (started, before) = (Instant::now(), thread_time());
        let result = work();
        let own = thread_time().saturating_sub(before);
        self.own_ms += ms(own);
        self.frames.push(ms(started.elapsed()));
        result
    }

    /// Returns the cost of the frames since [`Self::begin`]: mean times per frame, and the time of the
    /// slowest one.
    pub fn cost(&self, prepare_ms: f64) -> Cost {
        let count = self.frames.len().max(1) as f64;
        let (wall, process, _) = self.since;
        let cpu_ms = self.own_ms / count;
        let gpu_ms = if self.software {
            let (_, process_now, thread_now) = now();
            let others =
                process_now.saturating_sub(process).saturating_sub(thread_now.saturating_sub(self.since.2));
            ms(others) / count
        } else {
            (ms(wall.elapsed()) / count - cpu_ms).max(0.0)
        };
        let at = |pixels: f64| {
            let growing = (gpu_ms - self.floor_ms).max(0.0);
            cpu_ms + self.floor_ms.min(gpu_ms) + growing * pixels / self.pixels
        };
        let short = |ms: f64| (ms * 1000.0).round() / 1000.0;
        Cost {
            prepare_ms: short(prepare_ms),
            cpu_ms: short(cpu_ms),
            gpu_ms: short(gpu_ms),
            slowest_ms: short(self.frames.iter().copied().max_by(f64::total_cmp).unwrap_or(0.0)),
            full_hd_ms: short(at(FULL_HD)),
            ultra_hd_ms: short(at(ULTRA_HD)),
        }
    }
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// Returns the current time, the CPU time of the process, and that of this thread.
fn now() -> (Instant, Duration, Duration) {
    (Instant::now(), process_time(), thread_time())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_larger_picture_is_never_cheaper() {
        let mut meter = CostMeter::new(true, [256, 144], 0.5);
        meter.begin();
        meter.frame(|| std::hint::black_box((0..200_000).map(f64::from).map(f64::sqrt).sum::<f64>()));
        let cost = meter.cost(3.0);
        assert!(cost.full_hd_ms >= cost.cpu_ms && cost.ultra_hd_ms >= cost.full_hd_ms, "{cost:?}");
        assert_eq!(cost.prepare_ms, 3.0);
    }

    #[test]
    fn cpu_time_is_part_of_the_elapsed_time_of_a_hardware_device() {
        let mut meter = CostMeter::new(false, [1920, 1080], 0.0);
        let started = Instant::now();
        meter.begin();
        let before = thread_time();
        meter.frame(|| while thread_time().saturating_sub(before) < Duration::from_millis(30) {});
        let cost = meter.cost(0.0);
        let elapsed = ms(started.elapsed()) + 1.0;
        assert!(cost.cpu_ms > 25.0, "{cost:?}");
        assert!(cost.cpu_ms + cost.gpu_ms <= elapsed && cost.full_hd_ms <= elapsed, "{cost:?}, {elapsed} ms");
    }
}
