//! Counts flashes that can trigger photosensitive seizures: general and red flashes as defined by W3C WCAG
//! 2.2, and flashes that cover a quarter of the screen as limited by Ofcom and ITU-R BT.1702. Also finds the regular
//! patterns that these two limit.
//!
//! Pure arithmetic on pictures. A pass is not a certification; broadcasting requires an accredited test.

mod cells;
mod field;
mod pattern;

use serde::{Deserialize, Serialize};

use cells::luminance;
pub use cells::{Cells, GRID, edges};
use field::{DARK_BELOW, Field, GENERAL_STEP, Zigzag};
pub use field::{frames_per_second, frames_together};
use pattern::PatternMeter;

/// Minimum change in chromaticity (CIE 1976 UCS) that counts as half a red flash.
const RED_STEP: f64 = 0.2;
/// Minimum share of the red channel in the linear light of a saturated red.
const SATURATED_RED: f64 = 0.8;
/// Maximum number of flashes allowed within a second.
const ALLOWED: u32 = 3;
/// Time for which a harmful regular pattern may be on screen, in milliseconds.
const PATTERN_MS: u32 = 500;
/// Chromaticity of the D65 white point in CIE 1976 UCS.
const WHITE_UV: (f64, f64) = (0.1978, 0.4683);

/// Flash counts of a sequence of frames, each taken from the worst second for that count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlashScore {
    /// General flashes in the worst second, in the worst 10-degree field.
    pub general: u32,
    /// Flashes to or from saturated red in the worst second, in the worst 10-degree field.
    pub red: u32,
    /// General flashes covering at least a quarter of the screen, in the worst second.
    pub general_screen: u32,
    /// Red flashes covering at least a quarter of the screen, in the worst second.
    pub red_screen: u32,
    /// Highest of the four numbers of half flashes in the worst second: general or red, in the worst 10-degree field or
    /// covering at least a quarter of the screen.
    pub transitions: u32,
    /// Longest time for which a harmful regular pattern was on screen, in milliseconds; `None` if it was not measured.
    #[serde(default)]
    pub pattern_ms: Option<u32>,
}

/// Result of the flash check.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FlashVerdict {
    /// At most three flashes, and at most six half flashes, in any second.
    #[default]
    Pass,
    /// Seven half flashes within a second, one short of a failure.
    Warn,
    /// More than three flashes within a second, in a 10-degree field or covering at least a quarter of the screen; or a
    /// harmful regular pattern for half a second.
    Fail,
}

impl FlashScore {
    /// Returns the highest of the four numbers of flashes in the worst second: general or red, in a 10-degree field or
    /// covering at least a quarter of the screen.
    pub fn flashes(&self) -> u32 {
        self.general.max(self.red).max(self.general_screen).max(self.red_screen)
    }

    /// Returns the verdict on flashes: more than three in a second fail.
    pub fn verdict(&self) -> FlashVerdict {
        if self.flashes() > ALLOWED {
            FlashVerdict::Fail
        } else if self.transitions > 2 * ALLOWED {
            FlashVerdict::Warn
        } else {
            FlashVerdict::Pass
        }
    }

    /// Returns the verdict on regular patterns: a harmful one fails if it is on screen for half a second.
    pub fn pattern_verdict(&self) -> FlashVerdict {
        let fails = self.pattern_ms.is_some_and(|time| time >= PATTERN_MS);
        if fails { FlashVerdict::Fail } else { FlashVerdict::Pass }
    }
}

/// Counts flashes frame by frame.
pub struct FlashMeter {
    light: Zigzag,
    light_field: Field,
    red: Zigzag,
    red_field: Field,
    /// Whether each cell has been saturated red since its distance from white (see `redness`) last fell below
    /// 0.1.
    was_red: Vec<bool>,
    signal: Vec<f64>,
    now_red: Vec<bool>,
    changes: Vec<i8>,
    pattern: PatternMeter,
    score: FlashScore,
}

impl FlashMeter {
    /// Creates a meter for a sequence at `fps` frames per second.
    pub fn new(fps: f64) -> Self {
        let cells = GRID[0] * GRID[1];
        Self {
            light: Zigzag::new(GENERAL_STEP, cells),
            light_field: Field::new(fps),
            red: Zigzag::new(RED_STEP, cells),
            red_field: Field::new(fps),
            was_red: Vec::new(),
            signal: vec![0.0; cells],
            now_red: vec![false; cells],
            changes: vec![0; cells],
            pattern: PatternMeter::new(fps),
            score: FlashScore::default(),
        }
    }

    /// Adds the next frame of the sequence.
    pub fn push(&mut self, cells: &Cells) {
        for (signal, colour) in self.signal.iter_mut().zip(&cells.linear) {
            *signal = luminance(*colour);
        }
        self.light.step(
            &self.signal,
            |_, before, _| before < DARK_BELOW,
            |_, _, now| now < DARK_BELOW,
            &mut self.changes,
        );
        let [light, light_screen] = self.light_field.step(&self.changes);
        for (at, colour) in cells.linear.iter().enumerate() {
            (self.signal[at], self.now_red[at]) = redness(*colour);
        }
        if self.was_red.is_empty() {
            self.was_red.clone_from(&self.now_red);
        }
        for (was, now) in self.was_red.iter_mut().zip(&self.now_red) {
            *was |= now;
        }
        let (now_red, was_red) = (&self.now_red, &self.was_red);
        self.red.step(&self.signal, |at, _, _| now_red[at], |at, _, _| was_red[at], &mut self.changes);
        let [red, red_screen] = self.red_field.step(&self.changes);
        for (was, x) in self.was_red.iter_mut().zip(&self.signal) {
            *was &= *x >= 0.1;
        }
        let worst = &mut self.score;
        worst.general = worst.general.max(light / 2);
        worst.red = worst.red.max(red / 2);
        worst.general_screen = worst.general_screen.max(light_screen / 2);
        worst.red_screen = worst.red_screen.max(red_screen / 2);
        worst.transitions = worst.transitions.max(light).max(red).max(light_screen).max(red_screen);
        worst.pattern_ms = Some(self.pattern.push(cells).ceil() as u32);
    }

    /// Returns the score so far.
    pub fn score(&self) -> FlashScore {
        self.score
    }
}

/// Returns the distance from white in CIE 1976 UCS, or 0 if the colour is not on the red side of white; and
/// whether the colour is a saturated red.
fn redness([r, g, b]: [f64; 3]) -> (f64, bool) {
    let sum = r + g + b;
    let saturated = r / sum.max(1e-6) >= SATURATED_RED && sum > 0.02;
    let x = 0.4124 * r + 0.3576 * g + 0.1805 * b;
    let y = luminance([r, g, b]);
    let z = 0.0193 * r + 0.1192 * g + 0.9505 * b;
    let whole = (x + 15.0 * y + 3.0 * z).max(1e-6);
    let (white_u, white_v) = WHITE_UV;
    let (u, v) = if sum > 0.002 { (4.0 * x / whole, 9.0 * y / whole) } else { WHITE_UV };
    let distance = if u > white_u { (u - white_u).hypot(v - white_v) } else { 0.0 };
    (distance, saturated)
}

#[cfg(test)]
mod tests;
