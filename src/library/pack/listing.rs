//! A compact manifest for opening a library, with only the hashes of the presets' names. Manifest files are
//! parsed directly into it, which saves time with 100,000 presets.

use std::path::Path;

use serde::Deserialize;

use super::manifest::{KNOWN_VERSIONS, Manifest, names};
use crate::disk::{self, FileError};
use crate::library::numbers::Word;
use crate::library::style::name_hash;

/// Maximum number of names per preset.
const NAMES: usize = 6;

/// The presets of a manifest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::library) struct Listing {
    pub presets: Vec<Listed>,
}

/// Hashes of the distinct names of a preset, beginning with the most likely file path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::library) struct Listed {
    hashes: [u64; NAMES],
    count: usize,
}

impl Listed {
    fn of<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let mut listed = Self::default();
        for number in names.map(name_hash) {
            if !listed.hashes().contains(&number) && listed.count < NAMES {
                listed.hashes[listed.count] = number;
                listed.count += 1;
            }
        }
        listed
    }

    pub fn hashes(&self) -> &[u64] {
        &self.hashes[..self.count]
    }
}

/// The canonical form of a manifest; strings are borrowed from the file.
#[derive(Deserialize)]
struct CanonicalFile<'a> {
    #[serde(borrow)]
    version: Word<'a>,
    #[serde(borrow)]
    target: Word<'a>,
    #[serde(borrow)]
    presets: Vec<CanonicalPreset<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct CanonicalPreset<'a> {
    #[serde(borrow)]
    id: Word<'a>,
    #[serde(borrow)]
    label: Word<'a>,
    #[serde(borrow)]
    rel_path: Word<'a>,
    #[serde(borrow)]
    url: Word<'a>,
    #[serde(borrow)]
    pack: Word<'a>,
}

impl Listing {
    /// Reads a manifest; see [`Manifest::parse`].
    pub fn read(path: &Path) -> Result<Self, FileError> {
        let text = disk::read_text(path, disk::limit::LIST).map_err(|error| FileError::new(path, &error))?;
        if let Ok(canonical) = serde_json::from_str::<CanonicalFile>(&text)
            && KNOWN_VERSIONS.contains(&canonical.version.0.as_ref())
        {
            let target = &canonical.target.0;
            let listed = |preset: &CanonicalPreset| {
                let CanonicalPreset { id, label, rel_path, url, pack } = preset;
                Listed::of(names([&rel_path.0, &label.0, &id.0, &url.0], [target, &pack.0]))
            };
            let presets: Vec<Listed> = canonical.presets.iter().map(listed).collect();
            if presets.iter().all(|preset| preset.count > 0) {
                return Ok(Self { presets });
            }
        }
        let manifest = Manifest::parse(text.as_bytes()).map_err(|why| FileError::new(path, &why))?;
        Ok(Self::of(&manifest))
    }

    fn of(manifest: &Manifest) -> Self {
        let listed = |preset: &super::ManifestPreset| Listed::of(preset.names(&manifest.target));
        Self { presets: manifest.presets.iter().map(listed).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::pack::ManifestPreset;

    #[test]
    fn both_parsers_agree() {
        let preset = |name: &str| ManifestPreset {
            id: format!("pack-{name}-0a1b2c"),
            label: format!("x/{name}.milk"),
            rel_path: format!("pack/x/{name}.milk"),
            url: format!("/presets/pack/x/{name}.milk"),
            pack: "pack".into(),
            ..Default::default()
        };
        let presets = vec![preset("a"), preset("\u{fc} \"b\"")];
        let manifest =
            Manifest { version: "v2".into(), target: "pack".into(), presets, ..Default::default() };
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("manifest.json");
        manifest.write(&path).expect("written");
        let listing = Listing::read(&path).expect("read");
        assert_eq!(listing, Listing::of(&manifest));
        let wanted = ["pack/x/a.milk", "x/a.milk", "pack-a-0a1b2c"].map(name_hash);
        assert_eq!(listing.presets[0].hashes(), wanted);
        // A preset without a name and an invalid one are skipped.
        let text =
            std::fs::read_to_string(&path).expect("text").replacen("\"presets\":[", "\"presets\":[{},7,", 1);
        std::fs::write(&path, text).expect("written");
        assert_eq!(Listing::read(&path).expect("read"), listing);
        std::fs::write(&path, "{\"version\":\"v9\",\"target\":\"\",\"presets\":[]}").expect("written");
        assert!(Listing::read(&path).is_err());
    }
}
