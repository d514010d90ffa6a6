//! Effect of every macro on the final picture: rendered at 0, 0.5 and 1 for all built-in presets.
//!
//! All renderings use the same seed and audio, so the macro is the only difference.

use std::sync::{Arc, LazyLock};

use aivj::analysis::Features;
use aivj::audio;
use aivj::library::{self, BuiltIn, Catalogue};
use aivj::milk::{Modulation, PresetAudio, PresetAudioAnalyser, Program};
use aivj::mind::Control;
use aivj::mind::macros::{Bank, MacroState, Mode};
use aivj::show::{Command, FusionDecks, MacroDriver, Show, ShowSettings, StepInput};
use aivj::stage::{Cue, Deck, DeckId, DeckSettings, Gpu, OnAirDeck, OutputMode, Post, RenderContext, Stage};
use aivj::units::{Rng, Unipolar};
use image::RgbaImage;

const SIZE: [u32; 2] = [96, 54];
const FPS: f64 = 30.0;
const FRONT: DeckId = DeckId(1);
const SECOND: DeckId = DeckId(2);
/// Both ends and the middle of a control.
const TRAVEL: [f32; 3] = [0.0, 0.5, 1.0];

/// State shared by all renderings.
static SHARED: LazyLock<Option<Shared>> = LazyLock::new(Shared::open);

/// Returns the shared state; callers check first that there is a graphics device.
fn shared() -> &'static Shared {
    SHARED.as_ref().expect("a graphics device")
}

struct Shared {
    render_context: Arc<RenderContext>,
    audio: Vec<PresetAudio>,
    presets: Vec<BuiltIn>,
}

impl Shared {
    /// Returns `None` if `AIVJ_NO_GPU=1` is set.
    fn open() -> Option<Self> {
        let mut sound = audio::demo::render(44_100).frames;
        sound.drain(..(audio::demo::HIGHLIGHT.0 * 44_100.0) as usize);
        let mut analyser = PresetAudioAnalyser::new();
        let frames = sound.chunks_exact(1470).take(90);
        let gpu = Gpu::for_test()?;
        Some(Self {
            render_context: Arc::new(RenderContext::new(gpu, &[])),
            audio: frames.map(|block| analyser.update(block, 1.0 / FPS).clone()).collect(),
            presets: library::built_in().collect(),
        })
    }

    fn deck(&self, preset: BuiltIn) -> Box<Deck> {
        let program = Program::compile(preset.text.as_bytes()).expect("built-in presets compile");
        let settings = DeckSettings { size: SIZE, mesh: [24, 18], fps: FPS };
        Box::new(Deck::prepare(&self.render_context, program, settings, 7).expect("built-in presets build"))
    }

    /// Returns a preset unrelated to the one at `place`.
    fn other(&self, place: usize) -> BuiltIn {
        self.presets[(place + self.presets.len() / 2) % self.presets.len()]
    }
}

/// One preset on air, with macros applied.
struct Scene {
    stage: Stage,
    macros: MacroDriver,
    frame: usize,
}

impl Scene {
    fn new(front: BuiltIn, second: Option<BuiltIn>, macros: MacroDriver) -> Self {
        let mut stage = Stage::new(shared().render_context.clone(), SIZE);
        stage.add(FRONT, shared().deck(front));
        if let Some(second) = second {
            stage.add(SECOND, shared().deck(second));
        }
        let mut scene = Self { stage, macros, frame: 0 };
        // A second deck normally fades in; skip the fade.
        for _ in 0..60 {
            scene.step_macros(&Features::default());
        }
        scene
    }

    fn step_macros(&mut self, features: &Features) {
        let spare: Vec<DeckId> = self.stage.deck(SECOND).map(|_| SECOND).into_iter().collect();
        self.macros.step(
            features,
            &FusionDecks { on_air: &[FRONT], spare: &spare, fading: false },
            1.0 / FPS,
        );
    }

    fn draw(&mut self, features: &Features) -> Picture {
        self.step_macros(features);
        let mut cue = plain_cue(self.frame);
        cue.front = Some(OnAirDeck { deck: FRONT, modulation: self.macros.modulation() });
        (cue.second, cue.post) = (self.macros.second(), self.macros.post());
        self.stage.draw(&cue);
        self.frame += 1;
        Picture(self.stage.screenshot().expect("a picture"))
    }

    /// Renders `count` frames after skipping `skip`.
    fn render(&mut self, skip: usize, count: usize) -> Vec<Picture> {
        (0..skip + count).map(|_| self.draw(&Features::default())).skip(skip).collect()
    }
}

/// Returns a cue with the deck on air unmodified.
fn plain_cue(frame: usize) -> Cue {
    Cue {
        dt: if frame == 0 { 0.0 } else { 1.0 / FPS },
        fps: FPS,
        audio: shared().audio[frame % shared().audio.len()].clone().into(),
        front: Some(OnAirDeck { deck: FRONT, modulation: Modulation::default() }),
        fade: None,
        second: None,
        post: Post::default(),
        layers: Vec::new(),
        output_mode: OutputMode::Open,
    }
}

/// Returns a macro driver with all controls centred except one.
fn driver(control: Control, value: f32) -> MacroDriver {
    let mut bank = Bank::default();
    bank.set(control, Unipolar::new(value));
    MacroDriver::new(MacroState { bank, follow: false, ..MacroState::default() }, Rng::new(3))
}

/// A rendered picture.
#[derive(PartialEq)]
struct Picture(RgbaImage);

impl Picture {
    fn luma(&self) -> Vec<f32> {
        self.0.pixels().map(|p| luma(p.0)).collect()
    }

    /// Returns the mean difference between neighbouring pixels.
    fn edges(&self) -> f32 {
        let luma = self.luma();
        let width = SIZE[0] as usize;
        let rows = luma.chunks_exact(width);
        let across: f32 = rows.flat_map(|row| row.windows(2)).map(|two| (two[0] - two[1]).abs()).sum();
        let down: f32 = luma.iter().zip(&luma[width..]).map(|(a, b)| (a - b).abs()).sum();
        (across + down) / luma.len() as f32
    }

    /// Returns the mean chroma.
    fn color(&self) -> f32 {
        let spread = |p: &image::Rgba<u8>| f32::from(p[0].max(p[1]).max(p[2]) - p[0].min(p[1]).min(p[2]));
        self.0.pixels().map(spread).sum::<f32>() / self.luma().len() as f32 / 255.0
    }

    /// Returns the hue rotation relative to `other`, in radians.
    fn hue_rotation(&self, other: &Self) -> f32 {
        let differences = |p: &image::Rgba<u8>| {
            let y = luma(p.0);
            [(f32::from(p[2]) / 255.0 - y) / 1.8556, (f32::from(p[0]) / 255.0 - y) / 1.5748]
        };
        let (mut along, mut across) = (0.0, 0.0);
        for (a, b) in other.0.pixels().map(differences).zip(self.0.pixels().map(differences)) {
            along += a[0] * b[0] + a[1] * b[1];
            across += a[0] * b[1] - a[1] * b[0];
        }
        across.atan2(along)
    }

    /// Returns the mean difference over all channels.
    fn difference(&self, other: &Self) -> f32 {
        let both = self.0.as_raw().iter().zip(other.0.as_raw());
        both.map(|(a, b)| f32::from(a.abs_diff(*b))).sum::<f32>() / self.0.as_raw().len() as f32 / 255.0
    }

    /// Returns the picture magnified by `scale` about its centre, mirrored at the edges.
    fn scaled(&self, scale: f32) -> Self {
        let [width, height] = SIZE.map(|side| side as f32);
        let inside = |at: f32, side: f32| (((at + 0.5) / side - 0.5) / scale + 0.5) * side - 0.5;
        let mirrored = |at: f32, side: f32| {
            let last = side - 1.0;
            let at = at.round().abs();
            if at > last { 2.0 * last - at } else { at }
        };
        Self(RgbaImage::from_fn(SIZE[0], SIZE[1], |x, y| {
            let at = [mirrored(inside(x as f32, width), width), mirrored(inside(y as f32, height), height)];
            *self.0.get_pixel(at[0] as u32, at[1] as u32)
        }))
    }
}

fn luma(pixel: [u8; 4]) -> f32 {
    (0.2126 * f32::from(pixel[0]) + 0.7152 * f32::from(pixel[1]) + 0.0722 * f32::from(pixel[2])) / 255.0
}

fn mean(values: impl ExactSizeIterator<Item = f32>) -> f32 {
    let count = values.len().max(1) as f32;
    values.sum::<f32>() / count
}

/// Returns the mean change between frames.
fn movement(frames: &[Picture]) -> f32 {
    mean(frames.windows(2).map(|two| two[1].difference(&two[0])))
}

/// Returns the correlation of brightness, -1 to 1.
fn correlation(one: &Picture, other: &Picture) -> f32 {
    let (a, b) = (one.luma(), other.luma());
    let (mean_a, mean_b) = (mean(a.iter().copied()), mean(b.iter().copied()));
    let product: f32 = a.iter().zip(&b).map(|(a, b)| (a - mean_a) * (b - mean_b)).sum();
    let power = |values: &[f32], mean: f32| values.iter().map(|v| (v - mean) * (v - mean)).sum::<f32>();
    product / (power(&a, mean_a) * power(&b, mean_b)).sqrt().max(1e-6)
}

/// Calls `holds` with every built-in preset; fails with the messages of those for which it returns an error.
fn all_presets(holds: impl Fn(usize, BuiltIn) -> Result<(), String>) {
    let each = shared().presets.iter().enumerate();
    let results =
        each.map(|(place, &preset)| holds(place, preset).map_err(|why| format!("{}: {why}", preset.path)));
    let failures: Vec<String> = results.filter_map(Result::err).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn increases(measured: [f32; 3], by: f32) -> Result<(), String> {
    let [low, middle, high] = measured;
    if low + by < middle && middle + by < high { Ok(()) } else { Err(format!("{measured:?}")) }
}

#[test]
fn centred_macros_leave_the_picture_bit_identical() {
    if SHARED.is_none() {
        return;
    }
    let preset = shared().presets[0];
    let centred = Scene::new(preset, Some(shared().other(0)), driver(Control::M4, 0.505)).render(0, 5);
    let mut stage = Stage::new(shared().render_context.clone(), SIZE);
    stage.add(FRONT, shared().deck(preset));
    for (frame, picture) in centred.iter().enumerate() {
        stage.draw(&plain_cue(frame));
        assert!(*picture == Picture(stage.screenshot().expect("a picture")), "frame {frame}");
    }
}

#[test]
fn motion_increases_movement_in_every_preset() {
    if SHARED.is_none() {
        return;
    }
    all_presets(|_, preset| {
        // After the fade-in from black, over several beats.
        let moved =
            |value| movement(&Scene::new(preset, None, driver(Control::Motion, value)).render(20, 60));
        let [low, middle, high] = TRAVEL.map(moved);
        // Points that move further than their size no longer add to the difference between two frames.
        let saturated = 0.98 * middle;
        if low < middle && saturated < high { Ok(()) } else { Err(format!("{low} {middle} {high}")) }
    });
}

#[test]
fn fusion_removes_feedback_below_centre_and_blends_a_second_deck_above() {
    if SHARED.is_none() {
        return;
    }
    all_presets(|place, preset| {
        let other = shared().other(place);
        let second = Scene::new(other, None, driver(Control::Fusion, 0.5)).render(12, 6);
        let render = |value| Scene::new(preset, Some(other), driver(Control::Fusion, value)).render(12, 6);
        let [apart, plain, fused] = TRAVEL.map(render);
        let like = |frames: &[Picture]| mean(frames.iter().zip(&second).map(|(a, b)| correlation(a, b)));
        let (before, after) = (like(&plain), like(&fused));
        if after < before + 0.05 {
            return Err(format!("correlation with the second deck: {before} before, {after} after"));
        }
        // Feedback smooths the changes between frames; without it, they are larger.
        let (without, with) = (movement(&apart), movement(&plain));
        if without <= with {
            Err(format!("movement {without} without feedback, {with} with it"))
        } else {
            Ok(())
        }
    });
}

/// Renders a control at 0, 0.5 and 1, a few frames apart in one run.
fn at_the_ends(scene: &mut Scene, control: Control) -> [Picture; 3] {
    let hit = Features { hit: Unipolar::ONE, ..Features::default() };
    let mut at = |value| {
        scene.macros = driver(control, value);
        scene.draw(&hit); // The hit envelope rises within a frame or two.
        scene.draw(&hit)
    };
    TRAVEL.map(&mut at)
}

#[test]
fn sparkle_hue_mirror_glow_chroma_and_pulse_change_the_picture_as_intended() {
    if SHARED.is_none() {
        return;
    }
    all_presets(|_, preset| {
        let mut scene = Scene::new(preset, None, driver(Control::M8, 0.5));
        scene.render(16, 1);
        let mut check = |control: Control, verify: &dyn Fn([Picture; 3]) -> Result<(), String>| {
            verify(at_the_ends(&mut scene, control)).map_err(|why| format!("{}: {why}", control.title()))
        };
        check(Control::Sparkle, &|travel| increases(travel.map(|picture| picture.edges()), 0.0))?;
        check(Control::M6, &|travel| increases(travel.map(|picture| mean(picture.luma().into_iter())), 0.0))?;
        check(Control::M7, &|travel| increases(travel.map(|picture| picture.color()), 0.0))?;
        check(Control::M4, &|[low, middle, high]| {
            increases([low.hue_rotation(&middle), 0.0, high.hue_rotation(&middle)], 0.2)
        })?;
        check(Control::M5, &|[low, _, high]| {
            let flipped = Picture(image::imageops::flip_horizontal(&low.0));
            let rotated = Picture(image::imageops::rotate180(&high.0));
            increases([0.9, correlation(&low, &flipped), 1.1], 0.0)?;
            increases([0.9, correlation(&high, &rotated), 1.1], 0.0)
        })?;
        check(Control::M8, &|[low, middle, high]| {
            // The high end resembles a magnified copy of the middle, the low end a reduced one.
            let closeness = |picture: &Picture| {
                picture.difference(&middle.scaled(0.87)) - picture.difference(&middle.scaled(1.15))
            };
            increases([closeness(&low), 0.5 * (closeness(&low) + closeness(&high)), closeness(&high)], 0.0)
        })
    });
}

#[test]
fn a_command_affects_the_cue_of_the_same_step() {
    let library = Arc::new(Catalogue::built_in());
    let settings = ShowSettings { fps: FPS, warm_frames: 0, ..ShowSettings::default() };
    let mut show = Show::new(settings, library);
    let mut step = |commands: &[Command]| {
        let cue = show.step(&StepInput {
            dt: 1.0 / FPS,
            audio: &PresetAudio::default().into(),
            features: &Features::default(),
            commands,
            arrived: &[],
            failed: &[],
            picture_stats: None,
        });
        (cue.cue.post, show.snapshot().macros)
    };
    assert_eq!(step(&[]).0, Post::default());
    let value = Unipolar::ONE;
    let (post, seen) = step(&[Command::Macro { control: Control::Sparkle, value }]);
    assert_eq!(post.detail, 1.0);
    assert_eq!((seen.values.get(Control::Sparkle), seen.mode), (value, Mode::Hold));
    let (post, seen) = step(&[Command::MidiLock(true)]);
    assert_eq!((post.detail, seen.mode), (1.0, Mode::Midi));
}
