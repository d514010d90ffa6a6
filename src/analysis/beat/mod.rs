//! Beat and tempo: evidence folded over every tempo, a grid that follows it, and the performer's word over both.

mod bar;
mod comb;
mod drums;
mod hand;
mod tracker;

pub(super) use drums::Drums;
pub use hand::TempoWish;
pub(super) use tracker::Tracker;
