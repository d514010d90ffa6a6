//! Accents of each frequency range at every quarter beat of an eight-beat cycle, averaged as the grid
//! advances.

use super::drums::Accent;

/// Number of beats that are averaged separately.
pub const BEATS: usize = 8;
/// Number of parts into which a beat is divided.
pub const PARTS: usize = 4;
const CELLS: usize = BEATS * PARTS;
/// Length of the running average, in passes over the eight beats.
const AVERAGE_PASSES: f32 = 4.0;

/// Accents at one position, 0 to 1 each: low, mid, high, sharp (mid and high at once), and the activations of a beat
/// and of a downbeat.
pub type Ranges = [f32; 6];

/// Averaged accents per position.
#[derive(Clone, Debug)]
pub struct AccentAverages {
    value: [Ranges; CELLS],
    visits: [f32; CELLS],
    /// Current cell, counted from beat 0, and the strongest accents since the grid entered it.
    current: Option<i64>,
    strongest: Ranges,
}

impl AccentAverages {
    /// Builds empty averages.
    pub fn new() -> Self {
        Self { value: [[0.0; 6]; CELLS], visits: [0.0; CELLS], current: None, strongest: [0.0; 6] }
    }

    /// Adds the accent of a hop `beats` beats after beat 0 of the grid. When the grid enters another cell, returns the
    /// cell that it left, counted from beat 0, and the strongest accents in it.
    pub fn push(&mut self, beats: f64, accent: &Accent) -> Option<(i64, Ranges)> {
        let current = (beats * PARTS as f64).round() as i64;
        let left = self.current.filter(|&left| left != current);
        let left = left.map(|left| (left, std::mem::take(&mut self.strongest)));
        if let Some((left, strongest)) = left {
            let cell = left.rem_euclid(CELLS as i64) as usize;
            self.visits[cell] = (self.visits[cell] + 1.0).min(AVERAGE_PASSES);
            for (value, strongest) in self.value[cell].iter_mut().zip(strongest) {
                *value += (strongest - *value) / self.visits[cell];
            }
        }
        self.current = Some(current);
        for (strongest, now) in self.strongest.iter_mut().zip(accent.ranges()) {
            *strongest = strongest.max(now);
        }
        left
    }

    /// Returns the mean accents `part` quarter beats after every beat whose number equals `beat` modulo `every`, or
    /// `None` until one such position has passed.
    pub fn mean(&self, beat: usize, part: usize, every: usize) -> Option<Ranges> {
        let (mut sum, mut count) = ([0.0; 6], 0.0);
        for cell in (beat % every..BEATS).step_by(every).map(|beat| beat * PARTS + part) {
            if self.visits[cell] > 0.0 {
                sum.iter_mut().zip(self.value[cell]).for_each(|(sum, value)| *sum += value);
                count += 1.0;
            }
        }
        (count > 0.0).then(|| sum.map(|sum| sum / count))
    }
}
