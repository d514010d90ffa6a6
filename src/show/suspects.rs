//! Finds the preset that keeps losing the graphics device.
//!
//! A loss counts against the presets that were being prepared or had just begun to draw. Presets that keep
//! drawing are cleared, so that losses with another cause are never blamed on whatever is on air.

use std::collections::BTreeMap;

use crate::facts::PresetId;

/// Number of losses of the device after which a preset is quarantined.
const MAX_STRIKES: u32 = 3;

/// The presets suspected of losing the device.
#[derive(Default)]
pub(super) struct Suspects(BTreeMap<PresetId, u32>);

impl Suspects {
    /// Counts a loss against `presets`, those that were being prepared or had just begun to draw. Returns the
    /// preset to quarantine, if any, and forgets its strikes.
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

    /// Clears a preset that has drawn for long enough.
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
    fn three_losses_of_a_young_preset_quarantine_it_and_surviving_clears_it() {
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
