//! The parts that the show's thread owns, and the requests and states that it exchanges with the windows.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::picture::Pictures;
use crate::app::resume::Surroundings;
use crate::app::set_log_writer::SetLogWriter;
use crate::app::sound::AnalysisThread;
use crate::archive::{Archive, LibraryRequest, LibraryView};
use crate::desk::{Action, MidiRequest, MidiView};
use crate::handoff::Latest;
use crate::jobs::show_lock::ShowLock;
use crate::midi::Midi;
use crate::show::{AudioLine, Command, FrameTimes, PresetAudio, Rig, Snapshot};
use crate::watchdog::Link;

/// A request from the windows to the show.
pub(in crate::app) enum ShowRequest {
    /// Perform an action other than [`Action::Window`].
    Act(Action),
    /// A request from the MIDI page.
    Midi(MidiRequest),
    /// Use the MIDI profiles in this folder; without a folder, they are neither loaded nor saved.
    MidiFolder(Option<PathBuf>),
    /// A request from the Library page.
    Library(LibraryRequest),
    /// Play another folder or pack, or the built-in presets if `None`.
    Presets(Option<PathBuf>),
    /// Switch to another audio source.
    Listen(Box<AnalysisThread>),
    /// Turn the flash limiter on or off.
    LimitFlashes(bool),
    /// Run this many steps per second.
    Rate(u32),
    /// Save a screenshot of the next picture.
    Screenshot,
}

/// An event that the show reports to the windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::app) enum ShowEvent {
    /// The desk's state has changed, or an action for the windows is in the queue.
    Desk,
    /// The show has ended.
    Ended,
}

/// State of the running show for the desk.
#[derive(Default)]
pub(in crate::app) struct DeskState {
    /// State of the show.
    pub snapshot: Snapshot,
    /// Name of the audio source, and its current problem, if any.
    pub audio: AudioLine,
    /// Timing statistics of the most recent steps.
    pub times: FrameTimes,
    /// Audio as presets receive it.
    pub heard: Arc<PresetAudio>,
    /// Messages for the performer, starting with the show's; at most one per source, except for the library.
    pub messages: Vec<String>,
    /// Why the set log cannot currently be written; empty if it can.
    pub log_problem: Arc<String>,
    /// State of the MIDI page.
    pub midi: Arc<MidiView>,
    /// State of the Library and Map pages.
    pub library: LibraryView,
}

/// Everything that the show's thread owns.
pub(in crate::app) struct ShowParts {
    /// The show, its stage and its warmer.
    pub rig: Rig,
    /// Receives the show's pictures.
    pub pictures: Pictures,
    /// The analysis thread, which delivers audio and its features.
    pub listener: AnalysisThread,
    /// The set log, if it can be written.
    pub set_log: Option<SetLogWriter>,
    /// Library and saved state.
    pub archive: Archive,
    /// The MIDI devices of the show.
    pub midi: Midi,
    /// Signals to bakes on this computer that a show is playing; `None` if the lock could not be opened.
    pub show_lock: Option<ShowLock>,
    /// Commands for the first step.
    pub first: Vec<Command>,
    /// Number of steps per second.
    pub rate: u32,
    /// When the program started or, as a standby, took over.
    pub started: Instant,
    /// Interval between updates of the desk's state; halved after input.
    pub desk_every: Duration,
    /// The connection to the supervisor.
    pub link: Link,
    /// Random seed.
    pub seed: u64,
    /// The settings and the placement of the windows, for a show that resumes this one.
    pub surroundings: Latest<Surroundings>,
}
