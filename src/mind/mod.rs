//! What a VJ decides: how hard the macros pull, when to change, what comes next, and what the performer likes.

mod control;
pub mod director;
pub mod macros;
pub mod simulation;
pub mod taste;

pub use control::{Control, MacroPreset, Profile};
