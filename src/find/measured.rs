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

/// A line of the frames index, reduced to the names of the preset and the measurements of its frames.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct FramesLine {
    #[serde(deserialize_with = "disk::lenient")]
    preset_id: String,
    #[serde(deserialize_with = "disk::lenient")]
    rel_path: String,
    #[serde(deserialize_with = "disk::lenient")]
    file_path: String,
    #[serde(deserialize_with = "disk::lenient")]
    status: Option<String>,
    #[serde(deserialize_with = "disk::lenient")]
    metrics: FrameValues,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct FrameValues {
    #[serde(deserialize_with = "disk::lenient")]
    avg_luma: Option<f32>,
    #[serde(deserialize_with = "disk::lenient")]
    motion: Option<f32>,
}

/// A rank quantised to [`STEPS`] steps, or [`UNKNOWN`]; takes a quarter of the memory of an `Option<f32>`.
type Step = u16;
/// Number of steps from rank 0 to rank 1.
const STEPS: f32 = 65_534.0;
/// The step of an unknown rank.
const UNKNOWN: Step = Step::MAX;
/// Maximum number of values kept per axis.
const MAX_VALUES: usize = 4096;

fn step(rank: f32) -> Step {
    (rank * STEPS).round() as Step
}

fn rank_of(step: Step) -> Option<f32> {
    (step != UNKNOWN).then(|| f32::from(step) / STEPS)
}

/// Ranks of all presets, by catalogue index.
#[derive(Clone, Debug, Default)]
pub struct Measured {
    /// Rank of each preset on each axis.
    ranks: Vec<[Step; AXES]>,
    /// Number of presets with a measurement.
    known: usize,
    /// Known values on each axis, sampled at equal steps of rank, ascending.
    sorted: [Vec<f32>; AXES],
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
        let mut ranks = vec![[UNKNOWN; AXES]; values.len()];
        let mut sorted: [Vec<f32>; AXES] = Default::default();
        for axis in 0..AXES {
            let mut known: Vec<(f32, usize)> = values
                .iter()
                .enumerate()
                .filter_map(|(index, values)| Some((values[axis]?, index)))
                .collect();
            known.sort_by(|a, b| a.0.total_cmp(&b.0));
            let apart = known.len().div_ceil(MAX_VALUES).max(1);
            sorted[axis] = known.iter().step_by(apart).map(|(value, _)| *value).collect();
            let last = known.len().saturating_sub(1).max(1) as f32;
            let mut from = 0;
            while from < known.len() {
                let equal = known[from..].partition_point(|(value, _)| *value <= known[from].0);
                let rank = (from as f32 + (equal - 1) as f32 / 2.0) / last;
                known[from..from + equal]
                    .iter()
                    .for_each(|(_, index)| ranks[*index][axis] = step(rank.min(1.0)));
                from += equal;
            }
        }
        let known = ranks.iter().filter(|ranks| ranks.iter().any(|step| *step != UNKNOWN)).count();
        Self { ranks, known, sorted }
    }

    /// Returns the number of presets with a measurement.
    pub fn known(&self) -> usize {
        self.known
    }

    /// Returns the ranks of these values among those of the library, 0 to 1; `None` if unknown.
    pub(super) fn ranks_of(&self, values: &[Option<f32>; AXES]) -> [Option<f32>; AXES] {
        std::array::from_fn(|axis| {
            let (value, sorted) = (values[axis]?, &self.sorted[axis]);
            let below = sorted.partition_point(|other| *other < value) as f32;
            let up_to = sorted.partition_point(|other| *other <= value) as f32;
            let last = sorted.len().checked_sub(1)?.max(1) as f32;
            // The middle of the equal values or, without any, the midpoint between the neighbours.
            rank_of(step(((below + up_to - 1.0) / 2.0 / last).clamp(0.0, 1.0)))
        })
    }

    /// Returns the rank of a preset on an axis, 0 to 1; 0.5 if unknown.
    pub(super) fn rank(&self, index: usize, axis: Axis) -> f32 {
        self.known_rank(index, axis).unwrap_or(0.5)
    }

    /// Returns the rank of a preset on every axis.
    pub(super) fn ranks(&self, index: usize) -> [Option<f32>; AXES] {
        self.ranks.get(index).map_or([None; AXES], |ranks| ranks.map(rank_of))
    }

    /// Returns the rank of a preset on an axis, if known.
    pub(super) fn known_rank(&self, index: usize, axis: Axis) -> Option<f32> {
        self.ranks.get(index).and_then(|ranks| rank_of(ranks[axis as usize]))
    }
}

fn add_frames(bake: &Path, names: &NameTable, values: &mut [[Option<f32>; AXES]]) {
    let mut last: HashMap<usize, FrameValues> = HashMap::new();
    disk::each_line(&bake.join(FRAMES_INDEX), |line| {
        let Ok(line) = serde_json::from_str::<FramesLine>(line) else { return };
        let index = [&line.preset_id, &line.rel_path, &line.file_path]
            .into_iter()
            .find_map(|name| names.index_of(name));
        // A failed attempt measured nothing.
        let ok = line.status.is_none_or(|status| status == "ok");
        index.map(|index| last.insert(index, if ok { line.metrics } else { FrameValues::default() }));
    })
    .ok(); // The lines before a damaged one count, and there may be no index.
    for (index, FrameValues { avg_luma, motion }) in last {
        for (axis, value) in [(Axis::Brightness, avg_luma), (Axis::Motion, motion)] {
            let known = &mut values[index][axis as usize];
            *known = known.or(value);
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
    fn values_from_elsewhere_are_ranked_among_those_of_the_library() {
        let row =
            |value: f32| -> [Option<f32>; AXES] { std::array::from_fn(|axis| (axis == 0).then_some(value)) };
        let measured = Measured::ranked(&[0.1, 0.1, 0.5, 0.9].map(row));
        let rank = |value: f32| measured.ranks_of(&row(value))[0];
        assert_eq!(
            [0.1, 0.5, 0.9].map(rank),
            [0, 2, 3].map(|index| measured.known_rank(index, Axis::Brightness))
        );
        assert_eq!((rank(0.0), rank(2.0)), (Some(0.0), Some(1.0)));
        assert!(rank(0.7).is_some_and(|rank| (rank - 2.5 / 3.0).abs() < 1e-4));
        assert_eq!(measured.ranks_of(&row(0.5))[1], None);
        assert_eq!(Measured::default().ranks_of(&row(0.5))[0], None);
    }

    #[test]
    fn a_value_is_ranked_among_those_of_a_large_library() {
        let row =
            |value: f32| -> [Option<f32>; AXES] { std::array::from_fn(|axis| (axis == 0).then_some(value)) };
        let values: Vec<_> = (0..10 * MAX_VALUES).map(|at| row(at as f32)).collect();
        let measured = Measured::ranked(&values);
        assert_eq!(measured.sorted[0].len(), MAX_VALUES);
        for at in [0, 777, 5 * MAX_VALUES, 10 * MAX_VALUES - 1] {
            let [own, other] =
                [measured.ranks(at)[0], measured.ranks_of(&values[at])[0]].map(|rank| rank.expect("known"));
            assert!((own - other).abs() < 1e-3, "{at}: {own}, {other}");
        }
    }

    #[test]
    fn frames_stand_in_for_a_missing_audit() {
        let folder = tempfile::tempdir().expect("a folder");
        let line = |id: &str, luma: f32| {
            format!(r#"{{"presetId":"{id}","status":"ok","metrics":{{"avgLuma":{luma},"motion":0.1}}}}"#)
                + "\n"
        };
        let more = r#"{"presetId":"other-c-1","relPath":"pack/c","metrics":{"avgLuma":null,"motion":0.4}}
            {"presetId":"b","status":"failed","metrics":{"avgLuma":0,"motion":0}}
            {cut"#;
        std::fs::write(folder.path().join(FRAMES_INDEX), line("a", 0.2) + &line("a", 0.3) + more)
            .expect("written");
        let mut names = NameTable::default();
        ["a", "b", "pack/c"].into_iter().zip(0..).for_each(|(name, index)| names.add(name, index));
        let mut values = vec![[None; AXES]; 3];
        add_frames(folder.path(), &names, &mut values);
        let known = |index: usize| [Axis::Brightness, Axis::Motion].map(|axis| values[index][axis as usize]);
        assert_eq!([0, 1, 2].map(known), [[Some(0.3), Some(0.1)], [None, None], [None, Some(0.4)]]);
    }
}
