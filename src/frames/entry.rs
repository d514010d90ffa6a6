//! Lines of `frames-index.jsonl`, one per attempt to render a preset.

use std::collections::{HashMap, HashSet};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha1::{Digest as _, Sha1};

use super::error::FramesError;
use crate::audit::probe::Look;
use crate::disk::{self, Folder, Input, limit};

/// File name of the index, in the pack's folder.
pub const INDEX: &str = "frames-index.jsonl";

/// One attempt to render a preset.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FrameEntry {
    /// Format version, `v0`.
    #[serde(deserialize_with = "disk::lenient")]
    pub version: String,
    /// Time of the attempt, ISO 8601.
    #[serde(deserialize_with = "disk::lenient")]
    pub at: String,
    /// ID of the preset: the one in the library's manifest, otherwise its path within the library.
    #[serde(deserialize_with = "disk::lenient")]
    pub preset_id: String,
    /// Path from the library's manifest, otherwise the path within the library.
    #[serde(deserialize_with = "disk::lenient")]
    pub rel_path: String,
    /// Path of the preset file when it was rendered.
    #[serde(deserialize_with = "disk::lenient")]
    pub file_path: String,
    /// `ok` or `failed`; a missing status counts as `ok`.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "disk::lenient")]
    pub status: Option<String>,
    /// Hash of the preset ID, which names the folder of its frames.
    #[serde(deserialize_with = "disk::lenient")]
    pub id_hash: String,
    /// Paths of the frames, relative to the pack's folder with forward slashes.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "disk::lenient")]
    pub frames: Vec<String>,
    /// Path of the clip, if one was saved, relative to the pack's folder with forward slashes.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "disk::lenient")]
    pub clip: Option<String>,
    /// Reason codes of a failure.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "disk::lenient")]
    pub reasons: Vec<String>,
    /// Error message of a failure, if there is one.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "disk::lenient")]
    pub error_text: Option<String>,
    /// Measurements of the frames.
    #[serde(deserialize_with = "disk::lenient")]
    pub metrics: FrameMetrics,
    /// Fingerprint of the capture settings; `None` in entries written by other programs.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "disk::lenient")]
    pub capture: Option<String>,
    /// Content ID of the rendered preset, to detect another preset under the same name; `None` if unknown.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "disk::lenient")]
    pub content: Option<String>,
    /// Total size of the frames in bytes, to detect truncated files; `None` if unknown.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "disk::lenient")]
    pub bytes: Option<u64>,
}

/// How strongly a preset reacts to each frequency band: motion added by that band alone, from 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BandResponse {
    /// Low band: kick and bass.
    pub low: f32,
    /// Mid band: vocals and synths.
    pub mid: f32,
    /// High band: hats and noise.
    pub high: f32,
}

/// The frequency band that changes the picture most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BandClass {
    /// Kick and bass.
    Low,
    /// Vocals and synths.
    Mid,
    /// Hats and noise.
    High,
    /// No band stands out.
    Flat,
}

impl BandClass {
    /// Returns the name used in files.
    pub fn label(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Mid => "mid",
            Self::High => "high",
            Self::Flat => "flat",
        }
    }
}

impl From<&Look> for BandResponse {
    fn from(look: &Look) -> Self {
        let [low, mid, high] = look.reaction.map(|reaction| reaction as f32);
        Self { low, mid, high }
    }
}

impl BandResponse {
    /// Added motion, from 0 to 1, below which a band is considered to have no effect.
    const MIN_CHANGE: f32 = 1e-4;
    /// Minimum ratio of the strongest band to the mean of all three.
    const MIN_RATIO: f32 = 1.25;

    /// Returns the band that changes the picture most.
    pub fn class(&self) -> BandClass {
        let Self { low, mid, high } = *self;
        let most = low.max(mid).max(high);
        let mean = (low + mid + high) / 3.0;
        if most < Self::MIN_CHANGE || most < Self::MIN_RATIO * mean {
            BandClass::Flat
        } else if most == low {
            BandClass::Low
        } else if most == mid {
            BandClass::Mid
        } else {
            BandClass::High
        }
    }
}

/// Measurements of a preset's frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FrameMetrics {
    /// Mean luma of the saved frames, from 0 to 1; `None` if unknown.
    #[serde(deserialize_with = "disk::lenient")]
    pub avg_luma: Option<f32>,
    /// Mean change in luma between consecutive frames: the last warm-up frame and the saved frames. From 0 to 1; `None`
    /// if unknown.
    #[serde(deserialize_with = "disk::lenient")]
    pub motion: Option<f32>,
    /// Response to each frequency band; `None` if the preset has not been audited.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "disk::lenient")]
    pub band_response: Option<BandResponse>,
    /// The band that changes the picture most; `None` if the preset has not been audited.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "disk::lenient")]
    pub band_class: Option<BandClass>,
}

impl FrameMetrics {
    /// Returns a copy of the measurements with the band response `bands` from an audit.
    pub fn with_bands(&self, bands: BandResponse) -> Self {
        Self { band_response: Some(bands), band_class: Some(bands.class()), ..*self }
    }
}

impl FrameEntry {
    /// Returns the names of the preset that are known: its ID, its path and the path of its file.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        [&self.preset_id, &self.rel_path, &self.file_path]
            .into_iter()
            .map(String::as_str)
            .filter(|name| !name.is_empty())
    }

    /// Returns whether another program wrote the entry.
    pub fn is_foreign(&self) -> bool {
        self.capture.is_none()
    }

    /// Returns whether the attempt succeeded.
    pub fn is_ok(&self) -> bool {
        self.status.as_deref().is_none_or(|status| status == "ok")
    }
}

/// Returns the first 16 hexadecimal digits of the SHA-1 hash of a preset's ID.
pub fn id_hash(id: &str) -> String {
    Sha1::digest(id.as_bytes()).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Returns the folder of a preset's frames, relative to the pack's folder, such as
/// `frames/01/23/0123456789abcdef`.
pub fn folder_of(hash: &str) -> String {
    format!("frames/{}/{}/{hash}", &hash[..2], &hash[2..4])
}

/// Reads the index and returns the last entry of every preset, by ID or, without one, by path. Unreadable lines, such
/// as one truncated by a crash, are skipped.
pub fn read(folder: &Path) -> HashMap<String, FrameEntry> {
    let (path, mut entries) = (folder.join(INDEX), HashMap::new());
    let read = disk::each_line(&path, |line| {
        if let Ok(entry) = serde_json::from_str::<FrameEntry>(line) {
            let name = entry.names().next().map(str::to_owned);
            name.map(|name| entries.insert(name, entry));
        }
    });
    match read {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            log::warn!("cannot read all of {}: {error}", path.display());
        }
        _ => {}
    }
    entries
}

/// Removes the lines that later lines supersede from the index, if they are the majority.
pub fn compact(folder: &Path) -> Result<(), FramesError> {
    let path = folder.join(INDEX);
    let failed = |error: std::io::Error| FramesError::Index { path: path.clone(), error };
    let (mut last, mut lines) = (HashMap::new(), 0);
    let read = disk::each_line(&path, |line| {
        if let Ok(entry) = serde_json::from_str::<FrameEntry>(line) {
            last.insert(entry.names().next().map(str::to_owned), lines);
        }
        lines += 1;
    });
    match read {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        read => read.map_err(failed)?,
    }
    if lines <= 2 * last.len() {
        return Ok(());
    }
    let kept: HashSet<usize> = last.into_values().collect();
    let replaced = Folder::create(folder).and_then(|opened| {
        opened.replace(Path::new(INDEX), |out| {
            let (mut at, mut written) = (0, Ok(()));
            disk::each_line(&path, |line| {
                if kept.contains(&at) && written.is_ok() {
                    written = writeln!(out, "{line}");
                }
                at += 1;
            })?;
            written
        })
    });
    replaced.map_err(failed)
}

/// Atomically replaces the index by one with these entries.
pub fn replace_index<'a>(
    folder: &Path,
    entries: impl Iterator<Item = &'a FrameEntry>,
) -> Result<(), FramesError> {
    let replaced = Folder::create(folder).and_then(|opened| {
        opened.replace(Path::new(INDEX), |out| {
            for entry in entries {
                serde_json::to_writer(&mut *out, entry)?;
                out.write_all(b"\n")?;
            }
            Ok(())
        })
    });
    replaced.map_err(|error| FramesError::Index { path: folder.join(INDEX), error })
}

/// Returns whether the last line of the index was cut off.
fn is_cut(path: &Path) -> std::io::Result<bool> {
    let mut file = Input::open(path, limit::STREAM)?;
    if file.length() == 0 {
        return Ok(false);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

/// Writer that appends lines to the index.
pub struct IndexWriter {
    file: std::fs::File,
    path: PathBuf,
}

impl IndexWriter {
    /// Opens the index, terminating a line that was cut off by a crash.
    pub fn open(folder: &Path) -> Result<Self, FramesError> {
        let path = folder.join(INDEX);
        let failed = |error: std::io::Error| FramesError::Index { path: path.clone(), error };
        let cut = match is_cut(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => false, // There is no index yet.
            cut => cut.map_err(failed)?,
        };
        let folder = Folder::create(folder).map_err(failed)?;
        let mut file = folder.append(Path::new(INDEX)).map_err(failed)?;
        if cut {
            file.write_all(b"\n").map_err(failed)?;
        }
        Ok(Self { file, path })
    }

    /// Appends one line to the index.
    pub fn append(&mut self, entry: &FrameEntry) -> Result<(), FramesError> {
        let failed = |error: std::io::Error| FramesError::Index { path: self.path.clone(), error };
        let mut line = serde_json::to_vec(entry).map_err(|error| failed(error.into()))?;
        line.push(b'\n');
        self.file.write_all(&line).map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_truncated_line_is_skipped_and_later_lines_win() {
        let folder = tempfile::tempdir().expect("a folder");
        let entry = |motion: f32| FrameEntry {
            preset_id: "a/b.milk".into(),
            status: Some("ok".into()),
            metrics: FrameMetrics { motion: Some(motion), avg_luma: Some(0.5), ..FrameMetrics::default() },
            ..FrameEntry::default()
        };
        IndexWriter::open(folder.path()).expect("open").append(&entry(0.1)).expect("written");
        let path = folder.path().join(INDEX);
        let mut bytes = std::fs::read(&path).expect("an index");
        bytes.extend_from_slice(b"{\"presetId\":\"c");
        std::fs::write(&path, bytes).expect("written");
        IndexWriter::open(folder.path()).expect("open").append(&entry(0.2)).expect("written");
        let read = read(folder.path());
        assert_eq!(read.len(), 1);
        assert_eq!(read["a/b.milk"].metrics.motion, Some(0.2));
    }

    #[test]
    fn null_and_unknown_values_do_not_lose_the_frames() {
        let folder = tempfile::tempdir().expect("a folder");
        let lines = r#"{"version":null,"presetId":"a","relPath":null,"frames":["0.webp"],"reasons":null,
            "metrics":{"avgLuma":null,"motion":null,"bandResponse":null,"bandClass":"none"}}
            {"presetId":null,"relPath":"p/b.milk","status":"ok","frames":["1.webp"],"metrics":null}"#;
        std::fs::write(folder.path().join(INDEX), lines.replace(",\n", ",")).expect("written");
        let read = read(folder.path());
        let frames = |name: &str| (read[name].is_ok(), read[name].frames.clone(), read[name].metrics);
        assert_eq!(frames("a"), (true, vec!["0.webp".to_owned()], FrameMetrics::default()));
        assert_eq!(frames("p/b.milk"), (true, vec!["1.webp".to_owned()], FrameMetrics::default()));
    }

    #[test]
    fn superseded_lines_are_removed_once_they_are_the_majority() {
        let folder = tempfile::tempdir().expect("a folder");
        let entry = |id: &str, luma: f32| FrameEntry {
            preset_id: id.into(),
            metrics: FrameMetrics { avg_luma: Some(luma), ..FrameMetrics::default() },
            ..FrameEntry::default()
        };
        compact(folder.path()).expect("there is no index");
        let mut index = IndexWriter::open(folder.path()).expect("open");
        let lines = || std::fs::read_to_string(folder.path().join(INDEX)).expect("an index").lines().count();
        for (id, luma, expected) in [("a", 0.1, 1), ("b", 0.2, 2), ("a", 0.3, 3), ("a", 0.4, 4)] {
            index.append(&entry(id, luma)).expect("written");
            compact(folder.path()).expect("read");
            assert_eq!(lines(), expected);
        }
        index.append(&entry("a", 0.5)).expect("written");
        let before = read(folder.path());
        compact(folder.path()).expect("compacted");
        assert_eq!((lines(), read(folder.path())), (2, before));
    }

    #[test]
    fn nothing_is_appended_to_an_index_that_cannot_be_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(INDEX);
        let large = std::fs::File::create(&path).and_then(|file| file.set_len(limit::STREAM + 1));
        large.expect("a sparse file");
        let error = IndexWriter::open(folder.path()).err().expect("refused").to_string();
        assert!(error.contains("cannot read or write") && error.contains("larger than"), "{error}");
    }

    #[test]
    fn the_class_is_the_band_that_stands_out() {
        let class = |low, mid, high| BandResponse { low, mid, high }.class();
        assert_eq!(class(0.1, 0.01, 0.02), BandClass::Low);
        assert_eq!(class(0.0, 0.0, 0.003), BandClass::High);
        assert_eq!(class(0.1, 0.11, 0.1), BandClass::Flat);
        assert_eq!(class(0.0, 0.0, 0.0), BandClass::Flat);
    }

    #[test]
    fn frames_are_stored_in_nested_folders_by_hash() {
        let hash = id_hash("presets/x.milk");
        assert_eq!(hash.len(), 16);
        assert_eq!(folder_of(&hash), format!("frames/{}/{}/{hash}", &hash[0..2], &hash[2..4]));
        // The SHA-1 of "abc" in FIPS 180.
        assert_eq!(id_hash("abc"), "a9993e364706816a");
    }
}
