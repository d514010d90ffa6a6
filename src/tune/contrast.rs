//! What the head learns from: presets of different authors with the same label belong together, those with different
//! labels apart (supervised contrastive loss; Khosla et al., 2020). Presets of one author are not compared, because
//! many are copies of each other.

use std::collections::{BTreeMap, BTreeSet};

use ndarray::Array2;

use super::labels::{Labels, share_a_label};
use super::settings::LabelSource;
use crate::units::{Rng, counted};

/// Factor by which the similarities, -1 to 1, are multiplied before the softmax.
const SHARPNESS: f32 = 10.0;
/// Number of presets with the same label that are added to a batch together.
const GROUP: usize = 8;

/// Labels of one kind that the head learns from.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Lesson {
    source: LabelSource,
    labels: Labels,
    /// Rows by label.
    groups: Vec<Vec<usize>>,
    /// Group of each label of each row.
    owners: Vec<usize>,
}

impl Lesson {
    /// Selects, from the rows `train`, those with a label that presets of several authors share; `None` if there are
    /// fewer than two such labels.
    pub fn new(source: LabelSource, labels: &Labels, train: &[usize], authors: &[u32]) -> Option<Self> {
        let mut by_label: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for &row in train {
            for label in &labels[row] {
                by_label.entry(*label).or_default().push(row);
            }
        }
        let of_several =
            |rows: &Vec<usize>| rows.iter().map(|&row| authors[row]).collect::<BTreeSet<_>>().len() > 1;
        by_label.retain(|_, rows| of_several(rows));
        let mut known = vec![Vec::new(); labels.len()];
        for (label, rows) in &by_label {
            rows.iter().for_each(|row| known[*row].push(*label));
        }
        let groups: Vec<Vec<usize>> = by_label.into_values().collect();
        let owners = (0..).zip(&groups).flat_map(|(group, rows)| rows.iter().map(move |_| group)).collect();
        (groups.len() > 1).then_some(Self { source, labels: known, groups, owners })
    }

    /// Returns the number of presets with a label.
    pub fn presets(&self) -> usize {
        self.labels.iter().filter(|labels| !labels.is_empty()).count()
    }

    /// Draws a batch of at most `size` rows, in groups with the same label; larger groups are drawn more often.
    pub fn batch(&self, size: usize, rng: &mut Rng) -> Vec<usize> {
        let mut batch = Vec::with_capacity(size + GROUP);
        while batch.len() < size {
            let rows = &self.groups[self.owners[rng.below(self.owners.len())]];
            if rows.len() <= GROUP {
                batch.extend(rows);
            } else {
                batch.extend((0..GROUP).map(|_| rows[rng.below(rows.len())]));
            }
        }
        batch.truncate(size);
        batch
    }

    /// Adds the gradient of the loss with respect to the similarity of each pair of the batch.
    fn add_gradient(
        &self,
        batch: &[usize],
        similarities: &Array2<f32>,
        authors: &[u32],
        to: &mut Array2<f32>,
    ) {
        let scale = self.source.weight() * SHARPNESS / batch.len() as f32;
        for (at, &row) in batch.iter().enumerate() {
            if self.labels[row].is_empty() {
                continue;
            }
            let compared = || {
                let labelled =
                    |other: usize| !self.labels[other].is_empty() && authors[other] != authors[row];
                let others = batch.iter().enumerate().filter(move |(_, other)| labelled(**other));
                others.map(|(at, &other)| (at, share_a_label(&self.labels[other], &self.labels[row])))
            };
            let same = compared().filter(|(_, same)| *same).count();
            if same == 0 || same == compared().count() {
                continue;
            }
            let raised = |other: usize| (SHARPNESS * (similarities[[at, other]] - 1.0)).exp();
            let total: f32 = compared().map(|(other, _)| raised(other)).sum();
            for (other, is_same) in compared() {
                let wanted = if is_same { 1.0 / same as f32 } else { 0.0 };
                to[[at, other]] += scale * (raised(other) / total - wanted);
            }
        }
    }
}

impl std::fmt::Display for Lesson {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let presets = counted(self.presets(), "preset");
        write!(f, "{} ({} of {presets})", self.source.name(), self.groups.len())
    }
}

/// Returns the gradient of the loss of all lessons with respect to the results of the head for a batch. `results` are
/// of unit length.
pub(super) fn gradient(
    lessons: &[Lesson],
    batch: &[usize],
    results: &Array2<f32>,
    authors: &[u32],
) -> Array2<f32> {
    let similarities = results.dot(&results.t());
    let mut of_pairs = Array2::zeros(similarities.dim());
    for lesson in lessons {
        lesson.add_gradient(batch, &similarities, authors, &mut of_pairs);
    }
    (&of_pairs + &of_pairs.t()).dot(results)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_labels_shared_by_authors_are_learnt() {
        let labels = vec![vec![0], vec![0], vec![1], vec![1], vec![2], vec![2], vec![], vec![1]];
        let authors = [0, 1, 0, 1, 2, 2, 3, 3];
        let lesson =
            Lesson::new(LabelSource::Folders, &labels, &[0, 1, 2, 3, 4, 5, 6], &authors).expect("two labels");
        assert_eq!(lesson.groups, [[0, 1], [2, 3]]);
        assert_eq!((lesson.presets(), lesson.labels[7].len()), (4, 0));
        assert_eq!(Lesson::new(LabelSource::Folders, &labels, &[0, 1, 2], &authors), None);
        let batch = lesson.batch(5, &mut Rng::new(1));
        assert!(batch.len() == 5 && batch.iter().all(|row| *row < 4), "{batch:?}");
    }

    #[test]
    fn the_gradient_draws_equal_labels_together_and_ignores_pairs_of_one_author() {
        let labels = vec![vec![0], vec![0], vec![1], vec![1]];
        let authors = [0, 1, 2, 0];
        let lesson = Lesson::new(LabelSource::Folders, &labels, &[0, 1, 2, 3], &authors).expect("two labels");
        let mut of_pairs = Array2::zeros((4, 4));
        lesson.add_gradient(&[0, 1, 2, 3], &Array2::zeros((4, 4)), &authors, &mut of_pairs);
        assert!(of_pairs[[0, 1]] < 0.0 && of_pairs[[2, 3]] < 0.0, "{of_pairs}");
        assert!(of_pairs[[0, 2]] > 0.0 && of_pairs[[1, 3]] > 0.0, "{of_pairs}");
        assert_eq!((of_pairs[[0, 3]], of_pairs[[3, 0]], of_pairs[[0, 0]]), (0.0, 0.0, 0.0));
        assert!(of_pairs.sum_axis(ndarray::Axis(1)).iter().all(|sum: &f32| sum.abs() < 1e-5));
    }

    #[test]
    fn presets_with_several_labels_belong_together_if_they_share_one() {
        let labels = vec![vec![0, 1], vec![0], vec![1, 2], vec![2]];
        let lesson =
            Lesson::new(LabelSource::Tags, &labels, &[0, 1, 2, 3], &[0, 1, 2, 3]).expect("three labels");
        assert_eq!((lesson.groups.len(), lesson.presets()), (3, 4));
        let mut of_pairs = Array2::zeros((4, 4));
        lesson.add_gradient(&[0, 1, 2, 3], &Array2::zeros((4, 4)), &[0, 1, 2, 3], &mut of_pairs);
        assert!(of_pairs[[0, 1]] < 0.0 && of_pairs[[0, 2]] < 0.0 && of_pairs[[2, 3]] < 0.0, "{of_pairs}");
        assert!(of_pairs[[0, 3]] > 0.0 && of_pairs[[1, 2]] > 0.0, "{of_pairs}");
    }
}
