//! Tests that run the show on a scripted clock: windows must not affect choices or pictures, and the show must keep
//! time.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use super::picture::{Pause, Pictures};
use super::stepper::{Stepper, Turn};
use crate::analysis::{Analyser, Features};
use crate::audio::{Pcm, SAMPLE_RATE_HZ, demo};
use crate::handoff::Latest;
use crate::library::Catalogue;
use crate::milk::PresetAudio;
use crate::show::setlog::Event;
use crate::show::{Command, Rig, RigFrame, Show, ShowSettings};
use crate::stage::{DeckSettings, Gpu, Presenter, RenderContext, Stage};
use crate::warmup::Warmer;

const SIZE: [u32; 2] = [64, 36];
const RATE: u32 = 60;

/// Supplies the audio of each step, cut from the demo track by show time.
struct Sound {
    track: &'static Pcm,
    analyser: Analyser,
    secs: f64,
    at: usize,
}

impl Sound {
    fn new() -> Self {
        static TRACK: OnceLock<Pcm> = OnceLock::new();
        let track = TRACK.get_or_init(|| {
            let mut track = demo::render(SAMPLE_RATE_HZ);
            track.frames.drain(..(demo::HIGHLIGHT.0 * f64::from(SAMPLE_RATE_HZ)) as usize);
            track
        });
        Self { track, analyser: Analyser::new(), secs: 0.0, at: 0 }
    }

    fn advance(&mut self, dt: f64) -> (Vec<[f32; 2]>, Features) {
        self.secs += dt;
        let end = ((self.secs * f64::from(SAMPLE_RATE_HZ)) as usize).min(self.track.frames.len());
        let block = self.track.frames[self.at.min(end)..end].to_vec();
        self.at = end;
        self.analyser.push(&block);
        (block, *self.analyser.features())
    }
}

/// A window that presents the newest picture to a texture, `hz` times per second.
struct FakeWindow {
    hz: f64,
    presenter: Presenter,
    target: wgpu::TextureView,
    presented: u64,
    newest: Vec<u64>,
}

impl FakeWindow {
    fn new(context: &RenderContext, hz: f64) -> Self {
        let target = context.gpu.device.create_texture(&wgpu::TextureDescriptor {
            label: Some("window"),
            size: wgpu::Extent3d { width: 96, height: 96, depth_or_array_layers: 1 },
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format: wgpu::TextureFormat::Bgra8Unorm,
            usage: wgpu::TextureUsages::RENDER_ATTACHMENT,
            view_formats: &[],
        });
        let presenter = Presenter::new(context, target.format());
        Self {
            hz,
            presenter,
            target: target.create_view(&Default::default()),
            presented: 0,
            newest: Vec::new(),
        }
    }

    fn next(&self) -> f64 {
        self.presented as f64 / self.hz
    }

    fn present(&mut self, pictures: &Pictures) {
        let picture = pictures.newest.read();
        let context = &picture.context;
        let mut encoder = context.gpu.device.create_command_encoder(&Default::default());
        self.presenter.draw(context, &mut encoder, (&picture.view, picture.size), (&self.target, [96, 96]));
        context.gpu.queue.submit([encoder.finish()]);
        self.presented += 1;
        self.newest.push(picture.number);
    }
}

fn stepper(context: &Arc<RenderContext>, wake: impl Fn() + Send + 'static) -> Stepper {
    let deck = DeckSettings { size: SIZE, mesh: [16, 12], fps: f64::from(RATE) };
    let heard = Latest::new(PresetAudio::default());
    let settings = ShowSettings {
        seed: 5,
        warm_frames: 2,
        fps: f64::from(RATE),
        record: true,
        ..ShowSettings::default()
    };
    let warmer = Warmer::in_place(context, &heard, deck, None);
    let mut rig = Rig::new(
        Show::new(settings, Catalogue::built_in().into()),
        Stage::new(context.clone(), SIZE),
        warmer,
        heard,
    );
    rig.prepare();
    let pictures = Pictures::new(&rig, Pause::default());
    Stepper::new(rig, pictures, (RATE, 0.0), wake)
}

/// Runs a show from `start` to `end`, in seconds. `oversleep` takes the time at which a sleep should end and
/// returns how late it ends, both in seconds. Returns all choices and cuts, and every 40th picture with its
/// time.
fn run(
    stepper: &mut Stepper,
    Range { start, end }: Range<f64>,
    mut window: Option<&mut FakeWindow>,
    oversleep: impl Fn(f64) -> f64,
) -> (Vec<String>, Vec<(f64, image::RgbaImage)>) {
    let mut sound = Sound::new();
    let (mut now, mut steps) = (start, 0);
    let (mut choices, mut pictures) = (Vec::new(), Vec::new());
    while now < end {
        let shared = stepper.pictures.clone();
        match stepper.turn(now) {
            Turn::Sleep(secs) => {
                stepper.rig.stage.finish(); // Frames are always finished in time.
                let until = now + secs;
                now = match &mut window {
                    Some(window) if window.next() <= until => {
                        let at = window.next().max(now);
                        window.present(&shared);
                        at
                    }
                    _ => until + oversleep(until),
                };
            }
            Turn::Step(due) => {
                let dt = stepper.begin(&due);
                let (sound, features) = sound.advance(dt);
                steps += 1;
                let commands = match steps {
                    90 | 210 | 260 => vec![Command::Next],
                    150 => vec![Command::Back],
                    _ => Vec::new(),
                };
                let input = RigFrame { dt, sound: &sound, features: &features, commands: &commands };
                stepper.draw(&input, || now);
                choices.extend(stepper.rig.show.take_log().iter().filter_map(|entry| match &entry.event {
                    Event::Choice(chosen) => Some(format!("{} chose {}", entry.step, chosen.name)),
                    Event::Cut(cut) => Some(format!("{} cut to {}", entry.step, cut.name)),
                    _ => None,
                }));
                if steps % 40 == 0 {
                    let picture = stepper.rig.stage.screenshot().expect("read back");
                    pictures.push((stepper.rig.show.snapshot().now, picture));
                }
            }
        }
    }
    (choices, pictures)
}

#[test]
fn the_refresh_rate_of_a_window_affects_neither_choices_nor_pictures() {
    let Some(gpu) = Gpu::for_test() else { return };
    let context = Arc::new(RenderContext::new(gpu, &[]));
    let (choices, pictures) = run(&mut stepper(&context, || ()), 0.0..5.99, None, |_| 0.0);
    assert!(choices.len() > 6 && pictures.len() > 7, "{choices:?}");
    let lit = pictures.iter().filter(|(_, picture)| picture.pixels().any(|pixel| pixel.0[0] > 40)).count();
    assert!(lit > pictures.len() / 2, "most pictures are too dark to compare");
    for hz in [30.0, 60.0, 144.0] {
        let mut window = FakeWindow::new(&context, hz);
        let woken = Arc::new(AtomicU64::new(0));
        let count = woken.clone();
        let wake = move || {
            count.fetch_add(1, Ordering::Relaxed);
        };
        let mut stepper = stepper(&context, wake);
        let (same_choices, same_pictures) = run(&mut stepper, 0.0..5.99, Some(&mut window), |_| 0.0);
        assert_eq!(same_choices, choices, "{hz} Hz");
        assert!(same_pictures == pictures, "{hz} Hz: the pictures differ");
        assert!((window.presented as f64 - 6.0 * hz).abs() < 3.0, "{} presented", window.presented);
        assert!(window.newest.is_sorted() && window.newest.last() > Some(&350));
        assert_eq!(woken.load(Ordering::Relaxed), 359, "woken once for every picture");
    }
}

#[test]
fn dropped_steps_are_counted_and_show_time_stays_accurate() {
    let Some(gpu) = Gpu::for_test() else { return };
    let context = Arc::new(RenderContext::new(gpu, &[]));
    let mut stepper = stepper(&context, || ());
    // The thread gets no CPU time for a quarter of a second, once a second.
    let stall = |until: f64| if until.fract() > 0.98 { 0.25 } else { 0.0 };
    run(&mut stepper, 0.0..10.0, None, stall);
    let snapshot = stepper.rig.show.snapshot();
    assert!((snapshot.now - 10.0).abs() < 0.3, "show time {} after ten seconds", snapshot.now);
    assert!((120..160).contains(&snapshot.dropped.stall), "{:?}", snapshot.dropped);
    assert_eq!(snapshot.dropped.total(), snapshot.dropped.stall);
}

#[test]
fn a_long_stall_counts_as_show_time_and_a_suspension_does_not() {
    let Some(gpu) = Gpu::for_test() else { return };
    let context = Arc::new(RenderContext::new(gpu, &[]));
    let mut stalled = stepper(&context, || ());
    run(&mut stalled, 0.0..6.0, None, |until| if until > 2.98 && until < 2.99 { 2.5 } else { 0.0 });
    let snapshot = stalled.rig.show.snapshot();
    assert!((snapshot.now - 6.0).abs() < 0.1, "{}", snapshot.now);
    assert!((148..153).contains(&snapshot.dropped.stall), "{:?}", snapshot.dropped);
    assert_eq!(snapshot.dropped.total(), snapshot.dropped.stall);

    let mut suspended = stepper(&context, || ());
    run(&mut suspended, 0.0..2.0, None, |_| 0.0);
    suspended.suspended(3600.0);
    run(&mut suspended, 2.0..3.0, None, |_| 0.0);
    let snapshot = suspended.rig.show.snapshot();
    assert!((snapshot.now - 3.0).abs() < 0.1, "{}", snapshot.now);
    assert_eq!((snapshot.dropped.suspended, snapshot.dropped.total()), (1, 1));
    assert!(snapshot.message.is_some_and(|message| message.contains("suspended for 3600 s")));
}

#[test]
fn resizing_a_surface_pauses_the_show_only_briefly() {
    let Some(gpu) = Gpu::for_test() else { return };
    let context = Arc::new(RenderContext::new(gpu, &[]));
    let mut stepper = stepper(&context, || ());
    let pictures = stepper.pictures.clone();
    let paused = pictures.pause.ask();
    run(&mut stepper, 0.0..0.15, None, |_| 0.0);
    assert_eq!(pictures.newest.read().number, 0, "drawing pauses for a moment");
    run(&mut stepper, 0.15..1.0, None, |_| 0.0);
    assert!(pictures.newest.read().number > 2, "a surface that cannot be configured must not stop the show");
    drop(paused);
    let before = pictures.newest.read().number;
    run(&mut stepper, 1.0..2.0, None, |_| 0.0);
    assert!(pictures.newest.read().number > before + 55);
}

#[test]
fn a_frozen_or_black_picture_is_not_drawn_again() {
    let Some(gpu) = Gpu::for_test() else { return };
    let context = Arc::new(RenderContext::new(gpu, &[]));
    let mut stepper = stepper(&context, || ());
    let step = |stepper: &mut Stepper, steps: usize, command: Option<Command>| {
        let before = stepper.pictures.newest.read().number;
        let commands: Vec<Command> = command.into_iter().collect();
        for number in 0..steps {
            let commands = if number == 0 { &commands[..] } else { &[] };
            let features = Features::default();
            let input = RigFrame { dt: 1.0 / 60.0, sound: &[], features: &features, commands };
            stepper.draw(&input, || 0.0);
        }
        stepper.pictures.newest.read().number - before
    };
    assert_eq!(step(&mut stepper, 30, None), 30);
    assert_eq!(step(&mut stepper, 30, Some(Command::Freeze)), 0);
    assert_eq!(step(&mut stepper, 30, Some(Command::Freeze)), 30);
    assert!(step(&mut stepper, 200, Some(Command::Blackout)) < 100);
    let black = stepper.rig.stage.screenshot().expect("read back");
    assert!(black.pixels().all(|pixel| pixel.0[..3] == [0; 3]));
    assert_eq!(step(&mut stepper, 30, Some(Command::Blackout)), 30);
}
