//! Translates preset shaders from HLSL, in its Direct3D 9 dialect, to naga's intermediate representation.
//!
//! ```text
//! text ─lexer─▶ tokens ─preprocessor─▶ tokens ─parser─▶ tree ─cost─▶ bounded tree ─lower─▶ naga::Module
//! ```
//!
//! Written from Microsoft's public documentation of HLSL and MilkDrop's preset authoring guide. Every step
//! enforces the limits in `limits`, which also bound its recursion.

mod ast;
mod condition;
mod constants;
mod cost;
mod error;
mod header;
mod lexer;
mod limits;
mod loops;
mod lower;
mod parser;
mod preprocessor;
mod scan;
mod token;
mod translation;
mod types;

use lactea_abi::PassKind;

pub use error::{Error, ErrorKind, Pos};
pub use translation::{IMAGE_ENTRY, Translation};

/// Translates the warp or composite shader of a preset.
///
/// # Errors
/// Returns the first error, with its position if it has one; exceeding a limit is also an error.
pub fn translate(kind: PassKind, source: &str) -> Result<Translation, Error> {
    let tokens = preprocessor::expand(lexer::tokens(source)?)?;
    let tree = parser::parse(&tokens)?;
    let bounds = cost::check(&tree)?;
    lower::lower(&tree, kind, bounds)
}
