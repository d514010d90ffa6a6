//! Downsamples a picture to the grid of the flash meter: 96 by 72 cells, each the mean of its area in linear
//! light; and samples the middles of its rows and columns of cells.

use std::ops::Range;
use std::sync::OnceLock;

/// Columns and rows of cells. A 10-degree field of view is a third of the screen in each direction: 32 by 24
/// cells.
pub const GRID: [usize; 2] = [96, 72];
/// Number of samples per cell along the middle of a row or column.
pub(super) const PER_CELL: usize = 4;

/// A picture reduced to [`GRID`] cells.
#[derive(Clone, Debug)]
pub struct Cells {
    /// Linear red, green and blue of each cell, 0 to 1, row-major.
    pub linear: Vec<[f64; 3]>,
    sums: Vec<[f64; 3]>,
    /// Relative luminance along the middles of all rows of cells.
    rows: Vec<f64>,
    /// Relative luminance along the middles of all columns of cells.
    columns: Vec<f64>,
}

impl Default for Cells {
    fn default() -> Self {
        let cells = GRID[0] * GRID[1];
        let samples = vec![0.0; PER_CELL * cells];
        Self { linear: vec![[0.0; 3]; cells], sums: Vec::new(), rows: samples.clone(), columns: samples }
    }
}

impl Cells {
    /// Averages an RGBA picture in linear light, so that fine balanced patterns, which the rules exempt,
    /// cancel out. If the picture is smaller than the grid, several cells share a pixel.
    pub fn update(&mut self, pixels: &[u8], [width, height]: [usize; 2]) {
        debug_assert_eq!(pixels.len(), width * height * 4, "pixels match the size");
        let linear = linear_light();
        let (columns, rows) = (bounds(width, GRID[0]), bounds(height, GRID[1]));
        self.sums.resize(width, [0.0; 3]);
        for (row, cells) in rows.iter().zip(self.linear.chunks_exact_mut(GRID[0])) {
            self.sums.fill([0.0; 3]);
            for line in pixels.chunks_exact(width * 4).skip(row.0).take(row.1 - row.0) {
                for (sum, pixel) in self.sums.iter_mut().zip(line.chunks_exact(4)) {
                    for channel in 0..3 {
                        sum[channel] += linear[usize::from(pixel[channel])];
                    }
                }
            }
            for (column, cell) in columns.iter().zip(cells) {
                let area = ((column.1 - column.0) * (row.1 - row.0)) as f64;
                let part = &self.sums[column.0..column.1];
                *cell = std::array::from_fn(|channel| {
                    part.iter().map(|sum| sum[channel]).sum::<f64>() / area.max(1.0)
                });
            }
        }
        self.sample(pixels, [width, height]);
    }

    /// Samples the middles of the rows and columns of cells. A sample is the mean of an area that is two pixels wide
    /// across the line.
    fn sample(&mut self, pixels: &[u8], [width, height]: [usize; 2]) {
        let linear = linear_light();
        let mean = |columns: Range<usize>, rows: Range<usize>| {
            let pixel = |x: usize, y: usize| {
                let channels = &pixels[4 * (y * width + x)..];
                luminance([0, 1, 2].map(|channel: usize| linear[usize::from(channels[channel])]))
            };
            let sum: f64 = rows
                .clone()
                .flat_map(|y| columns.clone().map(move |x| (x, y)))
                .map(|(x, y)| pixel(x, y))
                .sum();
            sum / (columns.len() * rows.len()) as f64
        };
        let [across, down] = GRID.map(|cells| PER_CELL * cells);
        for (at, sample) in self.rows.iter_mut().enumerate() {
            *sample = mean(part(at % across, across, width), middle(at / across, GRID[1], height));
        }
        for (at, sample) in self.columns.iter_mut().enumerate() {
            *sample = mean(middle(at / down, GRID[0], width), part(at % down, down, height));
        }
    }

    /// Returns the relative luminance along the middle of each row of cells.
    pub(super) fn rows(&self) -> impl Iterator<Item = &[f64]> {
        self.rows.chunks_exact(PER_CELL * GRID[0])
    }

    /// Returns the relative luminance along the middle of each column of cells.
    pub(super) fn columns(&self) -> impl Iterator<Item = &[f64]> {
        self.columns.chunks_exact(PER_CELL * GRID[1])
    }
}

/// Returns part `at` of `parts` equal parts of `length` pixels, at least one pixel.
fn part(at: usize, parts: usize, length: usize) -> Range<usize> {
    let start = at * length / parts;
    start..((at + 1) * length / parts).max(start + 1)
}

/// Returns the two pixels, or the last one, from the middle of part `at` of `parts` equal parts of `length` pixels.
fn middle(at: usize, parts: usize, length: usize) -> Range<usize> {
    let start = (2 * at + 1) * length / (2 * parts);
    start..(start + 2).min(length)
}

/// Returns the relative luminance of a colour in linear light.
pub(super) fn luminance([r, g, b]: [f64; 3]) -> f64 {
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

/// Returns the `cells + 1` edges, rounded down to whole pixels, that divide `length` pixels into `cells`
/// equal parts.
pub fn edges(length: usize, cells: usize) -> impl Iterator<Item = usize> {
    let step = length as f64 / cells as f64;
    (0..=cells).map(move |cell| if cell == cells { length } else { (cell as f64 * step) as usize })
}

/// Returns the start and end (exclusive) of each of `cells` equal parts of `length` pixels; no part is empty.
fn bounds(length: usize, cells: usize) -> Vec<(usize, usize)> {
    let edges: Vec<usize> = edges(length, cells).collect();
    edges.windows(2).map(|part| (part[0], part[1].max(part[0] + 1))).collect()
}

/// Returns the table that converts 8-bit sRGB to linear light, 0 to 1 (IEC 61966-2-1).
fn linear_light() -> &'static [f64; 256] {
    static TABLE: OnceLock<[f64; 256]> = OnceLock::new();
    TABLE.get_or_init(|| {
        std::array::from_fn(|value| {
            let value = value as f64 / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_tile_the_picture_without_gaps() {
        for length in [96, 144, 256, 1080, 1920] {
            let parts = bounds(length, 72);
            assert_eq!((parts[0].0, parts[71].1), (0, length));
            assert!(parts.windows(2).all(|pair| pair[0].1 == pair[1].0), "{length}");
        }
    }

    #[test]
    fn a_tiny_picture_fills_every_cell() {
        let mut cells = Cells::default();
        cells.update(&[255; 4 * 4], [2, 2]);
        assert!(cells.linear.iter().all(|cell| (cell[0] - 1.0).abs() < 1e-9));
    }
}
