//! Beat and tempo: evidence folded over every tempo, a grid that follows it, and the performer's word over both.

mod bar;
mod cells;
mod comb;
mod drums;
mod grid;
mod hand;
mod octave;
#[cfg(test)]
mod tests;
mod tracker;

pub(super) use drums::Drums;
pub use hand::TempoRequest;
pub(super) use tracker::Tracker;
