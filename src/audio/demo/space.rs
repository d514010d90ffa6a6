//! Delay, echo and reverb of the demo track.

use crate::audio::Frame;

/// A delay line of fixed length.
#[derive(Clone, Debug)]
pub(super) struct DelayLine {
    ring: Vec<f32>,
    at: usize,
}

impl DelayLine {
    pub(super) fn new(rate_hz: f32, seconds: f32) -> Self {
        Self { ring: vec![0.0; ((rate_hz * seconds) as usize).max(1)], at: 0 }
    }

    /// Returns the oldest sample.
    pub(super) fn out(&self) -> f32 {
        self.ring[self.at]
    }

    /// Replaces the oldest sample and advances.
    pub(super) fn put(&mut self, sample: f32) {
        // Avoids denormals, which could be a hundred times slower.
        self.ring[self.at] = if sample.abs() < 1e-9 { 0.0 } else { sample };
        self.at = if self.at + 1 == self.ring.len() { 0 } else { self.at + 1 };
    }
}

/// An echo that alternates between left and right.
#[derive(Clone, Debug)]
pub(super) struct Echo {
    lines: [DelayLine; 2],
    tone: [f32; 2],
    feedback: f32,
}

impl Echo {
    pub(super) fn new(rate_hz: f32, seconds: f32, feedback: f32) -> Self {
        let line = DelayLine::new(rate_hz, seconds);
        Self { lines: [line.clone(), line], tone: [0.0; 2], feedback }
    }

    pub(super) fn next(&mut self, input: f32) -> Frame {
        let out = [self.lines[0].out(), self.lines[1].out()];
        for (tone, out) in self.tone.iter_mut().zip(out) {
            *tone += (out - *tone) * 0.45; // each echo loses treble
        }
        self.lines[0].put(input + self.tone[1] * self.feedback);
        self.lines[1].put(self.tone[0]);
        out
    }
}

/// Reverb: eight delay lines with feedback through a Hadamard matrix (Jot and Chaigne, 1991).
#[derive(Clone, Debug)]
pub(super) struct Hall {
    lines: [DelayLine; 8],
    tone: [f32; 8],
    feedback: f32,
}

impl Hall {
    /// Builds a reverb; `feedback`, 0 to 1, is the gain of the feedback loop.
    pub(super) fn new(rate_hz: f32, feedback: f32) -> Self {
        // Unrelated lengths, to avoid ringing at one pitch.
        const MILLIS: [f32; 8] = [29.3, 34.1, 39.7, 43.9, 50.3, 57.1, 64.7, 71.9];
        Self { lines: MILLIS.map(|ms| DelayLine::new(rate_hz, ms / 1000.0)), tone: [0.0; 8], feedback }
    }

    pub(super) fn next(&mut self, input: Frame) -> Frame {
        let mut mix = [0.0f32; 8];
        for ((mix, line), tone) in mix.iter_mut().zip(&self.lines).zip(&mut self.tone) {
            *tone += (line.out() - *tone) * 0.5; // air absorbs treble
            *mix = *tone;
        }
        let out = [mix[0] + mix[2] - mix[5] + mix[7], mix[1] - mix[3] + mix[4] + mix[6]];
        for span in [1, 2, 4] {
            for low in (0..8).filter(|i| i & span == 0) {
                let (a, b) = (mix[low], mix[low + span]);
                mix[low] = a + b;
                mix[low + span] = a - b;
            }
        }
        let scale = self.feedback / 8f32.sqrt();
        for (index, (line, mix)) in self.lines.iter_mut().zip(mix).enumerate() {
            line.put(input[index % 2] + mix * scale);
        }
        [out[0] * 0.35, out[1] * 0.35]
    }
}
