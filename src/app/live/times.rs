//! Statistics over the most recent steps.

use std::collections::VecDeque;

use crate::show::FrameTimes;

/// Number of steps in the statistics.
const KEPT: usize = 120;
/// Number of steps over which the frame rate reported to presets is averaged.
const RATE_STEPS: usize = 30;

/// Intervals and drawing times of the most recent steps.
#[derive(Default)]
pub(super) struct StepTimes {
    slots: VecDeque<u32>,
    draw_ms: VecDeque<f32>,
}

impl StepTimes {
    /// Adds a step that was run `slots` slots after the previous one.
    pub fn step(&mut self, slots: u32) {
        push(&mut self.slots, slots);
    }

    /// Returns the number of slots between the last two steps; 1 before the first step.
    pub fn latest(&self) -> u32 {
        self.slots.back().copied().unwrap_or(1)
    }

    /// Adds the time it took to draw a frame, in seconds.
    pub fn drawn(&mut self, secs: f64) {
        push(&mut self.draw_ms, (secs * 1000.0) as f32);
    }

    /// Returns the recent step rate at `rate` slots per second, in Hz: exactly `rate` if no step was dropped.
    pub fn fps(&self, rate: u32) -> f64 {
        let latest = self.slots.iter().rev().take(RATE_STEPS);
        let (steps, slots) = latest.fold((0_u32, 0_u32), |(steps, sum), slots| (steps + 1, sum + slots));
        if slots == 0 { f64::from(rate) } else { f64::from(rate * steps) / f64::from(slots) }
    }

    /// Returns the statistics for the desk, at `rate` slots per second.
    pub fn summary(&self, rate: u32) -> FrameTimes {
        let mut sorted: Vec<f32> = self.draw_ms.iter().copied().collect();
        sorted.sort_by(f32::total_cmp);
        let at = |share: f32| {
            let last = sorted.len().saturating_sub(1) as f32;
            sorted.get((share * last).round() as usize).copied().unwrap_or(0.0)
        };
        FrameTimes { fps: self.fps(rate) as f32, median_ms: at(0.5), p95_ms: at(0.95) }
    }
}

fn push<T>(kept: &mut VecDeque<T>, value: T) {
    if kept.len() == KEPT {
        kept.pop_front();
    }
    kept.push_back(value);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_get_the_measured_rate() {
        let mut times = StepTimes::default();
        assert_eq!(times.fps(60), 60.0);
        (0..100).for_each(|_| times.step(1));
        assert_eq!(times.fps(60), 60.0);
        (0..RATE_STEPS).for_each(|_| times.step(3));
        assert_eq!(times.fps(60), 20.0);
        (0..50).for_each(|ms| times.drawn(f64::from(ms) / 1000.0));
        let FrameTimes { median_ms, p95_ms, .. } = times.summary(60);
        assert!((24.0..26.0).contains(&median_ms) && (46.0..48.0).contains(&p95_ms), "{median_ms} {p95_ms}");
    }
}
