//! Synthetic music, speech and noise for training, as varied as possible.
//!
//! A model trained on few recordings mistakes their timbre for the scene. Composed pieces of a scene share
//! only their patterns: tempo, instruments, rooms, mixes and flaws are drawn at random for each piece, so
//! that only the patterns can be learned. Equal seeds give equal pieces.

mod ambient;
mod bus;
mod club;
mod draw;
mod kind;
mod kit;
mod nature;
mod non_music;
mod patch;
mod places;
mod reverb;
mod rock;
mod strings;
mod voice;

use crate::analysis::Scene;
use crate::units::Rng;

pub use kind::Kind;
pub use reverb::Reverb;

/// A composed piece with its beats.
pub struct Piece {
    /// Mono samples at 44.1 kHz.
    pub sound: Vec<f32>,
    /// Times of the quarter notes in seconds; empty for a piece without a beat.
    pub beats: Vec<f32>,
}

/// Composes a piece of a scene, `secs` seconds long, of a random kind.
pub fn compose(scene: Scene, secs: f32, rng: &mut Rng) -> Piece {
    compose_kind(Kind::draw(scene, rng), secs, rng)
}

/// Composes a piece of a kind, `secs` seconds long.
pub fn compose_kind(kind: Kind, secs: f32, rng: &mut Rng) -> Piece {
    let (mut mix, beats) = match kind.scene() {
        Scene::Ambient => (ambient::compose(kind, secs, rng), Vec::new()),
        Scene::Techno => club::compose(kind, secs, rng),
        Scene::Rock => rock::compose(kind, secs, rng),
        Scene::None => (non_music::compose(kind, secs, rng), Vec::new()),
    };
    mix.master(rng);
    Piece { sound: mix.into_sound(), beats }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_audible_distinct_and_reproducible() {
        for kind in Kind::ALL {
            let mut rng = Rng::new(4);
            let [one, two] = [4.0, 6.0].map(|secs| compose_kind(kind, secs, &mut rng));
            assert_eq!(one.sound, compose_kind(kind, 4.0, &mut Rng::new(4)).sound, "{kind:?}");
            assert_ne!(one.sound, two.sound[..one.sound.len()], "{kind:?}");
            assert_eq!((one.sound.len(), two.sound.len()), (4 * 44_100, 6 * 44_100));
            for Piece { sound, .. } in [one, two] {
                assert!(sound.iter().all(|s| s.is_finite() && s.abs() <= 1.0), "{kind:?}");
                let power = sound.iter().map(|s| s * s).sum::<f32>() / sound.len() as f32;
                assert!(power > 1e-5, "{kind:?}: {power}");
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
                // 52 to 215 BPM.
                assert!(gaps.clone().all(|gap| (0.27..1.15).contains(&gap)), "{scene:?} {seed}: {beats:?}");
            }
            assert!(compose(Scene::Ambient, 4.0, &mut Rng::new(seed)).beats.is_empty());
        }
    }
}
