//! Lines across the screen, displaced by the audio.

use super::super::preset_audio::WAVE_SAMPLES;
use super::input::{DRAWN_SAMPLES, Placement, Sound};

/// Returns the number of points of a line across the screen: a third of `count` if the points would otherwise be less
/// than three pixels apart.
pub(super) fn thinned(count: usize, width: f32) -> usize {
    if count as f32 > width / 3.0 { count / 3 } else { count }
}

/// Returns the displacement of each point of a line by one channel.
pub(super) fn displacement(
    channel: &[f32; WAVE_SAMPLES],
    place: &Placement,
) -> impl ExactSizeIterator<Item = f32> {
    let count = thinned(DRAWN_SAMPLES / 2, place.width);
    let offset = (DRAWN_SAMPLES - count) / 2;
    channel[offset..offset + count].iter().map(|sample| 0.25 * sample)
}

/// Returns the displacement of each point of a line by the spectrum, on a logarithmic scale. Each point covers
/// two bins.
pub(super) fn spectrum(sound: &Sound) -> impl ExactSizeIterator<Item = f32> {
    sound.spectrum.chunks_exact(2).map(|pair| 0.1 * ((pair[0] + pair[1]) / 128.0).max(1e-6).ln())
}

/// Fills `points` with a line at an angle of `wave_mystery` quarter turns, displaced at each point, and
/// shifted sideways by `offset`.
pub(super) fn across(
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

/// Clips a line to ±1.1 in clip space, slightly outside the screen.
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
