//! The preset library: built-in presets, preset folders, the store of what is known about them, and the catalogue.

mod analysis;
mod built_in;
mod catalogue;
pub mod edited;
mod energy;
mod folder;
mod identity;
pub mod looks;
mod numbers;
mod open;
pub mod pack;
mod scan;
mod search;
mod settings;
pub mod store;
pub mod style;
mod tags;
mod trim;
mod user_folders;
mod word_index;

pub use analysis::PresetFacts;
pub use built_in::{BuiltIn, built_in};
pub use catalogue::{Catalogue, Cluster, Entry, PresetSource, SourceLocation, StyleOrigin};
pub use energy::Energy;
pub use folder::{FolderError, is_preset};
pub use identity::{InvalidPresetId, PresetId};
pub use open::{LibraryLocation, OpenError, OpenedLibrary, load, load_built_in, open};
pub use scan::{ScanError, ScanReport, library_root, scan};
pub use search::{SearchIndex, SearchQuery, SearchResults, SearchThread};
pub use settings::{
    DWELL, OutputDisplay, RATES, SETTINGS_FILE, Setting, Settings, TEMPLATE as SETTINGS_TEMPLATE, plain_name,
    put as put_setting,
};
pub use store::{BanKind, Store, StoreStatus, StoreWrite, StoreWriter, UnixSecs, is_damage, suspect};
pub use tags::{Tag, Tags};
pub use trim::release_memory;
pub use user_folders::UserFolders;
