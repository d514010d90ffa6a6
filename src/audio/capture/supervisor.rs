//! Keeps the capture running: opens an input, detects failures, and switches to another input until the
//! preferred one returns.
//!
//! A state machine stepped with the current time. It owns the stream and communicates with the consumer only
//! through queues. It may block in a driver; the consumer never does.

use std::sync::{Arc, mpsc};

use super::doctor::{self, InputReport, SILENCE_DBFS};
use super::host::{DeviceChoice, Host, Input, InputError, OpenStream};
use super::state::{AudioState, Link};
use super::tap::{Chunk, StreamStats, tap};
use crate::audio::{Resampler, SAMPLE_RATE_HZ, dbfs};
use crate::handoff::{Inbox, Latest, Outbox};
use crate::units::Seconds;

/// Interval between searches for an input; short, so that after a restart of the sound server the capture connects
/// before a high-latency player does (see [`FIRST_WITHIN`]).
const RETRY: Seconds = Seconds(0.2);
/// Time without a callback after which a running stream is considered dead.
const DEAD_AFTER: Seconds = Seconds(0.7);
/// Time allowed for the first callback of a new stream: a PulseAudio null sink already started by a
/// high-latency player delivers its next block up to two seconds later.
const FIRST_WITHIN: Seconds = Seconds(3.0);
/// Time for which an input that opened but delivered nothing is tried only after all others.
const AVOID_FOR: Seconds = Seconds(5.0);
/// Interval between checks for the preferred input while another one is open.
const PREFERRED_CHECK: Seconds = Seconds(1.0);
/// Duration of silence after which the other inputs are measured; the time to the next measurement then
/// doubles each time.
const SILENT_AFTER: Seconds = Seconds(4.0);
/// Longest interval between two measurements, in seconds.
const MAX_EXAMINE_INTERVAL: f64 = 120.0;
/// Duration of a measurement.
const EXAMINE_FOR: Seconds = Seconds(0.6);

/// The consumer's side of an open device.
pub(super) struct DeviceStream {
    pub(super) inbox: Inbox<Chunk>,
    pub(super) resampler: Resampler,
    pub(super) rate_hz: u32,
}

/// The running stream and the state of its supervision.
struct Running {
    input: Input,
    stream: OpenStream,
    stats: Arc<StreamStats>,
    frames: u64,
    received_at: Seconds,
    check_at: Seconds,
    loud_at: Seconds,
    examine_at: Seconds,
    examine_every: f64,
    examination: Option<mpsc::Receiver<Vec<InputReport>>>,
}

enum Phase {
    Seeking { next_try: Seconds },
    Running(Box<Running>),
}

/// The state machine that supervises a capture; see the module documentation.
pub(super) struct Supervisor {
    host: Arc<dyn Host>,
    choice: DeviceChoice,
    /// ID of the input that an automatic choice prefers; `None` until the first input is opened.
    chosen: Option<String>,
    avoided: Option<(String, Seconds)>,
    phase: Phase,
    streams: Outbox<DeviceStream>,
    retired: Inbox<DeviceStream>,
    state: AudioState,
    published: Latest<AudioState>,
    /// Number of blocks dropped by streams that have since been closed.
    dropped_before: u64,
}

impl Supervisor {
    pub(super) fn new(
        host: Arc<dyn Host>,
        choice: DeviceChoice,
        streams: Outbox<DeviceStream>,
        retired: Inbox<DeviceStream>,
        published: Latest<AudioState>,
    ) -> Self {
        let phase = Phase::Seeking { next_try: Seconds(f64::MIN) };
        let state = AudioState { message: "looking for an audio input".into(), ..AudioState::default() };
        Self {
            host,
            choice,
            chosen: None,
            avoided: None,
            phase,
            streams,
            retired,
            state,
            published,
            dropped_before: 0,
        }
    }

    /// Runs the work due at `now`; called about 25 times per second.
    pub(super) fn step(&mut self, now: Seconds) {
        while self.retired.receive().is_some() {} // dropped here rather than on the consumer's thread
        let before = self.state.clone();
        match std::mem::replace(&mut self.phase, Phase::Seeking { next_try: now }) {
            Phase::Seeking { next_try } if now < next_try => self.phase = Phase::Seeking { next_try },
            Phase::Seeking { .. } => self.seek(now),
            Phase::Running(running) => self.watch(running, now),
        }
        if self.state != before {
            self.published.publish(self.state.clone());
        }
    }

    fn is_preferred(&self, input: &Input) -> bool {
        match (&self.choice, &self.chosen) {
            (DeviceChoice::Named(pattern), _) => input.matches(pattern),
            (DeviceChoice::Automatic, Some(chosen)) => input.id == *chosen,
            (DeviceChoice::Automatic, None) => true,
        }
    }

    fn seek(&mut self, now: Seconds) {
        let mut inputs = self.host.inputs();
        let avoided = self.avoided.as_ref().filter(|(_, until)| now < *until).map(|(id, _)| id.clone());
        // The sort is stable: inputs of equal rank keep the system's order.
        inputs.sort_by_key(|input| (avoided.as_ref() == Some(&input.id), !self.is_preferred(input)));
        let unmatched = match &self.choice {
            DeviceChoice::Named(pattern) if !inputs.iter().any(|input| input.matches(pattern)) => {
                format!("no input matches '{pattern}'; ")
            }
            DeviceChoice::Named(_) | DeviceChoice::Automatic => String::new(),
        };
        let mut failure = None;
        for input in inputs {
            match self.open(input.clone(), now) {
                Ok(()) => return,
                Err(error) => {
                    failure = failure.or(Some(format!("could not open '{}': {error}", input.name)));
                }
            }
        }
        let why = failure.unwrap_or_else(|| "no audio input found".into());
        if self.state.connections > 0 {
            self.state.link = Link::Lost;
        }
        self.state.message = format!(
            "{unmatched}{why}; running without audio and retrying: connect an input, or run `aivj doctor`"
        );
        self.phase = Phase::Seeking { next_try: now + RETRY };
    }

    /// Opens `input` and sends its stream to the consumer.
    fn open(&mut self, input: Input, now: Seconds) -> Result<(), InputError> {
        let (tap, inbox, stats) = tap();
        let stream = self.host.open(&input, tap)?;
        let device = DeviceStream {
            inbox,
            resampler: Resampler::new(stream.rate_hz, SAMPLE_RATE_HZ),
            rate_hz: stream.rate_hz,
        };
        if self.streams.send(device).is_err() {
            retire(stream);
            return Err(InputError::ReaderBusy);
        }
        let preferred = self.is_preferred(&input);
        let message = match (&self.choice, preferred) {
            (DeviceChoice::Named(pattern), false) => {
                format!("'{pattern}' not found; using '{}' instead", input.name)
            }
            (DeviceChoice::Automatic, false) => {
                format!("using '{}' until the preferred input returns", input.name)
            }
            (_, true) => format!("using '{}'", input.name),
        };
        log::info!("{message} ({}, {} Hz, {} ch)", input.host, stream.rate_hz, stream.channels);
        if self.chosen.is_none() {
            self.chosen = Some(input.id.clone());
        }
        self.state.device = input.name.clone();
        self.state.rate_hz = stream.rate_hz;
        self.state.channels = stream.channels;
        self.state.connections += 1;
        self.state.silent = false;
        self.state.link = Link::Running;
        self.state.message = message;
        self.phase = Phase::Running(Box::new(Running {
            input,
            stream,
            stats,
            frames: 0,
            received_at: now,
            check_at: now + PREFERRED_CHECK,
            loud_at: now,
            examine_at: now + SILENT_AFTER,
            examine_every: SILENT_AFTER.0,
            examination: None,
        }));
        Ok(())
    }

    fn watch(&mut self, mut running: Box<Running>, now: Seconds) {
        let frames = running.stats.frames();
        if frames != running.frames {
            (running.frames, running.received_at) = (frames, now);
        }
        self.state.dropped_blocks = self.dropped_before + running.stats.dropped();
        let timeout = if frames == 0 { FIRST_WITHIN } else { DEAD_AFTER };
        let timed_out = now.since(running.received_at) > timeout && !running.stream.idle_when_quiet;
        if running.stats.failed() || timed_out {
            return self.lose(*running, now);
        }
        self.update_silence(&mut running, now);
        if let Some(better) = self.better_input(&mut running, now) {
            let dropped = running.stats.dropped();
            if self.open(better, now).is_ok() {
                self.dropped_before += dropped;
                retire(running.stream);
                return;
            }
        }
        self.phase = Phase::Running(running);
    }

    fn lose(&mut self, running: Running, now: Seconds) {
        let Running { input, stream, stats, frames, .. } = running;
        if frames == 0 {
            self.avoided = Some((input.id, now + AVOID_FOR));
        }
        self.dropped_before += stats.dropped();
        self.state.link = Link::Lost;
        self.state.silent = true;
        self.state.message = format!("'{}' disconnected; looking for it or another input", input.name);
        log::warn!("{}", self.state.message);
        retire(stream);
        self.phase = Phase::Seeking { next_try: now };
    }

    /// Updates `silent`, and starts measuring the other inputs after prolonged silence.
    fn update_silence(&mut self, running: &mut Running, now: Seconds) {
        if dbfs(running.stats.take_peak()) > SILENCE_DBFS {
            (running.loud_at, running.examine_every) = (now, SILENT_AFTER.0);
            running.examine_at = now + SILENT_AFTER;
            running.examination = None;
            if self.state.silent {
                self.state.message = format!("using '{}'", running.input.name);
            }
            self.state.silent = false;
            return;
        }
        if now.since(running.loud_at) > SILENT_AFTER && !self.state.silent {
            self.state.silent = true;
            self.state.message = format!(
                "'{}' is silent: play something, raise its level or choose another input",
                running.input.name
            );
        }
        if now >= running.examine_at && running.examination.is_none() {
            running.examine_every = (running.examine_every * 2.0).min(MAX_EXAMINE_INTERVAL);
            running.examine_at = now + Seconds(running.examine_every);
            let (sender, receiver) = mpsc::sync_channel(1);
            let (host, current) = (self.host.clone(), running.input.id.clone());
            let task = move || {
                let reports = doctor::examine_host(&host, EXAMINE_FOR, Some(&current));
                sender.send(reports).ok(); // closed if the input is no longer silent or was closed
            };
            if std::thread::Builder::new().name("audio doctor".into()).spawn(task).is_ok() {
                running.examination = Some(receiver);
            }
        }
    }

    /// Returns an input to switch to: the preferred one if it has returned, or, if the choice is automatic,
    /// one with a signal while this one is silent.
    fn better_input(&mut self, running: &mut Running, now: Seconds) -> Option<Input> {
        match running.examination.as_ref().map(mpsc::Receiver::try_recv) {
            Some(Ok(reports)) => {
                running.examination = None;
                let other = doctor::diagnose(&reports).picked.map(|index| reports[index].input.clone())?;
                if self.choice == DeviceChoice::Automatic {
                    self.chosen = Some(other.id.clone());
                    return Some(other);
                }
                self.state.message = format!(
                    "'{}' is silent, but '{}' has a signal; consider switching to it",
                    running.input.name, other.name
                );
            }
            Some(Err(mpsc::TryRecvError::Disconnected)) => running.examination = None,
            Some(Err(mpsc::TryRecvError::Empty)) | None => {}
        }
        if self.is_preferred(&running.input) || now < running.check_at {
            return None;
        }
        running.check_at = now + PREFERRED_CHECK;
        self.host.inputs().into_iter().find(|input| self.is_preferred(input))
    }
}

/// Closes a stream on a separate thread, because a dead driver may never return.
fn retire(stream: OpenStream) {
    let close = move || drop(stream.stream);
    // If the thread cannot be started, the closure drops the stream here.
    std::thread::Builder::new().name("audio retire".into()).spawn(close).ok();
}

#[cfg(test)]
mod tests;
