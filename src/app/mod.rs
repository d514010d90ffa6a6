//! The program around the show: windows, clock, keys, MIDI, audio, saved state, offline rendering and replay.

mod admission;
mod archive;
mod baking;
mod canvas;
mod closing;
mod damage;
mod identify;
mod keys;
mod library_watcher;
mod live;
mod number_entry;
mod offline;
mod output;
mod painter;
mod performance;
mod persistence;
mod placements;
mod preferences;
mod replay;
mod resume;
mod screen;
mod screenshot;
mod set_log_writer;
mod shutdown;
mod sound;
mod standby;
mod surface;
mod theming;
mod window;

pub use crate::desk::action_names;
pub use keys::{command_named, keys};
pub use library_watcher::catalogue;
pub use offline::{PerformReport, PerformSettings, perform};
pub use persistence::{allow, ban, open_store, open_store_to_write, suspect_store, unix_now};
pub use replay::{ReplayReport, ReplaySettings, replay};
pub use resume::{SavedShow, saved_show};
pub use screen::screens;
pub use window::{AppSettings, run};

/// Returns the settings folder, or `None` if the user has no home folder.
pub fn config_folder() -> Option<std::path::PathBuf> {
    crate::library::UserFolders::of_user().map(|places| places.config)
}

/// Default render size with software rendering, in pixels: small enough to stay smooth.
const SOFTWARE_SIZE: [u32; 2] = [480, 270];
/// Default render size on a graphics card, in pixels.
const FULL_SIZE: [u32; 2] = [1920, 1080];
/// Warp mesh size, in cells.
const MESH: [u32; 2] = [48, 36];
/// Number of frames that a deck draws while it warms up, before it can go on air.
const WARM_FRAMES: u32 = 12;
