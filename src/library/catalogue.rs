//! Every preset the show may choose from, with what is known about each: one flat, immutable table in memory.
//!
//! Built off the render thread; the show, the director and the desk index it by place. Where a style index was baked,
//! clusters and energies come from it; otherwise from the preset's own text.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

use super::style::StylePolicy;
use super::{BuiltIn, PresetFacts, PresetId, Tags};

/// Where a preset's text comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PresetSource {
    /// A file.
    File(PathBuf),
    /// Text that came with the program.
    BuiltIn(&'static str),
}

impl PresetSource {
    /// The preset's bytes, or why there are none, in words. A file larger than any preset may be is not read.
    pub fn read(&self) -> Result<Vec<u8>, String> {
        match self {
            Self::BuiltIn(text) => Ok(text.as_bytes().to_vec()),
            Self::File(path) => {
                let size = std::fs::metadata(path).map_err(|error| error.to_string())?.len();
                if size > crate::milk::MAX_PRESET_BYTES as u64 {
                    return Err(crate::milk::PresetError::TooLarge(size as usize).to_string());
                }
                std::fs::read(path).map_err(|error| error.to_string())
            }
        }
    }
}

/// How much a preset moves, as the style index says it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Energy {
    /// Slow, drifting.
    Calm,
    /// It moves.
    #[default]
    Groove,
    /// Fast, bright, busy.
    Peak,
}

impl Energy {
    /// Every energy, calm first.
    pub const ALL: [Self; 3] = [Self::Calm, Self::Groove, Self::Peak];

    /// 0 calm, 1 groove, 2 peak: the order in files.
    pub fn rank(self) -> u8 {
        self as u8
    }

    /// The energy of this rank; what is none is [`Energy::Groove`].
    pub fn of_rank(rank: u8) -> Self {
        Self::ALL.get(usize::from(rank)).copied().unwrap_or_default()
    }

    /// The label as written in files and on the desk.
    pub fn label(self) -> &'static str {
        match self {
            Self::Calm => "calm",
            Self::Groove => "groove",
            Self::Peak => "peak",
        }
    }
}

/// Where a preset of a table lies. A hundred thousand of them share one folder, which is written once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceLocation {
    /// In a file, at its path below this folder.
    Below(Arc<Path>),
    /// In a file whose path is no text, or that is in no library.
    File(PathBuf),
    /// In the program.
    BuiltIn(&'static str),
}

/// One preset the show may choose.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The hash of its bytes.
    pub id: PresetId,
    /// Path within its library, with forward slashes; what manifests and indexes call `relPath`.
    pub path: String,
    /// Where it lies.
    pub lies: SourceLocation,
    /// Its style: a place in [`Catalogue::clusters`].
    pub cluster: u16,
    /// How much it moves.
    pub energy: Energy,
    /// Presets of one family share their shader code and never follow each other.
    pub family: u64,
    /// Words about it: `wave`, `liquid`, `dark`...
    pub tags: Tags,
}

/// A style: presets that look alike.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cluster {
    /// `c07`, an author's key, or a tag: what the taste is remembered under.
    pub key: String,
    /// What people call it.
    pub name: String,
    /// Where its centre lies among the embeddings; empty where it was not made from any.
    pub centroid: Vec<f32>,
}

/// Where clusters and energies came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StyleOrigin {
    /// A baked index.
    V1,
    /// An index by names.
    V0,
    /// The presets' own text.
    #[default]
    Tags,
}

/// The table.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    /// The presets, in a fixed order.
    pub entries: Vec<Entry>,
    /// The styles their `cluster` points into.
    pub clusters: Vec<Cluster>,
    /// Where the styles came from.
    pub origin: StyleOrigin,
    /// The folder its files lie in; none for presets that came with the program.
    pub folder: Option<PathBuf>,
    /// What kinds of nights ask for, where a policy lies beside the presets.
    pub policy: Option<StylePolicy>,
    /// Names the space that the clusters' centres lie in; centres of other spaces are not comparable.
    pub space: String,
    /// Places sorted by identity; made when first asked for.
    by_id: OnceLock<Vec<u32>>,
}

impl StyleOrigin {
    /// The words on the desk and in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::V1 => "style index v1",
            Self::V0 => "style index v0",
            Self::Tags => "the presets' own text",
        }
    }
}

impl Catalogue {
    /// A table of these presets.
    pub fn new(entries: Vec<Entry>, clusters: Vec<Cluster>, origin: StyleOrigin) -> Self {
        Self { entries, clusters, origin, ..Self::default() }
    }

    /// The presets that come with the program: a cluster is a scene.
    pub fn built_in() -> Self {
        let mut catalogue = Self::default();
        for preset in super::built_in() {
            let cluster = catalogue.cluster(preset.scene());
            catalogue.entries.push(Entry::built_in(preset, cluster));
        }
        catalogue
    }

    /// One preset file alone, or why it cannot be read, in words.
    pub fn of_one(file: &Path) -> Result<Self, String> {
        let mut catalogue = Self::default();
        let cluster = catalogue.cluster("all");
        catalogue.entries.push(Entry::of_file(file, cluster)?);
        Ok(catalogue)
    }

    /// The place of the preset with this identity among the entries.
    pub fn place(&self, id: PresetId) -> Option<usize> {
        let by_id = self.by_id.get_or_init(|| {
            let mut places: Vec<u32> = (0..self.entries.len() as u32).collect();
            places.sort_by_key(|&place| self.entries[place as usize].id);
            places
        });
        let at = by_id.binary_search_by_key(&id, |&place| self.entries[place as usize].id).ok()?;
        Some(by_id[at] as usize)
    }

    /// Adds an entry.
    pub(super) fn push(&mut self, entry: Entry) {
        self.entries.push(entry);
        self.by_id = OnceLock::new();
    }

    /// Keeps the entries marked in `kept`; returns where each entry is now.
    pub(super) fn keep(&mut self, kept: &[bool]) -> Vec<Option<u32>> {
        let mut now = 0;
        let moved = kept.iter().map(|kept| {
            now += u32::from(*kept);
            kept.then(|| now - 1)
        });
        let moved: Vec<Option<u32>> = moved.collect();
        let mut flags = kept.iter();
        self.entries.retain(|_| flags.next().copied().unwrap_or(true));
        self.by_id = OnceLock::new();
        moved
    }

    /// The place of the cluster with this key, which is added when it is new.
    pub(super) fn cluster(&mut self, key: &str) -> u16 {
        let at = self.clusters.iter().position(|cluster| cluster.key == key);
        let at = at.unwrap_or_else(|| {
            self.clusters.push(Cluster { key: key.to_owned(), name: key.to_owned(), centroid: Vec::new() });
            self.clusters.len() - 1
        });
        at as u16
    }
}

impl Entry {
    /// The name on the desk: the file's, without its ending.
    pub fn name(&self) -> &str {
        let file = self.path.rsplit('/').next().unwrap_or(&self.path);
        file.rfind('.').filter(|dot| *dot > 0).map_or(file, |dot| &file[..dot])
    }

    /// Where its text comes from.
    pub fn source(&self) -> PresetSource {
        match &self.lies {
            SourceLocation::Below(folder) => PresetSource::File(folder.join(&self.path)),
            SourceLocation::File(path) => PresetSource::File(path.clone()),
            SourceLocation::BuiltIn(text) => PresetSource::BuiltIn(text),
        }
    }

    fn built_in(preset: BuiltIn, cluster: u16) -> Self {
        let outline = PresetFacts::of(preset.text.as_bytes(), preset.name());
        Self {
            id: PresetId::of(preset.text.as_bytes()),
            path: preset.path.to_owned(),
            lies: SourceLocation::BuiltIn(preset.text),
            cluster,
            energy: preset.energy(),
            family: outline.family,
            tags: outline.tags,
        }
    }

    fn of_file(file: &Path, cluster: u16) -> Result<Self, String> {
        let bytes = PresetSource::File(file.to_owned()).read()?;
        let text = |part: Option<&OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
        let name = text(file.file_stem());
        let outline = PresetFacts::of(&bytes, &name);
        Ok(Self {
            id: PresetId::of(&bytes),
            path: text(file.file_name()),
            lies: SourceLocation::File(file.to_owned()),
            cluster,
            energy: outline.energy,
            family: outline.family,
            tags: outline.tags,
        })
    }
}
