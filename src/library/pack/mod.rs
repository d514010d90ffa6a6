//! Files beside a folder of presets: the manifest that makes it a pack, and the blacklists of an audit.

mod blacklist;
mod manifest;

pub use blacklist::{BLACKLIST_FILE, QualityBlacklist};
pub use manifest::{MANIFEST_FILE, Manifest, ManifestPreset};
