//! The files `aivj-style-index.v0.json` and `aivj-style-index.v1.json`.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::disk::{self, FileError};
use crate::facts::Energy;

/// Version of a style index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IndexVersion {
    /// Styles by author, from preset names.
    V0,
    /// Baked styles: from embeddings, an audit or visual elements.
    V1,
}

impl IndexVersion {
    /// Returns the word used in the file.
    pub fn word(self) -> &'static str {
        match self {
            Self::V0 => "v0",
            Self::V1 => "v1",
        }
    }
}

/// A style index.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StyleIndex {
    /// Version of the file.
    pub version: IndexVersion,
    /// Creation time, in ISO 8601 format.
    pub generated_at: String,
    /// Name of the pack.
    pub pack: String,
    /// The presets in the index.
    pub entries: Vec<IndexEntry>,
    /// The clusters; not written or read by aivj's browser-based predecessor.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clusters: Vec<IndexCluster>,
    /// Name of the embedding space of the centroids: the model that produced the embeddings.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub space: String,
}

/// A preset of the index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IndexEntry {
    /// Name of the preset: its ID in the manifest, or its path within the folder.
    pub preset_id: String,
    /// Key of the cluster in a v1 file, and of the author in a v0 file.
    pub author_key: String,
    /// Energy of the preset.
    pub energy: Energy,
    /// Tags such as `energy:groove`, `cluster:c07`, `band:low` and `author:geiss`.
    #[serde(default)]
    pub tags: Vec<String>,
}

/// A cluster of the index.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IndexCluster {
    /// Key, such as `c07`.
    pub id: String,
    /// Name shown on the desk.
    #[serde(default)]
    pub label: String,
    /// Number of presets in the cluster.
    #[serde(default)]
    pub count: usize,
    /// Centroid in embedding space, used to match clusters between bakes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub centroid: Vec<f32>,
}

impl IndexEntry {
    /// Creates an entry of a v1 file; `band` is `low`, `mid` or `high`, if known.
    pub fn of_cluster(preset_id: String, cluster: &str, energy: Energy, band: Option<&str>) -> Self {
        let mut tags = vec![format!("energy:{}", energy.label()), format!("cluster:{cluster}")];
        tags.extend(band.map(|band| format!("band:{band}")));
        Self { preset_id, author_key: cluster.to_owned(), energy, tags }
    }

    /// Returns the cluster key: that of the `cluster:` tag, otherwise the author key if it has the form of a
    /// cluster key.
    pub fn cluster(&self) -> Option<&str> {
        let tagged = self.tags.iter().find_map(|tag| tag.strip_prefix("cluster:"));
        tagged.or_else(|| is_cluster_key(&self.author_key).then_some(self.author_key.as_str()))
    }
}

/// Returns whether `text` is a cluster key such as `c07`.
fn is_cluster_key(text: &str) -> bool {
    text.strip_prefix('c')
        .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()))
}

impl StyleIndex {
    /// Parses an index file of the given version. Invalid entries are dropped; a file whose entries are all
    /// invalid is an error.
    pub fn parse(bytes: &[u8], version: IndexVersion) -> Result<Self, String> {
        let text = disk::decode(bytes).map_err(|error| error.to_string())?;
        let json: Value = serde_json::from_str(&text).map_err(|error| format!("not valid JSON: {error}"))?;
        let version_found = json.get("version").map_or_else(|| "nothing".to_owned(), Value::to_string);
        if json.get("version").and_then(Value::as_str) != Some(version.word()) {
            return Err(format!("unsupported version {version_found}, expected \"{}\"", version.word()));
        }
        let listed = json.get("entries").or_else(|| json.get("presets")).and_then(Value::as_array);
        let listed = listed.ok_or("missing list of entries or presets")?;
        let entries: Vec<IndexEntry> = listed.iter().filter_map(entry).filter(usable).collect();
        if entries.is_empty() && !listed.is_empty() {
            return Err(format!("none of the {} entries has presetId, authorKey and energy", listed.len()));
        }
        let text = |key: &str| json.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let clusters = json.get("clusters").and_then(Value::as_array).into_iter().flatten();
        Ok(Self {
            version,
            generated_at: text("generatedAt"),
            pack: text("pack"),
            entries,
            clusters: clusters.filter_map(cluster).collect(),
            space: text("space"),
        })
    }

    /// Writes the file atomically.
    pub fn write(&self, path: &Path) -> Result<(), FileError> {
        disk::write_json(path, self)
    }
}

fn usable(entry: &IndexEntry) -> bool {
    !entry.preset_id.is_empty() && !entry.author_key.is_empty()
}

/// Parses an entry in the current form, or in the older form with `id` and a cluster number.
fn entry(json: &Value) -> Option<IndexEntry> {
    let text = |key: &str| json.get(key).and_then(Value::as_str);
    let tags = json.get("tags").and_then(Value::as_array).into_iter().flatten();
    let tags: Vec<String> = tags.filter_map(Value::as_str).map(str::to_owned).collect();
    let preset_id = text("presetId").or_else(|| text("id"))?.to_owned();
    let energy = text("energy").or_else(|| tags.iter().find_map(|tag| tag.strip_prefix("energy:")));
    let energy = match (energy, json.get("presetId")) {
        (Some(label), _) => Energy::ALL.into_iter().find(|energy| energy.label() == label)?,
        (None, Some(_)) => return None, // Required in the current form.
        (None, None) => energy_of_motion(json),
    };
    let author_key = match (text("authorKey"), json.get("cluster")) {
        (Some(key), _) => key.to_owned(),
        (None, Some(cluster)) => cluster_key(cluster)?,
        (None, None) => text("primaryCategory")?.to_owned(),
    };
    Some(IndexEntry { preset_id, author_key, energy, tags })
}

/// Derives the energy from the motion, the only measurement in the older form.
fn energy_of_motion(json: &Value) -> Energy {
    let motion = json.get("metrics").and_then(|metrics| metrics.get("avgFrameDelta")).and_then(Value::as_f64);
    match motion {
        Some(motion) if motion < 0.02 => Energy::Calm,
        Some(motion) if motion > 0.08 => Energy::Peak,
        _ => Energy::Groove,
    }
}

fn cluster_key(json: &Value) -> Option<String> {
    match json {
        Value::Number(number) => Some(format!("c{:02}", number.as_u64()?)),
        Value::String(text) => Some(text.clone()),
        _ => None,
    }
}

fn cluster(json: &Value) -> Option<IndexCluster> {
    let label = json.get("label").and_then(Value::as_str).unwrap_or_default().to_owned();
    let count = json.get("count").and_then(Value::as_u64).unwrap_or_default() as usize;
    let centroid = json.get("centroid").and_then(Value::as_array).into_iter().flatten();
    let centroid = centroid.filter_map(Value::as_f64).map(|number| number as f32).collect();
    Some(IndexCluster { id: cluster_key(json.get("id")?)?, label, count, centroid })
}

#[cfg(test)]
mod tests {
    use super::*;

    const REAL: &str = r#"{"version":"v1","generatedAt":"2026-02-20T00:00:00Z","pack":"run3-crashsafe","entries":[
        {"presetId":"run3-a-0a1b2c","authorKey":"c07","energy":"groove","tags":["energy:groove","cluster:c07","band:low"]},
        {"presetId":"run3-b-0a1b2c","authorKey":"c1","energy":"peak"}]}"#;

    #[test]
    fn the_current_form_survives_a_round_trip() {
        let index = StyleIndex::parse(REAL.as_bytes(), IndexVersion::V1).expect("read");
        let clusters: Vec<_> = index.entries.iter().map(IndexEntry::cluster).collect();
        assert_eq!(clusters, [Some("c07"), Some("c1")]);
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("index.json");
        index.write(&path).expect("written");
        let written = std::fs::read(&path).expect("a file");
        assert_eq!(StyleIndex::parse(&written, IndexVersion::V1), Ok(index));
        let error = StyleIndex::parse(&written, IndexVersion::V0).expect_err("another version");
        assert!(error.contains("version"), "{error}");
    }

    #[test]
    fn invalid_entries_are_dropped_unless_all_are_invalid() {
        let some = REAL.replace("\"peak\"", "\"furious\"");
        assert_eq!(StyleIndex::parse(some.as_bytes(), IndexVersion::V1).expect("read").entries.len(), 1);
        let none = r#"{"version":"v0","entries":[{"presetId":"","authorKey":"a","energy":"calm"}]}"#;
        assert!(StyleIndex::parse(none.as_bytes(), IndexVersion::V0).is_err());
        let empty = r#"{"version":"v0","entries":[]}"#;
        assert!(StyleIndex::parse(empty.as_bytes(), IndexVersion::V0).is_ok());
        for broken in ["", "[]", "{\"version\":\"v0\"}", "{\"version\":\"v0\",\"entries\":3}"] {
            assert!(StyleIndex::parse(broken.as_bytes(), IndexVersion::V0).is_err(), "{broken}");
        }
    }

    #[test]
    fn the_older_form_is_read() {
        let planned = r#"{"version":"v1","pack":"p","presets":[
            {"id":"a/b.milk","tags":["liquid"],"primaryCategory":"liquid","metrics":{"avgFrameDelta":0.2},"cluster":7}],
            "clusters":[{"id":7,"label":"slow liquid","centroid":[1,2],"count":12}]}"#;
        let index = StyleIndex::parse(planned.as_bytes(), IndexVersion::V1).expect("read");
        assert_eq!(index.entries[0].cluster(), Some("c07"));
        assert_eq!(index.entries[0].energy, Energy::Peak);
        assert_eq!((index.clusters[0].id.as_str(), index.clusters[0].label.as_str()), ("c07", "slow liquid"));
    }
}
