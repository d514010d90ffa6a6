//! The flash limiter on pictures made to flash, counted here once more on the processor.

use std::sync::Arc;

use aivj::library;
use aivj::milk::{Modulation, PresetAudio, PresetAudioAnalyser, Program};
use aivj::stage::{Cue, Deck, DeckId, DeckSettings, Gpu, OnAirDeck, OutputMode, Post, RenderContext, Stage};

const FPS: f64 = 60.0;
const SIZE: [u32; 2] = [96, 72];
/// Transitions a second that are still no failure: three flashes.
const MOST_TURNS: usize = 7;

/// `None` where `AIVJ_NO_GPU=1` states that there is no graphics device.
fn render_context() -> Option<Arc<RenderContext>> {
    Gpu::for_test().map(|gpu| Arc::new(RenderContext::new(gpu, &[])))
}

/// A preset whose whole picture is what `body` says.
fn preset(body: &str) -> String {
    format!(
        "[preset00]\nMILKDROP_PRESET_VERSION=201\nPSVERSION=2\nPSVERSION_WARP=2\nPSVERSION_COMP=2\n\
         comp_1=`shader_body\ncomp_2=`{{\ncomp_3=`{body}\ncomp_4=`}}\n"
    )
}

/// `seconds` of the preset as shown, in linear light: mean red, green and blue of every frame.
fn shown(
    render_context: &Arc<RenderContext>,
    text: &str,
    limited: bool,
    seconds: f64,
) -> Vec<image::RgbaImage> {
    let program = Program::compile(text.as_bytes()).expect("a preset");
    let settings = DeckSettings { size: SIZE, mesh: [8, 6], fps: FPS };
    let deck = Deck::prepare(render_context, program, settings, 1).expect("a deck");
    assert_eq!(deck.problems(), Vec::<String>::new());
    let mut stage = Stage::new(render_context.clone(), SIZE);
    stage.limit_flashes(limited);
    stage.add(DeckId(1), Box::new(deck));
    let mut ear = PresetAudioAnalyser::new();
    (0..(seconds * FPS) as u32)
        .map(|number| {
            let tone = |i: u32| ((number * 735 + i) as f32 * 0.03).sin() * 0.3;
            let sound: Vec<[f32; 2]> = (0..735).map(|i| [tone(i); 2]).collect();
            let heard: PresetAudio = ear.update(&sound, 1.0 / FPS).clone();
            stage.draw(&Cue {
                dt: if number == 0 { 0.0 } else { 1.0 / FPS },
                fps: FPS,
                audio: heard,
                front: Some(OnAirDeck { deck: DeckId(1), modulation: Modulation::default() }),
                fade: None,
                second: None,
                post: Post::default(),
                output_mode: OutputMode::Open,
            });
            stage.screenshot().expect("a picture")
        })
        .collect()
}

fn linear(value: u8) -> f32 {
    let value = f32::from(value) / 255.0;
    if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
}

/// Relative luminance of the middle of the picture; all of it flashes together here.
fn light(picture: &image::RgbaImage) -> f32 {
    let [r, g, b, _] = picture.get_pixel(SIZE[0] / 2, SIZE[1] / 2).0.map(linear);
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

/// Share of red in the middle of the picture.
fn redness(picture: &image::RgbaImage) -> f32 {
    let [r, g, b, _] = picture.get_pixel(SIZE[0] / 2, SIZE[1] / 2).0.map(linear);
    r / (r + g + b).max(1e-6)
}

/// Most transitions of at least `step`, alternately up and down, within any second.
fn most_turns(values: impl Iterator<Item = f32>, step: f32) -> usize {
    let (mut low, mut high, mut way) = (None::<f32>, None::<f32>, 0);
    let mut turns: Vec<usize> = Vec::new();
    for (number, value) in values.enumerate() {
        let (least, most) = (low.unwrap_or(value).min(value), high.unwrap_or(value).max(value));
        (low, high) = (Some(least), Some(most));
        let (up, down) = (value - least >= step && way <= 0, most - value >= step && way >= 0);
        if up || down {
            way = if up { 1 } else { -1 };
            (low, high) = (Some(value), Some(value));
            turns.push(number);
        }
    }
    let within =
        |&from: &usize| turns.iter().filter(|&&turn| (from..from + FPS as usize).contains(&turn)).count();
    turns.iter().map(within).max().unwrap_or(0)
}

#[test]
fn a_strobe_is_held_to_three_flashes_a_second() {
    let Some(render_context) = render_context() else { return };
    for hertz in [5, 10, 15] {
        let text = preset(&format!("ret = step(0.5, frac(time * {hertz}.0));"));
        let count = |limited| most_turns(shown(&render_context, &text, limited, 3.0).iter().map(light), 0.1);
        let (free, held) = (count(false), count(true));
        assert!(free > MOST_TURNS, "{hertz} Hz: only {free} turns without the limiter");
        assert!(held <= MOST_TURNS, "{hertz} Hz: {held} turns a second");
        assert!(held >= 2, "{hertz} Hz: the picture stands still altogether");
    }
}

#[test]
fn slow_ramps_add_up_to_flashes_and_are_held_too() {
    let Some(render_context) = render_context() else { return };
    let text = preset("ret = 0.5 + 0.5 * sin(time * 31.4);");
    let count = |limited| most_turns(shown(&render_context, &text, limited, 3.0).iter().map(light), 0.1);
    let (free, held) = (count(false), count(true));
    assert!(free > MOST_TURNS && held <= MOST_TURNS, "{free} turns without, {held} with the limiter");
}

#[test]
fn saturated_red_is_held_at_equal_brightness() {
    let Some(render_context) = render_context() else { return };
    let text =
        preset("ret = (frac(time * 5.0) < 0.5) ? float3(1.0, 0.0, 0.0) : float3(0.498, 0.498, 0.498);");
    let count = |limited| most_turns(shown(&render_context, &text, limited, 3.0).iter().map(redness), 0.4);
    let (free, held) = (count(false), count(true));
    assert!(free > MOST_TURNS && held <= MOST_TURNS, "{free} turns without, {held} with the limiter");
}

#[test]
fn what_does_not_flash_passes_unchanged() {
    let Some(render_context) = render_context() else { return };
    let slow = preset("ret = 0.5 + 0.5 * sin(time * 6.0 + uv.x);");
    let calm =
        library::built_in().find(|preset| preset.path.starts_with("ambient/calm")).expect("a calm one");
    for text in [slow.as_str(), calm.text] {
        let [free, held] = [false, true].map(|limited| shown(&render_context, text, limited, 2.0));
        let changed = free.iter().zip(&held).filter(|(a, b)| a != b).count();
        assert_eq!(changed, 0, "frames that were changed, of {}", free.len());
    }
}
