//! The catalogue: a flat, immutable table of all presets a show may choose from, with the facts about them.
//!
//! It is built off the render thread; the show, the director and the desk refer to entries by index. Clusters and
//! energies come from a style index if there is one, otherwise from the presets' code and names; those of
//! built-in presets come from their paths.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::BuiltIn;
use super::style::StylePolicy;
use crate::disk;
use crate::facts::{Energy, PresetFacts, PresetId, Tags};

/// Where a preset is read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PresetSource {
    /// Path of a preset file.
    File(PathBuf),
    /// Text of a preset built into the program.
    BuiltIn(&'static str),
    /// Bytes of a preset in memory.
    Memory(Arc<[u8]>),
}

impl PresetSource {
    /// Reads the preset's bytes, or returns the reason if they cannot be read or exceed the size limit.
    pub fn read(&self) -> Result<Vec<u8>, String> {
        match self {
            Self::BuiltIn(text) => Ok(text.as_bytes().to_vec()),
            Self::Memory(bytes) => Ok(bytes.to_vec()),
            Self::File(path) => {
                disk::read(path, crate::milk::MAX_PRESET_BYTES as u64).map_err(|error| error.to_string())
            }
        }
    }
}

/// Where the preset of an entry is stored. Entries share one copy of the library's folder path, because there
/// may be 100,000 entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceLocation {
    /// A file at the entry's path below this folder.
    Below(Arc<Path>),
    /// A file whose path is not valid UTF-8, and therefore differs from the entry's path.
    File(PathBuf),
    /// Text of a preset built into the program.
    BuiltIn(&'static str),
    /// Bytes of a preset in memory.
    Memory(Arc<[u8]>),
}

/// A preset in the catalogue.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Hash of the preset's bytes.
    pub id: PresetId,
    /// Path within the library, with forward slashes; called `relPath` in manifests and indexes.
    pub path: String,
    /// Where the preset is stored.
    pub location: SourceLocation,
    /// Index of the preset's style in [`Catalogue::clusters`].
    pub cluster: u16,
    /// Energy of the preset.
    pub energy: Energy,
    /// ID of the family: presets with the same code, which the director avoids showing in succession.
    pub family: u64,
    /// Look tags, such as `wave`, `liquid` or `dark`.
    pub tags: Tags,
}

/// A style: presets that look alike.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cluster {
    /// Key under which taste is saved: a cluster ID such as `c07`, an author, tags or a scene.
    pub key: String,
    /// Name shown on the desk.
    pub name: String,
    /// Centroid in embedding space; empty if the cluster was not computed from embeddings.
    pub centroid: Vec<f32>,
}

/// Origin of clusters and energies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StyleOrigin {
    /// A baked style index.
    V1,
    /// A v0 style index, which groups presets by the author in their names.
    V0,
    /// The tags of the presets, derived from their code.
    #[default]
    Tags,
    /// The scenes of the built-in presets.
    Scene,
}

/// All presets a show may choose from, with their styles.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    /// The presets, in a fixed order.
    pub entries: Vec<Entry>,
    /// The styles, which entries refer to by index.
    pub clusters: Vec<Cluster>,
    /// Origin of the styles.
    pub origin: StyleOrigin,
    /// The library's folder; `None` for built-in presets and for a single preset.
    pub folder: Option<PathBuf>,
    /// The style policy, if the library has one.
    pub policy: Option<StylePolicy>,
    /// Presets that an audit rejected, with reasons. The director does not choose them unless they are
    /// rescued; the performer may play them.
    pub rejected: Arc<BTreeMap<PresetId, String>>,
    /// Presets that an audit rejected but the performer asked to play anyway, with the reasons for the rejection. They
    /// skip further audits.
    pub forgiven: Arc<BTreeMap<PresetId, String>>,
    /// Name of the embedding space of the centroids; centroids of different spaces are not comparable.
    pub space: String,
    /// Entry indices sorted by ID; computed on first use.
    by_id: OnceLock<Vec<u32>>,
    /// Result of [`Self::identity`]; computed on first use.
    identity: OnceLock<String>,
}

impl StyleOrigin {
    /// Returns the label used on the desk and in reports, such as `by author`.
    pub fn word(self) -> &'static str {
        match self {
            Self::V1 => "baked",
            Self::V0 => "by author",
            Self::Tags => "by tag",
            Self::Scene => "by scene",
        }
    }
}

impl Catalogue {
    /// Creates a catalogue of these presets.
    pub fn new(entries: Vec<Entry>, clusters: Vec<Cluster>, origin: StyleOrigin) -> Self {
        Self { entries, clusters, origin, ..Self::default() }
    }

    /// Creates a catalogue of the built-in presets with one cluster per scene.
    pub fn built_in() -> Self {
        let mut catalogue = Self { origin: StyleOrigin::Scene, ..Self::default() };
        for preset in super::built_in() {
            let cluster = catalogue.cluster(preset.scene());
            catalogue.entries.push(Entry::built_in(preset, cluster));
        }
        catalogue
    }

    /// Creates a catalogue of a single preset, which is kept in memory. `bytes` are the contents of `file`.
    pub fn of_one(file: &Path, bytes: Arc<[u8]>) -> Self {
        let mut catalogue = Self::default();
        let cluster = catalogue.cluster("all");
        catalogue.entries.push(Entry::in_memory(file, bytes, cluster));
        catalogue
    }

    /// Returns the index of the preset with this ID.
    pub fn index_of(&self, id: PresetId) -> Option<usize> {
        let by_id = self.by_id.get_or_init(|| {
            let mut indices: Vec<u32> = (0..self.entries.len() as u32).collect();
            indices.sort_by_key(|&index| self.entries[index as usize].id);
            indices
        });
        let at = by_id.binary_search_by_key(&id, |&index| self.entries[index as usize].id).ok()?;
        Some(by_id[at] as usize)
    }

    /// Returns a hash that identifies the library in a set log. It covers the ID, style, energy and family of
    /// every preset, and the style keys.
    pub fn identity(&self) -> &str {
        self.identity.get_or_init(|| {
            let mut hash = Sha256::new();
            for entry in &self.entries {
                hash.update(entry.id.0);
                hash.update(entry.cluster.to_le_bytes());
                hash.update([entry.energy as u8]);
                hash.update(entry.family.to_le_bytes());
            }
            for cluster in &self.clusters {
                hash.update(cluster.key.as_bytes());
                hash.update([0]);
            }
            hash.finalize()[..16].iter().fold(String::new(), |mut text, byte| {
                write!(text, "{byte:02x}").expect("a string");
                text
            })
        })
    }

    /// Computes the order by ID and the identity now, on this thread, instead of on first use.
    pub fn prepare(&self) {
        self.index_of(PresetId([0; 16]));
        self.identity();
    }

    /// Adds an entry to the catalogue.
    pub(super) fn push(&mut self, entry: Entry) {
        self.entries.push(entry);
        (self.by_id, self.identity) = Default::default();
    }

    /// Keeps the entries marked in `kept`; returns the new index of each old entry, `None` for removed ones.
    pub(super) fn keep(&mut self, kept: &[bool]) -> Vec<Option<u32>> {
        let mut now = 0;
        let moved = kept.iter().map(|kept| {
            now += u32::from(*kept);
            kept.then(|| now - 1)
        });
        let moved: Vec<Option<u32>> = moved.collect();
        let mut flags = kept.iter();
        self.entries.retain(|_| flags.next().copied().unwrap_or(true));
        (self.by_id, self.identity) = Default::default();
        moved
    }

    /// Returns the index of the cluster with this key; adds it if it is new.
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
    /// Returns the name shown on the desk: the file name without extension.
    pub fn name(&self) -> &str {
        let file = self.path.rsplit('/').next().unwrap_or(&self.path);
        file.rfind('.').filter(|dot| *dot > 0).map_or(file, |dot| &file[..dot])
    }

    /// Returns where the preset is read from.
    pub fn source(&self) -> PresetSource {
        match &self.location {
            SourceLocation::Below(folder) => PresetSource::File(folder.join(&self.path)),
            SourceLocation::File(path) => PresetSource::File(path.clone()),
            SourceLocation::BuiltIn(text) => PresetSource::BuiltIn(text),
            SourceLocation::Memory(bytes) => PresetSource::Memory(bytes.clone()),
        }
    }

    fn built_in(preset: BuiltIn, cluster: u16) -> Self {
        let preset_facts = PresetFacts::of(preset.text.as_bytes(), preset.name());
        Self {
            id: preset.id,
            path: preset.path.to_owned(),
            location: SourceLocation::BuiltIn(preset.text),
            cluster,
            energy: preset.energy(),
            family: preset_facts.family,
            tags: preset_facts.tags,
        }
    }

    fn in_memory(file: &Path, bytes: Arc<[u8]>, cluster: u16) -> Self {
        let text = |part: Option<&OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
        let name = text(file.file_stem());
        let preset_facts = PresetFacts::of(&bytes, &name);
        Self {
            id: PresetId::of(&bytes),
            path: text(file.file_name()),
            location: SourceLocation::Memory(bytes),
            cluster,
            energy: preset_facts.energy,
            family: preset_facts.family,
            tags: preset_facts.tags,
        }
    }
}
