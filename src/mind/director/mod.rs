//! The auto director: *when* to change ([`Timing`]) and *what* comes next ([`Director`]), with its reasons.
//!
//! What: the music sets a [`Target`]; every arm (a cluster at an energy) gets a base score against it; the taste turns
//! that into an expected reward; an arm is drawn by softmax and a preset from it, under the rules of variety.
//! Never touches decks or files; see the show for those.

mod affinity;
mod choose;
mod pool;
mod scene_belief;
mod status;
mod target;
mod timing;

#[cfg(test)]
mod tests;

pub use choose::{Choice, Director, Rule};
pub use pool::{Affinity, Pool};
pub use status::PresetStatus;
pub use target::{PerformerBias, Target};
pub use timing::{Clock, Moment, Timing};

/// Presets not shown again after they were shown.
pub const NO_REPEAT: usize = 40;
/// Switches for which a cluster is not shown again.
pub const CLUSTER_REST: usize = 2;
