//! The child's side: sends heartbeats while the show runs, and stops the show when the parent requests a shutdown.

use std::io::{BufRead as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use super::{BEAT, LEAVING, PICTURE, READY, STOP, Start, VARIABLE};

/// Interval between heartbeats.
const BEAT_EVERY: Duration = Duration::from_millis(20);
/// Interval between heartbeats before the first picture; shorter, because the parent measures when that
/// picture appears.
const FIRST_BEATS_EVERY: Duration = Duration::from_millis(10);

/// A show's connection to its supervisor; inactive in a show without a supervisor.
#[derive(Clone, Debug, Default)]
pub struct Link {
    start: Option<Start>,
    turns: Arc<AtomicU64>,
    shown: Arc<AtomicBool>,
    leaving: Arc<AtomicBool>,
}

impl Link {
    /// Creates the link for this process; it is active only if a supervisor started the process.
    pub fn of_process() -> Self {
        Self { start: start(), ..Self::default() }
    }

    /// Returns whether this process is a standby, which waits until the show crashes.
    pub fn is_standby(&self) -> bool {
        self.start.as_ref().is_some_and(|start| start.standby)
    }

    /// Reports that this standby is ready, and blocks until the supervisor makes it take over. Returns false if the
    /// supervisor has ended.
    pub fn wait_for_turn(&mut self) -> bool {
        let mut out = std::io::stdout();
        let mut line = String::new();
        let reported = out.write_all(&[READY]).and_then(|()| out.flush());
        let asked = reported.and_then(|()| std::io::stdin().read_line(&mut line));
        match asked.map(|_| serde_json::from_str(&line)) {
            Ok(Ok(start)) => {
                self.start = Some(start);
                true
            }
            _ => false,
        }
    }

    /// Starts the threads that send heartbeats and set `stop` at the supervisor's request. Does nothing in a show
    /// without a supervisor.
    ///
    /// # Errors
    /// Fails if a thread cannot be started: without heartbeats, the supervisor would consider the show hung.
    pub fn connect(&self, stop: &Arc<AtomicBool>) -> std::io::Result<()> {
        if self.start.is_none() {
            return Ok(());
        }
        let (link, stop) = (self.clone(), stop.clone());
        thread::Builder::new().name("heartbeat".into()).spawn(move || link.beat())?;
        thread::Builder::new().name("supervisor".into()).spawn(move || listen(&stop))?;
        Ok(())
    }

    /// Returns how the supervisor started this show; `None` if there is no supervisor.
    pub fn start(&self) -> Option<&Start> {
        self.start.as_ref()
    }

    /// Reports that the show thread has begun another turn of its loop, which is a step or a wait. Never blocks.
    pub fn turn(&self) {
        self.turns.fetch_add(1, Ordering::Relaxed);
    }

    /// Reports that the first picture of a preset has been shown. Never blocks.
    pub fn shown(&self) {
        self.shown.store(true, Ordering::Relaxed);
    }

    /// Reports that the show is ending as requested; nothing is sent after this report. Never blocks.
    pub fn leave(&self) {
        self.leaving.store(true, Ordering::Relaxed);
    }

    /// Sends heartbeats until the parent has ended or the show ends.
    fn beat(&self) {
        let mut out = std::io::stdout();
        let mut send = |what: u8| out.write_all(&[what]).and_then(|()| out.flush()).is_ok();
        let (mut seen, mut reported) = (0, false);
        loop {
            let now = self.turns.load(Ordering::Relaxed);
            let mut connected = now == seen || send(BEAT);
            seen = now;
            if !reported && self.shown.load(Ordering::Relaxed) {
                reported = true;
                connected &= send(PICTURE);
            }
            if self.leaving.load(Ordering::Relaxed) {
                send(LEAVING); // Fails if the parent has ended as well.
                return;
            }
            if !connected {
                log::warn!("the supervisor is gone; the show continues without it");
                return;
            }
            thread::sleep(if reported { BEAT_EVERY } else { FIRST_BEATS_EVERY });
        }
    }
}

/// Returns how the supervisor started this process; `None` if no supervisor started it.
pub(super) fn start() -> Option<Start> {
    serde_json::from_str(&std::env::var(VARIABLE).ok()?).ok()
}

/// Waits for the [`STOP`] line and then sets `stop`. If the parent ends without sending it, the show continues.
fn listen(stop: &AtomicBool) {
    if std::io::stdin().lock().lines().map_while(Result::ok).any(|line| line == STOP) {
        stop.store(true, Ordering::Relaxed);
    }
}
