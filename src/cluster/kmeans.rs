//! k-means whose expensive step, finding the nearest centres, is a matrix product.
//!
//! |x - c|^2 = |x|^2 - 2 x.c + |c|^2, so a chunk of rows against all centres is one product (linfa's loops take five
//! times as long on 130,000 x 512). Lloyd's algorithm (1982), or mini-batches (Sculley, 2010) for very large
//! libraries. The initial centres come from linfa's k-means on a sample, initialised by greedy k-means++. Rows are
//! split over threads; sums are added in a fixed order, so the result does not depend on the number of threads.

use linfa::DatasetBase;
use linfa::traits::Fit as _;
use linfa_clustering::KMeansInit;
use ndarray::{Array1, Array2, ArrayView2, Axis, s};

use crate::units::Rng;

/// Number of rows per product: 512 rows of 512 values fit in the cache.
const CHUNK: usize = 512;
/// Number of sampled rows per centre for the initial centres of Lloyd's algorithm.
pub const LLOYD_SAMPLE: usize = 72;
/// Number of sampled rows per centre for the initial centres of mini-batch k-means; fewer suffice, because every batch
/// corrects the centres.
pub const MINI_BATCH_SAMPLE: usize = 24;
/// Minimum number of rows in the sample from which the initial centres are computed.
const MIN_SAMPLE: usize = 1024;
/// Number of rows per mini-batch.
pub const MINI_BATCH: usize = 4096;

/// Assignment of rows to centres.
#[derive(Clone, Debug, PartialEq)]
pub struct Assignment {
    /// Centres, one per row.
    pub centres: Array2<f32>,
    /// Index of the centre of every row.
    pub labels: Vec<u32>,
    /// Squared distance from every row to its centre.
    pub distances: Vec<f32>,
    /// Number of passes over all rows.
    pub passes: usize,
}

impl Assignment {
    /// Returns the sum of squared distances; lower is tighter.
    pub fn inertia(&self) -> f64 {
        self.distances.iter().copied().map(f64::from).sum()
    }
}

/// Finds initial centres with linfa's k-means, initialised by greedy k-means++, on a seeded sample of `per_centre` rows
/// per centre. `count` must not exceed the number of rows.
pub fn first_centres(rows: ArrayView2<f32>, count: usize, per_centre: usize, rng: &mut Rng) -> Array2<f32> {
    let mut order: Vec<usize> = (0..rows.nrows()).collect();
    // The seed determines which rows are sampled, and in what order.
    rng.shuffle(&mut order);
    order.truncate((count * per_centre).max(MIN_SAMPLE));
    let sample = rows.select(Axis(0), &order);
    let begun = spread_centres(sample.view(), count, rng);
    let fitted = linfa_clustering::KMeans::params(count)
        .init_method(KMeansInit::Precomputed(begun))
        .n_runs(1)
        .max_n_iterations(4)
        .tolerance(1e-3)
        .fit(&DatasetBase::from(sample.clone()));
    match fitted {
        Ok(fitted) => fitted.centroids().clone(),
        Err(error) => {
            log::warn!("could not fit initial centres ({error}); using random ones");
            rng.shuffle(&mut order);
            rows.select(Axis(0), &order[..count])
        }
    }
}

/// Picks centres by greedy k-means++ (Arthur and Vassilvitskii, 2007): each centre is the best of a few rows
/// drawn with probability proportional to their squared distance from the nearest previous centre. linfa
/// draws only one, which leaves the final inertia about 2% higher.
fn spread_centres(rows: ArrayView2<f32>, count: usize, rng: &mut Rng) -> Array2<f32> {
    let norms = squared_norms(rows);
    let tries = 2 + (count as f64).ln() as usize;
    let mut chosen = vec![rng.below(rows.nrows())];
    let mut away = distances_to(rows, &norms, &chosen).column(0).to_owned();
    while chosen.len() < count {
        let drawn: Vec<usize> = (0..tries).map(|_| draw(&away, rng)).collect();
        let mut nearer = distances_to(rows, &norms, &drawn);
        nearer
            .columns_mut()
            .into_iter()
            .for_each(|mut column| column.zip_mut_with(&away, |a, b| *a = a.min(*b)));
        let left = |at: &usize| nearer.column(*at).iter().copied().map(f64::from).sum::<f64>();
        let best = (0..tries).min_by(|a, b| left(a).total_cmp(&left(b))).unwrap_or_default();
        chosen.push(drawn[best]);
        away.assign(&nearer.column(best));
    }
    rows.select(Axis(0), &chosen)
}

/// Returns the squared distance from every row (rows of the result) to each of the rows at the indices `some`
/// (columns of the result).
fn distances_to(rows: ArrayView2<f32>, norms: &[f32], some: &[usize]) -> Array2<f32> {
    let mut distances = rows.dot(&rows.select(Axis(0), some).t());
    for (mut row, norm) in distances.outer_iter_mut().zip(norms) {
        row.iter_mut().zip(some).for_each(|(dot, at)| *dot = (norm + norms[*at] - 2.0 * *dot).max(0.0));
    }
    distances
}

/// Draws an index with probability proportional to its weight; uniformly if all weights are zero.
fn draw(weights: &Array1<f32>, rng: &mut Rng) -> usize {
    let mut left = rng.unit() * weights.iter().copied().map(f64::from).sum::<f64>();
    for (at, weight) in weights.iter().enumerate() {
        left -= f64::from(*weight);
        if left < 0.0 {
            return at;
        }
    }
    rng.below(weights.len())
}

/// Runs Lloyd's algorithm from `start` until convergence, for at most `most` passes plus a final assignment.
pub fn lloyd(rows: ArrayView2<f32>, start: Array2<f32>, most: usize, threads: usize) -> Assignment {
    let norms = squared_norms(rows);
    let spread = norms.iter().copied().map(f64::from).sum::<f64>() / norms.len().max(1) as f64;
    let mut centres = start;
    let mut passes = 0;
    while passes < most {
        let found = nearest(rows, &norms, &centres, threads, true);
        passes += 1;
        let moved = update_centres(rows, &mut centres, &found);
        if moved <= 1e-5 * spread {
            break;
        }
    }
    let found = nearest(rows, &norms, &centres, threads, false);
    Assignment { centres, labels: found.labels, distances: found.distances, passes: passes + 1 }
}

/// Runs mini-batch k-means from `start`, with `sweeps` passes over all rows in random order.
pub fn mini_batch(
    rows: ArrayView2<f32>,
    start: Array2<f32>,
    sweeps: usize,
    rng: &mut Rng,
    threads: usize,
) -> Assignment {
    let mut centres = start;
    let mut counts = vec![0_f32; centres.nrows()];
    let mut order: Vec<usize> = (0..rows.nrows()).collect();
    for _ in 0..sweeps {
        rng.shuffle(&mut order);
        for batch in order.chunks(MINI_BATCH) {
            let batch = rows.select(Axis(0), batch);
            let found = nearest(batch.view(), &squared_norms(batch.view()), &centres, threads, true);
            for (centre, (sum, count)) in found.sums.outer_iter().zip(&found.counts).enumerate() {
                if *count > 0.0 {
                    counts[centre] += count;
                    let mut row = centres.row_mut(centre);
                    row *= 1.0 - count / counts[centre];
                    row.scaled_add(1.0 / counts[centre], &sum);
                }
            }
        }
    }
    let found = nearest(rows, &squared_norms(rows), &centres, threads, false);
    Assignment { centres, labels: found.labels, distances: found.distances, passes: sweeps + 1 }
}

struct Nearest {
    labels: Vec<u32>,
    distances: Vec<f32>,
    sums: Array2<f32>,
    counts: Vec<f32>,
}

/// Finds the nearest centre of every row and the number of rows of every centre; if `summed`, also the sum of
/// these rows.
fn nearest(
    rows: ArrayView2<f32>,
    norms: &[f32],
    centres: &Array2<f32>,
    threads: usize,
    summed: bool,
) -> Nearest {
    let (count, width) = centres.dim();
    let halves: Array1<f32> = centres.outer_iter().map(|c| c.dot(&c) / 2.0).collect();
    let across = centres.t();
    // A fixed number of parts for any number of threads, so that sums are added in the same order.
    const PARTS: usize = 16;
    let share = rows.nrows().div_ceil(PARTS).max(1);
    let parts: Vec<usize> = (0..rows.nrows()).step_by(share).collect();
    let work = |&from: &usize| {
        let to = (from + share).min(rows.nrows());
        let mut part = Nearest {
            labels: Vec::with_capacity(to - from),
            distances: Vec::with_capacity(to - from),
            sums: Array2::zeros(if summed { (count, width) } else { (0, width) }),
            counts: vec![0.0; count],
        };
        let mut product = Array2::zeros((CHUNK, count));
        for start in (from..to).step_by(CHUNK) {
            let chunk = rows.slice(s![start..(start + CHUNK).min(to), ..]);
            let mut product = product.slice_mut(s![..chunk.nrows(), ..]);
            ndarray::linalg::general_mat_mul(1.0, &chunk, &across, 0.0, &mut product);
            for (offset, (row, scores)) in chunk.outer_iter().zip(product.outer_iter()).enumerate() {
                let (mut best, mut score) = (0, f32::NEG_INFINITY);
                for (centre, (dot, half)) in scores.iter().zip(&halves).enumerate() {
                    if dot - half > score {
                        (best, score) = (centre, dot - half);
                    }
                }
                part.labels.push(best as u32);
                part.distances.push((norms[start + offset] - 2.0 * score).max(0.0));
                part.counts[best] += 1.0;
                if summed {
                    let mut sum = part.sums.row_mut(best);
                    sum += &row;
                }
            }
        }
        part
    };
    let mut whole = Nearest {
        labels: Vec::with_capacity(rows.nrows()),
        distances: Vec::with_capacity(rows.nrows()),
        sums: Array2::zeros((count, width)),
        counts: vec![0.0; count],
    };
    for part in crate::jobs::parallel::map(&parts, threads, work) {
        whole.labels.extend(part.labels);
        whole.distances.extend(part.distances);
        if summed {
            whole.sums += &part.sums;
        }
        whole.counts.iter_mut().zip(part.counts).for_each(|(sum, n)| *sum += n);
    }
    whole
}

/// Moves every centre to the mean of its rows and returns the total squared movement. A centre without rows
/// moves to the row that is farthest from its own centre and not yet taken.
fn update_centres(rows: ArrayView2<f32>, centres: &mut Array2<f32>, found: &Nearest) -> f64 {
    let mut worst: Vec<usize> = (0..rows.nrows()).collect();
    if found.counts.contains(&0.0) {
        worst.sort_by(|&a, &b| found.distances[b].total_cmp(&found.distances[a]).then(a.cmp(&b)));
    }
    let mut worst = worst.into_iter();
    let mut moved = 0.0;
    for (centre, mut row) in centres.outer_iter_mut().enumerate() {
        let next = if found.counts[centre] > 0.0 {
            found.sums.row(centre).mapv(|sum| sum / found.counts[centre])
        } else {
            worst.next().map_or_else(|| row.to_owned(), |at| rows.row(at).to_owned())
        };
        moved += row.iter().zip(&next).map(|(a, b)| f64::from((a - b) * (a - b))).sum::<f64>();
        row.assign(&next);
    }
    moved
}

fn squared_norms(rows: ArrayView2<f32>) -> Vec<f32> {
    rows.outer_iter().map(|row| row.dot(&row)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns `count` groups of 50 points around corners of a 16-dimensional cube.
    fn groups(count: usize) -> Array2<f32> {
        let mut rng = Rng::new(5);
        Array2::from_shape_fn((count * 50, 16), |(row, column)| {
            let corner = f64::from(((row / 50) >> (column % 4)) as u32 & 1) * 4.0;
            (corner + 0.3 * rng.normal()) as f32
        })
    }

    #[test]
    fn separated_groups_are_found() {
        let rows = groups(8);
        let one_of_each: Vec<usize> = (0..8).map(|group| group * 50 + 7).collect();
        let start = rows.select(Axis(0), &one_of_each);
        let lloyd = lloyd(rows.view(), start.clone(), 20, 2);
        let batches = mini_batch(rows.view(), start, 3, &mut Rng::new(1), 2);
        for found in [&lloyd, &batches] {
            for group in found.labels.chunks(50) {
                assert!(group.iter().all(|label| *label == group[0]), "{group:?}");
            }
        }
        // 400 points, 16 dimensions, variance 0.09.
        assert!((lloyd.inertia() / (400.0 * 16.0 * 0.09) - 1.0).abs() < 0.1, "{}", lloyd.inertia());
    }

    #[test]
    fn initial_centres_are_spread_over_the_groups() {
        let rows = groups(8);
        let start = first_centres(rows.view(), 16, MINI_BATCH_SAMPLE, &mut Rng::new(1));
        assert_eq!(start.dim(), (16, 16));
        let found = lloyd(rows.view(), start, 0, 1);
        let drawn = lloyd(rows.view(), rows.slice(s![..16, ..]).to_owned(), 0, 1);
        assert!(found.inertia() < drawn.inertia() / 4.0, "{} {}", found.inertia(), drawn.inertia());
    }

    #[test]
    fn the_number_of_threads_does_not_change_the_result() {
        let rows = groups(16);
        let start = rows.slice(s![..10, ..]).to_owned();
        assert_eq!(lloyd(rows.view(), start.clone(), 5, 1), lloyd(rows.view(), start, 5, 3));
    }

    #[test]
    fn a_centre_without_rows_is_moved() {
        let rows = groups(2);
        let mut start = rows.slice(s![..3, ..]).to_owned();
        start.row_mut(2).fill(1e6);
        let found = lloyd(rows.view(), start, 10, 2);
        assert!((0..3).all(|label| found.labels.contains(&label)));
    }
}
