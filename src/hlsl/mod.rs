//! Translates preset shaders from HLSL, in its Direct3D 9 dialect, to naga's intermediate representation.
//!
//! ```text
//! text ─preprocess─▶ tokens ─parser─▶ tree ─cost─▶ bounded tree ─lower─▶ naga::Module
//! ```
//!
//! Written from Microsoft's public documentation of HLSL and MilkDrop's preset authoring guide. Every step
//! enforces the limits in `limits`, which also bound its recursion.

mod ast;
mod constants;
mod cost;
mod extra;
mod header;
mod limits;
mod loops;
mod lower;
mod parser;
mod scan;
mod translation;
mod types;

use lactea_abi::PassKind;

use crate::preprocess::tokens;
pub use crate::preprocess::{Error, ErrorKind, Pos};
pub use extra::{ExtraUniforms, SOUND_VALUES, SoundValues, WAVE_VALUES};
pub use translation::{IMAGE_ENTRY, Translation};

/// Translates the warp or composite shader of a preset.
///
/// # Errors
/// Returns the first error, with its position if it has one; exceeding a limit is also an error.
pub fn translate(kind: PassKind, source: &str) -> Result<Translation, Error> {
    let tree = parser::parse(&tokens(source)?)?;
    let bounds = cost::check(&tree)?;
    lower::lower(&tree, kind, bounds)
}
