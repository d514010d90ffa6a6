//! Random draws shared by all pieces, and the sample rate.

use crate::units::Rng;

/// Sample rate, in Hz.
pub const RATE: f32 = 44_100.0;

/// Draws a number from `from` to `to`, uniformly.
pub fn between(rng: &mut Rng, from: f32, to: f32) -> f32 {
    from + (to - from) * rng.unit_f32()
}

/// Draws a number between two positive bounds, uniformly on a logarithmic scale.
pub fn octaves(rng: &mut Rng, from: f32, to: f32) -> f32 {
    from * (to / from).powf(rng.unit_f32())
}

/// Returns true with the given probability.
pub fn chance(rng: &mut Rng, probability: f32) -> bool {
    rng.unit_f32() < probability
}

/// Draws one of several values.
pub fn pick<T: Copy>(rng: &mut Rng, from: &[T]) -> T {
    from[rng.below(from.len())]
}

/// Draws a scale; returns its steps over two octaves, in semitones above the root.
pub fn scale(rng: &mut Rng) -> Vec<f32> {
    let steps: &[i32] = pick(
        rng,
        &[
            &[0, 2, 3, 5, 7, 8, 10][..],
            &[0, 2, 4, 5, 7, 9, 11],
            &[0, 3, 5, 7, 10],
            &[0, 2, 4, 7, 9],
            &[0, 1, 3, 5, 7, 8, 10],
            &[0, 2, 4, 5, 7, 9, 10],
        ],
    );
    [0, 12].iter().flat_map(|octave| steps.iter().map(move |step| (step + octave) as f32)).collect()
}

/// Returns the frequency `semitones` above `hz`.
pub fn above(hz: f32, semitones: f32) -> f32 {
    hz * (semitones / 12.0).exp2()
}

/// A value that wanders smoothly between random targets, with a mean of 0 and a standard deviation of about 1.
pub struct Wander {
    targets: Vec<f32>,
    secs: f32,
}

impl Wander {
    /// Draws targets for `length_secs` seconds, one every `secs` seconds.
    pub fn new(length_secs: f32, secs: f32, rng: &mut Rng) -> Self {
        let count = (length_secs / secs) as usize + 2;
        Self { targets: (0..count).map(|_| rng.normal() as f32).collect(), secs }
    }

    /// Returns the value after `t` seconds.
    pub fn at(&self, t: f32) -> f32 {
        let place = t / self.secs;
        let from = (place as usize).min(self.targets.len() - 2);
        let share = (place - from as f32).clamp(0.0, 1.0);
        let smooth = share * share * (3.0 - 2.0 * share);
        self.targets[from] + (self.targets[from + 1] - self.targets[from]) * smooth
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wandering_value_is_smooth_and_as_variable_as_its_targets() {
        let wander = Wander::new(500.0, 0.5, &mut Rng::new(3));
        let values: Vec<f32> = (0..50_000).map(|n| wander.at(n as f32 * 0.01)).collect();
        let mean = values.iter().sum::<f32>() / 50_000.0;
        let spread = (values.iter().map(|v| (v - mean) * (v - mean)).sum::<f32>() / 50_000.0).sqrt();
        assert!(mean.abs() < 0.15 && (0.7..1.1).contains(&spread), "{mean} {spread}");
        assert!(values.windows(2).all(|pair| (pair[1] - pair[0]).abs() < 0.25));
        assert!(wander.at(1e6).is_finite());
    }
}
