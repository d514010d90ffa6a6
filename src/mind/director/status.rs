//! What is known about single presets: marked by the performer, skipped tonight, broken.

use std::collections::BTreeSet;

const BANNED: u8 = 1;
const BROKEN: u8 = 2;
const SKIPPED: u8 = 4;

/// One byte a preset, by its place in the catalogue.
#[derive(Clone, Debug, Default)]
pub struct PresetStatus {
    marks: Vec<u8>,
    favourites: BTreeSet<u32>,
}

impl PresetStatus {
    /// Nothing known about so many presets.
    pub fn new(presets: usize) -> Self {
        Self { marks: vec![0; presets], favourites: BTreeSet::new() }
    }

    /// The favourites, in the order of their places.
    pub fn favourites(&self) -> impl Iterator<Item = u32> {
        self.favourites.iter().copied()
    }

    /// Whether it is a favourite.
    pub fn favourite(&self, preset: u32) -> bool {
        self.favourites.contains(&preset)
    }

    /// Marks or unmarks a favourite; a favourite is no longer held against its being skipped.
    pub fn set_favourite(&mut self, preset: u32, on: bool) {
        if on {
            self.favourites.insert(preset);
            self.set(preset, SKIPPED, false);
        } else {
            self.favourites.remove(&preset);
        }
    }

    /// Whether it must not be shown again.
    pub fn banned(&self, preset: u32) -> bool {
        self.has(preset, BANNED)
    }

    /// Bans it or allows it again.
    pub fn set_banned(&mut self, preset: u32, on: bool) {
        self.set(preset, BANNED, on);
    }

    /// Whether it could not be played.
    pub fn broken(&self, preset: u32) -> bool {
        self.has(preset, BROKEN)
    }

    /// Leaves it out because it could not be played or showed nothing, or takes it in again.
    pub fn set_broken(&mut self, preset: u32, on: bool) {
        self.set(preset, BROKEN, on);
    }

    /// It was skipped tonight: not shown again while there is anything else.
    pub fn set_skipped(&mut self, preset: u32) {
        self.set(preset, SKIPPED, true);
    }

    /// Whether it may be chosen; what was skipped tonight only where `skipped_too`.
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
