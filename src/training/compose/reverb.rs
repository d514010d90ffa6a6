//! Reverberation: damped comb filters in parallel, then all-pass filters in series (Schroeder, 1962; Moorer, 1979).

use super::draw::{RATE, between};
use crate::units::Rng;

/// Delays of the comb filters and of the all-pass filters, in seconds.
const COMBS: [f32; 8] = [0.0297, 0.0331, 0.0371, 0.0411, 0.0437, 0.0503, 0.0571, 0.0647];
const DIFFUSERS: [f32; 3] = [0.0051, 0.0077, 0.0126];
/// Feedback of the all-pass filters.
const DIFFUSION: f32 = 0.6;
/// Offset that keeps a decaying tail from reaching denormals, which can be a hundred times slower.
const TINY: f32 = 1e-20;

/// A delay line.
struct Line {
    ring: Vec<f32>,
    at: usize,
}

impl Line {
    fn new(secs: f32) -> Self {
        Self { ring: vec![0.0; ((secs * RATE) as usize).max(1)], at: 0 }
    }

    /// Returns the oldest sample.
    fn oldest(&self) -> f32 {
        self.ring[self.at]
    }

    /// Replaces the oldest sample with the newest one.
    fn push(&mut self, sample: f32) {
        self.ring[self.at] = sample;
        self.at = (self.at + 1) % self.ring.len();
    }
}

/// A comb filter with a low-pass in its feedback.
struct Comb {
    line: Line,
    feedback: f32,
    tone: f32,
}

/// The reverberation of a room, without the direct sound.
pub struct Reverb {
    combs: [Comb; COMBS.len()],
    diffusers: [Line; DIFFUSERS.len()],
    /// Coefficient of the low-pass filters in the feedback, 0 to 1; higher is brighter.
    bright: f32,
}

impl Reverb {
    /// Draws a room in which sound decays by 60 dB in `secs` seconds.
    pub fn new(secs: f32, rng: &mut Rng) -> Self {
        let size = between(rng, 0.7, 1.5);
        let bright = between(rng, 0.3, 0.8);
        let comb = |delay: f32| {
            let line = Line::new(delay * size);
            let feedback = 10.0_f32.powf(-3.0 * line.ring.len() as f32 / RATE / secs);
            Comb { line, feedback, tone: 0.0 }
        };
        Self { combs: COMBS.map(comb), diffusers: DIFFUSERS.map(|delay| Line::new(delay * size)), bright }
    }

    /// Processes a sample.
    pub fn next(&mut self, dry: f32) -> f32 {
        let mut sum = 0.0;
        for comb in &mut self.combs {
            let out = comb.line.oldest();
            comb.tone += (out - comb.tone) * self.bright;
            comb.line.push(dry + comb.tone * comb.feedback + TINY);
            sum += out;
        }
        for line in &mut self.diffusers {
            let delayed = line.oldest();
            let inside = sum + DIFFUSION * delayed;
            line.push(inside);
            sum = delayed - DIFFUSION * inside;
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_impulse_decays_by_60_db_within_about_the_given_time() {
        for secs in [0.5, 3.0] {
            let mut reverb = Reverb::new(secs, &mut Rng::new(8));
            reverb.next(1.0);
            let tail: Vec<f32> = (0..(1.1 * secs * RATE) as usize).map(|_| reverb.next(0.0)).collect();
            let power = |part: &[f32]| part.iter().map(|s| s * s).sum::<f32>() / part.len() as f32;
            let window = (0.1 * secs * RATE) as usize;
            let (early, late) = (power(&tail[window..2 * window]), power(&tail[tail.len() - window..]));
            let db = 10.0 * (early / late).log10();
            // From 0.15 to 1.05 of the time; the treble decays faster.
            assert!((45.0..90.0).contains(&db), "{db} dB in {secs} s");
        }
    }
}
