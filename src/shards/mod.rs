//! Bakes on several computers: each works on one shard in its own folder, and `merge` combines the folders.
//!
//! A finished shard is sealed: `shard.json` describes it, and `SHA256SUMS` contains the hash of every file,
//! so that a merge detects an incomplete copy. A shard that is restarted loses its seal until it is finished
//! again.

mod error;
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

use crate::jobs::folder_lock::FolderLock;
use crate::jobs::shard::Shard;
use crate::store::Store;
use seal::SealedShard;

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
}

/// Merges sealed shards of one stage into `out`, in any order and any number of times. Verdicts are saved in
/// `store`, and the audit of `libraries` is written to `out`; if `libraries` is empty, the libraries named by
/// the first shard are used. Fails if `out` contains files that are not from a bake.
pub fn merge(
    folders: &[PathBuf],
    out: &Path,
    libraries: &[PathBuf],
    store: impl FnOnce() -> anyhow::Result<Store>,
) -> anyhow::Result<Merged> {
    let mut shards = folders.iter().map(|folder| SealedShard::open(folder)).collect::<Result<Vec<_>, _>>()?;
    shards.sort_by_key(|shard| shard.info.shard.index());
    let first = shards.first().ok_or(ShardError::NoShards)?;
    for shard in &shards {
        first.check_same_work(shard)?;
    }
    let (stage, count) = (first.info.stage, first.info.shard.count());
    let has = |index: u32| shards.iter().any(|shard| shard.info.shard.index() == index);
    let missing: Vec<Shard> =
        (0..count).filter(|&index| !has(index)).filter_map(|index| Shard::new(index, count)).collect();
    let _lock = FolderLock::take_output(out)?;
    let results = match stage {
        ShardStage::Audit => verdicts::merge(&shards, out, libraries, store()?)?,
        ShardStage::Frames => frames::merge(&shards, out)?,
        ShardStage::Embed => rows::merge(&shards, out)?,
    };
    // The same shard in two folders counts once.
    shards.dedup_by_key(|shard| shard.info.shard.index());
    let pending = shards.iter().map(|shard| shard.info.presets.saturating_sub(shard.info.done)).sum();
    Ok(Merged { stage, results, pending, missing })
}
