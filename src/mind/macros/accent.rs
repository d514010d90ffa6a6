//! The fast layer: hits shake the bank for a moment. Never reaches what is saved.

use super::bank::Offsets;
use super::ideal::Drive;
use super::profile::Character;
use crate::analysis::{Features, Section};

/// How fast an accent rises and falls, seconds.
const ATTACK_SECS: f32 = 0.06;
const RELEASE_SECS: f32 = 0.22;
/// Spectral change below this is no accent.
const FLUX_GATE: f32 = 0.28;
/// How strongly an accent shakes each slot.
const SLOTS: [f32; 5] = [0.8, 0.45, 0.55, 0.75, 0.6];

/// The follower of hits.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Accent {
    level: f32,
}

impl Accent {
    /// How hard the newest hits strike, 0 to 1.
    pub fn level(&self) -> f32 {
        self.level
    }

    /// Follows the sound for `dt` seconds and returns what it adds to every control.
    pub fn step(&mut self, features: &Features, character: &Character, drive: f32, dt: f32) -> Offsets {
        let heard = Drive::of(features);
        let gate = ((heard.flux - FLUX_GATE) / (1.0 - FLUX_GATE)).max(0.0);
        let target =
            0.62 * heard.hit + 0.22 * heard.high + 0.20 * heard.onset + 0.20 * gate + 0.18 * heard.pulse;
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
            0.03 * (0.6 * energy + 0.4 * heard.bass) * (0.7 + 0.3 * self.level) * character.accent_fusion;
        let slot = |number: usize| 0.065 * shake * character.accent_slots * SLOTS[number];
        [fusion * self.level, 0.13 * shake, 0.30 * shake, slot(0), slot(1), slot(2), slot(3), slot(4)]
    }

    /// Falls silent at once.
    pub fn rest(&mut self) {
        self.level = 0.0;
    }
}
