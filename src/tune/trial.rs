//! A fair comparison of embeddings: on presets by authors whose presets are not used in training.

use std::collections::BTreeSet;
use std::path::Path;

use ndarray::Array2;

use super::error::TuneError;
use super::labels::{Described, Labels};
use super::measure::{Gate, Judge};
use super::settings::LabelSource;
use super::split::Split;
use crate::embed::Table;
use crate::store::Store;

/// Minimum number of held-out presets to judge by.
const MIN_HELD_OUT: usize = 20;
/// Minimum number of authors of the held-out presets.
const MIN_AUTHORS: usize = 5;
/// Minimum number of presets to choose the best epoch by.
const MIN_VALIDATION: usize = 10;

/// The presets of a bake, split by author, and the labels by which embeddings are judged.
pub struct Trial {
    pub(super) described: Described,
    pub(super) split: Split,
    pub(super) labels: Labels,
    source: LabelSource,
}

impl Trial {
    /// Splits the presets in `base`, the table of the bake in `folder`.
    ///
    /// # Errors
    /// Fails if the table is not valid, or if too few presets have labels.
    pub fn new(base: &Table, folder: &Path, store: Option<&Store>, seed: u64) -> Result<Self, TuneError> {
        check(base)?;
        let described = Described::of(base, folder, store)?;
        let split = Split::by_author(&described.authors, &described.author_keys, seed);
        let (source, labels) = judging_labels(&described, &split)?;
        let labels = labels.clone();
        Ok(Self { described, split, labels, source })
    }

    /// Returns the rows of the presets to learn from.
    pub fn train(&self) -> &[usize] {
        &self.split.train
    }

    /// Compares the base embeddings with the tuned ones on the held-out presets. The rows are of unit length and in the
    /// order of the table.
    pub fn gate(&self, rows: [&Array2<f32>; 2], threads: usize) -> Gate {
        let judge = Judge::new(&self.described, &self.labels, 0..self.labels.len());
        judge.gate(self.source, &self.split.held_out, rows, threads)
    }
}

/// Checks that the table has one finite embedding for each preset.
fn check(table: &Table) -> Result<(), TuneError> {
    let (ids, keys, rows) = (table.ids.len(), table.keys.len(), table.rows.nrows());
    if ids == 0 && rows == 0 {
        return Err(TuneError::Empty);
    }
    if ids != rows || keys != rows {
        return Err(TuneError::Mismatched { ids, keys, rows });
    }
    let broken = table.rows.outer_iter().filter(|row| !row.iter().all(|value| value.is_finite()));
    match broken.count() {
        0 => Ok(()),
        count => Err(TuneError::NotFinite { count }),
    }
}

/// Returns the labels by which embeddings are judged, and their source: the best source that labels enough held-out and
/// validation presets.
fn judging_labels<'a>(
    described: &'a Described,
    split: &Split,
) -> Result<(LabelSource, &'a Labels), TuneError> {
    let enough = |labels: &&Labels| {
        let labelled = |rows: &[usize]| rows.iter().copied().filter(|row| !labels[*row].is_empty()).collect();
        let (held_out, validation): (Vec<usize>, Vec<usize>) =
            (labelled(&split.held_out), labelled(&split.validation));
        let authors: BTreeSet<u32> = held_out.iter().map(|row| described.authors[*row]).collect();
        held_out.len() >= MIN_HELD_OUT && authors.len() >= MIN_AUTHORS && validation.len() >= MIN_VALIDATION
    };
    let found = LabelSource::JUDGES
        .into_iter()
        .find_map(|source| Some((source, described.labels[&source].as_ref().ok().filter(enough)?)));
    found.ok_or_else(|| {
        TuneError::NoJudge(described.problems(&LabelSource::JUDGES, "too few presets or authors"))
    })
}
