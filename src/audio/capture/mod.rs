//! Live sound: a device through a queue, kept alive by a supervisor thread; the doctor that looks for sound.
//!
//! The consumer reads a [`Capture`] like any other source and never waits: while no device delivers, it reads
//! silence at the right pace, and [`AudioState`] says why.

mod devices;
pub mod doctor;
#[cfg(test)]
mod fake;
mod host;
mod state;
mod supervisor;
mod tap;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use devices::Devices;
use host::Host;
use supervisor::{Line, Supervisor};

pub use host::{DeviceChoice, Input, InputKind};
pub use state::{AudioState, Link};

use super::{AudioError, Block, Frame, HOUSE_RATE_HZ, Source};
use crate::handoff::{Inbox, Latest, Outbox, queue};
use crate::units::{SampleIndex, Seconds};

/// The show's clock, for threads that have to ask it themselves.
pub type Clock = Arc<dyn Fn() -> Seconds + Send + Sync>;

/// How often the supervisor looks: a quarter of what an eye calls at once.
const STEP: Duration = Duration::from_millis(40);
/// When nothing has come for this long, silence is delivered in its place.
const PATIENCE: Seconds = Seconds(0.1);
/// Longest stretch of silence delivered by one read, in seconds.
const MOST_SILENCE: f64 = 0.5;
/// Lost frames that are made up for by silence, at most, in seconds.
const MOST_GAP: f64 = 1.0;

/// The sound of a device, for as long as it is held.
pub struct Capture {
    listener: CaptureThread,
    state: Latest<AudioState>,
    running: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Capture {
    /// Starts to listen. A device that is not there is no error: it is waited for, and the state says so.
    pub fn open(choice: DeviceChoice, clock: Clock) -> Result<Self, AudioError> {
        Self::on(Arc::new(Devices), choice, clock)
    }

    fn on(host: Arc<dyn Host>, choice: DeviceChoice, clock: Clock) -> Result<Self, AudioError> {
        let state = Latest::new(AudioState::default());
        let (listener, lines, retired) = listener();
        let mut supervisor = Supervisor::new(host, choice, lines, retired, state.clone());
        let running = Arc::new(AtomicBool::new(true));
        let goes_on = running.clone();
        let watch = move || {
            while goes_on.load(Ordering::Relaxed) {
                supervisor.step(clock());
                std::thread::park_timeout(STEP);
            }
        };
        let thread =
            std::thread::Builder::new().name("audio".into()).spawn(watch).map_err(AudioError::Thread)?;
        Ok(Self { listener, state, running, thread: Some(thread) })
    }

    /// The cell in which the newest state is published; cheap to clone, for the panel.
    pub fn state(&self) -> Latest<AudioState> {
        self.state.clone()
    }
}

impl Drop for Capture {
    /// Tells the supervisor to stop. It is not waited for, because a driver may hold it up.
    fn drop(&mut self) {
        self.running.store(false, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
        }
    }
}

impl Source for Capture {
    fn read(&mut self, now: Seconds, block: &mut Block) {
        self.listener.read(now, block);
    }

    fn finished(&self) -> bool {
        false
    }

    fn name(&self) -> String {
        let state = self.state.read();
        if state.device.is_empty() { "audio input".into() } else { state.device.clone() }
    }
}

/// Every input of every sound system this program was built with, the most likely first. May take two seconds.
pub fn inputs() -> Vec<Input> {
    Devices.inputs()
}

/// The consumer's end: follows the lines as devices come and go.
struct CaptureThread {
    lines: Inbox<Line>,
    retired: Outbox<Line>,
    line: Option<Line>,
    /// Number of the next frame of the line, when nothing is lost.
    expected: u64,
    /// Frames delivered so far.
    position: u64,
    /// Up to when sound, or silence in its place, was delivered.
    covered: Option<Seconds>,
}

fn listener() -> (CaptureThread, Outbox<Line>, Inbox<Line>) {
    let (lines_out, lines) = queue(8);
    let (retired, retired_in) = queue(16);
    let listener = CaptureThread { lines, retired, line: None, expected: 0, position: 0, covered: None };
    (listener, lines_out, retired_in)
}

impl CaptureThread {
    fn read(&mut self, now: Seconds, block: &mut Block) {
        block.start = SampleIndex(self.position);
        block.frames.clear();
        self.drain(&mut block.frames);
        while let Some(fresh) = self.lines.receive() {
            if let Some(old) = self.line.replace(fresh) {
                // A full queue means the supervisor is stuck in a driver; then the line is dropped right here.
                drop(self.retired.send(old));
            }
            self.expected = 0;
            self.drain(&mut block.frames);
        }
        let covered = *self.covered.get_or_insert(now);
        if !block.frames.is_empty() {
            self.covered = Some(now);
        } else if now.since(covered) > PATIENCE {
            let missing = now.since(covered).0.min(MOST_SILENCE);
            block.frames.resize((missing * f64::from(HOUSE_RATE_HZ)) as usize, [0.0; 2]);
            self.covered = Some(now);
        }
        self.position += block.frames.len() as u64;
    }

    fn drain(&mut self, out: &mut Vec<Frame>) {
        const SILENCE: [Frame; tap::CHUNK] = [[0.0; 2]; tap::CHUNK];
        let Some(line) = &mut self.line else { return };
        while let Some(chunk) = line.inbox.receive() {
            let most = (f64::from(line.rate_hz) * MOST_GAP) as u64;
            let mut gap = chunk.start.saturating_sub(self.expected).min(most) as usize;
            while gap > 0 {
                let part = gap.min(SILENCE.len());
                line.resampler.push(&SILENCE[..part], out);
                gap -= part;
            }
            line.resampler.push(chunk.frames(), out);
            self.expected = chunk.start + chunk.frames().len() as u64;
        }
    }
}

#[cfg(test)]
mod tests;
