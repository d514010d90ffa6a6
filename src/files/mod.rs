//! Whole files: text as any system writes it, and replacement that leaves either the old file or the new one.

mod error;
mod text;
mod whole;

pub use error::FileError;
pub use text::{TextError, decode, decode_lossy, lines, read_json, read_text};
pub use whole::{publish, replace, sync_folder, write, write_json};
