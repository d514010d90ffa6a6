//! Keeps sound coming: opens an input, notices when it dies, looks for it again, takes another meanwhile.
//!
//! A state machine that is stepped with the time; it owns the stream and talks to the consumer through queues
//! only. It may wait for a driver, the consumer never does.

use std::sync::{Arc, mpsc};

use super::doctor::{self, InputReport, SILENCE_DBFS};
use super::host::{DeviceChoice, Host, Input, Opened};
use super::state::{AudioState, Link};
use super::tap::{Chunk, Vitals, tap};
use crate::audio::{HOUSE_RATE_HZ, Resampler, dbfs};
use crate::handoff::{Inbox, Latest, Outbox};
use crate::units::Seconds;

/// Time between two searches: often, because a sound server serves first who comes first (see `FIRST_WITHIN`).
const RETRY: Seconds = Seconds(0.2);
/// Without a callback for this long a running stream is dead.
const DEAD_AFTER: Seconds = Seconds(0.7);
/// A fresh stream may take this long to its first callback: a PulseAudio null sink that a player of long latency
/// has already started hands out its next block up to two seconds later.
const FIRST_WITHIN: Seconds = Seconds(3.0);
/// An input that opened but stayed dumb is tried last for this long.
const AVOID_FOR: Seconds = Seconds(5.0);
/// How often the preferred input is looked for while another one runs.
const LOOK_FOR_PREFERRED: Seconds = Seconds(1.0);
/// Silent for this long, the other inputs are examined; then after twice the time, and so on.
const SILENT_AFTER: Seconds = Seconds(4.0);
/// Longest time between two examinations.
const EXAMINE_AT_LEAST: f64 = 120.0;
/// How long an examination listens.
const EXAMINE_FOR: Seconds = Seconds(0.6);

/// One opened device, as the consumer sees it.
pub(super) struct Line {
    pub(super) inbox: Inbox<Chunk>,
    pub(super) resampler: Resampler,
    pub(super) rate_hz: u32,
}

/// A running stream.
struct Running {
    input: Input,
    stream: Opened,
    vitals: Arc<Vitals>,
    frames: u64,
    heard_at: Seconds,
    look_at: Seconds,
    loud_at: Seconds,
    examine_at: Seconds,
    examine_every: f64,
    examination: Option<mpsc::Receiver<Vec<InputReport>>>,
}

enum Phase {
    Seeking { next_try: Seconds },
    Running(Box<Running>),
}

/// See the module.
pub(super) struct Supervisor {
    host: Arc<dyn Host>,
    choice: DeviceChoice,
    /// Identity of the input that automatic choice has settled on.
    home: Option<String>,
    avoided: Option<(String, Seconds)>,
    phase: Phase,
    lines: Outbox<Line>,
    retired: Inbox<Line>,
    state: AudioState,
    published: Latest<AudioState>,
    /// Chunks lost by streams that are gone.
    dropped_before: u64,
}

impl Supervisor {
    pub(super) fn new(
        host: Arc<dyn Host>,
        choice: DeviceChoice,
        lines: Outbox<Line>,
        retired: Inbox<Line>,
        published: Latest<AudioState>,
    ) -> Self {
        let phase = Phase::Seeking { next_try: Seconds(f64::MIN) };
        let state = AudioState { message: "looking for an audio input".into(), ..AudioState::default() };
        Self {
            host,
            choice,
            home: None,
            avoided: None,
            phase,
            lines,
            retired,
            state,
            published,
            dropped_before: 0,
        }
    }

    /// Does what is due at `now`; called about twenty times a second.
    pub(super) fn step(&mut self, now: Seconds) {
        while self.retired.receive().is_some() {} // dropped here, not on the consumer's thread
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
        match (&self.choice, &self.home) {
            (DeviceChoice::Named(wish), _) => input.answers_to(wish),
            (DeviceChoice::Automatic, Some(home)) => input.id == *home,
            (DeviceChoice::Automatic, None) => true,
        }
    }

    fn seek(&mut self, now: Seconds) {
        let mut inputs = self.host.inputs();
        let avoided = self.avoided.as_ref().filter(|(_, until)| now < *until).map(|(id, _)| id.clone());
        // Stable: among equals the order of the system stays.
        inputs.sort_by_key(|input| (avoided.as_ref() == Some(&input.id), !self.is_preferred(input)));
        let mut refused = None;
        for input in inputs {
            match self.open(input.clone(), now) {
                Ok(()) => return,
                Err(reason) => {
                    refused = refused.or(Some(format!("'{}' does not open: {reason}", input.name)));
                }
            }
        }
        let why = refused.unwrap_or_else(|| "no audio input was found".into());
        if self.state.connections > 0 {
            self.state.link = Link::Lost;
        }
        self.state.message =
            format!("{why}; the show goes on in silence and keeps looking: plug it in, or see the doctor");
        self.phase = Phase::Seeking { next_try: now + RETRY };
    }

    /// Opens `input` and hands its line to the consumer.
    fn open(&mut self, input: Input, now: Seconds) -> Result<(), String> {
        let (tap, inbox, vitals) = tap();
        let stream = self.host.open(&input, tap)?;
        let line =
            Line { inbox, resampler: Resampler::new(stream.rate_hz, HOUSE_RATE_HZ), rate_hz: stream.rate_hz };
        if self.lines.send(line).is_err() {
            retire(stream);
            return Err("the listener is busy".into());
        }
        let preferred = self.is_preferred(&input);
        let how = match (&self.choice, preferred) {
            (DeviceChoice::Named(wish), false) => {
                format!("'{wish}' is not there, so listening to '{}'", input.name)
            }
            (DeviceChoice::Automatic, false) => {
                format!("listening to '{}' until the other returns", input.name)
            }
            (_, true) => format!("listening to '{}'", input.name),
        };
        log::info!("{how} ({}, {} Hz, {} ch)", input.host, stream.rate_hz, stream.channels);
        if self.home.is_none() {
            self.home = Some(input.id.clone());
        }
        self.state.device = input.name.clone();
        self.state.rate_hz = stream.rate_hz;
        self.state.channels = stream.channels;
        self.state.connections += 1;
        self.state.silent = false;
        self.state.link = Link::Running;
        self.state.message = how;
        self.phase = Phase::Running(Box::new(Running {
            input,
            stream,
            vitals,
            frames: 0,
            heard_at: now,
            look_at: now + LOOK_FOR_PREFERRED,
            loud_at: now,
            examine_at: now + SILENT_AFTER,
            examine_every: SILENT_AFTER.0,
            examination: None,
        }));
        Ok(())
    }

    fn watch(&mut self, mut running: Box<Running>, now: Seconds) {
        let frames = running.vitals.frames();
        if frames != running.frames {
            (running.frames, running.heard_at) = (frames, now);
        }
        self.state.dropped_blocks = self.dropped_before + running.vitals.dropped();
        let patience = if frames == 0 { FIRST_WITHIN } else { DEAD_AFTER };
        let dumb = now.since(running.heard_at) > patience && !running.stream.rests_when_quiet;
        if running.vitals.failed() || dumb {
            return self.lose(*running, now);
        }
        self.listen_for_silence(&mut running, now);
        if let Some(better) = self.better_input(&mut running, now) {
            let dropped = running.vitals.dropped();
            if self.open(better, now).is_ok() {
                self.dropped_before += dropped;
                retire(running.stream);
                return;
            }
        }
        self.phase = Phase::Running(running);
    }

    fn lose(&mut self, running: Running, now: Seconds) {
        let Running { input, stream, vitals, frames, .. } = running;
        if frames == 0 {
            self.avoided = Some((input.id, now + AVOID_FOR));
        }
        self.dropped_before += vitals.dropped();
        self.state.link = Link::Lost;
        self.state.silent = true;
        self.state.message = format!("'{}' is gone; looking for it, and for another input", input.name);
        log::warn!("{}", self.state.message);
        retire(stream);
        self.phase = Phase::Seeking { next_try: now };
    }

    /// Keeps `silent` true to what is heard and, after a while of silence, examines the other inputs.
    fn listen_for_silence(&mut self, running: &mut Running, now: Seconds) {
        if dbfs(running.vitals.take_peak()) > SILENCE_DBFS {
            (running.loud_at, running.examine_every) = (now, SILENT_AFTER.0);
            running.examine_at = now + SILENT_AFTER;
            running.examination = None;
            if self.state.silent {
                self.state.message = format!("listening to '{}'", running.input.name);
            }
            self.state.silent = false;
            return;
        }
        if now.since(running.loud_at) > SILENT_AFTER && !self.state.silent {
            self.state.silent = true;
            self.state.message = format!(
                "'{}' is silent: play something, raise its level, or choose another input",
                running.input.name
            );
        }
        if now >= running.examine_at && running.examination.is_none() {
            running.examine_every = (running.examine_every * 2.0).min(EXAMINE_AT_LEAST);
            running.examine_at = now + Seconds(running.examine_every);
            let (sender, receiver) = mpsc::sync_channel(1);
            let (host, listened_to) = (self.host.clone(), running.input.id.clone());
            let deed = move || {
                let reports = doctor::examine_host(&host, EXAMINE_FOR, Some(&listened_to));
                sender.send(reports).ok(); // receiver gone means that sound came back meanwhile
            };
            if std::thread::Builder::new().name("audio doctor".into()).spawn(deed).is_ok() {
                running.examination = Some(receiver);
            }
        }
    }

    /// An input to change to: the preferred one that has returned, or one that carries sound while this is silent.
    fn better_input(&mut self, running: &mut Running, now: Seconds) -> Option<Input> {
        match running.examination.as_ref().map(mpsc::Receiver::try_recv) {
            Some(Ok(reports)) => {
                running.examination = None;
                let other = doctor::diagnose(&reports).picked.map(|index| reports[index].input.clone())?;
                if self.choice == DeviceChoice::Automatic {
                    self.home = Some(other.id.clone());
                    return Some(other);
                }
                self.state.message = format!(
                    "'{}' is silent, but '{}' carries sound: choose that one",
                    running.input.name, other.name
                );
            }
            Some(Err(mpsc::TryRecvError::Disconnected)) => running.examination = None,
            Some(Err(mpsc::TryRecvError::Empty)) | None => {}
        }
        if self.is_preferred(&running.input) || now < running.look_at {
            return None;
        }
        running.look_at = now + LOOK_FOR_PREFERRED;
        self.host.inputs().into_iter().find(|input| self.is_preferred(input))
    }
}

/// Closes a stream on a thread of its own, because a dead driver may never return from it.
fn retire(stream: Opened) {
    let deed = move || drop(stream.stream);
    // Without a thread the closure is dropped here, and the stream with it.
    std::thread::Builder::new().name("audio retire".into()).spawn(deed).ok();
}

#[cfg(test)]
mod tests;
