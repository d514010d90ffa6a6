//! The thread that runs the show, and everything else that must keep running regardless of the windows: audio, MIDI,
//! set log, library and saved state.
//!
//! The windows send [`ShowRequest`]s and read the newest [`DeskState`] and picture. Neither side ever waits.

mod clock;
mod in_flight;
mod parts;
mod picture;
mod stepper;
#[cfg(test)]
mod tests;
mod thread;
mod times;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use crate::app::shutdown;
use crate::desk::Action;
use crate::handoff::{Inbox, Latest, Outbox, queue};

pub(super) use parts::{DeskState, ShowEvent, ShowParts, ShowRequest};
pub(super) use picture::{NewestPicture, Pause, Paused, Pictures};

use crate::watchdog::SHOW_THREAD;
use thread::ShowThread;

/// Capacity of the queues for requests and for actions; a performer cannot fill either.
const QUEUE_CAPACITY: usize = 1024;

/// Handle to the show's thread.
pub(super) struct LiveShow {
    requests: Outbox<ShowRequest>,
    actions: Inbox<Action>,
    desk: Latest<DeskState>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl LiveShow {
    /// Starts the thread, which ends when `stop` is set. `picture` is called for every new picture, and
    /// `notify` when the windows have something to do.
    pub fn start(
        parts: ShowParts,
        stop: Arc<AtomicBool>,
        picture: impl Fn() + Send + 'static,
        notify: impl Fn(ShowEvent) + Send + 'static,
    ) -> std::io::Result<Self> {
        let (requests, incoming) = queue(QUEUE_CAPACITY);
        let (outgoing, actions) = queue(QUEUE_CAPACITY);
        let desk = Latest::new(DeskState::default());
        let ends = (incoming, outgoing, desk.clone());
        let stopped = stop.clone();
        let ended = Arc::new(AtomicBool::new(false));
        shutdown::on_exit(&stop, &ended);
        let work = move || {
            // Reports the end even if the thread panics.
            let notify = NotifyOnDrop(notify, ended);
            ShowThread::new(parts, ends, picture).run(&stopped, &notify.0);
        };
        let thread = std::thread::Builder::new().name(SHOW_THREAD.into()).spawn(work)?;
        Ok(Self { requests, actions, desk, stop, thread: Some(thread) })
    }

    /// Sends a request. Returns false if the queue is full.
    pub fn send(&mut self, request: ShowRequest) -> bool {
        self.requests.send(request).is_ok()
    }

    /// Returns the newest state for the desk.
    pub fn desk(&self) -> Arc<DeskState> {
        self.desk.read()
    }

    /// Returns the next action that a MIDI control has requested from the windows, if any.
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
struct NotifyOnDrop<C: Fn(ShowEvent)>(C, Arc<AtomicBool>);

impl<C: Fn(ShowEvent)> Drop for NotifyOnDrop<C> {
    fn drop(&mut self) {
        self.1.store(true, Ordering::Relaxed);
        (self.0)(ShowEvent::Ended);
    }
}
