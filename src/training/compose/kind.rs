//! The kinds of pieces that can be composed.

use super::draw::{chance, pick};
use crate::analysis::Scene;
use crate::units::Rng;

/// A kind of piece. Each belongs to one scene; the scene model learns them separately, because a scene such as
/// [`Scene::None`] has little in common but the absence of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Drones and slow chords.
    Pads,
    /// Continuous noise with deep or distant notes.
    Field,
    /// Slow music for a piano, an electric piano or an organ.
    Piano,
    /// A sparse melody over quiet chords.
    Melody,
    /// Club music with a kick in most bars.
    Club,
    /// Club music with a soft kick and chords that echo.
    Dub,
    /// The part of a club track without a kick.
    Breakdown,
    /// A song by a rock band.
    Band,
    /// Fast and heavily distorted rock.
    Metal,
    /// Slow rock with clean guitars.
    Ballad,
    /// One to five people talking.
    Speech,
    /// Many people talking at the same time.
    Babble,
    /// A room full of people: talking, glasses, footsteps.
    Venue,
    /// Clapping and shouting.
    Applause,
    /// Wind and gusts.
    Wind,
    /// Rain, or the crackling of a fire.
    Rain,
    /// Thunder with rain or wind.
    Storm,
    /// Waves or a stream.
    Water,
    /// Singing birds.
    Birds,
    /// Vehicles passing by.
    Traffic,
    /// A train on its rails.
    Train,
    /// Mains hum, a fan or a motor.
    Machine,
    /// Footsteps, dishes and doors.
    Impacts,
    /// Steady noise or gusts of any colour.
    Noise,
}

impl Kind {
    /// Every kind, in order.
    pub const ALL: [Self; 24] = [
        Self::Pads,
        Self::Field,
        Self::Piano,
        Self::Melody,
        Self::Club,
        Self::Dub,
        Self::Breakdown,
        Self::Band,
        Self::Metal,
        Self::Ballad,
        Self::Speech,
        Self::Babble,
        Self::Venue,
        Self::Applause,
        Self::Wind,
        Self::Rain,
        Self::Storm,
        Self::Water,
        Self::Birds,
        Self::Traffic,
        Self::Train,
        Self::Machine,
        Self::Impacts,
        Self::Noise,
    ];

    /// Returns the scene of the kind.
    pub fn scene(self) -> Scene {
        match self {
            Self::Pads | Self::Field | Self::Piano | Self::Melody => Scene::Ambient,
            Self::Club | Self::Dub | Self::Breakdown => Scene::Techno,
            Self::Band | Self::Metal | Self::Ballad => Scene::Rock,
            _ => Scene::None,
        }
    }

    /// Draws a kind of a scene.
    pub fn draw(scene: Scene, rng: &mut Rng) -> Self {
        // Repeated entries are more likely.
        match scene {
            Scene::Ambient => pick(rng, &[Self::Pads, Self::Pads, Self::Field, Self::Piano, Self::Melody]),
            Scene::Techno => pick(rng, &[Self::Club, Self::Club, Self::Club, Self::Dub, Self::Breakdown]),
            Scene::Rock => pick(rng, &[Self::Band, Self::Band, Self::Band, Self::Metal, Self::Ballad]),
            Scene::None if chance(rng, 0.15) => Self::Speech,
            Scene::None => pick(rng, &Self::ALL[Self::Speech as usize..]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_in_order_and_every_kind_is_drawn_for_its_scene() {
        let mut rng = Rng::new(1);
        for (place, kind) in Kind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, place);
            assert!((0..400).any(|_| Kind::draw(kind.scene(), &mut rng) == kind), "{kind:?}");
        }
        for scene in Scene::ALL {
            assert!((0..100).all(|_| Kind::draw(scene, &mut rng).scene() == scene), "{scene:?}");
        }
    }
}
