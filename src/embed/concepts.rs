//! Pretrained concepts: a projection of a preset's parameters and code, trained to tell apart the folders of a curated
//! library.
//!
//! `assets/style-concepts.bin` contains text models (see [`TextModel`]: of all code, of each kind of code, of single
//! tokens) and a small neural network that takes their descriptors. It is made by `tests/tools/fit_concepts.py`, whose
//! header documents the training and the file format. Unlike the text model it is the same for every library.
//!
//! On 6,997 curated presets, each evaluated with a network trained without its author, category / subfolder / strict
//! category / strict subfolder are .750 / .605 / .494 / .277 without the concepts and .768 / .621 / .569 / .359 with
//! them; among the held-out authors' presets alone .764 / .605 / .543 / .296. With one text model of all code and two
//! networks these were .769 / .621 / .566 / .335 and .757 / .601 / .527 / .283; a linear fit on the code alone gave
//! .756 / .602 / .523 / .269. Neither encoding numeric literals by magnitude nor adding more wave and shape parameters
//! helped.

use std::sync::LazyLock;

use ndarray::{Array1, Array2, ArrayView1};

use super::numbers::numbers;
use super::sheet::Sheet;
use super::text::{Reading, TextModel, unit_length};
use crate::jobs::parallel;

/// Norm of the concept vector; the code vector has norm 1.
pub(super) const LENGTH: f32 = 2.0;

static FILE: &[u8] = include_bytes!("../../assets/style-concepts.bin");

static CONCEPTS: LazyLock<Concepts> = LazyLock::new(|| Concepts::read(FILE).unwrap_or_default());

/// The text models and the network.
#[derive(Debug, Default)]
struct Concepts {
    /// Text models of all or some sections. The first also includes the parameters, the others only words.
    models: Vec<TextModel>,
    /// First layer: inputs x hidden units.
    first: Array2<f32>,
    bias: Array1<f32>,
    /// Second layer: hidden units x outputs.
    second: Array2<f32>,
}

impl Concepts {
    /// Parses the file; `None` if it is truncated or of another format.
    fn read(bytes: &[u8]) -> Option<Self> {
        let mut bytes = Bytes(bytes.strip_prefix(b"AIVJCON3")?);
        let mut knots = Vec::new();
        for _ in 0..bytes.count()? {
            let count = bytes.count()?;
            knots.push(bytes.floats(count.checked_mul(2)?)?.chunks_exact(2).map(|p| (p[0], p[1])).collect());
        }
        if knots.len() != numbers(&Sheet::default()).len() {
            return None; // Made for another set of parameters.
        }
        let mut models = Vec::new();
        for _ in 0..bytes.count()? {
            let (vocabulary, directions) = bytes.words()?;
            models.push(TextModel::of(std::mem::take(&mut knots), vocabulary, directions));
        }
        let (cells, width) = (bytes.count()?, bytes.count()?);
        let inputs = models.iter().map(TextModel::dimensions).sum();
        let first = bytes.matrix(inputs, cells)?;
        let bias = bytes.matrix(1, cells)?.row(0).to_owned();
        let second = bytes.matrix(cells, width)?;
        bytes.0.is_empty().then_some(Self { models, first, bias, second })
    }

    fn describe(&self, readings: &[Reading], threads: usize) -> Array2<f32> {
        let described: Vec<_> = self.models.iter().map(|model| model.describe(readings, threads)).collect();
        let mut rows = Array2::zeros((readings.len(), self.second.ncols()));
        // Row by row: a preset gets the same values alone and among others, to the last digit.
        parallel::rows(&mut rows, threads, |at, mut row| {
            let inputs: Array1<f32> = described.iter().flat_map(|rows| rows.row(at)).copied().collect();
            let mut cells = inputs.dot(&self.first) + &self.bias;
            cells.mapv_inplace(|cell| cell.max(0.0));
            let mut direction = cells.dot(&self.second).to_vec();
            unit_length(&mut direction, LENGTH);
            row.assign(&ArrayView1::from(&direction));
        });
        rows
    }
}

/// The remaining bytes of a file.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn count(&mut self) -> Option<usize> {
        let bytes = self.take(4)?;
        Some(u32::from_le_bytes(std::array::from_fn(|at| bytes[at])) as usize)
    }

    fn floats(&mut self, count: usize) -> Option<Vec<f32>> {
        let bytes = self.take(count.checked_mul(4)?)?.chunks_exact(4);
        Some(bytes.map(|bytes| f32::from_le_bytes(std::array::from_fn(|at| bytes[at]))).collect())
    }

    fn matrix(&mut self, rows: usize, columns: usize) -> Option<Array2<f32>> {
        Array2::from_shape_vec((rows, columns), self.floats(rows.checked_mul(columns)?)?).ok()
    }

    /// Reads a vocabulary, which is word hashes with their weights, and a matrix with one row per word and one column per
    /// direction.
    fn words(&mut self) -> Option<(Vec<(u64, f32)>, Array2<f32>)> {
        let (words, directions) = (self.count()?, self.count()?);
        let hashes = self.take(words.checked_mul(8)?)?.chunks_exact(8);
        let hashes = hashes.map(|bytes| u64::from_le_bytes(std::array::from_fn(|at| bytes[at])));
        let vocabulary = hashes.zip(self.floats(words)?).collect();
        let scales = Array1::from(self.floats(directions)?);
        let values = self.take(words.checked_mul(directions)?)?.iter().map(|byte| f32::from(*byte as i8));
        let matrix = Array2::from_shape_vec((words, directions), values.collect()).ok()? * &scales;
        Some((vocabulary, matrix))
    }
}

/// Returns the number of dimensions of a concept vector.
pub(super) fn width() -> usize {
    CONCEPTS.second.ncols()
}

/// Returns the concept vectors of these presets, one per row.
pub(super) fn concepts(readings: &[Reading], threads: usize) -> Array2<f32> {
    CONCEPTS.describe(readings, threads)
}

/// Returns the file, which identifies the version of the concepts.
pub(super) fn file() -> &'static [u8] {
    FILE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_asset_parses_and_truncated_copies_do_not() {
        let concepts = Concepts::read(FILE).expect("whole");
        assert!(concepts.first.nrows() > 100 && (8..=128).contains(&concepts.second.ncols()));
        for end in [8, 30, 5000, FILE.len() / 2, FILE.len() - 1] {
            assert!(Concepts::read(&FILE[..end]).is_none(), "{end}");
        }
        assert!(Concepts::read(&[FILE, b"x"].concat()).is_none());
        let mut other = FILE.to_vec();
        other[8] += 1; // One more number.
        assert!(Concepts::read(&other).is_none());
    }

    #[test]
    fn presets_of_one_kind_are_more_similar_than_of_two_kinds() {
        let shader = |n: u32| {
            format!(
                "PSVERSION=2\nwarp_1=`shader_body {{\nwarp_2=`ret = tex2D(sampler_main, uv).xyz;\n\
                 warp_3=`ret -= 0.00{n};\nwarp_4=`}}\n"
            )
        };
        let waves = |n: u32| {
            format!(
                "wavecode_0_enabled=1\nwave_0_per_point1=x = 0.5 + 0.3*sin(sample*6.28*{n});\n\
                 wave_0_per_point2=y = 0.5 + 0.3*cos(sample*6.28);\n"
            )
        };
        let readings =
            [shader(4), shader(7), waves(3), String::new()].map(|text| Reading::of(text.as_bytes()));
        let rows = concepts(&readings, 2);
        let similarity = |a: usize, b: usize| rows.row(a).dot(&rows.row(b));
        assert!(similarity(0, 1) > similarity(0, 2) + 0.2, "{rows}");
        assert!(rows.iter().all(|value| value.is_finite()));
        assert_eq!(concepts(&readings[2..3], 1).row(0), rows.row(2));
    }
}
