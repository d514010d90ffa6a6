//! Live capture: a device feeds a queue, a supervisor thread keeps a device open, and a doctor finds an input with a
//! signal.
//!
//! The consumer reads a [`Capture`] like any other source and never blocks: without a device it reads silence in real
//! time, and [`AudioState`] reports the reason.

mod calibrate;
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
use supervisor::{DeviceStream, Supervisor};

pub use calibrate::{CalibrationError, measure_input_delay};
pub use host::{DeviceChoice, Input, InputError, InputKind};
pub use state::{AudioState, Link};

use super::{AudioError, Block, Frame, SAMPLE_RATE_HZ, Source};
use crate::handoff::{Inbox, Latest, Outbox, queue};
use crate::units::{SampleIndex, Seconds};

/// The show clock, for threads that need to read it.
pub type Clock = Arc<dyn Fn() -> Seconds + Send + Sync>;

/// Interval between the supervisor's checks, too short for a viewer to notice.
const STEP: Duration = Duration::from_millis(40);
/// Time without audio after which silence is inserted.
const SILENCE_AFTER: Seconds = Seconds(0.1);
/// Maximum silence inserted by one read, in seconds.
const MAX_SILENCE_SECS: f64 = 0.5;
/// Maximum silence inserted for a gap of lost frames, in seconds.
const MAX_GAP_SECS: f64 = 1.0;

/// Live audio from a device; runs until dropped.
pub struct Capture {
    reader: CaptureReader,
    state: Latest<AudioState>,
    running: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Capture {
    /// Starts capturing. A missing device is not an error: the supervisor keeps looking for it and reports it in the
    /// state.
    pub fn open(choice: DeviceChoice, clock: Clock) -> Result<Self, AudioError> {
        Self::on(Arc::new(Devices), choice, clock)
    }

    fn on(host: Arc<dyn Host>, choice: DeviceChoice, clock: Clock) -> Result<Self, AudioError> {
        let state = Latest::new(AudioState::default());
        let (reader, streams, retired) = reader();
        let mut supervisor = Supervisor::new(host, choice, streams, retired, state.clone());
        let running = Arc::new(AtomicBool::new(true));
        let keep_running = running.clone();
        let supervise = move || {
            while keep_running.load(Ordering::Relaxed) {
                supervisor.step(clock());
                std::thread::park_timeout(STEP);
            }
        };
        let thread =
            std::thread::Builder::new().name("audio".into()).spawn(supervise).map_err(AudioError::Thread)?;
        Ok(Self { reader, state, running, thread: Some(thread) })
    }

    /// Returns the cell that holds the latest state; cheap to clone.
    pub fn state(&self) -> Latest<AudioState> {
        self.state.clone()
    }
}

impl Drop for Capture {
    /// Stops the supervisor without joining it, because a driver may block it.
    fn drop(&mut self) {
        self.running.store(false, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
        }
    }
}

impl Source for Capture {
    fn read(&mut self, now: Seconds, block: &mut Block) {
        self.reader.read(now, block);
    }

    fn finished(&self) -> bool {
        false
    }

    fn name(&self) -> String {
        let state = self.state.read();
        if state.device.is_empty() { "audio input".into() } else { state.device.clone() }
    }
}

/// Returns the inputs of this computer, the most likely choices first. May block for a few seconds.
pub fn inputs() -> Vec<Input> {
    Devices.inputs()
}

/// The consumer's side of a capture; switches streams as devices come and go.
struct CaptureReader {
    streams: Inbox<DeviceStream>,
    retired: Outbox<DeviceStream>,
    stream: Option<DeviceStream>,
    /// Number of the frame expected next from the stream.
    expected: u64,
    /// Number of frames delivered.
    position: u64,
    /// Time up to which audio or silence was delivered.
    covered: Option<Seconds>,
}

fn reader() -> (CaptureReader, Outbox<DeviceStream>, Inbox<DeviceStream>) {
    let (streams_out, streams) = queue(8);
    let (retired, retired_in) = queue(16);
    let reader = CaptureReader { streams, retired, stream: None, expected: 0, position: 0, covered: None };
    (reader, streams_out, retired_in)
}

impl CaptureReader {
    fn read(&mut self, now: Seconds, block: &mut Block) {
        block.start = SampleIndex(self.position);
        block.frames.clear();
        self.drain(&mut block.frames);
        while let Some(fresh) = self.streams.receive() {
            if let Some(old) = self.stream.replace(fresh) {
                // The queue is full only while a driver blocks the supervisor; the stream is then dropped here.
                drop(self.retired.send(old));
            }
            self.expected = 0;
            self.drain(&mut block.frames);
        }
        let covered = *self.covered.get_or_insert(now);
        if !block.frames.is_empty() {
            self.covered = Some(now);
        } else if now.since(covered) > SILENCE_AFTER {
            let missing = now.since(covered).0.min(MAX_SILENCE_SECS);
            block.frames.resize((missing * f64::from(SAMPLE_RATE_HZ)) as usize, [0.0; 2]);
            self.covered = Some(now);
        }
        self.position += block.frames.len() as u64;
    }

    fn drain(&mut self, out: &mut Vec<Frame>) {
        const SILENCE: [Frame; tap::CHUNK] = [[0.0; 2]; tap::CHUNK];
        let Some(stream) = &mut self.stream else { return };
        while let Some(chunk) = stream.inbox.receive() {
            let most = (f64::from(stream.rate_hz) * MAX_GAP_SECS) as u64;
            let mut gap = chunk.start.saturating_sub(self.expected).min(most) as usize;
            while gap > 0 {
                let part = gap.min(SILENCE.len());
                stream.resampler.push(&SILENCE[..part], out);
                gap -= part;
            }
            stream.resampler.push(chunk.frames(), out);
            self.expected = chunk.start + chunk.frames().len() as u64;
        }
    }
}

#[cfg(test)]
mod tests;
