//! Synthetic music, speech and noise for training, as varied as possible.
//!
//! A model trained on few recordings mistakes their timbre for the scene. Composed pieces of a scene share
//! only their patterns: tempo, instruments, rooms, mixes and flaws are drawn at random for each piece, so
//! that only the patterns can be learned. Equal seeds give equal pieces.

mod ambient;
mod bus;
mod club;
mod draw;
mod kit;
mod non_music;
mod patch;
mod rock;
mod strings;
mod voice;

use crate::analysis::Scene;
use crate::units::Rng;

/// A composed piece with its beats.
pub struct Piece {
    /// Mono samples at 44.1 kHz.
    pub sound: Vec<f32>,
    /// Times of the quarter notes in seconds; empty for a piece without a beat.
    pub beats: Vec<f32>,
}

/// Composes a piece of a scene, `secs` seconds long.
pub fn compose(scene: Scene, secs: f32, rng: &mut Rng) -> Piece {
    let (mut mix, beats) = match scene {
        Scene::Ambient => (ambient::compose(secs, rng), Vec::new()),
        Scene::Techno => club::compose(secs, rng),
        Scene::Rock => rock::compose(secs, rng),
        Scene::None => (non_music::compose(secs, rng), Vec::new()),
    };
    mix.master(rng);
    Piece { sound: mix.into_sound(), beats }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_audible_distinct_and_reproducible() {
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
    fn beats_cover_a_piece_with_a_tempo() {
        for seed in 0..8 {
            for scene in [Scene::Techno, Scene::Rock] {
                let beats = compose(scene, 20.0, &mut Rng::new(seed)).beats;
                assert!(beats[0] == 0.0 && (18.0..20.0).contains(&beats[beats.len() - 1]), "{beats:?}");
                let gaps = beats.windows(2).map(|pair| pair[1] - pair[0]);
                // 54 to 215 BPM.
                assert!(gaps.clone().all(|gap| (0.27..1.12).contains(&gap)), "{scene:?} {seed}: {beats:?}");
            }
            assert!(compose(Scene::Ambient, 4.0, &mut Rng::new(seed)).beats.is_empty());
        }
    }
}
