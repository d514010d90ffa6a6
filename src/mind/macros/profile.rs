//! The effect of each profile on the macros. The numbers are based on those of aivj's browser-based
//! predecessor.

use crate::mind::Profile;

/// The parameters of one profile.
#[derive(Clone, Copy, Debug)]
pub(super) struct Character {
    /// Offsets added to the aims of fusion, motion and sparkle.
    pub bias: [f32; 3],
    /// How strongly M4 to M8 follow the music; 1 is normal.
    pub slots: f32,
    /// Limit of a control's change in one morph, before the music scales it.
    pub step: f32,
    /// Duration of one morph in seconds, before the music scales it.
    pub morph_secs: f32,
    /// Strength of accents on all controls except fusion; 1 is normal.
    pub accent: f32,
    /// Strength of accents on fusion; 1 is normal.
    pub accent_fusion: f32,
    /// Additional factor for accents on M4 to M8.
    pub accent_slots: f32,
    /// How strongly an accent shortens a new morph; 1 is normal.
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

/// Returns the parameters of `profile`.
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
