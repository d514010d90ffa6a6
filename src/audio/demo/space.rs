//! Rooms and echoes of the demo track.

use crate::audio::Frame;

/// Sound that comes back after a fixed time.
#[derive(Clone, Debug)]
pub(super) struct Line {
    ring: Vec<f32>,
    at: usize,
}

impl Line {
    pub(super) fn new(rate_hz: f32, seconds: f32) -> Self {
        Self { ring: vec![0.0; ((rate_hz * seconds) as usize).max(1)], at: 0 }
    }

    /// What went in one delay ago.
    pub(super) fn out(&self) -> f32 {
        self.ring[self.at]
    }

    /// Replaces the oldest sample.
    pub(super) fn put(&mut self, sample: f32) {
        // Denormal tails would cost a hundred times the arithmetic.
        self.ring[self.at] = if sample.abs() < 1e-9 { 0.0 } else { sample };
        self.at = if self.at + 1 == self.ring.len() { 0 } else { self.at + 1 };
    }
}

/// Echoes that swap sides.
#[derive(Clone, Debug)]
pub(super) struct Echo {
    lines: [Line; 2],
    tone: [f32; 2],
    feedback: f32,
}

impl Echo {
    pub(super) fn new(rate_hz: f32, seconds: f32, feedback: f32) -> Self {
        let line = Line::new(rate_hz, seconds);
        Self { lines: [line.clone(), line], tone: [0.0; 2], feedback }
    }

    pub(super) fn next(&mut self, input: f32) -> Frame {
        let out = [self.lines[0].out(), self.lines[1].out()];
        for (tone, out) in self.tone.iter_mut().zip(out) {
            *tone += (out - *tone) * 0.45; // each echo is darker than the last
        }
        self.lines[0].put(input + self.tone[1] * self.feedback);
        self.lines[1].put(self.tone[0]);
        out
    }
}

/// A hall: eight delays that feed one another through a Hadamard mix (Jot and Chaigne, 1991).
#[derive(Clone, Debug)]
pub(super) struct Hall {
    lines: [Line; 8],
    tone: [f32; 8],
    feedback: f32,
}

impl Hall {
    /// `feedback` 0..1: how much of the sound comes back from each wall.
    pub(super) fn new(rate_hz: f32, feedback: f32) -> Self {
        // Lengths without common divisors, so that no pitch rings.
        const MILLIS: [f32; 8] = [29.3, 34.1, 39.7, 43.9, 50.3, 57.1, 64.7, 71.9];
        Self { lines: MILLIS.map(|ms| Line::new(rate_hz, ms / 1000.0)), tone: [0.0; 8], feedback }
    }

    pub(super) fn next(&mut self, input: Frame) -> Frame {
        let mut mix = [0.0f32; 8];
        for ((mix, line), tone) in mix.iter_mut().zip(&self.lines).zip(&mut self.tone) {
            *tone += (line.out() - *tone) * 0.5; // air and curtains take the treble
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
