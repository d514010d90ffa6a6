//! What falls where in the last bars: the accents of each range in every quarter of eight beats, averaged as the
//! grid passes over them.

use super::drums::Accent;

/// Beats kept apart.
pub const BEATS: usize = 8;
/// Parts of a beat.
const PARTS: usize = 4;
const CELLS: usize = BEATS * PARTS;
/// Passes that the average remembers.
const MEMORY: f32 = 4.0;

/// Accents of one place: low, middle, high, and what is sharp in the middle and on top at once; 0..1 each.
pub type Ranges = [f32; 4];

/// The averaged accents.
#[derive(Clone, Debug)]
pub struct Cells {
    value: [Ranges; CELLS],
    visits: [f32; CELLS],
    /// Where the grid is, and the strongest accents since it came there.
    here: Option<usize>,
    most: Ranges,
}

impl Cells {
    /// Nothing heard.
    pub fn new() -> Self {
        Self { value: [[0.0; 4]; CELLS], visits: [0.0; CELLS], here: None, most: [0.0; 4] }
    }

    /// Takes the accent of a hop that lies `beats` beats after the grid's beat 0.
    pub fn push(&mut self, beats: f64, accent: &Accent) {
        let here = (beats * PARTS as f64).round().rem_euclid(CELLS as f64) as usize % CELLS;
        if let Some(left) = self.here.filter(|&left| left != here) {
            self.visits[left] = (self.visits[left] + 1.0).min(MEMORY);
            for (value, most) in self.value[left].iter_mut().zip(self.most) {
                *value += (most - *value) / self.visits[left];
            }
            self.most = [0.0; 4];
        }
        self.here = Some(here);
        for (most, now) in self.most.iter_mut().zip(accent.ranges()) {
            *most = most.max(now);
        }
    }

    /// What falls on a part of a beat in bars of `every` beats, averaged over the bars that were heard; `None` when
    /// it was not passed yet.
    pub fn mean(&self, beat: usize, part: usize, every: usize) -> Option<Ranges> {
        let (mut sum, mut count) = ([0.0; 4], 0.0);
        for cell in (beat % every..BEATS).step_by(every).map(|beat| beat * PARTS + part) {
            if self.visits[cell] > 0.0 {
                sum.iter_mut().zip(self.value[cell]).for_each(|(sum, value)| *sum += value);
                count += 1.0;
            }
        }
        (count > 0.0).then(|| sum.map(|sum| sum / count))
    }
}
