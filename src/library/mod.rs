//! The presets one owns: the built-in ones, folders of files, and the table the show chooses from.

mod built_in;
mod catalogue;
mod folder;
mod identity;

pub use built_in::{BuiltIn, built_in};
pub use catalogue::{Catalogue, Cluster, Energy, Entry, PresetSource, StyleOrigin};
pub use folder::{FolderError, presets_in};
pub use identity::{NotAnId, PresetId};
