//! The presets one owns: identity by content hash, manifest, style index, blacklists, packs, the store.
