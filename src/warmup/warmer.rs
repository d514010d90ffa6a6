//! Prepares decks: reads, audits and compiles a preset, rehearses it, builds its pipelines and draws its
//! first frames.
//!
//! A live show prepares decks on threads that take turns through `queue`; an offline show prepares them
//! in place, so that every run is the same. Either way, the result is an [`Arrival`], and the show can cut only to a
//! deck that has arrived.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use super::queue::{Change, WarmQueue, WarmUpStep};
use super::rehearsal::Rehearsal;
use super::request::{DeckRequest, Urgency};
use crate::facts::PresetId;
use crate::handoff::Latest;
use crate::library::PresetSource;
use crate::milk::{COARSE_MESH, PresetAudio, Program};
use crate::stage::{Deck, DeckId, DeckLook, DeckSettings, RenderContext, StageError};

/// Number of warm-up threads of a live show: one per candidate, and one more, so that a preset that needs no
/// audit does not wait for two that do.
const WARM_UP_THREADS: usize = 3;
/// How long a warm-up thread pauses after a temporary failure, such as an unreadable file.
const REST: Duration = Duration::from_millis(500);
/// Maximum number of times the warm-up of a deck that shows nothing yet is repeated: many pictures take a
/// second to build up.
const MAX_WARM_UP_REPEATS: u32 = 4;
/// How long a warm-up thread pauses after a failure of the graphics device.
const DEVICE_REST: Duration = Duration::from_millis(100);

/// Decides whether a preset may be shown. Called on warm-up threads, or on the show's thread if decks are
/// prepared in place; may block.
pub trait Admission: Send + Sync {
    /// Checks whether the preset with this source and ID may be shown; if not, returns why.
    fn admit(&self, source: &PresetSource, id: PresetId) -> Result<(), DeckError>;
}

/// Why a deck could not be prepared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeckError {
    /// The preset cannot be played.
    Unplayable(String),
    /// The preset is playable, but an audit rejected it.
    Excluded(String),
    /// A failure unrelated to the preset, such as an unreadable file.
    Temporary(String),
    /// The graphics device failed, which is never blamed on the preset.
    Device(StageError),
    /// The device did not finish drawing the preset in time, which is blamed on the preset only if it happens again.
    TimedOut(StageError),
    /// The show has cancelled the request.
    Cancelled,
}

/// The result of a request for a deck.
pub struct Arrival {
    /// ID of the requested deck.
    pub deck: DeckId,
    /// The look of the deck's picture; `None` if it was not measured.
    pub look: Option<DeckLook>,
    /// The deck, or why there is none.
    pub result: Result<Box<Deck>, DeckError>,
    /// How long each step took.
    pub took: PrepareTimes,
}

impl Arrival {
    /// Returns whether the deck shows nothing after its first frames.
    pub fn shows_nothing(&self) -> bool {
        self.look.is_some_and(|look| look.fault().is_some())
    }
}

/// Durations of the steps of preparing a deck, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct PrepareTimes {
    /// Time to read the file.
    pub read_ms: f64,
    /// Time for admission, including an audit if the preset had no verdict yet; 0 if admission was skipped.
    pub admit_ms: f64,
    /// Time to parse, compile and translate the preset.
    pub compile_ms: f64,
    /// Time to compile shaders by drawing on a separate device; 0 if that was not needed.
    #[serde(default)]
    pub rehearse_ms: f64,
    /// Time to build pipelines and load images.
    pub build_ms: f64,
    /// Time to draw the first frames, including waits for the show.
    pub warm_up_ms: f64,
}

impl PrepareTimes {
    /// Returns the total duration of all steps, in milliseconds.
    pub fn total_ms(&self) -> f64 {
        self.read_ms + self.admit_ms + self.compile_ms + self.rehearse_ms + self.build_ms + self.warm_up_ms
    }
}

/// Prepares decks, on threads or in place.
pub struct Warmer {
    builder: DeckBuilder,
    work: Work,
}

/// Prepares one deck at a time.
#[derive(Clone)]
struct DeckBuilder {
    render_context: Arc<RenderContext>,
    audio: Latest<PresetAudio>,
    settings: DeckSettings,
    admission: Option<Arc<dyn Admission>>,
    rehearsal: Option<Rehearsal>,
}

/// Where decks are prepared.
enum Work {
    /// On background threads, which take turns.
    Threads {
        /// Queue of requests to the threads; closed when the warmer is dropped.
        queue: Arc<WarmQueue>,
        /// Changes that the queue has not taken yet.
        changes: Vec<Change>,
        threads: Vec<thread::JoinHandle<()>>,
        /// Results of the requests, from the threads.
        arrivals: Receiver<Arrival>,
    },
    /// Immediately, on the calling thread. Contains the results that have not been collected yet.
    InPlace(VecDeque<Arrival>),
}

impl Warmer {
    /// Creates a warmer that prepares decks on threads named "warm-up N", which end when the warmer is dropped.
    ///
    /// Every preset that was not admitted before must pass `admission`, if given.
    pub fn threads(
        render_context: &Arc<RenderContext>,
        audio: &Latest<PresetAudio>,
        settings: DeckSettings,
        admission: Option<Arc<dyn Admission>>,
    ) -> Self {
        let builder = DeckBuilder::new(render_context, audio, settings, admission);
        Self { work: Work::start(&builder), builder }
    }

    /// Creates a warmer that prepares decks on the calling thread. Every preset that was not admitted before
    /// must pass `admission`, if given.
    pub fn in_place(
        render_context: &Arc<RenderContext>,
        audio: &Latest<PresetAudio>,
        settings: DeckSettings,
        admission: Option<Arc<dyn Admission>>,
    ) -> Self {
        let builder = DeckBuilder::new(render_context, audio, settings, admission);
        Self { work: Work::InPlace(VecDeque::new()), builder }
    }

    /// Creates a warmer of the same kind for decks on another device or of another size. Decks that this
    /// warmer is still preparing are lost.
    pub fn renewed(&self, render_context: &Arc<RenderContext>, settings: DeckSettings) -> Self {
        let admission = self.builder.admission.clone();
        let builder = DeckBuilder::new(render_context, &self.builder.audio, settings, admission);
        let work = match &self.work {
            Work::Threads { .. } => Work::start(&builder),
            Work::InPlace(_) => Work::InPlace(VecDeque::new()),
        };
        Self { builder, work }
    }

    /// Returns whether decks are prepared on the calling thread.
    pub fn works_in_place(&self) -> bool {
        matches!(self.work, Work::InPlace(_))
    }

    /// Returns the settings that decks are prepared with.
    pub fn settings(&self) -> DeckSettings {
        self.builder.settings
    }

    /// Requests a deck.
    pub fn request(&mut self, request: DeckRequest) {
        match &mut self.work {
            Work::Threads { .. } => self.change(Change::Request(request)),
            Work::InPlace(ready) => ready.push_back(self.builder.prepare(&request, None)),
        }
    }

    /// Cancels a request; the deck may still arrive.
    pub fn cancel(&mut self, deck: DeckId) {
        self.change(Change::Cancel(deck));
    }

    /// Reports a step of the show to the threads.
    pub fn step(&mut self, step: WarmUpStep) {
        if let Work::Threads { queue, changes, .. } = &mut self.work {
            if !changes.is_empty() {
                queue.pass(changes);
            }
            queue.step(step);
        }
    }

    /// Returns how many warm-up frames the threads have finished.
    pub fn frames(&self) -> u64 {
        match &self.work {
            Work::Threads { queue, .. } => queue.ended(),
            Work::InPlace(_) => 0,
        }
    }

    /// Returns whether a thread has been drawing a warm-up frame at any time since [`Self::frames`] was `frames`.
    pub fn drew_since(&self, frames: u64) -> bool {
        match &self.work {
            Work::Threads { queue, .. } => queue.drew_since(frames),
            Work::InPlace(_) => false,
        }
    }

    fn change(&mut self, change: Change) {
        if let Work::Threads { queue, changes, .. } = &mut self.work {
            changes.push(change);
            queue.pass(changes); // If the queue is busy, the change is passed on in the next step.
        }
    }

    /// Returns the result of the next completed request that has not been collected yet, if any.
    pub fn collect(&mut self) -> Option<Arrival> {
        match &mut self.work {
            Work::Threads { arrivals, .. } => arrivals.try_recv().ok(),
            Work::InPlace(ready) => ready.pop_front(),
        }
    }
}

impl Work {
    /// Starts the warm-up threads.
    fn start(builder: &DeckBuilder) -> Self {
        let queue = Arc::new(WarmQueue::default());
        let (report, arrivals) = mpsc::channel();
        let mut threads = Vec::new();
        for number in 0..WARM_UP_THREADS {
            let (builder, queue) = (builder.clone(), queue.clone());
            let report: Sender<Arrival> = report.clone();
            let work = move || {
                while let Some(request) = queue.take() {
                    let arrival = builder.prepare(&request, Some(&queue));
                    queue.finish(request.deck);
                    // Pausing avoids a retry in every frame.
                    match arrival.result {
                        Err(DeckError::Temporary(_)) => thread::sleep(REST),
                        Err(DeckError::Device(_) | DeckError::TimedOut(_)) => thread::sleep(DEVICE_REST),
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
        Self::Threads { queue, changes: Vec::new(), threads, arrivals }
    }
}

impl Drop for Work {
    /// Waits for the threads to end, because the process may crash if it exits during a driver call.
    fn drop(&mut self) {
        if let Self::Threads { queue, threads, .. } = self {
            queue.close();
            for thread in threads.drain(..) {
                // Panics were caught and reported inside the thread.
                thread.join().ok();
            }
        }
    }
}

/// Reads a preset. Any read error counts as temporary, because the disk may be disconnected.
fn read(source: &PresetSource) -> Result<Vec<u8>, DeckError> {
    source.read().map_err(DeckError::Temporary)
}

impl DeckBuilder {
    fn new(
        render_context: &Arc<RenderContext>,
        audio: &Latest<PresetAudio>,
        settings: DeckSettings,
        admission: Option<Arc<dyn Admission>>,
    ) -> Self {
        Self {
            rehearsal: Rehearsal::for_show(render_context),
            render_context: render_context.clone(),
            audio: audio.clone(),
            settings,
            admission,
        }
    }

    /// Prepares a deck; `queue` is the queue that a warm-up thread takes requests from, `None` when working
    /// in place.
    fn prepare(&self, request: &DeckRequest, queue: Option<&WarmQueue>) -> Arrival {
        let mut took = PrepareTimes::default();
        let mut look = None;
        // A panic caused by a preset must not end the thread.
        let built = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            self.build(request, queue, &mut took, &mut look)
        }));
        let result = built.unwrap_or_else(|_| {
            Err(DeckError::Unplayable("internal error while preparing the preset".to_owned()))
        });
        // After the device is lost, any call may fail; the preset is not to blame.
        let result = match result {
            Err(DeckError::Unplayable(why)) if self.render_context.gpu.lost() => {
                Err(DeckError::Device(StageError::Lost(why)))
            }
            Err(DeckError::TimedOut(error)) if self.render_context.gpu.lost() => {
                Err(DeckError::Device(StageError::Lost(error.to_string())))
            }
            result => result,
        };
        Arrival { deck: request.deck, look, result, took }
    }

    fn build(
        &self,
        request: &DeckRequest,
        queue: Option<&WarmQueue>,
        took: &mut PrepareTimes,
        look: &mut Option<DeckLook>,
    ) -> Result<Box<Deck>, DeckError> {
        let mut since = Instant::now();
        let wanted = || {
            let wanted = queue.is_none_or(|queue| queue.wants(request.deck));
            wanted.then_some(()).ok_or(DeckError::Cancelled)
        };
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
        wanted()?;
        let program = Program::compile(&bytes).map_err(|error| DeckError::Unplayable(error.to_string()))?;
        took.compile_ms = lap();
        wanted()?;
        // Before the first picture there is nothing to keep smooth, so the rehearsal is skipped.
        let on_air = queue.is_some_and(WarmQueue::on_air);
        if let Some(rehearsal) = self.rehearsal.as_ref().filter(|_| on_air) {
            rehearsal.draw(program.clone(), self.settings, request.seed, &self.audio.read()).map_err(
                |error| match error {
                    StageError::Timeout(_) => blamed(error),
                    _ => DeckError::Temporary(error.to_string()),
                },
            )?;
            took.rehearse_ms = lap();
            wanted()?;
        }
        let context = &self.render_context;
        let (mut settings, scale) = (self.settings, queue.map_or(1.0, WarmQueue::scale));
        loop {
            let size = (settings, scale);
            let mut deck =
                Deck::prepare_scaled(context, program.clone(), size, request.seed).map_err(blamed)?;
            took.build_ms += lap();
            // If the device does not finish what was submitted before, the preset is not to blame.
            context.gpu.wait().map_err(DeckError::Device)?;
            for _ in 0..=MAX_WARM_UP_REPEATS {
                match queue {
                    Some(queue) => self.warm_up_in_turns(&mut deck, request, queue)?,
                    None => deck.warm_up(context, &self.audio.read(), request.warm_frames).map_err(blamed)?,
                }
                *look = (request.warm_frames > 0).then(|| deck.look(context)).transpose().map_err(blamed)?;
                if look.is_none_or(|look| look.fault().is_none()) {
                    break;
                }
            }
            took.warm_up_ms += lap();
            // The preset is not at fault if the mesh has more vertices than the budget is meant for.
            let coarse = [0, 1].map(|axis: usize| settings.mesh[axis].min(COARSE_MESH[axis]));
            if !deck.report().over_budget || settings.mesh == coarse {
                return Ok(Box::new(deck));
            }
            settings.mesh = coarse;
        }
    }

    /// Draws the first frames of a deck one by one, when the show has time for them. Pauses after each frame for as
    /// long as it took, unless nothing is on air or the urgency is [`Urgency::Performer`].
    fn warm_up_in_turns(
        &self,
        deck: &mut Deck,
        request: &DeckRequest,
        queue: &WarmQueue,
    ) -> Result<(), DeckError> {
        for _ in 0..request.warm_frames {
            if !queue.frame(request.deck) {
                return Err(DeckError::Cancelled);
            }
            let began = Instant::now();
            let frame = queue.begin_frame();
            deck.warm_up(&self.render_context, &self.audio.read(), 1).map_err(blamed)?;
            drop(frame);
            if queue.on_air() && request.urgency != Urgency::Performer {
                thread::sleep(began.elapsed());
            }
        }
        Ok(())
    }
}

/// Converts a stage error to a deck error that blames the device, the preset, or, after a timeout, neither yet.
fn blamed(error: StageError) -> DeckError {
    match error {
        StageError::Timeout(_) => DeckError::TimedOut(error),
        _ if error.is_device_failure() => DeckError::Device(error),
        _ => DeckError::Unplayable(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::Gpu;

    #[test]
    fn a_failing_device_is_never_blamed_on_a_preset() {
        for error in [StageError::Lost("reset".into()), StageError::OutOfMemory] {
            assert_eq!(blamed(error.clone()), DeckError::Device(error));
        }
        assert_eq!(blamed(StageError::Timeout(20)), DeckError::TimedOut(StageError::Timeout(20)));
        let rejected = StageError::Invalid("no such function".into());
        assert_eq!(blamed(rejected), DeckError::Unplayable("no such function".into()));
    }

    #[test]
    fn a_preset_whose_code_is_too_slow_for_a_dense_mesh_gets_a_coarse_one() {
        let Some(gpu) = Gpu::for_test() else { return };
        let context = Arc::new(RenderContext::new(gpu, &[]));
        let settings = DeckSettings { size: [64, 36], mesh: [240, 134], fps: 30.0 };
        let mut warmer = Warmer::in_place(&context, &Latest::new(PresetAudio::default()), settings, None);
        let text = "[preset00]\nper_pixel_1=n=0;loop(2000,n=n+x);zoom=1+n*0.00001;\n";
        warmer.request(DeckRequest {
            deck: DeckId(0),
            preset: PresetId::of(text.as_bytes()),
            source: PresetSource::BuiltIn(text),
            admitted: false,
            seed: 1,
            warm_frames: 1,
            urgency: Urgency::Music,
        });
        let deck = warmer.collect().and_then(|arrival| arrival.result.ok()).expect("a deck");
        assert!(!deck.report().over_budget);
    }

    #[test]
    fn an_unreadable_file_is_a_temporary_failure() {
        let away = PresetSource::File("/no/such/disk/a.milk".into());
        assert!(matches!(read(&away), Err(DeckError::Temporary(why)) if !why.is_empty()));
        assert_eq!(read(&PresetSource::BuiltIn("zoom=1")), Ok(b"zoom=1".to_vec()));
    }
}
