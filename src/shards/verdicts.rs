//! Verdicts of a shard: `verdicts.jsonl`, with one verdict of the store per line.

use std::collections::BTreeMap;
use std::io::{BufRead as _, Write as _};
use std::path::{Path, PathBuf};

use super::ShardError;
use super::fingerprint::of_textures;
use super::seal::{SealedShard, ShardInfo, ShardStage, seal};
use crate::audit::{self, AuditPlan, read_run};
use crate::disk::{self, Input, limit};
use crate::facts::PresetId;
use crate::jobs::shard::Shard;
use crate::store::Store;
use crate::store::VerdictRow;

const VERDICTS: &str = "verdicts.jsonl";
/// Folder of the thumbnails, within the audit's folder.
const THUMBS: &str = "thumbs";

/// Writes the verdicts of one shard from `store` to its audit folder `out`, and seals the folder. `textures` are the
/// texture folders of the audit; `finished` is whether it attempted every preset.
pub fn seal_audit(
    out: &Path,
    shard: Shard,
    store: &Store,
    textures: &[PathBuf],
    finished: bool,
) -> anyhow::Result<ShardInfo> {
    let run = read_run(out)?;
    let plan = AuditPlan::last(store, run.libraries.into_iter().map(|root| root.0))?;
    let presets = plan.each_preset().filter(|file| shard.contains(file.id)).count();
    let mut done = 0;
    let path = out.join(VERDICTS);
    disk::replace(&path, |file| {
        let mut failed = Ok(());
        let read = store.each_verdict(&run.recipe, |row| {
            if shard.contains(row.id) && plan.has(row.id) && failed.is_ok() {
                done += 1;
                let line = serde_json::to_string(&row).map_err(std::io::Error::from);
                failed = line.and_then(|line| writeln!(file, "{line}"));
            }
        });
        read.map_err(std::io::Error::other).and(failed)
    })?;
    let gates = serde_json::to_string(&run.gates)?;
    let settings = format!("{}, thresholds {gates}, textures {}", run.recipe, of_textures(textures));
    let info = ShardInfo::new(ShardStage::Audit, shard, settings, [done, presets], finished);
    seal(out, &info)?;
    Ok(info)
}

/// Saves the verdicts of all shards in `store`, then writes the reports of the libraries to `out`. Returns
/// the number of presets in the libraries that have a verdict.
pub(super) fn merge(
    shards: &[SealedShard],
    out: &Path,
    libraries: &[PathBuf],
    store: Store,
) -> anyhow::Result<usize> {
    let mut newest: BTreeMap<PresetId, VerdictRow> = BTreeMap::new();
    for shard in shards {
        for row in rows(shard)? {
            match newest.get(&row.id) {
                Some(known) if known.at >= row.at => {}
                _ => drop(newest.insert(row.id, row)),
            }
        }
        super::frames::copy_files(shard, out, |name| name.starts_with(THUMBS))?;
    }
    let run = read_run(&shards[0].folder)?;
    let named: Vec<PathBuf> = match libraries {
        [] => run.libraries.iter().map(|root| root.0.clone()).collect(),
        _ => libraries.to_vec(),
    };
    let verdicts: Vec<VerdictRow> = newest.into_values().collect();
    audit::import(out, &named, &run, store, &verdicts)
}

fn rows(shard: &SealedShard) -> Result<Vec<VerdictRow>, ShardError> {
    let path = shard.folder.join(VERDICTS);
    let failed = |why: &dyn std::fmt::Display| ShardError::file(&path, &why);
    let file = Input::open(&path, limit::STREAM).map_err(|error| failed(&error))?;
    let mut rows = Vec::new();
    for line in file.lines() {
        let line = line.map_err(|error| failed(&error))?;
        rows.push(serde_json::from_str(&line).map_err(|error| failed(&error))?);
    }
    Ok(rows)
}
