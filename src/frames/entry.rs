//! One line of `frames-index.jsonl`: one attempt at one preset.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha1::{Digest as _, Sha1};

use crate::audit::probe::Look;

/// The file attempts are appended to, in the pack's folder.
pub const INDEX: &str = "frames-index.jsonl";

/// One attempt.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FrameEntry {
    /// `v0`.
    pub version: String,
    /// When.
    pub at: String,
    /// The preset's id, which is its path within the library.
    pub preset_id: String,
    /// The same path.
    pub rel_path: String,
    /// Where its file was.
    pub file_path: String,
    /// `ok` or `failed`; lines without are ok.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Names the folder of its frames.
    pub id_hash: String,
    /// Frames, relative to the pack's folder, with forward slashes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub frames: Vec<String>,
    /// A moving clip of it, named alike.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip: Option<String>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
    /// The engine's words about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_text: Option<String>,
    /// What the frames look like.
    pub metrics: FrameMetrics,
    /// What tells these frames from others of the preset: how they were captured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capture: Option<String>,
    /// Identity of the preset they are of: it tells another preset that has taken its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// Length of all its frames together: it tells frames that were cut short.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
}

/// How much a preset answers to each part of the sound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BandResponse {
    /// Kick and bass.
    pub low: f32,
    /// Voices and synths.
    pub mid: f32,
    /// Hats and noise.
    pub high: f32,
}

/// The part of the sound that changes the picture most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BandClass {
    /// Kick and bass.
    Low,
    /// Voices and synths.
    Mid,
    /// Hats and noise.
    High,
    /// None more than the others.
    Flat,
}

impl BandClass {
    /// The word in files.
    pub fn word(self) -> &'static str {
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
    /// Change between frames that is nothing to speak of.
    const NOTHING: f32 = 1e-4;
    /// How much more than the mean of all three the strongest has to be.
    const STANDS_OUT: f32 = 1.25;

    /// The part that changes the picture most.
    pub fn class(&self) -> BandClass {
        let Self { low, mid, high } = *self;
        let most = low.max(mid).max(high);
        let mean = (low + mid + high) / 3.0;
        if most < Self::NOTHING || most < Self::STANDS_OUT * mean {
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

/// What a preset's frames look like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FrameMetrics {
    /// Mean light of the captured frames, 0..1.
    pub avg_luma: f32,
    /// Mean change of light from captured frame to captured frame, 0..1.
    pub motion: f32,
    /// How it answers to each part of the sound, where an audit has told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub band_response: Option<BandResponse>,
    /// The part of the sound that changes it most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub band_class: Option<BandClass>,
}

impl FrameMetrics {
    /// The same with what an audit heard.
    pub fn hearing(&self, bands: BandResponse) -> Self {
        Self { band_response: Some(bands), band_class: Some(bands.class()), ..*self }
    }
}

impl FrameEntry {
    /// Whether frames are there.
    pub fn is_ok(&self) -> bool {
        self.status.as_deref().is_none_or(|status| status == "ok")
    }
}

/// The first 16 hexadecimal digits of the SHA-1 of a preset's id.
pub fn id_hash(id: &str) -> String {
    Sha1::digest(id.as_bytes()).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Folder of a preset's frames below the pack's: `frames/01/23/0123456789abcdef`.
pub fn folder_of(hash: &str) -> String {
    format!("frames/{}/{}/{hash}", &hash[..2], &hash[2..4])
}

/// The last line of every preset. Lines that cannot be read, as a lost machine leaves one, are skipped.
pub fn read(folder: &Path) -> HashMap<String, FrameEntry> {
    let Ok(file) = std::fs::File::open(folder.join(INDEX)) else { return HashMap::new() };
    let lines = BufReader::new(file).split(b'\n').map_while(Result::ok);
    let entries = lines.filter_map(|line| serde_json::from_slice::<FrameEntry>(&line).ok());
    entries.map(|entry| (entry.preset_id.clone(), entry)).collect()
}

/// Appends lines to the index of a folder.
pub struct IndexWriter {
    file: std::fs::File,
    path: PathBuf,
}

impl IndexWriter {
    /// Opens the index; a line that a lost machine left unfinished is ended first.
    pub fn open(folder: &Path) -> Result<Self, String> {
        let path = folder.join(INDEX);
        let told = |error: std::io::Error| format!("{} cannot be opened: {error}", path.display());
        std::fs::create_dir_all(folder).map_err(told)?;
        let cut = std::fs::read(&path).is_ok_and(|bytes| bytes.last().is_some_and(|last| *last != b'\n'));
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(&path).map_err(told)?;
        if cut {
            file.write_all(b"\n").map_err(told)?;
        }
        Ok(Self { file, path })
    }

    /// Appends one line.
    pub fn append(&mut self, entry: &FrameEntry) -> Result<(), String> {
        let mut line = serde_json::to_vec(entry).map_err(|error| error.to_string())?;
        line.push(b'\n');
        self.file
            .write_all(&line)
            .map_err(|error| format!("{} cannot be written: {error}", self.path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_cut_short_is_lost_alone_and_later_lines_win() {
        let folder = tempfile::tempdir().expect("a folder");
        let entry = |motion: f32| FrameEntry {
            preset_id: "a/b.milk".into(),
            status: Some("ok".into()),
            metrics: FrameMetrics { motion, avg_luma: 0.5, ..FrameMetrics::default() },
            ..FrameEntry::default()
        };
        IndexWriter::open(folder.path()).expect("open").append(&entry(0.1)).expect("written");
        let path = folder.path().join(INDEX);
        let mut bytes = std::fs::read(&path).expect("there");
        bytes.extend_from_slice(b"{\"presetId\":\"c");
        std::fs::write(&path, bytes).expect("written");
        IndexWriter::open(folder.path()).expect("open").append(&entry(0.2)).expect("written");
        let read = read(folder.path());
        assert_eq!(read.len(), 1);
        assert_eq!(read["a/b.milk"].metrics.motion, 0.2);
    }

    #[test]
    fn the_band_is_the_one_that_stands_out() {
        let class = |low, mid, high| BandResponse { low, mid, high }.class();
        assert_eq!(class(0.1, 0.01, 0.02), BandClass::Low);
        assert_eq!(class(0.0, 0.0, 0.003), BandClass::High);
        assert_eq!(class(0.1, 0.11, 0.1), BandClass::Flat);
        assert_eq!(class(0.0, 0.0, 0.0), BandClass::Flat);
    }

    #[test]
    fn frames_lie_in_nested_folders_by_hash() {
        // printf presets/x.milk | sha1sum
        let hash = id_hash("presets/x.milk");
        assert_eq!(hash.len(), 16);
        assert_eq!(folder_of(&hash), format!("frames/{}/{}/{hash}", &hash[0..2], &hash[2..4]));
        assert_eq!(id_hash("abc"), "a9993e364706816a");
    }
}
