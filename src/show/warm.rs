//! Decks made ready off the render thread: bytes to parse, compile, translate, pipelines, first frames.
//!
//! In a live show threads of its own do it; an offline show does it in place, so that every run is the same. Either way
//! the result comes back as an [`Arrival`], and only an arrived deck can be cut to.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

use crate::handoff::Latest;
use crate::library::{PresetId, PresetSource};
use crate::milk::{PresetAudio, Program};
use crate::stage::{Deck, DeckId, DeckSettings, RenderContext, StageError};

/// Threads that make decks ready in a live show: one for each candidate, and one more, so that what needs no audit
/// never stands behind two presets that wait for theirs.
const WARM_UP_THREADS: usize = 3;
/// How long a thread rests when something other than the preset went wrong.
const REST: Duration = Duration::from_millis(500);
/// Decks that may wait to be made ready; more than that are refused and wished for again.
const MAX_WAITING: usize = 8;

/// A deck somebody wants.
#[derive(Clone, Debug)]
pub struct DeckRequest {
    /// The name it will have on the rack.
    pub deck: DeckId,
    /// Which preset plays on it.
    pub preset: PresetId,
    /// Where that comes from.
    pub source: PresetSource,
    /// The performer took it in again: nobody else is asked whether it may be shown.
    pub rescued: bool,
    /// Seed of everything random about it.
    pub seed: u64,
    /// Frames to draw before it counts as warm.
    pub warm_frames: u32,
}

/// Says whether a preset may be shown at all. Asked on warm-up threads, so it may take its time.
pub trait Admission: Send + Sync {
    /// Whether the preset that comes from here, and has this identity, may be shown.
    fn admit(&self, source: &PresetSource, id: PresetId) -> Result<(), DeckError>;
}

/// Why there is no deck, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeckError {
    /// The preset itself cannot be played.
    Unplayable(String),
    /// It could be played, but an audit found that it should not be shown.
    Excluded(String),
    /// Something else went wrong; nothing is said about the preset.
    Temporary(String),
}

/// A deck made ready, or why it could not be.
pub struct Arrival {
    /// Which wish this answers.
    pub deck: DeckId,
    /// The deck, or why there is none.
    pub result: Result<Box<Deck>, DeckError>,
    /// How long each stage took.
    pub took: PrepareTimes,
}

/// How long the stages of making a deck ready took, milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct PrepareTimes {
    /// Reading the text.
    pub read_ms: f64,
    /// Waiting for the audit of a preset that had none.
    pub admit_ms: f64,
    /// Parsing, compiling and translating.
    pub compile_ms: f64,
    /// Pipelines and images.
    pub build_ms: f64,
    /// The first frames.
    pub warm_up_ms: f64,
}

impl PrepareTimes {
    /// All stages together.
    pub fn total_ms(&self) -> f64 {
        self.read_ms + self.admit_ms + self.compile_ms + self.build_ms + self.warm_up_ms
    }
}

/// Makes decks ready.
pub enum Warmer {
    /// On threads of its own.
    Threads {
        /// Wishes on their way to the threads; taken when the warmer is dropped.
        requests: Option<SyncSender<DeckRequest>>,
        /// The threads themselves.
        threads: Vec<thread::JoinHandle<()>>,
        /// Tells the threads to leave what still waits.
        closing: Arc<AtomicBool>,
        /// Decks on their way back.
        arrivals: Receiver<Arrival>,
    },
    /// At once, where it is asked.
    InPlace {
        /// What decks are built with.
        render_context: Arc<RenderContext>,
        /// What the warm-up frames hear.
        heard: Latest<PresetAudio>,
        /// How decks are built.
        settings: DeckSettings,
        /// What every preset has to pass first, if there is one.
        door: Option<Arc<dyn Admission>>,
        /// Decks ready to be collected.
        ready: Vec<Arrival>,
    },
}

impl Warmer {
    /// Threads named "warm-up" that end when the warmer is dropped.
    ///
    /// Every preset has to pass `door` first, if there is one.
    pub fn threads(
        render_context: &Arc<RenderContext>,
        heard: &Latest<PresetAudio>,
        settings: DeckSettings,
        door: Option<Arc<dyn Admission>>,
    ) -> Self {
        let (requests, waiting) = mpsc::sync_channel::<DeckRequest>(MAX_WAITING);
        let (report, arrivals) = mpsc::channel();
        let waiting = Arc::new(std::sync::Mutex::new(waiting));
        let mut threads = Vec::new();
        let closing = Arc::new(AtomicBool::new(false));
        for number in 0..WARM_UP_THREADS {
            let (render_context, heard, waiting) = (render_context.clone(), heard.clone(), waiting.clone());
            let (closing, door) = (closing.clone(), door.clone());
            let report: Sender<Arrival> = report.clone();
            let work = move || {
                loop {
                    let next = waiting.lock().unwrap_or_else(std::sync::PoisonError::into_inner).recv();
                    let Ok(request) = next else { break };
                    if closing.load(Ordering::Relaxed) {
                        break;
                    }
                    let arrival = prepare(&render_context, &heard, settings, &request, door.as_deref());
                    if matches!(arrival.result, Err(DeckError::Temporary(_))) {
                        thread::sleep(REST); // A folder that is away must not be asked at every frame.
                    }
                    if report.send(arrival).is_err() {
                        break; // The show is over.
                    }
                }
            };
            let thread = thread::Builder::new().name(format!("warm-up {number}")).stack_size(64 << 20);
            match thread.spawn(work) {
                Ok(thread) => threads.push(thread),
                Err(error) => {
                    log::error!("a warm-up thread could not start ({error}); presets will be ready later");
                }
            }
        }
        Self::Threads { requests: Some(requests), threads, closing, arrivals }
    }

    /// Decks are made ready where they are asked for. Every preset has to pass `door` first, if there is one.
    pub fn in_place(
        render_context: &Arc<RenderContext>,
        heard: &Latest<PresetAudio>,
        settings: DeckSettings,
        door: Option<Arc<dyn Admission>>,
    ) -> Self {
        Self::InPlace {
            render_context: render_context.clone(),
            heard: heard.clone(),
            settings,
            door,
            ready: Vec::new(),
        }
    }

    /// Asks for a deck; false when too many wait already.
    pub fn ask(&mut self, request: DeckRequest) -> bool {
        match self {
            Self::Threads { requests, .. } => requests.as_ref().is_some_and(|w| w.try_send(request).is_ok()),
            Self::InPlace { render_context, heard, settings, door, ready } => {
                ready.push(prepare(render_context, heard, *settings, &request, door.as_deref()));
                true
            }
        }
    }

    /// A deck that has been made ready since the last call.
    pub fn collect(&mut self) -> Option<Arrival> {
        match self {
            Self::Threads { arrivals, .. } => arrivals.try_recv().ok(),
            Self::InPlace { ready, .. } => (!ready.is_empty()).then(|| ready.remove(0)),
        }
    }
}

impl Drop for Warmer {
    /// Waits for the deck in hand: a driver must not be left in the middle of its work when the process ends.
    fn drop(&mut self) {
        if let Self::Threads { requests, threads, closing, .. } = self {
            closing.store(true, Ordering::Relaxed);
            requests.take();
            for thread in threads.drain(..) {
                // What a preset does to its thread was caught where it happened.
                thread.join().ok();
            }
        }
    }
}

/// A preset's bytes. That they cannot be read says nothing about the preset: its disk may be away.
fn read(source: &PresetSource) -> Result<Vec<u8>, DeckError> {
    source.read().map_err(DeckError::Temporary)
}

fn prepare(
    render_context: &RenderContext,
    heard: &Latest<PresetAudio>,
    settings: DeckSettings,
    request: &DeckRequest,
    door: Option<&dyn Admission>,
) -> Arrival {
    let mut took = PrepareTimes::default();
    let unplayable = |error: StageError| DeckError::Unplayable(error.to_string());
    let build = || {
        let mut since = Instant::now();
        let mut lap = || std::mem::replace(&mut since, Instant::now()).elapsed().as_secs_f64() * 1000.0;
        let bytes = read(&request.source)?;
        took.read_ms = lap();
        let id = PresetId::of(&bytes);
        if let Some(door) = door.filter(|_| !(request.rescued && id == request.preset)) {
            door.admit(&request.source, id)?;
            took.admit_ms = lap();
        }
        let program =
            Program::compile(&bytes).map_err(|refusal| DeckError::Unplayable(refusal.to_string()))?;
        took.compile_ms = lap();
        let mut deck = Deck::prepare(render_context, program, settings, request.seed).map_err(unplayable)?;
        took.build_ms = lap();
        deck.warm_up(render_context, &heard.read(), request.warm_frames).map_err(unplayable)?;
        took.warm_up_ms = lap();
        Ok(Box::new(deck))
    };
    // A preset must not take its thread down with it.
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(build))
        .unwrap_or_else(|_| Err(DeckError::Unplayable("the engine failed on this preset".to_owned())));
    Arrival { deck: request.deck, result, took }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_is_away_is_not_the_presets_fault() {
        let away = PresetSource::File("/no/such/disk/a.milk".into());
        assert!(matches!(read(&away), Err(DeckError::Temporary(why)) if !why.is_empty()));
        assert_eq!(read(&PresetSource::BuiltIn("zoom=1")), Ok(b"zoom=1".to_vec()));
    }
}
