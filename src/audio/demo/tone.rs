//! Building blocks of the synthesiser: oscillators, decays, a filter and noise.
//!
//! Sine and saturation use only basic `f32` arithmetic, which is fast and gives the same result on every platform.

use crate::units::Rng;

/// Returns the sine of `turns` cycles, accurate to 0.1% (parabola with one correction).
pub(crate) fn sine(turns: f32) -> f32 {
    let x = turns - (turns + 0.5).floor();
    let rough = 8.0 * x - 16.0 * x * x.abs();
    0.225 * (rough * rough.abs() - rough) + rough
}

/// Applies soft saturation: nearly linear for small signals, limited to -1 to 1.
pub(crate) fn soft(x: f32) -> f32 {
    let x = x.clamp(-3.0, 3.0);
    x * (27.0 + x * x) / (27.0 + 9.0 * x * x)
}

/// Returns the frequency of a MIDI note, in Hz.
pub(crate) fn hz(note: f32) -> f32 {
    440.0 * ((note - 69.0) / 12.0).exp2()
}

/// Returns a smoothstep from 0 at `from` to 1 at `to`.
pub(crate) fn ramp(from: f32, to: f32, at: f32) -> f32 {
    let x = ((at - from) / (to - from)).clamp(0.0, 1.0);
    x * x * (3.0 - 2.0 * x)
}

/// An oscillator, represented by its phase.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Osc {
    phase: f32,
}

impl Osc {
    pub(crate) fn at(phase: f32) -> Self {
        Self { phase }
    }

    /// Advances by `step` cycles and returns the phase, 0 to 1.
    pub(crate) fn turn(&mut self, step: f32) -> f32 {
        self.phase += step;
        self.phase -= self.phase.floor();
        self.phase
    }

    pub(crate) fn sine(&mut self, step: f32) -> f32 {
        sine(self.turn(step))
    }

    /// Returns a band-limited sawtooth (polyBLEP; Välimäki and Huovilainen, 2007).
    pub(crate) fn saw(&mut self, step: f32) -> f32 {
        let phase = self.turn(step);
        let corner = if phase < step {
            let x = phase / step;
            x + x - x * x - 1.0
        } else if phase > 1.0 - step {
            let x = (phase - 1.0) / step;
            x * x + x + x + 1.0
        } else {
            0.0
        };
        2.0 * phase - 1.0 - corner
    }
}

/// Exponential decay after each strike.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Decay {
    level: f32,
    keep: f32,
}

impl Decay {
    /// Builds a decay to 37% within `seconds`.
    pub(crate) fn new(rate_hz: f32, seconds: f32) -> Self {
        let mut decay = Self { level: 0.0, keep: 0.0 };
        decay.set_time(rate_hz, seconds);
        decay
    }

    pub(crate) fn set_time(&mut self, rate_hz: f32, seconds: f32) {
        self.keep = (-1.0 / (rate_hz * seconds.max(1e-4))).exp();
    }

    pub(crate) fn strike(&mut self, level: f32) {
        self.level = level;
    }

    pub(crate) fn next(&mut self) -> f32 {
        let level = self.level;
        // Avoids denormals, which could be a hundred times slower.
        self.level = if level < 1e-6 { 0.0 } else { level * self.keep };
        level
    }
}

/// White noise, -1 to 1.
#[derive(Clone, Debug)]
pub(crate) struct Noise(Rng);

impl Noise {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Rng::new(seed))
    }

    pub(crate) fn next(&mut self) -> f32 {
        self.0.unit_f32() * 2.0 - 1.0
    }
}

/// Outputs of a filter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bands {
    pub(crate) low: f32,
    pub(crate) band: f32,
    pub(crate) high: f32,
}

/// Resonant two-pole state-variable filter that can be swept every sample (trapezoidal integration; Simper, 2013).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Filter {
    rate_hz: f32,
    gains: [f32; 3],
    damping: f32,
    state: [f32; 2],
}

impl Filter {
    /// Builds a filter with its corner at `cutoff_hz`; `q` from 0.5 (flat) to 15 (ringing).
    pub(crate) fn new(rate_hz: f32, cutoff_hz: f32, q: f32) -> Self {
        let mut filter = Self { rate_hz, gains: [0.0; 3], damping: 1.0, state: [0.0; 2] };
        filter.tune(cutoff_hz, q);
        filter
    }

    pub(crate) fn tune(&mut self, cutoff_hz: f32, q: f32) {
        let g = (std::f32::consts::PI * (cutoff_hz / self.rate_hz).clamp(0.0005, 0.45)).tan();
        self.damping = 1.0 / q.max(0.3);
        let first = 1.0 / (1.0 + g * (g + self.damping));
        self.gains = [first, g * first, g * g * first];
    }

    pub(crate) fn next(&mut self, input: f32) -> Bands {
        let [a1, a2, a3] = self.gains;
        let rest = input - self.state[1];
        let band = a1 * self.state[0] + a2 * rest;
        let low = self.state[1] + a2 * self.state[0] + a3 * rest;
        self.state = [2.0 * band - self.state[0], 2.0 * low - self.state[1]];
        Bands { low, band, high: input - self.damping * band - low }
    }
}
