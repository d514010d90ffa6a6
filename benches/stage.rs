//! Speed of presets on the stage: `cargo bench --bench stage`. Measures translation and preparation, one frame of each
//! pass, and whole frames at three sizes: of built-in presets or, if `AIVJ_BENCH_PRESETS` is set, of those in a folder.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use aivj::layers::{LayerContent, LayerOnAir};
use aivj::library::built_in;
use aivj::milk::shader::translate;
use aivj::milk::{Modulation, PresetAudio, Program};
use aivj::stage::{
    Cue, Deck, DeckId, DeckSettings, Fade, FadeStyle, FusedDeck, Gpu, OnAirDeck, OutputMode, Post,
    RenderContext, RenderOptions, Stage,
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
const KINDS: [(&str, &str); 14] = [
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
    (
        "textured shapes",
        "shapecode_0_enabled=1\nshapecode_0_sides=40\nshapecode_0_num_inst=100\nshapecode_0_rad=0.1\n\
         shapecode_0_textured=1\n",
    ),
    ("motion vectors", "nMotionVectorsX=64\nnMotionVectorsY=48\nmv_a=1\n"),
    ("borders", "ob_size=0.02\nob_a=1\nib_size=0.02\nib_a=1\nbDarkenCenter=1\n"),
    ("echo and filters", "fVideoEchoAlpha=0.5\nfVideoEchoZoom=1.5\nbBrighten=1\nbInvert=1\n"),
    ("composite shader", "comp_1=`shader_body { ret = tex2D(sampler_main, uv).xyz * hue_shader; }\n"),
    ("warp shader", "warp_1=`shader_body { ret = tex2D(sampler_main, uv).xyz * 0.97; }\n"),
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
    let warp = if lines.contains("warp_1=") { 2 } else { 0 };
    format!(
        "MILKDROP_PRESET_VERSION=201\nPSVERSION=2\nPSVERSION_WARP={warp}\nPSVERSION_COMP=2\n[preset00]\nfDecay=0.98\n\
         fWaveAlpha=0\nzoom=1\nwarp=0\n{lines}"
    )
}

fn deck(text: &str, size: [u32; 2], mesh: [u32; 2]) -> Deck {
    deck_on(render_context(), text.as_bytes(), size, mesh).expect("a deck")
}

/// Prepares a deck; `None` if the preset cannot be drawn.
fn deck_on(context: &RenderContext, text: &[u8], size: [u32; 2], mesh: [u32; 2]) -> Option<Deck> {
    let program = Program::compile(text).ok()?;
    Deck::prepare(context, program, DeckSettings { size, mesh, fps: FPS }, 1).ok()
}

/// Creates a stage with `decks`, whose IDs start at 1.
fn stage(context: &Arc<RenderContext>, decks: Vec<Deck>, size: [u32; 2]) -> Stage {
    let mut stage = Stage::new(context.clone(), size);
    for (id, deck) in (1..).zip(decks) {
        stage.add(DeckId(id), Box::new(deck));
    }
    stage
}

/// Creates a stage with `count` decks that draw nothing but the built-in warp and composite.
fn plain_stage(count: usize) -> Stage {
    let decks = (0..count).map(|_| deck(&preset(""), SIZE, MESH)).collect();
    stage(render_context(), decks, SIZE)
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
fn draw(bencher: Bencher, mut stage: Stage, cue: &Cue) {
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
    draw(bencher, stage(render_context(), vec![deck(&preset(lines), SIZE, mesh)], SIZE), &cue());
}

/// A double preset, whose two pictures are blended.
#[divan::bench]
fn double(bencher: Bencher) {
    let text = include_str!("../tests/golden/milk/double_even/preset.milk2");
    draw(bencher, stage(render_context(), vec![deck(text, SIZE, MESH)], SIZE), &cue());
}

/// Feedback images with 8 or 16 bits per channel.
#[divan::bench(args = [8, 16])]
fn feedback(bencher: Bencher, bits: u32) {
    let gpu = Gpu::headless().expect("a graphics device");
    let options = RenderOptions { deep_color: bits == 16, ..RenderOptions::of(&gpu) };
    let context = Arc::new(RenderContext::with(gpu, &[], options));
    let deck = deck_on(&context, preset("").as_bytes(), SIZE, MESH).expect("a deck");
    draw(bencher, stage(&context, vec![deck], SIZE), &cue());
}

/// The flash limiter.
#[divan::bench]
fn limiter(bencher: Bencher) {
    let mut stage = plain_stage(1);
    stage.limit_flashes(true);
    draw(bencher, stage, &cue());
}

/// A deck at a reduced size, scaled up to the size of the output.
#[divan::bench]
fn resize(bencher: Bencher) {
    let mut stage = plain_stage(1);
    stage.set_scale(0.7);
    draw(bencher, stage, &cue());
}

/// A title over the picture.
#[divan::bench]
fn layer(bencher: Bencher) {
    let content = LayerContent::Title("A song".into());
    let layers = vec![LayerOnAir { id: 1, age_secs: 1.0, seed: 0, content }];
    draw(bencher, plain_stage(1), &Cue { layers, ..cue() });
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
    draw(bencher, plain_stage(2), &cue);
}

/// A second deck blended into the picture.
#[divan::bench]
fn fuse(bencher: Bencher) {
    let second = Some(FusedDeck { on_air: on_air(2), share: Unipolar::new(0.5) });
    draw(bencher, plain_stage(2), &Cue { second, ..cue() });
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
    draw(bencher, plain_stage(1), &Cue { post, ..cue() });
}

/// Returns the presets in the folder `AIVJ_BENCH_PRESETS` or, if it is not set, every sixth built-in preset.
fn presets() -> Vec<Vec<u8>> {
    let Some(folder) = std::env::var_os("AIVJ_BENCH_PRESETS") else {
        return built_in().step_by(6).map(|preset| preset.text.as_bytes().to_vec()).collect();
    };
    let is_preset = |path: &Path| path.extension().is_some_and(|end| end == "milk" || end == "milk2");
    let entries = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter();
    let paths = entries.map(|entry| entry.expect("a readable folder").into_path());
    paths.filter(|path| is_preset(path)).map(|path| std::fs::read(path).expect("a readable file")).collect()
}

/// Whole frames, each of a different preset.
#[divan::bench(args = [320, 1280, 1920], sample_count = 20)]
fn whole_frames(bencher: Bencher, width: u32) {
    let size = [width, width * 9 / 16];
    let context = render_context();
    let decks = presets().into_iter().filter_map(|text| deck_on(context, &text, size, MESH));
    let mut stages: Vec<Stage> = decks.map(|deck| stage(context, vec![deck], size)).collect();
    let count = stages.len();
    let cue = cue();
    let mut frames = || {
        for stage in &mut stages {
            stage.draw(&cue);
            stage.finish();
        }
    };
    frames();
    bencher.counter(divan::counter::ItemsCount::new(count)).bench_local(frames);
}

/// Translates a warp shader from HLSL to a validated naga module.
#[divan::bench]
fn translation(bencher: Bencher) {
    bencher.bench_local(|| translate(PassKind::Warp, black_box(WARP)).expect("a shader"));
}

/// Compiles a preset's bytes to a program, without and with a shader.
#[divan::bench(args = [false, true])]
fn compile(bencher: Bencher, shader: bool) {
    let text = preset(if shader { KINDS[KINDS.len() - 1].1 } else { "" });
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
