//! Common parts of long-running jobs: supervised worker processes, progress, the folder lock, and detection of a
//! running show by bakes and by a second launch of the program.
//!
//! This module does not depend on rendering; the jobs themselves are in `audit`, `frames` and others.

mod date;
pub mod folder_lock;
mod lines;
pub mod machine;
mod named;
pub mod parallel;
pub mod progress;
pub mod shard;
pub mod show_lock;
pub mod single_instance;
pub mod wire;
pub mod workers;

pub use date::{iso, now};
pub use lines::lossy_lines;
pub use named::find_named;
