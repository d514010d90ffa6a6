//! How probable the activations make a grid: the bar pointer follows them alone, so it finds a beat in rooms, crowds and
//! muffled systems where the accents show none.

use super::grid::Count;
use crate::activation::{BarPointer, Hypothesis};

/// Interval between updates, in hops.
const UPDATE_HOPS: f32 = 10.0;
/// Probability and number of consecutive updates from which a hypothesis is steady.
const PROBABLE: f32 = 0.6;
const STEADY_UPDATES: u32 = 15;
/// Differences in tempo, as a share, and in phase, in beats, up to which the hypothesis of two updates is the same.
const SAME_TEMPO: f32 = 0.03;
const SAME_PHASE: f32 = 0.15;
/// Smoothing factor of the probability of the grid per update, and the value above which the activations back it.
const SMOOTHING: f32 = 0.07;
const BACKED: f32 = 0.5;
/// Probability above which a hypothesis near the grid can correct it.
const NEAR: f32 = 0.2;

/// Bar pointer, and the probability of the current grid according to it.
pub struct Backing {
    pointer: BarPointer,
    latest: Hypothesis,
    /// Number of consecutive updates with the same, probable hypothesis.
    steady_updates: u32,
    /// Smoothed probability of the grid.
    probability: f32,
}

impl Backing {
    /// Builds a bar pointer that has seen no activation.
    pub fn new() -> Self {
        Self {
            pointer: BarPointer::new(),
            latest: Hypothesis::default(),
            steady_updates: 0,
            probability: 0.0,
        }
    }

    /// Processes the activation of a hop.
    pub fn step(&mut self, activation: f32) {
        self.pointer.step(activation);
    }

    /// Returns the most probable hypothesis if it has been steady.
    pub fn steady(&mut self) -> Option<Hypothesis> {
        let now = self.pointer.best();
        let away = (now.since - self.latest.since - UPDATE_HOPS) / now.period;
        let same = (now.period / self.latest.period - 1.0).abs() < SAME_TEMPO
            && (away - away.round()).abs() < SAME_PHASE;
        self.steady_updates = if same && now.probability > PROBABLE { self.steady_updates + 1 } else { 0 };
        self.latest = now;
        (self.steady_updates >= STEADY_UPDATES).then_some(now)
    }

    /// Starts with a new grid of this probability.
    pub fn start(&mut self, probability: f32) {
        self.probability = probability;
    }

    /// Updates how probable a grid is at `now`, in hops, and returns the hypothesis near it, if there is one that can
    /// correct it.
    pub fn update(&mut self, count: Count, now: f64) -> Option<Hypothesis> {
        let near = self.pointer.near(count.period as f32, (now - count.anchor) as f32);
        self.probability += (near.probability - self.probability) * SMOOTHING;
        (self.backs() && near.probability > NEAR).then_some(near)
    }

    /// Returns whether the activations back the current grid.
    pub fn backs(&self) -> bool {
        self.probability > BACKED
    }
}
