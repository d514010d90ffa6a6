//! Keeps a show running: a small parent process starts the show in a child process and restarts it when it crashes or
//! hangs.
//!
//! The child sends heartbeats over its standard output while its show runs. The parent requests a shutdown by writing
//! a line to the child's standard input. This needs only [`std::process`] and pipes, so it works on every system.

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

/// Environment variable that marks a process as the child of a supervisor; its value is a [`Start`] as JSON.
const VARIABLE: &str = "AIVJ_SUPERVISED";
/// Name of the thread that steps the show.
pub const SHOW_THREAD: &str = "show";
/// Heartbeat byte, sent repeatedly while the show runs.
const BEAT: u8 = b'b';
/// Byte sent once, when the first picture of a preset has been shown.
const PICTURE: u8 = b'p';
/// Byte sent once, when the show is ending as requested.
const LEAVING: u8 = b'l';
/// Byte sent once, when a standby process is ready to take over.
const READY: u8 = b'r';
/// The line that requests a shutdown of the child.
const STOP: &str = "stop";

/// How the supervisor starts a child.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {
    /// Process ID of the supervisor; only a restart by the same supervisor restores the state of the show.
    pub supervisor: u32,
    /// Number of times the show has been restarted.
    pub restarts: u32,
    /// Why the show was last restarted; `None` at the first start.
    pub crash: Option<String>,
    /// Whether the show was last killed from outside, so that nothing in it is at fault.
    #[serde(default)]
    pub killed: bool,
    /// Whether the show crashed so often that only built-in presets are played.
    pub safe_mode: bool,
    /// Whether the process is a standby, which waits until the running show crashes.
    #[serde(default)]
    pub standby: bool,
}
