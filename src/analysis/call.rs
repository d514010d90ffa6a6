//! Calls each beat once, shortly before it falls.

use super::features::Features;
use crate::units::Seconds;

/// How long before a beat it is called, seconds.
const AHEAD_SECS: f64 = 0.05;
/// Beats closer to the last one than this share of a beat are the same beat, corrected.
const SAME: f64 = 0.4;

/// Calls beats.
#[derive(Clone, Copy, Debug, Default)]
pub struct BeatCall {
    last: Option<Seconds>,
}

impl BeatCall {
    /// The moment of a beat that is about to fall, once; nothing while the grid is not trusted.
    pub fn step(&mut self, features: &Features) -> Option<Seconds> {
        let grid = &features.beat;
        let next = grid.next_beat(features.at);
        let fresh = self.last.is_none_or(|last| next.0 > last.0 + SAME * grid.tempo.period().0);
        if !grid.trusted() || !fresh || next.0 - features.at.0 >= AHEAD_SECS {
            return None;
        }
        self.last = Some(next);
        Some(next)
    }
}
