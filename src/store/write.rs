//! Changes to the store, which are queued and, if they cannot be saved, kept in a file.

use serde::{Deserialize, Serialize};

use super::{BanKind, Store, StoreError, UnixSecs};
use crate::facts::PresetId;

/// A change to the store.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StoreWrite {
    /// Marks or unmarks a favourite.
    Favourite(PresetId, bool),
    /// Excludes a preset for the duration of this kind of ban, with a reason.
    Ban(PresetId, BanKind, String),
    /// Lifts one kind of ban, or all bans.
    Allow(PresetId, Option<BanKind>),
    /// Records that a preset was on air.
    Played {
        /// ID of the preset.
        id: PresetId,
        /// Time on air, in seconds.
        seconds: f64,
        /// Whether the performer skipped the preset.
        skipped: bool,
    },
    /// Stores a JSON value under a name.
    Remember(String, String),
    /// Sets or removes a rating from 1 to 5.
    Rating(PresetId, Option<u8>),
}

impl StoreWrite {
    /// Applies the change, which was made at time `at`.
    pub(super) fn apply(&self, store: &Store, at: UnixSecs) -> Result<(), StoreError> {
        match self {
            Self::Favourite(id, on) => store.set_favourite(*id, *on, at),
            Self::Ban(id, kind, reason) => store.ban(*id, *kind, reason, at),
            Self::Allow(id, kind) => store.allow(*id, *kind),
            Self::Played { id, seconds, skipped } => store.played(*id, *seconds, *skipped, at),
            Self::Remember(name, json) => store.remember_json(name, json, at),
            Self::Rating(id, rating) => store.set_rating(*id, *rating, at),
        }
    }

    /// Returns whether this change makes `earlier` irrelevant.
    pub(super) fn replaces(&self, earlier: &Self) -> bool {
        match (self, earlier) {
            (Self::Remember(name, _), Self::Remember(earlier, _)) => name == earlier,
            (Self::Favourite(id, _), Self::Favourite(earlier, _))
            | (Self::Rating(id, _), Self::Rating(earlier, _)) => id == earlier,
            _ => false,
        }
    }
}
