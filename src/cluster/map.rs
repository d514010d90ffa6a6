//! Map of the library: two coordinates per preset; similar presets are near each other.
//!
//! Cluster centres are placed by their two leading principal components and pushed apart; presets are placed
//! around their centre, in the direction in which they differ from it. Written as `map.v0.json`.

use ndarray::{Array1, Array2, ArrayView2, Axis, s};

use super::kmeans::Assignment;
use crate::library::looks::LookMap;

/// Number of iterations in which centres are pushed apart.
const PUSH_ITERATIONS: usize = 200;
/// Maximum number of rows for the principal components; more make no visible difference.
const MAX_ROWS: usize = 1024;
/// Number of iterations of the principal component search.
const ITERATIONS: usize = 30;
/// Radius of a cluster relative to the free radius around its centre.
const SPREAD: f32 = 0.45;

pub(super) fn draw(
    presets: &[String],
    rows: ArrayView2<f32>,
    found: &Assignment,
    ids: &[u32],
    at: &str,
) -> LookMap {
    LookMap {
        version: "v0".into(),
        generated_at: at.to_owned(),
        ids: presets.to_vec(),
        points: layout(rows, found),
        clusters: found.labels.iter().map(|&label| ids[label as usize]).collect(),
    }
}

fn layout(rows: ArrayView2<f32>, found: &Assignment) -> Vec<[f32; 2]> {
    let count = found.centres.nrows();
    let centres = spread_out(plane(found.centres.view()));
    // Free radius around a centre: the distance to its nearest neighbour, at most 0.5.
    let radius: Vec<f32> = (0..count)
        .map(|a| {
            let others = (0..count).filter(|&b| b != a).map(|b| distance(centres[a], centres[b]));
            others.fold(0.5, f32::min)
        })
        .collect();
    let mut points = vec![[0.0; 2]; rows.nrows()];
    for cluster in 0..count {
        let own: Vec<usize> =
            (0..rows.nrows()).filter(|&row| found.labels[row] as usize == cluster).collect();
        let offsets = rows.select(Axis(0), &own) - found.centres.row(cluster);
        let flat = plane(offsets.view());
        let widest = flat.iter().map(|p| p[0].hypot(p[1])).fold(f32::MIN_POSITIVE, f32::max);
        for (&row, offset) in own.iter().zip(&flat) {
            let scale = SPREAD * radius[cluster] / widest;
            points[row] = [0, 1].map(|axis| centres[cluster][axis] + offset[axis] * scale);
        }
    }
    let widest = points.as_flattened().iter().fold(f32::MIN_POSITIVE, |most, v| most.max(v.abs()));
    points.iter().map(|point| point.map(|v| v / widest)).collect()
}

/// Projects rows onto their two leading principal components.
fn plane(rows: ArrayView2<f32>) -> Vec<[f32; 2]> {
    let Some(mean) = rows.mean_axis(Axis(0)) else { return Vec::new() };
    let centred = &rows - &mean;
    let mut axes = leading(centred.view());
    for mut axis in axes.columns_mut() {
        let heavy = axis.iter().copied().max_by(|a, b| a.abs().total_cmp(&b.abs())).unwrap_or(1.0);
        if heavy < 0.0 {
            axis.mapv_inplace(|v| -v);
        }
    }
    let flat = centred.dot(&axes);
    flat.outer_iter().map(|row| [row[0], row[1]]).collect()
}

/// Returns the two leading principal components of centred rows as columns, by orthogonal iteration (Golub and Van
/// Loan, section 8.2.4) on evenly sampled rows. A missing component is zero.
fn leading(centred: ArrayView2<f32>) -> Array2<f32> {
    let apart = centred.nrows().div_ceil(MAX_ROWS).max(1);
    let sample = centred.slice(s![..;apart as isize, ..]);
    let mut axes = Array2::from_shape_fn((centred.ncols(), 2), |(at, axis)| ((at * (axis + 2)) as f32).cos());
    for _ in 0..ITERATIONS {
        axes = sample.t().dot(&sample.dot(&axes));
        let first = unit(axes.column(0).to_owned());
        let second = axes.column(1).to_owned();
        let second = unit(&second - &(&first * first.dot(&second)));
        axes.column_mut(0).assign(&first);
        axes.column_mut(1).assign(&second);
    }
    axes
}

fn unit(vector: Array1<f32>) -> Array1<f32> {
    let length = vector.dot(&vector).sqrt();
    // Below this length, only rounding errors remain.
    if length > 1e-12 { vector / length } else { vector * 0.0 }
}

/// Scales points to -1..1 and pushes apart those that are too close.
fn spread_out(mut points: Vec<[f32; 2]>) -> Vec<[f32; 2]> {
    let widest = points.as_flattened().iter().fold(f32::MIN_POSITIVE, |most, v| most.max(v.abs()));
    points.iter_mut().for_each(|point| *point = point.map(|v| v / widest));
    let apart = 1.6 / (points.len().max(1) as f32).sqrt();
    for _ in 0..PUSH_ITERATIONS {
        for a in 0..points.len() {
            for b in 0..a {
                let gap = distance(points[a], points[b]);
                if gap < apart {
                    // Coinciding points are moved apart in a direction given by their index.
                    let way = if gap > 1e-6 {
                        [0, 1].map(|axis| (points[a][axis] - points[b][axis]) / gap)
                    } else {
                        [(a as f32).cos(), (a as f32).sin()]
                    };
                    for axis in 0..2 {
                        points[a][axis] += way[axis] * (apart - gap) * 0.25;
                        points[b][axis] -= way[axis] * (apart - gap) * 0.25;
                    }
                }
            }
        }
    }
    points
}

fn distance(a: [f32; 2], b: [f32; 2]) -> f32 {
    (a[0] - b[0]).hypot(a[1] - b[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clusters_are_separate_and_presets_are_near_their_own() {
        let rows = Array2::from_shape_fn((40, 6), |(row, column)| {
            f32::from(u8::from(row % 4 == column)) + 0.01 * (row * column) as f32 / 40.0
        });
        let found = crate::cluster::kmeans::lloyd(rows.view(), rows.slice(s![..4, ..]).to_owned(), 9, 1);
        let points = layout(rows.view(), &found);
        assert!(points.as_flattened().iter().all(|v| v.is_finite() && v.abs() <= 1.0));
        for (a, b) in [(0, 4), (1, 5), (2, 6), (3, 7)] {
            let strangers = (0..40).filter(|c| c % 4 != a % 4).map(|c| distance(points[a], points[c]));
            let nearest = strangers.fold(f32::INFINITY, f32::min);
            assert!(distance(points[a], points[b]) < nearest, "{a}");
        }
    }
}
