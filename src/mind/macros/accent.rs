//! The fast layer: short accents on hits, which are never saved.

use super::bank::Offsets;
use super::ideal::Drive;
use super::profile::Character;
use crate::analysis::{Features, Section};

/// Time constant of an accent's attack, in seconds.
const ATTACK_SECS: f32 = 0.06;
/// Time constant of an accent's release, in seconds.
const RELEASE_SECS: f32 = 0.22;
/// Threshold above which spectral flux contributes to an accent.
const FLUX_GATE: f32 = 0.28;
/// Relative strength of the accents on M4 to M8.
const SLOTS: [f32; 5] = [0.8, 0.45, 0.55, 0.75, 0.6];

/// An envelope follower for hits.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Accent {
    level: f32,
}

impl Accent {
    /// Returns the current accent level, 0 to 1.
    pub fn level(&self) -> f32 {
        self.level
    }

    /// Advances by `dt` seconds and returns the offset of every control. `drive` scales the accents on all controls
    /// except fusion; 1 is normal.
    pub fn step(&mut self, features: &Features, character: &Character, drive: f32, dt: f32) -> Offsets {
        let input = Drive::of(features);
        let gate = ((input.flux - FLUX_GATE) / (1.0 - FLUX_GATE)).max(0.0);
        let target =
            0.62 * input.hit + 0.22 * input.high + 0.20 * input.onset + 0.20 * gate + 0.18 * input.pulse;
        let time = if target > self.level { ATTACK_SECS } else { RELEASE_SECS };
        self.level += (target.min(1.0) - self.level) * (1.0 - (-dt / time).exp());
        let section = match features.section {
            Section::Calm => 0.75,
            Section::Groove => 1.0,
            Section::Peak => 1.25,
        };
        let energy = features.energy_slow.get();
        let boost = 1.0 + 0.35 * (0.25 * self.level + 0.15 * gate);
        let shake = self.level * section * (0.85 + 0.25 * energy) * character.accent * boost * drive;
        let fusion =
            0.03 * (0.6 * energy + 0.4 * input.bass) * (0.7 + 0.3 * self.level) * character.accent_fusion;
        let slot = |number: usize| 0.065 * shake * character.accent_slots * SLOTS[number];
        [fusion * self.level, 0.13 * shake, 0.30 * shake, slot(0), slot(1), slot(2), slot(3), slot(4)]
    }

    /// Resets the level to 0.
    pub fn rest(&mut self) {
        self.level = 0.0;
    }
}
