//! Status of individual presets: favourite, banned, skipped or broken.

use std::collections::BTreeSet;

const BANNED: u8 = 1;
const BROKEN: u8 = 2;
const SKIPPED: u8 = 4;

/// Status of all presets, by catalogue index.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PresetStatus {
    marks: Vec<u8>,
    favourites: BTreeSet<u32>,
}

impl PresetStatus {
    /// Creates the status of `presets` presets, none of them marked.
    pub fn new(presets: usize) -> Self {
        Self { marks: vec![0; presets], favourites: BTreeSet::new() }
    }

    /// Returns the catalogue indices of the favourites, in ascending order.
    pub fn favourites(&self) -> impl Iterator<Item = u32> {
        self.favourites.iter().copied()
    }

    /// Returns whether the preset is a favourite.
    pub fn favourite(&self, preset: u32) -> bool {
        self.favourites.contains(&preset)
    }

    /// Sets or clears the favourite mark; setting it also clears the skipped mark.
    pub fn set_favourite(&mut self, preset: u32, on: bool) {
        if on {
            self.favourites.insert(preset);
            self.set(preset, SKIPPED, false);
        } else {
            self.favourites.remove(&preset);
        }
    }

    /// Returns whether the preset is banned.
    pub fn banned(&self, preset: u32) -> bool {
        self.has(preset, BANNED)
    }

    /// Bans the preset or lifts the ban.
    pub fn set_banned(&mut self, preset: u32, on: bool) {
        self.set(preset, BANNED, on);
    }

    /// Returns whether the preset is excluded as broken.
    pub fn broken(&self, preset: u32) -> bool {
        self.has(preset, BROKEN)
    }

    /// Excludes the preset, for example because it failed, showed nothing or was rejected by an audit; or
    /// lifts its exclusion.
    pub fn set_broken(&mut self, preset: u32, on: bool) {
        self.set(preset, BROKEN, on);
    }

    /// Returns whether the preset was skipped in this show.
    pub fn skipped(&self, preset: u32) -> bool {
        self.has(preset, SKIPPED)
    }

    /// Sets or clears the skipped mark. A skipped preset is shown again in this show only if nothing else is
    /// available.
    pub fn set_skipped(&mut self, preset: u32, on: bool) {
        self.set(preset, SKIPPED, on);
    }

    /// Returns whether the preset may be chosen; skipped presets only with `skipped_too`.
    pub fn usable(&self, preset: u32, skipped_too: bool) -> bool {
        let against = if skipped_too { BANNED | BROKEN } else { BANNED | BROKEN | SKIPPED };
        self.marks[preset as usize] & against == 0
    }

    fn has(&self, preset: u32, mark: u8) -> bool {
        self.marks[preset as usize] & mark != 0
    }

    fn set(&mut self, preset: u32, mark: u8, on: bool) {
        let marks = &mut self.marks[preset as usize];
        *marks = if on { *marks | mark } else { *marks & !mark };
    }
}
