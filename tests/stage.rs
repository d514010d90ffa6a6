//! The stage's measurements of the picture, readbacks that neither lose nor swap pictures, resized decks, textures on
//! another device, deep colour, smooth edges, and limits on size.

use std::sync::Arc;

use aivj::milk::{Modulation, PresetAudio, Program};
use aivj::stage::{
    Cue, Deck, DeckId, DeckSettings, Fade, FadeStyle, Gpu, OnAirDeck, OutputMode, Post, Readback,
    RenderContext, RenderOptions, Stage, Wait,
};
use aivj::units::Unipolar;

const SIZE: [u32; 2] = [64, 36];

/// Creates a stage with one preset whose whole picture is computed by `body`. `None` if `AIVJ_NO_GPU=1` declares that
/// there is no graphics device.
fn stage(body: &str) -> Option<Stage> {
    stage_with(&format!("comp_1=`shader_body {{ {body} }}\n"))
}

/// Creates a stage with one preset with these shaders, which have no problems.
fn stage_with(shaders: &str) -> Option<Stage> {
    let (stage, problems) = stage_and_problems(shaders)?;
    assert_eq!(problems, Vec::<String>::new());
    Some(stage)
}

/// Creates a stage with one preset with these shaders, and returns its problems too.
fn stage_and_problems(shaders: &str) -> Option<(Stage, Vec<String>)> {
    stage_on(RenderContext::new(Gpu::for_test()?, &[]), shaders)
}

/// Creates a stage with one preset with these shaders on a device, and returns its problems too.
fn stage_on(render_context: RenderContext, shaders: &str) -> Option<(Stage, Vec<String>)> {
    let render_context = Arc::new(render_context);
    let text = format!(
        "[preset00]\nMILKDROP_PRESET_VERSION=201\nPSVERSION=2\nPSVERSION_WARP=2\nPSVERSION_COMP=2\n{shaders}"
    );
    let program = Program::compile(text.as_bytes()).expect("a preset");
    let settings = DeckSettings { size: SIZE, mesh: [8, 6], fps: 30.0 };
    let deck = Deck::prepare(&render_context, program, settings, 1).expect("a deck");
    let problems = deck.problems();
    let mut stage = Stage::new(render_context, SIZE);
    stage.add(DeckId(1), Box::new(deck));
    Some((stage, problems))
}

fn draw(stage: &mut Stage) {
    stage.draw(&cue());
    stage.finish();
}

fn cue() -> Cue {
    Cue {
        dt: 1.0 / 30.0,
        fps: 30.0,
        audio: PresetAudio::default().into(),
        front: Some(OnAirDeck { deck: DeckId(1), modulation: Modulation::default() }),
        fade: None,
        second: None,
        post: Post::default(),
        layers: Vec::new(),
        output_mode: OutputMode::Open,
    }
}

#[test]
fn picture_stats_measure_light_and_change() {
    // Half dark with one bright line, half grey; the grey half changes once.
    let body = "ret = uv.x < 0.5 ? float3(0.1, 0.2, 0.4) : float3(0.6, 0.6, 0.6) - (frame > 4.5 ? 0.2 : 0.0); \
                if (abs(uv.y - 0.5) < 0.02 && uv.x < 0.25) ret = float3(0.2, 0.9, 0.3);";
    let Some(mut stage) = stage(body) else { return };
    assert!(stage.picture_stats().is_none(), "measuring is off");
    stage.measure_picture(true);
    let mut measured = Vec::new();
    for _ in 0..10 {
        draw(&mut stage);
        stage.measure(DeckId(1));
        let picture_stats = stage.picture_stats();
        stage.finish();
        measured.extend(picture_stats);
    }
    let near = |value: f32, expected: f32| (value - expected).abs() < 0.015;
    let dark = 0.2126 * 0.1 + 0.7152 * 0.2 + 0.0722 * 0.4;
    // The line is 1/36 of the picture's height and a quarter of its width.
    let line = (0.2126 * 0.2 + 0.7152 * 0.9 + 0.0722 * 0.3 - dark) * 0.25 / 36.0;
    let (first, last) = (measured[1], measured[measured.len() - 1]);
    assert!(measured.len() >= 7, "only {} of 10 results arrived", measured.len());
    assert_eq!(measured[0].change, 1.0, "the first picture has no predecessor");
    assert!(near(first.luma, 0.5 * dark + 0.3 + line) && first.change == 0.0, "{first:?}");
    assert!(near(first.darkest, dark) && near(first.brightest, 0.9), "{first:?}");
    assert!(near(last.luma, 0.5 * dark + 0.2 + line), "{last:?}");
    // In half of the picture, red, green and blue change by 0.2, and so does alpha, which holds the brightest sample.
    let changes: Vec<f32> = measured[1..]
        .iter()
        .map(|picture_stats| picture_stats.change)
        .filter(|&change| change > 0.0)
        .collect();
    assert!(changes.len() == 1 && near(changes[0], 0.1), "{changes:?}");
}

#[test]
fn slow_drift_counts_as_movement_and_decks_are_measured_separately() {
    // Changes by a fifth of a level per frame, so nothing changes from one measurement to the next.
    let Some(mut stage) = stage("ret = float3(frame / 1275.0, 0.5, 0.5);") else { return };
    stage.measure_picture(true);
    let mut measured = Vec::new();
    for _ in 0..40 {
        draw(&mut stage);
        stage.measure(DeckId(1));
        stage.finish();
        measured.extend(stage.picture_stats());
    }
    let still = measured.split(|stats| stats.moves()).map(<[_]>::len).max();
    assert!(
        measured.len() > 30 && still.is_some_and(|frames| (1..=6).contains(&frames)),
        "{still:?} measurements without movement"
    );
    stage.measure(DeckId(1));
    stage.measure(DeckId(2));
    stage.finish();
    assert!(stage.picture_stats().is_some(), "there is no second deck to measure");
}

#[test]
fn readback_returns_every_picture_once_and_in_order() {
    let Some(mut stage) = stage("ret = float3(frame / 16.0, uv.x, uv.y);") else { return };
    let render_context = stage.render_context().clone();
    let mut readback = Readback::new(&render_context.gpu, SIZE);
    let mut numbers = Vec::new();
    for _ in 0..6 {
        draw(&mut stage);
        assert!(stage.read_back(&mut readback), "the ring is full");
        if let Some(shot) = readback.receive(&render_context.gpu, Wait::WhenFull).expect("a device") {
            numbers.push((shot.number, shot.pixels[0]));
        }
    }
    assert_eq!(numbers.len(), 4, "a picture is received only when the ring of three is full");
    while let Some(shot) = readback.receive(&render_context.gpu, Wait::Always).expect("a device") {
        numbers.push((shot.number, shot.pixels[0]));
        let screenshot = stage.screenshot().expect("a picture");
        assert_eq!(shot.pixels.len(), screenshot.as_raw().len());
        if shot.number == 5 {
            assert!(shot.pixels == screenshot.as_raw().as_slice());
        }
    }
    let expected: Vec<(u64, u8)> = (0..6).map(|i| (i, (i as f32 * 255.0 / 16.0).round() as u8)).collect();
    assert_eq!(numbers, expected);
    assert!(
        !stage.read_back(&mut Readback::new(&render_context.gpu, [8, 8])),
        "a readback of another size is refused"
    );
}

#[test]
fn a_missing_image_is_black_and_reported() {
    let shaders = "comp_1=`shader_body { ret = tex2D(sampler_nosuch, uv).xyz + 0.5; }\n";
    let Some((mut stage, problems)) = stage_and_problems(shaders) else { return };
    assert_eq!(problems, ["missing texture: nosuch"]);
    draw(&mut stage);
    let picture = stage.screenshot().expect("a picture");
    let grey = |pixel: &image::Rgba<u8>| pixel.0[..3].iter().all(|channel| channel.abs_diff(128) <= 1);
    assert!(picture.pixels().all(grey), "{:?}", picture.get_pixel(0, 0));
}

#[test]
fn a_resized_deck_keeps_its_picture() {
    // Becomes brighter with every frame, so that a lost frame would be visible.
    let shaders = "warp=0\nfWaveAlpha=0\nwarp_1=`shader_body { ret = tex2D(sampler_main, uv).xyz + 0.02 * float3(uv.x, uv.y, 1.0); }\n\
                   comp_1=`shader_body { ret = tex2D(sampler_main, uv).xyz; }\n";
    let (Some(mut same), Some(mut other)) = (stage_with(shaders), stage_with(shaders)) else { return };
    for (frames, scale, size) in [(20, 0.7, [45, 25]), (3, 0.6, [38, 22]), (4, 1.0, SIZE)] {
        (0..frames).for_each(|_| [&mut same, &mut other].into_iter().for_each(draw));
        other.set_scale(scale);
        [&mut same, &mut other].into_iter().for_each(draw);
        assert_eq!(other.deck(DeckId(1)).expect("added").size(), size);
        assert_eq!(other.size(), SIZE, "the output keeps its size");
        let [full, scaled] = [&same, &other].map(|stage| stage.screenshot().expect("read back").into_raw());
        let apart: u64 = full.iter().zip(&scaled).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
        let mean = apart as f64 / full.len() as f64;
        assert!(mean < 2.0, "{mean} of 255 apart at {scale}");
    }
    let light = same.screenshot().expect("read back").into_raw();
    assert!(light.iter().any(|value| *value > 100 && *value < 255), "too dark to prove anything");
}

#[test]
fn a_single_deck_of_another_size_is_shown_as_the_mixer_would_draw_it() {
    let body = "ret = frac(float3(uv.x * 9 + frame * 0.1, uv.y * 7, uv.x * uv.y * 5));";
    let (Some(mut single), Some(mut mixed)) = (stage(body), stage(body)) else { return };
    // The incoming deck does not exist, and the crossfade is at its start.
    let to = OnAirDeck { deck: DeckId(2), modulation: Modulation::default() };
    let fade = Some(Fade { to, progress: Unipolar::ZERO, style: FadeStyle::Mix });
    let mixing = Cue { fade, ..cue() };
    for scale in [0.85, 0.7, 0.6] {
        single.set_scale(scale);
        mixed.set_scale(scale);
        draw(&mut single);
        mixed.draw(&mixing);
        let [shown, expected] = [&single, &mixed].map(|stage| stage.screenshot().expect("read back"));
        assert_eq!(shown.dimensions(), (SIZE[0], SIZE[1]));
        assert!(shown == expected, "the pictures differ at {scale}");
    }
}

#[test]
fn a_new_device_needs_no_texture_folder() {
    let Some(gpu) = Gpu::for_test() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("sky.png"), "").expect("written");
    let context = RenderContext::new(gpu, &[folder.path().to_owned()]);
    drop(folder);
    assert_eq!(context.reopen().expect("another device").textures.count(), 1);
}

#[test]
fn deep_color_keeps_small_differences_and_limits_values_to_one() {
    // Fades by a quarter of an 8-bit level per frame, from a value above 1.
    let shaders = "fWaveAlpha=0\nbMotionVectorsOn=0\nmv_a=0\nwarp=0\n\
                   warp_1=`shader_body { ret = tex2D(sampler_main, uv).xyz * 0.999; \
                   if (frame < 0.5) ret = float3(3.0, 3.0, 3.0); }\n\
                   comp_1=`shader_body { ret = tex2D(sampler_main, uv).xyz; }\n";
    let mut brightness = Vec::new();
    for deep_color in [false, true] {
        let Some(gpu) = Gpu::for_test() else { return };
        let context = RenderContext::with(gpu, &[], RenderOptions { deep_color, smooth_edges: false });
        let Some((mut stage, problems)) = stage_on(context, shaders) else { return };
        assert_eq!(problems, Vec::<String>::new());
        (0..60).for_each(|_| draw(&mut stage));
        // Copies the feedback images to another size and back.
        stage.set_scale(0.5);
        stage.set_scale(1.0);
        draw(&mut stage);
        let deck = stage.deck(DeckId(1)).expect("a deck");
        let feedback = deck.feedback(stage.render_context()).expect("a feedback image");
        let picture = stage.screenshot().expect("a picture");
        brightness.push([&feedback, &picture].map(|image| image.get_pixel(32, 18)[0]));
    }
    assert_eq!(brightness[0], [255; 2], "8 bits round every step away");
    assert!(brightness[1].iter().all(|level| (225..=246).contains(level)), "{brightness:?}");
}

/// Returns the red channel of a picture with only the elements that `lines` describe; `None` if there is no device.
fn elements(smooth_edges: bool, lines: &str) -> Option<Vec<u8>> {
    let options = RenderOptions { deep_color: false, smooth_edges };
    let context = RenderContext::with(Gpu::for_test()?, &[], options);
    let shaders = "warp_1=`shader_body { ret = float3(0.0, 0.0, 0.0); }\n\
                   comp_1=`shader_body { ret = tex2D(sampler_main, uv).xyz; }\n";
    let lines = format!("fWaveAlpha=0\nbMotionVectorsOn=0\nmv_a=0\n{lines}\n{shaders}");
    let (mut stage, problems) = stage_on(context, &lines)?;
    assert_eq!(problems, Vec::<String>::new());
    (0..2).for_each(|_| draw(&mut stage));
    let feedback = stage.deck(DeckId(1))?.feedback(stage.render_context()).expect("a feedback image");
    Some(feedback.pixels().map(|pixel| pixel[0]).collect())
}

#[test]
fn smooth_edges_cover_pixels_in_part_and_keep_the_brightness() {
    let wave = "wavecode_0_enabled=1\nwavecode_0_r=1\nwavecode_0_g=1\nwavecode_0_b=1\nwavecode_0_a=1\n";
    let points = "wave_0_per_point1=x=0.1+0.8*sample; y=0.3+0.37*sample;";
    let kinds = [
        ("line", format!("{wave}wavecode_0_samples=64\n{points}")),
        ("steep line", format!("{wave}wavecode_0_samples=64\nwave_0_per_point1=x=0.4+0.1*sample; y=sample;")),
        ("dots", format!("{wave}wavecode_0_samples=6\nwavecode_0_bUseDots=1\n{points}")),
        (
            "polygon",
            "shapecode_0_enabled=1\nshapecode_0_sides=5\nshapecode_0_rad=0.3\nshapecode_0_ang=0.3\n\
             shapecode_0_r=1\nshapecode_0_g=1\nshapecode_0_b=1\nshapecode_0_a=1\nshapecode_0_r2=1\n\
             shapecode_0_g2=1\nshapecode_0_b2=1\nshapecode_0_a2=1\nshapecode_0_border_a=0"
                .to_owned(),
        ),
        ("border", "ob_size=0.1\nob_r=1\nob_g=1\nob_b=1\nob_a=1".to_owned()),
    ];
    for (name, lines) in kinds {
        let (Some(aliased), Some(smooth)) = (elements(false, &lines), elements(true, &lines)) else { return };
        let partial = |levels: &[u8]| levels.iter().filter(|level| (16..240).contains(*level)).count();
        assert!(partial(&aliased) == 0 && partial(&smooth) > 5, "{name}: {}", partial(&smooth));
        let sum = |levels: &[u8]| levels.iter().map(|&level| f64::from(level)).sum::<f64>();
        let ratio = sum(&smooth) / sum(&aliased);
        assert!((0.88..1.12).contains(&ratio), "{name}: {ratio}");
    }
}

#[test]
fn pictures_up_to_8k_are_drawn_and_those_above_the_limit_of_the_device_are_refused() {
    let Some(gpu) = Gpu::for_test() else { return };
    let limit = gpu.device.limits().max_texture_dimension_2d;
    let error = gpu.check_size([64, limit + 1], [48, 36]).expect_err("too large").to_string();
    assert!(error.contains(&format!("limited to {limit} pixels per side; choose a smaller size")), "{error}");
    let error = gpu.check_size([64, 36], [8192, 8192]).expect_err("too many vertices").to_string();
    assert!(error.contains("vertices; choose a smaller mesh"), "{error}");
    let context = Arc::new(RenderContext::new(gpu, &[]));
    let text = "[preset00]\nMILKDROP_PRESET_VERSION=201\nPSVERSION=2\nPSVERSION_WARP=2\nPSVERSION_COMP=2\n\
                comp_1=`shader_body { ret = float3(uv.x > 0.5, uv.y > 0.5, 1.0); }\n";
    let program = Program::compile(text.as_bytes()).expect("a preset");
    let deck = |size| {
        let settings = DeckSettings { size, mesh: [96, 54], fps: 30.0 };
        Deck::prepare(&context, program.clone(), settings, 1)
    };
    assert!(deck([limit + 1, 16]).is_err());
    for size in [[7680, 16], [16, 4320]] {
        context.gpu.check_size([7680, 4320], [240, 134]).expect("8K");
        let mut stage = Stage::new(context.clone(), size);
        stage.add(DeckId(1), Box::new(deck(size).expect("a deck")));
        draw(&mut stage);
        let picture = stage.screenshot().expect("a picture");
        let color = |x: u32, y: u32| picture.get_pixel(x, y).0[..3].to_vec();
        assert_eq!(color(1, 1), [0, 0, 255], "{size:?}");
        assert_eq!(color(size[0] - 2, size[1] - 2), [255; 3], "{size:?}");
    }
}
