//! The main waveform, in all modes.
//!
//! Each mode turns the audio into one or two runs of points, which are smoothed and drawn as lines or dots.

mod classic;
mod input;
mod lines;
mod milkdrop3;

use lactea_preset::BaseValues;

pub(super) use self::input::DRAWN_SAMPLES;
use self::input::{ClampOrZero, Placement, Sound};
use super::engine::Context;
use super::frame::Weight;
use super::names::frame;
use super::stroke::{self, StrokePoint, StrokeStyle};
use super::{Blend, Frame};

/// Number of wave modes: nine from MilkDrop 2 and seven from MilkDrop 3.
const MODES: i64 = 16;

/// Draws the main waveform into `out.above`; `points` is a scratch buffer.
pub(super) fn draw(
    base: &BaseValues,
    vars: &[f64],
    context: &Context,
    points: &mut Vec<[f32; 2]>,
    out: &mut Frame,
) {
    let mode = (vars[frame::wave_mode] as i64).rem_euclid(MODES) as u32;
    let at = |slot: usize| vars[slot] as f32;
    let alpha = alpha(base, mode, at(frame::wave_a), context);
    if alpha.is_nan() || alpha < 0.004 {
        return;
    }
    let color = color(vars, alpha.min(1.0));
    let place = Placement {
        at: [at(frame::wave_x) * 2.0 - 1.0, at(frame::wave_y) * 2.0 - 1.0],
        mystery: mystery(at(frame::wave_mystery), mode),
        aspect: context.aspect,
        time: context.tick.time as f32,
        width: context.tick.size[0] as f32,
    };
    let sound = Sound::new(base, context);
    let dots = vars[frame::wave_usedots] != 0.0;
    let style = StrokeStyle {
        dots,
        blend: if vars[frame::wave_additive] != 0.0 { Blend::Additive } else { Blend::Alpha },
        weight: if dots || vars[frame::wave_thick] != 0.0 { Weight::Double } else { Weight::Thin },
    };
    let closed = matches!(mode, 0 | 13);
    for number in 0..2 {
        points.clear();
        let fill_run = if mode < 9 { classic::fill_run } else { milkdrop3::fill_run };
        if !fill_run(mode, number, &sound, &place, points) {
            break;
        }
        let run = stroke::smoothed(points.len(), |i| StrokePoint { at: points[i], color });
        let closing = points.first().filter(|_| closed).map(|&at| StrokePoint { at, color });
        stroke::draw(run.chain(closing), style, out);
    }
}

/// Returns the opacity of the wave: `wave_a` times a factor that depends on the mode and, if enabled, one
/// that depends on the volume.
fn alpha(base: &BaseValues, mode: u32, wave_a: f32, context: &Context) -> f32 {
    let [bass, mid, treb] = context.audio.bands;
    let by_width = |table: [f32; 5]| {
        let width = context.tick.size[0];
        table[[256, 512, 1024, 2048].iter().filter(|&&limit| width > limit).count()]
    };
    let mut alpha = wave_a;
    match mode {
        1 => alpha *= 1.25,
        2 | 5 => alpha *= by_width([0.07, 0.09, 0.11, 0.13, 0.15]),
        3 => alpha *= by_width([0.075, 0.15, 0.22, 0.33, 0.4]) * 1.3 * treb * treb,
        _ => {}
    }
    if base.mod_wave_alpha_by_volume {
        let (start, end) = (base.mod_wave_alpha_start, base.mod_wave_alpha_end);
        let volume = (bass + mid + treb) / 3.0;
        alpha *= ((volume - start) / (end - start)).clamp_or_zero();
    }
    alpha.max(0.0)
}

fn color(vars: &[f64], alpha: f32) -> [f32; 4] {
    let mut rgb =
        [frame::wave_r, frame::wave_g, frame::wave_b].map(|slot| (vars[slot] as f32).clamp_or_zero());
    if vars[frame::wave_brighten] != 0.0 {
        let brightest = rgb.iter().fold(0.0_f32, |a, &b| a.max(b));
        if brightest > 0.01 {
            rgb = rgb.map(|c| c / brightest);
        }
    }
    [rgb[0], rgb[1], rgb[2], alpha]
}

/// Folds `wave_mystery` into -1..1 for the modes that need it.
fn mystery(value: f32, mode: u32) -> f32 {
    if matches!(mode, 0 | 1 | 4 | 12..=14) && !(-1.0..=1.0).contains(&value) {
        let half = value * 0.5 + 0.5;
        return (half - half.floor()).abs() * 2.0 - 1.0;
    }
    value
}
