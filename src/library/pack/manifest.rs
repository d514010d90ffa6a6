//! `library-manifest.json`, versions v0 to v3: the presets of a pack and their names.
//!
//! Packs in use contain two kinds of preset IDs: `target-slug-hash`, written by aivj's browser-based
//! predecessor, and the path itself. Presets are therefore looked up by any of their names: ID, path with and
//! without the pack's folder, label, URL. The hash in an ID is not interpreted.

use std::collections::BTreeSet;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::disk::{self, FileError};

/// File name of the manifest in a pack.
pub const MANIFEST_FILE: &str = "library-manifest.json";
/// Versions of manifests that can be read.
pub(super) const KNOWN_VERSIONS: [&str; 4] = ["v0", "v1", "v2", "v3"];

/// A manifest; missing fields are empty or 0.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Manifest {
    /// Format version, `v0` to `v3`.
    pub version: String,
    /// Creation time, in ISO 8601 format.
    pub generated_at: String,
    /// Folder of the library that the pack was selected from.
    pub source_root: String,
    /// Number of files scanned in the source library.
    pub total_files_scanned: usize,
    /// Number of scanned files that were eligible for the pack.
    pub total_eligible_scanned: usize,
    /// Number of presets in the pack.
    pub total_presets_included: usize,
    /// How presets were selected: `first`, `reservoir` or `diverse`.
    pub sample_mode: String,
    /// Random seed of the selection.
    pub seed: u64,
    /// Maximum number of files scanned; 0 for all.
    pub scan_limit: usize,
    /// Name of the pack.
    pub target: String,
    /// The presets in the pack.
    pub presets: Vec<ManifestPreset>,
    /// File names of the images that were copied to the pack.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub images: BTreeSet<String>,
}

/// A preset of a pack.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ManifestPreset {
    /// ID by which style indexes and bakes refer to the preset.
    #[serde(deserialize_with = "disk::lenient")]
    pub id: String,
    /// Path in the source library.
    #[serde(deserialize_with = "disk::lenient")]
    pub label: String,
    /// Path in the pack, possibly preceded by the pack's name.
    #[serde(deserialize_with = "disk::lenient")]
    pub rel_path: String,
    /// URL from which a browser loads the preset.
    #[serde(deserialize_with = "disk::lenient")]
    pub url: String,
    /// Name of the pack.
    #[serde(deserialize_with = "disk::lenient")]
    pub pack: String,
    /// Name of the preset file.
    #[serde(deserialize_with = "disk::lenient")]
    pub file_name: String,
    /// File size in bytes.
    #[serde(deserialize_with = "disk::lenient")]
    pub file_size: u64,
}

impl Manifest {
    /// Reads a manifest. Invalid presets, and those without any name, are dropped.
    pub fn read(path: &Path) -> Result<Self, FileError> {
        let bytes = disk::read(path, disk::limit::LIST).map_err(|error| FileError::new(path, &error))?;
        Self::parse(&bytes).map_err(|why| FileError::new(path, &why))
    }

    pub(super) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let text = disk::decode(bytes).map_err(|error| error.to_string())?;
        let json: Value = serde_json::from_str(&text).map_err(|error| format!("not valid JSON: {error}"))?;
        let version = json.get("version").and_then(Value::as_str).unwrap_or("v0").to_owned();
        if !KNOWN_VERSIONS.contains(&version.as_str()) {
            return Err(format!("unsupported version {version:?}, expected v0 to v3"));
        }
        let listed = json.get("presets").and_then(Value::as_array).ok_or("missing list of presets")?;
        let presets = listed.iter().filter_map(|preset| ManifestPreset::deserialize(preset).ok());
        let presets: Vec<_> = presets.filter(|preset| preset.names("").next().is_some()).collect();
        if presets.is_empty() && !listed.is_empty() {
            return Err(format!("none of the {} presets has an id or a relPath", listed.len()));
        }
        let images = json.get("images").and_then(Value::as_array).into_iter().flatten();
        let images = images.filter_map(Value::as_str).map(str::to_owned).collect();
        let text = |key: &str| json.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let number = |key: &str| json.get(key).and_then(Value::as_u64).unwrap_or_default();
        Ok(Self {
            version,
            generated_at: text("generatedAt"),
            source_root: text("sourceRoot"),
            total_files_scanned: number("totalFilesScanned") as usize,
            total_eligible_scanned: number("totalEligibleScanned") as usize,
            total_presets_included: number("totalPresetsIncluded") as usize,
            sample_mode: text("sampleMode"),
            seed: number("seed"),
            scan_limit: number("scanLimit") as usize,
            target: text("target"),
            presets,
            images,
        })
    }

    /// Writes the file atomically.
    pub fn write(&self, path: &Path) -> Result<(), FileError> {
        disk::write_json(path, self)
    }
}

impl ManifestPreset {
    /// Iterates over all names of the preset, beginning with the most likely file path. `target` is the name
    /// of the pack.
    pub fn names<'a>(&'a self, target: &'a str) -> impl Iterator<Item = &'a str> {
        let Self { id, label, rel_path, url, pack, .. } = self;
        names([rel_path, label, id, url], [target, pack])
    }
}

/// Iterates over all names of a preset, beginning with the most likely file path. `packs` are the possible
/// names of the preset's pack, which its path may start with.
pub(super) fn names<'a>(
    [rel_path, label, id, url]: [&'a str; 4],
    packs: [&'a str; 2],
) -> impl Iterator<Item = &'a str> {
    let below = |folder: &'a str| {
        let rest = (!folder.is_empty()).then(|| rel_path.strip_prefix(folder)).flatten();
        rest.and_then(|rest| rest.strip_prefix(['/', '\\'])).unwrap_or_default()
    };
    let names = [rel_path, below(packs[0]), below(packs[1]), label, id, url];
    names.into_iter().filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_of_ids_are_read() {
        let text = r#"{"version":"v2","target":"run3","wasmCompat":{"ok":true},"presets":[
            {"id":"run3-a-1b2c3d","label":"x/a.milk","relPath":"run3/x/a.milk","fileSize":12},
            {"id":"y/b.milk","label":null,"fileSize":null}, {"fileSize":3}]}"#;
        let manifest = Manifest::parse(text.as_bytes()).expect("read");
        let names: Vec<Vec<&str>> =
            manifest.presets.iter().map(|preset| preset.names("run3").collect()).collect();
        assert_eq!(names, [vec!["run3/x/a.milk", "x/a.milk", "x/a.milk", "run3-a-1b2c3d"], vec!["y/b.milk"]]);
        for broken in ["{\"version\":\"v9\",\"presets\":[]}", "{}", "[", r#"{"presets":[{"fileSize":1}]}"#] {
            assert!(Manifest::parse(broken.as_bytes()).is_err(), "{broken}");
        }
    }

    #[test]
    fn a_manifest_survives_a_round_trip() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(MANIFEST_FILE);
        let preset = ManifestPreset { id: "a".into(), rel_path: "p/a.milk".into(), ..Default::default() };
        let manifest =
            Manifest { version: "v0".into(), seed: 7, presets: vec![preset], ..Default::default() };
        let manifest = Manifest { images: ["a.png".into()].into(), ..manifest };
        manifest.write(&path).expect("written");
        assert_eq!(Manifest::read(&path).expect("read"), manifest);
    }
}
