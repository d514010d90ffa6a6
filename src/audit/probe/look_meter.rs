//! Measures the look of a preset frame by frame, without keeping the frames.

use serde::{Deserialize, Serialize};

use super::sound::ProbeSignal;
use crate::media::still::{HUES, LAYOUT, Still, grey, mean_luma};

/// Interval, in measured frames, between detailed measurements; luma and motion are measured on every frame.
const DETAIL_EVERY: usize = 3;

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
    width: usize,
    last: Vec<u8>,
    grey: Vec<u8>,
    lumas: Vec<f64>,
    motions: Vec<(ProbeSignal, f64)>,
    close: usize,
    sums: Look,
}

impl LookMeter {
    pub fn new(width: usize) -> Self {
        Self {
            width,
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
        self.lumas.push(mean_luma(&self.grey));
        if self.last.len() == self.grey.len() {
            let change: u64 = self.grey.iter().zip(&self.last).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
            self.motions.push((signal, change as f64 / (self.grey.len().max(1) as f64 * 255.0)));
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
        let still = Still::of(pixels, &self.grey, self.width);
        let sums = &mut self.sums;
        self.close += 1;
        sums.highlight += still.highlight;
        sums.contrast += still.contrast;
        sums.colour += still.colour;
        sums.detail += still.detail;
        sums.symmetry += still.symmetry;
        sums.black += still.black;
        sums.white += still.white;
        sums.hues.iter_mut().zip(still.hues).for_each(|(sum, hue)| *sum += hue);
        sums.layout.iter_mut().zip(still.layout).for_each(|(sum, light)| *sum += light);
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

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: [usize; 2] = [64, 36];

    fn look(paint: impl Fn(usize, usize, usize) -> [u8; 3]) -> Look {
        let mut look_meter = LookMeter::new(SIZE[0]);
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
