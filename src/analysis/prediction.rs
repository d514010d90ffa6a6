//! Prediction of the next beat.

use super::features::Features;
use crate::units::Seconds;

/// Maximum lead time of a report, in seconds.
const LEAD_SECS: f64 = 0.05;
/// A beat closer to the last one than this share of a period is the same beat, moved by a grid correction.
const SAME_BEAT: f64 = 0.4;

/// Predictor that reports each beat once, shortly before it occurs.
#[derive(Clone, Copy, Debug, Default)]
pub struct BeatPredictor {
    last: Option<Seconds>,
}

impl BeatPredictor {
    /// Returns the time of the next beat once, when it is less than 50 ms away; `None` otherwise, and while the grid is
    /// not trusted.
    pub fn step(&mut self, features: &Features) -> Option<Seconds> {
        let grid = &features.beat;
        let next = grid.next_beat(features.at);
        let fresh = self.last.is_none_or(|last| next.0 > last.0 + SAME_BEAT * grid.tempo.period().0);
        if !grid.trusted() || !fresh || next.0 - features.at.0 >= LEAD_SECS {
            return None;
        }
        self.last = Some(next);
        Some(next)
    }
}
