//! The decisions of a VJ: macro movement, the moment of a cut, the next preset, and the performer's taste.

mod control;
pub mod director;
pub mod macros;
pub mod simulation;
pub mod taste;

pub use control::{Control, MacroPreset, Profile};
