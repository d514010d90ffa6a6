//! The windows: output for the crowd and desk for the performer, driven by one event loop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use winit::application::ApplicationHandler;
use winit::dpi::{LogicalSize, PhysicalPosition};
use winit::event::{ElementState, WindowEvent};
use winit::event_loop::{ActiveEventLoop, OwnedDisplayHandle};
use winit::keyboard::ModifiersState;
use winit::window::{Window, WindowId};

use super::admission::live_admission;
use super::archive::Archive;
use super::baking::Baking;
use super::keys::{Chord, Keymap};
use super::logbook::LogBook;
use super::midi::Midi;
use super::painter::Painter;
use super::preferences::Preferences;
use super::screen::Screen;
use super::screenshot::Screenshot;
use super::sound::{AnalysisThread, SoundChoice};
use super::surface::WindowSurface;
use super::{FULL_SIZE, MESH, SOFTWARE_SIZE, WARM_FRAMES, actions, config_folder, open_store};
use crate::desk::{
    Action, Desk, DeskRequest, DeskView, KeyLine, SettingsRequest, SettingsView, WindowAction,
};
use crate::handoff::Latest;
use crate::jobs::show_lock::ShowLock;
use crate::library::{Setting, Settings, UserFolders};
use crate::milk::PresetAudio;
use crate::mind::Profile;
use crate::show::setlog::LogHeader;
use crate::show::{Command, FrameTimes, Rig, RigFrame, ShowSettings, Snapshot, Warmer};
use crate::stage::{DeckSettings, Gpu, Presenter, RenderContext, Stage};
use crate::units::Unipolar;

/// Target frame rate of the show.
const FPS: f64 = 60.0;
/// Longest time step of a frame in seconds; after a stall the show continues from where it was.
const LONGEST_DT: f64 = 0.1;
/// Shortest interval between frames of the desk, so that the output comes first.
const DESK_EVERY: Duration = Duration::from_millis(33);
/// Number of frame times in the statistics on the desk.
const KEPT_TIMES: usize = 120;

/// Settings of the program at start-up.
#[derive(Clone, Debug)]
pub struct AppSettings {
    /// The performer's settings.
    pub settings: Settings,
    /// Random seed.
    pub seed: u64,
    /// Commands from the settings, applied before the first frame.
    pub first: Vec<Command>,
    /// Problems in the settings.
    pub troubles: Vec<String>,
    /// Exit after this many seconds, for tests.
    pub seconds: Option<f64>,
}

/// Opens the windows and runs the show until the performer ends it.
pub fn run(settings: AppSettings) -> anyhow::Result<()> {
    let started = Instant::now();
    let events = super::screen::event_loop().map_err(|why| {
        anyhow::anyhow!("could not open a display ({why}); 'aivj perform' works without one")
    })?;
    let mut app =
        App { settings, display: events.owned_display_handle(), started, running: None, failed: None };
    events.run_app(&mut app).context("running the windows")?;
    app.failed.map_or(Ok(()), Err)
}

struct App {
    settings: AppSettings,
    display: OwnedDisplayHandle,
    started: Instant,
    running: Option<Running>,
    failed: Option<anyhow::Error>,
}

/// Everything that exists once the windows are open.
struct Running {
    output: WindowSurface,
    desk_surface: WindowSurface,
    presenter: Presenter,
    painter: Painter,
    desk: Desk,
    rig: Rig,
    started: Instant,
    listener: AnalysisThread,
    /// The set log, if it can be written.
    book: Option<LogBook>,
    sound: Vec<[f32; 2]>,
    commands: Vec<Command>,
    last_frame: Option<Instant>,
    /// Whether a preset has been on air.
    on_air: bool,
    last_desk: Instant,
    frame_ms: Vec<f32>,
    desk_hidden: bool,
    keymap: Keymap,
    /// The keys as shown on the desk.
    key_lines: Vec<KeyLine>,
    /// Modifier keys held down.
    held: ModifiersState,
    midi: Midi,
    baking: Baking,
    /// Tells bakes on this machine that a show is playing, if the lock can be taken.
    show_lock: Option<ShowLock>,
    archive: Archive,
    preferences: Preferences,
    /// Whether unknown presets are audited before they are shown.
    guarded: Arc<AtomicBool>,
    /// Whether flashes are limited to three per second.
    limited: bool,
    device: String,
    screen: Screen,
    screenshot: Screenshot,
    message: Option<String>,
}

impl ApplicationHandler for App {
    fn resumed(&mut self, events: &ActiveEventLoop) {
        if self.running.is_some() {
            return;
        }
        match Running::start(events, &self.settings, self.display.clone()) {
            Ok(running) => self.running = Some(running),
            Err(error) => {
                self.failed = Some(error);
                events.exit();
            }
        }
    }

    fn window_event(&mut self, events: &ActiveEventLoop, id: WindowId, event: WindowEvent) {
        let Some(running) = &mut self.running else { return };
        let on_desk = id == running.desk_surface.window.id();
        if on_desk && running.painter.event(&running.desk_surface.window, &event) {
            return;
        }
        match event {
            // Closing the desk only hides it; the output continues.
            WindowEvent::CloseRequested if on_desk => running.act_on_windows(WindowAction::Desk),
            WindowEvent::CloseRequested => events.exit(),
            WindowEvent::Resized(size) => {
                let gpu = &running.rig.stage.render_context().gpu;
                let surface = if on_desk { &mut running.desk_surface } else { &mut running.output };
                surface.resize(gpu, size.width, size.height);
            }
            WindowEvent::ModifiersChanged(held) => running.held = held.state(),
            // A synthetic press was made before the window had the keyboard, for another program.
            WindowEvent::KeyboardInput { event, is_synthetic: false, .. }
                if event.state == ElementState::Pressed =>
            {
                let chord = Chord::pressed(&event, running.held);
                let action = chord.and_then(|chord| running.keymap.action(&chord)).cloned();
                if let Some(action) = action.filter(|action| !event.repeat || action.repeats()) {
                    running.key(action, on_desk);
                }
            }
            WindowEvent::RedrawRequested if !on_desk => {
                let black = !running.on_air;
                running.frame();
                if black && running.on_air {
                    log::info!("first picture after {:.0} ms", self.started.elapsed().as_secs_f64() * 1000.0);
                }
            }
            _ => {}
        }
        let over = self.settings.seconds.is_some_and(|limit| self.started.elapsed().as_secs_f64() > limit);
        if over {
            events.exit();
        }
    }

    fn about_to_wait(&mut self, _: &ActiveEventLoop) {
        if let Some(running) = &self.running {
            running.output.window.request_redraw();
        }
    }
}

impl Running {
    fn start(
        events: &ActiveEventLoop,
        app: &AppSettings,
        display: OwnedDisplayHandle,
    ) -> anyhow::Result<Self> {
        let settings = &app.settings;
        let window = |title: &str, width: f64, height: f64| {
            let attributes = Window::default_attributes()
                .with_title(title)
                .with_inner_size(LogicalSize::new(width, height));
            events.create_window(attributes).map(Arc::new).context("opening a window")
        };
        let output_window = window("aivj output", 960.0, 540.0)?;
        let desk_window = window("aivj desk", 1240.0, 720.0)?;
        if let Some(screen) = desk_window.current_monitor() {
            // To the right, leaving as much of the output visible as fits.
            let free = screen.size().width.saturating_sub(desk_window.outer_size().width);
            let [left, top] = [screen.position().x, screen.position().y];
            desk_window.set_outer_position(PhysicalPosition::new(left + free as i32, top));
            output_window.set_outer_position(PhysicalPosition::new(left, top));
        }
        let descriptor = wgpu::InstanceDescriptor::new_with_display_handle_from_env(Box::new(display));
        let instance = wgpu::Instance::new(descriptor);
        let output =
            instance.create_surface(output_window.clone()).context("drawing to the output window")?;
        let desk = instance.create_surface(desk_window.clone()).context("drawing to the desk window")?;
        let gpu = Gpu::open(instance, Some(&output))?;
        let size = settings.size.unwrap_or(if gpu.software() { SOFTWARE_SIZE } else { FULL_SIZE });
        let device = gpu.name();
        let message = gpu
            .software()
            .then(|| format!("no graphics card found: rendering in software at {}x{}", size[0], size[1]));
        if let Some(message) = &message {
            eprintln!("aivj: {message}");
        }
        let output = WindowSurface::new(&gpu, output_window, output, !gpu.software())?;
        let desk_surface = WindowSurface::new(&gpu, desk_window, desk, false)?;
        let render_context = Arc::new(RenderContext::new(gpu, &settings.textures));
        let heard = Latest::new(PresetAudio::default());
        let deck = DeckSettings { size, mesh: MESH, fps: FPS };
        let show = ShowSettings {
            seed: app.seed,
            fps: FPS,
            warm_frames: WARM_FRAMES,
            second_deck: !render_context.gpu.software(),
            // One frame waits for the display, and half of another passes until it is visible.
            seen_after_secs: 1.5 / FPS,
            record: true,
            ..ShowSettings::default()
        };
        // Taken before the saved state is loaded, so that nobody changes it meanwhile.
        let show_lock = UserFolders::of_user().and_then(|places| match ShowLock::open(&places.data) {
            Ok(show_lock) => Some(show_lock),
            Err(error) => {
                log::warn!("bakes and imports on this machine cannot see this show: {error}");
                None
            }
        });
        let (archive, show) = Archive::open(settings.presets.as_deref(), show)?;
        let (store, _) = open_store()?; // Its message was shown by the first opening.
        let book = LogBook::for_live_show(&LogHeader::new(*show.settings(), show.pool(), show.memory()));
        let guarded = Arc::new(AtomicBool::new(settings.guard.unwrap_or(true)));
        let admission = live_admission(&store, &settings.textures, guarded.clone())?;
        let warmer = Warmer::threads(&render_context, &heard, deck, admission);
        let mut stage = Stage::new(render_context, size);
        stage.measure_picture(true);
        // With software rendering the limiter costs most of another frame.
        let limited = settings.limit_flashes.unwrap_or(!stage.render_context().gpu.software());
        stage.limit_flashes(limited);
        let presenter = Presenter::new(&stage, output.format());
        let painter = Painter::new(&stage.render_context().gpu, &desk_surface, stage.picture());
        let config = config_folder();
        let (keymap, keys_trouble) = Keymap::of_folder(config.as_deref());
        if let Some(trouble) = &keys_trouble {
            eprintln!("aivj: {trouble}");
        }
        let preferences = Preferences::open(settings.clone(), config)?;
        let mut running = Self {
            presenter,
            painter,
            desk: Desk::default(),
            rig: Rig::new(show, stage, warmer, heard),
            started: Instant::now(),
            listener: AnalysisThread::start(&SoundChoice::of(settings.audio.as_deref()))?,
            book,
            output,
            desk_surface,
            sound: Vec::with_capacity(8192),
            commands: app.first.clone(),
            last_frame: None,
            on_air: false,
            last_desk: Instant::now() - DESK_EVERY,
            frame_ms: Vec::new(),
            desk_hidden: false,
            key_lines: keymap.shown(),
            keymap,
            held: ModifiersState::empty(),
            midi: Midi::open(preferences.midi_folder()),
            preferences,
            guarded,
            limited,
            baking: Baking::new(settings.presets.as_deref(), &settings.textures),
            show_lock,
            archive,
            device,
            screen: Screen::wanted(settings.monitor),
            screenshot: Screenshot::default(),
            message: [message, keys_trouble]
                .into_iter()
                .flatten()
                .chain(app.troubles.iter().cloned())
                .reduce(|all, one| format!("{all}; {one}")),
        };
        running.screen.look(&running.output.window);
        Ok(running)
    }

    /// Acts on a key; on the desk, some keys act on the selection.
    fn key(&mut self, action: Action, on_desk: bool) {
        match if on_desk { self.desk.aimed(action) } else { Some(action) } {
            Some(action) => self.act(&action),
            None => self.message = Some("select a preset first: on this page the key acts on the selection".into()),
        }
    }

    fn act(&mut self, action: &Action) {
        match action {
            Action::Window(window) => self.act_on_windows(*window),
            Action::Select(control) => self.desk.take(*control),
            Action::Show(_)
            | Action::Turn(_)
            | Action::Nudge(..)
            | Action::NudgeSelected(_)
            | Action::PlayCard(_)
            | Action::DropCard(_) => {
                let snapshot = self.rig.show.snapshot();
                let command = actions::command(action, self.desk.in_hand(), &snapshot, &self.commands);
                self.commands.extend(command);
            }
        }
    }

    fn act_on_windows(&mut self, action: WindowAction) {
        match action {
            WindowAction::Fullscreen => {
                self.screen.toggle(&self.output.window);
            }
            WindowAction::Desk => {
                self.desk_hidden = !self.desk_hidden;
                self.desk_surface.window.set_visible(!self.desk_hidden);
            }
            WindowAction::Page(page) => self.desk.turn_to(page),
            WindowAction::NextPage => self.desk.turn_page(),
            WindowAction::Help => self.desk.toggle_help(),
            WindowAction::Picture => self.screenshot.ask(),
        }
    }

    fn frame(&mut self) {
        let now = Instant::now();
        let dt = self.last_frame.map_or(0.0, |last| (now - last).as_secs_f64().min(LONGEST_DT));
        self.last_frame = Some(now);
        self.process_midi();
        self.listener.request(self.commands.iter().filter_map(Command::tempo));
        self.listener.collect(&mut self.sound);
        let features = self.listener.features.read();
        if let Some(show_lock) = &mut self.show_lock {
            show_lock.step(features.silent, dt);
        }
        self.rig.frame(&RigFrame { dt, sound: &self.sound, features: &features, commands: &self.commands });
        let entries = self.rig.show.take_log();
        if let Some(book) = &mut self.book {
            book.write(&entries);
        }
        self.archive.frame(&mut self.rig.show, &self.commands);
        self.message = self.preferences.trouble().or(self.message.take());
        self.commands.clear();
        self.on_air |= self.rig.show.playing();
        let gpu = &self.rig.stage.render_context().gpu;
        let size = self.output.size();
        let (presenter, stage) = (&mut self.presenter, &self.rig.stage);
        self.output.show(gpu, |view, encoder| presenter.draw(stage, encoder, view, size));
        self.message = self.screenshot.frame(&self.rig.stage).or(self.message.take());
        if self.frame_ms.len() == KEPT_TIMES {
            self.frame_ms.remove(0);
        }
        self.frame_ms.push(dt as f32 * 1000.0);
        if now - self.last_desk >= DESK_EVERY {
            self.last_desk = now;
            self.screen.look(&self.output.window);
            let snapshot = self.rig.show.snapshot();
            self.midi.light(&snapshot);
            if !self.desk_hidden {
                self.paint_desk(&snapshot);
            }
        }
    }

    fn process_midi(&mut self) {
        if self.midi.gather(self.started.elapsed().as_secs_f64()) {
            let snapshot = self.rig.show.snapshot();
            for action in self.midi.process(&snapshot, &mut self.commands) {
                self.act(&action);
            }
        }
        self.midi.lock(&mut self.commands);
    }

    fn paint_desk(&mut self, snapshot: &Snapshot) {
        let stage_size = self.rig.stage.size();
        let heard = self.rig.audio();
        let messages = [
            snapshot.message.as_deref(),
            self.archive.message(),
            self.midi.message(),
            self.screen.message(),
            self.message.as_deref(),
        ];
        let messages: Vec<&str> = messages.into_iter().flatten().collect();
        let settings = self.settings_view();
        let view = DeskView {
            snapshot,
            audio: &self.listener.line(),
            times: self.times(),
            heard: &heard,
            preview: self.painter.preview,
            preview_aspect: stage_size[0] as f32 / stage_size[1] as f32,
            device: &self.device,
            messages: &messages,
            midi: &self.midi.view(),
            bake: &self.baking.view(),
            library: self.archive.view(),
            settings: &settings,
            keys: &self.key_lines,
        };
        let desk = &mut self.desk;
        let mut asks = Vec::new();
        let gpu = &self.rig.stage.render_context().gpu;
        self.painter.paint(gpu, &mut self.desk_surface, |ui| asks.extend(desk.show(ui, &view)));
        for ask in asks {
            match ask {
                DeskRequest::Act(action) => self.act(&action),
                DeskRequest::Midi(ask) => self.midi.asked(ask),
                DeskRequest::Bake(ask) => {
                    if let Err(why) = self.baking.asked(&ask) {
                        self.message = Some(why);
                    }
                }
                DeskRequest::Library(ask) => self.archive.asked(ask),
                DeskRequest::Settings(SettingsRequest::Look) => self.preferences.look(),
                DeskRequest::Settings(SettingsRequest::Set(setting)) => self.set(setting),
            }
        }
    }

    fn settings_view(&self) -> SettingsView {
        let screen = |monitor: winit::monitor::MonitorHandle| {
            let size = monitor.size();
            format!("{} {}x{}", monitor.name().unwrap_or_default(), size.width, size.height)
        };
        SettingsView {
            monitors: self.output.window.available_monitors().map(screen).collect(),
            guarded: self.guarded.load(Ordering::Relaxed),
            limited: self.limited,
            ..self.preferences.view()
        }
    }

    /// Applies a setting changed on the desk and saves it.
    fn set(&mut self, setting: Setting) {
        match &setting {
            Setting::Audio(name) => match AnalysisThread::start(&SoundChoice::of(name.as_deref())) {
                Ok(listener) => {
                    let old = std::mem::replace(&mut self.listener, listener);
                    // Its thread may still be busy opening the old input.
                    let retire = std::thread::Builder::new().name("retire".into());
                    if let Err(error) = retire.spawn(move || drop(old)) {
                        log::debug!("joining the old analysis thread on the render thread: {error}");
                    }
                }
                Err(error) => {
                    self.message =
                        Some(format!("could not change the input: {error:#}; keeping the current one"));
                    return;
                }
            },
            Setting::Presets(path) => {
                self.archive.turn_to(path.as_deref());
                self.baking.turn_to(path.as_deref());
            }
            Setting::Monitor(number) => self.screen.turn_to(*number, &self.output.window),
            Setting::Guard(on) => self.guarded.store(*on, Ordering::Relaxed),
            Setting::LimitFlashes(on) => {
                self.limited = *on;
                self.rig.stage.limit_flashes(*on);
            }
            Setting::Profile(name) => self.commands.extend(Profile::named(name).map(Command::Profile)),
            Setting::Adventure(value) => self.commands.push(Command::Adventure(Unipolar::new(*value))),
            Setting::Dwell(value) => self.commands.push(Command::Dwell(*value)),
            Setting::Midi(_) => {}
        }
        let midi = matches!(setting, Setting::Midi(_));
        self.preferences.put(setting);
        if midi {
            self.midi.turn_to(self.preferences.midi_folder());
        }
    }

    fn times(&self) -> FrameTimes {
        let mut sorted = self.frame_ms.clone();
        sorted.sort_by(f32::total_cmp);
        let at = |share: f32| {
            let last = sorted.len().saturating_sub(1) as f32;
            sorted.get((share * last).round() as usize).copied().unwrap_or(0.0)
        };
        let mean = sorted.iter().sum::<f32>() / sorted.len().max(1) as f32;
        FrameTimes { fps: if mean > 0.0 { 1000.0 / mean } else { 0.0 }, median_ms: at(0.5), p95_ms: at(0.95) }
    }
}
