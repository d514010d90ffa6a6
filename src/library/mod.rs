//! The preset library: built-in presets, preset folders, packs, style indexes, and the catalogue.

mod built_in;
mod catalogue;
pub mod edited;
mod folder;
pub mod looks;
mod numbers;
mod open;
pub mod pack;
mod preset_names;
mod scan;
mod settings;
pub mod statements;
pub mod style;
mod trim;
mod user_folders;

pub use built_in::{BuiltIn, built_in};
pub use catalogue::{Catalogue, Cluster, Entry, PresetSource, SourceLocation, StyleOrigin};
pub use folder::{FolderError, is_preset};
pub use open::{LibraryLocation, OpenError, OpenedLibrary, load, load_built_in, open};
pub use preset_names::{add_file_names, preset_names};
pub use scan::{ScanError, ScanReport, library_root, scan};
pub use settings::{
    DWELL, INPUT_DELAY_MS, MACROS, OutputDisplay, PROFILES, RATES, SETTINGS_FILE, Setting, Settings,
    TEMPLATE as SETTINGS_TEMPLATE, plain_name, put as put_setting,
};
pub use trim::release_memory;
pub use user_folders::UserFolders;
