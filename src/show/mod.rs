//! One step of the show: what was heard and what was asked go in, a cue for the stage comes out.
//!
//! The window, the headless performance, the bake and the tests all step the same [`Show`] through the same [`Rig`].
//! Nothing here reads a clock or a file; making decks ready is left to the [`Warmer`].

mod apply;
mod choosing;
mod command;
mod decks;
mod fading;
mod macro_driver;
mod memory;
mod picture_watch;
mod reason;
mod rig;
mod running;
pub mod setlog;
mod snapshot;
mod solo;
mod view;
mod warm;

#[cfg(test)]
mod tests;

/// What the desk needs of the rooms below, so that it knows the show alone.
pub use crate::milk::{PresetAudio, SPECTRUM_BINS};
pub use crate::stage::OutputMode;
pub use command::Command;
pub use macro_driver::{FusionDecks, MacroDriver};
pub use memory::{Exclusion, ShowMemory};
pub use reason::Reason;
pub use rig::{Rig, RigFrame};
pub use running::{Arrived, Failed, Show, ShowSettings, Step, StepInput};
pub use snapshot::{AudioLine, FrameTimes, PlayedPreset, Playing, Snapshot, Upcoming};
pub use solo::Solo;
pub use warm::{Admission, Arrival, DeckError, DeckRequest, PrepareTimes, Warmer};
