//! Names that MilkDrop declares in every preset shader: uniforms, inputs and textures.
//!
//! Sources: MilkDrop's preset authoring guide; for `ADDED`, the documentation of BeatDrop and Milkwave.

use lactea_abi::{Address, Filter, NoiseTex, TexDim, TexSource, TextureBinding};

/// The source of a built-in value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Builtin {
    /// Components of a vec4 in the uniform blocks: register, first component, number of components.
    Uniform(Register, u8, u8),
    /// A rotation matrix, by index from 0 to 23.
    Rotation(u32),
    /// A per-pixel input.
    Input(Input),
    Constant(f32),
}

/// A vec4 in the uniform blocks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Register {
    RandFrame,
    RandPreset,
    C(u32),
    Q(u32),
    QHigh(u32),
    Mouse,
    Smooth,
    Clock,
    Date,
    Vis,
    ColorShift,
    NoiseSize(u32),
}

/// A per-pixel input, which shaders may modify like a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Input {
    Uv,
    UvOrig,
    Radius,
    Angle,
    Hue,
}

/// Prefixes of the rotation matrices; each is followed by a number from 1 to 4.
const ROTATIONS: [&str; 6] = ["rot_s", "rot_d", "rot_f", "rot_vf", "rot_uf", "rot_rand"];

/// Names for components of `_c0` to `_c13`: name, register, first component, number of components.
const NAMED: [(&str, u32, u8, u8); 28] = [
    ("aspect", 0, 0, 4),
    ("aspect_sd", 0, 0, 4),
    ("time", 2, 0, 1),
    ("fps", 2, 1, 1),
    ("frame", 2, 2, 1),
    ("progress", 2, 3, 1),
    ("bass", 3, 0, 1),
    ("mid", 3, 1, 1),
    ("treb", 3, 2, 1),
    ("vol", 3, 3, 1),
    ("bass_att", 4, 0, 1),
    ("mid_att", 4, 1, 1),
    ("treb_att", 4, 2, 1),
    ("vol_att", 4, 3, 1),
    ("blur1_min", 6, 2, 1),
    ("blur1_max", 6, 3, 1),
    ("texsize", 7, 0, 4),
    ("roam_cos", 8, 0, 4),
    ("roam_sin", 9, 0, 4),
    ("slow_roam_cos", 10, 0, 4),
    ("slow_roam_sin", 11, 0, 4),
    ("mip_x", 12, 0, 1),
    ("mip_y", 12, 1, 1),
    ("mip_xy", 12, 0, 2),
    ("mip_avg", 12, 2, 1),
    ("blur2_min", 13, 0, 1),
    ("blur2_max", 13, 1, 1),
    ("blur3_min", 13, 2, 1),
];

/// Names that MilkDrop 3, BeatDrop and Milkwave added: name, register, first component, number of components.
const ADDED: [(&str, Register, u8, u8); 29] = [
    ("mouse", Register::Mouse, 0, 4),
    ("mouse_pos", Register::Mouse, 0, 2),
    ("mouse_x", Register::Mouse, 0, 1),
    ("mouse_y", Register::Mouse, 1, 1),
    ("mouse_z", Register::Mouse, 2, 1),
    ("mouse_clicked", Register::Mouse, 2, 1),
    ("mouse_w", Register::Mouse, 3, 1),
    ("mouse_released", Register::Mouse, 3, 1),
    ("bass_smooth", Register::Smooth, 0, 1),
    ("mid_smooth", Register::Smooth, 1, 1),
    ("treb_smooth", Register::Smooth, 2, 1),
    ("vol_smooth", Register::Smooth, 3, 1),
    ("sysTime", Register::Clock, 0, 4),
    ("sysTimeHour", Register::Clock, 0, 1),
    ("sysTimeMinute", Register::Clock, 1, 1),
    ("sysTimeSecond", Register::Clock, 2, 1),
    ("sysTimeTotalSeconds", Register::Clock, 3, 1),
    ("sysDate", Register::Date, 0, 4),
    ("sysDateYear", Register::Date, 0, 1),
    ("sysDateMonth", Register::Date, 1, 1),
    ("sysDateDay", Register::Date, 2, 1),
    ("sysDateWeekday", Register::Date, 3, 1),
    ("vis_intensity", Register::Vis, 0, 1),
    ("vis_shift", Register::Vis, 1, 1),
    ("vis_version", Register::Vis, 2, 1),
    ("colshift_hue", Register::ColorShift, 0, 1),
    ("colshift_saturation", Register::ColorShift, 1, 1),
    ("colshift_brightness", Register::ColorShift, 2, 1),
    ("_c14", Register::Mouse, 0, 4),
];

/// Where the scale and bias of blur levels 1 to 3 are stored: register and first component.
pub(super) const BLUR_RANGES: [(u32, u8); 3] = [(5, 0), (5, 2), (6, 0)];

/// Weights of red, green and blue in `lum`.
pub(super) const LUMINANCE: [f32; 3] = [0.32, 0.49, 0.29];

/// Returns the built-in called `name`, if there is one; the preset may shadow it.
pub(super) fn builtin(name: &str) -> Option<Builtin> {
    let whole = |register| Some(Builtin::Uniform(register, 0, 4));
    match name {
        "uv" | "_uv" => return Some(Builtin::Input(Input::Uv)),
        "uv_orig" => return Some(Builtin::Input(Input::UvOrig)),
        "rad" => return Some(Builtin::Input(Input::Radius)),
        "ang" => return Some(Builtin::Input(Input::Angle)),
        "hue_shader" | "_vDiffuse" => return Some(Builtin::Input(Input::Hue)),
        "rand_frame" => return whole(Register::RandFrame),
        "rand_preset" => return whole(Register::RandPreset),
        "blur3_max" => return Some(Builtin::Uniform(Register::C(13), 3, 1)),
        "M_PI" => return Some(Builtin::Constant(std::f32::consts::PI)),
        "M_PI_2" => return Some(Builtin::Constant(std::f32::consts::TAU)),
        "M_INV_PI_2" => return Some(Builtin::Constant(1.0 / std::f32::consts::TAU)),
        _ => {}
    }
    if let Some((_, register, first, count)) = NAMED.iter().find(|(own, ..)| *own == name) {
        return Some(Builtin::Uniform(Register::C(*register), *first, *count));
    }
    if let Some((_, register, first, count)) = ADDED.iter().find(|(own, ..)| *own == name) {
        return Some(Builtin::Uniform(*register, *first, *count));
    }
    let number = |prefix: &str| name.strip_prefix(prefix)?.parse::<u32>().ok();
    if let Some(q @ 1..=64) = number("q") {
        let (register, component) = ((q - 1) / 4, ((q - 1) % 4) as u8);
        let register = if register < 8 { Register::Q(register) } else { Register::QHigh(register - 8) };
        return Some(Builtin::Uniform(register, component, 1));
    }
    if let Some(c @ 0..=13) = number("_c") {
        return whole(Register::C(c));
    }
    if let Some(letter) = name.strip_prefix("_q").and_then(|rest| <[u8; 1]>::try_from(rest.as_bytes()).ok()) {
        match letter[0] {
            letter @ b'a'..=b'h' => return whole(Register::Q(u32::from(letter - b'a'))),
            letter @ b'i'..=b'p' => return whole(Register::QHigh(u32::from(letter - b'i'))),
            _ => {}
        }
    }
    (0..).zip(ROTATIONS).find_map(|(group, prefix)| match number(prefix) {
        Some(k @ 1..=4) => Some(Builtin::Rotation(group * 4 + k - 1)),
        _ => None,
    })
}

/// Returns true if `name` is the name of a sampler that presets need not declare.
pub(super) fn is_sampler(name: &str) -> bool {
    name.starts_with("sampler_")
}

/// Returns the texture behind a sampler name such as `sampler_fw_main` or `sampler_noise_lq`. The prefix selects filter
/// and wrap mode: `f` linear or `p` nearest, `w` wrap or `c` clamp, in either order.
pub(super) fn texture(name: &str, volume: bool) -> TextureBinding {
    let root = name.strip_prefix("sampler_").unwrap_or(name).to_ascii_lowercase();
    let prefix = root.get(..3).and_then(|prefix| match prefix {
        "fw_" | "wf_" => Some((Filter::Linear, Address::Wrap)),
        "fc_" | "cf_" => Some((Filter::Linear, Address::Clamp)),
        "pw_" | "wp_" => Some((Filter::Point, Address::Wrap)),
        "pc_" | "cp_" => Some((Filter::Point, Address::Clamp)),
        _ => None,
    });
    let root = if prefix.is_some() { &root[3..] } else { &root };
    let source = source(root);
    let clamped = matches!(source, TexSource::Blur(_)) || matches!(root, "fft" | "wave");
    let (filter, address) =
        prefix.unwrap_or((Filter::Linear, if clamped { Address::Clamp } else { Address::Wrap }));
    let dim = match source {
        TexSource::Noise(NoiseTex::VolLq | NoiseTex::VolHq) => TexDim::D3,
        TexSource::User(_) if volume => TexDim::D3,
        _ => TexDim::D2,
    };
    let hlsl_name = match name {
        "sampler_FC_main" | "sampler_PC_main" | "sampler_FW_main" | "sampler_PW_main" => {
            name.to_ascii_lowercase()
        }
        _ => name.to_owned(),
    };
    TextureBinding { hlsl_name, source, filter, address, dim }
}

/// Returns the texture called `root`, which must be in lower case and without prefixes.
pub(super) fn source(root: &str) -> TexSource {
    match root {
        "main" => TexSource::Main,
        "blur1" => TexSource::Blur(1),
        "blur2" => TexSource::Blur(2),
        "blur3" => TexSource::Blur(3),
        "noise_lq" => TexSource::Noise(NoiseTex::Lq),
        "noise_lq_lite" => TexSource::Noise(NoiseTex::LqLite),
        "noise_mq" => TexSource::Noise(NoiseTex::Mq),
        "noise_hq" => TexSource::Noise(NoiseTex::Hq),
        "noisevol_lq" => TexSource::Noise(NoiseTex::VolLq),
        "noisevol_hq" => TexSource::Noise(NoiseTex::VolHq),
        root => TexSource::User(root.to_owned()),
    }
}

/// Returns the number, 0 to 15, of a random texture such as `rand03_smalltiled`; `None` for any other name.
pub(super) fn random_slot(root: &str) -> Option<u32> {
    let digits = root.strip_prefix("rand")?.get(..2)?;
    digits.parse().ok().filter(|slot| *slot <= 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn builtin_names_resolve() {
        assert_eq!(builtin("q1"), Some(Builtin::Uniform(Register::Q(0), 0, 1)));
        assert_eq!(builtin("q32"), Some(Builtin::Uniform(Register::Q(7), 3, 1)));
        assert_eq!(builtin("q64"), Some(Builtin::Uniform(Register::QHigh(7), 3, 1)));
        assert_eq!(builtin("_qb"), Some(Builtin::Uniform(Register::Q(1), 0, 4)));
        assert_eq!(builtin("rot_s1"), Some(Builtin::Rotation(0)));
        assert_eq!(builtin("rot_rand4"), Some(Builtin::Rotation(23)));
        assert_eq!(builtin("mip_xy"), Some(Builtin::Uniform(Register::C(12), 0, 2)));
        assert_eq!(builtin("mouse_pos"), Some(Builtin::Uniform(Register::Mouse, 0, 2)));
        assert_eq!(builtin("vol_smooth"), Some(Builtin::Uniform(Register::Smooth, 3, 1)));
        for name in ["q0", "q65", "rot_s5", "_c15", "_qz", "quiet", "rot_x1"] {
            assert_eq!(builtin(name), None, "{name}");
        }
    }

    #[test]
    fn sampler_names_resolve_to_textures() {
        let read = |name: &str| {
            let texture = texture(name, false);
            (texture.source, texture.filter, texture.address)
        };
        assert_eq!(read("sampler_main"), (TexSource::Main, Filter::Linear, Address::Wrap));
        assert_eq!(read("sampler_PC_main"), (TexSource::Main, Filter::Point, Address::Clamp));
        assert_eq!(read("sampler_blur2"), (TexSource::Blur(2), Filter::Linear, Address::Clamp));
        assert_eq!(read("sampler_wp_Sky"), (TexSource::User("sky".into()), Filter::Point, Address::Wrap));
        assert_eq!(texture("sampler_noisevol_hq", false).dim, TexDim::D3);
        assert_eq!(texture("sampler_noise_lq", true).dim, TexDim::D2);
        assert_eq!(random_slot("rand03_smalltiled"), Some(3));
        assert_eq!(random_slot("random"), None);
    }
}
