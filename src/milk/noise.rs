//! The six built-in noise textures of MilkDrop.
//!
//! Low-quality textures are white noise; the others are interpolated with cubic curves.

use lactea_abi::NoiseTex;

use crate::units::Rng;

/// Fixed seed, so that presets look the same in every run.
const SEED: u64 = 0x0a1b_2c3d;

/// Returns the side length of a noise texture and the distance between its random values, both in pixels.
fn dimensions(which: NoiseTex) -> (usize, usize) {
    match which {
        NoiseTex::Lq => (256, 1),
        NoiseTex::LqLite => (32, 1),
        NoiseTex::Mq => (256, 4),
        NoiseTex::Hq => (256, 8),
        NoiseTex::VolLq => (32, 1),
        NoiseTex::VolHq => (32, 4),
    }
}

/// Returns true for the two 3D textures.
pub fn is_volume(which: NoiseTex) -> bool {
    matches!(which, NoiseTex::VolLq | NoiseTex::VolHq)
}

/// Returns the RGBA bytes of a noise texture and its side length in pixels.
///
/// The random values of the interpolated textures range from 108 to 323, modulo 256, and only the first two
/// slices of `VolHq` are interpolated, because presets are tuned to these quirks.
pub fn generate(which: NoiseTex) -> (Vec<u8>, usize) {
    let (side, zoom) = dimensions(which);
    let depth = if is_volume(which) { side } else { 1 };
    let mut rng = Rng::new(SEED).fork(which.index() as u64);
    let span = if zoom > 1 { 216.0 } else { 256.0 };
    let mut random = || (((rng.unit_f32() * span) as u32 + span as u32 / 2) % 256) as f32;
    let mut values: Vec<[f32; 4]> =
        (0..side * side * depth).map(|_| std::array::from_fn(|_| random())).collect();
    if zoom > 1 {
        let smooth_slices = depth.min(2);
        let first = &mut values[..side * side * smooth_slices];
        smooth(first, side, zoom, 1);
        smooth(first, side, zoom, side);
    }
    (values.into_iter().flatten().map(|value| value.clamp(0.0, 255.0) as u8).collect(), side)
}

/// Interpolates between every `zoom`-th value along one axis, wrapping around.
fn smooth(values: &mut [[f32; 4]], side: usize, zoom: usize, stride: usize) {
    for start in (0..values.len()).filter(|at| (at / stride).is_multiple_of(side)) {
        let line: Vec<[f32; 4]> = (0..side).map(|i| values[start + i * stride]).collect();
        for i in (0..side).filter(|i| !i.is_multiple_of(zoom)) {
            let knot = |offset: isize| {
                let base = (i / zoom * zoom) as isize + offset * zoom as isize;
                line[base.rem_euclid(side as isize) as usize]
            };
            let t = (i % zoom) as f32 / zoom as f32;
            let (a, b, c, d) = (knot(-1), knot(0), knot(1), knot(2));
            values[start + i * stride] = std::array::from_fn(|k| cubic(a[k], b[k], c[k], d[k], t));
        }
    }
}

/// Interpolates between `b` (`t` = 0) and `c` (`t` = 1), with neighbours `a` and `d`.
fn cubic(a: f32, b: f32, c: f32, d: f32, t: f32) -> f32 {
    let p = (d - c) - (a - b);
    ((p * t + (a - b) - p) * t + (c - a)) * t + b
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smooth_noise_has_smaller_differences_between_pixels() {
        let roughness = |which| {
            let (bytes, side) = generate(which);
            let row = &bytes[..side * 4];
            row.windows(5).step_by(4).map(|w| f32::from(w[0].abs_diff(w[4]))).sum::<f32>() / side as f32
        };
        let (rough, smooth) = (roughness(NoiseTex::Lq), roughness(NoiseTex::Hq));
        assert!(smooth < rough / 3.0, "hq {smooth}, lq {rough}");
    }
}
