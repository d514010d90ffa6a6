//! The look of a single picture.

/// Columns and rows of the grid in [`Still::layout`].
pub const LAYOUT: [usize; 2] = [4, 3];
/// Number of hue bins.
pub const HUES: usize = 6;
/// Largest channel value of pure black, and smallest of pure white.
const PURE: (u8, u8) = (2, 253);

/// The look of a picture. Shares and means are from 0 to 1 and refer to display (gamma-encoded) values.
#[derive(Clone, Debug, PartialEq)]
pub struct Still {
    /// Luma exceeded by 2% of the pixels.
    pub highlight: f64,
    /// Standard deviation of luma.
    pub contrast: f64,
    /// Colourfulness (Hasler and Suesstrunk, 2003) divided by 109, the value they call "extremely colourful".
    pub colour: f64,
    /// Mean difference in luma between neighbouring pixels.
    pub detail: f64,
    /// Correlation of the picture with its horizontal mirror image, -1 to 1.
    pub symmetry: f64,
    /// Share of pure black pixels.
    pub black: f64,
    /// Share of pure white pixels.
    pub white: f64,
    /// Share of each hue, starting with red, weighted by saturation.
    pub hues: [f64; HUES],
    /// Mean luma of each cell of the [`LAYOUT`] grid, row-major.
    pub layout: [f64; LAYOUT[0] * LAYOUT[1]],
}

impl Still {
    /// Measures a picture of RGBA pixels; `grey` is its luma, from [`grey`].
    pub fn of(pixels: &[u8], grey: &[u8], width: usize) -> Self {
        let mut histogram = [0_u32; 256];
        grey.iter().for_each(|&g| histogram[usize::from(g)] += 1);
        let count = grey.len().max(1) as f64;
        let mean = histogram.iter().zip(0..).map(|(&n, g)| f64::from(n) * f64::from(g)).sum::<f64>() / count;
        let square = histogram
            .iter()
            .zip(0..)
            .map(|(&n, g)| f64::from(n) * (f64::from(g) - mean).powi(2))
            .sum::<f64>();
        let spread = (square / count).sqrt();
        let mut above = 0;
        let bright = (0..256).rev().find(|&g| {
            above += histogram[g];
            f64::from(above) > count * 0.02
        });
        let pure = |at: fn(u8) -> bool| {
            let hit = pixels.chunks_exact(4).filter(|p| p[..3].iter().all(|&c| at(c))).count();
            hit as f64 / count
        };
        let (mut steps, mut mirrored) = (0_u64, 0.0);
        for (y, line) in grey.chunks_exact(width).enumerate() {
            let across = line.windows(2).map(|pair| u64::from(pair[0].abs_diff(pair[1]))).sum::<u64>();
            let down = grey.get((y + 1) * width..(y + 2) * width).unwrap_or_default();
            let down = down.iter().zip(line).map(|(a, b)| u64::from(a.abs_diff(*b))).sum::<u64>();
            steps += across + down;
            let row = line.iter().zip(line.iter().rev());
            mirrored += row.map(|(&a, &b)| (f64::from(a) - mean) * (f64::from(b) - mean)).sum::<f64>();
        }
        Self {
            highlight: bright.unwrap_or(0) as f64 / 255.0,
            contrast: spread / 255.0,
            colour: colourfulness(pixels) / 109.0,
            detail: steps as f64 / (2.0 * count * 255.0),
            // A flat picture equals its mirror image.
            symmetry: if square > count { mirrored / square } else { 1.0 },
            black: pure(|c| c <= PURE.0),
            white: pure(|c| c >= PURE.1),
            hues: hues(pixels),
            layout: layout(grey, width),
        }
    }
}

/// Computes the Rec. 709 luma of every RGBA pixel, 0 to 255.
pub fn grey(pixels: &[u8], into: &mut Vec<u8>) {
    into.clear();
    into.extend(
        pixels.chunks_exact(4).map(|p| {
            ((54 * u32::from(p[0]) + 183 * u32::from(p[1]) + 19 * u32::from(p[2]) + 128) >> 8) as u8
        }),
    );
}

/// Returns the mean of the luma of all pixels, 0 to 1.
pub fn mean_luma(grey: &[u8]) -> f64 {
    let count = grey.len().max(1) as f64 * 255.0;
    grey.iter().map(|&g| u64::from(g)).sum::<u64>() as f64 / count
}

/// Returns the colourfulness of a picture, estimated from every second pixel, by Hasler and Suesstrunk,
/// "Measuring colourfulness in natural images" (2003).
fn colourfulness(pixels: &[u8]) -> f64 {
    let (mut count, mut sums) = (0.0, [0.0_f64; 4]);
    for pixel in pixels.chunks_exact(4).step_by(2) {
        let [r, g, b] = [0, 1, 2].map(|channel: usize| f64::from(pixel[channel]));
        let (rg, yb) = (r - g, (r + g) / 2.0 - b);
        for (sum, value) in sums.iter_mut().zip([rg, yb, rg * rg, yb * yb]) {
            *sum += value;
        }
        count += 1.0;
    }
    let [rg, yb, rg2, yb2] = sums.map(|sum| sum / f64::max(count, 1.0));
    let spread = (rg2 - rg * rg + yb2 - yb * yb).max(0.0).sqrt();
    spread + 0.3 * rg.hypot(yb)
}

/// Returns the share of each hue, weighted by saturation and estimated from every fourth pixel; all 0 for a
/// grey picture.
fn hues(pixels: &[u8]) -> [f64; HUES] {
    let mut shares = [0.0; HUES];
    for pixel in pixels.chunks_exact(4).step_by(4) {
        let [r, g, b] = [0, 1, 2].map(|channel: usize| f64::from(pixel[channel]));
        let (high, low) = (r.max(g).max(b), r.min(g).min(b));
        let spread = high - low;
        if spread < 8.0 {
            continue;
        }
        let sixth = if high == r {
            (g - b) / spread
        } else if high == g {
            2.0 + (b - r) / spread
        } else {
            4.0 + (r - g) / spread
        };
        shares[((sixth + 6.5) as usize) % HUES] += spread;
    }
    let whole = pixels.len() as f64 / 16.0 * 255.0;
    shares.map(|share| share / whole.max(1.0))
}

/// Returns the mean luma of each cell of the grid.
fn layout(grey: &[u8], width: usize) -> [f64; LAYOUT[0] * LAYOUT[1]] {
    let height = grey.len() / width;
    std::array::from_fn(|at| {
        let (column, row) = (at % LAYOUT[0], at / LAYOUT[0]);
        let columns = column * width / LAYOUT[0]..(column + 1) * width / LAYOUT[0];
        let rows = row * height / LAYOUT[1]..(row + 1) * height / LAYOUT[1];
        let area = (columns.len() * rows.len()).max(1) as f64 * 255.0;
        let light: u64 = rows
            .flat_map(|y| &grey[y * width + columns.start..y * width + columns.end])
            .map(|&g| u64::from(g))
            .sum();
        light as f64 / area
    })
}
