//! The presets one owns: the built-in ones and folders of files.

mod built_in;
mod folder;

pub use built_in::{BuiltIn, built_in};
pub use folder::{FolderError, presets_in};
