//! Speed of presets on the stage: `cargo bench --bench stage`. Measures translation and preparation, one frame of each
//! kind of drawing, and whole frames of built-in presets at three sizes. `aivj bench` measures presets of any folder.

use std::sync::{Arc, OnceLock};

use aivj::library::built_in;
use aivj::milk::shader::translate;
use aivj::milk::{Modulation, PresetAudio, Program};
use aivj::stage::{
    Cue, Deck, DeckId, DeckSettings, Fade, FadeStyle, Gpu, OnAirDeck, OutputMode, Post, RenderContext, Stage,
};
use aivj::units::Unipolar;
use divan::{Bencher, black_box};
use lactea_abi::PassKind;

fn main() {
    divan::main();
}

const SIZE: [u32; 2] = [640, 360];
const MESH: [u32; 2] = [48, 36];
const FPS: f64 = 30.0;

/// A typical warp shader: lookups next to the pixel, blur, noise and a fade.
const WARP: &str = "shader_body {
    float2 d = 0.5 * texsize.zw; float3 c = tex2D(sampler_main, uv + d).xyz - tex2D(sampler_main, uv - d).xyz;
    ret = tex2D(sampler_fw_main, uv + c.xy * 0.02).xyz * 0.97 + (GetBlur1(uv) - 0.4) * 0.03;
    ret += (tex2D(sampler_noise_lq, uv * 3 + rand_frame.xy).xyz - 0.5) * 0.02 - 0.004; }";

/// For each kind of drawing, its name and the preset lines that enable it; the first adds none and is the baseline.
const KINDS: [(&str, &str); 11] = [
    ("plain", ""),
    ("warp 192x144", "zoom=1.02\nwarp=1\n"),
    ("wave", "nWaveMode=6\nfWaveAlpha=1\n"),
    ("thick wave", "nWaveMode=6\nfWaveAlpha=1\nbWaveThick=1\n"),
    ("custom wave", "wavecode_0_enabled=1\nwavecode_0_samples=512\nwavecode_0_a=1\n"),
    ("dots", "wavecode_0_enabled=1\nwavecode_0_samples=512\nwavecode_0_bUseDots=1\nwavecode_0_a=1\n"),
    (
        "shapes",
        "shapecode_0_enabled=1\nshapecode_0_sides=40\nshapecode_0_num_inst=100\nshapecode_0_rad=0.1\n",
    ),
    ("motion vectors", "nMotionVectorsX=64\nnMotionVectorsY=48\nmv_a=1\n"),
    ("borders", "ob_size=0.02\nob_a=1\nib_size=0.02\nib_a=1\nbDarkenCenter=1\n"),
    ("echo and filters", "fVideoEchoAlpha=0.5\nfVideoEchoZoom=1.5\nbBrighten=1\nbInvert=1\n"),
    ("three blurs", "comp_1=`shader_body { ret = GetBlur3(uv); }\n"),
];

fn render_context() -> &'static Arc<RenderContext> {
    static CONTEXT: OnceLock<Arc<RenderContext>> = OnceLock::new();
    CONTEXT.get_or_init(|| {
        let gpu = Gpu::headless().expect("stage benchmarks need a graphics device");
        println!("{}, {}", gpu.name(), gpu.driver());
        Arc::new(RenderContext::new(gpu, &[]))
    })
}

fn preset(lines: &str) -> String {
    format!(
        "MILKDROP_PRESET_VERSION=201\nPSVERSION=2\nPSVERSION_WARP=0\nPSVERSION_COMP=2\n[preset00]\nfDecay=0.98\n\
         fWaveAlpha=0\nzoom=1\nwarp=0\n{lines}"
    )
}

fn deck(text: &str, size: [u32; 2], mesh: [u32; 2]) -> Deck {
    let program = Program::compile(text.as_bytes()).expect("a preset");
    Deck::prepare(render_context(), program, DeckSettings { size, mesh, fps: FPS }, 1).expect("a deck")
}

fn on_air(id: u64) -> OnAirDeck {
    OnAirDeck { deck: DeckId(id), modulation: Modulation::default() }
}

fn loud_audio() -> PresetAudio {
    let mut audio = PresetAudio::default();
    for channel in &mut audio.wave {
        for (at, sample) in channel.iter_mut().enumerate() {
            *sample = (at as f32 * 0.11).sin() * 0.5;
        }
    }
    audio
}

fn cue() -> Cue {
    Cue {
        dt: 1.0 / FPS,
        fps: FPS,
        audio: loud_audio().into(),
        front: Some(on_air(1)),
        fade: None,
        second: None,
        post: Post::default(),
        layers: Vec::new(),
        output_mode: OutputMode::Open,
    }
}

/// Draws a frame per iteration and waits for the device.
fn draw(bencher: Bencher, decks: Vec<Deck>, size: [u32; 2], cue: &Cue) {
    let mut stage = Stage::new(render_context().clone(), size);
    for (id, deck) in (1..).zip(decks) {
        stage.add(DeckId(id), Box::new(deck));
    }
    let mut frame = || {
        stage.draw(black_box(cue));
        stage.finish();
    };
    // Drivers compile shaders during the first frames.
    (0..3).for_each(|_| frame());
    bencher.bench_local(frame);
}

#[divan::bench(args = KINDS.map(|(name, _)| name))]
fn draw_kind(bencher: Bencher, name: &str) {
    let (_, lines) = KINDS.iter().find(|(known, _)| *known == name).expect("a kind");
    let mesh = if name.contains("192x144") { [192, 144] } else { MESH };
    draw(bencher, vec![deck(&preset(lines), SIZE, mesh)], SIZE, &cue());
}

#[divan::bench(args = ["mix", "luma", "zoom", "radial"])]
fn fade(bencher: Bencher, name: &str) {
    let style = match name {
        "luma" => FadeStyle::Luma,
        "zoom" => FadeStyle::Zoom,
        "radial" => FadeStyle::Radial,
        _ => FadeStyle::Mix,
    };
    let progress = Unipolar::new(0.5);
    let cue = Cue { fade: Some(Fade { to: on_air(2), progress, style }), ..cue() };
    draw(bencher, vec![deck(&preset(""), SIZE, MESH), deck(&preset(""), SIZE, MESH)], SIZE, &cue);
}

#[divan::bench(args = ["echo", "lens", "color", "detail", "glow"])]
fn effect(bencher: Bencher, name: &str) {
    let post = match name {
        "echo" => Post { echo: 0.5, ..Post::default() },
        "lens" => Post { split: 0.5, zoom: 0.1, ..Post::default() },
        "color" => Post { hue: 0.3, ..Post::default() },
        "detail" => Post { detail: 0.5, ..Post::default() },
        _ => Post { glow: 0.5, ..Post::default() },
    };
    draw(bencher, vec![deck(&preset(""), SIZE, MESH)], SIZE, &Cue { post, ..cue() });
}

/// Whole frames of every sixth built-in preset.
#[divan::bench(args = [320, 1280, 1920], sample_count = 20)]
fn built_in_frames(bencher: Bencher, width: u32) {
    let size = [width, width * 9 / 16];
    let mut stages: Vec<Stage> = built_in()
        .step_by(6)
        .map(|preset| {
            let mut stage = Stage::new(render_context().clone(), size);
            stage.add(DeckId(1), Box::new(deck(preset.text, size, MESH)));
            stage
        })
        .collect();
    let cue = cue();
    let mut frames = || {
        for stage in &mut stages {
            stage.draw(&cue);
            stage.finish();
        }
    };
    frames();
    bencher.counter(divan::counter::ItemsCount::new(built_in().step_by(6).count())).bench_local(frames);
}

/// Translates a warp shader from HLSL to a validated naga module.
#[divan::bench]
fn translation(bencher: Bencher) {
    bencher.bench_local(|| translate(PassKind::Warp, black_box(WARP)).expect("a shader"));
}

/// Compiles a preset's bytes to a program, without and with a shader.
#[divan::bench(args = [false, true])]
fn compile(bencher: Bencher, shader: bool) {
    let text = preset(if shader { KINDS[10].1 } else { "" });
    bencher.bench_local(|| Program::compile(black_box(text.as_bytes())).expect("a preset"));
}

/// Prepares a deck from a program: without a shader, with a new one, and with that of an earlier deck.
#[divan::bench(args = ["no shader", "new shader", "known shader"])]
fn prepare(bencher: Bencher, name: &str) {
    let settings = DeckSettings { size: SIZE, mesh: MESH, fps: FPS };
    let mut number = 1;
    let program = || {
        number += u32::from(name == "new shader");
        let shader = format!("comp_1=`shader_body {{ ret = GetBlur3(uv) * {number}; }}\n");
        let text = preset(if name == "no shader" { "" } else { &shader });
        Program::compile(text.as_bytes()).expect("a preset")
    };
    bencher
        .with_inputs(program)
        .bench_local_values(|program| Deck::prepare(render_context(), program, settings, 1).expect("a deck"));
}
