//! The show's thread: handles requests and MIDI, runs a step, then updates the log, the saved state and the
//! desk.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::clock::ShowClock;
use super::parts::{DeskState, ShowEvent, ShowParts, ShowRequest};
use super::stepper::{Stepper, Turn};
use crate::app::resume::{SavedShow, StateSaver, Surroundings};
use crate::app::screenshot::Screenshot;
use crate::app::set_log_writer::SetLogWriter;
use crate::app::sound::AnalysisThread;
use crate::archive::Archive;
use crate::desk::{Action, resolve};
use crate::handoff::{Inbox, Latest, Outbox, Retirement};
use crate::jobs::show_lock::ShowLock;
use crate::midi::Midi;
use crate::mind::Control;
use crate::pacing::Due;
use crate::show::{Command, RigFrame};
use crate::watchdog::Link;

/// Interval between updates of MIDI LEDs and of the saved state.
const LEDS_EVERY: Duration = Duration::from_millis(33);

/// Longest sleep. The supervisor considers the show hung if its thread makes no progress for much longer than this.
const LONGEST_SLEEP: Duration = Duration::from_millis(50);

/// The show's ends of the queues to and from the windows, and the cell with the desk's state.
pub(super) type Ends = (Inbox<ShowRequest>, Outbox<Action>, Latest<DeskState>);

/// The running show, as owned by its thread.
pub(super) struct ShowThread {
    stepper: Stepper,
    listener: AnalysisThread,
    set_log: Option<SetLogWriter>,
    archive: Archive,
    midi: Midi,
    show_lock: Option<ShowLock>,
    screenshot: Screenshot,
    /// Audio received since the previous step.
    sound: Vec<[f32; 2]>,
    /// Commands for the next step.
    commands: Vec<Command>,
    /// The macro selected for the arrow keys.
    selected: Control,
    message: Option<String>,
    /// Whether any preset has gone on air yet.
    on_air: bool,
    requests: Inbox<ShowRequest>,
    actions: Outbox<Action>,
    desk: Latest<DeskState>,
    /// Frees earlier states of the desk, which may be the last to refer to a library or its marks.
    retirement: Retirement,
    desk_every: Duration,
    desk_at: Option<Instant>,
    leds_at: Option<Instant>,
    started: Instant,
    clock: ShowClock,
    link: Link,
    /// Saves the state of a supervised show.
    saver: Option<StateSaver>,
    surroundings: Latest<Surroundings>,
    seed: u64,
    /// Generation of the stage, which changes whenever the stage is replaced.
    generation: u64,
}

impl ShowThread {
    /// Creates the state of the show's thread from its parts; `picture` is called for every new picture.
    pub fn new(
        parts: ShowParts,
        (requests, actions, desk): Ends,
        picture: impl Fn() + Send + 'static,
    ) -> Self {
        Self {
            stepper: Stepper::new(parts.rig, parts.pictures, (parts.rate, 0.0), picture),
            listener: parts.listener,
            set_log: parts.set_log,
            archive: parts.archive,
            midi: parts.midi,
            show_lock: parts.show_lock,
            screenshot: Screenshot::default(),
            sound: Vec::with_capacity(8192),
            commands: parts.first,
            selected: Control::Fusion,
            message: None,
            on_air: false,
            requests,
            actions,
            desk,
            retirement: Retirement::thread(),
            desk_every: parts.desk_every,
            desk_at: None,
            leds_at: None,
            started: parts.started,
            clock: ShowClock::start(),
            saver: StateSaver::start(parts.link.start()),
            link: parts.link,
            surroundings: parts.surroundings,
            seed: parts.seed,
            generation: 0,
        }
    }

    /// Steps the show until `stop` is set, then closes the log and the store.
    pub fn run(mut self, stop: &AtomicBool, notify: &dyn Fn(ShowEvent)) {
        while !stop.load(Ordering::Relaxed) {
            self.link.turn();
            self.stepper.suspended(self.clock.check());
            match self.stepper.turn(self.clock.secs()) {
                Turn::Sleep(secs) => std::thread::sleep(Duration::from_secs_f64(secs).min(LONGEST_SLEEP)),
                Turn::Step(due) => self.step(&due, notify),
            }
        }
        self.link.leave();
        let show = &mut self.stepper.rig.show;
        show.log_frames();
        if let Some(set_log) = &self.set_log {
            set_log.write(show.take_log());
        }
        // The log and the store are closed first: ending a deck's warm-up may take longer than the exit timer allows.
        let Self { set_log, archive, .. } = self;
        drop((set_log, archive));
    }

    fn step(&mut self, due: &Due, notify: &dyn Fn(ShowEvent)) {
        let dt = self.stepper.begin(due);
        let mut ordered = false;
        while let Some(request) = self.requests.receive() {
            ordered = true;
            self.handle(request);
        }
        let moved = self.process_midi();
        self.listener.request(self.commands.iter().filter_map(Command::tempo));
        self.listener.collect(&mut self.sound);
        let features = self.listener.features.read();
        if let Some(show_lock) = &mut self.show_lock {
            show_lock.step(features.silent, dt);
        }
        let input = RigFrame { dt, sound: &self.sound, features: &features, commands: &self.commands };
        let clock = self.clock;
        self.stepper.draw(&input, || clock.secs());
        let rig = &mut self.stepper.rig;
        let entries = rig.show.take_log();
        if let Some(set_log) = &self.set_log {
            set_log.write(entries);
        }
        self.archive.frame(&mut rig.show, &self.commands);
        if std::mem::replace(&mut self.generation, rig.generation()) != rig.generation() {
            self.screenshot.again();
        }
        self.message = self.screenshot.frame(&rig.stage).or(self.message.take());
        let commanded = !std::mem::take(&mut self.commands).is_empty();
        if !self.on_air && rig.show.playing() {
            self.on_air = true;
            self.link.shown();
            log::info!("first picture after {:.0} ms", self.started.elapsed().as_secs_f64() * 1000.0);
        }
        self.report(ordered || moved || commanded, notify);
    }

    /// Updates the LEDs, the saved state and the desk when they are due. The desk's interval is halved if `changed` is
    /// set.
    fn report(&mut self, changed: bool, notify: &dyn Fn(ShowEvent)) {
        let due = |at: Option<Instant>, every| at.is_none_or(|at: Instant| at.elapsed() >= every);
        let leds = due(self.leds_at, LEDS_EVERY);
        let desk = due(self.desk_at, if changed { self.desk_every / 2 } else { self.desk_every });
        if !leds && !desk {
            return;
        }
        let snapshot = self.stepper.rig.show.snapshot();
        if leds {
            self.leds_at = Some(Instant::now());
            self.midi.light(&snapshot);
            self.save_state();
        }
        if desk {
            self.desk_at = Some(Instant::now());
            let library = self.archive.messages().iter().map(String::as_str);
            let others = [self.midi.message(), self.message.as_deref()].into_iter().flatten();
            let messages = snapshot.message.as_deref().into_iter().chain(library).chain(others);
            let messages = messages.map(str::to_owned).collect();
            let old = self.desk.swap(Arc::new(DeskState {
                audio: self.listener.line(),
                times: self.stepper.times(),
                heard: self.stepper.rig.audio(),
                messages,
                log_problem: self.set_log.as_ref().map(SetLogWriter::problem).unwrap_or_default(),
                midi: self.midi.view(),
                library: self.archive.view().clone(),
                snapshot,
            }));
            self.retirement.retire(Box::new(old));
            notify(ShowEvent::Desk);
        }
    }

    /// Hands the state of a supervised show to the thread that saves it, if it has changed.
    fn save_state(&mut self) {
        let (Some(saver), Some(start)) = (&mut self.saver, self.link.start()) else { return };
        let (supervisor, show, surroundings) =
            (start.supervisor, &self.stepper.rig.show, self.surroundings.read());
        if !saver.is_current(supervisor, show, &surroundings) {
            saver.update(SavedShow {
                supervisor,
                seed: self.seed,
                show: show.resume_state(),
                surroundings: (*surroundings).clone(),
            });
        }
    }

    fn handle(&mut self, request: ShowRequest) {
        match request {
            ShowRequest::Act(action) => self.act(&action),
            ShowRequest::Midi(request) => self.midi.handle(request),
            ShowRequest::MidiFolder(folder) => self.midi.switch_to(folder),
            ShowRequest::Library(request) => self.archive.handle(request),
            ShowRequest::Presets(path) => self.archive.switch_to(path.as_deref().map(Path::new)),
            ShowRequest::Listen(listener) => {
                let old = std::mem::replace(&mut self.listener, *listener);
                // Joined on another thread, because the old analysis thread may still be busy opening its input.
                if let Err(error) = std::thread::Builder::new().name("retire".into()).spawn(move || drop(old))
                {
                    log::debug!(
                        "cannot start a thread to join the old analysis thread ({error}); joined it here"
                    );
                }
            }
            ShowRequest::LimitFlashes(on) => self.stepper.rig.stage.limit_flashes(on),
            ShowRequest::Rate(rate) => self.stepper.set_rate(rate),
            ShowRequest::Screenshot => self.screenshot.ask(),
        }
    }

    fn act(&mut self, action: &Action) {
        match action {
            Action::Select(control) => self.selected = *control,
            Action::Window(_) => {}
            Action::Show(_)
            | Action::Turn(_)
            | Action::Nudge(..)
            | Action::NudgeSelected(_)
            | Action::PlayCard(_)
            | Action::RemoveCard(_) => {
                let snapshot = self.stepper.rig.show.snapshot();
                self.commands.extend(resolve::command(action, self.selected, &snapshot, &self.commands));
            }
        }
    }

    /// Turns MIDI input into commands and actions. Returns whether a device sent anything.
    fn process_midi(&mut self) -> bool {
        let moved = self.midi.gather(self.clock.secs());
        if moved {
            let snapshot = self.stepper.rig.show.snapshot();
            for action in self.midi.process(&snapshot, &mut self.commands) {
                self.act(&action);
                if matches!(action, Action::Window(_) | Action::Select(_)) {
                    // The windows empty the queue far faster than a performer can fill it.
                    self.actions.send(action).ok();
                }
            }
        }
        self.midi.lock(&mut self.commands);
        moved
    }
}
