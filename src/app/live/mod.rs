//! The running show on a thread of its own, with everything that must go on whatever the windows do: sound, MIDI, set log,
//! library and saved state.
//!
//! The windows send [`Order`]s and read the newest [`DeskState`] and picture; neither side waits for the other.

mod in_flight;
mod picture;
mod stepper;
#[cfg(test)]
mod tests;
mod thread;
mod times;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::archive::Archive;
use super::logbook::LogBook;
use super::midi::Midi;
use super::sound::AnalysisThread;
use crate::desk::{Action, LibraryRequest, LibraryView, MidiRequest, MidiView};
use crate::handoff::{Inbox, Latest, Outbox, queue};
use crate::jobs::show_lock::ShowLock;
use crate::show::{AudioLine, Command, FrameTimes, PresetAudio, Rig, Snapshot};

pub(super) use picture::{NewestPicture, Pause, Paused, Pictures};

use thread::ShowThread;

/// Orders and actions that may wait; a performer cannot fill either queue.
const WAITING: usize = 1024;

/// What the windows ask of the show.
pub(super) enum Order {
    /// An action of the performer, except for the windows.
    Act(Action),
    /// A request of the MIDI page.
    Midi(MidiRequest),
    /// Use the MIDI profiles in this folder.
    MidiFolder(Option<PathBuf>),
    /// A request of the Library page.
    Library(LibraryRequest),
    /// Play another folder or pack, or the built-in presets.
    Presets(Option<PathBuf>),
    /// Listen to another input.
    Listen(Box<AnalysisThread>),
    /// Whether to limit flashes.
    LimitFlashes(bool),
    /// Steps per second.
    Rate(u32),
    /// Save a screenshot of the next picture.
    Screenshot,
}

/// What the show asks of the windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    /// There is something new to show on the desk, or an action in the queue.
    Desk,
    /// The show has ended.
    Ended,
}

/// The show as the desk shows it.
#[derive(Default)]
pub(super) struct DeskState {
    /// State of the show.
    pub snapshot: Snapshot,
    /// Audio source and its state.
    pub audio: AudioLine,
    /// Times of the latest steps.
    pub times: FrameTimes,
    /// Audio as presets receive it.
    pub heard: Arc<PresetAudio>,
    /// Messages for the performer, most severe first.
    pub messages: Vec<String>,
    /// MIDI page.
    pub midi: MidiView,
    /// Library and Map pages.
    pub library: LibraryView,
}

/// What the show's thread owns.
pub(super) struct ShowParts {
    /// The show, its stage and its warmer.
    pub rig: Rig,
    /// Where its pictures go.
    pub pictures: Pictures,
    /// Sound and its features.
    pub listener: AnalysisThread,
    /// The set log, if it can be written.
    pub book: Option<LogBook>,
    /// Library and saved state.
    pub archive: Archive,
    /// MIDI devices.
    pub midi: Midi,
    /// Tells bakes on this machine that a show is playing, if the lock can be taken.
    pub show_lock: Option<ShowLock>,
    /// Commands before the first step.
    pub first: Vec<Command>,
    /// Steps per second.
    pub rate: u32,
    /// Start of the program.
    pub started: Instant,
    /// Shortest interval between two states for the desk.
    pub desk_every: Duration,
}

/// Handle of the show's thread.
pub(super) struct LiveShow {
    orders: Outbox<Order>,
    actions: Inbox<Action>,
    desk: Latest<DeskState>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl LiveShow {
    /// Starts the thread; it ends when `stop` is set. `picture` is called for every new picture, and `call` when the
    /// windows have something to do.
    pub fn start(
        parts: ShowParts,
        stop: Arc<AtomicBool>,
        picture: impl Fn() + Send + 'static,
        call: impl Fn(Call) + Send + 'static,
    ) -> std::io::Result<Self> {
        let (orders, incoming) = queue(WAITING);
        let (outgoing, actions) = queue(WAITING);
        let desk = Latest::new(DeskState::default());
        let ends = (incoming, outgoing, desk.clone());
        let stopped = stop.clone();
        let work = move || {
            // Also when the thread panics.
            let call = CallAtEnd(call);
            ShowThread::new(parts, ends, picture).run(&stopped, &call.0);
        };
        let thread = std::thread::Builder::new().name("show".into()).spawn(work)?;
        Ok(Self { orders, actions, desk, stop, thread: Some(thread) })
    }

    /// Sends an order. Returns false if the show does not take any more for now.
    pub fn send(&mut self, order: Order) -> bool {
        self.orders.send(order).is_ok()
    }

    /// Returns the newest state for the desk.
    pub fn desk(&self) -> Arc<DeskState> {
        self.desk.read()
    }

    /// Returns the next action of a MIDI device that concerns the windows.
    pub fn action(&mut self) -> Option<Action> {
        self.actions.receive()
    }

    /// Ends the show and waits until everything is saved. Returns false if the thread panicked.
    pub fn end(&mut self) -> bool {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().is_none_or(|thread| thread.join().is_ok())
    }
}

impl Drop for LiveShow {
    fn drop(&mut self) {
        self.end();
    }
}

/// Reports the end of the thread, however it ends.
struct CallAtEnd<C: Fn(Call)>(C);

impl<C: Fn(Call)> Drop for CallAtEnd<C> {
    fn drop(&mut self) {
        (self.0)(Call::Ended);
    }
}
