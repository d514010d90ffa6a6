//! Accents of each frequency range at every quarter beat of an eight-beat cycle, averaged as the grid
//! advances.

use super::drums::Accent;

/// Number of beats that are averaged separately.
pub const BEATS: usize = 8;
/// Number of parts into which a beat is divided.
const PARTS: usize = 4;
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
    /// Current cell, and the strongest accents since the grid entered it.
    current: Option<usize>,
    strongest: Ranges,
}

impl AccentAverages {
    /// Builds empty averages.
    pub fn new() -> Self {
        Self { value: [[0.0; 6]; CELLS], visits: [0.0; CELLS], current: None, strongest: [0.0; 6] }
    }

    /// Adds the accent of a hop `beats` beats after beat 0 of the grid.
    pub fn push(&mut self, beats: f64, accent: &Accent) {
        let current = (beats * PARTS as f64).round().rem_euclid(CELLS as f64) as usize % CELLS;
        if let Some(left) = self.current.filter(|&left| left != current) {
            self.visits[left] = (self.visits[left] + 1.0).min(AVERAGE_PASSES);
            for (value, strongest) in self.value[left].iter_mut().zip(self.strongest) {
                *value += (strongest - *value) / self.visits[left];
            }
            self.strongest = [0.0; 6];
        }
        self.current = Some(current);
        for (strongest, now) in self.strongest.iter_mut().zip(accent.ranges()) {
            *strongest = strongest.max(now);
        }
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
