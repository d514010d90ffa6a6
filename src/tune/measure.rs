//! Measures embeddings on labelled presets by held-out authors, and compares the tuned embeddings with the base.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::labels::{Described, Labels, share_a_label};
use super::settings::LabelSource;
use crate::jobs::parallel;

/// Number of neighbours that are compared with a preset.
const NEIGHBOURS: usize = 10;
/// Maximum number of presets whose neighbours are looked up.
const QUERIES: usize = 2000;
/// Number of standard errors by which a difference must exceed zero to count as an improvement.
const SURE: f64 = 2.0;

/// Labels, and what is needed to compare presets by them.
#[derive(Clone, Debug)]
pub(super) struct Judge {
    labels: Labels,
    authors: Vec<u32>,
    words: Vec<BTreeSet<String>>,
}

impl Judge {
    /// Creates a judge that compares the rows `rows` by `labels`, which contains the labels of all rows.
    pub fn new(described: &Described, labels: &Labels, rows: impl Iterator<Item = usize> + Clone) -> Self {
        Self {
            labels: rows.clone().map(|row| labels[row].clone()).collect(),
            authors: rows.clone().map(|row| described.authors[row]).collect(),
            words: rows.map(|row| described.words[row].clone()).collect(),
        }
    }

    /// Returns the labelled rows among `rows` whose neighbours are looked up: all of them or, if there are more than
    /// [`QUERIES`], an evenly spaced sample.
    pub fn queries(&self, rows: impl Iterator<Item = usize>) -> Vec<usize> {
        let labelled: Vec<usize> = rows.filter(|row| !self.labels[*row].is_empty()).collect();
        let step = labelled.len().div_ceil(QUERIES).max(1);
        labelled.into_iter().step_by(step).collect()
    }

    /// Returns the number of authors of `rows`.
    pub fn authors(&self, rows: &[usize]) -> usize {
        rows.iter().map(|row| self.authors[*row]).collect::<BTreeSet<_>>().len()
    }

    /// Returns, for each query, the share of its ten nearest presets by other authors that have one of its labels.
    pub fn retrieval(&self, rows: &Array2<f32>, queries: &[usize], threads: usize) -> Vec<f64> {
        let all: Vec<usize> = (0..self.labels.len()).collect();
        parallel::map(queries, threads, |&query| {
            let other = |row: usize| self.authors[row] != self.authors[query];
            let found = self.nearest(rows, query, &all, other);
            let shares = |row: &&usize| share_a_label(&self.labels[**row], &self.labels[query]);
            let same = found.iter().filter(shares).count();
            same as f64 / found.len().max(1) as f64
        })
    }

    /// Returns, for each query, 1 if one of its labels is the most common one of its ten nearest presets in `among`,
    /// otherwise 0. Excludes presets with similar names, which share at least half of the words of the shorter name.
    fn strict(&self, rows: &Array2<f32>, queries: &[usize], among: &[usize], threads: usize) -> Vec<f64> {
        parallel::map(queries, threads, |&query| {
            let other = |row: usize| row != query && !self.namesakes(row, query);
            let found = self.nearest(rows, query, among, other);
            let right = self.most_common(&found).is_some_and(|label| self.labels[query].contains(&label));
            f64::from(u8::from(right))
        })
    }

    /// Returns the nearest labelled rows of `among` that are `allowed`, the nearest first.
    fn nearest(
        &self,
        rows: &Array2<f32>,
        query: usize,
        among: &[usize],
        allowed: impl Fn(usize) -> bool,
    ) -> Vec<usize> {
        let from = rows.row(query);
        let labelled = among.iter().filter(|row| !self.labels[**row].is_empty());
        let similar = labelled.map(|&row| (ordered(from.dot(&rows.row(row))), Reverse(row)));
        let mut heap: BinaryHeap<(i32, Reverse<usize>)> = similar.collect();
        let descending = std::iter::from_fn(|| heap.pop()).map(|(_, Reverse(row))| row);
        descending.filter(|row| allowed(*row)).take(NEIGHBOURS).collect()
    }

    fn namesakes(&self, a: usize, b: usize) -> bool {
        let (a, b) = (&self.words[a], &self.words[b]);
        let shorter = a.len().min(b.len()).max(1);
        2 * a.intersection(b).count() >= shorter
    }

    /// Returns the most common label of these rows, which are sorted by distance; in a tie, that of the nearest row.
    fn most_common(&self, rows: &[usize]) -> Option<u32> {
        let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
        let labels = || rows.iter().flat_map(|row| &self.labels[*row]).copied();
        labels().for_each(|label| *counts.entry(label).or_default() += 1);
        let most = counts.values().max()?;
        labels().find(|label| counts[label] == *most)
    }

    /// Measures the base embeddings and the tuned ones on the presets `held_out`.
    pub fn gate(
        &self,
        judge: LabelSource,
        held_out: &[usize],
        [base, tuned]: [&Array2<f32>; 2],
        threads: usize,
    ) -> Gate {
        let queries = self.queries(held_out.iter().copied());
        let retrieval = [base, tuned].map(|rows| self.retrieval(rows, &queries, threads));
        let strict = [base, tuned].map(|rows| self.strict(rows, &queries, held_out, threads));
        Gate {
            judge,
            presets: queries.len(),
            authors: self.authors(&queries),
            retrieval: self.compare(&queries, &retrieval),
            strict: self.compare(&queries, &strict),
        }
    }

    /// Compares the results of the base embeddings and of the tuned ones for the same queries.
    fn compare(&self, queries: &[usize], [base, tuned]: &[Vec<f64>; 2]) -> Comparison {
        let count = queries.len().max(1) as f64;
        let mean = |values: &[f64]| values.iter().sum::<f64>() / count;
        let (base_mean, tuned_mean) = (mean(base), mean(tuned));
        // Presets by one author resemble each other, so the standard error is computed from sums per author.
        let mut by_author: BTreeMap<u32, f64> = BTreeMap::new();
        for (query, (base, tuned)) in queries.iter().zip(base.iter().zip(tuned)) {
            *by_author.entry(self.authors[*query]).or_default() += tuned - base - (tuned_mean - base_mean);
        }
        let error = by_author.values().map(|sum| sum * sum).sum::<f64>().sqrt() / count;
        Comparison { base: base_mean, tuned: tuned_mean, error }
    }
}

/// Maps floats to integers that sort in the same order.
fn ordered(value: f32) -> i32 {
    let bits = value.to_bits() as i32;
    bits ^ (((bits >> 31) as u32) >> 1) as i32
}

/// The same measure for the base embeddings and for the tuned ones.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Value of the base embeddings, from 0 to 1.
    pub base: f64,
    /// Value of the tuned embeddings, from 0 to 1.
    pub tuned: f64,
    /// Standard error of the difference.
    pub error: f64,
}

impl Comparison {
    /// Returns whether the tuned embeddings are significantly better.
    pub fn improved(&self) -> bool {
        self.tuned - self.base > SURE * self.error
    }
}

impl std::fmt::Display for Comparison {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { base, tuned, error } = self;
        write!(f, "{tuned:.3} instead of {base:.3} ({:+.3} ±{error:.3})", tuned - base)
    }
}

/// Measurement that decides whether a head is used.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gate {
    /// Labels that the head was judged by.
    pub judge: LabelSource,
    /// Number of held-out presets whose neighbours were looked up.
    pub presets: usize,
    /// Number of their authors.
    pub authors: usize,
    /// Share of the ten nearest presets by other authors that have the same label.
    pub retrieval: Comparison,
    /// Share of presets whose label is the most common one among their ten nearest held-out presets, excluding those
    /// with similar names.
    pub strict: Comparison,
}

impl Gate {
    /// Returns whether the head is used: both measures have improved.
    pub fn passed(&self) -> bool {
        self.retrieval.improved() && self.strict.improved()
    }
}

impl std::fmt::Display for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { judge, presets, authors, retrieval, strict } = self;
        let outcome = if self.passed() {
            "using the tuned embeddings"
        } else {
            "keeping the base embeddings, because tuning does not clearly improve both measures"
        };
        write!(
            f,
            "{outcome}: retrieval {retrieval}, strict kNN {strict}, judged by {} on {presets} presets of {authors} \
            held-out authors",
            judge.name()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(labels: &[u32], authors: &[u32], names: &[&str]) -> Judge {
        Judge {
            labels: labels.iter().map(|label| vec![*label]).collect(),
            authors: authors.to_vec(),
            words: names.iter().map(|name| name.split(' ').map(str::to_owned).collect()).collect(),
        }
    }

    #[test]
    fn neighbours_of_the_same_author_or_name_do_not_count() {
        let rows = ndarray::arr2(&[[1.0, 0.0], [1.0, 0.0], [0.9, 0.1], [0.0, 1.0]]);
        let judge = judge(&[0, 0, 1, 0], &[7, 7, 8, 9], &["red star", "red moon", "sea", "fog"]);
        assert_eq!(judge.nearest(&rows, 0, &[0, 1, 2, 3], |_| true), [0, 1, 2, 3]);
        assert_eq!(judge.retrieval(&rows, &[0], 1), [0.5]);
        assert_eq!(judge.strict(&rows, &[0], &[0, 1, 2], 1), [0.0], "only the sea is left");
        assert_eq!(judge.strict(&rows, &[0], &[0, 1, 3], 1), [1.0]);
        assert_eq!(judge.most_common(&[2, 0, 1]), Some(0));
        assert_eq!(judge.most_common(&[2, 0]), Some(1));
        assert_eq!((judge.queries(0..4).len(), judge.authors(&[0, 1, 2])), (4, 2));
    }

    #[test]
    fn the_order_of_floats_is_kept() {
        let values = [f32::NEG_INFINITY, -1.5, -0.1, 0.0, 1e-9, 0.3, 1.0];
        assert!(values.map(ordered).is_sorted());
    }

    #[test]
    fn an_improvement_must_exceed_chance_and_one_author_is_not_enough() {
        let authors: Vec<u32> = (0..40).map(|row| row / 4).collect();
        let judge = judge(&[0; 40], &authors, &["x"; 40]);
        let queries: Vec<usize> = (0..40).collect();
        let tuned = |improved: &dyn Fn(usize) -> bool| -> Vec<f64> {
            queries.iter().map(|&row| if improved(row) { 0.6 } else { 0.5 }).collect()
        };
        let improved = |tuned: Vec<f64>| judge.compare(&queries, &[vec![0.5; 40], tuned]).improved();
        assert!(improved(tuned(&|_| true)) && improved(tuned(&|row| row % 4 != 0)));
        assert!(!improved(tuned(&|_| false)) && !improved(tuned(&|row| row < 4)));
        assert!(!improved(vec![0.4; 40]));
    }
}
