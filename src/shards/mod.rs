//! Bakes on several computers: each works on one shard in its own folder, and `merge` combines the folders.
//!
//! A finished shard is sealed: `shard.json` describes it, and `SHA256SUMS` contains the hash of every file,
//! so that a merge detects an incomplete copy. A shard that is restarted loses its seal until it is finished
//! again.

mod error;
mod fingerprint;
mod frames;
mod plan;
mod rows;
mod seal;
mod trial;
mod verdicts;

use std::path::{Path, PathBuf};

pub use error::ShardError;
pub use frames::seal_frames;
pub use plan::{ClusterPlan, Engine, PlanFile, check_plan_folder, plan_files};
pub use seal::{STORE, ShardInfo, ShardStage, break_seal, seal};
pub use trial::{PresetCost, measure};
pub use verdicts::seal_audit;

use crate::disk;
use crate::jobs::folder_lock::FolderLock;
use crate::jobs::shard::Shard;
use crate::store::Store;
use seal::{SealedShard, check_same_bake};

/// Result of a merge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merged {
    /// Stage of the shards.
    pub stage: ShardStage,
    /// Number of results after the merge: presets with a verdict, presets in the index of frames, or
    /// embeddings.
    pub results: usize,
    /// Number of presets of the merged shards that have no result.
    pub pending: usize,
    /// Shards that none of the folders contains.
    pub missing: Vec<Shard>,
    /// Shards that were ended by a limit on time or presets.
    pub unfinished: Vec<Shard>,
}

impl Merged {
    /// Returns whether every shard was merged, and was finished.
    pub fn is_complete(&self) -> bool {
        self.missing.is_empty() && self.unfinished.is_empty()
    }
}

/// Merges sealed shards of one stage into `out`, in any order and any number of times. Verdicts are saved in
/// `store`, and the audit of `libraries` is written to `out`; if `libraries` is empty, the libraries named by
/// the first shard are used. Fails if `out` contains files that are not from a bake. Shards of another bake than those
/// merged into `out` before are accepted only if they are complete, because they then replace the earlier ones.
pub fn merge(
    folders: &[PathBuf],
    out: &Path,
    libraries: &[PathBuf],
    store: impl FnOnce() -> anyhow::Result<Store>,
) -> anyhow::Result<Merged> {
    let mut shards = folders.iter().map(|folder| SealedShard::open(folder)).collect::<Result<Vec<_>, _>>()?;
    // If the same shard is in two folders, the finished one counts.
    shards.sort_by_key(|shard| (shard.info.shard.index(), !shard.info.finished));
    let first = shards.first().ok_or(ShardError::NoShards)?;
    for shard in &shards {
        check_same_bake(&shard.folder, &shard.info, &first.folder, &first.info)?;
    }
    let info = first.info.clone();
    let (stage, count) = (info.stage, info.shard.count());
    let has = |index: u32| shards.iter().any(|shard| shard.info.shard.index() == index);
    let missing: Vec<Shard> =
        (0..count).filter(|&index| !has(index)).filter_map(|index| Shard::new(index, count)).collect();
    let mut distinct: Vec<&ShardInfo> = shards.iter().map(|shard| &shard.info).collect();
    distinct.dedup_by_key(|info| info.shard.index());
    let unfinished = distinct.iter().filter(|info| !info.finished).map(|info| info.shard).collect();
    let pending = distinct.iter().map(|info| info.presets.saturating_sub(info.done)).sum();
    let mut merged = Merged { stage, results: 0, pending, missing, unfinished };
    let _lock = FolderLock::take_output(out)?;
    let record = out.join(format!("merged-{stage}.json"));
    if !merged.is_complete() && record.exists() {
        check_same_bake(&first.folder, &info, out, &disk::read_json(&record)?)?;
    }
    merged.results = match stage {
        ShardStage::Audit => verdicts::merge(&shards, out, libraries, store()?)?,
        ShardStage::Frames => frames::merge(&shards, out)?,
        ShardStage::Embed => rows::merge(&shards, out)?,
    };
    disk::write_json(&record, &info)?;
    Ok(merged)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seals an empty shard of frames in a folder named `name`, and returns the folder.
    fn sealed(root: &Path, name: &str, index: u32, settings: &str, finished: bool) -> PathBuf {
        let folder = root.join(name);
        std::fs::create_dir(&folder).expect("made");
        let shard = Shard::new(index, 2).expect("valid");
        let info = ShardInfo::new(ShardStage::Frames, shard, settings.into(), [1, 1], finished);
        seal(&folder, &info).expect("sealed");
        folder
    }

    fn merged(folders: &[&PathBuf], out: &Path) -> anyhow::Result<Merged> {
        let folders: Vec<PathBuf> = folders.iter().map(|folder| (*folder).clone()).collect();
        merge(&folders, out, &[], || anyhow::bail!("frames need no store"))
    }

    #[test]
    fn shards_of_another_bake_are_merged_into_the_same_folder_only_if_they_are_complete() {
        let root = tempfile::tempdir().expect("a folder");
        let out = root.path().join("out");
        let folder = |name: &str, index, settings| sealed(root.path(), name, index, settings, true);
        let old = [folder("0", 0, "old"), folder("1", 1, "old")];
        let new = [folder("2", 0, "new"), folder("3", 1, "new")];
        assert_eq!(merged(&[&old[0]], &out).expect("merged").missing, [Shard::new(1, 2).expect("valid")]);
        let refused = merged(&[&new[1]], &out).expect_err("a mixture").to_string();
        assert!(refused.contains("found new, expected old"), "{refused}");
        assert!(merged(&[&old[1]], &out).is_ok());
        assert!(merged(&[&new[0], &new[1]], &out).expect("replaces the old ones").is_complete());
        assert!(merged(&[&old[1]], &out).is_err());
    }

    #[test]
    fn unfinished_shards_are_named_unless_there_is_a_finished_copy() {
        let root = tempfile::tempdir().expect("a folder");
        let out = root.path().join("out");
        let folder = |name: &str, index, finished| sealed(root.path(), name, index, "settings", finished);
        let (zero, part, one) = (folder("0", 0, true), folder("1a", 1, false), folder("1b", 1, true));
        let result = merged(&[&zero, &part], &out).expect("merged");
        assert_eq!(result.unfinished, [Shard::new(1, 2).expect("valid")]);
        assert!(!result.is_complete());
        assert!(merged(&[&zero, &part, &one], &out).expect("merged").is_complete());
    }
}
