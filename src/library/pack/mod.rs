//! Files of a pack: the manifest, and the quality blacklist of an audit.

mod blacklist;
mod listing;
mod manifest;

pub use blacklist::{BLACKLIST_FILE, QualityBlacklist};
pub(super) use listing::Listing;
pub use manifest::{MANIFEST_FILE, Manifest, ManifestPreset};
