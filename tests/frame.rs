//! Numeric checks of a preset's frame, for limits and tables that a golden picture would hardly reveal.

use std::f32::consts::TAU;

use aivj::milk::{
    Draw, Frame, Modulation, Player, PresetAudio, PresetAudioAnalyser, Program, StepReport, Tick,
};

const TICK: Tick = Tick { time: 0.5, fps: 30.0, frame: 3, size: [320, 180], mesh: [4, 3] };

/// Returns one frame of a preset with these lines, at `tick`.
fn frame_at(tick: Tick, heard: &PresetAudio, lines: &str) -> (Frame, StepReport) {
    let program = Program::compile(format!("[preset00]\n{lines}\n").as_bytes()).expect("a preset");
    assert_eq!(program.problems, []);
    let mut frame = Frame::default();
    let report = Player::new(program, 1).step(heard, tick, &Modulation::default(), &mut frame);
    (frame, report)
}

fn frame(lines: &str) -> Frame {
    frame_at(TICK, &loud(), lines).0
}

/// Returns audio with a different tone in each channel and a different level in each band.
fn loud() -> PresetAudio {
    let mut heard = PresetAudio::default();
    for (channel, hz) in [(0, 3.0), (1, 5.0)] {
        for (i, sample) in heard.wave[channel].iter_mut().enumerate() {
            *sample = (i as f32 / 576.0 * hz * TAU).sin() * 0.5;
        }
    }
    heard.bands = [1.8, 0.9, 0.6];
    heard.bands_att = [1.5, 1.0, 0.5];
    heard
}

fn near(value: f32, expected: f32, what: &str) {
    assert!((value - expected).abs() < 1e-4, "{what}: {value} instead of {expected}");
}

/// Returns the opacity of the main waveform; 0 if it is not drawn.
fn wave_alpha(width: u32, heard: &PresetAudio, lines: &str) -> f32 {
    let tick = Tick { size: [width, 180], ..TICK };
    let (frame, _) = frame_at(tick, heard, lines);
    frame.segments.first().map_or(0.0, |segment| segment.color_a[3])
}

#[test]
fn faint_waveforms_are_stronger_on_wider_pictures() {
    let widths = [256, 257, 512, 513, 1024, 1025, 2048, 2049];
    let table = |expected: [f32; 5]| [0, 1, 1, 2, 2, 3, 3, 4].map(|step: usize| expected[step]);
    for (width, expected) in widths.into_iter().zip(table([0.07, 0.09, 0.11, 0.13, 0.15])) {
        for mode in [2, 5] {
            let alpha = wave_alpha(width, &loud(), &format!("nWaveMode={mode}\nfWaveAlpha=1"));
            near(alpha, expected, &format!("mode {mode}, {width} pixels"));
        }
    }
    for (width, expected) in widths.into_iter().zip(table([0.075, 0.15, 0.22, 0.33, 0.4])) {
        // Treble of 0.6, squared, times 1.3.
        near(
            wave_alpha(width, &loud(), "nWaveMode=3\nfWaveAlpha=1"),
            expected * 0.468,
            &format!("{width} pixels"),
        );
    }
    near(wave_alpha(320, &loud(), "nWaveMode=1\nfWaveAlpha=0.4"), 0.5, "mode 1");
    near(wave_alpha(320, &loud(), "nWaveMode=0\nfWaveAlpha=0.4"), 0.4, "mode 0");
    near(wave_alpha(320, &loud(), "nWaveMode=0\nfWaveAlpha=7"), 1.0, "more than opaque");
    near(wave_alpha(320, &loud(), "nWaveMode=0\nfWaveAlpha=0.003"), 0.0, "hardly visible");
}

#[test]
fn a_waveform_fades_between_its_two_volumes() {
    let alpha = |start: f32, end: f32| {
        let lines = format!(
            "fWaveAlpha=0.8\nbModWaveAlphaByVolume=1\nfModWaveAlphaStart={start}\nfModWaveAlphaEnd={end}"
        );
        wave_alpha(320, &loud(), &lines) // The mean of the bands is 1.1.
    };
    near(alpha(0.6, 1.6), 0.4, "halfway");
    near(alpha(0.0, 1.0), 0.8, "louder");
    near(alpha(1.2, 2.0), 0.0, "quieter");
}

#[test]
fn waveforms_have_fewer_points_on_narrow_pictures() {
    let segments = |mode: u32, width: u32| {
        let tick = Tick { size: [width, 180], ..TICK };
        let lines = format!("nWaveMode={mode}\nfWaveAlpha=1");
        frame_at(tick, &loud(), &lines).0.segments.len()
    };
    // Smoothing gives 2 n - 1 points; the circle closes with one more.
    for (mode, width, points) in [
        (0, 720, 240),
        (1, 720, 240),
        (2, 720, 480),
        (4, 1440, 480),
        (4, 1439, 160),
        (5, 720, 480),
        (6, 720, 240),
        (6, 719, 80),
        (8, 720, 256),
    ] {
        let closing = usize::from(mode == 0);
        assert_eq!(segments(mode, width), 2 * points - 2 + closing, "mode {mode}, {width} pixels");
    }
    assert_eq!(segments(7, 720), 2 * segments(6, 720));
}

#[test]
fn per_frame_code_sets_the_built_in_composite_and_the_kind_of_wave() {
    let text = |lines: &str| format!("{:?}", frame(&format!("zoom=1\n{lines}")));
    for (key, variable, value) in [
        ("fGammaAdj", "gamma", "1.5"),
        ("fVideoEchoZoom", "echo_zoom", "1.5"),
        ("fVideoEchoAlpha", "echo_alpha", "0.5"),
        ("nVideoEchoOrientation", "echo_orient", "3"),
        ("bInvert", "invert", "1"),
        ("bBrighten", "brighten", "1"),
        ("bDarken", "darken", "1"),
        ("bSolarize", "solarize", "1"),
        ("nWaveMode", "wave_mode", "6"),
        ("bWaveDots", "wave_usedots", "1"),
        ("bWaveThick", "wave_thick", "1"),
    ] {
        let by_code = text(&format!("per_frame_1={variable}={value};"));
        assert!(by_code == text(&format!("{key}={value}")), "{variable} does not have the effect of {key}");
        assert!(by_code != text(""), "{variable} has no effect");
    }
    let broken = frame("per_frame_1=echo_zoom=(0-1)^0.5;wave_mode=-1;echo_alpha=1e300;gamma=1e300*1e300;");
    assert!(broken.legacy.echo_zoom.is_finite() && broken.legacy.gamma <= 8.0, "{:?}", broken.legacy);
}

#[test]
fn every_frame_starts_with_the_values_of_the_file() {
    let lines = "[preset00]\nfGammaAdj=1\nnWaveMode=5\nper_frame_1=gamma=gamma+0.5;wave_mode=wave_mode+1;\n";
    let mut player = Player::new(Program::compile(lines.as_bytes()).expect("a preset"), 1);
    for _ in 0..3 {
        let mut frame = Frame::default();
        player.step(&loud(), TICK, &Modulation::default(), &mut frame);
        near(frame.legacy.gamma, 1.5, "gamma");
        near(player.variables()["wave_mode"] as f32, 6.0, "wave_mode");
    }
}

#[test]
fn colours_above_one_wrap_around() {
    let shape = |red: f32| frame(&format!("shapecode_0_enabled=1\nshapecode_0_r={red}")).shapes[0].color[0];
    near(shape(0.5), 127.0 / 255.0, "0.5");
    near(shape(1.0), 1.0, "1");
    near(shape(1.5), 126.0 / 255.0, "1.5");
    near(shape(-0.1), 231.0 / 255.0, "-0.1");
}

#[test]
fn shapes_have_three_to_a_hundred_sides_and_at_most_1024_instances() {
    let shape = |lines: &str| frame(&format!("shapecode_0_enabled=1\nshapecode_0_rad=0.01\n{lines}"));
    for (written, sides) in [(1, 3.0), (3, 3.0), (7, 7.0), (100, 100.0), (101, 100.0)] {
        near(shape(&format!("shapecode_0_sides={written}")).shapes[0].sides, sides, "sides");
    }
    for (written, instances) in [(0, 1), (1, 1), (9, 9), (1024, 1024), (5000, 1024)] {
        assert_eq!(shape(&format!("shapecode_0_num_inst={written}")).shapes.len(), instances);
    }
}

#[test]
fn polygons_beyond_256_screens_are_dropped_and_reported() {
    let covering = |instances: u32| {
        let lines = format!("shapecode_0_enabled=1\nshapecode_0_rad=9\nshapecode_0_num_inst={instances}");
        let (frame, report) = frame_at(TICK, &loud(), &lines);
        (frame.shapes.len(), report.overdrawn)
    };
    assert_eq!(covering(256), (256, false));
    assert_eq!(covering(257), (256, true));
}

#[test]
fn the_last_polygons_are_kept() {
    let lines = "shapecode_0_enabled=1\nshapecode_0_rad=9\nshapecode_0_num_inst=300\nshapecode_0_additive=1\n\
                 shape_0_per_frame1=r=instance/1024; additive=instance%2;\n\
                 shapecode_1_enabled=1\nshapecode_1_rad=0.01\n";
    let frame = frame_at(TICK, &loud(), lines).0;
    assert_eq!(frame.shapes.len(), 256);
    near(frame.shapes[0].color[0], (45.0 * 255.0_f32 / 1024.0).floor() / 255.0, "the first kept");
    let mut next = 0;
    for draw in &frame.above {
        if let Draw::Shapes { range, .. } = draw {
            assert_eq!(range.start, next);
            next = range.end;
        }
    }
    assert_eq!(next, 256);
}

#[test]
fn wrapping_is_on_while_the_wrap_variable_is_positive() {
    let wraps = |value: &str| frame(&format!("bTexWrap=1\nper_frame_1=wrap={value};\n")).texture_wrap;
    assert_eq!(["1", "0.3", "0", "-0.3"].map(wraps), [true, true, false, false]);
}

#[test]
fn custom_waves_have_at_most_480_samples_or_512_bins() {
    let wave = |samples: i32, more: &str| {
        let lines =
            format!("fWaveAlpha=0\nwavecode_0_enabled=1\nwavecode_0_samples={samples}\nwavecode_0_{more}");
        let frame = frame(&lines);
        frame.segments.len() + frame.dots.len()
    };
    assert_eq!([1, 2, 100, 480, 512, 600].map(|samples| wave(samples, "sep=0")), [0, 2, 198, 958, 958, 958]);
    assert_eq!([100, 512, 600].map(|samples| wave(samples, "bSpectrum=1")), [198, 1022, 1022]);
    assert_eq!([0, 1, 100].map(|samples| wave(samples, "bUseDots=1")), [0, 1, 199]);
    assert_eq!([19, 20, 22, 120].map(|samples| wave(samples, "sep=20")), [0, 0, 2, 198]);
}

#[test]
fn elements_are_drawn_in_a_fixed_order() {
    let frame = frame(
        "fWaveAlpha=1\nbDarkenCenter=1\nob_size=0.1\nob_a=1\nib_size=0.1\nib_a=1\nmv_a=1\nshapecode_0_enabled=1\n\
         wavecode_0_enabled=1\nwavecode_0_bUseDots=1",
    );
    let kinds: Vec<&str> = frame
        .above
        .iter()
        .map(|draw| match draw {
            Draw::Lines { .. } => "lines",
            Draw::Dots { .. } => "dots",
            Draw::Shapes { .. } => "shapes",
            Draw::Borders { .. } => "borders",
            Draw::Triangles { .. } => "triangles",
        })
        .collect();
    assert_eq!(frame.borders.len(), 2);
    assert_eq!(kinds, ["shapes", "dots", "lines", "triangles", "borders"]);
}

#[test]
fn shader_time_wraps_and_progress_is_clamped() {
    let registers = |time: f64| frame_at(Tick { time, ..TICK }, &loud(), "zoom=1").0.uniforms.c;
    let early = registers(7.5);
    assert_eq!(early[2], [7.5, 30.0, 3.0, 0.25]);
    let late = registers(10_001.0);
    assert_eq!([late[2][0], late[2][3]], [1.0, 1.0]);
    near(early[3][3], 1.1, "volume");
    near(early[4][3], 1.0, "damped volume");
    assert_eq!(early[0], [1.0, 0.5625, 1.0, 1.0 / 0.5625]);
    assert_eq!(early[7], [320.0, 180.0, 1.0 / 320.0, 1.0 / 180.0]);
}

#[test]
fn shaders_receive_every_q_variable() {
    let frame = frame("per_frame_1=q1 = 0.25; q6 = 0.5; q32 = 0.75; q33 = 1.25; q38 = 1.5; q64 = 1.75;");
    let (low, high) = (frame.uniforms.q, frame.extra.q_hi);
    assert_eq!([low[0][0], low[1][1], low[7][3]], [0.25, 0.5, 0.75]);
    assert_eq!([high[0][0], high[1][1], high[7][3]], [1.25, 1.5, 1.75]);
}

#[test]
fn endless_code_is_cut_short_and_reported() {
    let (_, report) = frame_at(TICK, &loud(), "per_frame_1=loop(1000000, loop(1000000, q1 = q1 + 1));");
    assert!(report.over_budget);
    assert!(!frame_at(TICK, &loud(), "per_frame_1=loop(1000, q1 = q1 + 1);").1.over_budget);
}

/// Returns the bands and the damped bands after `secs` seconds of three tones at level 0.25 and half a second
/// at level `then`.
fn bands_after(secs: f64, then: f32) -> [[f32; 3]; 2] {
    let mut ear = PresetAudioAnalyser::new();
    let mut at = 0_u32;
    let mut play = |secs: f64, level: f32| {
        for _ in 0..(secs * 30.0).round() as u32 {
            let tone = |i: u32, hz: f32| (i as f32 / 44_100.0 * hz * TAU).sin();
            let sum = |i: u32| level * (tone(i, 1_000.0) + tone(i, 5_000.0) + tone(i, 9_000.0)) / 3.0;
            let block: Vec<[f32; 2]> = (at..at + 1470).map(|i| [sum(i); 2]).collect();
            at = (at + 1470) % 44_100; // All three tones repeat every second.
            ear.update(&block, 1.0 / 30.0);
        }
    };
    play(secs, 0.25);
    play(0.5, then);
    let heard = ear.update(&[], 1.0 / 30.0);
    [heard.bands, heard.bands_att]
}

#[track_caller]
fn all_near(bands: [[f32; 3]; 2], expected: f32) {
    assert!(
        bands.as_flattened().iter().all(|band| (band - expected).abs() < 0.02),
        "{bands:?}, not {expected}"
    );
}

#[test]
fn bands_are_relative_to_the_recent_average() {
    all_near(bands_after(10.0, 0.25), 1.0);
    // After sixteen frames the slow average of 0.25 has become 0.25 + 0.25 (1 - 0.992^16).
    all_near(bands_after(10.0, 0.5), 1.785);
    // In the first fifty frames the average follows faster: 0.25 (1 - 0.9^30) 0.9^16 + 0.5 (1 - 0.9^16).
    all_near(bands_after(1.0, 0.5), 1.107);
    // In silence, the damped bands halve every frame.
    let [now, damped] = bands_after(10.0, 0.0);
    assert_eq!(now, [0.0; 3]);
    assert!(damped.iter().all(|band| *band < 0.001), "{damped:?}");
}
