//! Features from an audit, for clustering without frames or embeddings: tags, luma, motion and render times.
//!
//! Reads a `preset-audit.json` written by this program or its predecessor.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use ndarray::{Array2, Axis};
use serde::Deserialize;
use serde_json::Value;

use super::{ClusterError, Known};
use crate::disk;
use crate::embed::{EmbedderId, Table};
use crate::frames::{BakeItem, FrameMetrics};
use crate::library::style::NameTable;

const AUDIT_FILE: &str = "preset-audit.json";
/// Weight of a tag; each of the measurements has weight 1.
const TAG_WEIGHT: f32 = 0.7;
/// Value of a constant column: rows are compared by direction, and without the column an average preset would
/// have no direction.
const CONSTANT: f32 = 1.5;
/// Number of measurements.
const NUMBERS: usize = 4;

#[derive(Deserialize)]
struct Audit {
    entries: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    rel_path: String,
    #[serde(default, deserialize_with = "disk::lenient")]
    id: String,
    #[serde(default, deserialize_with = "disk::lenient")]
    tags: Vec<String>,
    quality: Quality,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Quality {
    avg_luma: f32,
    avg_frame_delta: f32,
    #[serde(default)]
    avg_render_ms: Option<f32>,
    #[serde(default)]
    p95_render_ms: Option<f32>,
}

impl Entry {
    fn numbers(&self) -> [f32; NUMBERS] {
        let decades = |value: f32| (value.max(0.0) + 1e-3).ln();
        let Quality { avg_luma, avg_frame_delta, avg_render_ms, p95_render_ms } = self.quality;
        let ms = |value: Option<f32>| decades(value.unwrap_or_default());
        [avg_luma, decades(avg_frame_delta), ms(avg_render_ms), ms(p95_render_ms)]
    }
}

/// Returns the features of the presets that the audit in `folder` measured, one row each, and their measurements.
/// Presets without measurements have no row.
///
/// # Errors
/// Fails if the audit cannot be read.
pub fn audit_features(folder: &Path, items: &[BakeItem]) -> Result<(Table, Known), ClusterError> {
    let path = folder.join(AUDIT_FILE);
    let audit: Audit = disk::read_json(&path).map_err(|error| ClusterError::Audit(error.to_string()))?;
    let entries = audit.entries.into_iter().filter_map(|entry| Entry::deserialize(entry).ok());
    let entries: Vec<Entry> = entries.filter(|entry| entry.numbers().iter().all(|n| n.is_finite())).collect();
    let mut names = NameTable::for_presets(2 * entries.len());
    for (index, entry) in entries.iter().enumerate() {
        names.add(&entry.rel_path, index);
        names.add(&entry.id, index);
    }
    let entry_of = |item: &BakeItem| item.find_in(&names, true).map(|index| &entries[index]);
    let found: Vec<(&BakeItem, &Entry)> =
        items.iter().filter_map(|item| Some((item, entry_of(item)?))).collect();
    let tags: BTreeSet<&str> =
        found.iter().flat_map(|(_, entry)| entry.tags.iter().map(String::as_str)).collect();
    let columns: BTreeMap<&str, usize> = tags.iter().copied().zip(0..).collect();
    let mut rows = Array2::zeros((found.len(), tags.len() + NUMBERS));
    for (mut row, (_, entry)) in rows.outer_iter_mut().zip(&found) {
        for tag in &entry.tags {
            row[columns[tag.as_str()]] = 1.0;
        }
        for (number, value) in entry.numbers().into_iter().enumerate() {
            row[tags.len() + number] = value;
        }
    }
    standardise(&mut rows);
    rows.slice_mut(ndarray::s![.., ..tags.len()]).mapv_inplace(|value| value * TAG_WEIGHT);
    let constant = Array2::from_elem((found.len(), 1), CONSTANT);
    rows.append(Axis(1), constant.view()).expect("as many rows");
    let mut known = Known::default();
    for (item, Entry { quality, .. }) in &found {
        let metrics = FrameMetrics {
            avg_luma: Some(quality.avg_luma),
            motion: Some(quality.avg_frame_delta),
            ..FrameMetrics::default()
        };
        known.frames.insert(item.id.clone(), metrics);
        known.paths.insert(item.id.clone(), item.below.clone());
    }
    let model = format!("audit features: {}", tags.into_iter().collect::<Vec<_>>().join(" "));
    let table = Table {
        embedder_id: EmbedderId { embedder: "audit".into(), model, preprocessing: String::new() },
        keys: vec![String::new(); found.len()],
        ids: found.iter().map(|(item, _)| item.id.clone()).collect(),
        rows,
    };
    Ok((table, known))
}

/// Scales every column to mean 0 and variance 1.
fn standardise(rows: &mut Array2<f32>) {
    for mut column in rows.axis_iter_mut(Axis(1)) {
        let count = column.len().max(1) as f32;
        let mean = column.sum() / count;
        let deviation = (column.iter().map(|value| (value - mean).powi(2)).sum::<f32>() / count).sqrt();
        column.mapv_inplace(|value| (value - mean) / deviation.max(1e-6));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{ClusterSettings, PASSES, cluster};
    use crate::frames::items_in;

    #[test]
    fn presets_measured_by_the_predecessor_form_clusters_without_embeddings() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut entries = Vec::new();
        for number in 0..40 {
            std::fs::write(folder.path().join(format!("{number}.milk")), format!("zoom={number}"))
                .expect("written");
            let (luma, motion, tag) =
                if number % 2 == 0 { (0.1, 0.2, "dots") } else { (0.7, 0.01, "liquid") };
            entries.push(format!(
                r#"{{"relPath":"{number}.milk","tags":["{tag}"],"quality":{{"ok":true,"reasons":[],
                "avgLuma":{luma},"avgFrameDelta":{motion},"avgRenderMs":2.5,"p95RenderMs":{number}}}}}"#
            ));
        }
        std::fs::write(folder.path().join("41.milk"), "zoom=41").expect("written");
        entries.push(r#"{"relPath":"41.milk","quality":null}"#.into());
        let text = format!(r#"{{"version":"v0","entries":[{}]}}"#, entries.join(","));
        std::fs::write(folder.path().join(AUDIT_FILE), text).expect("written");
        let items = items_in(folder.path(), None).expect("presets");
        let (mut table, known) = audit_features(folder.path(), &items).expect("read");
        assert_eq!(table.ids.len(), 40, "one preset has no measurements");
        let settings = ClusterSettings {
            count: Some(2),
            seed: 1,
            threads: 1,
            pack: "p".into(),
            at: String::new(),
            method: None,
            passes: PASSES,
        };
        let styles = cluster(&mut table, &known, None, &settings).expect("clustered").styles;
        let of = |number: usize| styles.members[&format!("{number}.milk")];
        assert!((0..40).all(|number| (of(number) == of(0)) == (number % 2 == 0)));
        assert!(matches!(audit_features(Path::new("nowhere"), &items), Err(ClusterError::Audit(_))));
    }
}
