//! The text descriptor: what a preset's numbers and code say about its look, with no picture drawn.
//!
//! Two parts of unit length: 113 numbers by rank, weight [`NUMBERS_WEIGHT`]; and counts of token runs, TF-IDF weighted
//! (Salton and Buckley, 1988) and reduced to [`DIRECTIONS`] (latent semantic analysis, Deerwester et al., 1990).
//! Fitted on a library once and kept, so that presets added later are described by the same yardstick.
//!
//! Ablation on 6,997 curated presets, ten nearest neighbours, category / subfolder / strict category / strict
//! subfolder: numbers alone .720 / .567 / .434 / .219, code alone .737 / .584 / .488 / .282, both .750 / .605 / .494 /
//! .277. With 24,000 words, three times the size: code alone .733 / .582 / .502 / .286, both .752 / .602 / .505 / .280;
//! of these without the custom shapes' values .745 / .599 / .481 / .269, without the main wave's .747 / .598 / .495 /
//! .284. The weight of the numbers was chosen on 70 % of the authors.

use std::collections::HashMap;

use ndarray::{Array1, Array2, ArrayView1};
use serde::{Deserialize, Serialize};

use super::numbers::{Ranks, numbers};
use super::sheet::Sheet;
use super::sparse::Sparse;
use super::svd::leading_directions;
use super::tokens::{Words, words};
use crate::jobs::parallel;
use crate::units::Rng;

/// Dimensions kept of the code.
const DIRECTIONS: usize = 256;
/// Words kept, the most common first; rarer ones tell single presets, not styles.
const MOST_WORDS: usize = 8_000;
/// A word must occur in so many presets.
const FEWEST_PRESETS: usize = 4;
/// A word in more presets than this share says nothing.
const LARGEST_SHARE: f32 = 0.6;
/// Presets the model is fitted on; a larger library is sampled.
const MOST_FITTED: usize = 8000;
/// Length of the numbers beside the code's 1.
pub(super) const NUMBERS_WEIGHT: f32 = 0.7;

/// What one preset's text says, before a library puts it in proportion.
pub(super) struct Reading {
    numbers: Vec<f32>,
    /// Runs of code tokens.
    pub words: Words,
}

impl Reading {
    /// Reads the bytes of a `.milk` file.
    pub fn of(bytes: &[u8]) -> Self {
        let sheet = Sheet::read(bytes);
        Self { numbers: numbers(&sheet), words: words(&sheet) }
    }
}

/// A library's yardstick.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct TextModel {
    /// Presets it was fitted on.
    pub fitted_on: usize,
    ranks: Ranks,
    /// Known words with their weight, in rising order of the word.
    vocabulary: Vec<(u64, f32)>,
    /// Words x directions; kept in a file of its own.
    #[serde(skip)]
    pub directions: Array2<f32>,
}

impl TextModel {
    /// Which of so many presets a model is fitted on: all, or a seeded sample, in rising order.
    pub fn sample(presets: usize, seed: u64) -> Vec<usize> {
        let mut chosen: Vec<usize> = (0..presets).collect();
        if presets > MOST_FITTED {
            Rng::new(seed).shuffle(&mut chosen);
            chosen.truncate(MOST_FITTED);
            chosen.sort_unstable();
        }
        chosen
    }

    /// Fits on these readings.
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

    /// A model that was fitted elsewhere, from its parts: values with their ranks, words with their weights, and words x
    /// directions.
    pub fn of(knots: Vec<Vec<(f32, f32)>>, vocabulary: Vec<(u64, f32)>, directions: Array2<f32>) -> Self {
        Self { fitted_on: 0, ranks: Ranks { knots }, vocabulary, directions }
    }

    /// Whether it was fitted on as many presets as are ever used; more would not change it.
    pub fn is_large(&self) -> bool {
        self.fitted_on >= MOST_FITTED
    }

    /// Length of a descriptor.
    pub fn dimensions(&self) -> usize {
        self.ranks.width() + self.directions.ncols()
    }

    /// Descriptors of these readings, one a row.
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

    /// The known words of a preset with their weights, together of unit length.
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

/// The words worth knowing with their inverse document frequency, in rising order.
fn vocabulary<'a>(presets: impl Iterator<Item = &'a Words>, count: usize) -> Vec<(u64, f32)> {
    let mut presets_with: HashMap<u64, usize> = HashMap::new();
    for words in presets {
        for word in words.keys() {
            *presets_with.entry(*word).or_default() += 1;
        }
    }
    let most = (LARGEST_SHARE * count as f32) as usize;
    // A handful of presets has no rare words; then everything counts.
    let fewest = FEWEST_PRESETS.min(count / 4).max(1);
    let mut kept: Vec<_> = presets_with.into_iter().filter(|(_, n)| (fewest..=most).contains(n)).collect();
    kept.sort_unstable_by_key(|&(word, n)| (std::cmp::Reverse(n), word));
    kept.truncate(MOST_WORDS);
    kept.sort_unstable();
    let weight = |n: usize| ((1.0 + count as f32) / (1.0 + n as f32)).ln() + 1.0;
    kept.into_iter().map(|(word, n)| (word, weight(n))).collect()
}

/// Scales to the given length; all zeros stay.
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
    fn presets_of_one_kind_lie_nearer_than_of_two() {
        let readings = library();
        let model = TextModel::fit(&readings, 1, 2);
        let rows = model.describe(&readings, 2);
        let likeness = |a: usize, b: usize| rows.row(a).dot(&rows.row(b));
        assert_eq!(rows.ncols(), model.dimensions());
        assert!(likeness(0, 2) > likeness(0, 1) && likeness(1, 3) > likeness(1, 2));
        assert!(rows.iter().all(|v| v.is_finite()));
    }

    #[test]
    fn a_preset_is_described_alike_alone_and_among_others() {
        let readings = library();
        let model = TextModel::fit(&readings, 1, 1);
        assert_eq!(model, TextModel::fit(&readings, 1, 2));
        let (all, one) = (model.describe(&readings, 2), model.describe(&readings[3..4], 1));
        assert_eq!(all.row(3), one.row(0));
    }

    #[test]
    fn nothing_at_all_has_a_descriptor_too() {
        let empty = [Reading::of(b"")];
        let row = TextModel::fit(&empty, 1, 1).describe(&empty, 1);
        assert!(row.iter().all(|v| v.is_finite()));
        assert_eq!(TextModel::fit(&[], 1, 1).fitted_on, 0);
    }
}
