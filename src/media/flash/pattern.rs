//! Detects regular patterns: stripes and checkerboards, which can trigger seizures even if they do not flash.
//!
//! ITU-R BT.1702-3 (2023, guideline 2 and attachment 1) and Ofcom's guidance on regular patterns regard more than five
//! light and dark pairs of clearly discernible stripes, in any orientation, straight or curved, as potentially harmful
//! if they are stationary and occupy more than 40% of the screen, or if they change direction, oscillate, flash or
//! reverse in contrast and occupy more than 25%. Harding et al. (Epilepsia 46, 2005) and Wilkins et al. (2005) add that
//! the lightest stripe is above 50 cd/m2 and that the pattern lasts for half a second. White is 200 cd/m2, as in
//! BT.1702-3. Patterns that drift smoothly in one direction, which BT.1702-3 exempts, are treated like stationary ones,
//! as in Harding et al.
//!
//! A pattern is found along the middles of all rows and columns of cells: every orientation crosses one or the other.

use super::cells::{Cells, GRID, PER_CELL};
use super::field::{DARK_BELOW, GENERAL_STEP, frames_per_second};

/// Minimum relative luminance of a light stripe: 50 cd/m2.
const LIGHT_ABOVE: f64 = 0.25;
/// Minimum number of stripes between the first and the last edge; with the two outer stripes, that is six pairs.
const MIN_STRIPES: usize = 10;
/// Minimum width of a pair, in samples.
const MIN_PAIR: usize = 4;
/// Number of cells above which a stationary pattern is harmful: 40% of the screen.
const STATIONARY: usize = GRID[0] * GRID[1] * 2 / 5;
/// Number of cells above which an unsteady pattern is harmful: 25% of the screen.
const UNSTEADY: usize = GRID[0] * GRID[1] / 4;
/// Rate at which earlier exposure to a pattern fades without one, relative to the rate at which it grows.
const FADING: f64 = 0.25;

/// Regular stripes on a line, in samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stripes {
    /// First and last edge.
    edges: [usize; 2],
    /// Mean width of a stripe.
    stripe: usize,
    /// First edge at which the line becomes lighter.
    rise: usize,
    /// Width of the first pair.
    pair: usize,
}

/// Calls `found` with the regular stripes on a line.
///
/// An edge is a change of luminance that would count as half a flash of a cell; a falling edge must also start above
/// [`LIGHT_ABOVE`]. Stripes are regular if each pair is as wide as the one before, to within a fifth or a sample, and
/// neither of its stripes takes up more than three quarters of it.
fn find_stripes(light: &[f64], mut found: impl FnMut(Stripes)) {
    let (mut lowest, mut highest, mut direction) = (light[0], light[0], 0);
    // The current run: its first edge, whether that is a rise, the number and the last two widths of its stripes.
    let (mut start, mut starts_with_rise, mut count, mut last) = (0_usize, false, 0_usize, 0_usize);
    let (mut newest, mut older, mut first, mut pair) = (0_usize, 0_usize, 0_usize, 0_usize);
    let mut close = |start: usize, last: usize, count: usize, rise: usize, pair: usize| {
        if count >= MIN_STRIPES {
            found(Stripes { edges: [start, last], stripe: (last - start) / count, rise, pair });
        }
    };
    for (at, &now) in light.iter().enumerate() {
        (lowest, highest) = (lowest.min(now), highest.max(now));
        let rises = direction <= 0 && now - lowest >= GENERAL_STEP && lowest < DARK_BELOW;
        let falls =
            direction >= 0 && highest - now >= GENERAL_STEP && now < DARK_BELOW && highest > LIGHT_ABOVE;
        if !rises && !falls {
            continue;
        }
        if direction == 0 {
            (start, starts_with_rise) = (at, rises);
        } else {
            let stripe = at - last;
            let (width, before) = (stripe + newest, newest + older);
            let is_regular = count == 0
                || (4 * stripe.min(newest) >= width
                    && width >= MIN_PAIR
                    && (count == 1 || 5 * width.abs_diff(before) <= before.max(5)));
            if !is_regular {
                close(start, last, count, if starts_with_rise { start } else { start + first }, pair);
                // The last edge, which starts the new run, is opposite to this one.
                (start, starts_with_rise, count, newest) = (last, !rises, 0, 0);
            }
            match count {
                0 => first = stripe,
                1 => pair = stripe + newest,
                _ => {}
            }
            (older, newest, count) = (newest, stripe, count + 1);
        }
        (lowest, highest, direction, last) = (now, now, if rises { 1 } else { -1 }, at);
    }
    close(start, last, count, if starts_with_rise { start } else { start + first }, pair);
}

/// Movement of the stripes on a line.
#[derive(Clone, Copy, Debug)]
struct Line {
    /// Position of a rise when the stripes last moved by an eighth of a pair.
    rise: usize,
    /// Direction of that movement; 0 if there has been none.
    direction: isize,
    /// Number of frames since there were stripes.
    gone: usize,
    /// Number of frames since the stripes last changed direction, flashed or reversed.
    steady: usize,
}

impl Line {
    /// Records the stripes of the next frame. `second` is the number of frames in a second.
    fn push(&mut self, stripes: Option<Stripes>, second: usize) {
        self.steady = self.steady.saturating_add(1);
        let Some(Stripes { rise, pair, .. }) = stripes else {
            self.gone = self.gone.saturating_add(1);
            return;
        };
        let ahead = (rise as isize - self.rise as isize).rem_euclid(pair as isize) as usize;
        let (distance, direction) = if 2 * ahead <= pair { (ahead, 1) } else { (pair - ahead, -1) };
        if self.gone >= second {
            (self.rise, self.direction) = (rise, 0);
        } else if self.gone > 0 || 8 * distance >= 3 * pair {
            (self.rise, self.direction, self.steady) = (rise, 0, 0);
        } else if 8 * distance >= pair {
            if self.direction == -direction {
                self.steady = 0;
            }
            (self.rise, self.direction) = (rise, direction);
        }
        self.gone = 0;
    }
}

/// Measures how long a harmful regular pattern is on screen.
pub(super) struct PatternMeter {
    lines: Vec<Line>,
    /// For each cell: 1 if it is part of a pattern, 2 if that pattern is unsteady, otherwise 0.
    cells: Vec<u8>,
    second: usize,
    frame_ms: f64,
    exposure_ms: f64,
    worst_ms: f64,
}

impl PatternMeter {
    pub fn new(fps: f64) -> Self {
        let line = Line { rise: 0, direction: 0, gone: usize::MAX, steady: usize::MAX };
        Self {
            lines: vec![line; GRID[0] + GRID[1]],
            cells: Vec::new(),
            second: frames_per_second(fps),
            frame_ms: 1000.0 / fps,
            exposure_ms: 0.0,
            worst_ms: 0.0,
        }
    }

    /// Adds a frame, and returns the longest exposure to a harmful pattern so far, in milliseconds. Without a pattern,
    /// earlier exposure fades, but not at once, so that a pattern that flashes still counts.
    pub fn push(&mut self, cells: &Cells) -> f64 {
        self.cells.clear();
        self.cells.resize(GRID[0] * GRID[1], 0);
        // Each line with the index of its first cell, and the step to the next cell.
        let rows = cells.rows().enumerate().map(|(row, light)| (light, row * GRID[0], 1));
        let columns = cells.columns().enumerate().map(|(column, light)| (light, column, GRID[0]));
        for (line, (light, first, stride)) in self.lines.iter_mut().zip(rows.chain(columns)) {
            let mut all = Vec::new();
            find_stripes(light, |stripes| all.push(stripes));
            line.push(all.first().copied(), self.second);
            let mark: u8 = if line.steady < self.second { 2 } else { 1 };
            for Stripes { edges: [start, end], stripe, .. } in all {
                // The cells whose middle is between the outer edges of the outer stripes.
                let from = start.saturating_sub(stripe + PER_CELL / 2).div_ceil(PER_CELL);
                let to = (end + stripe + PER_CELL / 2 - 1) / PER_CELL;
                for cell in from..to.min(light.len() / PER_CELL) {
                    let cell = &mut self.cells[first + stride * cell];
                    *cell = mark.max(*cell);
                }
            }
        }
        let count = |least: u8| self.cells.iter().filter(|mark| **mark >= least).count();
        self.exposure_ms = if count(1) > STATIONARY || count(2) > UNSTEADY {
            self.exposure_ms + self.frame_ms
        } else {
            (self.exposure_ms - FADING * self.frame_ms).max(0.0)
        };
        self.worst_ms = self.worst_ms.max(self.exposure_ms);
        self.worst_ms
    }
}
