//! Music, speech and noise made up for training, as different from one another as chance has it.
//!
//! A model that hears few records takes their timbre for their kind. What is composed here shares patterns and
//! nothing else: tempo, instruments, rooms, mixes and mistakes are drawn anew for each piece, so that only what
//! the patterns have in common is left to learn. Everything is arithmetic; the same seed gives the same piece.

mod ambient;
mod bus;
mod club;
mod kit;
mod patch;
mod plain;
mod rock;
mod strings;
mod voice;

use crate::analysis::Scene;
use crate::units::Rng;

/// Samples a second.
const RATE: f32 = 44_100.0;
/// Length of a piece, seconds.
const SECS: f32 = 16.0;

/// One piece of a scene, mono at 44.1 kHz.
pub fn compose(scene: Scene, rng: &mut Rng) -> Vec<f32> {
    let mut mix = match scene {
        Scene::Ambient => ambient::compose(rng),
        Scene::Techno => club::compose(rng),
        Scene::Rock => rock::compose(rng),
        Scene::None => plain::compose(rng),
    };
    mix.master(rng);
    mix.into_sound()
}

/// A number between two others.
fn between(rng: &mut Rng, from: f32, to: f32) -> f32 {
    from + (to - from) * rng.unit_f32()
}

/// A number between two positive ones, every octave as likely.
fn octaves(rng: &mut Rng, from: f32, to: f32) -> f32 {
    from * (to / from).powf(rng.unit_f32())
}

/// Whether something happens that does so with this probability.
fn chance(rng: &mut Rng, probability: f32) -> bool {
    rng.unit_f32() < probability
}

/// One of several.
fn pick<T: Copy>(rng: &mut Rng, from: &[T]) -> T {
    from[rng.below(from.len())]
}

/// Steps of a scale above its root, in semitones, over two octaves.
fn scale(rng: &mut Rng) -> Vec<f32> {
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

/// Frequency so many semitones above another.
fn above(hz: f32, semitones: f32) -> f32 {
    hz * (semitones / 12.0).exp2()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scene_sounds_differs_from_piece_to_piece_and_repeats_with_its_seed() {
        for scene in Scene::ALL {
            let mut rng = Rng::new(4);
            let (one, two) = (compose(scene, &mut rng), compose(scene, &mut rng));
            assert_ne!(one, two, "{scene:?}");
            assert_eq!(one, compose(scene, &mut Rng::new(4)), "{scene:?}");
            for sound in [one, two] {
                assert_eq!(sound.len(), (SECS * RATE) as usize);
                assert!(sound.iter().all(|s| s.is_finite() && s.abs() <= 1.0), "{scene:?}");
                let power = sound.iter().map(|s| s * s).sum::<f32>() / sound.len() as f32;
                assert!(power > 1e-4, "{scene:?}: {power}");
            }
        }
    }
}
