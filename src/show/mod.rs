//! One step of a show: features and commands in, a cue for the stage out.
//!
//! The live show, `perform`, the bake and the tests all step the same [`Show`] through the same [`Rig`]. This module
//! reads neither clocks nor files; decks are prepared by `warmup`.

mod apply;
mod choosing;
mod command;
mod decks;
mod fading;
mod graphics;
mod graphics_event;
#[cfg(feature = "faults")]
mod injection;
mod layer_board;
mod learnt_taste;
mod macro_driver;
mod marks;
mod memory;
mod next_library;
mod reason;
mod recovery;
mod recovery_state;
mod resume;
mod resume_state;
mod rig;
mod rig_watch;
mod running;
pub mod setlog;
mod settings;
mod snapshot;
mod solo;
mod step;
mod suspects;
mod timeouts;
mod undo;
mod unfit;
mod view;

#[cfg(test)]
mod tests;

/// Re-exported for the desk, which may not import `milk` or `stage`.
pub use crate::milk::{PresetAudio, SPECTRUM_BINS};
pub use crate::stage::OutputMode;
/// Re-exported for `app`, which passes them back to the rig.
pub use crate::watch::{DrawnDecks, Slowness};
pub use command::{BeatNudge, Command};
pub use decks::WARM_CANDIDATES;
pub use graphics_event::GraphicsEvent;
pub use learnt_taste::KnownStyles;
pub use macro_driver::{FusionDecks, MacroDriver};
pub use memory::{Exclusion, MarkedPresets, MemoryChange, ShowMemory, theme_text};
pub use next_library::NextLibrary;
pub use reason::Reason;
pub use resume_state::ResumeState;
pub use rig::{Rig, RigFrame};
pub use running::Show;
pub use settings::ShowSettings;
pub use snapshot::{AudioLine, FrameTimes, PlayedPreset, Playing, Snapshot, Upcoming};
pub use solo::{Solo, SoloError};
pub use step::{Arrived, Failed, Step, StepInput};
pub use undo::Undoable;
