//! The presets one owns: the built-in ones, folders of files, what is remembered about them, and the table the show
//! chooses from.

mod analysis;
mod built_in;
mod catalogue;
mod finder;
mod folder;
mod identity;
pub mod looks;
mod numbers;
mod open;
pub mod pack;
mod places;
mod scan;
mod settings;
pub mod store;
pub mod style;
mod tags;
mod trim;
pub mod whole_file;
mod word_index;

pub use analysis::Outline;
pub use built_in::{BuiltIn, built_in};
pub use catalogue::{Catalogue, Cluster, Energy, Entry, PresetSource, StyleOrigin, Whereabouts};
pub use finder::{Answer, Finder, Question, Searcher};
pub use folder::{FolderError, is_preset};
pub use identity::{NotAnId, PresetId};
pub use open::{LibraryPlace, OpenError, OpenedLibrary, load, load_built_in, open};
pub use places::Places;
pub use scan::{ScanError, ScanReport, library_root, scan};
pub use settings::{
    DWELL, SETTINGS_FILE, Setting, Settings, TEMPLATE as SETTINGS_TEMPLATE, plain_name, put as put_setting,
};
pub use store::{BanKind, Deed, Store, StoreWriter, UnixSecs, is_damage, suspect};
pub use tags::{Tag, Tags};
pub use trim::give_back_memory;
