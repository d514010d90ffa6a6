//! What a preset's numbers and code say of the folder people would sort it into: a direction learnt from a library that a
//! curator has sorted.
//!
//! `assets/style-concepts.bin` holds yardsticks of its own (as [`TextModel`] makes them: of all code, of each kind of code
//! alone, of single tokens) and a small net that reads what they say; made by `tests/tools/fit_concepts.py`, whose header
//! tells how and describes the file. Unlike the rest of the descriptor it is the same for every library.
//!
//! Of 6,997 curated presets, each told by a net that saw no other of its author, category / subfolder / strict category /
//! strict subfolder are .750 / .605 / .494 / .277 without the concepts and .768 / .621 / .569 / .359 with them, and among
//! nobody but the left-out authors' presets .764 / .605 / .543 / .296. With a yardstick of all code only and two nets
//! these were .769 / .621 / .566 / .335 and .757 / .601 / .527 / .283; a linear fit on the code alone gave .756 / .602 /
//! .523 / .269. Numbers told by their size in the code, and more numbers of waves and shapes, gained nothing.

use std::sync::LazyLock;

use ndarray::{Array1, Array2, ArrayView1};

use super::numbers::numbers;
use super::sheet::Sheet;
use super::text::{Reading, TextModel, unit_length};
use crate::jobs::parallel;

/// Length of the concepts beside the code's 1.
pub(super) const LENGTH: f32 = 2.0;

static FILE: &[u8] = include_bytes!("../../assets/style-concepts.bin");

static CONCEPTS: LazyLock<Concepts> = LazyLock::new(|| Concepts::read(FILE).unwrap_or_default());

/// The yardsticks and the net.
#[derive(Debug, Default)]
struct Concepts {
    /// The first tells the numbers too, the others only words: each all of them, or those of some sections.
    yardsticks: Vec<TextModel>,
    /// Inputs x cells.
    first: Array2<f32>,
    bias: Array1<f32>,
    /// Cells x width.
    second: Array2<f32>,
}

impl Concepts {
    /// Reads the file; nothing where it is cut short or of another kind.
    fn read(bytes: &[u8]) -> Option<Self> {
        let mut bytes = Bytes(bytes.strip_prefix(b"AIVJCON3")?);
        let mut knots = Vec::new();
        for _ in 0..bytes.count()? {
            let count = bytes.count()?;
            knots.push(bytes.floats(count.checked_mul(2)?)?.chunks_exact(2).map(|p| (p[0], p[1])).collect());
        }
        if knots.len() != numbers(&Sheet::default()).len() {
            return None; // Yardsticks for other numbers than are read here.
        }
        let mut yardsticks = Vec::new();
        for _ in 0..bytes.count()? {
            let (vocabulary, says) = bytes.words()?;
            yardsticks.push(TextModel::of(std::mem::take(&mut knots), vocabulary, says));
        }
        let (cells, width) = (bytes.count()?, bytes.count()?);
        let inputs = yardsticks.iter().map(TextModel::dimensions).sum();
        let first = bytes.matrix(inputs, cells)?;
        let bias = bytes.matrix(1, cells)?.row(0).to_owned();
        let second = bytes.matrix(cells, width)?;
        bytes.0.is_empty().then_some(Self { yardsticks, first, bias, second })
    }

    fn of(&self, readings: &[Reading], threads: usize) -> Array2<f32> {
        let said: Vec<_> =
            self.yardsticks.iter().map(|yardstick| yardstick.describe(readings, threads)).collect();
        let mut rows = Array2::zeros((readings.len(), self.second.ncols()));
        // Row by row: a preset is told alike alone and among others, to the last digit.
        parallel::rows(&mut rows, threads, |at, mut row| {
            let heard: Array1<f32> = said.iter().flat_map(|said| said.row(at)).copied().collect();
            let mut cells = heard.dot(&self.first) + &self.bias;
            cells.mapv_inplace(|cell| cell.max(0.0));
            let mut way = cells.dot(&self.second).to_vec();
            unit_length(&mut way, LENGTH);
            row.assign(&ArrayView1::from(&way));
        });
        rows
    }
}

/// What of a file has not been read yet.
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

    /// Words with their weights, and what they say: words x directions.
    fn words(&mut self) -> Option<(Vec<(u64, f32)>, Array2<f32>)> {
        let (words, directions) = (self.count()?, self.count()?);
        let hashes = self.take(words.checked_mul(8)?)?.chunks_exact(8);
        let hashes = hashes.map(|bytes| u64::from_le_bytes(std::array::from_fn(|at| bytes[at])));
        let vocabulary = hashes.zip(self.floats(words)?).collect();
        let scales = Array1::from(self.floats(directions)?);
        let says = self.take(words.checked_mul(directions)?)?.iter().map(|byte| f32::from(*byte as i8));
        let says = Array2::from_shape_vec((words, directions), says.collect()).ok()? * &scales;
        Some((vocabulary, says))
    }
}

/// Numbers that tell the concepts of a preset.
pub(super) fn width() -> usize {
    CONCEPTS.second.ncols()
}

/// The concepts of these presets, one a row.
pub(super) fn concepts(readings: &[Reading], threads: usize) -> Array2<f32> {
    CONCEPTS.of(readings, threads)
}

/// What tells this version of the concepts from others.
pub(super) fn file() -> &'static [u8] {
    FILE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_whole_and_a_part_of_it_is_none() {
        let concepts = Concepts::read(FILE).expect("whole");
        assert!(concepts.first.nrows() > 100 && (8..=128).contains(&concepts.second.ncols()));
        for end in [8, 30, 5000, FILE.len() / 2, FILE.len() - 1] {
            assert!(Concepts::read(&FILE[..end]).is_none(), "{end}");
        }
        assert!(Concepts::read(&[FILE, b"x"].concat()).is_none());
        let mut other = FILE.to_vec();
        other[8] += 1; // One number more.
        assert!(Concepts::read(&other).is_none());
    }

    #[test]
    fn code_of_one_kind_says_more_alike_than_code_of_two() {
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
        let likeness = |a: usize, b: usize| rows.row(a).dot(&rows.row(b));
        assert!(likeness(0, 1) > likeness(0, 2) + 0.2, "{rows}");
        assert!(rows.iter().all(|value| value.is_finite()));
        assert_eq!(concepts(&readings[2..3], 1).row(0), rows.row(2));
    }
}
