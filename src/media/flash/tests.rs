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
