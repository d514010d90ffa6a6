//! Types shared by the parts of the demo track: their output and the step clock.

use crate::audio::Frame;

/// One frame of a part: the dry signal and the reverb send.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PartFrame {
    pub(super) dry: Frame,
    pub(super) hall: Frame,
}

/// Sixteenth notes on the sample clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Steps {
    step_samples: f64,
}

impl Steps {
    pub(super) fn new(rate_hz: f32, bpm: f64) -> Self {
        Self { step_samples: f64::from(rate_hz) * 60.0 / bpm / 4.0 }
    }

    pub(super) fn step_samples(self) -> f64 {
        self.step_samples
    }

    pub(super) fn bar_samples(self) -> f64 {
        self.step_samples * 16.0
    }

    /// Returns the step that starts exactly at sample `at`, if any.
    pub(super) fn reached(self, at: u64) -> Option<u64> {
        let step = (at as f64 / self.step_samples).round();
        let begins = (step * self.step_samples).ceil() as u64;
        (begins == at).then_some(step as u64)
    }
}
