//! Wave modes 9 to 15 of MilkDrop 3. The figures match those of MilkDrop 3 in kind and size, but not point for
//! point.

use std::f32::consts::{FRAC_PI_4, TAU};

use super::input::{DRAWN_SAMPLES, Placement, Sound};
use super::lines::{across, displacement, thinned};

/// Number of points in a closed figure.
const POINTS: usize = DRAWN_SAMPLES / 2;
/// Index of the first sample of a closed figure.
const FIRST: usize = (DRAWN_SAMPLES - POINTS) / 2;
/// Distance of each upright line from the centre, in clip space.
const UPRIGHT: f32 = 0.45;
/// Number of bumps of the star and of petals of the flower.
const BUMPS: f32 = 5.0;

/// Fills `points` with run `number` of the mode; returns false if the mode has fewer runs.
pub(super) fn fill_run(
    mode: u32,
    number: u32,
    sound: &Sound,
    place: &Placement,
    points: &mut Vec<[f32; 2]>,
) -> bool {
    match (mode, number) {
        (9, 0) => across(place, displacement(&sound.left, place).map(|out| out * 2.0), 0.0, points),
        (10, 0) => across(&place.turned(-FRAC_PI_4), displacement(&sound.left, place), 0.0, points),
        (10, 1) => across(&place.turned(FRAC_PI_4), displacement(&sound.right, place), 0.0, points),
        (11, 0) => upright(place, &sound.left, -UPRIGHT, points),
        (11, 1) => upright(place, &sound.right, UPRIGHT, points),
        (12, 0) => skewed(sound, place, points),
        (13, 0) => star(sound, place, points),
        (14, 0) => flower(sound, place, points),
        (15, 0) => lasso(sound, place, points),
        _ => return false,
    }
    true
}

/// Adds a vertical line, offset horizontally by `beside` from the centre and displaced by `channel`.
fn upright(place: &Placement, channel: &[f32], beside: f32, points: &mut Vec<[f32; 2]>) {
    let count = thinned(POINTS, place.width);
    let offset = (DRAWN_SAMPLES - count) / 2;
    points.extend((0..count).map(|i| {
        let along = i as f32 / (count - 1) as f32 * 2.2 - 1.1;
        [place.at[0] + beside + 0.45 * channel[i + offset], -along]
    }));
}

/// Adds a spiral whose angle follows the left channel, larger and narrower than that of mode 1.
fn skewed(sound: &Sound, place: &Placement, points: &mut Vec<[f32; 2]>) {
    points.extend((0..POINTS).map(|i| {
        let rad = 0.63 + 0.23 * sound.right[i] + place.mystery;
        place.polar(rad, sound.left[i + 32] * 0.9 + place.time * 3.3)
    }));
}

/// Adds a rotating circle with five bumps.
fn star(sound: &Sound, place: &Placement, points: &mut Vec<[f32; 2]>) {
    points.extend((0..POINTS).map(|i| {
        let turn = i as f32 / POINTS as f32 * TAU;
        let rad = 0.6 + 0.1 * (turn * BUMPS).cos() + 0.4 * closed(&sound.right, i) + place.mystery;
        place.polar(rad, turn + place.time * 0.2)
    }));
}

/// Adds five petals whose angle follows the left channel.
fn flower(sound: &Sound, place: &Placement, points: &mut Vec<[f32; 2]>) {
    points.extend((0..POINTS).map(|i| {
        let turn = i as f32 / POINTS as f32 * TAU;
        let rad = (0.5 + 0.4 * closed(&sound.right, i) + place.mystery) * (turn * BUMPS).cos();
        place.polar(rad, turn + closed(&sound.left, i) * 1.57 + place.time * 0.3)
    }));
}

/// Adds a loop that wanders around the centre, at the end of a straight rope.
fn lasso(sound: &Sound, place: &Placement, points: &mut Vec<[f32; 2]>) {
    let (sin, cos) = (place.time * 0.5).sin_cos();
    let middle = [place.at[0] + cos * 0.3, place.at[1] + sin * 0.3];
    let rope = POINTS / 4;
    points.extend((0..POINTS).map(|i| {
        let turn = (i.max(rope) - rope) as f32 / (POINTS - rope) as f32 * TAU;
        let rad = 0.35 + 0.3 * sound.left[i + FIRST];
        // The rope ends where the loop starts.
        let along = (i as f32 / rope as f32).min(1.0);
        let [aspect_x, aspect_y] = place.aspect;
        let on_loop =
            [turn.cos() * rad * aspect_y, (turn.sin() * rad + 0.2 * sound.right[i + FIRST]) * aspect_x];
        [middle[0] + on_loop[0] + (1.0 - along) * cos, middle[1] + on_loop[1] + (1.0 - along) * sin]
    }));
}

/// Returns a sample of a closed figure. The first tenth is blended with the samples after the last one, which
/// closes the figure.
fn closed(channel: &[f32], i: usize) -> f32 {
    let blend = (i as f32 / (POINTS as f32 * 0.1)).min(1.0);
    let blend = 0.5 - 0.5 * (blend * std::f32::consts::PI).cos();
    let after = channel.get(i + FIRST + POINTS).copied().unwrap_or(0.0);
    after * (1.0 - blend) + channel[i + FIRST] * blend
}

impl Placement {
    /// Returns the placement with the angle of a line rotated by `angle`, in radians.
    fn turned(&self, angle: f32) -> Self {
        Self { mystery: self.mystery + angle / 1.57, ..*self }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::preset_audio::{SPECTRUM_BINS, WAVE_SAMPLES};
    use super::*;

    fn figure(mode: u32) -> Vec<Vec<[f32; 2]>> {
        let wave = |hz: f32| std::array::from_fn::<f32, WAVE_SAMPLES, _>(|i| (i as f32 * hz).sin() * 0.5);
        let sound = Sound { left: wave(0.06), right: wave(0.09), spectrum: [0.0; SPECTRUM_BINS] };
        let place = Placement { at: [0.1, 0.2], mystery: 0.0, aspect: [1.0, 0.75], time: 1.0, width: 640.0 };
        let mut runs = Vec::new();
        for number in 0..3 {
            let mut points = Vec::new();
            if fill_run(mode, number, &sound, &place, &mut points) {
                runs.push(points);
            }
        }
        runs
    }

    #[test]
    fn each_mode_draws_a_distinct_figure_inside_the_picture() {
        let figures: Vec<_> = (9..16).map(figure).collect();
        for (mode, runs) in (9..).zip(&figures) {
            let inside = |point: &&[f32; 2]| point.iter().all(|axis| axis.abs() < 1.0);
            let seen = runs.iter().flatten().filter(inside).count();
            assert!(seen * 2 > runs.iter().flatten().count(), "mode {mode}: only {seen} points are visible");
            assert!(figures.iter().filter(|other| *other == runs).count() == 1, "mode {mode}");
        }
        assert_eq!(figures.iter().map(Vec::len).collect::<Vec<_>>(), [1, 2, 2, 1, 1, 1, 1]);
    }

    #[test]
    fn closed_figures_have_no_gap() {
        for mode in [13, 14] {
            let points = &figure(mode)[0];
            let [first, last] = [points[0], points[points.len() - 1]];
            let gap = (first[0] - last[0]).hypot(first[1] - last[1]);
            assert!(gap < 0.1, "mode {mode}: {gap}");
        }
    }
}
