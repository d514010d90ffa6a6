//! Frames of shards: seals their folders, copies their pictures and merges their indexes.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use super::ShardError;
use super::fingerprint::of_textures;
use super::seal::{SealedShard, ShardInfo, ShardStage, seal};
use crate::disk::{self, Folder, Input, limit};
use crate::facts::PresetId;
use crate::frames::{self, BakeItem, CaptureSettings, FrameEntry, IndexWriter};
use crate::jobs::shard::Shard;

/// Folder of the frames within a pack.
const FRAMES: &str = "frames/";

/// Seals the folder of one shard of frames, in which `done` of the presets `items` have a result; `finished` is
/// whether all were attempted. Entries of presets that have left the shard, because they were edited or deleted, are
/// removed from the index.
pub fn seal_frames(
    out: &Path,
    shard: Shard,
    items: &[BakeItem],
    settings: &CaptureSettings,
    done: usize,
    finished: bool,
) -> anyhow::Result<ShardInfo> {
    let known = frames::entries_of(items, out);
    let current: BTreeMap<&str, &FrameEntry> =
        items.iter().filter_map(|item| Some((item.id.as_str(), known.get(&item.id)?))).collect();
    frames::replace_index(out, current.into_values())?;
    let textures = of_textures(&settings.textures);
    let settings = format!("{}, method {}, textures {textures}", settings.name(), frames::METHOD);
    let info = ShardInfo::new(ShardStage::Frames, shard, settings, [done, items.len()], finished);
    seal(out, &info)?;
    Ok(info)
}

/// Copies the frames of all shards to `out` and adds their entries to the index in `out`, in order of preset
/// ID. Returns the number of presets in the index.
pub(super) fn merge(shards: &[SealedShard], out: &Path) -> Result<usize, ShardError> {
    let mut entries: BTreeMap<String, (FrameEntry, &SealedShard)> = BTreeMap::new();
    for shard in shards {
        for (id, entry) in frames::read(&shard.folder) {
            if !belongs(&entry, shard.info.shard) {
                continue; // The preset was edited while the shard was being baked.
            }
            match entries.get(&id) {
                Some((known, other)) if known.content != entry.content && known.is_ok() && entry.is_ok() => {
                    return Err(ShardError::Conflict {
                        folder: shard.folder.clone(),
                        other: other.folder.clone(),
                        preset: id,
                    });
                }
                // A success replaces a failure.
                Some((known, _)) if known.is_ok() || !entry.is_ok() => {}
                _ => drop(entries.insert(id, (entry, shard))),
            }
        }
    }
    for shard in shards {
        let of_shard = entries.values().filter(|(_, from)| from.folder == shard.folder);
        let wanted: HashSet<&str> = of_shard
            .flat_map(|(entry, _)| entry.frames.iter().chain(&entry.clip))
            .map(String::as_str)
            .collect();
        copy_files(shard, out, |name| name.starts_with(FRAMES) && wanted.contains(name))?;
    }
    let mut known = frames::read(out);
    let mut index = IndexWriter::open(out).map_err(|error| ShardError::file(out, &error))?;
    for (id, (entry, _)) in entries {
        if known.get(&id) != Some(&entry) {
            index.append(&entry).map_err(|error| ShardError::file(out, &error))?;
            known.insert(id, entry);
        }
    }
    Ok(known.len())
}

/// Returns whether the preset that was rendered for `entry` is in `shard`; true if its content is unknown.
fn belongs(entry: &FrameEntry, shard: Shard) -> bool {
    let content = entry.content.as_ref().and_then(|content| content.parse::<PresetId>().ok());
    content.is_none_or(|content| shard.contains(content))
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
        if same_length && disk::sha256(&to).is_ok_and(|found| found == *expected) {
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

    /// Returns a preset of shard `index` of two.
    fn preset(index: u32) -> Vec<u8> {
        let part = Shard::new(index, 2).expect("valid");
        let mut texts = (0..).map(|number| format!("zoom={number}").into_bytes());
        texts.find(|text| part.contains(PresetId::of(text))).expect("a preset of each shard")
    }

    /// Writes the frames of a version of the preset `a.milk`.
    fn render(folder: &Path, bytes: &[u8]) {
        let name = "frames/01/0.webp";
        std::fs::create_dir_all(folder.join("frames/01")).expect("made");
        std::fs::write(folder.join(name), bytes).expect("written");
        let entry = FrameEntry {
            preset_id: "a.milk".into(),
            content: Some(PresetId::of(bytes).to_string()),
            frames: vec![name.into()],
            ..FrameEntry::default()
        };
        IndexWriter::open(folder).expect("open").append(&entry).expect("written");
    }

    #[test]
    fn an_edited_preset_leaves_its_old_shard_when_that_is_run_again() {
        let root = tempfile::tempdir().expect("a folder");
        let library = root.path().join("library");
        std::fs::create_dir(&library).expect("made");
        let shards = [0, 1].map(|index| Shard::new(index, 2).expect("valid"));
        let folders = [0, 1].map(|index| root.path().join(index.to_string()));
        let out = root.path().join("out");
        // Shard 1 is baked first, then the preset is edited, which moves it to shard 0.
        for index in [1, 0] {
            std::fs::write(library.join("a.milk"), preset(index)).expect("written");
            render(&folders[index as usize], &preset(index));
            seal_all(&library, shards, &folders, index);
        }
        let opened = || [0, 1].map(|index| SealedShard::open(&folders[index]).expect("opened"));
        let error = merge(&opened(), &out).expect_err("two versions").to_string();
        assert!(error.contains("a.milk: ") && error.contains("run both shards again"), "{error}");
        assert!(!out.exists(), "nothing is copied");
        seal_all(&library, shards, &folders, 1);
        assert_eq!(merge(&opened(), &out).expect("merged"), 1);
        assert_eq!(std::fs::read(out.join("frames/01/0.webp")).expect("copied"), preset(0));
    }

    /// Seals shard `index` with those presets of the library that are in it.
    fn seal_all(library: &Path, shards: [Shard; 2], folders: &[std::path::PathBuf; 2], index: u32) {
        let (shard, folder) = (shards[index as usize], &folders[index as usize]);
        let items = frames::items_of_shard(frames::items_in(library, None).expect("presets"), shard);
        seal_frames(folder, shard, &items, &CaptureSettings::default(), items.len(), true).expect("sealed");
    }

    #[test]
    fn the_frames_of_a_preset_that_was_edited_while_its_shard_was_baked_are_skipped() {
        let (folder, out) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        render(folder.path(), &preset(1));
        let part = Shard::new(0, 2).expect("valid");
        seal(folder.path(), &ShardInfo::new(ShardStage::Frames, part, "settings".into(), [1, 1], true))
            .expect("sealed");
        let shard = SealedShard::open(folder.path()).expect("opened");
        assert_eq!(merge(&[shard], out.path()).expect("merged"), 0);
        assert!(!out.path().join("frames").exists(), "nothing is copied");
    }

    #[test]
    fn a_damaged_copy_of_the_same_length_is_replaced_and_an_intact_one_is_not() {
        let (folder, out) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        let name = "frames/01/0.webp";
        std::fs::create_dir_all(folder.path().join("frames/01")).expect("made");
        std::fs::write(folder.path().join(name), "picture").expect("written");
        let part = Shard::new(0, 3).expect("valid");
        let info = ShardInfo::new(ShardStage::Frames, part, "settings".into(), [1, 1], true);
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
