//! Frames of shards: copies their pictures and merges their indexes.

use std::collections::BTreeMap;
use std::path::Path;

use super::ShardError;
use super::seal::SealedShard;
use crate::disk::{Folder, Input, limit};
use crate::frames::{self, FrameEntry, IndexWriter};

/// Folder of the frames within a pack.
const FRAMES: &str = "frames/";

/// Copies the frames of all shards to `out` and adds their entries to the index in `out`, in order of preset
/// ID. Returns the number of presets in the index.
pub(super) fn merge(shards: &[SealedShard], out: &Path) -> Result<usize, ShardError> {
    let mut entries: BTreeMap<String, FrameEntry> = BTreeMap::new();
    for shard in shards {
        copy_files(shard, out, |name| name.starts_with(FRAMES))?;
        for (id, entry) in frames::read(&shard.folder) {
            match entries.get(&id) {
                Some(known) if known.content != entry.content && known.is_ok() && entry.is_ok() => {
                    return Err(ShardError::Conflict { folder: shard.folder.clone(), preset: id });
                }
                // A success replaces a failure.
                Some(known) if known.is_ok() || !entry.is_ok() => {}
                _ => drop(entries.insert(id, entry)),
            }
        }
    }
    let mut known = frames::read(out);
    let mut index = IndexWriter::open(out).map_err(|error| ShardError::file(out, &error))?;
    for (id, entry) in entries {
        if known.get(&id) != Some(&entry) {
            index.append(&entry).map_err(|error| ShardError::file(out, &error))?;
            known.insert(id, entry);
        }
    }
    Ok(known.len())
}

/// Copies those files of a shard that `wanted` accepts and that are missing in `out` or differ in size; each
/// copy is atomic.
pub(super) fn copy_files(
    shard: &SealedShard,
    out: &Path,
    wanted: impl Fn(&str) -> bool,
) -> Result<(), ShardError> {
    let folder = Folder::create(out).map_err(|error| ShardError::file(out, &error))?;
    for name in shard.files.iter().filter(|name| wanted(name)) {
        let (from, to) = (shard.folder.join(name), out.join(name));
        let length = |path: &Path| std::fs::metadata(path).ok().map(|metadata| metadata.len());
        if length(&from) == length(&to) {
            continue;
        }
        let mut file = Input::open(&from, limit::STREAM).map_err(|error| ShardError::file(&from, &error))?;
        folder
            .replace(Path::new(name), |out| std::io::copy(&mut file, out).map(drop))
            .map_err(|error| ShardError::file(&to, &error))?;
    }
    Ok(())
}
