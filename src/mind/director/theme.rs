//! The theme of the night: a description of looks; presets and styles that fit it are preferred.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::find::{Description, SearchIndex, SearchQuery};

/// Letters that encode fits, from the worst to the best.
const LETTERS: std::ops::RangeInclusive<u8> = b'a'..=b'z';
/// Minimum difference between the best and the worst fit; below it, all presets count as fitting equally
/// well.
const MIN_SPREAD: f32 = 1e-3;

/// A description such as "deep sea, nothing white", and how well each preset of a library fits it. Logged
/// with the fits, because later audits may change them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Theme {
    /// The description.
    pub text: String,
    /// One letter per preset, in the order of the catalogue, from `a` (worst fit) to `z` (best fit). Empty if
    /// all fit equally well.
    fits: String,
}

/// How well a style fits the theme.
#[derive(Clone, Debug, PartialEq)]
pub struct ThemedStyle {
    /// Name of the style.
    pub name: String,
    /// How well it fits, from 0 to 1.
    pub fit: f64,
    /// Whether the performer set it.
    pub set: bool,
}

/// Fit of a style if all presets fit equally well, and the performer set the fit of another style.
const MIDDLE: f64 = 0.5;

impl Theme {
    /// Rates how well the presets of a library fit a description. Also returns a message if part of the
    /// description could not be applied.
    pub fn of(text: &str, index: &mut SearchIndex) -> (Self, Option<String>) {
        let (ranked, problem) = index.describe(&Description::parse(text), &SearchQuery::default());
        // Presets named as examples in the description are not ranked; they get the best fit.
        let best = ranked.first().map_or(0.0, |(_, fit)| *fit);
        let mut fits = vec![best; index.library().entries.len()];
        ranked.iter().for_each(|(preset, fit)| fits[*preset as usize] = *fit);
        (Self { text: text.to_owned(), fits: letters(&fits) }, problem)
    }

    /// Returns a theme with these fits.
    #[cfg(test)]
    pub(super) fn of_fits(fits: &[f32]) -> Self {
        Self { text: "test".into(), fits: letters(fits) }
    }

    /// Returns the fits that the performer set, by the key of the style.
    pub(super) fn set_fits(&self) -> BTreeMap<String, f64> {
        let styles = Description::parse(&self.text).styles;
        styles.into_iter().map(|style| (style.key, f64::from(style.fit))).collect()
    }

    /// Returns how well a preset fits, from 0 to 1; 0 if all fit equally well.
    pub(super) fn fit(&self, preset: u32) -> f64 {
        let letter = self.fits.as_bytes().get(preset as usize).copied().unwrap_or(*LETTERS.start());
        let steps = f64::from(LETTERS.end() - LETTERS.start());
        f64::from(letter.saturating_sub(*LETTERS.start())) / steps
    }

    /// Returns how well an arm with these presets fits, from 0 to 1, if the performer set the fits of other styles but
    /// not of this one.
    pub(super) fn fit_beside_set(&self, presets: &[u32]) -> f64 {
        if self.fits.is_empty() { MIDDLE } else { self.fit_of_best(presets) }
    }

    /// Returns the mean fit of the best quarter of these presets, from 0 to 1. The director rarely draws any others.
    pub(super) fn fit_of_best(&self, presets: &[u32]) -> f64 {
        let mut fits: Vec<f64> = presets.iter().map(|preset| self.fit(*preset)).collect();
        fits.sort_by(|a, b| b.total_cmp(a));
        fits.truncate(fits.len().div_ceil(4));
        fits.iter().sum::<f64>() / fits.len().max(1) as f64
    }
}

/// Encodes fits as letters, relative to the worst and the best fit in the library; empty if the fits hardly
/// differ.
fn letters(fits: &[f32]) -> String {
    let least = fits.iter().copied().fold(f32::INFINITY, f32::min);
    let most = fits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    if fits.is_empty() || most - least < MIN_SPREAD {
        return String::new();
    }
    let steps = f32::from(LETTERS.end() - LETTERS.start());
    let letter =
        |fit: &f32| char::from(LETTERS.start() + ((fit - least) / (most - least) * steps).round() as u8);
    fits.iter().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fits_are_relative_to_the_library_and_survive_the_log() {
        let theme = Theme { text: "deep sea".into(), fits: letters(&[0.2, 0.6, 0.41]) };
        assert_eq!(theme.fits, "azn");
        let read: Theme = serde_json::from_str(&serde_json::to_string(&theme).expect("JSON")).expect("read");
        assert_eq!(read, theme);
        assert_eq!((read.fit(0), read.fit(1), read.fit(9)), (0.0, 1.0, 0.0));
        assert_eq!(read.fit_of_best(&[0, 1, 2]), 1.0);
        assert_eq!(letters(&[0.5, 0.5]), "", "nothing was measured");
    }

    #[test]
    fn a_preset_named_as_an_example_fits_best() {
        let library = std::sync::Arc::new(crate::library::Catalogue::built_in());
        let mut index = SearchIndex::new(library.clone(), &std::collections::HashMap::new());
        let presets = (0..).zip(&library.entries);
        let (model, entry) = presets.min_by_key(|(_, entry)| entry.name().len()).expect("a preset");
        let (theme, _) = Theme::of(&format!("like {}", entry.name().to_lowercase()), &mut index);
        assert_eq!((theme.fits.len(), theme.fit(model)), (library.entries.len(), 1.0));
        assert!(theme.fits.contains('a'), "{}", theme.fits);
    }

    #[test]
    fn names_fit_without_an_audit() {
        let library = std::sync::Arc::new(crate::library::Catalogue::built_in());
        let mut index = SearchIndex::new(library.clone(), &std::collections::HashMap::new());
        let (theme, problem) = Theme::of("no techno", &mut index);
        assert!(problem.is_some(), "looks were not measured");
        for (preset, entry) in (0..).zip(&library.entries) {
            let techno = entry.path.starts_with("techno/");
            assert_eq!(theme.fit(preset), if techno { 0.0 } else { 1.0 }, "{}", entry.path);
        }
    }
}
