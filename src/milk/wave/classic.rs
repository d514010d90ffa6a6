//! Wave modes 0 to 8, of MilkDrop 1 and 2.

use super::input::{DRAWN_SAMPLES, Placement, Sound};
use super::lines::{across, displacement, spectrum, thinned};

/// Fills `points` with run `number` of the mode; returns false if the mode has fewer runs.
pub(super) fn fill_run(
    mode: u32,
    number: u32,
    sound: &Sound,
    place: &Placement,
    points: &mut Vec<[f32; 2]>,
) -> bool {
    // Half the distance between the two runs of mode 7.
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
            // The first tenth is blended with the samples after the last one, which closes the circle.
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
