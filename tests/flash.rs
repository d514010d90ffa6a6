//! The flash limiter on flashing pictures, verified by counting the flashes on the CPU.

use std::sync::Arc;

use aivj::library;
use aivj::milk::{Modulation, PresetAudio, PresetAudioAnalyser, Program};
use aivj::stage::{Cue, Deck, DeckId, DeckSettings, Gpu, OnAirDeck, OutputMode, Post, RenderContext, Stage};

const FPS: f64 = 60.0;
const SIZE: [u32; 2] = [96, 72];
/// Allowed transitions per second: three flashes.
const MAX_TRANSITIONS: usize = 7;

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

/// Renders `seconds` of a preset, with or without the limiter.
fn render(
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
    let mut analyser = PresetAudioAnalyser::new();
    (0..(seconds * FPS) as u32)
        .map(|number| {
            let tone = |i: u32| ((number * 735 + i) as f32 * 0.03).sin() * 0.3;
            let sound: Vec<[f32; 2]> = (0..735).map(|i| [tone(i); 2]).collect();
            let audio: PresetAudio = analyser.update(&sound, 1.0 / FPS).clone();
            stage.draw(&Cue {
                dt: if number == 0 { 0.0 } else { 1.0 / FPS },
                fps: FPS,
                audio,
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

/// Returns the relative luminance at the centre; the whole picture flashes in unison.
fn luminance(picture: &image::RgbaImage) -> f32 {
    let [r, g, b, _] = picture.get_pixel(SIZE[0] / 2, SIZE[1] / 2).0.map(linear);
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

/// Returns the share of red at the centre.
fn red_share(picture: &image::RgbaImage) -> f32 {
    let [r, g, b, _] = picture.get_pixel(SIZE[0] / 2, SIZE[1] / 2).0.map(linear);
    r / (r + g + b).max(1e-6)
}

/// Returns the largest number of alternating transitions of at least `step` within one second.
fn max_transitions(values: impl Iterator<Item = f32>, step: f32) -> usize {
    let (mut low, mut high, mut direction) = (None::<f32>, None::<f32>, 0);
    let mut transitions: Vec<usize> = Vec::new();
    for (number, value) in values.enumerate() {
        let (min, max) = (low.unwrap_or(value).min(value), high.unwrap_or(value).max(value));
        (low, high) = (Some(min), Some(max));
        let (up, down) = (value - min >= step && direction <= 0, max - value >= step && direction >= 0);
        if up || down {
            direction = if up { 1 } else { -1 };
            (low, high) = (Some(value), Some(value));
            transitions.push(number);
        }
    }
    let within =
        |&from: &usize| transitions.iter().filter(|&&at| (from..from + FPS as usize).contains(&at)).count();
    transitions.iter().map(within).max().unwrap_or(0)
}

#[test]
fn a_strobe_is_limited_to_three_flashes_per_second() {
    let Some(render_context) = render_context() else { return };
    for hertz in [5, 10, 15] {
        let text = preset(&format!("ret = step(0.5, frac(time * {hertz}.0));"));
        let count = |limited| {
            max_transitions(render(&render_context, &text, limited, 3.0).iter().map(luminance), 0.1)
        };
        let (unlimited, limited) = (count(false), count(true));
        assert!(unlimited > MAX_TRANSITIONS, "{hertz} Hz: only {unlimited} transitions without the limiter");
        assert!(limited <= MAX_TRANSITIONS, "{hertz} Hz: {limited} transitions per second");
        assert!(limited >= 2, "{hertz} Hz: the picture is frozen");
    }
}

#[test]
fn slow_ramps_count_as_flashes() {
    let Some(render_context) = render_context() else { return };
    let text = preset("ret = 0.5 + 0.5 * sin(time * 31.4);");
    let count =
        |limited| max_transitions(render(&render_context, &text, limited, 3.0).iter().map(luminance), 0.1);
    let (unlimited, limited) = (count(false), count(true));
    assert!(
        unlimited > MAX_TRANSITIONS && limited <= MAX_TRANSITIONS,
        "{unlimited} transitions without the limiter, {limited} with it"
    );
}

#[test]
fn saturated_red_is_limited_at_constant_luminance() {
    let Some(render_context) = render_context() else { return };
    let text =
        preset("ret = (frac(time * 5.0) < 0.5) ? float3(1.0, 0.0, 0.0) : float3(0.498, 0.498, 0.498);");
    let count =
        |limited| max_transitions(render(&render_context, &text, limited, 3.0).iter().map(red_share), 0.4);
    let (unlimited, limited) = (count(false), count(true));
    assert!(
        unlimited > MAX_TRANSITIONS && limited <= MAX_TRANSITIONS,
        "{unlimited} transitions without the limiter, {limited} with it"
    );
}

#[test]
fn pictures_without_flashes_are_unchanged() {
    let Some(render_context) = render_context() else { return };
    let slow = preset("ret = 0.5 + 0.5 * sin(time * 6.0 + uv.x);");
    let calm = library::built_in()
        .find(|preset| preset.path.starts_with("ambient/calm"))
        .expect("an ambient/calm preset");
    for text in [slow.as_str(), calm.text] {
        let [unlimited, limited] = [false, true].map(|on| render(&render_context, text, on, 2.0));
        let changed = unlimited.iter().zip(&limited).filter(|(a, b)| a != b).count();
        assert_eq!(changed, 0, "changed frames of {}", unlimited.len());
    }
}
