//! A manifest as far as opening a library needs it: which presets it lists, their names as numbers. The manifest of a
//! hundred thousand presets is read straight into this.

use std::path::Path;

use serde::Deserialize;

use super::manifest::{KNOWN_VERSIONS, Manifest, names};
use crate::library::numbers::Word;
use crate::library::style::name_number;
use crate::library::whole_file::FileError;

/// Most names a preset has.
const NAMES: usize = 6;

/// What a manifest lists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::library) struct Listing {
    pub presets: Vec<Listed>,
}

/// One preset: the numbers of its different names, the likeliest path first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::library) struct Listed {
    numbers: [u64; NAMES],
    count: usize,
}

impl Listed {
    fn of<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let mut listed = Self::default();
        for number in names.map(name_number) {
            if !listed.numbers().contains(&number) && listed.count < NAMES {
                listed.numbers[listed.count] = number;
                listed.count += 1;
            }
        }
        listed
    }

    pub fn numbers(&self) -> &[u64] {
        &self.numbers[..self.count]
    }
}

/// The manifest as it is usually written; texts stay in the file.
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
        let bytes = std::fs::read(path).map_err(|error| FileError::new(path, &error))?;
        if let Ok(usual) = serde_json::from_slice::<CanonicalFile>(&bytes)
            && KNOWN_VERSIONS.contains(&usual.version.0.as_ref())
        {
            let target = &usual.target.0;
            let listed = |preset: &CanonicalPreset| {
                let CanonicalPreset { id, label, rel_path, url, pack } = preset;
                Listed::of(names([&rel_path.0, &label.0, &id.0, &url.0], [target, &pack.0]))
            };
            let presets: Vec<Listed> = usual.presets.iter().map(listed).collect();
            if presets.iter().all(|preset| preset.count > 0) {
                return Ok(Self { presets });
            }
        }
        let manifest = Manifest::parse(&bytes).map_err(|why| FileError::new(path, &why))?;
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
    fn both_ways_of_reading_list_the_same() {
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
        let wanted = ["pack/x/a.milk", "x/a.milk", "pack-a-0a1b2c"].map(name_number);
        assert_eq!(listing.presets[0].numbers(), wanted);
        // A preset without a name, and one that is none: the others count.
        let text =
            std::fs::read_to_string(&path).expect("text").replacen("\"presets\":[", "\"presets\":[{},7,", 1);
        std::fs::write(&path, text).expect("written");
        assert_eq!(Listing::read(&path).expect("read"), listing);
        std::fs::write(&path, "{\"version\":\"v9\",\"target\":\"\",\"presets\":[]}").expect("written");
        assert!(Listing::read(&path).is_err());
    }
}
