//! The positions and accent strengths of the seven macro presets.

use super::Bank;
use crate::mind::MacroPreset;

/// The positions of a macro preset, and how strongly accents apply while it is active.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setting {
    pub bank: Bank,
    /// Accent strength; 1 is normal.
    pub drive: f32,
}

/// The normal accent strength.
pub(super) const EVEN_DRIVE: f32 = 1.0;
const PUNCH: f32 = 1.15;
const INTENSE: f32 = 1.3;

/// Returns the positions and the accent strength of `preset`.
pub(super) fn setting(preset: MacroPreset) -> Setting {
    let (positions, drive) = match preset {
        MacroPreset::TechnoBoost => ([0.80, 0.90, 0.65, 0.92, 0.45, 0.82, 0.75, 0.60], INTENSE),
        MacroPreset::RavePunch => ([0.90, 0.80, 0.85, 0.80, 0.65, 0.90, 0.82, 0.70], PUNCH),
        MacroPreset::DeepPulse => ([0.68, 0.86, 0.42, 0.88, 0.30, 0.72, 0.55, 0.38], EVEN_DRIVE),
        MacroPreset::WideSweep => ([0.62, 0.72, 0.92, 0.70, 0.55, 0.90, 0.86, 0.78], PUNCH),
        MacroPreset::TechnoBrutal => ([0.95, 0.98, 0.70, 0.98, 0.82, 0.92, 0.88, 0.55], INTENSE),
        MacroPreset::IndustrialSurge => ([0.90, 0.95, 0.80, 0.90, 0.78, 0.88, 0.84, 0.62], INTENSE),
        MacroPreset::AcidOverdrive => ([0.86, 0.92, 0.98, 0.85, 0.72, 0.90, 0.88, 0.82], INTENSE),
    };
    Setting { bank: Bank::new(positions), drive }
}
