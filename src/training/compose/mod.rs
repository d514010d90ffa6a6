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

/// A composed piece of known scene, tempo and beats.
pub struct Piece {
    /// Mono at 44.1 kHz.
    pub sound: Vec<f32>,
    /// When the quarter notes fall, in seconds; empty where nothing counts.
    pub beats: Vec<f32>,
}

/// Composes a piece of a scene, `secs` long.
pub fn compose(scene: Scene, secs: f32, rng: &mut Rng) -> Piece {
    let (mut mix, beats) = match scene {
        Scene::Ambient => (ambient::compose(secs, rng), Vec::new()),
        Scene::Techno => club::compose(secs, rng),
        Scene::Rock => rock::compose(secs, rng),
        Scene::None => (plain::compose(secs, rng), Vec::new()),
    };
    mix.master(rng);
    Piece { sound: mix.into_sound(), beats }
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
    fn pieces_are_audible_differ_and_repeat_with_their_seed() {
        for scene in Scene::ALL {
            let mut rng = Rng::new(4);
            let [one, two] = [12.0, 16.0].map(|secs| compose(scene, secs, &mut rng));
            assert_eq!(one.sound, compose(scene, 12.0, &mut Rng::new(4)).sound, "{scene:?}");
            assert_ne!(one.sound, two.sound[..one.sound.len()], "{scene:?}");
            assert_eq!((one.sound.len(), two.sound.len()), (12 * 44_100, 16 * 44_100));
            for Piece { sound, .. } in [one, two] {
                assert!(sound.iter().all(|s| s.is_finite() && s.abs() <= 1.0), "{scene:?}");
                let power = sound.iter().map(|s| s * s).sum::<f32>() / sound.len() as f32;
                assert!(power > 1e-4, "{scene:?}: {power}");
            }
        }
    }

    #[test]
    fn beats_fill_a_piece_that_has_a_tempo() {
        for seed in 0..8 {
            for scene in [Scene::Techno, Scene::Rock] {
                let beats = compose(scene, 20.0, &mut Rng::new(seed)).beats;
                assert!(beats[0] == 0.0 && (18.0..20.0).contains(&beats[beats.len() - 1]), "{beats:?}");
                let gaps = beats.windows(2).map(|pair| pair[1] - pair[0]);
                // 54 to 215 beats a minute.
                assert!(gaps.clone().all(|gap| (0.27..1.12).contains(&gap)), "{scene:?} {seed}: {beats:?}");
            }
            assert!(compose(Scene::Ambient, 4.0, &mut Rng::new(seed)).beats.is_empty());
        }
    }
}
