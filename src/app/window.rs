//! The windows: output for the audience and desk for the performer, driven by one event loop. The show runs
//! on another thread; the event loop only forwards input and paints the desk.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use winit::application::ApplicationHandler;
use winit::dpi::{LogicalSize, PhysicalPosition, PhysicalSize};
use winit::event::{ElementState, WindowEvent};
use winit::event_loop::{ActiveEventLoop, ControlFlow, EventLoopProxy, OwnedDisplayHandle};
use winit::keyboard::ModifiersState;
use winit::window::{UserAttentionType, Window, WindowId};

use super::admission::live_admission;
use super::baking::Baking;
use super::closing::{self, CloseGuard};
use super::identify::Identify;
use super::keys::{Chord, Keymap};
use super::live::{LiveShow, Pause, Pictures, ShowEvent, ShowParts, ShowRequest};
use super::number_entry::NumberEntry;
use super::output::Output;
use super::painter::Painter;
use super::placements::{ScreenChoice, WindowPlacement, WindowPlacements};
use super::preferences::Preferences;
use super::resume::{SavedShow, Surroundings};
use super::screen::{self, Screen};
use super::set_log_writer::SetLogWriter;
use super::sound::{AnalysisThread, SoundChoice};
use super::standby::{self, OpenStage};
use super::surface::WindowSurface;
use super::warp_mesh::automatic_mesh;
use super::{WARM_FRAMES, config_folder, shutdown};
use crate::archive::{Archive, open_store};
use crate::audit::judged_by;
use crate::desk::{
    Action, Desk, DeskRequest, DeskView, KeyLine, SettingsRequest, SettingsView, WindowAction, start_message,
};
use crate::embed::open_encoder;
use crate::handoff::Latest;
use crate::jobs::show_lock::ShowLock;
use crate::jobs::single_instance::RaiseRequests;
use crate::layers::LayerFiles;
use crate::library::{Setting, Settings, UserFolders};
use crate::midi::Midi;
use crate::milk::PresetAudio;
use crate::mind::Profile;
use crate::pacing::DEFAULT_RATE;
use crate::show::setlog::LogHeader;
use crate::show::{Command, Rig, ShowSettings};
use crate::stage::{DeckSettings, Gpu, RenderContext};
use crate::units::Unipolar;
use crate::warmup::Warmer;
use crate::watchdog::Link;

/// Interval between updates of the desk.
const DESK_EVERY: Duration = Duration::from_millis(33);
/// Interval between updates of the desk with software rendering, where the desk competes with the output for
/// CPU time.
const SOFTWARE_DESK_EVERY: Duration = Duration::from_millis(125);

/// Smallest size of the desk at which everything on it is readable, in points.
pub const MIN_DESK_SIZE: [f64; 2] = [1120.0, 640.0];

/// Settings of the program at start-up.
#[derive(Clone, Debug)]
pub struct AppSettings {
    /// The performer's settings.
    pub settings: Settings,
    /// Random seed.
    pub seed: u64,
    /// Commands from the settings and the command line, applied in the first step.
    pub first: Vec<Command>,
    /// Problems in the settings.
    pub problems: Vec<String>,
    /// Number of seconds after which the program exits; `None` for no limit.
    pub seconds: Option<f64>,
    /// The show to resume after a crash.
    pub resumed: Option<SavedShow>,
}

/// Opens the windows and runs the show until the performer or the system ends it. A standby process first
/// waits until it is needed. `settings` reads the settings; a standby process reads them again after waiting,
/// because they may have changed.
pub fn run(mut link: Link, settings: impl Fn(&Link) -> AppSettings) -> anyhow::Result<()> {
    let events = super::screen::event_loop().map_err(|why| {
        anyhow::anyhow!("could not open a display ({why}); 'aivj perform' works without one")
    })?;
    let display = events.owned_display_handle();
    let mut open_stage = None;
    if link.is_standby() {
        open_stage = Some(OpenStage::open(&display, &settings(&link).settings)?);
        if !link.wait_for_turn() {
            return Ok(());
        }
    }
    let started = Instant::now();
    let settings = settings(&link);
    let stop = Arc::new(AtomicBool::new(false));
    if let Err(error) = shutdown::on_signals(&stop) {
        log::warn!(
            "could not install signal handlers ({error}); a signal will end the show without closing its log"
        );
    }
    shutdown::limit(&stop);
    link.connect(&stop).context("connecting to the supervisor")?;
    let mut app = App {
        settings,
        link,
        display,
        open_stage,
        proxy: events.create_proxy(),
        stop,
        started,
        running: None,
        failed: None,
    };
    let result = events.run_app(&mut app).context("running the event loop");
    app.stop.store(true, Ordering::Relaxed);
    let ended_well = app.running.take().is_none_or(|mut running| running.live.end());
    result?;
    anyhow::ensure!(ended_well, "the show ended with an internal error; its log and saved state are intact");
    app.failed.map_or(Ok(()), Err)
}

/// Returns a message about the crash that caused this show to be restarted, if any.
fn crash(link: &Link) -> Option<String> {
    let start = link.start()?;
    let why = start.crash.as_ref()?;
    Some(if start.safe_mode {
        format!("safe mode after three crashes: {why}; only built-in presets play until you restart aivj")
    } else {
        format!("{why}; it was restarted")
    })
}

struct App {
    settings: AppSettings,
    /// The connection to the supervisor.
    link: Link,
    /// The stage that a standby process has opened, until the windows open.
    open_stage: Option<OpenStage>,
    display: OwnedDisplayHandle,
    proxy: EventLoopProxy<ShowEvent>,
    /// Set to end the show.
    stop: Arc<AtomicBool>,
    started: Instant,
    running: Option<Running>,
    failed: Option<anyhow::Error>,
}

/// State of the program once its windows are open.
struct Running {
    /// The running show. Declared first, so that the show ends before the windows close.
    live: LiveShow,
    output: Output,
    output_window: Arc<Window>,
    desk_window: Arc<Window>,
    pictures: Pictures,
    painter: Painter,
    desk: Desk,
    repaint: Repaint,
    desk_size: PhysicalSize<u32>,
    desk_hidden: bool,
    keymap: Keymap,
    /// The key bindings, as shown on the desk.
    key_lines: Vec<KeyLine>,
    /// The layer number that is being typed.
    number: NumberEntry,
    /// Modifier keys held down.
    held: ModifiersState,
    baking: Baking,
    preferences: Preferences,
    /// Whether new presets are audited before they are shown.
    guarded: Arc<AtomicBool>,
    /// Whether flashes are limited to three per second.
    limited: bool,
    /// Name of the graphics device.
    device: String,
    /// The device that the windows are drawn with.
    drawn_with: Arc<RenderContext>,
    screen: Screen,
    closing: CloseGuard,
    /// Requests to bring the windows to the front, made by launching the program again.
    raises: RaiseRequests,
    /// The windows with the display numbers, while they are shown.
    identify: Option<Identify>,
    /// Whether display numbers were requested but are not shown yet.
    identifies: bool,
    message: Option<String>,
    /// Problems found at the start.
    problems: Vec<String>,
    surroundings: Latest<Surroundings>,
    /// Whether window placements or settings have changed since they were last published.
    moved: bool,
}

/// Decides when the desk is painted.
struct Repaint {
    /// Minimum delay of a repaint that egui requests. Other requests may cause a repaint after half of it.
    every: Duration,
    painted: Option<Instant>,
    due: Option<Instant>,
    /// Whether the next redraw event was requested by the program, not by the system.
    requested: bool,
}

impl Repaint {
    /// Requests a repaint after `delay`, but no earlier than half an interval after the last one.
    fn ask(&mut self, delay: Duration) {
        let now = Instant::now();
        let Some(wanted) = now.checked_add(delay) else { return };
        let free = self.painted.map_or(now, |painted| painted + self.every / 2);
        let at = wanted.max(free);
        self.due = Some(self.due.map_or(at, |due| due.min(at)));
    }

    /// Returns whether a repaint is due.
    fn is_due(&self) -> bool {
        self.due.is_some_and(|due| due <= Instant::now())
    }

    fn painted(&mut self) {
        (self.painted, self.due) = (Some(Instant::now()), None);
    }
}

impl ApplicationHandler<ShowEvent> for App {
    fn resumed(&mut self, events: &ActiveEventLoop) {
        if self.running.is_some() {
            return;
        }
        match Running::start(events, self) {
            Ok(running) => self.running = Some(running),
            Err(error) => {
                self.failed = Some(error);
                events.exit();
            }
        }
    }

    fn user_event(&mut self, events: &ActiveEventLoop, event: ShowEvent) {
        let Some(running) = &mut self.running else { return };
        match event {
            ShowEvent::Desk => running.called(),
            ShowEvent::Ended => events.exit(),
        }
    }

    fn window_event(&mut self, events: &ActiveEventLoop, id: WindowId, event: WindowEvent) {
        let Some(running) = &mut self.running else { return };
        let on_desk = id == running.desk_window.id();
        if !on_desk && id != running.output_window.id() {
            return running.on_number_window(id, &event);
        }
        if on_desk && !matches!(event, WindowEvent::RedrawRequested) {
            let wanted = running.painter.event(&running.desk_window, &event);
            if wanted.repaint {
                running.repaint.ask(Duration::ZERO);
            }
            if wanted.consumed {
                return;
            }
        }
        match event {
            // Closing the desk only hides it; the output continues.
            WindowEvent::CloseRequested if on_desk => running.act_on_windows(WindowAction::Desk),
            WindowEvent::CloseRequested if running.closing.pressed(Instant::now()) => events.exit(),
            WindowEvent::CloseRequested => running.repaint.ask(Duration::ZERO),
            WindowEvent::Moved(_) => running.moved = true,
            WindowEvent::Resized(size) if on_desk => (running.desk_size, running.moved) = (size, true),
            WindowEvent::Resized(size) => {
                running.output.resize(size.into());
                running.moved = true;
            }
            WindowEvent::Occluded(hidden) if !on_desk => running.output.hide(hidden),
            WindowEvent::ModifiersChanged(held) => running.held = held.state(),
            // Synthetic presses are of keys already down when the window gained focus, meant for another program.
            WindowEvent::KeyboardInput { event, is_synthetic: false, .. }
                if event.state == ElementState::Pressed =>
            {
                let chord = Chord::pressed(&event, running.held);
                let action = chord.and_then(|chord| running.action(&chord, event.repeat));
                if let Some(action) = action.filter(|action| !event.repeat || action.repeats()) {
                    running.key(action, on_desk);
                }
            }
            WindowEvent::RedrawRequested if on_desk => {
                if !std::mem::take(&mut running.repaint.requested) {
                    running.painter.expose();
                }
                running.paint_desk();
            }
            WindowEvent::RedrawRequested => running.output.expose(),
            _ => {}
        }
    }

    fn about_to_wait(&mut self, events: &ActiveEventLoop) {
        let Some(running) = &mut self.running else { return };
        let limit = self.settings.seconds.map(|secs| self.started + Duration::from_secs_f64(secs.max(0.0)));
        if self.stop.load(Ordering::Relaxed) || limit.is_some_and(|limit| limit <= Instant::now()) {
            events.exit();
            return;
        }
        running.check_windows(events);
        running.publish_surroundings();
        if running.repaint.is_due() {
            running.desk_window.request_redraw();
            (running.repaint.due, running.repaint.requested) = (None, true);
        }
        let next = [running.repaint.due, limit, Some(running.next_check())];
        events.set_control_flow(
            next.into_iter().flatten().min().map_or(ControlFlow::Wait, ControlFlow::WaitUntil),
        );
    }
}

impl Running {
    fn start(events: &ActiveEventLoop, app: &mut App) -> anyhow::Result<Self> {
        let open_stage = app.open_stage.take();
        let app = &*app;
        let App { settings: AppSettings { settings, first, problems, seed, resumed, .. }, link, .. } = app;
        let places = resumed.as_ref().map(|saved| &saved.surroundings.places);
        let window = |title: &str, [width, height]: [f64; 2], least: [f64; 2]| {
            let attributes = Window::default_attributes()
                .with_title(title)
                .with_min_inner_size(LogicalSize::<f64>::from(least))
                .with_inner_size(LogicalSize::new(width, height));
            events.create_window(attributes).map(Arc::new).context("opening a window")
        };
        let output_window = window(closing::TITLE, [960.0, 540.0], [64.0, 36.0])?;
        let desk_window = window("aivj desk", [1240.0, 720.0], MIN_DESK_SIZE)?;
        if let Some(screen) = desk_window.current_monitor() {
            // The desk opens on the right, leaving as much of the output visible as possible.
            let free = screen.size().width.saturating_sub(desk_window.outer_size().width);
            let [left, top] = [screen.position().x, screen.position().y];
            desk_window.set_outer_position(PhysicalPosition::new(left + free as i32, top));
            output_window.set_outer_position(PhysicalPosition::new(left, top));
        }
        if let Some(places) = places {
            places.output.apply(&output_window);
            places.desk.apply(&desk_window);
            desk_window.set_visible(!places.desk_hidden);
        }
        let instance =
            open_stage.as_ref().map_or_else(|| standby::instance(&app.display), OpenStage::instance);
        let output =
            instance.create_surface(output_window.clone()).context("drawing to the output window")?;
        let desk = instance.create_surface(desk_window.clone()).context("drawing to the desk window")?;
        let stage = open_stage.and_then(|open| open.fit(settings, &output));
        let render_context = match &stage {
            Some(stage) => stage.render_context().clone(),
            None => {
                let gpu = Gpu::open(instance, Some(&output))?;
                let options = standby::render_options(settings, &gpu);
                Arc::new(RenderContext::with(gpu, &settings.textures, options))
            }
        };
        let gpu = &render_context.gpu;
        let software = gpu.software();
        let size = standby::render_size(settings, software);
        let device = gpu.name();
        let message = software
            .then(|| format!("no graphics card found: rendering in software at {}x{}", size[0], size[1]));
        if let Some(message) = &message {
            eprintln!("aivj: {message}");
        }
        let pause = Pause::default();
        let output = WindowSurface::new(gpu, output_window.clone(), output, !software, pause.clone())?;
        let desk_surface = WindowSurface::new(gpu, desk_window.clone(), desk, false, pause.clone())?;
        let heard = Latest::new(PresetAudio::default());
        let rate = settings.rate.unwrap_or(DEFAULT_RATE);
        let fps = f64::from(rate);
        let mesh = settings.mesh.unwrap_or_else(|| automatic_mesh(size, software));
        gpu.check_size(size, mesh)?;
        let deck = DeckSettings { size, mesh, fps };
        let show = ShowSettings {
            seed: *seed,
            fps,
            warm_frames: WARM_FRAMES,
            second_deck: !software,
            // A frame waits one interval to be displayed, and then takes about half an interval to become visible.
            seen_after_secs: 1.5 / fps,
            record: true,
            ..ShowSettings::default()
        };
        // A process that finds the lock taken expects an answer, so this one listens before it takes the lock.
        let raises = RaiseRequests::watch(UserFolders::of_user().map(|places| places.data));
        // The lock is taken before the saved state is loaded, so that no other process changes that state afterwards.
        let show_lock = UserFolders::of_user().and_then(|places| match ShowLock::open(&places.data) {
            Ok(show_lock) => Some(show_lock),
            Err(error) => {
                log::warn!(
                    "could not open the show lock ({error}); bakes and imports on this computer cannot detect \
                     this show"
                );
                None
            }
        });
        let guard = settings.guard.unwrap_or(true);
        let (archive, mut show, library_problems) =
            Archive::open(settings.presets.as_deref(), show, guard.then(judged_by), Some(open_encoder))?;
        let (store, _) = open_store()?; // Its message was shown when the archive opened the store.
        let mut header = LogHeader::new(*show.settings(), show.pool(), show.memory());
        if let Some(saved) = resumed {
            show.resume(&saved.show);
            header.resumed = Some(saved.show.clone());
        }
        let set_log = SetLogWriter::for_live_show(&header);
        let guarded = Arc::new(AtomicBool::new(guard));
        let admission = live_admission(store, &settings.textures, guarded.clone())?;
        let warmer = Warmer::threads(&render_context, &heard, deck, Some(admission));
        let options = standby::options(settings);
        // A show that is restarted without a standby does not compile its passes in advance, to resume sooner.
        let preload = link.start().is_none_or(|start| start.restarts == 0);
        let mut stage = stage.unwrap_or_else(|| standby::stage(render_context, size, options, preload));
        let layers = settings.layers.as_deref().map(LayerFiles::read).unwrap_or_default();
        let layer_problems: Vec<String> =
            layers.problems().iter().map(|problem| format!("layers: {problem}")).collect();
        layer_problems.iter().for_each(|problem| eprintln!("aivj: {problem}"));
        stage.set_layers(Arc::new(layers));
        #[cfg_attr(not(feature = "faults"), expect(unused_mut, reason = "only tests add faults"))]
        let mut rig = Rig::new(show, stage, warmer, heard);
        #[cfg(feature = "faults")]
        rig.set_faults(
            crate::faults::FaultSchedule::from_env(link.start().is_some_and(|start| start.restarts > 0))
                .map_err(anyhow::Error::msg)?,
        );
        let pictures = Pictures::new(&rig, pause);
        let painter = Painter::new(&desk_window, desk_surface, &pictures.newest.read());
        let config = config_folder();
        let (keymap, key_problems) = Keymap::from_folder(config.as_deref());
        key_problems.iter().for_each(|problem| eprintln!("aivj: {problem}"));
        let found = [library_problems, problems.clone(), key_problems, layer_problems].concat();
        let problems: Vec<String> = crash(link).into_iter().chain(message).chain(found).collect();
        let preferences = Preferences::open(settings.clone(), config)?;
        let output = Output::start(output, pictures.clone(), output_window.inner_size().into())
            .context("starting the output's thread")?;
        let surroundings = Surroundings {
            settings: settings.clone(),
            places: places.cloned().unwrap_or_else(|| WindowPlacements {
                output: WindowPlacement::of(&output_window),
                desk: WindowPlacement::of(&desk_window),
                desk_hidden: false,
                screen: ScreenChoice::default(),
            }),
        };
        let surroundings = Latest::new(surroundings);
        let desk_every = if software { SOFTWARE_DESK_EVERY } else { DESK_EVERY };
        let parts = ShowParts {
            rig,
            pictures: pictures.clone(),
            listener: AnalysisThread::start(&SoundChoice::of(settings.audio.as_deref()))?,
            set_log,
            archive,
            midi: Midi::open(preferences.midi_folder()),
            show_lock,
            first: first.clone(),
            rate,
            started: app.started,
            desk_every,
            link: link.clone(),
            seed: *seed,
            surroundings: surroundings.clone(),
        };
        let (presenter, proxy) = (output.thread(), app.proxy.clone());
        let new_picture = move || presenter.iter().for_each(std::thread::Thread::unpark);
        let notify = move |event| {
            proxy.send_event(event).ok(); // Fails only if the windows are closed.
        };
        let live = LiveShow::start(parts, app.stop.clone(), new_picture, notify)
            .context("starting the show's thread")?;
        let mut running = Self {
            live,
            output,
            drawn_with: pictures.newest.read().context.clone(),
            pictures,
            painter,
            desk: Desk::default(),
            repaint: Repaint { every: desk_every, painted: None, due: None, requested: false },
            desk_size: desk_window.inner_size(),
            desk_hidden: places.is_some_and(|places| places.desk_hidden),
            surroundings,
            moved: false,
            key_lines: keymap.shown(),
            keymap,
            number: NumberEntry::default(),
            held: ModifiersState::empty(),
            preferences,
            guarded,
            limited: options.limiter,
            baking: Baking::new(settings.presets.as_deref(), &settings.textures),
            device,
            screen: Screen::new(
                settings.monitor,
                places.map(|places| places.screen.clone()).unwrap_or_default(),
            ),
            closing: CloseGuard::default(),
            raises,
            identify: None,
            identifies: false,
            message: start_message(&problems),
            problems,
            output_window,
            desk_window,
        };
        running.moved = running.screen.check(&running.output_window, &running.desk_window);
        Ok(running)
    }

    /// Runs the periodic checks of the windows. They do not depend on the show.
    fn check_windows(&mut self, events: &ActiveEventLoop) {
        let now = Instant::now();
        self.moved |= self.screen.check(&self.output_window, &self.desk_window);
        self.closing.show(&self.output_window, now);
        if self.identify.as_ref().is_some_and(|identify| identify.until() <= now) {
            self.identify = None;
        }
        if std::mem::take(&mut self.identifies) {
            match Identify::show(events, &self.pictures) {
                Ok(identify) => self.identify = Some(identify),
                Err(error) => self.message = Some(format!("could not show the display numbers: {error:#}")),
            }
        }
        if self.raises.take() {
            self.raise();
        }
    }

    /// Returns when [`Self::check_windows`] must run next.
    fn next_check(&self) -> Instant {
        let numbers = self.identify.as_ref().map(Identify::until);
        let next = [Some(self.screen.next_check()), numbers];
        next.into_iter().flatten().min().unwrap_or_else(Instant::now)
    }

    /// Handles an event of a window that shows a display number.
    fn on_number_window(&mut self, id: WindowId, event: &WindowEvent) {
        if let (WindowEvent::RedrawRequested, Some(identify)) = (event, &mut self.identify) {
            identify.paint(id, &self.pictures);
        }
    }

    /// Brings the windows to the front, because the performer has started the program again.
    fn raise(&mut self) {
        self.desk_hidden = false;
        self.desk_window.set_visible(true);
        self.moved = true;
        for window in [&self.output_window, &self.desk_window] {
            window.set_minimized(false);
            window.request_user_attention(Some(UserAttentionType::Critical));
            window.focus_window();
        }
        self.message = Some("aivj is already running; its windows were brought to the front".into());
        self.repaint.ask(Duration::ZERO);
    }

    /// Returns the action for a key: launching the layer whose number it completes, or the action bound to the key.
    fn action(&mut self, chord: &Chord, repeated: bool) -> Option<Action> {
        if !repeated {
            let (taken, command) = self.number.key(chord, Instant::now());
            if taken {
                self.repaint.ask(Duration::ZERO);
                return command.map(Action::Show);
            }
        }
        self.keymap.action(chord).cloned()
    }

    /// Performs the action of a key; on the desk, some actions apply to the selected preset.
    fn key(&mut self, action: Action, on_desk: bool) {
        match if on_desk { self.desk.redirect(action) } else { Some(action) } {
            Some(action) => self.act(action),
            None => {
                let message = "select a preset first: on this page, this key applies to the selected preset";
                self.message = Some(message.into());
                self.repaint.ask(Duration::ZERO);
            }
        }
    }

    /// Publishes the settings and window placements if they have changed.
    fn publish_surroundings(&mut self) {
        if std::mem::take(&mut self.moved) {
            self.surroundings.publish(Surroundings {
                settings: self.preferences.settings().clone(),
                places: WindowPlacements {
                    output: WindowPlacement::of(&self.output_window),
                    desk: WindowPlacement::of(&self.desk_window),
                    desk_hidden: self.desk_hidden,
                    screen: self.screen.choice().clone(),
                },
            });
        }
    }

    /// Handles the actions that the show has sent to the windows.
    fn called(&mut self) {
        while let Some(action) = self.live.action() {
            match action {
                Action::Window(window) => self.act_on_windows(window),
                Action::Select(control) => self.desk.select_macro(control),
                _ => {} // The show performs all other actions itself.
            }
        }
        self.repaint.ask(Duration::ZERO);
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Window(window) => self.act_on_windows(window),
            Action::Select(control) => {
                self.desk.select_macro(control);
                self.send(ShowRequest::Act(action));
            }
            _ => self.send(ShowRequest::Act(action)),
        }
        self.repaint.ask(Duration::ZERO);
    }

    fn send(&mut self, request: ShowRequest) {
        if !self.live.send(request) {
            self.message = Some("the show is not responding; the last input was ignored".into());
        }
    }

    fn act_on_windows(&mut self, action: WindowAction) {
        match action {
            WindowAction::Fullscreen => {
                self.screen.toggle(&self.output_window, &self.desk_window);
                self.moved = true;
            }
            WindowAction::Desk => {
                self.desk_hidden = !self.desk_hidden;
                self.desk_window.set_visible(!self.desk_hidden);
                self.moved = true;
            }
            WindowAction::Page(page) => self.desk.open(page),
            WindowAction::NextPage => self.desk.open_next(),
            WindowAction::Help => self.desk.toggle_help(),
            WindowAction::Screenshot => self.send(ShowRequest::Screenshot),
            WindowAction::Number(what) => self.number.begin(what, Instant::now()),
        }
    }

    fn paint_desk(&mut self) {
        self.repaint.painted();
        if self.desk_hidden {
            return;
        }
        self.message = self.preferences.problem().or(self.message.take());
        let state = self.live.desk();
        let picture = self.pictures.newest.read();
        if !Arc::ptr_eq(&self.drawn_with, &picture.context) {
            self.drawn_with = picture.context.clone();
            self.device = self.drawn_with.gpu.name();
        }
        let number = self.number.message(Instant::now());
        let prompts: Vec<&str> =
            number.as_deref().into_iter().chain(self.closing.message(Instant::now())).collect();
        let lasting = self.screen.message().into_iter().chain(self.message.as_deref());
        let messages: Vec<&str> = state.messages.iter().map(String::as_str).chain(lasting).collect();
        let (settings, bake) = (self.settings_view(), self.baking.view());
        let (desk, mut requests) = (&mut self.desk, Vec::new());
        let [width, height] = picture.size.map(|side| side as f32);
        let delay = self.painter.paint(&self.desk_window, self.desk_size.into(), &picture, |ui, preview| {
            let view = DeskView {
                snapshot: &state.snapshot,
                audio: &state.audio,
                times: state.times,
                heard: &state.heard,
                preview,
                preview_aspect: width / height,
                device: &self.device,
                prompts: &prompts,
                messages: &messages,
                log_problem: &state.log_problem,
                midi: &state.midi,
                bake: &bake,
                library: &state.library,
                settings: &settings,
                keys: &self.key_lines,
            };
            requests.extend(desk.show(ui, &view));
        });
        self.repaint.ask(delay.max(self.repaint.every));
        for request in requests {
            self.handle(request);
        }
    }

    fn handle(&mut self, request: DeskRequest) {
        match request {
            DeskRequest::Act(action) => self.act(action),
            DeskRequest::Midi(request) => self.send(ShowRequest::Midi(request)),
            DeskRequest::Bake(request) => {
                if let Err(why) = self.baking.handle(&request) {
                    self.message = Some(why);
                }
            }
            DeskRequest::Library(request) => self.send(ShowRequest::Library(request)),
            DeskRequest::Settings(SettingsRequest::Refresh) => self.preferences.refresh(),
            DeskRequest::Settings(SettingsRequest::Identify) => self.identifies = true,
            DeskRequest::Settings(SettingsRequest::Set(setting)) => self.set(setting),
        }
    }

    fn settings_view(&self) -> SettingsView {
        let screen = |monitor: winit::monitor::MonitorHandle| {
            let size = monitor.size();
            format!("{} {}x{}", monitor.name().unwrap_or_default(), size.width, size.height)
        };
        SettingsView {
            monitors: self.output_window.available_monitors().map(screen).collect(),
            output_on: screen::place(&self.output_window),
            guarded: self.guarded.load(Ordering::Relaxed),
            limited: self.limited,
            problems: self.problems.clone(),
            ..self.preferences.view()
        }
    }

    /// Applies a setting changed on the desk and saves it.
    fn set(&mut self, setting: Setting) {
        let command = |command| ShowRequest::Act(Action::Show(command));
        match &setting {
            Setting::Audio(name) => match AnalysisThread::start(&SoundChoice::of(name.as_deref())) {
                Ok(listener) => self.send(ShowRequest::Listen(Box::new(listener))),
                Err(error) => {
                    self.message =
                        Some(format!("could not change the input: {error:#}; keeping the current one"));
                    return;
                }
            },
            Setting::Presets(path) => {
                self.send(ShowRequest::Presets(path.clone()));
                self.baking.switch_to(path.as_deref());
            }
            Setting::Monitor(display) => {
                self.screen.switch_to(*display, &self.output_window, &self.desk_window);
            }
            Setting::Rate(rate) => self.send(ShowRequest::Rate(*rate)),
            Setting::Guard(on) => self.guarded.store(*on, Ordering::Relaxed),
            Setting::LimitFlashes(on) => {
                self.limited = *on;
                self.send(ShowRequest::LimitFlashes(*on));
            }
            Setting::Profile(name) => {
                if let Some(profile) = Profile::named(name) {
                    self.send(command(Command::Profile(profile)));
                }
            }
            Setting::Adventure(value) => self.send(command(Command::Adventure(Unipolar::new(*value)))),
            Setting::InputDelay(value) => self.send(command(Command::InputDelay(*value))),
            Setting::Dwell(value) => self.send(command(Command::Dwell(*value))),
            Setting::Midi(_) => {}
        }
        let midi = matches!(setting, Setting::Midi(_));
        self.preferences.put(setting);
        self.moved = true;
        if midi {
            self.send(ShowRequest::MidiFolder(self.preferences.midi_folder()));
        }
    }
}
