//! Distances between looks, and farthest-point selection.

use crate::audit::probe::Look;
use crate::media::still::{HUES, LAYOUT};

/// Number of dimensions: 11 single values, the hues and the layout.
const DIMENSIONS: usize = 11 + HUES + LAYOUT[0] * LAYOUT[1];

/// A look as a point in a space where distance measures dissimilarity; see [`points`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point([f32; DIMENSIONS]);

impl Point {
    /// Returns the Euclidean distance to `other`.
    pub fn distance(&self, other: &Self) -> f32 {
        self.0.iter().zip(&other.0).map(|(a, b)| (a - b) * (a - b)).sum::<f32>().sqrt()
    }
}

/// Converts looks to points; each dimension is centred, scaled by its standard deviation over `looks`,
/// limited to ±3 and weighted.
pub fn points(looks: &[&Look]) -> Vec<Point> {
    let raw: Vec<[f64; DIMENSIONS]> = looks.iter().map(|look| numbers(look)).collect();
    let count = raw.len().max(1) as f64;
    let mean: [f64; DIMENSIONS] =
        std::array::from_fn(|at| raw.iter().map(|numbers| numbers[at]).sum::<f64>() / count);
    let spread: [f64; DIMENSIONS] = std::array::from_fn(|at| {
        let square = raw.iter().map(|numbers| (numbers[at] - mean[at]).powi(2)).sum::<f64>() / count;
        square.sqrt().max(1e-6)
    });
    let weight = |at: usize| match at {
        0..11 => 1.0,
        // Hues and layout have several components each, so a component has less weight.
        at if at < 11 + HUES => 0.6,
        _ => 0.4,
    };
    let point = |numbers: &[f64; DIMENSIONS]| {
        // Limit the influence of outliers.
        let scaled = |at: usize| ((numbers[at] - mean[at]) / spread[at]).clamp(-3.0, 3.0) * weight(at);
        Point(std::array::from_fn(|at| scaled(at) as f32))
    };
    raw.iter().map(point).collect()
}

/// Returns the values of a look; those that span orders of magnitude are converted to logarithms.
fn numbers(look: &Look) -> [f64; DIMENSIONS] {
    let decades = |value: f64| (value + 1e-3).ln();
    let [low, mid, high] = look.reaction.map(decades);
    let own = [
        look.luma,
        look.highlight,
        look.contrast,
        decades(look.motion),
        look.colour,
        decades(look.detail),
        look.symmetry,
        look.black,
        low,
        mid,
        high,
    ];
    let all = own.into_iter().chain(look.hues).chain(look.layout);
    let mut numbers = [0.0; DIMENSIONS];
    numbers.iter_mut().zip(all).for_each(|(number, value)| *number = value);
    numbers
}

/// Maximum number of points measured in a selection, enough for a mean that is accurate to a few hundredths.
const MEASURED: usize = 1000;

/// Returns the mean distance from each chosen point to its nearest neighbour, or 0 for fewer than two points.
/// Large selections are subsampled evenly.
pub fn mean_nearest(points: &[Point], chosen: &[usize]) -> f64 {
    if chosen.len() < 2 {
        return 0.0;
    }
    let measured: Vec<usize> = chosen.iter().copied().step_by(chosen.len().div_ceil(MEASURED)).collect();
    let nearest = |&one: &usize| {
        let others = chosen.iter().filter(|&&other| other != one);
        others.map(|&other| points[one].distance(&points[other])).min_by(f32::total_cmp).unwrap_or(0.0)
    };
    measured.iter().map(|one| f64::from(nearest(one))).sum::<f64>() / measured.len() as f64
}

/// A farthest-point selection, which always takes the point farthest from all chosen so far (Gonzalez, 1985).
pub struct Farthest<'a> {
    points: &'a [Point],
    /// Distance of every point to the nearest chosen one.
    away: Vec<f32>,
}

impl<'a> Farthest<'a> {
    /// Creates a selection with no chosen points.
    pub fn new(points: &'a [Point]) -> Self {
        Self { points, away: vec![f32::INFINITY; points.len()] }
    }

    /// Marks the point with index `chosen` as chosen.
    pub fn choose(&mut self, chosen: usize) {
        for (away, point) in self.away.iter_mut().zip(self.points) {
            *away = away.min(point.distance(&self.points[chosen]));
        }
    }

    /// Returns the index of the point, among those with the indices `points`, that is farthest from all chosen ones. Of
    /// several equally far ones, returns the first; `None` if `points` is empty.
    pub fn farthest(&self, points: impl Iterator<Item = usize>) -> Option<usize> {
        let farther = |best: Option<usize>, at: usize| match best {
            Some(best) if self.away[best] >= self.away[at] => Some(best),
            _ => Some(at),
        };
        points.fold(None, farther)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Rng;

    fn looks(count: usize) -> Vec<Look> {
        let mut rng = Rng::new(3);
        let look = |rng: &mut Rng| Look {
            luma: rng.unit().powi(3),
            motion: rng.unit().powi(4),
            colour: rng.unit(),
            contrast: rng.unit(),
            ..Look::default()
        };
        (0..count).map(|_| look(&mut rng)).collect()
    }

    #[test]
    fn farthest_points_are_more_spread_out_than_the_first_ones() {
        let looks = looks(400);
        let points = points(&looks.iter().collect::<Vec<_>>());
        let mut farthest = Farthest::new(&points);
        let mut chosen: Vec<usize> = Vec::new();
        while chosen.len() < 40 {
            let left = (0..points.len()).filter(|at| !chosen.contains(at));
            let next = farthest.farthest(left).expect("one is left");
            farthest.choose(next);
            chosen.push(next);
        }
        let first: Vec<usize> = (0..40).collect();
        assert!(mean_nearest(&points, &chosen) > 1.3 * mean_nearest(&points, &first));
    }

    #[test]
    fn a_constant_dimension_is_ignored() {
        let same = Look::default();
        let points = points(&[&same, &same]);
        assert_eq!(points[0].distance(&points[1]), 0.0);
        assert_eq!(mean_nearest(&points, &[0]), 0.0);
    }
}
