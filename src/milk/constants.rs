//! Fills the uniforms of warp and composite shaders, and the parameters of the built-in passes.
//!
//! Layout: `lactea_abi::MilkUniforms`. Semantics: MilkDrop's preset authoring guide.

use lactea_abi::{MilkUniforms, NUM_Q, NUM_ROT};
use lactea_preset::BaseValues;

use super::added::{self, ShaderSound};
use super::engine::Context;
use super::names::frame;
use super::{BlurRange, Frame, LegacyComposite};
use crate::hlsl::ExtraUniforms;
use crate::units::Rng;

/// `rand_preset` in projectM for seed 1, reconstructed from its pictures.
const SEED_1_PRESET: [f32; 4] = [5_441.0 / 7_380.0, 6_054.0 / 7_380.0, 2_174.0 / 7_380.0, 3_899.0 / 7_380.0];
/// Phases of the corner hues in projectM for seed 1 with a composite shader; the first number is unused.
const SEED_1_SHADER_HUE: [f32; 4] = [0.0, 4.762_2, 2.701_2, 0.567_7];
/// Phases of the corner hues in projectM for seed 1 with the built-in composite; the first number is unused.
const SEED_1_HUE: [f32; 4] = [0.0, 0.644_5, 3.576_2, 1.696_8];

/// Number of rotation matrices that rotate over time; the other four are random in every frame.
const ANIMATED_ROTATIONS: usize = 20;

/// Random values that shaders read. The per-preset ones are drawn once, from the seed.
pub(super) struct ShaderRandoms {
    rng: Rng,
    rand_preset: [f32; 4],
    hue_start: [f32; 4],
    rotations: [Rotation; ANIMATED_ROTATIONS],
}

/// A rotation about three axes, without translation: projectM passes none to shaders.
#[derive(Clone, Copy, Default)]
struct Rotation {
    /// Angle at time 0 for each axis, in radians.
    start: [f32; 3],
    /// Angular speed about each axis, in radians per second.
    speed: [f32; 3],
}

impl ShaderRandoms {
    /// Draws the values for a preset with or without a composite shader. For seed 1, uses those of projectM
    /// where they are known.
    pub fn new(seed: u64, composite_shader: bool) -> Self {
        let mut rng = Rng::new(seed);
        let drawn = std::array::from_fn(|_| rng.unit_f32());
        let hues = std::array::from_fn(|_| rng.unit_f32() * 64.8);
        let (rand_preset, hue_start) = match (seed, composite_shader) {
            (1, true) => (SEED_1_PRESET, SEED_1_SHADER_HUE),
            (1, false) => (SEED_1_PRESET, SEED_1_HUE),
            _ => (drawn, hues),
        };
        let rotations = std::array::from_fn(|k| {
            // Five groups of four (`rot_s`, `rot_d`, `rot_f`, `rot_vf`, `rot_uf`); the maximum speed rises with `k`.
            let fastest = 0.9 * (k as f32 / 8.0).powf(3.2);
            Rotation {
                start: std::array::from_fn(|_| rng.unit_f32() * 6.28),
                speed: std::array::from_fn(|_| (rng.unit_f32() * 2.0 - 1.0) * fastest),
            }
        });
        Self { rng, rand_preset, hue_start, rotations }
    }

    /// Returns a random rotation that does not change over time.
    fn random_rotation(&mut self) -> Rotation {
        let rng = &mut self.rng;
        Rotation { start: std::array::from_fn(|_| rng.unit_f32() * 6.28), speed: [0.0; 3] }
    }
}

/// Fills the uniforms and pass parameters of `out`.
pub(super) fn fill(
    randoms: &mut ShaderRandoms,
    sound: &ShaderSound,
    base: &BaseValues,
    vars: &[f64],
    context: &Context,
    out: &mut Frame,
) {
    let at = |slot: usize| vars[slot] as f32;
    out.blur = blur_range(vars);
    out.texture_wrap = at(frame::wrap) > 0.0001;
    out.hue = hue_corners(context.tick.time as f32, &randoms.hue_start);
    out.legacy = LegacyComposite {
        gamma: at(frame::gamma).max(0.0).min(8.0),
        echo_alpha: at(frame::echo_alpha).max(0.0).min(1.0),
        echo_zoom: finite(vars[frame::echo_zoom]),
        echo_orientation: (vars[frame::echo_orient] as i64).rem_euclid(4) as u32,
        brighten: vars[frame::brighten] != 0.0,
        darken: vars[frame::darken] != 0.0,
        solarize: vars[frame::solarize] != 0.0,
        invert: vars[frame::invert] != 0.0,
        hue_amount: base.shader.max(0.0).min(1.0),
    };
    let mut rot = [[[0.0; 4]; 3]; NUM_ROT];
    for (k, matrix) in rot.iter_mut().enumerate() {
        let rotation = if k < ANIMATED_ROTATIONS { randoms.rotations[k] } else { randoms.random_rotation() };
        *matrix = rotation.matrix(context.tick.time as f32);
    }
    let q = |index: usize| finite(context.q[index]);
    out.uniforms = MilkUniforms {
        rand_frame: std::array::from_fn(|_| randoms.rng.unit_f32()),
        rand_preset: randoms.rand_preset,
        c: registers(context, &out.blur),
        q: std::array::from_fn(|four| std::array::from_fn(|i| q(four * 4 + i))),
        rot,
        texsize_noise: [256.0, 32.0, 256.0, 256.0, 32.0, 32.0]
            .map(|side| [side, side, 1.0 / side, 1.0 / side]),
    };
    let [hour, minute, second, _, total] = added::time_of_day(context.tick.time).map(|part| part as f32);
    out.extra = ExtraUniforms {
        q_hi: std::array::from_fn(|four| std::array::from_fn(|i| q(NUM_Q + four * 4 + i))),
        smooth: sound.levels,
        clock: [hour, minute, second, total],
        spectrum: bytemuck::cast(sound.spectrum),
        peaks: bytemuck::cast(sound.peaks),
        left: added::waveform(&context.audio.wave[0]),
        right: added::waveform(&context.audio.wave[1]),
        ..ExtraUniforms::default()
    };
}

/// Clamps a value to a finite `f32`; NaN becomes 0. Translated shaders do not guard products of uniforms, so
/// every uniform must be finite.
fn finite(value: f64) -> f32 {
    if value.is_nan() { 0.0 } else { (value as f32).clamp(f32::MIN, f32::MAX) }
}

/// Returns the registers `_c0` to `_c13`.
fn registers(context: &Context, blur: &BlurRange) -> [[f32; 4]; 14] {
    let [ax, ay] = context.aspect;
    let [width, height] = context.tick.size.map(|side| side.max(1) as f32);
    // Shaders read time as `f32`; wrapping keeps motion smooth after hours.
    let time = context.tick.time.rem_euclid(10_000.0) as f32;
    let roam = |speeds: [f32; 4], phases: [f32; 4], wave: fn(f32) -> f32| {
        std::array::from_fn(|i| 0.5 + 0.5 * wave(time * speeds[i] + phases[i]))
    };
    const FAST: ([f32; 4], [f32; 4]) = ([0.329, 1.293, 5.070, 20.051], [1.2, 3.9, 2.5, 5.4]);
    const SLOW: ([f32; 4], [f32; 4]) = ([0.0050, 0.0085, 0.0133, 0.0217], [2.7, 5.3, 4.5, 3.8]);
    let [bass, mid, treb] = context.audio.bands;
    let [bass_att, mid_att, treb_att] = context.audio.bands_att;
    let progress = context.read_only[3] as f32;
    let span = |level: usize| blur.max[level] - blur.min[level];
    let (mip_x, mip_y) = (width.log2(), height.log2());
    [
        [ax, ay, 1.0 / ax, 1.0 / ay],
        [0.0; 4],
        [time, context.tick.fps as f32, context.tick.frame as f32, progress],
        [bass, mid, treb, (bass + mid + treb) / 3.0],
        [bass_att, mid_att, treb_att, (bass_att + mid_att + treb_att) / 3.0],
        [span(0), blur.min[0], span(1), blur.min[1]],
        [span(2), blur.min[2], blur.min[0], blur.max[0]],
        [width, height, 1.0 / width, 1.0 / height],
        roam(FAST.0, FAST.1, f32::cos),
        roam(FAST.0, FAST.1, f32::sin),
        roam(SLOW.0, SLOW.1, f32::cos),
        roam(SLOW.0, SLOW.1, f32::sin),
        [mip_x, mip_y, 0.5 * (mip_x + mip_y), 0.0],
        [blur.min[1], blur.max[1], blur.min[2], blur.max[2]],
    ]
}

/// Returns the preset's blur ranges: each level is clipped to the one before, then widened to a span of at
/// least 0.1.
fn blur_range(vars: &[f64]) -> BlurRange {
    let at = |slot: usize| vars[slot] as f32;
    let mut min = [frame::blur1_min, frame::blur2_min, frame::blur3_min].map(at);
    let mut max = [frame::blur1_max, frame::blur2_max, frame::blur3_max].map(at);
    const MIN_SPAN: f32 = 0.1;
    for level in 0..3 {
        if level > 0 {
            max[level] = max[level].min(max[level - 1]);
            min[level] = min[level].max(min[level - 1]);
        }
        if max[level] - min[level] < MIN_SPAN {
            let middle = (min[level] + max[level]) * 0.5;
            min[level] = middle - MIN_SPAN * 0.5;
            max[level] = middle + MIN_SPAN * 0.5;
        }
    }
    BlurRange { min, max, edge_darken: at(frame::blur1_edge_darken) }
}

/// Returns the slowly drifting hues of the four screen corners, as RGBA.
fn hue_corners(time: f32, start: &[f32; 4]) -> [[f32; 4]; 4] {
    std::array::from_fn(|corner| {
        let i = corner as f32;
        let mut hue = [
            0.6 + 0.3 * (time * 30.0 * 0.0143 + 3.0 + i * 21.0 + start[3]).sin(),
            0.6 + 0.3 * (time * 30.0 * 0.0107 + 1.0 + i * 13.0 + start[1]).sin(),
            0.6 + 0.3 * (time * 30.0 * 0.0129 + 6.0 + i * 9.0 + start[2]).sin(),
        ];
        let brightest = hue.iter().fold(0.01_f32, |a, &b| a.max(b));
        hue = hue.map(|c| 0.5 + 0.5 * c / brightest);
        [hue[0], hue[1], hue[2], 1.0]
    })
}

impl Rotation {
    /// Returns the rotation matrix at `time` seconds as three columns of four rows; `v * matrix` rotates the row vector
    /// `v = (x, y, z, 1)`.
    fn matrix(&self, time: f32) -> [[f32; 4]; 3] {
        let angle = |axis: usize| (self.start[axis] + self.speed[axis] * time).sin_cos();
        let ((sx, cx), (sy, cy), (sz, cz)) = (angle(0), angle(1), angle(2));
        // Row vectors: about x first, then z, then y.
        let about_x = [[1.0, 0.0, 0.0], [0.0, cx, sx], [0.0, -sx, cx]];
        let about_z = [[cz, sz, 0.0], [-sz, cz, 0.0], [0.0, 0.0, 1.0]];
        let about_y = [[cy, 0.0, -sy], [0.0, 1.0, 0.0], [sy, 0.0, cy]];
        let tail = product(&about_z, &about_y);
        let rows = product(&about_x, &tail);
        std::array::from_fn(|column| [rows[0][column], rows[1][column], rows[2][column], 0.0])
    }
}

fn product(a: &[[f32; 3]; 3], b: &[[f32; 3]; 3]) -> [[f32; 3]; 3] {
    std::array::from_fn(|r| std::array::from_fn(|c| (0..3).map(|k| a[r][k] * b[k][c]).sum()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rotations_preserve_length() {
        let mut randoms = ShaderRandoms::new(3, true);
        let rotation = randoms.random_rotation();
        let matrix = rotation.matrix(1.7);
        let v = [0.3, -0.4, 0.8_f32];
        let rotated: Vec<f32> =
            matrix.iter().map(|col| v.iter().zip(col).map(|(a, b)| a * b).sum()).collect();
        let length = |v: &[f32]| v.iter().map(|c| c * c).sum::<f32>().sqrt();
        assert!((length(&v) - length(&rotated)).abs() < 1e-5, "{rotated:?}");
    }

    #[test]
    fn hues_depend_on_the_composite_shader_only_for_seed_1() {
        let hues = |seed| [false, true].map(|shader| ShaderRandoms::new(seed, shader).hue_start);
        assert_eq!(hues(1), [SEED_1_HUE, SEED_1_SHADER_HUE]);
        let [built_in, shader] = hues(2);
        assert_eq!(built_in, shader);
    }

    #[test]
    fn shaders_get_finite_values() {
        let values = [f64::NAN, f64::INFINITY, -1e300, 2.5].map(finite);
        assert_eq!(values, [0.0, f32::MAX, f32::MIN, 2.5]);
    }

    #[test]
    fn blur_ranges_nest_and_are_never_empty() {
        let mut vars = vec![0.0; 256];
        (vars[frame::blur1_min], vars[frame::blur1_max]) = (0.5, 0.5);
        (vars[frame::blur2_min], vars[frame::blur2_max]) = (0.0, 9.0);
        let range = blur_range(&vars);
        for level in 0..3 {
            assert!(range.max[level] - range.min[level] >= 0.0999, "level {level}: {range:?}");
        }
        assert!(range.max[1] <= range.max[0] && range.min[1] >= range.min[0]);
    }
}
