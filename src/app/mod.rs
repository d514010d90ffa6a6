//! The program as a whole: windows, clock, keys, sound, and the show without a window.

mod acts;
mod edited;
mod keys;
mod offline;
mod painter;
mod sound;
mod surface;
mod video;
mod window;

use std::path::{Path, PathBuf};

use crate::library::{self, Catalogue};

pub use offline::{PerformReport, PerformSettings, perform};
pub use window::{AppSettings, SoundChoice, run};

/// The presets to play: those of a folder, or the built-in ones.
pub fn catalogue(folder: Option<&Path>) -> anyhow::Result<Catalogue> {
    let Some(folder) = folder else { return Ok(Catalogue::built_in()) };
    Ok(Catalogue::of_files(folder, library::presets_in(folder)?))
}

/// Where the performer's own files lie: `AIVJ_CONFIG`, or the platform's place for them; none where it has no such place.
fn config_folder() -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os("AIVJ_CONFIG") {
        return Some(folder.into());
    }
    directories::ProjectDirs::from("", "", "aivj").map(|dirs| dirs.config_dir().to_owned())
}

/// Pixels of the picture where the processor does the drawing: small enough to stay smooth.
const SOFTWARE_SIZE: [u32; 2] = [480, 270];
/// Pixels of the picture on a real graphics device.
const FULL_SIZE: [u32; 2] = [1920, 1080];
/// Cells of the warp mesh.
const MESH: [u32; 2] = [48, 36];
/// Frames a deck draws before it may be cut to.
const WARM_FRAMES: u32 = 12;
