//! The automatic director: decides *when* to cut ([`Timing`]) and *what* comes next ([`Director`]), with reasons.
//!
//! For each choice, the music is reduced to a [`Target`]. Each arm (a cluster at one energy) gets a base
//! score for that target, and the taste model turns the score into an expected reward. An arm is drawn by
//! softmax, then a preset within it, subject to the variety rules. Never touches files or decks; the decks
//! belong to `show`.

mod affinity;
mod choose;
mod pool;
mod scene_belief;
mod status;
mod target;
mod theme;
mod timing;

#[cfg(test)]
mod tests;

pub use affinity::Affinity;
pub use choose::{Choice, Director, Rule};
pub use pool::Pool;
pub use status::PresetStatus;
pub use target::{PerformerBias, Target};
pub use theme::{Theme, ThemedStyle};
pub use timing::{Clock, Moment, Timing};

/// Number of other presets shown before a preset may be repeated.
pub const NO_REPEAT: usize = 40;
/// Number of cuts to other clusters before a cluster may be repeated.
pub const CLUSTER_REST: usize = 2;
