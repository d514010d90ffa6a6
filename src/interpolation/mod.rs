//! Interpolates the source positions of a warp mesh on the CPU, for every pixel of a picture.
//!
//! With a dense mesh, a software rasteriser spends most of its time setting up triangles that cover a pixel
//! or two. The mesh is a regular grid, so only the values at its vertices change from frame to frame. The
//! results match Mesa's llvmpipe bit for bit: vertices are snapped to 1/256 pixel, each triangle is interpolated
//! by one linear function (a plane), and multiply-adds are fused where the CPU supports it.

/// Number of subpixel positions per pixel and axis to which the rasteriser snaps vertices.
const SUBPIXELS: f32 = 256.0;

/// Interpolates the source positions of a mesh.
pub struct Interpolator {
    width: usize,
    columns: GridLines,
    rows: GridLines,
    /// For each pixel row and cell column, the first pixel that belongs to the lower right triangle.
    splits: Vec<u32>,
    /// Planes of the upper left and lower right triangles of each cell in the current row.
    planes: Vec<[Plane; 2]>,
    pixels: Vec<[f32; 2]>,
}

impl Interpolator {
    /// Creates an interpolator for a picture of `size` pixels and a mesh of `cells` columns and rows; all must be
    /// nonzero.
    pub fn new(size: [u32; 2], cells: [u32; 2]) -> Self {
        let columns = GridLines::new(size[0], cells[0], false);
        let rows = GridLines::new(size[1], cells[1], true);
        let mut splits = Vec::with_capacity(size[1] as usize * cells[0] as usize);
        for (row, [top, bottom]) in rows.fixed().enumerate() {
            for y in rows.first[row]..rows.first[row + 1] {
                for (column, [left, right]) in columns.fixed().enumerate() {
                    let (from, to) = (columns.first[column], columns.first[column + 1]);
                    // The diagonal runs from bottom left to top right; pixels on it belong to the lower right triangle.
                    let is_left = |&x: &u32| {
                        let [x, y] = [x, y].map(|at| i64::from(at) * SUBPIXELS as i64);
                        (x - left) * (bottom - top) < (bottom - y) * (right - left)
                    };
                    splits.push(from + (from..to).take_while(is_left).count() as u32);
                }
            }
        }
        Self {
            width: size[0] as usize,
            planes: vec![Default::default(); cells[0] as usize],
            pixels: vec![[0.0; 2]; size[0] as usize * size[1] as usize],
            columns,
            rows,
            splits,
        }
    }

    /// Returns the source position of each pixel, row by row. `sources` contains the source positions of the
    /// vertices, row by row.
    pub fn interpolate(&mut self, sources: &[[f32; 2]]) -> &[[f32; 2]] {
        #[cfg(target_arch = "x86_64")]
        if fuses() {
            // SAFETY: `fuses` has checked that the CPU supports AVX2 and FMA.
            unsafe { self.fill_fused(sources) };
            return &self.pixels;
        }
        self.fill(sources, product_plus);
        &self.pixels
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,fma")]
    fn fill_fused(&mut self, sources: &[[f32; 2]]) {
        self.fill(sources, f32::mul_add);
    }

    #[inline(always)]
    fn fill(&mut self, sources: &[[f32; 2]], product_plus: impl Fn(f32, f32, f32) -> f32 + Copy) {
        let across = self.columns.at.len();
        let mut lines = self.pixels.chunks_exact_mut(self.width);
        let mut splits = self.splits.chunks_exact(across - 1);
        let vertices = sources.chunks_exact(across).zip(sources.chunks_exact(across).skip(1));
        for ((row, ends), (above, below)) in self.rows.at.windows(2).enumerate().zip(vertices) {
            let covered = self.rows.first[row]..self.rows.first[row + 1];
            if covered.is_empty() {
                continue;
            }
            let corners = above.windows(2).zip(below.windows(2));
            for ((planes, x), (above, below)) in
                self.planes.iter_mut().zip(self.columns.at.windows(2)).zip(corners)
            {
                *planes = planes_of_cell(
                    [x[0], x[1]],
                    [ends[0], ends[1]],
                    [above[0], above[1]],
                    [below[0], below[1]],
                );
            }
            // The order of the zipped iterators matters: a line is only consumed if the cell row covers
            // another pixel row.
            for ((y, line), splits) in covered.zip(&mut lines).zip(&mut splits) {
                let cells = self.planes.iter().zip(self.columns.first.windows(2)).zip(splits);
                for ((planes, ends), &split) in cells {
                    for (plane, from, to) in [(&planes[0], ends[0], split), (&planes[1], split, ends[1])] {
                        let pixels = &mut line[from as usize..to as usize];
                        for (x, pixel) in (from..).zip(pixels) {
                            *pixel = plane.at([x as f32, y as f32], product_plus);
                        }
                    }
                }
            }
        }
    }
}

/// The grid lines in one direction.
struct GridLines {
    /// Distance of each line from the left or top edge of the picture, in pixels.
    at: Vec<f32>,
    /// First pixel whose centre is on or past each line.
    first: Vec<u32>,
}

impl GridLines {
    /// Computes the grid lines that divide `pixels` pixels into `cells` cells. `down` is true for rows, whose
    /// clip-space and pixel coordinates run in opposite directions.
    fn new(pixels: u32, cells: u32, down: bool) -> Self {
        let half = pixels as f32 * 0.5;
        let place = |line: u32| {
            let clip = line as f32 / cells as f32 * 2.0;
            let (clip, scale) = if down { (1.0 - clip, -half) } else { (clip - 1.0, half) };
            product_plus(clip, scale, half)
        };
        let at: Vec<f32> = (0..=cells).map(place).collect();
        let step = SUBPIXELS as i64;
        let first =
            at.iter().map(|&at| (fixed(at) + step - 1).div_euclid(step).clamp(0, i64::from(pixels)) as u32);
        Self { first: first.collect(), at }
    }

    /// Iterates over the positions of the two lines of each cell, in units of 1/[`SUBPIXELS`] pixel from the
    /// centre of the first pixel.
    fn fixed(&self) -> impl Iterator<Item = [i64; 2]> {
        self.at.windows(2).map(|ends| [fixed(ends[0]), fixed(ends[1])])
    }
}

fn fixed(at: f32) -> i64 {
    ((at - 0.5) * SUBPIXELS).round_ties_even() as i64
}

/// The source position as a linear function of the pixel position.
#[derive(Clone, Copy, Default)]
struct Plane {
    base: [f32; 2],
    per_column: [f32; 2],
    per_row: [f32; 2],
}

impl Plane {
    #[inline(always)]
    fn at(&self, [x, y]: [f32; 2], product_plus: impl Fn(f32, f32, f32) -> f32) -> [f32; 2] {
        let axis = |axis: usize| {
            product_plus(self.per_row[axis], y, product_plus(self.per_column[axis], x, self.base[axis]))
        };
        [axis(0), axis(1)]
    }

    /// Returns the plane with the slopes `per_column` and `per_row` whose value at the corner `at`, in
    /// pixels, is `source`.
    #[inline(always)]
    fn through(source: [f32; 2], at: [f32; 2], per_column: [f32; 2], per_row: [f32; 2]) -> Self {
        let base =
            |axis: usize| source[axis] - (per_column[axis] * (at[0] - 0.5) + per_row[axis] * (at[1] - 0.5));
        Self { base: [base(0), base(1)], per_column, per_row }
    }
}

/// Returns the planes of the upper left and the lower right triangle of a cell, from its grid lines and the
/// source positions of its corners.
#[inline(always)]
fn planes_of_cell(
    [left, right]: [f32; 2],
    [top, bottom]: [f32; 2],
    [top_left, top_right]: [[f32; 2]; 2],
    [bottom_left, bottom_right]: [[f32; 2]; 2],
) -> [Plane; 2] {
    let (width, height) = (left - right, bottom - top);
    // The rasteriser multiplies by the reciprocal of twice the triangle's area.
    let area = 1.0 / (width * height);
    let (across, down) = (height * area, width * area);
    let slope = |from: [f32; 2], to: [f32; 2], factor: f32| {
        [0, 1].map(|axis: usize| (from[axis] - to[axis]) * factor)
    };
    let upper = Plane::through(
        top_left,
        [left, top],
        slope(top_left, top_right, across),
        slope(bottom_left, top_left, down),
    );
    // The rasteriser computes the horizontal slope as the sum of two edges, the right one and the diagonal, and
    // rounds each.
    let (up, back) = (slope(top_right, bottom_right, across), slope(bottom_left, top_right, across));
    let lower = Plane::through(
        top_right,
        [right, top],
        [up[0] + back[0], up[1] + back[1]],
        slope(bottom_right, top_right, down),
    );
    [upper, lower]
}

/// Returns true if the rasteriser uses fused multiply-add.
fn fuses() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma");
    #[cfg(not(target_arch = "x86_64"))]
    return cfg!(target_arch = "aarch64");
}

/// Returns `a * b + c`, rounded as the rasteriser rounds it.
fn product_plus(a: f32, b: f32, c: f32) -> f32 {
    if fuses() { a.mul_add(b, c) } else { a * b + c }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uniform_source_stays_uniform() {
        let mut interpolator = Interpolator::new([17, 9], [4, 3]);
        let pixels = interpolator.interpolate(&[[0.25, 0.75]; 20]);
        assert!(pixels.iter().all(|pixel| *pixel == [0.25, 0.75]), "{pixels:?}");
    }
}
