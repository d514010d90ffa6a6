//! Beat tracking: comb-filter evidence for every tempo, a grid that follows the evidence, and manual
//! overrides by the performer.

mod backing;
mod bar;
mod cells;
mod comb;
mod drums;
mod fusion;
mod grid;
mod manual;
mod metre;
mod octave;
mod pair;
mod signs;
mod support;
#[cfg(test)]
mod tests;
mod tracker;

pub(super) use drums::Drums;
pub use manual::TempoRequest;
pub(super) use pair::TrackerPair;
