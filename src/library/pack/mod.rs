//! Files of a pack: the manifest, and the quality blacklist of an audit.

mod blacklist;
mod listing;
mod manifest;
mod names;

pub use blacklist::{BLACKLIST_FILE, QualityBlacklist};
pub(super) use listing::Listing;
pub use manifest::{MANIFEST_FILE, Manifest, ManifestPreset};
pub use names::ManifestNames;
