//! State and requests of the Library and Map pages, and of the themes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use super::persistence::Themes;
use crate::facts::PresetId;
use crate::find::{SearchQuery, SearchResults};
use crate::mind::director::ThemedStyle;
use crate::show::{Command, Exclusion};

/// State shown on the Library and Map pages, and the themes.
#[derive(Clone, Debug, Default)]
pub struct LibraryView {
    /// The newest search results.
    pub results: Arc<SearchResults>,
    /// The performer's favourites.
    pub favourites: Arc<BTreeSet<PresetId>>,
    /// The presets that the performer banned.
    pub banned: Arc<BTreeSet<PresetId>>,
    /// Excluded presets, with reasons.
    pub excluded: Arc<BTreeMap<PresetId, Exclusion>>,
    /// Presets that an audit rejected, with reasons.
    pub rejected: Arc<BTreeMap<PresetId, String>>,
    /// Presets rescued by the performer: shown even if an audit or an earlier show excluded them.
    pub rescued: Arc<BTreeSet<PresetId>>,
    /// How well the styles fit the theme of the night, best first; empty without a theme.
    pub themed_styles: Arc<[ThemedStyle]>,
    /// The themes that the performer saved.
    pub themes: Arc<Themes>,
    /// The preset folder or pack, if it is missing.
    pub missing: Option<PathBuf>,
    /// Why the presets of the folder are held back, if they are.
    pub held_back: Option<String>,
    /// Number of changes that are not saved yet.
    pub unsaved: usize,
    /// Why changes cannot currently be saved; empty if they can.
    pub save_problem: String,
}

impl LibraryView {
    /// Returns why a preset is excluded, if it is.
    pub fn exclusion(&self, id: PresetId) -> Option<&str> {
        let by_audit = || self.rejected.get(&id).filter(|_| !self.rescued.contains(&id));
        self.excluded.get(&id).map(|exclusion| &exclusion.why).or_else(by_audit).map(String::as_str)
    }

    /// Returns the commands that put a preset on air. The show would refuse an excluded preset, so it is rescued
    /// first.
    pub fn play(&self, id: PresetId) -> impl Iterator<Item = Command> + use<> {
        self.exclusion(id).map(|_| Command::Rescue(id)).into_iter().chain([Command::PlayNow(id)])
    }
}

/// A request from the Library or Map page, other than commands for the show.
#[derive(Clone, Debug, PartialEq)]
pub enum LibraryRequest {
    /// Search for presets.
    Find(SearchQuery),
    /// Play the presets that are held back.
    PlayAnyway,
    /// Save a theme under a name: name and text.
    SaveTheme(String, String),
    /// Delete the theme saved under this name.
    DeleteTheme(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excluded_preset_is_rescued_before_it_is_played() {
        let (good, bad) = (PresetId([1; 16]), PresetId([2; 16]));
        let view = LibraryView {
            rejected: Arc::new([(bad, "black output".to_owned())].into()),
            ..LibraryView::default()
        };
        assert_eq!(view.play(good).collect::<Vec<_>>(), [Command::PlayNow(good)]);
        assert_eq!(view.play(bad).collect::<Vec<_>>(), [Command::Rescue(bad), Command::PlayNow(bad)]);
    }
}
