//! Detects changes in individual cells, and counts a change in a field of view when enough of its cells change
//! together.

use std::collections::VecDeque;

use super::cells::GRID;

/// Minimum change in relative luminance that counts as half a flash.
pub(super) const GENERAL_STEP: f64 = 0.1;
/// Relative luminance that the darker end of a change must be below for the change to count.
pub(super) const DARK_BELOW: f64 = 0.8;
/// Columns and rows of a 10-degree field of view, in cells.
const FIELD: [usize; 2] = [GRID[0] / 3, GRID[1] / 3];
/// Share of the cells of a field, or of the screen, that must change together for a change to count.
const SHARE: f64 = 0.25;
/// Time within which cell changes count as simultaneous, in seconds.
const TOGETHER_SECS: f64 = 0.05;

/// Returns the number of frames, at `fps`, within which cell changes count as simultaneous.
pub fn frames_together(fps: f64) -> usize {
    ((TOGETHER_SECS * fps).round_ties_even() as usize).max(1)
}

/// Returns the number of frames, at `fps`, in the one-second window in which transitions are counted.
pub fn frames_per_second(fps: f64) -> usize {
    (fps.round_ties_even() as usize).max(1)
}

/// Detects alternating rises and falls of at least `step` in each cell's signal. Slow ramps accumulate;
/// smaller jitter is ignored.
pub(super) struct Zigzag {
    step: f64,
    lowest: Vec<f64>,
    highest: Vec<f64>,
    direction: Vec<i8>,
    started: bool,
}

impl Zigzag {
    pub fn new(step: f64, cells: usize) -> Self {
        Self {
            step,
            lowest: vec![0.0; cells],
            highest: vec![0.0; cells],
            direction: vec![0; cells],
            started: false,
        }
    }

    /// Sets each cell in `changes` to 1 (rise), -1 (fall) or 0 (neither). `may_rise` and `may_fall` receive
    /// the cell's index, the value from which it rose or fell and its current value, and return whether the
    /// change counts.
    pub fn step(
        &mut self,
        signal: &[f64],
        may_rise: impl Fn(usize, f64, f64) -> bool,
        may_fall: impl Fn(usize, f64, f64) -> bool,
        changes: &mut [i8],
    ) {
        if !self.started {
            self.lowest.copy_from_slice(signal);
            self.highest.copy_from_slice(signal);
            self.started = true;
            changes.fill(0);
            return;
        }
        let extremes = self.lowest.iter_mut().zip(&mut self.highest).zip(&mut self.direction);
        for (at, (((lowest, highest), direction), change)) in extremes.zip(changes).enumerate() {
            let now = signal[at];
            *lowest = lowest.min(now);
            *highest = highest.max(now);
            *change = 0;
            if now - *lowest >= self.step && *direction <= 0 && may_rise(at, *lowest, now) {
                *change = 1;
            } else if *highest - now >= self.step && *direction >= 0 && may_fall(at, *highest, now) {
                *change = -1;
            }
            if *change != 0 {
                (*lowest, *highest, *direction) = (now, now, *change);
            }
        }
    }
}

/// Counts the changes in every 10-degree field and on the whole screen over the last second.
pub(super) struct Field {
    /// Changes of every cell in the most recent frames, newest last.
    recent: VecDeque<Vec<i8>>,
    together: usize,
    /// Direction of the last change in every field; the last item is for the whole screen.
    polarity: Vec<i8>,
    /// Indices of the fields that changed, for each frame of the last second.
    second: VecDeque<Vec<u16>>,
    frames: usize,
    counts: Vec<u16>,
    sums: [Vec<u32>; 2],
}

impl Field {
    pub fn new(fps: f64) -> Self {
        let fields = (GRID[0] - FIELD[0] + 1) * (GRID[1] - FIELD[1] + 1) + 1;
        let sums = || vec![0; (GRID[0] + 1) * (GRID[1] + 1)];
        Self {
            recent: VecDeque::new(),
            together: frames_together(fps),
            polarity: vec![0; fields],
            second: VecDeque::new(),
            frames: frames_per_second(fps),
            counts: vec![0; fields],
            sums: [sums(), sums()],
        }
    }

    /// Adds a frame and returns the number of changes within the last second: in the worst field, and on the
    /// whole screen.
    pub fn step(&mut self, changes: &[i8]) -> [u32; 2] {
        self.recent.push_back(changes.to_vec());
        if self.recent.len() > self.together {
            self.recent.pop_front();
        }
        for (sums, sign) in self.sums.iter_mut().zip([1, -1]) {
            integrate(&self.recent, sign, sums);
        }
        let needed = SHARE * (FIELD[0] * FIELD[1]) as f64;
        let (stride, mut field) = (GRID[0] + 1, 0);
        let mut changed = Vec::new();
        let mut note = |polarity: &mut i8, field: usize, up: bool, down: bool| {
            let change = match (up, down) {
                (true, _) if *polarity <= 0 => 1,
                (_, true) if *polarity >= 0 => -1,
                _ => return,
            };
            *polarity = change;
            changed.push(field as u16);
        };
        for top in 0..=GRID[1] - FIELD[1] {
            for left in 0..=GRID[0] - FIELD[0] {
                let [up, down] = [&self.sums[0], &self.sums[1]].map(|sums| {
                    let corner = |x: usize, y: usize| sums[(top + y) * stride + left + x];
                    let inside = corner(FIELD[0], FIELD[1]) + corner(0, 0) - corner(FIELD[0], 0);
                    f64::from(inside - corner(0, FIELD[1])) >= needed
                });
                note(&mut self.polarity[field], field, up, down);
                field += 1;
            }
        }
        let all = (GRID[0] * GRID[1]) as f64 * SHARE;
        let [up, down] = [0, 1].map(|sign: usize| f64::from(*self.sums[sign].last().unwrap_or(&0)) >= all);
        note(&mut self.polarity[field], field, up, down);
        for &field in &changed {
            self.counts[usize::from(field)] += 1;
        }
        self.second.push_back(changed);
        if self.second.len() > self.frames {
            for field in self.second.pop_front().unwrap_or_default() {
                self.counts[usize::from(field)] -= 1;
            }
        }
        let (screen, fields) = self.counts.split_last().unwrap_or((&0, &[]));
        [u32::from(fields.iter().copied().max().unwrap_or(0)), u32::from(*screen)]
    }
}

/// Computes the integral image of the cells that changed in direction `sign` in any recent frame.
fn integrate(recent: &VecDeque<Vec<i8>>, sign: i8, sums: &mut [u32]) {
    let stride = GRID[0] + 1;
    for y in 0..GRID[1] {
        let mut line = 0;
        for x in 0..GRID[0] {
            let cell = y * GRID[0] + x;
            line += u32::from(recent.iter().any(|changes| changes[cell] == sign));
            sums[(y + 1) * stride + x + 1] = sums[y * stride + x + 1] + line;
        }
    }
}
