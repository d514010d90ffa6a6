//! Distorted guitar: plucked strings, a saturating amplifier and a loudspeaker filter.

use super::space::DelayLine;
use super::tone::{Filter, Noise, soft};

/// Longest period of a string, in seconds; 60 Hz is lower than any note played.
const MAX_PERIOD_SECS: f32 = 1.0 / 60.0;

/// How the strings are played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Touch {
    /// The strings ring.
    Open,
    /// Palm-muted: short and dark.
    Muted,
}

/// A plucked string (Karplus and Strong, 1983; fractional length by Jaffe and Smith, 1983).
#[derive(Clone, Debug)]
struct Pluck {
    rate_hz: f32,
    ring: Vec<f32>,
    write: usize,
    period: f32,
    last: f32,
    keep: f32,
    dark: f32,
}

impl Pluck {
    fn new(rate_hz: f32) -> Self {
        let ring = vec![0.0; (rate_hz * MAX_PERIOD_SECS) as usize + 4];
        Self { rate_hz, ring, write: 0, period: 100.0, last: 0.0, keep: 0.0, dark: 0.5 }
    }

    fn strike(&mut self, hz: f32, touch: Touch, noise: &mut Noise) {
        self.period = (self.rate_hz / hz).clamp(4.0, self.ring.len() as f32 - 3.0);
        (self.keep, self.dark) = match touch {
            Touch::Open => (0.9975, 0.35),
            Touch::Muted => (0.955, 0.55),
        };
        let mut smooth = 0.0;
        for back in 1..=self.period as usize + 2 {
            smooth += (noise.next() - smooth) * 0.6;
            let length = self.ring.len();
            self.ring[(self.write + length - back) % length] = smooth;
        }
    }

    fn next(&mut self) -> f32 {
        let length = self.ring.len();
        let whole = self.period as usize;
        let part = self.period - whole as f32;
        let near = self.ring[(self.write + length - whole) % length];
        let far = self.ring[(self.write + length - whole - 1) % length];
        let out = near + (far - near) * part;
        self.last += (out - self.last) * (1.0 - self.dark);
        let back = self.last * self.keep;
        self.ring[self.write] = if back.abs() < 1e-7 { 0.0 } else { back };
        self.write = if self.write + 1 == length { 0 } else { self.write + 1 };
        out
    }
}

/// One guitar: three strings (root, fifth and octave) through one amplifier.
#[derive(Clone, Debug)]
pub(super) struct Guitar {
    strings: [Pluck; 3],
    noise: Noise,
    tight: Filter,
    speaker: [Filter; 2],
    late: DelayLine,
    drive: f32,
}

impl Guitar {
    /// Builds a guitar; `late_secs` delays the output, so that a second player can lag slightly behind the first.
    pub(super) fn new(rate_hz: f32, seed: u64, late_secs: f32) -> Self {
        Self {
            strings: std::array::from_fn(|_| Pluck::new(rate_hz)),
            noise: Noise::new(seed),
            tight: Filter::new(rate_hz, 95.0, 0.7),
            speaker: [Filter::new(rate_hz, 4_600.0, 0.9), Filter::new(rate_hz, 3_600.0, 0.7)],
            late: DelayLine::new(rate_hz, late_secs),
            drive: 9.0,
        }
    }

    /// Strikes a power chord with its root at `root_hz`.
    pub(super) fn strike(&mut self, root_hz: f32, touch: Touch) {
        for (string, ratio) in self.strings.iter_mut().zip([1.0, 1.4983, 2.0]) {
            string.strike(root_hz * ratio, touch, &mut self.noise);
        }
    }

    /// Damps all strings.
    pub(super) fn stop(&mut self) {
        for string in &mut self.strings {
            string.keep = 0.9;
        }
    }

    pub(super) fn next(&mut self) -> f32 {
        let sum: f32 = self.strings.iter_mut().map(Pluck::next).sum();
        let amplified = soft(self.tight.next(sum).high * self.drive);
        let [first, second] = &mut self.speaker;
        let low = first.next(amplified).low;
        let out = self.late.out();
        self.late.put(second.next(low).low);
        out
    }
}
