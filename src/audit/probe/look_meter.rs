//! Measures the look of a preset frame by frame, without keeping the frames.

use serde::{Deserialize, Serialize};

use super::sound::ProbeSignal;

/// Interval, in measured frames, between detailed measurements; luma and motion are measured on every frame.
const DETAIL_EVERY: usize = 3;
/// Columns and rows of the grid in [`Look::layout`].
pub const LAYOUT: [usize; 2] = [4, 3];
/// Number of hue bins.
pub const HUES: usize = 6;
/// Largest channel value of pure black, and smallest of pure white.
const PURE: (u8, u8) = (2, 253);

/// Look of a preset over its measured frames. Shares and means are from 0 to 1 and refer to display
/// (gamma-encoded) values.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Look {
    /// Mean luma (Rec. 709).
    pub luma: f64,
    /// Mean luma of the darkest and of the brightest frame.
    pub luma_range: [f64; 2],
    /// Luma exceeded by 2% of the pixels, averaged over frames.
    pub highlight: f64,
    /// Standard deviation of luma within a frame.
    pub contrast: f64,
    /// Mean change in a pixel's luma between consecutive frames.
    pub motion: f64,
    /// Largest mean change in the pixels' luma between two consecutive frames.
    pub motion_peak: f64,
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
    /// How much more motion there is with only the low, mid or high band of the music than in silence; at
    /// least 0.
    pub reaction: [f64; 3],
    /// Share of each hue, starting with red, weighted by saturation.
    pub hues: [f64; HUES],
    /// Mean luma of each cell of the [`LAYOUT`] grid, row-major.
    pub layout: [f64; LAYOUT[0] * LAYOUT[1]],
}

/// Measures the frames of one preset.
pub(super) struct LookMeter {
    size: [usize; 2],
    last: Vec<u8>,
    grey: Vec<u8>,
    lumas: Vec<f64>,
    motions: Vec<(ProbeSignal, f64)>,
    close: usize,
    sums: Look,
}

impl LookMeter {
    pub fn new(size: [usize; 2]) -> Self {
        Self {
            size,
            last: Vec::new(),
            grey: Vec::new(),
            lumas: Vec::new(),
            motions: Vec::new(),
            close: 0,
            sums: Look::default(),
        }
    }

    /// Records the last warm-up frame, which the motion of the first measured frame is measured against.
    pub fn record_previous(&mut self, pixels: &[u8]) {
        grey(pixels, &mut self.last);
    }

    /// Records a measured frame.
    pub fn record(&mut self, signal: ProbeSignal, pixels: &[u8]) {
        grey(pixels, &mut self.grey);
        let count = self.grey.len().max(1) as f64 * 255.0;
        self.lumas.push(self.grey.iter().map(|&g| u64::from(g)).sum::<u64>() as f64 / count);
        if self.last.len() == self.grey.len() {
            let change: u64 = self.grey.iter().zip(&self.last).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
            self.motions.push((signal, change as f64 / count));
        }
        if (self.lumas.len() - 1).is_multiple_of(DETAIL_EVERY) {
            self.record_details(pixels);
        }
        std::mem::swap(&mut self.last, &mut self.grey);
    }

    /// Returns the look over all measured frames.
    pub fn look(self) -> Look {
        let mut look = self.sums;
        let close = self.close.max(1) as f64;
        let means = [
            &mut look.highlight,
            &mut look.contrast,
            &mut look.colour,
            &mut look.detail,
            &mut look.symmetry,
            &mut look.black,
            &mut look.white,
        ];
        means.into_iter().for_each(|sum| *sum /= close);
        look.hues.iter_mut().chain(&mut look.layout).for_each(|sum| *sum /= close);
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
        look.luma = mean(&self.lumas);
        let lumas = self.lumas.iter().copied();
        look.luma_range = [
            lumas.clone().min_by(f64::total_cmp).unwrap_or(0.0),
            lumas.max_by(f64::total_cmp).unwrap_or(0.0),
        ];
        let motions: Vec<f64> = self.motions.iter().map(|&(_, motion)| motion).collect();
        look.motion = mean(&motions);
        look.motion_peak = motions.iter().copied().max_by(f64::total_cmp).unwrap_or(0.0);
        let with = |wanted: ProbeSignal| {
            let motions: Vec<f64> =
                self.motions.iter().filter(|&&(signal, _)| signal == wanted).map(|&(_, m)| m).collect();
            mean(&motions)
        };
        let alone = with(ProbeSignal::Silence);
        look.reaction =
            [ProbeSignal::Low, ProbeSignal::Mid, ProbeSignal::High].map(|band| (with(band) - alone).max(0.0));
        look.rounded()
    }

    fn record_details(&mut self, pixels: &[u8]) {
        let [width, height] = self.size;
        let sums = &mut self.sums;
        self.close += 1;
        let mut histogram = [0_u32; 256];
        self.grey.iter().for_each(|&g| histogram[usize::from(g)] += 1);
        let count = self.grey.len().max(1) as f64;
        let mean = histogram.iter().zip(0..).map(|(&n, g)| f64::from(n) * f64::from(g)).sum::<f64>() / count;
        let square = histogram
            .iter()
            .zip(0..)
            .map(|(&n, g)| f64::from(n) * (f64::from(g) - mean).powi(2))
            .sum::<f64>();
        let spread = (square / count).sqrt();
        sums.contrast += spread / 255.0;
        let mut above = 0;
        let bright = (0..256).rev().find(|&g| {
            above += histogram[g];
            f64::from(above) > count * 0.02
        });
        sums.highlight += bright.unwrap_or(0) as f64 / 255.0;
        let pure = |at: fn(u8) -> bool| {
            let hit = pixels.chunks_exact(4).filter(|p| p[..3].iter().all(|&c| at(c))).count();
            hit as f64 / count
        };
        sums.black += pure(|c| c <= PURE.0);
        sums.white += pure(|c| c >= PURE.1);
        let (mut steps, mut mirrored) = (0_u64, 0.0);
        for (y, line) in self.grey.chunks_exact(width).enumerate() {
            let across = line.windows(2).map(|pair| u64::from(pair[0].abs_diff(pair[1]))).sum::<u64>();
            let down = self.grey.get((y + 1) * width..(y + 2) * width).unwrap_or_default();
            let down = down.iter().zip(line).map(|(a, b)| u64::from(a.abs_diff(*b))).sum::<u64>();
            steps += across + down;
            let row = line.iter().zip(line.iter().rev());
            mirrored += row.map(|(&a, &b)| (f64::from(a) - mean) * (f64::from(b) - mean)).sum::<f64>();
        }
        sums.detail += steps as f64 / (2.0 * count * 255.0);
        // A flat picture equals its mirror image.
        sums.symmetry += if square > count { mirrored / square } else { 1.0 };
        sums.colour += colourfulness(pixels) / 109.0;
        let hues = hues(pixels);
        sums.hues.iter_mut().zip(hues).for_each(|(sum, hue)| *sum += hue);
        for (at, sum) in sums.layout.iter_mut().enumerate() {
            let (column, row) = (at % LAYOUT[0], at / LAYOUT[0]);
            let columns = column * width / LAYOUT[0]..(column + 1) * width / LAYOUT[0];
            let rows = row * height / LAYOUT[1]..(row + 1) * height / LAYOUT[1];
            let area = (columns.len() * rows.len()).max(1) as f64 * 255.0;
            let light: u64 = rows
                .flat_map(|y| &self.grey[y * width + columns.start..y * width + columns.end])
                .map(|&g| u64::from(g))
                .sum();
            *sum += light as f64 / area;
        }
    }
}

impl Look {
    /// Rounds to five decimal places, to keep results reproducible and files small.
    fn rounded(mut self) -> Self {
        let Self { luma, luma_range, highlight, contrast, motion, motion_peak, .. } = &mut self;
        let first = [luma, highlight, contrast, motion, motion_peak].into_iter().chain(luma_range);
        first.for_each(round);
        let Self { colour, detail, symmetry, black, white, reaction, hues, layout, .. } = &mut self;
        let rest = [colour, detail, symmetry, black, white].into_iter().chain(reaction).chain(hues);
        rest.chain(layout).for_each(round);
        self
    }
}

fn round(value: &mut f64) {
    *value = (*value * 1e5).round() / 1e5;
}

/// Computes the Rec. 709 luma of every pixel, 0 to 255.
pub(super) fn grey(pixels: &[u8], into: &mut Vec<u8>) {
    into.clear();
    into.extend(
        pixels.chunks_exact(4).map(|p| {
            ((54 * u32::from(p[0]) + 183 * u32::from(p[1]) + 19 * u32::from(p[2]) + 128) >> 8) as u8
        }),
    );
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

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: [usize; 2] = [64, 36];

    fn look(paint: impl Fn(usize, usize, usize) -> [u8; 3]) -> Look {
        let mut look_meter = LookMeter::new(SIZE);
        for frame in 0..24 {
            let mut pixels = Vec::new();
            for y in 0..SIZE[1] {
                for x in 0..SIZE[0] {
                    let [r, g, b] = paint(frame, x, y);
                    pixels.extend([r, g, b, 255]);
                }
            }
            let signal = match frame {
                0..8 => ProbeSignal::Techno,
                8..12 => ProbeSignal::Low,
                12..16 => ProbeSignal::Mid,
                16..20 => ProbeSignal::High,
                20..22 => ProbeSignal::Ambient,
                _ => ProbeSignal::Silence,
            };
            look_meter.record(signal, &pixels);
        }
        look_meter.look()
    }

    #[test]
    fn black_and_white_are_measured_exactly() {
        let black = look(|_, _, _| [0; 3]);
        assert_eq!((black.luma, black.black, black.motion, black.contrast), (0.0, 1.0, 0.0, 0.0));
        let white = look(|_, _, _| [255; 3]);
        assert_eq!((white.luma, white.white, white.highlight), (1.0, 1.0, 1.0));
    }

    #[test]
    fn motion_with_the_lows_only_is_a_reaction_to_the_lows() {
        let look = look(|frame, _, _| [if (8..12).contains(&frame) && frame % 2 == 0 { 200 } else { 20 }; 3]);
        assert!(look.reaction[0] > 0.3, "{:?}", look.reaction);
        assert!(look.reaction[2] < 0.01, "{:?}", look.reaction);
    }

    #[test]
    fn mirrored_pictures_are_symmetric_and_gradients_are_not() {
        assert!(look(|_, x, _| [(x as i32 - 31).unsigned_abs() as u8 * 4; 3]).symmetry > 0.95);
        assert!(look(|_, x, _| [x as u8 * 4; 3]).symmetry < -0.9);
    }

    #[test]
    fn a_red_picture_is_red_and_colourful() {
        let red = look(|_, x, _| [if x % 2 == 0 { 255 } else { 200 }, 0, 0]);
        assert!(red.hues[0] > 0.8 && red.hues[3] == 0.0, "{:?}", red.hues);
        assert!(red.colour > 0.5);
        assert_eq!(look(|_, x, _| [x as u8; 3]).colour, 0.0);
    }
}
