//! Computes from the music how far to move every control: an offset from the performer's setting.
//!
//! The offsets are near 0 in an ordinary groove, negative in calm music and positive at peaks. Pure functions; see
//! `trajectory` for smoothing and timing.

use super::bank::Offsets;
use super::profile::Character;
use crate::analysis::{Features, Scene};

/// The features that drive the bank, all 0 to 1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Drive {
    pub energy: f32,
    pub bass: f32,
    pub mid: f32,
    pub high: f32,
    pub hit: f32,
    pub onset: f32,
    pub flux: f32,
    /// Closeness to a trusted beat: 1 on the beat, falling to 0 on both sides.
    pub pulse: f32,
}

/// Distance from a beat at which the pulse has fallen to 1/e, in beats.
const PULSE_WIDTH: f64 = 0.11;

impl Drive {
    pub fn of(features: &Features) -> Self {
        let bands = &features.bands;
        Self {
            energy: features.energy_fast.get(),
            bass: bands.bass.get().max(bands.sub_bass.get()),
            mid: bands.mid.get(),
            high: bands.high.get(),
            hit: features.hit.get(),
            onset: features.onset.get(),
            flux: features.flux.get(),
            pulse: pulse(features),
        }
    }
}

fn pulse(features: &Features) -> f32 {
    if !features.beat.trusted() {
        return 0.0;
    }
    let phase = features.beat.at(features.at).get();
    let distance = phase.min(1.0 - phase) / PULSE_WIDTH;
    (-distance * distance).exp() as f32
}

/// Returns the aim of every control as an offset from the performer's setting.
pub(super) fn aim(features: &Features, character: &Character) -> Offsets {
    let Drive { energy, bass, mid, high, hit, onset, flux, pulse } = Drive::of(features);
    let [fusion, motion, sparkle] = character.bias;
    let [scene_fusion, scene_motion, scene_sparkle] = scene_bias(features.scene.scene);
    let slots = character.slots;
    [
        -0.20 + 0.22 * energy + 0.20 * bass + 0.14 * hit + fusion + scene_fusion,
        -0.22 + 0.18 * energy + 0.16 * flux + 0.18 * mid + 0.08 * hit + motion + scene_motion,
        -0.22 + 0.14 * energy + 0.20 * pulse + 0.22 * high + 0.16 * onset + sparkle + scene_sparkle,
        slots * (-0.12 + 0.16 * energy + 0.16 * hit),
        slots * (-0.10 + 0.18 * flux + 0.14 * mid),
        slots * (-0.06 + 0.18 * pulse + 0.14 * high),
        slots * (-0.10 + 0.16 * bass + 0.12 * hit),
        slots * (-0.06 + 0.10 * energy + 0.14 * onset),
    ]
}

/// Returns the scene's contribution to fusion, motion and sparkle.
fn scene_bias(scene: Scene) -> [f32; 3] {
    match scene {
        Scene::Ambient => [0.08, -0.08, -0.10],
        Scene::Techno => [0.02, 0.12, 0.08],
        Scene::Rock => [0.04, 0.04, 0.10],
        Scene::None => [0.0; 3],
    }
}
