//! Fits the weight of a vision model in [`super::fusion`], by how often a preset's nearest neighbours are in its
//! folder.
//!
//! The weight is fitted on the presets of half of the authors, and used only if it is also better than the default on
//! the presets of the other authors. Neighbours by the same author do not count.

use ndarray::{Array2, Axis};
use sha2::{Digest as _, Sha256};

use crate::frames::BakeItem;
use crate::library::style::author_key;
use crate::units::counted;

/// Norms that the vision model's part of a row may have; the first is the default.
const WEIGHTS: [f32; 6] = [1.0, 0.35, 0.5, 0.7, 1.4, 2.0];
/// Norm of the vision model's part of a row if none is fitted: the same as that of the look vector and the code vector.
pub(super) const DEFAULT: f32 = WEIGHTS[0];
/// Minimum number of presets in each half.
const MIN_PRESETS: usize = 40;
/// Number of neighbours that are compared with a preset.
const NEIGHBOURS: usize = 10;

/// A fitted weight, and what it was measured on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Fit {
    /// The weight; the default if no other one is better on the held-out presets.
    pub weight: f32,
    /// Number of held-out presets.
    presets: usize,
    /// Mean agreement of the held-out presets with their neighbours, with the fitted weight, 0 to 1.
    share: f64,
    /// The same agreement with the default weight.
    default_share: f64,
}

impl Fit {
    /// Fits the weight on these presets: `described` are their rows from the built-in embedder, `seen` those from the
    /// vision model. Returns `None` if too few of the presets are in folders.
    pub fn of(items: &[&BakeItem], described: &Array2<f32>, seen: &Array2<f32>) -> Option<Self> {
        let [fitting, held_out] = [false, true].map(|other| Half::of(other, items, described, seen));
        if fitting.labels.len().min(held_out.labels.len()) < MIN_PRESETS {
            return None;
        }
        let shares = WEIGHTS.map(|weight| held_out.share(weight));
        let chosen = chosen(&WEIGHTS.map(|weight| fitting.share(weight)), &shares);
        Some(Self {
            weight: WEIGHTS[chosen],
            presets: held_out.labels.len(),
            share: shares[chosen],
            default_share: shares[0],
        })
    }
}

impl std::fmt::Display for Fit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { weight, presets, share, default_share } = self;
        write!(
            f,
            "weight {weight} (agreement of neighbours in folder, for {} by held-out authors: {share:.3}; with weight \
            {DEFAULT}: {default_share:.3})",
            counted(*presets, "preset")
        )
    }
}

/// Returns the index of the value that is the highest in `fitting`, or 0 if it is not above the first in `held_out`.
fn chosen(fitting: &[f64], held_out: &[f64]) -> usize {
    let order = |a: &usize, b: &usize| fitting[*a].total_cmp(&fitting[*b]).then(b.cmp(a));
    let best = (0..fitting.len()).max_by(order).unwrap_or(0);
    if held_out[best] > held_out[0] { best } else { 0 }
}

/// What is known about a preset from its path.
struct Labels {
    author: String,
    /// Outermost folder.
    category: String,
    folder: String,
}

impl Labels {
    /// Returns the labels of a preset; `None` if it is in no folder.
    fn of(item: &BakeItem) -> Option<Self> {
        let (folder, _) = item.below.rsplit_once('/')?;
        let category = folder.split('/').next().unwrap_or(folder);
        Some(Self {
            author: author_key(&item.below),
            category: category.to_owned(),
            folder: folder.to_owned(),
        })
    }

    /// Returns 1 for the same folder, 0.5 for another one in the same category, and otherwise 0.
    fn agreement(&self, other: &Self) -> f64 {
        let equal = [self.category == other.category, self.folder == other.folder];
        equal.into_iter().map(|equal| if equal { 0.5 } else { 0.0 }).sum()
    }
}

/// The presets of half of the authors.
struct Half {
    labels: Vec<Labels>,
    /// Dot products of their rows from the built-in embedder.
    described: Array2<f32>,
    /// Dot products of their rows from the vision model.
    seen: Array2<f32>,
}

impl Half {
    fn of(other: bool, items: &[&BakeItem], described: &Array2<f32>, seen: &Array2<f32>) -> Self {
        let is_other = |author: &str| Sha256::digest(author).first().is_some_and(|byte| byte % 2 == 1);
        let is_seen = |row: usize| seen.row(row).iter().any(|value| *value != 0.0);
        let rows = (0..items.len()).filter(|row| is_seen(*row));
        let labelled = rows.filter_map(|row| Some((row, Labels::of(items[row])?)));
        let (rows, labels): (Vec<usize>, Vec<Labels>) =
            labelled.filter(|(_, labels)| is_other(&labels.author) == other).unzip();
        let products = |all: &Array2<f32>| {
            let own = all.select(Axis(0), &rows);
            own.dot(&own.t())
        };
        Self { labels, described: products(described), seen: products(seen) }
    }

    /// Returns the mean agreement of presets with their nearest neighbours, 0 to 1.
    fn share(&self, weight: f32) -> f64 {
        let product = |a: usize, b: usize| self.described[[a, b]] + weight * weight * self.seen[[a, b]];
        let all = 0..self.labels.len();
        let lengths: Vec<f32> = all.clone().map(|row| product(row, row).sqrt()).collect();
        let of_neighbours = |query: usize| {
            let own = &self.labels[query];
            let others = all.clone().filter(|row| self.labels[*row].author != own.author);
            let mut others: Vec<(f32, usize)> =
                others.map(|row| (product(query, row) / lengths[row], row)).collect();
            others.sort_by(|a, b| b.0.total_cmp(&a.0));
            others.truncate(NEIGHBOURS);
            let same: f64 = others.iter().map(|(_, row)| own.agreement(&self.labels[*row])).sum();
            same / others.len().max(1) as f64
        };
        all.clone().map(of_neighbours).sum::<f64>() / self.labels.len().max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::super::text::unit_length;
    use super::*;
    use crate::units::Rng;

    /// Returns three presets by each of 100 authors, alternating between the first folder and the second.
    fn items(folders: [&str; 2]) -> Vec<BakeItem> {
        let item = |number: usize| {
            let below = format!("{}author {} - {number}.milk", folders[number % 2], number / 3);
            BakeItem {
                id: below.clone(),
                rel_path: below.clone(),
                path: below.clone().into(),
                below,
                listed_size: None,
                frames: Vec::new(),
                bands: None,
            }
        };
        (0..300).map(item).collect()
    }

    /// Returns rows of unit length: noise, with or without a component that depends on the folder.
    fn rows(depend: bool, rng: &mut Rng) -> Array2<f32> {
        let row = |number: usize| {
            let mut row: Vec<f32> = (0..8).map(|_| rng.normal() as f32).collect();
            if depend {
                row[number % 2] += 3.0;
            }
            unit_length(&mut row, 1.0);
            row
        };
        let values: Vec<f32> = (0..300).flat_map(row).collect();
        Array2::from_shape_vec((300, 8), values).expect("300 rows of 8 values")
    }

    #[test]
    fn the_part_that_agrees_with_the_folders_gets_the_larger_weight() {
        let mut rng = Rng::new(1);
        let (informed, noise) = (rows(true, &mut rng), rows(false, &mut rng));
        let items = items(["red/", "blue/"]);
        let items: Vec<&BakeItem> = items.iter().collect();
        let fit = |described: &Array2<f32>, seen: &Array2<f32>| {
            Fit::of(&items, described, seen).expect("enough presets")
        };
        let high = fit(&noise, &informed);
        assert!(high.weight > DEFAULT && high.share > high.default_share, "{high}");
        let low = fit(&informed, &noise);
        assert!(low.weight < DEFAULT && low.share > low.default_share, "{low}");
    }

    #[test]
    fn presets_without_folders_or_frames_fit_nothing() {
        let mut rng = Rng::new(1);
        let rows = rows(true, &mut rng);
        let (flat, sorted) = (items(["", ""]), items(["red/", "blue/"]));
        let of = |items: &[BakeItem], seen: &Array2<f32>| {
            let items: Vec<&BakeItem> = items.iter().collect();
            Fit::of(&items, &rows, seen)
        };
        assert_eq!(of(&flat, &rows), None);
        assert_eq!(of(&sorted, &Array2::zeros((300, 8))), None);
    }

    #[test]
    fn a_weight_that_is_not_better_for_the_other_authors_is_not_used() {
        assert_eq!(chosen(&[0.5, 0.6, 0.4], &[0.5, 0.6, 0.9]), 1);
        assert_eq!(chosen(&[0.5, 0.6, 0.4], &[0.5, 0.5, 0.9]), 0);
        assert_eq!(chosen(&[0.5, 0.5], &[0.5, 0.9]), 0, "the default is preferred");
    }

    #[test]
    fn a_folder_counts_more_than_a_category() {
        let paths = ["a/x/1.milk", "a/x/2.milk", "a/y/3.milk", "b/x/4.milk"];
        let mut items = items(["a/x/", "a/x/"]);
        items.truncate(paths.len());
        items.iter_mut().zip(paths).for_each(|(item, path)| item.below = path.into());
        let labels: Vec<Labels> = items.iter().filter_map(Labels::of).collect();
        let agreement = |other: usize| labels[0].agreement(&labels[other]);
        assert_eq!([1, 2, 3].map(agreement), [1.0, 0.5, 0.0]);
    }
}
