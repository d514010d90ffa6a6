//! Truncated singular value decomposition: the leading directions of a library's word counts.
//!
//! Randomised range finding with power iterations (Halko, Martinsson, Tropp, 2011). Only the vectors over presets are
//! orthonormalised, because they are usually shorter than those over words.

use linfa_linalg::eigh::{EigSort as _, Eigh as _};
use ndarray::{Array2, s};

use super::sparse::Sparse;
use crate::units::Rng;

/// Number of additional directions, computed for accuracy and then dropped.
const OVERSAMPLE: usize = 12;
/// Number of power iterations, which separate strong directions from weak ones.
const POWER_PASSES: usize = 3;

/// Returns the `count` leading right singular vectors of `matrix` as columns: words x at most `count`.
pub(super) fn leading_directions(
    matrix: &Sparse,
    count: usize,
    rng: &mut Rng,
    threads: usize,
) -> Array2<f32> {
    let limit = matrix.rows().min(matrix.columns());
    let width = (count + OVERSAMPLE).min(limit);
    if width == 0 {
        return Array2::zeros((matrix.columns(), 0));
    }
    let random = Array2::from_shape_simple_fn((matrix.columns(), width), || rng.normal() as f32);
    let mut basis = orthonormal(matrix.times(random.view(), threads));
    for _ in 0..POWER_PASSES {
        let back = matrix.transposed_times(basis.view(), threads);
        basis = orthonormal(matrix.times(back.view(), threads));
    }
    // The transposed matrix projected onto the basis: words x width.
    let small = matrix.transposed_times(basis.view(), threads);
    let gram = small.t().dot(&small).mapv(f64::from);
    let Ok(eigen) = gram.eigh() else {
        return small.slice(s![.., ..count.min(width)]).to_owned();
    };
    let (values, vectors) = eigen.sort_eig_desc();
    let kept = values.iter().take(count).take_while(|&&value| value > 1e-9).count();
    let mut directions = small.dot(&vectors.slice(s![.., ..kept]).mapv(|v| v as f32));
    for (mut column, value) in directions.columns_mut().into_iter().zip(&values) {
        column /= value.sqrt() as f32;
        // The sign of a direction is arbitrary; fixing it makes results reproducible.
        let heavy = column.iter().copied().max_by(|a, b| a.abs().total_cmp(&b.abs())).unwrap_or(1.0);
        if heavy < 0.0 {
            column.mapv_inplace(|v| -v);
        }
    }
    directions
}

/// Returns an orthonormal basis of the columns' span, from the eigenvectors of their Gram matrix. Directions
/// weaker than the rounding error are dropped. Returns the columns unchanged if the decomposition fails.
fn orthonormal(columns: Array2<f32>) -> Array2<f32> {
    let wide = columns.mapv(f64::from);
    let Ok(eigen) = wide.t().dot(&wide).eigh() else { return columns };
    let (values, vectors) = eigen.sort_eig_desc();
    let strongest = values.first().copied().unwrap_or(0.0);
    let kept = values.iter().take_while(|&&value| value > strongest * 1e-12 && value > 0.0).count();
    let mut basis = wide.dot(&vectors.slice(s![.., ..kept]));
    for (mut column, value) in basis.columns_mut().into_iter().zip(&values) {
        column /= value.sqrt();
    }
    basis.mapv(|v| v as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stronger_of_two_known_directions_comes_first() {
        // Two groups of rows with disjoint words: ten rows of one, four of the other.
        let row = |from: u32| vec![(from, 0.6), (from + 1, 0.8)];
        let rows: Vec<_> = (0..14).map(|r| row(if r < 10 { 0 } else { 3 })).collect();
        let matrix = Sparse::of(&rows, 6);
        let found = leading_directions(&matrix, 2, &mut Rng::new(1), 2);
        assert_eq!(found.dim(), (6, 2));
        let expected = [[0.6, 0.0], [0.8, 0.0], [0.0, 0.0], [0.0, 0.6], [0.0, 0.8], [0.0, 0.0]];
        for (got, want) in found.iter().zip(expected.as_flattened()) {
            assert!((got - want).abs() < 1e-4, "{found:?}");
        }
        let alone = leading_directions(&matrix, 2, &mut Rng::new(1), 1);
        assert_eq!(found, alone, "the number of threads does not matter");
    }
}
