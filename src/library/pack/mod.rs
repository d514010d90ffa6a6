//! Files beside a folder of presets: the manifest that makes it a pack, and the blacklists of an audit.

mod blacklist;
mod listing;
mod manifest;

pub use blacklist::{BLACKLIST_FILE, QualityBlacklist};
pub(super) use listing::Listing;
pub use manifest::{MANIFEST_FILE, Manifest, ManifestPreset};
