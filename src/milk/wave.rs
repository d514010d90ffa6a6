//! The main waveform, in all modes.
//!
//! Each mode turns the audio into one or two runs of points, which are smoothed and drawn as lines or dots.

use lactea_preset::BaseValues;

use super::engine::Context;
use super::frame::Weight;
use super::names::frame;
use super::preset_audio::{SPECTRUM_BINS, WAVE_SAMPLES};
use super::stroke::{self, Point, StrokeStyle};
use super::{Blend, Frame};

/// Waveform samples drawn; the others only serve the alignment.
pub(super) const DRAWN_SAMPLES: usize = 480;

/// Scaled and smoothed audio.
struct Sound {
    left: [f32; WAVE_SAMPLES],
    right: [f32; WAVE_SAMPLES],
    spectrum: [f32; SPECTRUM_BINS],
}

/// Position and shape of the wave, after per-frame code.
struct Placement {
    /// Centre, clip space.
    at: [f32; 2],
    /// `wave_mystery`, folded into -1..1 in some modes.
    mystery: f32,
    aspect: [f32; 2],
    time: f32,
    width: f32,
}

/// Draws the main waveform into `out.above`; `points` is a scratch buffer.
pub(super) fn draw(
    base: &BaseValues,
    vars: &[f64],
    context: &Context,
    points: &mut Vec<[f32; 2]>,
    out: &mut Frame,
) {
    // Mode, dots and thickness come from the preset file: projectM ignores changes by code.
    let mode = base.wave_mode.rem_euclid(9) as u32;
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
    let dots = base.wave_dots;
    let style = StrokeStyle {
        dots,
        blend: if vars[frame::wave_additive] != 0.0 { Blend::Additive } else { Blend::Alpha },
        weight: if dots || base.wave_thick { Weight::Double } else { Weight::Thin },
    };
    let closed = mode == 0;
    for number in 0..2 {
        points.clear();
        if !fill_run(mode, number, &sound, &place, points) {
            break;
        }
        let run = stroke::smoothed(points.len(), |i| Point { at: points[i], color });
        let closing = points.first().filter(|_| closed).map(|&at| Point { at, color });
        stroke::draw(run.chain(closing), style, out);
    }
}

/// Returns the opacity of the wave: `wave_a` times a factor of the mode and, if enabled, of the volume.
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

trait ClampOrZero {
    /// Clamps to 0..1; NaN becomes 0.
    fn clamp_or_zero(self) -> Self;
}

impl ClampOrZero for f32 {
    fn clamp_or_zero(self) -> Self {
        self.max(0.0).min(1.0)
    }
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
    if matches!(mode, 0 | 1 | 4) && !(-1.0..=1.0).contains(&value) {
        let half = value * 0.5 + 0.5;
        return (half - half.floor()).abs() * 2.0 - 1.0;
    }
    value
}

impl Sound {
    fn new(base: &BaseValues, context: &Context) -> Self {
        let keep = base.wave_smoothing.clamp_or_zero();
        let scale = |samples: &[f32], out: &mut [f32]| {
            let mut last = samples[0] * base.wave_scale;
            out[0] = last;
            for (slot, &sample) in out.iter_mut().zip(samples).skip(1) {
                last = sample * base.wave_scale * (1.0 - keep) + last * keep;
                *slot = last;
            }
        };
        let mut sound =
            Self { left: [0.0; WAVE_SAMPLES], right: [0.0; WAVE_SAMPLES], spectrum: [0.0; SPECTRUM_BINS] };
        scale(&context.audio.wave[0], &mut sound.left);
        scale(&context.audio.wave[1], &mut sound.right);
        scale(&context.audio.spectrum[0], &mut sound.spectrum);
        sound
    }
}

/// Fills `points` with run `number` of the mode; returns false if the mode has fewer runs.
fn fill_run(mode: u32, number: u32, sound: &Sound, place: &Placement, points: &mut Vec<[f32; 2]>) -> bool {
    // Half the distance of the two runs of mode 7.
    let offset = (place.at[1] * 0.5 + 0.5).powi(2);
    match (mode, number) {
        (0, 0) => circle(sound, place, points),
        (1, 0) => spiral(sound, place, points),
        (2 | 3, 0) => spiro(sound, place, points),
        (4, 0) => script(sound, place, points),
        (5, 0) => explosion(sound, place, points),
        (6, 0) => across(place, displacement(&sound.left, place), 0.0, points),
        (7, 0) => across(place, displacement(&sound.left, place), offset, points),
        (7, 1) => across(place, displacement(&sound.right, place), -offset, points),
        (8, 0) => across(place, spectrum(sound), 0.0, points),
        _ => return false,
    }
    true
}

fn circle(sound: &Sound, place: &Placement, points: &mut Vec<[f32; 2]>) {
    let count = DRAWN_SAMPLES / 2;
    let offset = (DRAWN_SAMPLES - count) / 2;
    let blend_in = count / 10;
    let radius = |sample: usize| 0.5 + 0.4 * sound.right[sample] + place.mystery;
    points.extend((0..count).map(|i| {
        let mut rad = radius(i + offset);
        if i < blend_in {
            // The first tenth blends with the samples after the last one, which closes the circle.
            let blend = i as f32 / (count as f32 * 0.1);
            let blend = 0.5 - 0.5 * (blend * 3.1416).cos();
            rad = radius(i + count + offset) * (1.0 - blend) + rad * blend;
        }
        let ang = i as f32 / (count - 1) as f32 * 6.28 + place.time * 0.2;
        place.polar(rad, ang)
    }));
}

fn spiral(sound: &Sound, place: &Placement, points: &mut Vec<[f32; 2]>) {
    let polar = |i: usize| {
        let rad = 0.53 + 0.43 * sound.right[i] + place.mystery;
        place.polar(rad, sound.left[i + 32] * 1.57 + place.time * 2.3)
    };
    points.extend((0..DRAWN_SAMPLES / 2).map(polar));
}

fn spiro(sound: &Sound, place: &Placement, points: &mut Vec<[f32; 2]>) {
    let [aspect_x, aspect_y] = place.aspect;
    let point =
        |i: usize| [sound.right[i] * aspect_y + place.at[0], sound.left[i + 32] * aspect_x + place.at[1]];
    points.extend((0..DRAWN_SAMPLES).map(point));
}

/// Returns the number of points of a line across the screen: a third of `count` if they would be less than three
/// pixels apart.
fn thinned(count: usize, width: f32) -> usize {
    if count as f32 > width / 3.0 { count / 3 } else { count }
}

fn script(sound: &Sound, place: &Placement, points: &mut Vec<[f32; 2]>) {
    let count = thinned(DRAWN_SAMPLES, place.width);
    let offset = (DRAWN_SAMPLES - count) / 2;
    let momentum = 0.45 + 0.5 * (place.mystery * 0.5 + 0.5);
    for i in 0..count {
        let mut x = -1.0 + 2.0 * (i as f32 / (count - 1) as f32) + place.at[0];
        let mut y = sound.left[i + offset] * 0.47 + place.at[1];
        x += sound.right[i + 25 + offset] * 0.44;
        if i > 1 {
            let (last, before) = (points[i - 1], points[i - 2]);
            x = x * (1.0 - momentum) + momentum * (last[0] * 2.0 - before[0]);
            y = y * (1.0 - momentum) + momentum * (last[1] * 2.0 - before[1]);
        }
        points.push([x, y]);
    }
}

fn explosion(sound: &Sound, place: &Placement, points: &mut Vec<[f32; 2]>) {
    let (sin, cos) = (place.time * 0.3).sin_cos();
    let [aspect_x, aspect_y] = place.aspect;
    let point = |i: usize| {
        let (left, right) = (&sound.left, &sound.right);
        let x = right[i] * left[i + 32] + left[i] * right[i + 32];
        let y = right[i] * right[i] - left[i + 32] * left[i + 32];
        [(x * cos - y * sin) * aspect_y + place.at[0], (x * sin + y * cos) * aspect_x + place.at[1]]
    };
    points.extend((0..DRAWN_SAMPLES).map(point));
}

/// Returns the displacement of each point of a line by one channel.
fn displacement(channel: &[f32; WAVE_SAMPLES], place: &Placement) -> impl ExactSizeIterator<Item = f32> {
    let count = thinned(DRAWN_SAMPLES / 2, place.width);
    let offset = (DRAWN_SAMPLES - count) / 2;
    channel[offset..offset + count].iter().map(|sample| 0.25 * sample)
}

/// Returns the displacement of each point of a line by the spectrum: two bins per point, logarithmic.
fn spectrum(sound: &Sound) -> impl ExactSizeIterator<Item = f32> {
    sound.spectrum.chunks_exact(2).map(|pair| 0.1 * ((pair[0] + pair[1]) / 128.0).max(1e-6).ln())
}

/// Fills `points` with a line at the angle `wave_mystery`, displaced at each point, and shifted sideways by `offset`.
fn across(
    place: &Placement,
    displacement: impl ExactSizeIterator<Item = f32>,
    offset: f32,
    points: &mut Vec<[f32; 2]>,
) {
    let ang = 1.57 * place.mystery;
    let (dy, dx) = ang.sin_cos();
    let (side_sin, side_cos) = (ang + 1.57).sin_cos();
    let middle = [place.at[0] * side_cos, place.at[0] * side_sin];
    let mut ends =
        [[middle[0] - dx * 3.0, middle[1] - dy * 3.0], [middle[0] + dx * 3.0, middle[1] + dy * 3.0]];
    clip_ends(&mut ends);
    let count = displacement.len().max(1) as f32;
    let step = [(ends[1][0] - ends[0][0]) / count, (ends[1][1] - ends[0][1]) / count];
    let (perp_y, perp_x) = (step[1].atan2(step[0]) + 1.57).sin_cos();
    let point = |(i, displacement): (usize, f32)| {
        let (along, out) = (i as f32, displacement + offset);
        [ends[0][0] + step[0] * along + perp_x * out, ends[0][1] + step[1] * along + perp_y * out]
    };
    points.extend(displacement.enumerate().map(point));
}

/// Clips a line a tenth beyond the edges of the screen.
fn clip_ends(ends: &mut [[f32; 2]; 2]) {
    const EDGE: f32 = 1.1;
    for i in 0..2 {
        let other = ends[1 - i];
        let end = &mut ends[i];
        for axis in 0..2 {
            for edge in [EDGE, -EDGE] {
                let beyond = if edge > 0.0 { end[axis] > edge } else { end[axis] < edge };
                if beyond {
                    let t = (edge - other[axis]) / (end[axis] - other[axis]);
                    end[0] = other[0] + (end[0] - other[0]) * t;
                    end[1] = other[1] + (end[1] - other[1]) * t;
                }
            }
        }
    }
}

impl Placement {
    /// Converts polar coordinates around the centre to clip space.
    fn polar(&self, rad: f32, ang: f32) -> [f32; 2] {
        let (sin, cos) = ang.sin_cos();
        [rad * cos * self.aspect[1] + self.at[0], rad * sin * self.aspect[0] + self.at[1]]
    }
}
