//! Code as counts of token n-grams, the words of the text descriptor.
//!
//! N-grams of one to three tokens within a section. Names defined by the preset become `$`, numbers `#`, and
//! `q` variables `q`; this leaves the structure of the equations, which similar presets of different authors
//! share. With names and numbers kept, the nearest neighbours are often copies by the same author: the strict category
//! share of the code alone (see [`super::text`]) is then .475, against .502 with placeholders.

use std::collections::{BTreeMap, HashSet};
use std::sync::LazyLock;

use super::split_source::SplitSource;
use crate::milk::text::CodeSection;

/// Maximum length of an n-gram.
const MAX_LENGTH: usize = 3;

/// Names with a fixed meaning: variables, functions, shader intrinsics and samplers.
const KNOWN: &str = "zoom rot cx cy dx dy warp sx sy decay gamma wave_mode wave_r wave_g wave_b wave_a wave_x wave_y \
    wave_mystery ob_size ob_r ob_g ob_b ob_a ib_size ib_r ib_g ib_b ib_a mv_x mv_y mv_dx mv_dy mv_l mv_r mv_g mv_b \
    mv_a echo_zoom echo_alpha echo_orient darken_center wrap invert brighten darken solarize wave_dots wave_thick \
    wave_usedots wave_additive wave_brighten additive textured sides rad ang tex_ang tex_zoom thick border_r border_g \
    border_b border_a r g b a r2 g2 b2 a2 x y sample value1 value2 time fps frame progress bass mid treb bass_att \
    mid_att treb_att meshx meshy aspectx aspecty instance num_inst sin cos tan asin acos atan atan2 sqr sqrt pow exp \
    log log10 abs min max sign rand int if above below equal bnot band bor sigmoid floor ceil exec2 exec3 loop megabuf \
    gmegabuf while fmod fabs float float2 float3 float4 float2x2 half half3 tex2d tex3d sampler_main sampler_fw_main \
    sampler_pw_main sampler_fc_main sampler_pc_main sampler_noise_lq sampler_noise_mq sampler_noise_hq \
    sampler_noise_lq_lite sampler_noisevol_lq sampler_noisevol_hq sampler_blur1 sampler_blur2 sampler_blur3 getblur1 \
    getblur2 getblur3 getpixel getmain lum lerp saturate normalize dot cross length frac clamp step smoothstep reflect \
    refract mul ret uv uv_orig hue_shader texsize texsize_noise_lq rand_frame rand_preset roam_cos roam_sin \
    slow_roam_cos slow_roam_sin shader_body return for xy xyz yz zw w z rot_f1 rot_d1 rot_s1 noise mod sampler";

static KNOWN_NAMES: LazyLock<HashSet<&str>> = LazyLock::new(|| KNOWN.split_whitespace().collect());

/// Number of occurrences of each word, by the word's hash.
pub(super) type Words = BTreeMap<u64, u32>;

/// Counts how often each word occurs in a preset.
pub(super) fn words(source: &SplitSource) -> Words {
    let mut words = Words::new();
    for (section, code) in CodeSection::ALL.into_iter().zip(&source.code) {
        let salt = hash(section.name().as_bytes());
        let tokens: Vec<u64> = tokens(code).map(|token| hash(token.as_bytes())).collect();
        for length in 1..=MAX_LENGTH {
            for run in tokens.windows(length) {
                let word =
                    run.iter().fold(salt, |word, token| (word.rotate_left(5) ^ token).wrapping_mul(FNV));
                *words.entry(word).or_default() += 1;
            }
        }
    }
    words
}

/// Returns the number of tokens in `code`.
pub(super) fn token_count(code: &str) -> usize {
    tokens(code).count()
}

const FNV: u64 = 0x0100_0000_01b3;

/// Hashes bytes with 64-bit FNV-1a (Fowler, Noll, Vo), which is stable across computers and versions.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(FNV))
}

/// Yields names, numbers and operators, with placeholders for numbers and unknown names; skips brackets,
/// commas and semicolons.
fn tokens(code: &str) -> impl Iterator<Item = &str> {
    let mut rest = code;
    std::iter::from_fn(move || {
        loop {
            let first = rest.chars().next()?;
            let end = |more: fn(char) -> bool| rest.find(|c| !more(c)).unwrap_or(rest.len());
            let (length, token) = if first.is_ascii_alphabetic() || first == '_' {
                let length = end(|c| c.is_alphanumeric() || c == '_');
                (length, Some(normal_name(&rest[..length])))
            } else if first.is_ascii_digit() || first == '.' {
                (end(|c| c.is_ascii_digit() || c == '.'), Some("#"))
            } else if "<>=!&|".contains(first) && rest[1..].starts_with(['=', '&', '|']) {
                (2, Some(&rest[..2]))
            } else {
                (first.len_utf8(), "-+*/%^<>=!?".contains(first).then(|| &rest[..1]))
            };
            rest = &rest[length..];
            if token.is_some() {
                return token;
            }
        }
    })
}

fn normal_name(name: &str) -> &str {
    let numbered = |prefix: char| {
        let digits = name.strip_prefix(prefix);
        digits.is_some_and(|d| !d.is_empty() && d.bytes().all(|b| b.is_ascii_digit()))
    };
    if numbered('q') {
        "q"
    } else if KNOWN_NAMES.contains(name) || numbered('t') {
        name
    } else {
        "$"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_names_and_numbers_become_placeholders() {
        let seen: Vec<_> = tokens("foo = 0.5*sin(q12*time) >= bar;é").collect();
        assert_eq!(seen, ["$", "=", "#", "*", "sin", "q", "*", "time", ">=", "$"]);
    }

    #[test]
    fn equal_code_in_different_sections_gives_different_words() {
        let frame = words(&SplitSource::read(b"per_frame_1=zoom=1;"));
        let pixel = words(&SplitSource::read(b"per_pixel_1=zoom=1;"));
        assert_eq!(frame.len(), 6);
        assert!(frame.keys().all(|word| !pixel.contains_key(word)));
    }
}
