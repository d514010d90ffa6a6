//! `map.v0.json`: a library as a map, two numbers a preset, near for what looks alike.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::library::whole_file::FileError;

/// Name of the map.
pub const MAP_FILE: &str = "map.v0.json";

/// The map of a library.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LookMap {
    /// `v0`.
    pub version: String,
    /// When.
    #[serde(rename = "generatedAt")]
    pub generated_at: String,
    /// The presets.
    pub ids: Vec<String>,
    /// Where each lies, both from -1 to 1.
    pub points: Vec<[f32; 2]>,
    /// Id number of each one's cluster.
    pub clusters: Vec<u32>,
}

impl LookMap {
    /// Reads a map; its version has to be `v0`, and every preset has to lie somewhere.
    pub fn read(path: &Path) -> Result<Self, FileError> {
        let bytes = std::fs::read(path).map_err(|error| FileError::new(path, &error))?;
        let map: Self = serde_json::from_slice(&bytes).map_err(|error| FileError::new(path, &error))?;
        if map.version != "v0" {
            return Err(FileError::new(path, &format!("its version is {:?}, not \"v0\"", map.version)));
        }
        if map.ids.len() != map.points.len() {
            let why = format!("it has {} presets and {} points", map.ids.len(), map.points.len());
            return Err(FileError::new(path, &why));
        }
        Ok(map)
    }
}
