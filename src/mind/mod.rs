//! The decisions of a VJ: how the macros move, when to cut, which preset comes next, and what the performer
//! likes.

mod control;
pub mod director;
pub mod macros;
pub mod simulation;
pub mod taste;

pub use control::{Control, MacroPreset, Profile};
