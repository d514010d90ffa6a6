//! The program as a whole: windows, clock, keys, sound, and the show without a window.

mod acts;
mod archive;
mod baking;
mod door;
mod edited;
mod keeper;
mod keys;
mod listen;
mod logbook;
mod midi;
mod offline;
mod painter;
mod performance;
mod preferences;
mod replay;
mod scratch;
mod screen;
mod shelf;
mod sound;
mod still;
mod surface;
mod taste;
mod window;

pub use keeper::{allow, ban, open_store, suspect_store, unix_now};
pub use keys::{action_names, keys};
pub use listen::{Heard, ListenSettings, listen};
pub use midi::{MonitorEnd, Profile as MidiProfile, monitor as monitor_midi, ports as midi_ports};
pub use offline::{PerformReport, PerformSettings, perform};
pub use replay::{ReplayReport, ReplaySettings, replay};
pub use screen::screens;
pub use shelf::catalogue;
pub use taste::{TasteImport, export_taste, import_taste, show_is_open};
pub use window::{AppSettings, run};

/// Where the performer's own files lie; nowhere for a user without a home.
pub fn config_folder() -> Option<std::path::PathBuf> {
    crate::library::Places::of_user().map(|places| places.config)
}

/// Pixels of the picture where the processor does the drawing: small enough to stay smooth.
const SOFTWARE_SIZE: [u32; 2] = [480, 270];
/// Pixels of the picture on a real graphics device.
const FULL_SIZE: [u32; 2] = [1920, 1080];
/// Cells of the warp mesh.
const MESH: [u32; 2] = [48, 36];
/// Frames a deck draws before it may be cut to.
const WARM_FRAMES: u32 = 12;
