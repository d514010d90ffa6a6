//! Reference cases for the flash meter, at 60 frames per second.

use super::*;
use crate::units::Rng;

const FPS: usize = 60;
const SIZE: [usize; 2] = [96, 72];

type Colour = [f64; 3];

const WHITE: Colour = [1.0; 3];
const BLACK: Colour = [0.0; 3];

/// Converts linear light to a display value (sRGB), both 0 to 1.
fn display(linear: f64) -> f64 {
    if linear <= 0.0031308 { 12.92 * linear } else { 1.055 * linear.powf(1.0 / 2.4) - 0.055 }
}

fn grey(linear: f64) -> Colour {
    [display(linear); 3]
}

/// Returns the score of two seconds of frames painted by `paint(frame, x, y)`.
fn score(mut paint: impl FnMut(usize, usize, usize) -> Colour) -> FlashScore {
    let mut meter = FlashMeter::new(FPS as f64);
    let mut cells = Cells::default();
    for frame in 0..2 * FPS {
        let mut pixels = Vec::with_capacity(SIZE[0] * SIZE[1] * 4);
        for y in 0..SIZE[1] {
            for x in 0..SIZE[0] {
                let colour = paint(frame, x, y).map(|c| (c.clamp(0.0, 1.0) * 255.0).round() as u8);
                pixels.extend([colour[0], colour[1], colour[2], 255]);
            }
        }
        cells.update(&pixels, SIZE);
        meter.push(&cells);
    }
    meter.score()
}

fn high(frame: usize, hz: f64) -> bool {
    ((2.0 * hz * frame as f64 / FPS as f64 + 1e-9).floor() as i64).rem_euclid(2) == 1
}

fn blinking(hz: f64, up: Colour, down: Colour) -> FlashScore {
    score(|frame, _, _| if high(frame, hz) { up } else { down })
}

/// Returns the score of a white block that covers `share` of the middle 10-degree field and blinks five times
/// per second.
fn blinking_block(share: f64) -> FlashScore {
    let rows = (24.0 * share) as usize;
    score(|frame, x, y| {
        let inside = (32..64).contains(&x) && (24..24 + rows).contains(&y);
        if inside && high(frame, 5.0) { WHITE } else { BLACK }
    })
}

#[track_caller]
fn check(score: FlashScore, fails: bool) {
    assert_eq!(score.verdict() == FlashVerdict::Fail, fails, "{score:?}");
}

#[test]
fn three_flashes_a_second_pass_and_five_fail() {
    check(blinking(3.0, WHITE, BLACK), false);
    check(blinking(5.0, WHITE, BLACK), true);
    check(blinking(15.0, WHITE, BLACK), true);
}

#[test]
fn small_changes_of_luminance_do_not_count() {
    check(blinking(5.0, grey(0.38), grey(0.30)), false);
    check(blinking(5.0, grey(0.42), grey(0.30)), true);
}

#[test]
fn flashes_between_bright_colours_do_not_count() {
    check(blinking(5.0, WHITE, grey(0.85)), false);
}

#[test]
fn less_than_a_quarter_of_the_field_passes() {
    check(blinking_block(0.2), false);
    check(blinking_block(0.34), true);
}

#[test]
fn red_flashes_count_at_equal_luminance() {
    let grey = grey(0.2126);
    check(blinking(5.0, [1.0, 0.0, 0.0], grey), true);
    check(blinking(2.0, [1.0, 0.0, 0.0], grey), false);
    check(blinking(5.0, [0.0, display(0.2126 / 0.7152), 0.0], grey), false);
}

#[test]
fn a_fine_balanced_pattern_is_exempt() {
    let mut meter = FlashMeter::new(FPS as f64);
    let mut cells = Cells::default();
    for frame in 0..FPS {
        let odd = usize::from(high(frame, 10.0));
        let mut pixels = Vec::new();
        for y in 0..720 {
            pixels.extend((0..960).flat_map(|x| [if (x + y) % 2 == odd { 255 } else { 0 }; 4]));
        }
        cells.update(&pixels, [960, 720]);
        meter.push(&cells);
    }
    check(meter.score(), false);
}

#[test]
fn slow_waves_and_moving_shapes_pass() {
    let wave = |frame: usize, hz: f64| (std::f64::consts::TAU * hz * frame as f64 / FPS as f64).sin();
    check(score(|frame, _, _| [0.5 + 0.5 * wave(frame, 1.0); 3]), false);
    let mut rng = Rng::new(0);
    check(
        score(|frame, _, _| [0; 3].map(|_: i32| 0.5 + 0.4 * wave(frame, 2.0) + 0.03 * rng.normal())),
        false,
    );
    let bar = |frame: usize, x: usize| (-((x as f64 - (frame as f64 * 0.4) % 96.0) / 6.0).powi(2)).exp();
    check(score(|frame, x, _| [bar(frame, x); 3]), false);
}

#[test]
fn quarters_of_the_screen_that_flash_in_turn_count_together() {
    let quarters: [fn(usize, usize) -> usize; 3] =
        [|x, _| x / 24, |_, y| y / 18, |x, y| (x / 24 + y / 18) % 4];
    for quarter in quarters {
        for [up, down] in [[WHITE, BLACK], [[1.0, 0.0, 0.0], grey(0.2126)]] {
            let in_turn = |hz: usize| {
                score(|frame, x, y| {
                    let lit = high(frame, hz as f64) && quarter(x, y) == frame * hz / FPS % 4;
                    if lit { up } else { down }
                })
            };
            let four = in_turn(4);
            assert!(four.general.max(four.red) <= 3 && four.flashes() == 4, "{four:?}");
            check(four, true);
            assert_eq!(in_turn(3).verdict(), FlashVerdict::Pass);
        }
    }
}

#[test]
fn seven_half_flashes_give_a_warning() {
    assert_eq!(FlashScore { transitions: 7, ..FlashScore::default() }.verdict(), FlashVerdict::Warn);
}

/// Frames per second and size of the pictures with patterns: two pixels per cell in each direction.
const PATTERN_FPS: usize = 30;
const PATTERN_SIZE: [usize; 2] = [192, 144];

/// Returns the longest time, in milliseconds, for which a harmful pattern is on screen in a second of frames painted by
/// `shade(seconds, x, y)`, in display values.
fn pattern_ms(shade: impl Fn(f64, f64, f64) -> f64) -> u32 {
    let mut meter = FlashMeter::new(PATTERN_FPS as f64);
    let mut cells = Cells::default();
    for frame in 0..PATTERN_FPS {
        let mut pixels = Vec::with_capacity(PATTERN_SIZE[0] * PATTERN_SIZE[1] * 4);
        for y in 0..PATTERN_SIZE[1] {
            for x in 0..PATTERN_SIZE[0] {
                let shade = shade(frame as f64 / PATTERN_FPS as f64, x as f64, y as f64);
                let value = (shade.clamp(0.0, 1.0) * 255.0).round() as u8;
                pixels.extend([value, value, value, 255]);
            }
        }
        cells.update(&pixels, PATTERN_SIZE);
        meter.push(&cells);
    }
    meter.score().pattern_ms.expect("measured")
}

/// Returns 1 in every second stripe of this width, otherwise 0.
fn stripe(at: f64, width: f64) -> f64 {
    (at / width).floor().rem_euclid(2.0)
}

/// Returns 1 in the left `share` of the picture, otherwise 0.
fn left(x: f64, share: f64) -> f64 {
    f64::from(u8::from(x < share * PATTERN_SIZE[0] as f64))
}

/// Brightness of a pattern at a position, given the centre of the picture and a full turn in radians.
type Shade = fn([f64; 2], [f64; 2], f64) -> f64;

#[test]
fn stationary_stripes_of_every_kind_count() {
    let (centre, turn) = ([96.0, 72.0], std::f64::consts::TAU);
    let patterns: [(&str, Shade); 7] = [
        ("vertical", |[x, _], _, _| stripe(x, 8.0)),
        ("horizontal", |[_, y], _, _| stripe(y, 6.0)),
        ("diagonal", |[x, y], _, _| stripe(x + y, 7.0)),
        ("smooth", |[x, _], _, turn| 0.5 + 0.5 * (x * turn / 12.0).sin()),
        ("rings", |[x, y], [a, b], _| stripe((x - a).hypot(y - b), 5.0)),
        ("radial", |[x, y], [a, b], turn| stripe((y - b).atan2(x - a), turn / 48.0)),
        ("checker", |[x, y], _, _| (stripe(x, 6.0) - stripe(y, 6.0)).abs()),
    ];
    for (name, shade) in patterns {
        let time = pattern_ms(|_, x, y| shade([x, y], centre, turn));
        assert!(time >= 900, "{name}: {time} ms");
    }
}

#[test]
fn few_faint_and_dim_stripes_do_not_count() {
    assert_eq!(pattern_ms(|_, x, _| stripe(x, 192.0 / 10.0)), 0, "five pairs");
    assert!(pattern_ms(|_, x, _| stripe(x, 192.0 / 12.0)) >= 900, "six pairs");
    assert_eq!(pattern_ms(|_, x, _| display(0.3 + 0.09 * stripe(x, 8.0))), 0, "faint");
    assert!(pattern_ms(|_, x, _| display(0.3 + 0.11 * stripe(x, 8.0))) >= 900, "strong enough");
    assert_eq!(pattern_ms(|_, x, _| display(0.24 * stripe(x, 8.0))), 0, "dim");
    assert!(pattern_ms(|_, x, _| display(0.26 * stripe(x, 8.0))) >= 900, "light enough");
}

#[test]
fn a_pattern_counts_from_two_fifths_of_the_screen_or_from_a_quarter_if_it_reverses() {
    for tenths in 1..=10 {
        let share = f64::from(tenths) / 10.0;
        let still = pattern_ms(|_, x, _| stripe(x, 2.0) * left(x, share));
        assert_eq!(still >= 500, tenths >= 4, "{tenths}: {still} ms");
        let hz = [3.0, 5.0, 10.0, 15.0][tenths as usize % 4];
        let phase = |seconds: f64| 2.0 * (2.0 * hz * seconds + 1e-9).floor();
        let reversing = pattern_ms(|seconds, x, _| stripe(x + phase(seconds), 2.0) * left(x, share));
        assert_eq!(reversing >= 500, tenths >= 3, "{tenths}, {hz} Hz: {reversing} ms");
    }
}

#[test]
fn stripes_that_oscillate_or_flash_count_from_a_quarter_and_drifting_ones_do_not() {
    let moving =
        |shift: fn(f64) -> f64| pattern_ms(|seconds, x, _| stripe(x - shift(seconds), 4.0) * left(x, 0.35));
    assert_eq!(moving(|seconds| 30.0 * seconds), 0, "drifting");
    assert!(pattern_ms(|seconds, x, _| stripe(x - 30.0 * seconds, 4.0)) >= 900, "drifting everywhere");
    let oscillating = moving(|seconds| 2.5 * (20.0 * seconds).sin());
    assert!(oscillating >= 500, "oscillating: {oscillating} ms");
    let flashing = pattern_ms(|seconds, x, _| {
        stripe(x, 4.0) * left(x, 0.35) * f64::from(u8::from((seconds * 10.0 + 1e-9).fract() < 0.5))
    });
    assert!(flashing >= 400, "flashing: {flashing} ms");
}

#[test]
fn pictures_without_regular_stripes_have_no_pattern() {
    let mut rng = Rng::new(3);
    let noise: Vec<f64> = (0..40 * 40).map(|_| rng.unit()).collect();
    let heights: Vec<f64> = (0..24).map(|_| rng.unit()).collect();
    let height = |x: f64, seconds: f64| {
        0.1 + 0.4 * heights[(x / 8.0) as usize] * (1.0 + (9.0 * seconds + x).sin()) / 2.0
    };
    assert_eq!(pattern_ms(|_, x, _| x / 192.0), 0, "gradient");
    let wave = |_, x: f64, y: f64| {
        0.5 + 0.5 * (x / 12.0 + 2.0 * (y / 16.0).sin()).sin() * (y / 10.0 + x / 24.0).cos()
    };
    assert_eq!(pattern_ms(wave), 0, "plasma");
    assert_eq!(pattern_ms(|_, x, y| noise[(y / 3.6) as usize * 40 + (x / 4.8) as usize]), 0, "noise");
    let line = |_, x: f64, y: f64| f64::from(u8::from((y - 72.0 - 30.0 * (x * 0.4).sin()).abs() < 1.5));
    assert_eq!(pattern_ms(line), 0, "a thin wave");
    // A spectrum: bars with gaps, whose heights change all the time.
    let bars = |seconds, x: f64, y: f64| {
        f64::from(u8::from(x % 8.0 < 5.0 && y > 144.0 * (1.0 - height(x, seconds))))
    };
    assert_eq!(pattern_ms(bars), 0, "bars of up to half the height");
}

#[test]
fn a_score_without_measured_patterns_passes() {
    assert_eq!(FlashScore::default().pattern_verdict(), FlashVerdict::Pass);
    let score = FlashScore { pattern_ms: Some(500), ..FlashScore::default() };
    assert_eq!((score.pattern_verdict(), score.verdict()), (FlashVerdict::Fail, FlashVerdict::Pass));
}
