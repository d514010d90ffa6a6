//! One step of the show: what was heard and what was asked go in, a cue for the stage comes out.
//!
//! The window, the headless performance, the bake and the tests all step the same [`Show`] through the same [`Rig`].
//! Nothing here reads a clock or a file; making decks ready is left to the [`Warmer`].

mod choosing;
mod command;
mod decks;
mod fading;
mod hands;
mod memory;
mod obey;
mod rig;
mod running;
pub mod setlog;
mod snapshot;
mod solo;
mod view;
mod warm;
mod watch;

#[cfg(test)]
mod tests;

/// What the desk needs of the rooms below, so that it knows the show alone.
pub use crate::milk::{Heard, SPECTRUM_BINS};
pub use crate::stage::Veil;
pub use command::Command;
pub use hands::{HandRack, Hands};
pub use memory::{LeftOut, Memory};
pub use rig::{Rig, RigFrame};
pub use running::{Arrived, Failed, Show, ShowSettings, Step, StepInput};
pub use snapshot::{AudioLine, FrameTimes, Past, Playing, Snapshot, Upcoming};
pub use solo::Solo;
pub use warm::{Arrival, Doorkeeper, PrepareTimes, TurnedAway, Warmer, Wish};
