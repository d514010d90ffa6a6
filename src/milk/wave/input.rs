//! Inputs of the main waveform's figures: scaled audio and placement.

use lactea_preset::BaseValues;

use super::super::engine::Context;
use super::super::preset_audio::{SPECTRUM_BINS, WAVE_SAMPLES};

/// Number of waveform samples drawn: those left after alignment. The samples after them are silence.
pub(in crate::milk) const DRAWN_SAMPLES: usize = 480;

/// Audio scaled and smoothed as the preset specifies.
pub(super) struct Sound {
    pub left: [f32; WAVE_SAMPLES],
    pub right: [f32; WAVE_SAMPLES],
    pub spectrum: [f32; SPECTRUM_BINS],
}

/// Position and shape of the wave, after per-frame code.
pub(super) struct Placement {
    /// Centre, in clip space.
    pub at: [f32; 2],
    /// `wave_mystery`, folded into -1..1 in some modes.
    pub mystery: f32,
    pub aspect: [f32; 2],
    pub time: f32,
    pub width: f32,
}

pub(super) trait ClampOrZero {
    /// Clamps to 0..1; NaN becomes 0.
    fn clamp_or_zero(self) -> Self;
}

impl ClampOrZero for f32 {
    fn clamp_or_zero(self) -> Self {
        self.max(0.0).min(1.0)
    }
}

impl Sound {
    pub fn new(base: &BaseValues, context: &Context) -> Self {
        let keep = base.wave_smoothing.clamp_or_zero();
        let scale = |samples: &[f32], out: &mut [f32]| {
            let mut last = samples[0] * base.wave_scale;
            out[0] = last;
            for (slot, &sample) in out.iter_mut().zip(samples).skip(1) {
                last = sample * base.wave_scale * (1.0 - keep) + last * keep;
                *slot = last;
            }
        };
        let mut sound =
            Self { left: [0.0; WAVE_SAMPLES], right: [0.0; WAVE_SAMPLES], spectrum: [0.0; SPECTRUM_BINS] };
        scale(&context.audio.wave[0], &mut sound.left);
        scale(&context.audio.wave[1], &mut sound.right);
        scale(&context.audio.spectrum[0], &mut sound.spectrum);
        sound
    }
}

impl Placement {
    /// Converts polar coordinates around the centre to clip space.
    pub fn polar(&self, rad: f32, ang: f32) -> [f32; 2] {
        let (sin, cos) = ang.sin_cos();
        [rad * cos * self.aspect[1] + self.at[0], rad * sin * self.aspect[0] + self.at[1]]
    }
}
