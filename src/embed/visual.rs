//! Looks: numeric descriptors of a preset's frames. See [`super::looks`] for their normalisation over a library.
//!
//! Eight parts, each of unit length and averaged over the frames: position and orientation of edges (histograms of
//! oriented gradients, Dalal and Triggs, 2005, in 3 x 3 cells), power by scale and coarse layout (both from a
//! two-dimensional cosine transform), colours, edge strength, texture (local binary patterns, Ojala et al., 2002),
//! motion by cell, and symmetry.

use std::f32::consts::PI;
use std::path::PathBuf;
use std::sync::LazyLock;

use image::RgbImage;
use image::imageops::{FilterType, resize};
use ndarray::{Array2, s};

use super::text::unit_length;
use crate::disk;

/// Side length of the square that frames are resized to, in pixels.
const SIDE: usize = 64;
/// Number of cells per axis for edges and motion.
const CELLS: usize = 3;
/// Number of edge orientations.
const ORIENTATIONS: usize = 8;
/// Number of rings of the power spectrum.
const RINGS: usize = 12;
/// Number of cosine coefficients per axis in the layout descriptor.
const WAVES: usize = 8;
/// Number of hue bins of the colour histogram.
const HUES: usize = 16;
const BRIGHTNESSES: usize = 4;
const SATURATIONS: usize = 3;
/// Upper bounds of the edge strength bins; the last bin has none.
const STRENGTH_ENDS: [f32; 7] = [0.004, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32];
/// Number of binary patterns that eight neighbours can form.
const PATTERNS: usize = 256;

/// Number of dimensions of each part.
pub(super) const PARTS: [usize; 8] = [
    CELLS * CELLS * ORIENTATIONS,
    RINGS,
    WAVES * WAVES - 1,
    HUES * BRIGHTNESSES * SATURATIONS,
    STRENGTH_ENDS.len() + 1,
    PATTERNS,
    CELLS * CELLS,
    4,
];

/// Returns the look of `frames`, or `None` if none is readable. Missing or broken frames are skipped.
pub(super) fn look_of(frames: &[PathBuf]) -> Option<Vec<f32>> {
    let opened = frames.iter().filter_map(|path| match disk::picture(path) {
        Ok(picture) => Some(picture.to_rgb8()),
        Err(error) => {
            log::warn!("skipping a frame: {error} ({})", path.display());
            None
        }
    });
    let opened: Vec<RgbImage> = opened.collect();
    (!opened.is_empty()).then(|| describe(&opened))
}

/// Returns the look of `frames`, which are in chronological order.
fn describe(frames: &[RgbImage]) -> Vec<f32> {
    let small: Vec<RgbImage> =
        frames.iter().map(|frame| resize(frame, SIDE as u32, SIDE as u32, FilterType::Triangle)).collect();
    let lights: Vec<Array2<f32>> = small.iter().map(luma).collect();
    let mut sum = vec![0.0; PARTS.iter().sum()];
    for (at, (picture, light)) in small.iter().zip(&lights).enumerate() {
        let cosines = cosine_transform(light);
        let before = at.checked_sub(1).map(|before| &lights[before]);
        let parts = [
            edges(light),
            rings(&cosines),
            layout(&cosines),
            colours(picture),
            strengths(light),
            patterns(light),
            motion(light, before),
            symmetry(light),
        ];
        let mut from = 0;
        for mut part in parts {
            unit_length(&mut part, 1.0 / small.len() as f32);
            sum[from..from + part.len()].iter_mut().zip(&part).for_each(|(sum, value)| *sum += value);
            from += part.len();
        }
    }
    sum
}

/// Returns the Rec. 709 luma of each pixel's display values, 0 to 1; the first row is the top one.
fn luma(picture: &RgbImage) -> Array2<f32> {
    Array2::from_shape_fn((SIDE, SIDE), |(y, x)| {
        let [r, g, b] = picture.get_pixel(x as u32, y as u32).0.map(f32::from);
        (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255.0
    })
}

fn cell(at: usize) -> usize {
    (at * CELLS / SIDE).min(CELLS - 1)
}

/// Returns a histogram of oriented gradients by cell, as square roots so that strong edges do not dominate.
fn edges(light: &Array2<f32>) -> Vec<f32> {
    let mut found = vec![0.0_f32; CELLS * CELLS * ORIENTATIONS];
    for y in 1..SIDE - 1 {
        for x in 1..SIDE - 1 {
            let dx = light[[y, x + 1]] - light[[y, x - 1]];
            let dy = light[[y + 1, x]] - light[[y - 1, x]];
            // Orientation modulo half a turn, split linearly between the two nearest bins.
            let bin_position = dy.atan2(dx).rem_euclid(PI) / PI * ORIENTATIONS as f32;
            let share = bin_position.fract();
            let bin = (cell(y) * CELLS + cell(x)) * ORIENTATIONS;
            let strength = dx.hypot(dy);
            found[bin + bin_position as usize % ORIENTATIONS] += strength * (1.0 - share);
            found[bin + (bin_position as usize + 1) % ORIENTATIONS] += strength * share;
        }
    }
    found.into_iter().map(f32::sqrt).collect()
}

static COSINES: LazyLock<Array2<f32>> = LazyLock::new(|| {
    Array2::from_shape_fn((SIDE, SIDE), |(wave, at)| {
        (PI * wave as f32 * (at as f32 + 0.5) / SIDE as f32).cos()
            * if wave == 0 { 0.5_f32.sqrt() } else { 1.0 }
    }) * (2.0 / SIDE as f32).sqrt()
});

fn cosine_transform(light: &Array2<f32>) -> Array2<f32> {
    COSINES.dot(light).dot(&COSINES.t())
}

/// Returns the relative power by scale: log of the mean power in rings whose radii have a constant ratio,
/// minus the mean over the rings.
fn rings(cosines: &Array2<f32>) -> Vec<f32> {
    let (mut power, mut count) = ([0.0_f32; RINGS], [0.0_f32; RINGS]);
    for ((y, x), value) in cosines.indexed_iter().filter(|(at, _)| *at != (0, 0)) {
        let scale = (x as f32).hypot(y as f32).ln() / (SIDE as f32 * 1.42).ln();
        let ring = ((scale * RINGS as f32) as usize).min(RINGS - 1);
        power[ring] += value * value;
        count[ring] += 1.0;
    }
    let strength = |ring: usize| (power[ring] / count[ring].max(1.0) + 1e-6).ln();
    let mean = (0..RINGS).map(strength).sum::<f32>() / RINGS as f32;
    (0..RINGS).map(|ring| strength(ring) - mean).collect()
}

/// Returns the lowest cosine coefficients except the mean, as signed square roots.
fn layout(cosines: &Array2<f32>) -> Vec<f32> {
    cosines
        .slice(s![..WAVES, ..WAVES])
        .iter()
        .skip(1)
        .map(|value| value.signum() * value.abs().sqrt())
        .collect()
}

/// Returns a colour histogram over hue, brightness and saturation, as square roots.
fn colours(picture: &RgbImage) -> Vec<f32> {
    let mut found = vec![0.0_f32; HUES * BRIGHTNESSES * SATURATIONS];
    let step = |share: f32, steps: usize| ((share * steps as f32) as usize).min(steps - 1);
    for pixel in picture.pixels() {
        let [r, g, b] = pixel.0.map(|channel| f32::from(channel) / 255.0);
        let (most, least) = (r.max(g).max(b), r.min(g).min(b));
        let chroma = most - least;
        let sixth = if chroma == 0.0 {
            0.0
        } else if most == r {
            ((g - b) / chroma).rem_euclid(6.0)
        } else if most == g {
            (b - r) / chroma + 2.0
        } else {
            (r - g) / chroma + 4.0
        };
        let strength = if most > 0.0 { chroma / most } else { 0.0 };
        let hue = step(sixth / 6.0, HUES);
        found[(hue * BRIGHTNESSES + step(most, BRIGHTNESSES)) * SATURATIONS + step(strength, SATURATIONS)] +=
            1.0;
    }
    found.into_iter().map(f32::sqrt).collect()
}

/// Returns a histogram of edge strengths, as square roots.
fn strengths(light: &Array2<f32>) -> Vec<f32> {
    let mut found = vec![0.0_f32; STRENGTH_ENDS.len() + 1];
    for y in 0..SIDE - 1 {
        for x in 0..SIDE - 1 {
            let strength = (light[[y, x + 1]] - light[[y, x]]).hypot(light[[y + 1, x]] - light[[y, x]]);
            found[STRENGTH_ENDS.iter().filter(|end| **end <= strength).count()] += 1.0;
        }
    }
    found.into_iter().map(f32::sqrt).collect()
}

/// Returns a histogram of local binary patterns (which of the eight neighbours are brighter), as square roots.
fn patterns(light: &Array2<f32>) -> Vec<f32> {
    const AROUND: [(usize, usize); 8] = [(0, 1), (1, 2), (2, 1), (1, 0), (0, 0), (0, 2), (2, 2), (2, 0)];
    // Differences below 1% of full brightness are not visible.
    const MARGIN: f32 = 0.01;
    let mut found = vec![0.0_f32; PATTERNS];
    for y in 1..SIDE - 1 {
        for x in 1..SIDE - 1 {
            let own = light[[y, x]] + MARGIN;
            let brighter = AROUND.iter().map(|(dy, dx)| light[[y + dy - 1, x + dx - 1]] > own);
            let pattern =
                brighter.enumerate().map(|(bit, brighter)| usize::from(brighter) << bit).sum::<usize>();
            found[pattern] += 1.0;
        }
    }
    found.into_iter().map(f32::sqrt).collect()
}

/// Returns the change in brightness since the previous frame by cell, as square roots; zeros for the first
/// frame.
fn motion(light: &Array2<f32>, before: Option<&Array2<f32>>) -> Vec<f32> {
    let mut found = vec![0.0_f32; CELLS * CELLS];
    if let Some(before) = before {
        for ((y, x), value) in light.indexed_iter() {
            found[cell(y) * CELLS + cell(x)] += (value - before[[y, x]]).abs();
        }
    }
    found.into_iter().map(f32::sqrt).collect()
}

/// Returns the correlations of the picture with its copies flipped horizontally, vertically and both ways,
/// and transposed.
fn symmetry(light: &Array2<f32>) -> Vec<f32> {
    let mean = light.mean().unwrap_or(0.0);
    let flat = light - mean;
    let own = flat.iter().map(|v| v * v).sum::<f32>().max(1e-6);
    let correlation = |other: ndarray::ArrayView2<f32>| (&flat * &other).sum() / own;
    vec![
        correlation(flat.slice(s![.., ..;-1])),
        correlation(flat.slice(s![..;-1, ..])),
        correlation(flat.slice(s![..;-1, ..;-1])),
        correlation(flat.t()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(shade: impl Fn(f32, f32) -> [f32; 3]) -> RgbImage {
        RgbImage::from_fn(96, 96, |x, y| {
            image::Rgb(shade((x as f32 + 0.5) / 96.0, (y as f32 + 0.5) / 96.0).map(|v| (v * 255.0) as u8))
        })
    }

    fn stripes(across: bool, phase: f32) -> RgbImage {
        picture(|x, y| [0.5 + 0.5 * (40.0 * if across { x } else { y } + phase).sin(), 0.3, 0.1])
    }

    fn similarity(a: &[f32], b: &[f32]) -> f32 {
        a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>()
    }

    #[test]
    fn shifted_stripes_are_more_similar_than_rotated_ones() {
        let look = |across, phase| describe(&[stripes(across, phase), stripes(across, phase + 0.5)]);
        let (one, moved, turned) = (look(true, 0.0), look(true, 1.5), look(false, 0.0));
        assert!(similarity(&one, &moved) > similarity(&one, &turned) + 0.5);
    }

    #[test]
    fn symmetry_is_detected() {
        let ring = luma(&resize(
            &picture(|x, y| [((x - 0.5).hypot(y - 0.5) * 30.0).sin().abs(); 3]),
            64,
            64,
            FilterType::Triangle,
        ));
        assert!(symmetry(&ring).iter().all(|value| *value > 0.9), "{:?}", symmetry(&ring));
        let slope = luma(&resize(&picture(|x, _| [x; 3]), 64, 64, FilterType::Triangle));
        assert!(symmetry(&slope)[0] < -0.9 && symmetry(&slope)[1] > 0.9);
    }

    #[test]
    fn black_missing_and_broken_frames_are_handled() {
        assert!(describe(&[picture(|_, _| [0.0; 3])]).iter().all(|v| v.is_finite()));
        let folder = tempfile::tempdir().expect("a folder");
        let broken = folder.path().join("frame-000.webp");
        std::fs::write(&broken, b"RIFF").expect("written");
        let look = look_of(&[broken, folder.path().join("gone.webp")]);
        assert_eq!(look, None);
    }
}
