//! The analysis thread: analyses the input, and passes audio and features to the show without ever waiting for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::analysis::{Analyser, Features, Hearing, RoomCheck, TempoRequest};
use crate::audio::{
    AudioState, Block, Capture, DeviceChoice, Link, PcmSource, Playback, SAMPLE_RATE_HZ, Source, demo,
};
use crate::handoff::{Inbox, Latest, Outbox, queue};
use crate::show::AudioLine;
use crate::units::Seconds;

/// Interval between reads of the input; well below the 10 ms beyond which a delay may be visible.
const READ_EVERY: Duration = Duration::from_millis(4);
/// Capacity of the queue to the show's thread, in audio frames: one second. While it is full, new audio
/// frames are dropped.
const WAITING_FRAMES: usize = SAMPLE_RATE_HZ as usize;

/// Interval between judgements of how the input sounds, in audio frames (2 s).
const HEARING_FRAMES: usize = 2 * SAMPLE_RATE_HZ as usize;

/// The audio source of a show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SoundChoice {
    /// The system's default input or, if that stays silent, another input with a signal.
    Automatic,
    /// The first input whose name or ID contains this text, ignoring case.
    Named(String),
    /// The built-in demo track.
    Demo,
}

impl SoundChoice {
    /// Converts the audio setting: `demo`, part of an input's name or ID, or `None` for automatic.
    pub fn of(name: Option<&str>) -> Self {
        match name {
            None => Self::Automatic,
            Some("demo") => Self::Demo,
            Some(name) => Self::Named(name.to_owned()),
        }
    }
}

/// Handle to the analysis thread.
pub(super) struct AnalysisThread {
    /// Latest features of the music.
    pub features: Latest<Features>,
    sound: Inbox<[f32; 2]>,
    requests: Outbox<TempoRequest>,
    hearing: Latest<Option<Hearing>>,
    state: Option<Latest<AudioState>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl AnalysisThread {
    /// Starts the thread. A missing input is not an error; [`Self::line`] reports it.
    pub fn start(choice: &SoundChoice) -> anyhow::Result<Self> {
        let epoch = Instant::now();
        let now = move || Seconds(epoch.elapsed().as_secs_f64());
        // The demo track is synthesised on the analysis thread, because that takes seconds.
        let (open, state): (Box<dyn FnOnce() -> Box<dyn Source> + Send>, _) = match choice {
            SoundChoice::Demo => (
                Box::new(|| {
                    let track = demo::render(SAMPLE_RATE_HZ);
                    Box::new(PcmSource::new("Demo track", &track, Playback::Loop))
                }),
                None,
            ),
            SoundChoice::Automatic | SoundChoice::Named(_) => {
                let device = match choice {
                    SoundChoice::Named(name) => DeviceChoice::Named(name.clone()),
                    _ => DeviceChoice::Automatic,
                };
                let capture = Capture::open(device, Arc::new(now))?;
                let state = capture.state();
                (Box::new(move || Box::new(capture)), Some(state))
            }
        };
        let (mut out, sound): (Outbox<[f32; 2]>, _) = queue(WAITING_FRAMES);
        let (requests, mut incoming) = queue(64);
        let features = Latest::new(Features::default());
        let stop = Arc::new(AtomicBool::new(false));
        let hearing = Latest::new(None);
        let (stopped, known, judged) = (stop.clone(), features.clone(), hearing.clone());
        let work = move || {
            let mut source = open();
            let mut analyser = Analyser::new();
            let (mut check, mut unjudged) = (RoomCheck::new(), 0);
            let mut block = Block::with_capacity(Seconds(0.5));
            while !stopped.load(Ordering::Relaxed) {
                source.read(now(), &mut block);
                while let Some(request) = incoming.receive() {
                    analyser.tempo(request);
                }
                if !block.frames.is_empty() {
                    analyser.push(&block.frames);
                    known.publish(*analyser.features());
                    check.push(&block.frames);
                    unjudged += block.frames.len();
                }
                if unjudged >= HEARING_FRAMES {
                    unjudged = 0;
                    judged.publish(check.hearing(analyser.features().beat.trusted()));
                }
                out.send_all(&block.frames); // The queue counts dropped frames.
                thread::sleep(READ_EVERY);
            }
        };
        let thread = thread::Builder::new().name("analysis".into()).spawn(work)?;
        Ok(Self { features, sound, requests, hearing, state, stop, thread: Some(thread) })
    }

    /// Sends tempo requests to the analysis thread. A full queue drops requests, but no performer is fast enough to
    /// fill it.
    pub fn request(&mut self, requests: impl Iterator<Item = TempoRequest>) {
        for request in requests {
            self.requests.send(request).ok();
        }
    }

    /// Replaces the contents of `into` with the audio received since the last call.
    pub fn collect(&mut self, into: &mut Vec<[f32; 2]>) {
        into.clear();
        self.sound.receive_all(into);
    }

    /// Returns the name of the audio source, its current problem, if any, and how it sounds.
    pub fn line(&self) -> AudioLine {
        let Some(state) = &self.state else {
            return AudioLine { source: "Demo track".into(), ..AudioLine::default() };
        };
        let state = state.read();
        let well = state.link == Link::Running && !state.silent;
        AudioLine {
            source: state.device.clone(),
            problem: if well { String::new() } else { state.message.clone() },
            hearing: self.hearing.read().map_or_else(String::new, |hearing| hearing.to_string()),
        }
    }
}

impl Drop for AnalysisThread {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().ok(); // The thread ends after its current read.
        }
    }
}
