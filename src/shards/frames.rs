//! Frames of shards: copies their pictures and merges their indexes.

use std::collections::BTreeMap;
use std::path::Path;

use super::ShardError;
use super::seal::{SealedShard, hash};
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

/// Copies those files of a shard that `wanted` accepts and of which `out` has no intact copy; each copy is atomic.
pub(super) fn copy_files(
    shard: &SealedShard,
    out: &Path,
    wanted: impl Fn(&str) -> bool,
) -> Result<(), ShardError> {
    let folder = Folder::create(out).map_err(|error| ShardError::file(out, &error))?;
    for (name, expected) in shard.files.iter().filter(|(name, _)| wanted(name)) {
        let (from, to) = (shard.folder.join(name), out.join(name));
        let mut file = Input::open(&from, limit::STREAM).map_err(|error| ShardError::file(&from, &error))?;
        let same_length = std::fs::metadata(&to).is_ok_and(|metadata| metadata.len() == file.length());
        if same_length && hash(&to).is_ok_and(|found| found == *expected) {
            continue;
        }
        folder
            .replace(Path::new(name), |out| std::io::copy(&mut file, out).map(drop))
            .map_err(|error| ShardError::file(&to, &error))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::shard::Shard;
    use crate::shards::seal::{ShardInfo, ShardStage, seal};

    #[test]
    fn a_damaged_copy_of_the_same_length_is_replaced_and_an_intact_one_is_not() {
        let (folder, out) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        let name = "frames/01/0.webp";
        std::fs::create_dir_all(folder.path().join("frames/01")).expect("made");
        std::fs::write(folder.path().join(name), "picture").expect("written");
        let part = Shard::new(0, 3).expect("valid");
        let info = ShardInfo::new(ShardStage::Frames, part, "settings".into(), 1, 1);
        seal(folder.path(), &info).expect("sealed");
        let shard = SealedShard::open(folder.path()).expect("opened");
        let copy = || copy_files(&shard, out.path(), |name| name.starts_with(FRAMES)).expect("copied");
        let copied = out.path().join(name);
        copy();
        std::fs::write(&copied, "damaged").expect("written");
        copy();
        assert_eq!(std::fs::read_to_string(&copied).expect("there"), "picture");
        let old = std::time::SystemTime::UNIX_EPOCH;
        let file = std::fs::File::options().write(true).open(&copied).expect("opened");
        file.set_modified(old).expect("a time");
        copy();
        assert_eq!(std::fs::metadata(&copied).and_then(|there| there.modified()).expect("a time"), old);
    }
}
