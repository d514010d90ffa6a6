//! The program as a whole: windows, clock, keys, sound, and the show without a window.

mod keys;
mod offline;
mod painter;
mod sound;
mod surface;
mod video;
mod window;

use std::path::PathBuf;

use crate::library;
use crate::show::{PresetEntry, PresetText};

pub use offline::{PerformReport, PerformSettings, perform};
pub use window::{AppSettings, SoundChoice, run};

/// The presets to play: those of a folder, or the built-in ones.
pub fn preset_entries(folder: Option<&PathBuf>) -> anyhow::Result<Vec<PresetEntry>> {
    let Some(folder) = folder else {
        let entry = |preset: library::BuiltIn| PresetEntry {
            name: preset.name().to_owned(),
            text: PresetText::BuiltIn(preset.text),
        };
        return Ok(library::built_in().map(entry).collect());
    };
    let entry = |path: PathBuf| {
        let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        PresetEntry { name, text: PresetText::File(path) }
    };
    Ok(library::presets_in(folder)?.into_iter().map(entry).collect())
}

/// Pixels of the picture where the processor does the drawing: small enough to stay smooth.
const SOFTWARE_SIZE: [u32; 2] = [480, 270];
/// Pixels of the picture on a real graphics device.
const FULL_SIZE: [u32; 2] = [1920, 1080];
/// Cells of the warp mesh.
const MESH: [u32; 2] = [48, 36];
/// Frames a deck draws before it may be cut to.
const WARM_FRAMES: u32 = 12;
