//! Text descriptor: the numbers and code of a preset, without any picture.
//!
//! Two parts: the ranks of 113 numbers, with norm [`NUMBERS_WEIGHT`]; and counts of token n-grams, TF-IDF
//! weighted (Salton and Buckley, 1988) and reduced to [`DIRECTIONS`] dimensions (latent semantic analysis,
//! Deerwester et al., 1990), with norm 1. Fitted on a library once and saved, so that presets added later get
//! comparable descriptors.
//!
//! Share of 6,997 curated presets whose folder is the most common one among their ten nearest neighbours (measured as
//! in [`super::concepts`]):
//!
//! | Variant | Category | Subfolder | Strict category | Strict subfolder |
//! |---|---|---|---|---|
//! | numbers alone | .720 | .567 | .434 | .219 |
//! | code alone | .737 | .584 | .488 | .282 |
//! | numbers and code | .750 | .605 | .494 | .277 |
//! | code alone, 24,000 words | .733 | .582 | .502 | .286 |
//! | numbers and code, 24,000 words | .752 | .602 | .505 | .280 |
//! | the same without the values of custom shapes | .745 | .599 | .481 | .269 |
//! | the same without the values of the main wave | .747 | .598 | .495 | .284 |
//!
//! The weight of the numbers was chosen on the presets of 70% of the authors.

use std::collections::HashMap;

use ndarray::{Array1, Array2, ArrayView1};
use serde::{Deserialize, Serialize};

use super::numbers::{Ranks, numbers};
use super::sparse::Sparse;
use super::split_source::SplitSource;
use super::svd::leading_directions;
use super::tokens::{Words, words};
use crate::jobs::parallel;
use crate::units::Rng;

/// Number of dimensions that the token n-gram counts are reduced to.
const DIRECTIONS: usize = 256;
/// Maximum number of words kept, the most common first; rare words identify individual presets, not styles.
const MAX_WORDS: usize = 8_000;
/// Minimum number of presets in which a word must occur.
const MIN_PRESETS: usize = 4;
/// Maximum share of presets in which a word may occur; more common words carry no information.
const MAX_SHARE: f32 = 0.6;
/// Maximum number of presets to fit on; larger libraries are sampled.
const MAX_FITTED: usize = 8000;
/// Norm of the number vector; the code vector has norm 1.
pub(super) const NUMBERS_WEIGHT: f32 = 0.7;

/// Version of [`Reading`]; increment it with every change that gives the same source different features.
pub(super) const READING_VERSION: u32 = 2;

/// Features of one preset's source, before normalisation over a library.
pub(super) struct Reading {
    numbers: Vec<f32>,
    /// Counts of token n-grams.
    pub words: Words,
}

impl Reading {
    /// Extracts the features from the bytes of a `.milk` file.
    pub fn of(bytes: &[u8]) -> Self {
        let source = SplitSource::read(bytes);
        Self { numbers: numbers(&source), words: words(&source) }
    }
}

/// A text model, fitted on a library or pretrained.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct TextModel {
    /// Number of presets the model was fitted on; 0 for a pretrained model.
    pub fitted_on: usize,
    ranks: Ranks,
    /// Hashes of the known words with their weights, in ascending order.
    vocabulary: Vec<(u64, f32)>,
    /// Matrix of words x directions; saved in a separate file.
    #[serde(skip)]
    pub directions: Array2<f32>,
}

impl TextModel {
    /// Returns the indices of the presets to fit on, in ascending order: all, or a seeded sample of a large
    /// library.
    pub fn sample(presets: usize, seed: u64) -> Vec<usize> {
        let mut chosen: Vec<usize> = (0..presets).collect();
        if presets > MAX_FITTED {
            Rng::new(seed).shuffle(&mut chosen);
            chosen.truncate(MAX_FITTED);
            chosen.sort_unstable();
        }
        chosen
    }

    /// Fits a model on `readings`.
    pub fn fit(readings: &[Reading], seed: u64, threads: usize) -> Self {
        let mut rng = Rng::new(seed);
        let rows: Vec<&[f32]> = readings.iter().map(|reading| reading.numbers.as_slice()).collect();
        let mut model = Self {
            fitted_on: readings.len(),
            ranks: Ranks::fit(&rows),
            vocabulary: vocabulary(readings.iter().map(|reading| &reading.words), readings.len()),
            directions: Array2::default((0, 0)),
        };
        let index = model.index();
        let rows: Vec<_> = readings.iter().map(|reading| model.weigh(&reading.words, &index)).collect();
        let matrix = Sparse::of(&rows, model.vocabulary.len());
        model.directions = leading_directions(&matrix, DIRECTIONS, &mut rng, threads);
        model
    }

    /// Creates a pretrained model from its parts: knots of the ranks, words with weights, and directions (words x
    /// directions).
    pub fn of(knots: Vec<Vec<(f32, f32)>>, vocabulary: Vec<(u64, f32)>, directions: Array2<f32>) -> Self {
        Self { fitted_on: 0, ranks: Ranks { knots }, vocabulary, directions }
    }

    /// Returns whether the model was fitted on the maximum number of presets, and need not be fitted again when the
    /// library grows.
    pub fn is_large(&self) -> bool {
        self.fitted_on >= MAX_FITTED
    }

    /// Returns the number of dimensions of a descriptor.
    pub fn dimensions(&self) -> usize {
        self.ranks.width() + self.directions.ncols()
    }

    /// Returns the descriptors of `readings`, one per row.
    pub fn describe(&self, readings: &[Reading], threads: usize) -> Array2<f32> {
        let index = self.index();
        let mut rows = Array2::zeros((readings.len(), self.dimensions()));
        parallel::rows(&mut rows, threads, |at, mut row| {
            let reading = &readings[at];
            let mut placed = self.ranks.place(&reading.numbers);
            unit_length(&mut placed, NUMBERS_WEIGHT);
            let mut code = Array1::<f32>::zeros(self.directions.ncols());
            for (word, weight) in self.weigh(&reading.words, &index) {
                code.scaled_add(weight, &self.directions.row(word as usize));
            }
            let mut code = code.to_vec();
            unit_length(&mut code, 1.0);
            placed.extend(code);
            row.assign(&ArrayView1::from(&placed));
        });
        rows
    }

    fn index(&self) -> HashMap<u64, u32> {
        self.vocabulary.iter().zip(0..).map(|((word, _), at)| (*word, at)).collect()
    }

    /// Returns the known words of a preset with their weights, normalised to unit length.
    fn weigh(&self, words: &Words, index: &HashMap<u64, u32>) -> Vec<(u32, f32)> {
        let mut row: Vec<(u32, f32)> = words
            .iter()
            .filter_map(|(word, &count)| {
                let at = *index.get(word)?;
                Some((at, (1.0 + (count as f32).ln()) * self.vocabulary[at as usize].1))
            })
            .collect();
        let length = row.iter().map(|(_, weight)| weight * weight).sum::<f32>().sqrt();
        row.iter_mut().for_each(|(_, weight)| *weight /= length.max(f32::MIN_POSITIVE));
        row
    }
}

/// Selects the vocabulary and returns each word's hash with its inverse document frequency, ordered by hash.
fn vocabulary<'a>(presets: impl Iterator<Item = &'a Words>, count: usize) -> Vec<(u64, f32)> {
    let mut presets_with: HashMap<u64, usize> = HashMap::new();
    for words in presets {
        for word in words.keys() {
            *presets_with.entry(*word).or_default() += 1;
        }
    }
    let most = (MAX_SHARE * count as f32) as usize;
    // In a small library, words that occur in fewer presets are kept as well.
    let fewest = MIN_PRESETS.min(count / 4).max(1);
    let mut kept: Vec<_> = presets_with.into_iter().filter(|(_, n)| (fewest..=most).contains(n)).collect();
    kept.sort_unstable_by_key(|&(word, n)| (std::cmp::Reverse(n), word));
    kept.truncate(MAX_WORDS);
    kept.sort_unstable();
    let weight = |n: usize| ((1.0 + count as f32) / (1.0 + n as f32)).ln() + 1.0;
    kept.into_iter().map(|(word, n)| (word, weight(n))).collect()
}

/// Scales `values` to the norm `length`; a vector of zeros stays unchanged.
pub(super) fn unit_length(values: &mut [f32], length: f32) {
    let now = values.iter().map(|v| v * v).sum::<f32>().sqrt();
    if now > 0.0 {
        values.iter_mut().for_each(|v| *v *= length / now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn library() -> Vec<Reading> {
        let spiral =
            |n: u32| format!("zoom=1.0{n}\nper_frame_1=rot = 0.1*sin(time*{n}); zoom = 1 + bass*0.1;\n");
        let waves =
            |n: u32| format!("nwavemode={n}\nper_pixel_1=dx = dx + cos(rad*{n})*treb; dy = ang/{n};\n");
        (1..9).flat_map(|n| [spiral(n), waves(n)]).map(|text| Reading::of(text.as_bytes())).collect()
    }

    #[test]
    fn presets_of_the_same_kind_are_more_similar_than_others() {
        let readings = library();
        let model = TextModel::fit(&readings, 1, 2);
        let rows = model.describe(&readings, 2);
        let similarity = |a: usize, b: usize| rows.row(a).dot(&rows.row(b));
        assert_eq!(rows.ncols(), model.dimensions());
        assert!(similarity(0, 2) > similarity(0, 1) && similarity(1, 3) > similarity(1, 2));
        assert!(rows.iter().all(|v| v.is_finite()));
    }

    #[test]
    fn a_preset_has_the_same_descriptor_alone_and_among_others() {
        let readings = library();
        let model = TextModel::fit(&readings, 1, 1);
        assert_eq!(model, TextModel::fit(&readings, 1, 2));
        let (all, one) = (model.describe(&readings, 2), model.describe(&readings[3..4], 1));
        assert_eq!(all.row(3), one.row(0));
    }

    #[test]
    fn an_empty_preset_has_a_descriptor() {
        let empty = [Reading::of(b"")];
        let row = TextModel::fit(&empty, 1, 1).describe(&empty, 1);
        assert!(row.iter().all(|v| v.is_finite()));
        assert_eq!(TextModel::fit(&[], 1, 1).fitted_on, 0);
    }
}
