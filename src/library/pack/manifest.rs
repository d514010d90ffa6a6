//! `library-manifest.json`, versions v0 to v3: which presets a pack holds and what they are called.
//!
//! Two kinds of identity are about: `target-slug-hash` and the path itself. Presets are therefore found by any name they
//! have: identity, path with and without the pack's folder, label. The reference's hash is the beginning of an MD5, this
//! program writes six digits of the preset's own identity; nobody who reads one looks into it.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::library::whole_file::{self, FileError};

/// Name of the manifest within a pack.
pub const MANIFEST_FILE: &str = "library-manifest.json";
/// Versions that are read.
pub(super) const KNOWN_VERSIONS: [&str; 4] = ["v0", "v1", "v2", "v3"];

/// The whole manifest. What a file leaves out is empty.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Manifest {
    /// `v0` to `v3`.
    pub version: String,
    /// When it was made, ISO 8601.
    pub generated_at: String,
    /// The library the pack was drawn from.
    pub source_root: String,
    /// Files of that library that were looked at.
    pub total_files_scanned: usize,
    /// Of these, the ones that could have been chosen.
    pub total_eligible_scanned: usize,
    /// How many were chosen.
    pub total_presets_included: usize,
    /// `first`, `reservoir`, `diverse`.
    pub sample_mode: String,
    /// Seed of the draw.
    pub seed: u64,
    /// Files the draw stopped after; 0 for all.
    pub scan_limit: usize,
    /// Name of the pack.
    pub target: String,
    /// The presets.
    pub presets: Vec<ManifestPreset>,
}

/// One preset of a pack.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ManifestPreset {
    /// What indexes call it.
    pub id: String,
    /// Its path in the library it comes from.
    pub label: String,
    /// Its path, which may begin with the pack's name.
    pub rel_path: String,
    /// Where a browser finds it.
    pub url: String,
    /// The pack's name.
    pub pack: String,
    /// Its file name.
    pub file_name: String,
    /// Its size in bytes.
    pub file_size: u64,
}

impl Manifest {
    /// Reads a manifest. Presets without any name are dropped.
    pub fn read(path: &Path) -> Result<Self, FileError> {
        let bytes = std::fs::read(path).map_err(|error| FileError::new(path, &error))?;
        Self::parse(&bytes).map_err(|why| FileError::new(path, &why))
    }

    pub(super) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let json: Value = serde_json::from_slice(bytes).map_err(|error| format!("no JSON: {error}"))?;
        let version = json.get("version").and_then(Value::as_str).unwrap_or("v0").to_owned();
        if !KNOWN_VERSIONS.contains(&version.as_str()) {
            return Err(format!("its version is {version:?}; v0 to v3 are known"));
        }
        let listed = json.get("presets").and_then(Value::as_array).ok_or("it holds no list of presets")?;
        let presets = listed.iter().filter_map(|preset| ManifestPreset::deserialize(preset).ok());
        let presets: Vec<_> = presets.filter(|preset| preset.names("").next().is_some()).collect();
        if presets.is_empty() && !listed.is_empty() {
            return Err(format!("none of its {} presets has an id or a relPath", listed.len()));
        }
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
        })
    }

    /// Writes the file, whole or not at all.
    pub fn write(&self, path: &Path) -> Result<(), FileError> {
        whole_file::write_json(path, self)
    }
}

impl ManifestPreset {
    /// Everything this preset may be called, the likeliest path first.
    pub fn names<'a>(&'a self, target: &'a str) -> impl Iterator<Item = &'a str> {
        let Self { id, label, rel_path, url, pack, .. } = self;
        names([rel_path, label, id, url], [target, pack])
    }
}

/// Everything a preset with this path, label, identity and address may be called, in a pack of one of these names; the
/// likeliest path first.
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
    fn both_kinds_of_identity_are_read() {
        let text = r#"{"version":"v2","target":"run3","wasmCompat":{"ok":true},"presets":[
            {"id":"run3-a-1b2c3d","label":"x/a.milk","relPath":"run3/x/a.milk","fileSize":12},
            {"id":"y/b.milk"}, {"fileSize":3}]}"#;
        let manifest = Manifest::parse(text.as_bytes()).expect("read");
        let names: Vec<Vec<&str>> =
            manifest.presets.iter().map(|preset| preset.names("run3").collect()).collect();
        assert_eq!(names, [vec!["run3/x/a.milk", "x/a.milk", "x/a.milk", "run3-a-1b2c3d"], vec!["y/b.milk"]]);
        for broken in ["{\"version\":\"v9\",\"presets\":[]}", "{}", "[", r#"{"presets":[{"fileSize":1}]}"#] {
            assert!(Manifest::parse(broken.as_bytes()).is_err(), "{broken}");
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(MANIFEST_FILE);
        let preset = ManifestPreset { id: "a".into(), rel_path: "p/a.milk".into(), ..Default::default() };
        let manifest =
            Manifest { version: "v0".into(), seed: 7, presets: vec![preset], ..Default::default() };
        manifest.write(&path).expect("written");
        assert_eq!(Manifest::read(&path).expect("read"), manifest);
    }
}
