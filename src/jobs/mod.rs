//! What every long-running job shares: supervised worker processes, progress, the folder lock, and the locks that show
//! that a show is open or playing.
//!
//! Knows nothing of presets or pictures; see `audit` and `frames` for the work itself.

mod date;
pub mod files;
pub mod folder_lock;
pub mod parallel;
pub mod progress;
pub mod show_lock;
pub mod wire;
pub mod workers;

pub use date::{iso, now};
