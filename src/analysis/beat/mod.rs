//! Beat tracking: comb evidence over every tempo, a grid that follows it, and the performer's overrides.

mod bar;
mod cells;
mod comb;
mod drums;
mod grid;
mod manual;
mod octave;
#[cfg(test)]
mod tests;
mod tracker;

pub(super) use drums::Drums;
pub use manual::TempoRequest;
pub(super) use tracker::Tracker;
