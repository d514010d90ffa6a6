//! The program around the show: windows, clock, keys, MIDI, audio, settings, offline rendering and replay.

mod admission;
mod baking;
mod canvas;
mod closing;
mod damage;
mod identify;
mod keys;
mod live;
mod number_entry;
mod offline;
mod output;
mod painter;
mod performance;
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
mod warp_mesh;
mod window;

pub use crate::desk::action_names;
pub use keys::{command_named, keys};
pub use offline::{PerformReport, PerformSettings, perform};
pub use replay::{ReplayReport, ReplaySettings, replay};
pub use resume::{SavedShow, saved_show};
pub use screen::screens;
pub use window::{AppSettings, MIN_DESK_SIZE, run};

/// Returns the settings folder, or `None` if the user has no home folder.
pub fn config_folder() -> Option<std::path::PathBuf> {
    crate::library::UserFolders::of_user().map(|places| places.config)
}

/// Default render size with software rendering, in pixels: small enough to stay smooth.
const SOFTWARE_SIZE: [u32; 2] = [480, 270];
/// Default render size on a graphics card, in pixels.
const FULL_SIZE: [u32; 2] = [1920, 1080];
/// Number of frames that a deck draws while it warms up, before it can go on air.
const WARM_FRAMES: u32 = 12;
