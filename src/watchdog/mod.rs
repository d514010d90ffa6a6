//! Keeps a show running: a small parent process starts the show in a child process and restarts it when it crashes or
//! hangs.
//!
//! The child sends heartbeats over its standard output while its show runs. The parent asks the child to end
//! by writing a line to its standard input. This needs only [`std::process`] and pipes, so it works on every
//! system.

mod child;
mod crashes;
mod parent;
mod pressure;
mod process;
mod silence;
mod standby;

use serde::{Deserialize, Serialize};

pub use child::Link;
pub use parent::supervise;

/// Environment variable that makes a process the child of a supervisor; holds its [`Start`].
const VARIABLE: &str = "AIVJ_SUPERVISED";
/// Name of the thread that steps the show.
pub const SHOW_THREAD: &str = "show";
/// Byte of a heartbeat, sent while the show runs.
const BEAT: u8 = b'b';
/// Byte that is sent once, with the first picture of a preset.
const PICTURE: u8 = b'p';
/// Byte that is sent once, when the show ends as requested.
const LEAVING: u8 = b'l';
/// Byte that is sent once, when a standby process is ready to take over.
const READY: u8 = b'r';
/// The line that asks the child to end.
const STOP: &str = "stop";

/// How a child is started.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {
    /// Identifies the supervisor; shows of different supervisors do not share their state.
    pub supervisor: u32,
    /// Number of times the show has been restarted.
    pub restarts: u32,
    /// Why the show had to be restarted; `None` at its first start.
    pub crash: Option<String>,
    /// Whether the show crashed so often that only built-in presets are played.
    pub safe_mode: bool,
    /// Whether the process waits until the running show crashes.
    #[serde(default)]
    pub standby: bool,
}
