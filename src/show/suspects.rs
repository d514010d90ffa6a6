//! Finds the preset that repeatedly causes the graphics device to be lost.
//!
//! A loss counts against the presets that were being prepared or had only just been drawn for the first time. Presets
//! that continue to be drawn are cleared, so that losses with another cause are never blamed on whatever is on air.

use std::collections::BTreeMap;

use crate::facts::PresetId;

/// Number of losses of the device after which a preset is quarantined.
const MAX_STRIKES: u32 = 3;

/// The presets suspected of causing device losses, with the number of losses counted against each.
#[derive(Default)]
pub(super) struct Suspects(BTreeMap<PresetId, u32>);

impl Suspects {
    /// Counts a loss against `presets`, those that were being prepared or had only just been drawn for the first time.
    /// Returns the preset to quarantine, if any, and forgets its strikes.
    pub fn strike(&mut self, presets: impl IntoIterator<Item = PresetId>) -> Option<PresetId> {
        let mut guilty = None;
        for preset in presets {
            let strikes = self.0.entry(preset).or_default();
            *strikes += 1;
            if *strikes >= MAX_STRIKES {
                guilty = Some(preset);
            }
        }
        if let Some(guilty) = guilty {
            self.0.remove(&guilty);
        }
        guilty
    }

    /// Clears a preset that has been drawn for long enough.
    pub fn clear(&mut self, preset: PresetId) {
        self.0.remove(&preset);
    }

    /// Clears all presets except those for which `wanted` is true.
    pub fn retain(&mut self, wanted: impl Fn(PresetId) -> bool) {
        self.0.retain(|preset, _| wanted(*preset));
    }

    /// Returns whether any preset is suspected. While one is, decks are prepared one at a time, so that the
    /// next loss has only one suspect.
    pub fn any(&self) -> bool {
        !self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preset_is_quarantined_after_three_losses_and_cleared_if_it_survives() {
        let [a, b] = [PresetId::of(b"a"), PresetId::of(b"b")];
        let mut suspects = Suspects::default();
        assert_eq!([suspects.strike([a, b]), suspects.strike([a])], [None, None]);
        suspects.clear(b);
        assert_eq!(suspects.strike([a, b]), Some(a));
        assert!(suspects.any(), "one loss counts against b");
        suspects.clear(b);
        assert!(!suspects.any());
        suspects.strike([a, b]);
        suspects.retain(|preset| preset == b);
        suspects.clear(b);
        assert!(!suspects.any());
        for _ in 0..20 {
            assert_eq!(suspects.strike([a]), None);
            suspects.clear(a);
        }
    }
}
