//! Prepares decks off the render thread: read, parse, compile, translate, build pipelines, draw the first frames.
//!
//! A live show uses threads; an offline show prepares in place, which makes every run the same. Either way the result
//! is an [`Arrival`], and only an arrived deck can be cut to.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

use crate::handoff::Latest;
use crate::library::{PresetId, PresetSource};
use crate::milk::{PresetAudio, Program};
use crate::stage::{Deck, DeckId, DeckLook, DeckSettings, RenderContext, StageError};

/// Warm-up threads of a live show: one per candidate, and one more for presets that need no audit and must not queue
/// behind two that do.
const WARM_UP_THREADS: usize = 3;
/// How long a thread pauses after a failure that is not the preset's fault.
const REST: Duration = Duration::from_millis(500);
/// How often the warm-up of a deck that shows nothing yet is repeated: many pictures build up over a second.
const PATIENCE: u32 = 4;
/// Queued requests; further ones are rejected and repeated later.
const MAX_WAITING: usize = 8;

/// A request for a deck.
#[derive(Clone, Debug)]
pub struct DeckRequest {
    /// Id of the deck on the stage.
    pub deck: DeckId,
    /// The preset to play.
    pub preset: PresetId,
    /// Where to read the preset.
    pub source: PresetSource,
    /// Whether the performer rescued the preset, which skips admission.
    pub rescued: bool,
    /// Random seed of the deck.
    pub seed: u64,
    /// Frames to draw before the deck is warm.
    pub warm_frames: u32,
}

/// Decides whether a preset may be shown. Called on warm-up threads, where it may block.
pub trait Admission: Send + Sync {
    /// Checks the preset with this source and id.
    fn admit(&self, source: &PresetSource, id: PresetId) -> Result<(), DeckError>;
}

/// Why a deck could not be prepared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeckError {
    /// The preset cannot be played.
    Unplayable(String),
    /// The preset is playable but an audit found that it should not be shown.
    Excluded(String),
    /// A failure unrelated to the preset, such as an unreadable file.
    Temporary(String),
}

/// The result of a request.
pub struct Arrival {
    /// The requested deck.
    pub deck: DeckId,
    /// What it shows, if that could be measured.
    pub look: Option<DeckLook>,
    /// The deck, or why there is none.
    pub result: Result<Box<Deck>, DeckError>,
    /// How long each step took.
    pub took: PrepareTimes,
}

/// Durations of the steps of preparing a deck, milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct PrepareTimes {
    /// Reading the file.
    pub read_ms: f64,
    /// Auditing a preset without a verdict.
    pub admit_ms: f64,
    /// Parsing, compiling and translating.
    pub compile_ms: f64,
    /// Building pipelines and loading images.
    pub build_ms: f64,
    /// Drawing the first frames.
    pub warm_up_ms: f64,
}

impl PrepareTimes {
    /// Returns the total.
    pub fn total_ms(&self) -> f64 {
        self.read_ms + self.admit_ms + self.compile_ms + self.build_ms + self.warm_up_ms
    }
}

/// Prepares decks.
pub enum Warmer {
    /// On background threads.
    Threads {
        /// Queue to the threads; closed when the warmer is dropped.
        requests: Option<SyncSender<DeckRequest>>,
        /// The threads.
        threads: Vec<thread::JoinHandle<()>>,
        /// Set to make the threads skip queued requests.
        closing: Arc<AtomicBool>,
        /// Prepared decks from the threads.
        arrivals: Receiver<Arrival>,
    },
    /// Immediately, on the calling thread.
    InPlace {
        /// The graphics device and shared pipelines.
        render_context: Arc<RenderContext>,
        /// The audio for warm-up frames.
        audio: Latest<PresetAudio>,
        /// The settings of the decks.
        settings: DeckSettings,
        /// The check that every preset must pass, if any.
        admission: Option<Arc<dyn Admission>>,
        /// Decks ready to be collected.
        ready: Vec<Arrival>,
    },
}

impl Warmer {
    /// Starts threads named "warm-up N" that end when the warmer is dropped.
    ///
    /// Every preset must pass `admission`, if given.
    pub fn threads(
        render_context: &Arc<RenderContext>,
        audio: &Latest<PresetAudio>,
        settings: DeckSettings,
        admission: Option<Arc<dyn Admission>>,
    ) -> Self {
        let (requests, waiting) = mpsc::sync_channel::<DeckRequest>(MAX_WAITING);
        let (report, arrivals) = mpsc::channel();
        let waiting = Arc::new(std::sync::Mutex::new(waiting));
        let mut threads = Vec::new();
        let closing = Arc::new(AtomicBool::new(false));
        for number in 0..WARM_UP_THREADS {
            let (render_context, audio, waiting) = (render_context.clone(), audio.clone(), waiting.clone());
            let (closing, admission) = (closing.clone(), admission.clone());
            let report: Sender<Arrival> = report.clone();
            let work = move || {
                loop {
                    let next = waiting.lock().unwrap_or_else(std::sync::PoisonError::into_inner).recv();
                    let Ok(request) = next else { break };
                    if closing.load(Ordering::Relaxed) {
                        break;
                    }
                    let arrival = prepare(&render_context, &audio, settings, &request, admission.as_deref());
                    if matches!(arrival.result, Err(DeckError::Temporary(_))) {
                        thread::sleep(REST); // Avoids retrying a missing folder at every frame.
                    }
                    if report.send(arrival).is_err() {
                        break; // The warmer was dropped.
                    }
                }
            };
            let thread = thread::Builder::new().name(format!("warm-up {number}")).stack_size(64 << 20);
            match thread.spawn(work) {
                Ok(thread) => threads.push(thread),
                Err(error) => {
                    log::error!(
                        "could not start a warm-up thread: {error}; presets will take longer to load"
                    );
                }
            }
        }
        Self::Threads { requests: Some(requests), threads, closing, arrivals }
    }

    /// Prepares decks on the calling thread. Every preset must pass `admission`, if given.
    pub fn in_place(
        render_context: &Arc<RenderContext>,
        audio: &Latest<PresetAudio>,
        settings: DeckSettings,
        admission: Option<Arc<dyn Admission>>,
    ) -> Self {
        Self::InPlace {
            render_context: render_context.clone(),
            audio: audio.clone(),
            settings,
            admission,
            ready: Vec::new(),
        }
    }

    /// Requests a deck; returns false if the queue is full.
    pub fn request(&mut self, request: DeckRequest) -> bool {
        match self {
            Self::Threads { requests, .. } => requests.as_ref().is_some_and(|w| w.try_send(request).is_ok()),
            Self::InPlace { render_context, audio, settings, admission, ready } => {
                ready.push(prepare(render_context, audio, *settings, &request, admission.as_deref()));
                true
            }
        }
    }

    /// Returns a deck that was prepared since the last call, if any.
    pub fn collect(&mut self) -> Option<Arrival> {
        match self {
            Self::Threads { arrivals, .. } => arrivals.try_recv().ok(),
            Self::InPlace { ready, .. } => (!ready.is_empty()).then(|| ready.remove(0)),
        }
    }
}

impl Drop for Warmer {
    /// Waits for the decks in progress: exiting in the middle of driver calls may crash.
    fn drop(&mut self) {
        if let Self::Threads { requests, threads, closing, .. } = self {
            closing.store(true, Ordering::Relaxed);
            requests.take();
            for thread in threads.drain(..) {
                // Panics were caught and reported inside the thread.
                thread.join().ok();
            }
        }
    }
}

/// Reads a preset. A read error is temporary because the disk may be missing.
fn read(source: &PresetSource) -> Result<Vec<u8>, DeckError> {
    source.read().map_err(DeckError::Temporary)
}

fn prepare(
    render_context: &RenderContext,
    audio: &Latest<PresetAudio>,
    settings: DeckSettings,
    request: &DeckRequest,
    admission: Option<&dyn Admission>,
) -> Arrival {
    let mut took = PrepareTimes::default();
    let mut look = None;
    let unplayable = |error: StageError| DeckError::Unplayable(error.to_string());
    let build = || {
        let mut since = Instant::now();
        let mut lap = || std::mem::replace(&mut since, Instant::now()).elapsed().as_secs_f64() * 1000.0;
        let bytes = read(&request.source)?;
        took.read_ms = lap();
        let id = PresetId::of(&bytes);
        if let Some(admission) = admission.filter(|_| !(request.rescued && id == request.preset)) {
            admission.admit(&request.source, id)?;
            took.admit_ms = lap();
        }
        let program = Program::compile(&bytes).map_err(|error| DeckError::Unplayable(error.to_string()))?;
        took.compile_ms = lap();
        let mut deck = Deck::prepare(render_context, program, settings, request.seed).map_err(unplayable)?;
        took.build_ms = lap();
        for _ in 0..=PATIENCE {
            deck.warm_up(render_context, &audio.read(), request.warm_frames).map_err(unplayable)?;
            look = deck.look(render_context).ok(); // A lost device is reported elsewhere.
            if look.is_none_or(|look| look.fault().is_none()) {
                break;
            }
        }
        took.warm_up_ms = lap();
        Ok(Box::new(deck))
    };
    // A panicking preset must not end the thread.
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(build)).unwrap_or_else(|_| {
        Err(DeckError::Unplayable("internal error while preparing the preset".to_owned()))
    });
    Arrival { deck: request.deck, look, result, took }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unreadable_file_is_a_temporary_failure() {
        let away = PresetSource::File("/no/such/disk/a.milk".into());
        assert!(matches!(read(&away), Err(DeckError::Temporary(why)) if !why.is_empty()));
        assert_eq!(read(&PresetSource::BuiltIn("zoom=1")), Ok(b"zoom=1".to_vec()));
    }
}
