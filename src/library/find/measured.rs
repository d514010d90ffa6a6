//! The measured properties of all presets in a library, as ranks, because what counts as dark or fast depends on
//! the library.

use std::collections::HashMap;
use std::path::Path;

use serde::Deserialize;

use super::axis::{AXES, Axis, Evidence};
use crate::disk;
use crate::library::style::NameTable;
use crate::library::{Catalogue, preset_names};
use crate::store::Store;

/// File name of a bake's frames index.
const FRAMES_INDEX: &str = "frames-index.jsonl";

/// A line of the frames index, reduced to the preset's ID and the measurements of its frames.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FramesLine {
    preset_id: String,
    metrics: FrameValues,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FrameValues {
    avg_luma: f32,
    motion: f32,
}

/// Ranks of all presets, by catalogue index.
#[derive(Clone, Debug, Default)]
pub struct Measured {
    /// Rank of each preset on each axis, 0 to 1; `None` if unknown.
    ranks: Vec<[Option<f32>; AXES]>,
    /// Number of presets with a measurement.
    known: usize,
}

impl Measured {
    /// Reads the measurements made by audits and, for presets without them, the brightness and motion of the
    /// frames in the bake folder.
    pub fn of(library: &Catalogue, store: &Store, bake: Option<&Path>) -> Self {
        let mut values: Vec<[Option<f32>; AXES]> = vec![[None; AXES]; library.entries.len()];
        let read = store.each_evidence(|id, json| {
            if let Some(index) = library.index_of(id)
                && let Ok(evidence) = serde_json::from_str::<Evidence>(json)
                && let Some(measured) = evidence.values()
            {
                values[index] = measured;
            }
        });
        if let Err(error) = read {
            store.mark_if_damaged(&error);
            log::warn!("could not read the measurements of audits: {error}");
        }
        let in_frames = [Axis::Brightness, Axis::Motion];
        let unknown =
            |values: &[Option<f32>; AXES]| in_frames.iter().any(|axis| values[*axis as usize].is_none());
        if let Some(bake) = bake.filter(|_| values.iter().any(unknown)) {
            let names = preset_names(library);
            add_frames(bake, &names, &mut values);
        }
        Self::ranked(&values)
    }

    /// Converts values to ranks; equal values get the same rank.
    fn ranked(values: &[[Option<f32>; AXES]]) -> Self {
        let mut ranks = vec![[None; AXES]; values.len()];
        for axis in 0..AXES {
            let mut known: Vec<(f32, usize)> = values
                .iter()
                .enumerate()
                .filter_map(|(index, values)| Some((values[axis]?, index)))
                .collect();
            known.sort_by(|a, b| a.0.total_cmp(&b.0));
            let last = known.len().saturating_sub(1).max(1) as f32;
            let mut from = 0;
            while from < known.len() {
                let equal = known[from..].partition_point(|(value, _)| *value <= known[from].0);
                let rank = (from as f32 + (equal - 1) as f32 / 2.0) / last;
                known[from..from + equal]
                    .iter()
                    .for_each(|(_, index)| ranks[*index][axis] = Some(rank.min(1.0)));
                from += equal;
            }
        }
        let known = ranks.iter().filter(|ranks| ranks.iter().any(Option::is_some)).count();
        Self { ranks, known }
    }

    /// Returns the number of presets with a measurement.
    pub fn known(&self) -> usize {
        self.known
    }

    /// Returns the rank of a preset on an axis, 0 to 1; 0.5 if unknown.
    pub(super) fn rank(&self, index: usize, axis: Axis) -> f32 {
        self.known_rank(index, axis).unwrap_or(0.5)
    }

    /// Returns the rank of a preset on an axis, if known.
    pub(super) fn known_rank(&self, index: usize, axis: Axis) -> Option<f32> {
        self.ranks.get(index).and_then(|ranks| ranks[axis as usize])
    }
}

fn add_frames(bake: &Path, names: &NameTable, values: &mut [[Option<f32>; AXES]]) {
    let Ok(text) = disk::read_text(&bake.join(FRAMES_INDEX), disk::limit::LIST) else { return };
    let lines = disk::lines(&text).filter_map(|line| serde_json::from_str::<FramesLine>(line).ok());
    let last: HashMap<String, FrameValues> = lines.map(|line| (line.preset_id, line.metrics)).collect();
    for (id, FrameValues { avg_luma, motion }) in last {
        if let Some(index) = names.index_of(&id) {
            let values = &mut values[index];
            values[Axis::Brightness as usize].get_or_insert(avg_luma);
            values[Axis::Motion as usize].get_or_insert(motion);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_follow_the_order_and_equal_values_share_one() {
        let row = |value: Option<f32>| {
            let mut row = [None; AXES];
            row[Axis::Brightness as usize] = value;
            row
        };
        let values = [row(Some(0.9)), row(None), row(Some(0.1)), row(Some(0.1)), row(Some(0.5))];
        let measured = Measured::ranked(&values);
        let rank = |index| measured.rank(index, Axis::Brightness);
        assert_eq!((rank(0), rank(1), rank(2)), (1.0, 0.5, rank(3)));
        assert!(rank(2) < rank(4) && rank(4) < 1.0);
        assert_eq!((measured.known(), measured.known_rank(1, Axis::Brightness)), (4, None));
    }

    #[test]
    fn frames_stand_in_for_a_missing_audit() {
        let folder = tempfile::tempdir().expect("a folder");
        let line = |id: &str, luma: f32| {
            format!(r#"{{"presetId":"{id}","status":"ok","metrics":{{"avgLuma":{luma},"motion":0.1}}}}"#)
                + "\n"
        };
        std::fs::write(folder.path().join(FRAMES_INDEX), line("a", 0.2) + &line("a", 0.3) + "{cut")
            .expect("written");
        let mut names = NameTable::default();
        names.add("a", 0);
        names.add("b", 1);
        let mut values = vec![[None; AXES]; 2];
        add_frames(folder.path(), &names, &mut values);
        assert_eq!(
            (values[0][Axis::Brightness as usize], values[1][Axis::Brightness as usize]),
            (Some(0.3), None)
        );
    }
}
