//! Facts derived from a preset's bytes and name, without compiling its code: the ID, look tags, energy and
//! family.
//!
//! The analysis takes tens of microseconds per file, so that it can cover hundreds of thousands of files. It uses
//! effective values: anything invisible, disabled or overwritten by an equation is ignored. See `milk` for compiling
//! presets.

mod energy;
mod energy_estimate;
mod family;
mod identity;
mod sheet;
mod tags;

use crate::milk::text::Decoded;
use sheet::Sheet;

pub use energy::Energy;
pub use energy_estimate::{CALM_WORDS, PEAK_WORDS};
pub use identity::{InvalidPresetId, PresetId};
pub use tags::{Tag, Tags};

/// Version of the analysis, to be increased whenever the same source yields different [`PresetFacts`]; files
/// analysed by another version are analysed again.
pub const ANALYSIS_VERSION: u32 = 3;

/// Facts about a preset's look, derived from its source and name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PresetFacts {
    /// Look tags of the preset.
    pub tags: Tags,
    /// Energy of the preset.
    pub energy: Energy,
    /// Family ID: a hash of the preset's code or, for a preset without code, of its bytes.
    pub family: u64,
}

impl PresetFacts {
    /// Analyses a preset's bytes; `name` is its file name without extension.
    pub fn of(bytes: &[u8], name: &str) -> Self {
        let sheet = Sheet::read(&Decoded::new(bytes).text);
        Self {
            tags: tags(&sheet),
            energy: energy_estimate::of(&sheet, name),
            family: family::of(&sheet).unwrap_or_else(|| family::own(bytes)),
        }
    }
}

fn tags(sheet: &Sheet) -> Tags {
    let shown = [
        (Tag::Wave, sheet.main_wave_shown() || sheet.waves.iter().any(|wave| wave.shown())),
        (
            Tag::Dots,
            sheet.main_wave_shown() && sheet.wave_dots || sheet.waves.iter().any(|w| w.shown() && w.dots),
        ),
        (
            Tag::Line,
            sheet.main_wave_shown() && sheet.wave_thick && !sheet.wave_dots
                || sheet.waves.iter().any(|wave| wave.shown() && wave.thick && !wave.dots),
        ),
        (Tag::Liquid, sheet.flows()),
        (Tag::Abstract, !sheet.per_pixel.is_empty() || sheet.per_frame_lines >= 24),
        (Tag::Geometric, sheet.shapes.iter().any(|shape| shape.shown())),
        (Tag::Vectors, sheet.vectors_shown()),
        (Tag::Shader, sheet.has_shader()),
        (Tag::Textured, sheet.shows_images()),
        (Tag::Echo, sheet.echo_shown()),
    ];
    shown.into_iter().filter(|(_, on)| *on).map(|(tag, _)| tag).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags_of(text: &str) -> String {
        PresetFacts::of(text.as_bytes(), "name").tags.to_string()
    }

    #[test]
    fn only_visible_features_are_tagged() {
        assert_eq!(tags_of("fWaveAlpha=0.0\nbWaveDots=1\nnMotionVectorsX=12\nwarp=0"), "");
        assert_eq!(tags_of("fWaveAlpha=0.9\nbWaveDots=1\nwarp=0"), "wave dots");
        assert_eq!(tags_of("fWaveAlpha=0.9\nwarp=0\nper_frame_1=wave_a = 0;"), "");
        assert_eq!(tags_of("fWaveAlpha=0.0\nwarp=0\nper_frame_1=wave_a = bass;\nbWaveThick=1"), "wave line");
        assert_eq!(tags_of("fWaveAlpha=0\nwarp=0\nshapecode_0_enabled=1\nshapecode_0_a=0.5"), "geometric");
        assert_eq!(tags_of("fWaveAlpha=0\nwarp=0\nshapecode_0_enabled=0\nshapecode_0_a=0.5"), "");
        assert_eq!(tags_of("fWaveAlpha=0\nwarp=0\nmv_a=1\nnMotionVectorsX=12\nnMotionVectorsY=9"), "vectors");
    }

    #[test]
    fn values_are_read_as_they_are_played() {
        assert_eq!(tags_of("FWAVEALPHA=0.9f\nfWaveAlpha=0\nBWaveDots=1\nWarp=0"), "wave dots");
        let shape = "fWaveAlpha=0\nwarp=0\nSHAPECODE_0_ENABLED=1\nshapecode_0_enabled=0\nShapeCode_0_A=0.5";
        assert_eq!(tags_of(shape), "geometric");
    }

    #[test]
    fn a_family_ignores_values_comments_and_white_space() {
        let shader = "MILKDROP_PRESET_VERSION=201\nwarp_1=`shader_body {\nwarp_2=`ret = GetPixel(uv) * 0.97; // fade\n\
                      warp_3=`ret += GetBlur1(uv)*0.1; }\n";
        let family = |text: String| PresetFacts::of(text.as_bytes(), "name").family;
        let first = family(format!("fRating=3\nzoom=1.01\n{shader}"));
        let commented = shader.replace("// fade", "// slower").replace("uv) *", "uv)  *");
        assert_eq!(first, family(format!("fRating=5\nzoom=0.9\n{commented}")));
        assert_ne!(first, family(format!("fRating=3\n{}", shader.replace("0.1", "0.2 + rad"))));
        assert_ne!(family("zoom=1".into()), family("zoom=2".into()));
    }

    #[test]
    fn any_bytes_can_be_analysed() {
        for bytes in
            [&b""[..], b"\xff\xfe\x00=\x00", b"per_frame_1", b"shapecode_=1\nshapecode_99_a=2\nwarp_=x"]
        {
            PresetFacts::of(bytes, "");
        }
        PresetFacts::of("per_frame_1=é=ü;wave_a=".as_bytes(), "ü - é");
    }
}
