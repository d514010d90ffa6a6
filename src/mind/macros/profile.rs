//! What each kind of night does to the macros. The numbers start from those of the browser system this grew out of.

use crate::mind::Profile;

/// One profile in numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Character {
    /// Added to the aims of fusion, motion and sparkle.
    pub bias: [f32; 3],
    /// How far the slots follow the music, 1 = fully.
    pub slots: f32,
    /// Furthest way of one morph.
    pub step: f32,
    /// How long one morph takes before the music has its say, seconds.
    pub morph_secs: f32,
    /// How hard hits shake the macros.
    pub accent: f32,
    /// How hard hits shake fusion, on top.
    pub accent_fusion: f32,
    /// How hard hits shake the slots, on top.
    pub accent_slots: f32,
    /// How much a hit shortens the morph under way.
    pub haste: f32,
}

const EVEN: Character = Character {
    bias: [0.0; 3],
    slots: 1.0,
    step: 0.18,
    morph_secs: 4.2,
    accent: 1.0,
    accent_fusion: 1.0,
    accent_slots: 1.0,
    haste: 1.0,
};

/// The numbers of `profile`.
pub(super) fn character(profile: Profile) -> Character {
    match profile {
        Profile::Custom => EVEN,
        Profile::Ambient => Character {
            bias: [-0.06, -0.10, -0.12],
            slots: 0.85,
            accent: 0.85,
            accent_fusion: 0.9,
            accent_slots: 0.9,
            haste: 1.05,
            ..EVEN
        },
        Profile::Dub => Character {
            bias: [0.0, -0.04, -0.08],
            slots: 0.9,
            accent: 0.95,
            accent_fusion: 0.95,
            accent_slots: 0.95,
            haste: 1.05,
            ..EVEN
        },
        Profile::Drone => Character {
            bias: [-0.12, -0.16, -0.18],
            slots: 0.75,
            step: 0.12,
            morph_secs: 7.0,
            accent: 0.8,
            accent_fusion: 0.9,
            accent_slots: 0.85,
            haste: 1.1,
        },
        Profile::Techno => {
            Character { bias: [0.03, 0.09, 0.08], slots: 1.05, step: 0.22, accent: 1.05, ..EVEN }
        }
        Profile::PeakRave => Character {
            bias: [0.06, 0.12, 0.16],
            slots: 1.1,
            step: 0.26,
            morph_secs: 2.2,
            accent: 1.15,
            accent_fusion: 1.1,
            accent_slots: 1.1,
            haste: 1.1,
        },
        Profile::Rock => Character { bias: [0.02, 0.04, 0.10], slots: 1.0, step: 0.2, accent: 1.1, ..EVEN },
    }
}
