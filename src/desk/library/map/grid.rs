//! A uniform grid over the points of the map, so that only those in a part of it are visited.

/// Approximate mean number of points per cell.
const PER_CELL: usize = 4;
/// Maximum number of cells along a side.
const MAX_SIDE: usize = 512;

/// The points of the map by cell.
pub(super) struct Grid {
    /// Number of cells along a side.
    side: usize,
    /// Position in `order` at which each cell starts, row by row, and the end of the last one.
    starts: Vec<u32>,
    /// Indices of the points, by cell.
    order: Vec<u32>,
}

impl Grid {
    /// Sorts points into cells. Points outside the map count to the nearest cell.
    pub fn of(points: impl ExactSizeIterator<Item = [f32; 2]> + Clone) -> Self {
        let side = ((points.len() / PER_CELL) as f32).sqrt() as usize;
        let side = side.clamp(1, MAX_SIDE);
        let mut starts = vec![0; side * side + 1];
        points.clone().for_each(|point| starts[index(side, point) + 1] += 1);
        for cell in 1..starts.len() {
            starts[cell] += starts[cell - 1];
        }
        let (mut next, mut order) = (starts.clone(), vec![0; points.len()]);
        for (at, point) in points.enumerate() {
            let place = &mut next[index(side, point)];
            order[*place as usize] = at as u32;
            *place += 1;
        }
        Self { side, starts, order }
    }

    /// Returns the indices of all points in the cells that touch the rectangle from `min` to `max`.
    pub fn near(&self, min: [f32; 2], max: [f32; 2]) -> impl Iterator<Item = usize> + '_ {
        let ([left, bottom], [right, top]) =
            (min.map(|x| cell(self.side, x)), max.map(|x| cell(self.side, x)));
        (bottom..=top).flat_map(move |row| {
            let start = |column: usize| self.starts[row * self.side + column] as usize;
            self.order[start(left)..start(right + 1)].iter().map(|&at| at as usize)
        })
    }
}

/// Returns the row or column of a coordinate.
fn cell(side: usize, at: f32) -> usize {
    (((at + 1.0) / 2.0 * side as f32) as usize).min(side - 1)
}

fn index(side: usize, [x, y]: [f32; 2]) -> usize {
    cell(side, y) * side + cell(side, x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Rng;

    #[test]
    fn every_point_of_a_rectangle_is_near_it_and_few_others_are() {
        let mut rng = Rng::new(5);
        let points: Vec<[f32; 2]> = (0..20_000).map(|_| [0, 1].map(|_| 2.2 * rng.unit_f32() - 1.1)).collect();
        let grid = Grid::of(points.iter().copied());
        for (min, max) in [([-0.3, 0.1], [-0.2, 0.3]), ([0.9, 0.9], [1.2, 1.2]), ([-2.0, -2.0], [2.0, 2.0])] {
            let inside = |[x, y]: [f32; 2]| (min[0]..=max[0]).contains(&x) && (min[1]..=max[1]).contains(&y);
            let mut near: Vec<usize> = grid.near(min, max).collect();
            near.sort_unstable();
            near.dedup();
            let wanted: Vec<usize> = (0..points.len()).filter(|&at| inside(points[at])).collect();
            assert!(wanted.iter().all(|at| near.binary_search(at).is_ok()));
            assert!(near.len() <= 3 * wanted.len() / 2 + 100, "{} for {}", near.len(), wanted.len());
        }
        assert_eq!(Grid::of(std::iter::empty::<[f32; 2]>()).near([-1.0; 2], [1.0; 2]).count(), 0);
    }
}
