//! Prepares decks off the render thread: read, parse, compile, translate, build pipelines, draw the first frames.
//!
//! A live show uses threads; an offline show prepares in place, which makes every run the same. Either way the result
//! is an [`Arrival`], and only an arrived deck can be cut to.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

use crate::handoff::Latest;
use crate::library::{PresetId, PresetSource};
use crate::milk::{PresetAudio, Program};
use crate::stage::{Deck, DeckId, DeckSettings, RenderContext, StageError};

/// Warm-up threads of a live show: one per candidate, and one more for presets that need no audit and must not queue
/// behind two that do.
const WARM_UP_THREADS: usize = 3;
/// How long a thread pauses after a failure that is not the preset's fault.
const REST: Duration = Duration::from_millis(500);
/// How long it pauses after a failure of the graphics device.
const DEVICE_REST: Duration = Duration::from_millis(100);
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
    /// Whether admission is skipped: the performer rescued the preset, or it was admitted before.
    pub admitted: bool,
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
    /// The graphics device failed, which is never blamed on the preset.
    Device(StageError),
}

/// The result of a request.
pub struct Arrival {
    /// The requested deck.
    pub deck: DeckId,
    /// The deck, or why there is none.
    pub result: Result<Box<Deck>, DeckError>,
    /// Whether the deck shows nothing after its first frames.
    pub empty: bool,
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
pub struct Warmer {
    workshop: Workshop,
    work: Work,
}

/// What every deck is prepared with.
#[derive(Clone)]
struct Workshop {
    render_context: Arc<RenderContext>,
    audio: Latest<PresetAudio>,
    settings: DeckSettings,
    admission: Option<Arc<dyn Admission>>,
}

/// Where decks are prepared.
enum Work {
    /// On background threads.
    Threads {
        /// Queue to the threads; closed when the warmer is dropped.
        requests: Option<SyncSender<DeckRequest>>,
        threads: Vec<thread::JoinHandle<()>>,
        /// Set to make the threads skip queued requests.
        closing: Arc<AtomicBool>,
        /// Prepared decks from the threads.
        arrivals: Receiver<Arrival>,
    },
    /// Immediately, on the calling thread, with the decks ready to be collected.
    InPlace(VecDeque<Arrival>),
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
        let workshop = Workshop::new(render_context, audio, settings, admission);
        Self { work: Work::start(&workshop), workshop }
    }

    /// Prepares decks on the calling thread. Every preset must pass `admission`, if given.
    pub fn in_place(
        render_context: &Arc<RenderContext>,
        audio: &Latest<PresetAudio>,
        settings: DeckSettings,
        admission: Option<Arc<dyn Admission>>,
    ) -> Self {
        let workshop = Workshop::new(render_context, audio, settings, admission);
        Self { work: Work::InPlace(VecDeque::new()), workshop }
    }

    /// Creates a warmer of the same kind for decks on another device or of another size. What this one still prepares is
    /// lost with it.
    pub fn renewed(&self, render_context: &Arc<RenderContext>, settings: DeckSettings) -> Self {
        let workshop = Workshop { render_context: render_context.clone(), settings, ..self.workshop.clone() };
        let work = match &self.work {
            Work::Threads { .. } => Work::start(&workshop),
            Work::InPlace(_) => Work::InPlace(VecDeque::new()),
        };
        Self { workshop, work }
    }

    /// Returns whether decks are prepared on the calling thread.
    pub fn works_in_place(&self) -> bool {
        matches!(self.work, Work::InPlace(_))
    }

    /// Returns the settings of the decks.
    pub fn settings(&self) -> DeckSettings {
        self.workshop.settings
    }

    /// Requests a deck; returns false if the queue is full.
    pub fn request(&mut self, request: DeckRequest) -> bool {
        match &mut self.work {
            Work::Threads { requests, .. } => requests.as_ref().is_some_and(|w| w.try_send(request).is_ok()),
            Work::InPlace(ready) => {
                ready.push_back(self.workshop.prepare(&request));
                true
            }
        }
    }

    /// Returns a deck that was prepared since the last call, if any.
    pub fn collect(&mut self) -> Option<Arrival> {
        match &mut self.work {
            Work::Threads { arrivals, .. } => arrivals.try_recv().ok(),
            Work::InPlace(ready) => ready.pop_front(),
        }
    }
}

impl Work {
    /// Starts the warm-up threads.
    fn start(workshop: &Workshop) -> Self {
        let (requests, waiting) = mpsc::sync_channel::<DeckRequest>(MAX_WAITING);
        let (report, arrivals) = mpsc::channel();
        let waiting = Arc::new(std::sync::Mutex::new(waiting));
        let mut threads = Vec::new();
        let closing = Arc::new(AtomicBool::new(false));
        for number in 0..WARM_UP_THREADS {
            let (workshop, waiting, closing) = (workshop.clone(), waiting.clone(), closing.clone());
            let report: Sender<Arrival> = report.clone();
            let work = move || {
                loop {
                    let next = waiting.lock().unwrap_or_else(std::sync::PoisonError::into_inner).recv();
                    let Ok(request) = next else { break };
                    if closing.load(Ordering::Relaxed) {
                        break;
                    }
                    let arrival = workshop.prepare(&request);
                    // Avoids retrying at every frame.
                    match arrival.result {
                        Err(DeckError::Temporary(_)) => thread::sleep(REST),
                        Err(DeckError::Device(_)) => thread::sleep(DEVICE_REST),
                        _ => {}
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
}

impl Drop for Work {
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

impl Workshop {
    fn new(
        render_context: &Arc<RenderContext>,
        audio: &Latest<PresetAudio>,
        settings: DeckSettings,
        admission: Option<Arc<dyn Admission>>,
    ) -> Self {
        Self { render_context: render_context.clone(), audio: audio.clone(), settings, admission }
    }

    fn prepare(&self, request: &DeckRequest) -> Arrival {
        let mut took = PrepareTimes::default();
        let mut empty = false;
        // A panicking preset must not end the thread.
        let built = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let deck = self.build(request, &mut took)?;
            if request.warm_frames > 0 {
                empty = deck.shows_nothing(&self.render_context).map_err(blamed)?;
            }
            Ok(deck)
        }));
        let result = built.unwrap_or_else(|_| {
            Err(DeckError::Unplayable("internal error while preparing the preset".to_owned()))
        });
        // A lost device makes any later call fail.
        let result = match result {
            Err(DeckError::Unplayable(why)) if self.render_context.gpu.lost() => {
                Err(DeckError::Device(StageError::Lost(why)))
            }
            result => result,
        };
        Arrival { deck: request.deck, result, empty, took }
    }

    fn build(&self, request: &DeckRequest, took: &mut PrepareTimes) -> Result<Box<Deck>, DeckError> {
        let mut since = Instant::now();
        let mut lap = || std::mem::replace(&mut since, Instant::now()).elapsed().as_secs_f64() * 1000.0;
        let bytes = read(&request.source)?;
        took.read_ms = lap();
        let id = PresetId::of(&bytes);
        if let Some(admission) =
            self.admission.as_ref().filter(|_| !(request.admitted && id == request.preset))
        {
            admission.admit(&request.source, id)?;
            took.admit_ms = lap();
        }
        let program = Program::compile(&bytes).map_err(|error| DeckError::Unplayable(error.to_string()))?;
        took.compile_ms = lap();
        let context = &self.render_context;
        let mut deck = Deck::prepare(context, program, self.settings, request.seed).map_err(blamed)?;
        took.build_ms = lap();
        deck.warm_up(context, &self.audio.read(), request.warm_frames).map_err(blamed)?;
        took.warm_up_ms = lap();
        Ok(Box::new(deck))
    }
}

/// Returns whose fault an error is.
fn blamed(error: StageError) -> DeckError {
    if error.of_device() { DeckError::Device(error) } else { DeckError::Unplayable(error.to_string()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_device_is_never_blamed_on_a_preset() {
        for error in [StageError::Lost("reset".into()), StageError::OutOfMemory, StageError::Timeout(20)] {
            assert_eq!(blamed(error.clone()), DeckError::Device(error));
        }
        let rejected = StageError::Invalid("no such function".into());
        assert_eq!(blamed(rejected), DeckError::Unplayable("no such function".into()));
    }

    #[test]
    fn an_unreadable_file_is_a_temporary_failure() {
        let away = PresetSource::File("/no/such/disk/a.milk".into());
        assert!(matches!(read(&away), Err(DeckError::Temporary(why)) if !why.is_empty()));
        assert_eq!(read(&PresetSource::BuiltIn("zoom=1")), Ok(b"zoom=1".to_vec()));
    }
}
