//! Look model: normalises the looks of a library. It subtracts the mean, weights the parts, and reduces the
//! result to [`LOOKS`] principal components.
//!
//! Share of 265 curated presets whose nearest neighbour, among the looks of all presets in a different passage of
//! music, is the preset itself: .72 with all parts, .60 with only colours; .53 without colours, .69 without edges,
//! scales or layout, .72 without edge strength, .71 without texture, motion or symmetry. The same share between frames
//! 40 to 61 and frames 80 to 101 of 264 other presets: .78.
//!
//! Share of 3,309 curated presets, with three frames from the first second of each, whose folder is the most common one
//! among their ten nearest neighbours (measured as in [`super::concepts`]):
//!
//! | Variant | Category | Subfolder | Strict category | Strict subfolder |
//! |---|---|---|---|---|
//! | looks alone | .353 | .229 | .212 | .072 |
//! | text and concepts | .726 | .539 | .566 | .318 |
//! | with looks of norm 0.5 | .730 | .540 | .564 | .322 |
//! | with looks of norm 1 | .733 | .556 | .572 | .324 |
//! | with looks of norm 1.5 | .723 | .553 | .567 | .328 |

use linfa_linalg::eigh::{EigSort as _, Eigh as _};
use ndarray::{Array1, Array2, ArrayView1, Axis, s};

use super::text::unit_length;
use super::visual::PARTS;

/// Number of dimensions of a normalised look.
pub(super) const LOOKS: usize = 128;
/// Minimum number of presets with frames needed to fit a model.
pub(super) const MIN_LOOKS: usize = 64;
/// Maximum number of looks that a model is fitted on.
pub(super) const MAX_LOOKS: usize = 1500;
/// Weights of the parts: edges, scales, layout, colours, edge strength, texture, motion, symmetry.
const WEIGHTS: [f32; PARTS.len()] = [1.2, 0.8, 1.2, 1.8, 1.0, 0.8, 0.3, 0.3];
/// Norm of a look vector; the code vector has norm 1.
pub(super) const LENGTH: f32 = 1.0;

/// A look model as one matrix: scales (first row), mean (second row), directions, and in the first cell of the last row
/// the number of looks it was fitted on.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct LookModel(pub Array2<f32>);

impl LookModel {
    /// Wraps a saved matrix; `None` if its shape or values are invalid.
    pub fn from_matrix(matrix: Array2<f32>) -> Option<Self> {
        let width = PARTS.iter().sum();
        let valid = matrix.dim() == (3 + LOOKS, width) && matrix.iter().all(|value| value.is_finite());
        valid.then_some(Self(matrix))
    }

    /// Returns the number of looks the model was fitted on.
    pub fn fitted_on(&self) -> usize {
        self.0[[2 + LOOKS, 0]] as usize
    }

    /// Fits a model on `looks`.
    pub fn fit(looks: &[Vec<f32>]) -> Self {
        let width = PARTS.iter().sum();
        let mut rows = Array2::zeros((looks.len(), width));
        for (mut row, look) in rows.outer_iter_mut().zip(looks) {
            row.assign(&ArrayView1::from(look));
        }
        let mean = rows.mean_axis(Axis(0)).unwrap_or_else(|| Array1::zeros(width));
        rows -= &mean;
        let mut scale = Array1::<f32>::zeros(width);
        let mut from = 0;
        for (length, weight) in PARTS.into_iter().zip(WEIGHTS) {
            let part = rows.slice(s![.., from..from + length]);
            let spread = (part.iter().map(|v| v * v).sum::<f32>() / looks.len().max(1) as f32).sqrt();
            scale.slice_mut(s![from..from + length]).fill(weight / spread.max(1e-6));
            from += length;
        }
        rows *= &scale;
        let mut model = Array2::zeros((3 + LOOKS, width));
        model[[2 + LOOKS, 0]] = looks.len() as f32;
        model.row_mut(0).assign(&scale);
        model.row_mut(1).assign(&mean);
        if let Ok(eigen) = rows.t().dot(&rows).mapv(f64::from).eigh() {
            let (_, vectors) = eigen.sort_eig_desc();
            for (mut direction, vector) in model.outer_iter_mut().skip(2).take(LOOKS).zip(vectors.columns()) {
                // The sign of a direction is arbitrary; fixing it makes results reproducible.
                let heavy = vector.iter().copied().max_by(|a, b| a.abs().total_cmp(&b.abs())).unwrap_or(1.0);
                direction.assign(&vector.mapv(|v| (v * heavy.signum()) as f32));
            }
        }
        Self(model)
    }

    /// Returns `look` reduced to [`LOOKS`] dimensions, with norm [`LENGTH`].
    pub fn normalise(&self, look: &[f32]) -> Vec<f32> {
        let scaled = (&ArrayView1::from(look) - &self.0.row(1)) * self.0.row(0);
        let mut placed = self.0.slice(s![2..2 + LOOKS, ..]).dot(&scaled).to_vec();
        unit_length(&mut placed, LENGTH);
        placed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Rng;

    #[test]
    fn features_that_all_looks_share_are_ignored() {
        let mut rng = Rng::new(2);
        let width: usize = PARTS.iter().sum();
        let mut look = |kind: usize| -> Vec<f32> {
            (0..width)
                .map(|at| 5.0 + f32::from(u8::from(at % 2 == kind)) + 0.1 * rng.normal() as f32)
                .collect()
        };
        let looks: Vec<_> = (0..80).map(|at| look(at % 2)).collect();
        let model = LookModel::fit(&looks);
        let normalised: Vec<Vec<f32>> = looks.iter().map(|look| model.normalise(look)).collect();
        let similarity = |a: usize, b: usize| -> f32 {
            normalised[a].iter().zip(&normalised[b]).map(|(a, b)| a * b).sum()
        };
        assert!(
            similarity(0, 2) > 0.2 && similarity(0, 1) < -0.2,
            "{} {}",
            similarity(0, 2),
            similarity(0, 1)
        );
        assert_eq!((normalised[0].len(), model.fitted_on()), (LOOKS, 80));
        assert!(
            LookModel::from_matrix(Array2::zeros((2 + LOOKS, width))).is_none()
                && LookModel::from_matrix(model.0).is_some()
        );
    }
}
