//! What every macro does to what the crowd sees: rendered at 0, in the middle and at 1, over all built-in presets.
//!
//! Every rendering starts from the same seed and hears the same sound, so that the macro is the only difference.

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
/// Both ends of a control with the middle between them.
const TRAVEL: [f32; 3] = [0.0, 0.5, 1.0];

/// What every rendering shares.
static HOUSE: LazyLock<Option<House>> = LazyLock::new(House::open);

/// The house of a test that has made sure that there is one.
fn house() -> &'static House {
    HOUSE.as_ref().expect("a graphics device")
}

struct House {
    render_context: Arc<RenderContext>,
    heard: Vec<PresetAudio>,
    presets: Vec<BuiltIn>,
}

impl House {
    /// `None` where `AIVJ_NO_GPU=1` states that there is no graphics device.
    fn open() -> Option<Self> {
        let mut sound = audio::demo::render(44_100).frames;
        sound.drain(..(audio::demo::HIGHLIGHT.0 * 44_100.0) as usize);
        let mut ear = PresetAudioAnalyser::new();
        let frames = sound.chunks_exact(1470).take(90);
        let gpu = Gpu::for_test()?;
        Some(Self {
            render_context: Arc::new(RenderContext::new(gpu, &[])),
            heard: frames.map(|block| ear.update(block, 1.0 / FPS).clone()).collect(),
            presets: library::built_in().collect(),
        })
    }

    fn deck(&self, preset: BuiltIn) -> Box<Deck> {
        let program = Program::compile(preset.text.as_bytes()).expect("built-in presets compile");
        let settings = DeckSettings { size: SIZE, mesh: [24, 18], fps: FPS };
        Box::new(Deck::prepare(&self.render_context, program, settings, 7).expect("built-in presets build"))
    }

    /// A preset that has little to do with the one at `place`.
    fn other(&self, place: usize) -> BuiltIn {
        self.presets[(place + self.presets.len() / 2) % self.presets.len()]
    }
}

/// One preset on air, with hands on it.
struct Scene {
    stage: Stage,
    hands: MacroDriver,
    frame: usize,
}

impl Scene {
    fn new(front: BuiltIn, second: Option<BuiltIn>, hands: MacroDriver) -> Self {
        let mut stage = Stage::new(house().render_context.clone(), SIZE);
        stage.add(FRONT, house().deck(front));
        if let Some(second) = second {
            stage.add(SECOND, house().deck(second));
        }
        let mut scene = Self { stage, hands, frame: 0 };
        // A second deck comes in over some time; here it is there from the first frame on.
        for _ in 0..60 {
            scene.move_hands(&Features::default());
        }
        scene
    }

    fn move_hands(&mut self, features: &Features) {
        let spare: Vec<DeckId> = self.stage.deck(SECOND).map(|_| SECOND).into_iter().collect();
        self.hands.step(features, &FusionDecks { on_air: &[FRONT], spare: &spare, fading: false }, 1.0 / FPS);
    }

    fn draw(&mut self, features: &Features) -> Picture {
        self.move_hands(features);
        let mut cue = plain_cue(self.frame);
        cue.front = Some(OnAirDeck { deck: FRONT, modulation: self.hands.modulation() });
        (cue.second, cue.post) = (self.hands.second(), self.hands.post());
        self.stage.draw(&cue);
        self.frame += 1;
        Picture(self.stage.screenshot().expect("a picture"))
    }

    /// `count` frames after the first `skip`.
    fn watch(&mut self, skip: usize, count: usize) -> Vec<Picture> {
        (0..skip + count).map(|_| self.draw(&Features::default())).skip(skip).collect()
    }
}

/// The front deck as its preset was written.
fn plain_cue(frame: usize) -> Cue {
    Cue {
        dt: if frame == 0 { 0.0 } else { 1.0 / FPS },
        fps: FPS,
        audio: house().heard[frame % house().heard.len()].clone(),
        front: Some(OnAirDeck { deck: FRONT, modulation: Modulation::default() }),
        fade: None,
        second: None,
        post: Post::default(),
        output_mode: OutputMode::Open,
    }
}

/// MacroDriver on a bank that stands still, all in the middle but for one control.
fn hands(control: Control, value: f32) -> MacroDriver {
    let mut bank = Bank::default();
    bank.set(control, Unipolar::new(value));
    MacroDriver::new(MacroState { bank, follow: false, ..MacroState::default() }, Rng::new(3))
}

/// A picture to measure.
#[derive(PartialEq)]
struct Picture(RgbaImage);

impl Picture {
    fn luma(&self) -> Vec<f32> {
        self.0.pixels().map(|p| luma(p.0)).collect()
    }

    /// Mean difference between neighbours.
    fn edges(&self) -> f32 {
        let luma = self.luma();
        let width = SIZE[0] as usize;
        let rows = luma.chunks_exact(width);
        let across: f32 = rows.flat_map(|row| row.windows(2)).map(|two| (two[0] - two[1]).abs()).sum();
        let down: f32 = luma.iter().zip(&luma[width..]).map(|(a, b)| (a - b).abs()).sum();
        (across + down) / luma.len() as f32
    }

    /// Mean distance of the colours from grey.
    fn color(&self) -> f32 {
        let spread = |p: &image::Rgba<u8>| f32::from(p[0].max(p[1]).max(p[2]) - p[0].min(p[1]).min(p[2]));
        self.0.pixels().map(spread).sum::<f32>() / self.luma().len() as f32 / 255.0
    }

    /// How far the colours of this picture are turned against those of `other`, radians.
    fn turned(&self, other: &Self) -> f32 {
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

    /// Mean difference of all channels.
    fn apart(&self, other: &Self) -> f32 {
        let both = self.0.as_raw().iter().zip(other.0.as_raw());
        both.map(|(a, b)| f32::from(a.abs_diff(*b))).sum::<f32>() / self.0.as_raw().len() as f32 / 255.0
    }

    /// The picture `scale` times as large, seen through the same frame.
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

/// How much changes from frame to frame.
fn movement(frames: &[Picture]) -> f32 {
    mean(frames.windows(2).map(|two| two[1].apart(&two[0])))
}

/// Correlation of brightness, -1 to 1.
fn likeness(one: &Picture, other: &Picture) -> f32 {
    let (a, b) = (one.luma(), other.luma());
    let (mean_a, mean_b) = (mean(a.iter().copied()), mean(b.iter().copied()));
    let product: f32 = a.iter().zip(&b).map(|(a, b)| (a - mean_a) * (b - mean_b)).sum();
    let power = |values: &[f32], mean: f32| values.iter().map(|v| (v - mean) * (v - mean)).sum::<f32>();
    product / (power(&a, mean_a) * power(&b, mean_b)).sqrt().max(1e-6)
}

/// Every preset for which `holds` says no, with what it says.
fn all_presets(holds: impl Fn(usize, BuiltIn) -> Result<(), String>) {
    let each = house().presets.iter().enumerate();
    let judged =
        each.map(|(place, &preset)| holds(place, preset).map_err(|why| format!("{}: {why}", preset.path)));
    let offences: Vec<String> = judged.filter_map(Result::err).collect();
    assert!(offences.is_empty(), "{}", offences.join("\n"));
}

fn rises(measured: [f32; 3], by: f32) -> Result<(), String> {
    let [low, middle, high] = measured;
    if low + by < middle && middle + by < high { Ok(()) } else { Err(format!("{measured:?}")) }
}

#[test]
fn a_bank_at_rest_leaves_the_picture_as_it_is_to_the_last_bit() {
    if HOUSE.is_none() {
        return;
    }
    let preset = house().presets[0];
    let rested = Scene::new(preset, Some(house().other(0)), hands(Control::M4, 0.505)).watch(0, 5);
    let mut stage = Stage::new(house().render_context.clone(), SIZE);
    stage.add(FRONT, house().deck(preset));
    for (frame, picture) in rested.iter().enumerate() {
        stage.draw(&plain_cue(frame));
        assert!(*picture == Picture(stage.screenshot().expect("a picture")), "frame {frame}");
    }
}

#[test]
fn motion_makes_every_preset_move_more() {
    if HOUSE.is_none() {
        return;
    }
    all_presets(|_, preset| {
        // Past the first picture, which comes in from black at its own pace, and over several beats.
        let moved = |value| movement(&Scene::new(preset, None, hands(Control::Motion, value)).watch(20, 60));
        rises(TRAVEL.map(moved), 0.0)
    });
}

#[test]
fn fusion_takes_the_past_out_below_and_lays_a_second_deck_in_above() {
    if HOUSE.is_none() {
        return;
    }
    all_presets(|place, preset| {
        let other = house().other(place);
        let second = Scene::new(other, None, hands(Control::Fusion, 0.5)).watch(12, 6);
        let watch = |value| Scene::new(preset, Some(other), hands(Control::Fusion, value)).watch(12, 6);
        let [apart, plain, fused] = TRAVEL.map(watch);
        let like = |frames: &[Picture]| mean(frames.iter().zip(&second).map(|(a, b)| likeness(a, b)));
        let (before, after) = (like(&plain), like(&fused));
        if after < before + 0.05 {
            return Err(format!("as like the second deck as before: {before} and {after}"));
        }
        // Trails even out what happens from frame to frame; without them every change stands alone.
        let (without, with) = (movement(&apart), movement(&plain));
        if without <= with {
            Err(format!("moves {without} without its past, {with} with it"))
        } else {
            Ok(())
        }
    });
}

/// What one control of the finished picture does: at 0, in the middle and at 1, a few frames apart in one run.
fn at_the_ends(scene: &mut Scene, control: Control) -> [Picture; 3] {
    let hit = Features { hit: Unipolar::ONE, ..Features::default() };
    let mut at = |value| {
        scene.hands = hands(control, value);
        scene.draw(&hit); // Hits rise within a frame or two.
        scene.draw(&hit)
    };
    TRAVEL.map(&mut at)
}

#[test]
fn sparkle_hue_mirror_glow_chroma_and_pulse_do_what_they_say() {
    if HOUSE.is_none() {
        return;
    }
    all_presets(|_, preset| {
        let mut scene = Scene::new(preset, None, hands(Control::M8, 0.5));
        scene.watch(16, 1);
        let mut check = |control: Control, judge: &dyn Fn([Picture; 3]) -> Result<(), String>| {
            judge(at_the_ends(&mut scene, control)).map_err(|why| format!("{}: {why}", control.title()))
        };
        check(Control::Sparkle, &|travel| rises(travel.map(|picture| picture.edges()), 0.0))?;
        check(Control::M6, &|travel| rises(travel.map(|picture| mean(picture.luma().into_iter())), 0.0))?;
        check(Control::M7, &|travel| rises(travel.map(|picture| picture.color()), 0.0))?;
        check(Control::M4, &|[low, middle, high]| {
            rises([low.turned(&middle), 0.0, high.turned(&middle)], 0.2)
        })?;
        check(Control::M5, &|[low, _, high]| {
            let flipped = Picture(image::imageops::flip_horizontal(&low.0));
            let turned = Picture(image::imageops::rotate180(&high.0));
            rises([0.9, likeness(&low, &flipped), 1.1], 0.0)?;
            rises([0.9, likeness(&high, &turned), 1.1], 0.0)
        })?;
        check(Control::M8, &|[low, middle, high]| {
            // Closer to a larger copy of the middle than to a smaller one, and the other way round.
            let closeness =
                |picture: &Picture| picture.apart(&middle.scaled(0.87)) - picture.apart(&middle.scaled(1.15));
            rises([closeness(&low), 0.5 * (closeness(&low) + closeness(&high)), closeness(&high)], 0.0)
        })
    });
}

#[test]
fn a_command_reaches_the_cue_of_its_own_step() {
    let library = Arc::new(Catalogue::built_in());
    let settings = ShowSettings { fps: FPS, warm_frames: 0, ..ShowSettings::default() };
    let mut show = Show::new(settings, library);
    let mut step = |commands: &[Command]| {
        let cue = show.step(&StepInput {
            dt: 1.0 / FPS,
            audio: &PresetAudio::default(),
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
