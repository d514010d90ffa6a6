//! Every preset the show may choose from, with what is known about each: one flat, immutable table in memory.
//!
//! Built off the render thread; the show, the director and the desk index it by place. Where a style index was baked,
//! clusters and energies come from it; otherwise from the preset's own text.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{BuiltIn, PresetId};

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
                    return Err(crate::milk::Refusal::TooLarge(size as usize).to_string());
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

    /// The label as written in files and on the desk.
    pub fn label(self) -> &'static str {
        match self {
            Self::Calm => "calm",
            Self::Groove => "groove",
            Self::Peak => "peak",
        }
    }
}

/// One preset the show may choose.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The hash of its bytes.
    pub id: PresetId,
    /// The name on the desk.
    pub name: String,
    /// Path within its library, with forward slashes; what manifests and indexes call `relPath`.
    pub path: String,
    /// Where its text comes from.
    pub source: PresetSource,
    /// Its style: a place in [`Catalogue::clusters`].
    pub cluster: u16,
    /// How much it moves.
    pub energy: Energy,
    /// Presets of one family share their shader code and never follow each other.
    pub family: u64,
    /// Words about it: `wave`, `liquid`, `dark`, `band:low`...
    pub tags: Vec<String>,
}

/// A style: presets that look alike.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cluster {
    /// `c07`, an author's key, or a tag: what the taste is remembered under.
    pub key: String,
    /// What people call it.
    pub name: String,
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
}

impl Catalogue {
    /// The presets that come with the program: a cluster is a scene.
    pub fn built_in() -> Self {
        let mut catalogue = Self::default();
        for preset in super::built_in() {
            let cluster = catalogue.cluster(preset.scene());
            catalogue.entries.push(Entry::built_in(preset, cluster));
        }
        catalogue
    }

    /// These preset files, named below `root`. A file that cannot be read is left out with a warning.
    pub fn of_files(root: &Path, files: Vec<PathBuf>) -> Self {
        let mut catalogue = Self::default();
        let cluster = catalogue.cluster("all");
        for file in files {
            match Entry::of_file(root, file.clone(), cluster) {
                Ok(entry) => catalogue.entries.push(entry),
                Err(why) => log::warn!("a preset is left out: {why} ({})", file.display()),
            }
        }
        catalogue
    }

    /// One preset file alone, or why it cannot be read, in words.
    pub fn of_one(file: &Path) -> Result<Self, String> {
        let mut catalogue = Self::default();
        let cluster = catalogue.cluster("all");
        catalogue.entries.push(Entry::of_file(file.parent().unwrap_or(file), file.to_owned(), cluster)?);
        Ok(catalogue)
    }

    /// The place of the cluster with this key, which is added when it is new.
    fn cluster(&mut self, key: &str) -> u16 {
        let at = self.clusters.iter().position(|cluster| cluster.key == key);
        let at = at.unwrap_or_else(|| {
            self.clusters.push(Cluster { key: key.to_owned(), name: key.to_owned() });
            self.clusters.len() - 1
        });
        at as u16
    }
}

impl Entry {
    fn built_in(preset: BuiltIn, cluster: u16) -> Self {
        let id = PresetId::of(preset.text.as_bytes());
        Self {
            id,
            name: preset.name().to_owned(),
            path: preset.path.to_owned(),
            source: PresetSource::BuiltIn(preset.text),
            cluster,
            energy: preset.energy(),
            family: own_family(id),
            tags: Vec::new(),
        }
    }

    fn of_file(root: &Path, file: PathBuf, cluster: u16) -> Result<Self, String> {
        let source = PresetSource::File(file.clone());
        let id = PresetId::of(&source.read()?);
        let below = file.strip_prefix(root).unwrap_or(&file);
        let path = below.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>();
        Ok(Self {
            id,
            name: file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default(),
            path: path.join("/"),
            source,
            cluster,
            energy: Energy::default(),
            family: own_family(id),
            tags: Vec::new(),
        })
    }
}

/// The family of a preset that shares its shaders with nobody known.
fn own_family(id: PresetId) -> u64 {
    u64::from_le_bytes(std::array::from_fn(|at| id.0[at]))
}
