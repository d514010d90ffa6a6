//! Sparse matrices: TF-IDF rows of unit length, and their products with dense matrices.

use ndarray::parallel::prelude::*;
use ndarray::{Array2, ArrayView2, Axis};

use crate::jobs::parallel;

/// A sparse matrix in compressed row format.
pub(super) struct Sparse {
    starts: Vec<usize>,
    cells: Vec<(u32, f32)>,
    columns: usize,
}

impl Sparse {
    /// Creates a matrix from rows of (column, value) pairs.
    pub fn of(rows: &[Vec<(u32, f32)>], columns: usize) -> Self {
        let mut starts = vec![0];
        let mut cells = Vec::with_capacity(rows.iter().map(Vec::len).sum());
        for row in rows {
            cells.extend_from_slice(row);
            starts.push(cells.len());
        }
        Self { starts, cells, columns }
    }

    /// Returns the number of rows.
    pub fn rows(&self) -> usize {
        self.starts.len() - 1
    }

    /// Returns the number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    fn row(&self, row: usize) -> &[(u32, f32)] {
        &self.cells[self.starts[row]..self.starts[row + 1]]
    }

    /// Multiplies this matrix by `right` on `threads` threads.
    pub fn times(&self, right: ArrayView2<f32>, threads: usize) -> Array2<f32> {
        let mut product = Array2::zeros((self.rows(), right.ncols()));
        parallel::rows(&mut product, threads, |at, mut row| {
            for &(column, value) in self.row(at) {
                row.scaled_add(value, &right.row(column as usize));
            }
        });
        product
    }

    /// Multiplies the transpose of this matrix by `right`. The columns of `right` are split over threads, so that sums
    /// over rows are added in the same order for any number of threads.
    pub fn transposed_times(&self, right: ArrayView2<f32>, threads: usize) -> Array2<f32> {
        let share = right.ncols().div_ceil(threads.max(1)).max(1);
        let mut product = Array2::zeros((self.columns, right.ncols()));
        parallel::on(threads, || {
            let outs = product.axis_chunks_iter_mut(Axis(1), share).into_par_iter();
            outs.zip(right.axis_chunks_iter(Axis(1), share)).for_each(|(mut out, right)| {
                for (row, from) in right.outer_iter().enumerate() {
                    for &(column, value) in self.row(row) {
                        out.row_mut(column as usize).scaled_add(value, &from);
                    }
                }
            });
        });
        product
    }
}
