//! `map.v0.json`: two-dimensional coordinates for a library's presets. Presets that look alike are close
//! together.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::disk::{self, FileError};
use crate::units::counted;

/// File name of the map.
pub const MAP_FILE: &str = "map.v0.json";

/// The map of a library.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LookMap {
    /// Format version, `v0`.
    pub version: String,
    /// Creation time, in ISO 8601 format.
    #[serde(rename = "generatedAt")]
    pub generated_at: String,
    /// Manifest ID or path of each preset.
    pub ids: Vec<String>,
    /// Coordinates of each preset, -1 to 1, in the order of `ids`.
    pub points: Vec<[f32; 2]>,
    /// Cluster number of each preset, in the order of `ids`.
    pub clusters: Vec<u32>,
}

impl LookMap {
    /// Reads a map; fails if its version is not `v0`, or if it has different numbers of IDs and points.
    pub fn read(path: &Path) -> Result<Self, FileError> {
        let map: Self = disk::read_json(path)?;
        if map.version != "v0" {
            return Err(FileError::new(
                path,
                &format!("unsupported version {:?}, expected \"v0\"", map.version),
            ));
        }
        if map.ids.len() != map.points.len() {
            let (presets, points) = (counted(map.ids.len(), "preset"), counted(map.points.len(), "point"));
            let why = format!("{presets} but {points}");
            return Err(FileError::new(path, &why));
        }
        Ok(map)
    }
}
