//! The seal of a shard: `shard.json`, and `SHA256SUMS` in the format of `sha256sum`.

use std::collections::BTreeMap;
use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::ShardError;
use crate::audit::judged_by;
use crate::disk::{self, FileKind, limit};
use crate::jobs::shard::Shard;

/// File name of the description of a shard.
const INFO: &str = "shard.json";
/// File name of the hashes of a shard's files, in the format of `sha256sum`.
const SUMS: &str = "SHA256SUMS";
/// Name of the audit's store folder, within the shard's folder.
pub const STORE: &str = "store";
/// Names of the files and folders that are excluded from the seal.
const PRIVATE: [&str; 4] = [SUMS, ".aivj-bake.lock", STORE, "overnight.log"];

/// A stage that can be sharded, because it processes each preset separately.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ShardStage {
    /// The stage of `aivj bake audit`.
    Audit,
    /// The stage of `aivj bake frames`.
    Frames,
    /// The stage of `aivj bake embed`.
    Embed,
}

impl fmt::Display for ShardStage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Audit => "audit",
            Self::Frames => "frames",
            Self::Embed => "embed",
        })
    }
}

/// Description of a shard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShardInfo {
    /// Stage that was run.
    pub stage: ShardStage,
    /// Part of the library that was processed.
    pub shard: Shard,
    /// Version of the program and, if the stage draws presets, the graphics driver and the version of the audit
    /// method.
    pub engine: String,
    /// Fingerprint of everything that affects the results.
    pub settings: String,
    /// Number of presets in the shard.
    pub presets: usize,
    /// Number of presets with a result.
    pub done: usize,
    /// Whether every preset was attempted; false if a limit on time or presets ended the stage.
    #[serde(default)]
    pub finished: bool,
}

impl ShardInfo {
    /// Builds the description of a shard of `presets` presets that this version of the program has processed, `done`
    /// of them with a result.
    pub fn new(
        stage: ShardStage,
        shard: Shard,
        settings: String,
        [done, presets]: [usize; 2],
        finished: bool,
    ) -> Self {
        let engine = match stage {
            ShardStage::Audit | ShardStage::Frames => judged_by(),
            ShardStage::Embed => format!("aivj {}", env!("CARGO_PKG_VERSION")),
        };
        Self { stage, shard, engine, settings, presets, done, finished }
    }
}

/// Removes the seal of a shard's folder, before work in it starts or resumes.
pub fn break_seal(folder: &Path) -> Result<(), ShardError> {
    let path = folder.join(SUMS);
    disk::remove_if_exists(&path).map_err(|error| ShardError::file(&path, &error))
}

/// Seals a folder: writes the description of the shard, then the hashes of all files.
pub fn seal(folder: &Path, info: &ShardInfo) -> Result<(), ShardError> {
    let path = folder.join(INFO);
    disk::write_json(&path, info).map_err(|error| ShardError::file(&path, &error.why))?;
    let mut sums = String::new();
    for (name, path) in files_below(folder)? {
        let hash = disk::sha256(&path).map_err(|error| ShardError::file(&path, &error))?;
        sums += &format!("{hash}  {name}\n");
    }
    let path = folder.join(SUMS);
    disk::write(&path, sums.as_bytes()).map_err(|error| ShardError::file(&path, &error.why))
}

/// Returns the files to seal, by their path below the folder with forward slashes. Links and special files
/// are skipped.
fn files_below(folder: &Path) -> Result<BTreeMap<String, PathBuf>, ShardError> {
    let mut found = BTreeMap::new();
    let mut open = vec![(String::new(), folder.to_owned())];
    while let Some((prefix, folder)) = open.pop() {
        for item in disk::list(&folder).map_err(|error| ShardError::file(&folder, &error))? {
            let name = item.name.to_string_lossy();
            let below = format!("{prefix}{name}");
            if prefix.is_empty() && PRIVATE.contains(&&*name) {
                continue;
            }
            match item.kind {
                Some(FileKind::Regular) => drop(found.insert(below, folder.join(&item.name))),
                Some(FileKind::Folder) => open.push((below + "/", folder.join(&item.name))),
                Some(FileKind::Special(_)) | None => {}
            }
        }
    }
    Ok(found)
}

/// A shard whose files all match their hashes.
pub(super) struct SealedShard {
    pub folder: PathBuf,
    pub info: ShardInfo,
    /// Files of the shard, relative to the folder, with forward slashes, and their hashes.
    pub files: Vec<(String, String)>,
}

impl SealedShard {
    /// Opens a shard and verifies every file.
    pub fn open(folder: &Path) -> Result<Self, ShardError> {
        let path = folder.join(SUMS);
        let sums = match disk::read_text(&path, limit::LIST) {
            Ok(sums) => sums,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(ShardError::NotSealed { folder: folder.to_owned() });
            }
            Err(error) => return Err(ShardError::file(path, &error)),
        };
        let torn = |file: &str, problem| ShardError::Damaged {
            folder: folder.to_owned(),
            file: file.into(),
            problem,
        };
        let mut files = Vec::new();
        for line in sums.lines() {
            let (expected, name) = line.split_once("  ").ok_or_else(|| torn(SUMS, "damaged"))?;
            // A bake never writes a name that points outside the folder.
            if Path::new(name).components().any(|part| !matches!(part, std::path::Component::Normal(_))) {
                return Err(torn(SUMS, "damaged"));
            }
            let path = folder.join(name);
            match disk::sha256(&path) {
                Ok(found) if found == expected => files.push((name.to_owned(), found)),
                Ok(_) => return Err(torn(name, "damaged")),
                Err(error) if error.kind() == ErrorKind::NotFound => return Err(torn(name, "missing")),
                Err(error) => return Err(ShardError::file(path, &error)),
            }
        }
        if !files.iter().any(|(name, _)| name == INFO) {
            return Err(torn(SUMS, "damaged"));
        }
        let path = folder.join(INFO);
        let bytes = disk::read(&path, limit::TEXT).map_err(|error| ShardError::file(&path, &error))?;
        let info = serde_json::from_slice(&bytes).map_err(|error| ShardError::file(&path, &error))?;
        Ok(Self { folder: folder.to_owned(), info, files })
    }
}

/// Checks that a folder, described by `found`, is part of the same bake as the folder `other`, described by
/// `expected`.
pub(super) fn check_same_bake(
    folder: &Path,
    found: &ShardInfo,
    other: &Path,
    expected: &ShardInfo,
) -> Result<(), ShardError> {
    let pairs = [
        ("stage", expected.stage.to_string(), found.stage.to_string()),
        ("version of aivj or graphics driver", expected.engine.clone(), found.engine.clone()),
        ("number of shards", expected.shard.count().to_string(), found.shard.count().to_string()),
        ("setting or model", expected.settings.clone(), found.settings.clone()),
    ];
    match pairs.into_iter().find(|(_, expected, found)| expected != found) {
        None => Ok(()),
        Some((what, expected, found)) => Err(ShardError::Mismatch {
            folder: folder.to_owned(),
            other: other.to_owned(),
            what,
            found,
            expected,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(index: u32) -> (tempfile::TempDir, ShardInfo) {
        let folder = tempfile::tempdir().expect("a folder");
        let shard = Shard::new(index, 3).expect("valid");
        let info = ShardInfo::new(ShardStage::Frames, shard, "settings".into(), [2, 2], true);
        std::fs::create_dir_all(folder.path().join("frames/01")).expect("made");
        std::fs::write(folder.path().join("frames/01/0.webp"), b"picture").expect("written");
        seal(folder.path(), &info).expect("sealed");
        (folder, info)
    }

    #[test]
    fn the_error_about_an_incomplete_copy_names_the_file() {
        let (folder, info) = sealed(0);
        let opened = SealedShard::open(folder.path()).expect("opened");
        let names: Vec<String> = opened.files.into_iter().map(|(name, _)| name).collect();
        assert_eq!((opened.info, names), (info, vec!["frames/01/0.webp".into(), INFO.into()]));
        let picture = folder.path().join("frames/01/0.webp");
        let error = |folder: &Path| SealedShard::open(folder).err().expect("refused").to_string();
        std::fs::write(&picture, b"pict").expect("written");
        assert!(error(folder.path()).contains("frames/01/0.webp is damaged"));
        std::fs::remove_file(&picture).expect("removed");
        assert!(error(folder.path()).contains("frames/01/0.webp is missing"));
        break_seal(folder.path()).expect("removed");
        assert!(error(folder.path()).contains("not a finished shard"));
    }

    #[test]
    fn hashes_never_name_files_outside_the_folder() {
        let (folder, _) = sealed(0);
        std::fs::write(folder.path().join(SUMS), "00  ../secret\n").expect("written");
        assert!(matches!(SealedShard::open(folder.path()), Err(ShardError::Damaged { .. })));
    }

    #[test]
    fn shards_of_other_settings_are_refused_with_the_reason() {
        let ((one, expected), (two, info)) = (sealed(0), sealed(1));
        let check = |found: &ShardInfo| check_same_bake(two.path(), found, one.path(), &expected);
        check(&info).expect("parts of one bake");
        let other = |change: fn(&mut ShardInfo)| {
            let mut found = info.clone();
            change(&mut found);
            check(&found).expect_err("refused").to_string()
        };
        assert!(
            other(|found| found.engine += "2").contains("a different version of aivj or graphics driver")
        );
        let error = other(|found| found.settings = "other".into());
        assert!(
            error.contains("a different setting or model")
                && error.contains("found other, expected settings"),
            "{error}"
        );
    }
}
