//! The flash limiter on flashing presets, judged by the flash meter.

use std::sync::Arc;

use aivj::library;
use aivj::media::flash::{Cells, FlashMeter, FlashScore, FlashVerdict};
use aivj::milk::{Modulation, PresetAudio, PresetAudioAnalyser, Program};
use aivj::stage::{
    Cue, Deck, DeckId, DeckSettings, Fade, Gpu, OnAirDeck, OutputMode, Post, RenderContext, Stage,
};
use aivj::units::Unipolar;

const SIZE: [u32; 2] = [192, 108];

/// Flashing presets: a name, and the shader code that computes the whole picture.
const STROBES: [(&str, &str); 17] = [
    ("whole picture", "ret = step(0.5, frac(time * 10.0));"),
    ("every second frame", "ret = fmod(frame, 2) < 1 ? 0.1 : 0.9;"),
    ("every third frame", "ret = fmod(frame, 3) < 1;"),
    ("bursts", "ret = step(0.5, frac(time * 12.0)) * step(frac(time), 0.45);"),
    ("smooth", "ret = 0.5 + 0.5 * sin(time * 31.4);"),
    ("step just above the threshold", "ret = frac(time * 7.0) < 0.5 ? 0.62 : 0.5;"),
    ("red", "ret = frac(time * 5.0) < 0.5 ? float3(1, 0, 0) : float3(0.498, 0.498, 0.498);"),
    ("part of a field", "ret = step(0.5, frac(time * 9.0)) * (uv.x < 0.2) * (uv.y < 0.2);"),
    ("patch that grows", "ret = step(0.5, frac(time * 8.0)) * (length(uv - 0.5) < frac(time * 0.7));"),
    (
        "patch that moves",
        "ret = step(0.5, frac(time * 8.0)) * (length(uv - 0.5 - 0.3 * sin(time * 2)) < 0.25);",
    ),
    (
        "columns in turn",
        "ret = step(0.5, frac(time * 4.0)) * (fmod(floor(uv.x * 4) + floor(time * 4.0), 4) < 1);",
    ),
    (
        "rows in turn",
        "ret = step(0.5, frac(time * 4.0)) * (fmod(floor(uv.y * 4) + floor(time * 4.0), 4) < 1);",
    ),
    (
        "scattered blocks in turn",
        "ret = step(0.5, frac(time * 4.0)) * (fmod(floor(uv.x * 4) + floor(uv.y * 4) + floor(time * 4), 4) < 1);",
    ),
    ("checker", "ret = fmod(floor(uv.x * 6) + floor(uv.y * 4) + floor(time * 15.0), 2);"),
    ("grating", "ret = step(0.5, frac(uv.x * 5 + time * 6.0));"),
    (
        "cells of noise",
        "ret = frac(sin(dot(floor(uv * 40), float2(12.9, 78.2)) + floor(time * 20.0)) * 4375.5);",
    ),
    (
        "texture over a strobe",
        "ret = 0.5 * step(0.5, frac(time * 10.0)) + 0.5 * frac(uv.x * 50 + time) * frac(uv.y * 40 - time * 3);",
    ),
];

/// Returns a render context, or `None` if `AIVJ_NO_GPU=1` is set.
fn render_context() -> Option<Arc<RenderContext>> {
    Gpu::for_test().map(|gpu| Arc::new(RenderContext::new(gpu, &[])))
}

/// Returns a preset whose whole picture is computed by the shader code `body`.
fn preset(body: &str) -> String {
    format!(
        "[preset00]\nMILKDROP_PRESET_VERSION=201\nPSVERSION=2\nPSVERSION_WARP=2\nPSVERSION_COMP=2\n\
         comp_1=`shader_body\ncomp_2=`{{\ncomp_3=`{body}\ncomp_4=`}}\n"
    )
}

/// A stage with decks, and a flash meter on its output.
struct FlashRig {
    stage: Stage,
    fps: f64,
    frames: u32,
    analyser: PresetAudioAnalyser,
    meter: FlashMeter,
    cells: Cells,
}

impl FlashRig {
    /// Creates a stage with a deck for each preset, numbered from 0.
    fn new(render_context: &Arc<RenderContext>, presets: &[&str], limited: bool, fps: f64) -> Self {
        let mut stage = Stage::new(render_context.clone(), SIZE);
        stage.limit_flashes(limited);
        for (id, text) in (0..).zip(presets) {
            let program = Program::compile(text.as_bytes()).expect("a preset");
            let settings = DeckSettings { size: SIZE, mesh: [8, 6], fps };
            let deck = Deck::prepare(render_context, program, settings, 1).expect("a deck");
            assert_eq!(deck.problems(), Vec::<String>::new());
            stage.add(DeckId(id), Box::new(deck));
        }
        let meter = FlashMeter::new(fps);
        Self { stage, fps, frames: 0, analyser: PresetAudioAnalyser::new(), meter, cells: Cells::default() }
    }

    /// Draws the next frame of deck `front`; `change` edits the cue first.
    fn draw(&mut self, front: u64, change: impl FnOnce(&mut Cue)) -> image::RgbaImage {
        let samples = (44_100.0 / self.fps) as u32;
        let tone = |i: u32| ((self.frames * samples + i) as f32 * 0.03).sin() * 0.3;
        let sound: Vec<[f32; 2]> = (0..samples).map(|i| [tone(i); 2]).collect();
        let audio: Arc<PresetAudio> = self.analyser.update(&sound, 1.0 / self.fps).clone().into();
        let mut cue = Cue {
            dt: if self.frames == 0 { 0.0 } else { 1.0 / self.fps },
            fps: self.fps,
            audio,
            front: Some(on_air(front)),
            fade: None,
            second: None,
            post: Post::default(),
            layers: Vec::new(),
            output_mode: OutputMode::Open,
        };
        change(&mut cue);
        self.stage.draw(&cue);
        self.frames += 1;
        let picture = self.stage.screenshot().expect("a picture");
        self.cells.update(picture.as_raw(), SIZE.map(|side| side as usize));
        self.meter.push(&self.cells);
        picture
    }

    fn score(&self) -> FlashScore {
        self.meter.score()
    }
}

fn on_air(deck: u64) -> OnAirDeck {
    OnAirDeck { deck: DeckId(deck), modulation: Modulation::default() }
}

/// Returns the flash score of the first 1.5 seconds of a preset.
fn score(render_context: &Arc<RenderContext>, text: &str, limited: bool, fps: f64) -> FlashScore {
    let mut rig = FlashRig::new(render_context, &[text], limited, fps);
    (0..(1.5 * fps) as u32).for_each(|_| {
        rig.draw(0, |_| {});
    });
    rig.score()
}

#[test]
fn strobing_presets_are_limited_to_three_flashes_per_second() {
    let Some(render_context) = render_context() else { return };
    for ((name, body), fps) in STROBES.into_iter().zip([30.0, 60.0, 120.0].into_iter().cycle()) {
        let text = preset(body);
        let [unlimited, limited] = [false, true].map(|on| score(&render_context, &text, on, fps));
        assert_eq!(
            unlimited.verdict(),
            FlashVerdict::Fail,
            "{name}, {fps} Hz, without limiter: {unlimited:?}"
        );
        assert_ne!(limited.verdict(), FlashVerdict::Fail, "{name}, {fps} Hz, with limiter: {limited:?}");
    }
}

#[test]
fn a_limited_strobe_still_flashes() {
    let Some(render_context) = render_context() else { return };
    let score = score(&render_context, &preset(STROBES[0].1), true, 60.0);
    assert!(score.general >= 2, "{score:?}");
}

#[test]
fn cuts_fades_effects_and_blackouts_are_limited_together() {
    let Some(render_context) = render_context() else { return };
    let [flashing, white, black] = [
        // Flashes three times a second, which is allowed.
        preset("ret = step(0.5, frac(time * 3.0 + 0.4));"),
        preset("ret = 1;"),
        preset("ret = 0;"),
    ];
    let run = |limited| {
        let mut rig = FlashRig::new(&render_context, &[&flashing, &white, &black], limited, 60.0);
        for frame in 0_u32..240 {
            // The last frame before each cut is white.
            let front = if frame % 25 == 24 { 1 } else { u64::from(frame / 25 % 2) * 2 };
            rig.draw(front, |cue| {
                if frame % 40 > 30 {
                    let progress = Unipolar::new((frame % 40 - 30) as f32 / 10.0);
                    cue.fade = Some(Fade { to: on_air(1), progress, style: Default::default() });
                }
                match frame {
                    100..120 if frame % 4 < 2 => cue.output_mode = OutputMode::Blackout,
                    130..150 if frame % 5 == 0 => cue.output_mode = OutputMode::Freeze,
                    160..240 => cue.post.glow = if frame % 8 < 4 { 1.0 } else { -1.0 },
                    _ => {}
                }
            });
        }
        rig.score()
    };
    let [unlimited, limited] = [false, true].map(run);
    assert_eq!(unlimited.verdict(), FlashVerdict::Fail, "{unlimited:?}");
    assert_ne!(limited.verdict(), FlashVerdict::Fail, "{limited:?}");
}

#[test]
fn pictures_without_flashes_are_unchanged() {
    let Some(render_context) = render_context() else { return };
    let slow = preset("ret = 0.5 + 0.5 * sin(time * 6.0 + uv.x);");
    let calm = library::built_in()
        .find(|preset| preset.path.starts_with("ambient/calm"))
        .expect("an ambient/calm preset");
    for text in [slow.as_str(), calm.text] {
        let [unlimited, limited] = [false, true].map(|on| {
            let mut rig = FlashRig::new(&render_context, &[text], on, 60.0);
            (0..90).map(|_| rig.draw(0, |_| {})).collect::<Vec<_>>()
        });
        let changed = unlimited.iter().zip(&limited).filter(|(a, b)| a != b).count();
        assert_eq!(changed, 0, "changed frames of {}", unlimited.len());
    }
}
