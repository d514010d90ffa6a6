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
