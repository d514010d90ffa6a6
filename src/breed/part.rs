//! The parts of a preset, which a child takes whole from one of its parents.

use crate::milk::text::{CodeSection, Key};

/// A part of a preset: values and the code that belongs to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// Motion values, per-frame code and its initialisation.
    Motion,
    /// Per-vertex code.
    Vertex,
    /// The warp shader, and the values of the built-in warp.
    Warp,
    /// The composite shader, and the values of the built-in composite.
    Composite,
    /// The waves, borders and motion vectors.
    Waves,
    /// The shapes.
    Shapes,
}

/// Values of the built-in warp.
const WARP: [&str; 3] = ["fDecay", "bTexWrap", "bDarkenCenter"];
/// Values of the built-in composite.
const COMPOSITE: [&str; 10] = [
    "fGammaAdj",
    "fVideoEchoZoom",
    "fVideoEchoAlpha",
    "nVideoEchoOrientation",
    "bRedBlueStereo",
    "bBrighten",
    "bDarken",
    "bSolarize",
    "bInvert",
    "fShader",
];
/// Values of the blur (ranges and edge darkening), with their defaults. They belong to the composite part.
pub(super) const BLUR: [(&str, f32); 7] =
    [("b1n", 0.0), ("b2n", 0.0), ("b3n", 0.0), ("b1x", 1.0), ("b2x", 1.0), ("b3x", 1.0), ("b1ed", 0.25)];
/// Prefixes of the names of wave, border and motion vector values.
const WAVES: [&str; 12] = [
    "nWaveMode",
    "bAdditiveWaves",
    "bWave",
    "bModWave",
    "fModWave",
    "bMaximizeWaveColor",
    "fWave",
    "wave_",
    "nMotionVectors",
    "mv_",
    "ob_",
    "ib_",
];
/// Names of colour channels, without a prefix such as `wave_`.
const CHANNELS: [&str; 9] = ["r", "g", "b", "r2", "g2", "b2", "border_r", "border_g", "border_b"];

impl Part {
    /// Number of parts.
    pub const COUNT: usize = 6;
    /// All parts, in the order in which a child lists them.
    pub const ALL: [Self; Self::COUNT] =
        [Self::Motion, Self::Vertex, Self::Warp, Self::Composite, Self::Waves, Self::Shapes];

    /// Returns the name used in comments and reports.
    pub fn label(self) -> &'static str {
        match self {
            Self::Motion => "motion",
            Self::Vertex => "per-vertex code",
            Self::Warp => "warp",
            Self::Composite => "composite",
            Self::Waves => "waves",
            Self::Shapes => "shapes",
        }
    }

    /// Returns the part that a line belongs to; `None` for lines that describe the file, which a child does
    /// not inherit.
    pub fn of(key: &Key) -> Option<Self> {
        match *key {
            Key::None => None,
            Key::Code(section) | Key::SlotCode(section, _) => Some(Self::of_code(section)),
            Key::Wave(..) => Some(Self::Waves),
            Key::Shape(..) => Some(Self::Shapes),
            Key::Value(name) => Self::of_value(name),
        }
    }

    fn of_code(section: CodeSection) -> Self {
        match section {
            CodeSection::PerFrameInit | CodeSection::PerFrame => Self::Motion,
            CodeSection::PerPixel => Self::Vertex,
            CodeSection::Warp => Self::Warp,
            CodeSection::Composite => Self::Composite,
            CodeSection::WaveInit | CodeSection::WavePerFrame | CodeSection::WavePerPoint => Self::Waves,
            CodeSection::ShapeInit | CodeSection::ShapePerFrame => Self::Shapes,
        }
    }

    fn of_value(name: &str) -> Option<Self> {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        let starts =
            |start: &&str| name.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start));
        let of_file = is("MILKDROP_PRESET_VERSION") || starts(&"PSVERSION") || is("fRating");
        if of_file || !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            None
        } else if WARP.into_iter().any(is) {
            Some(Self::Warp)
        } else if COMPOSITE.into_iter().any(is) || BLUR.into_iter().any(|(known, _)| is(known)) {
            Some(Self::Composite)
        } else if WAVES.iter().any(starts) || is("bMotionVectorsOn") {
            Some(Self::Waves)
        } else {
            Some(Self::Motion)
        }
    }
}

/// Returns whether a line sets a colour channel.
pub(super) fn is_color(key: &Key) -> bool {
    match *key {
        Key::Wave(_, name) | Key::Shape(_, name) => CHANNELS.contains(&name),
        Key::Value(name) => ["wave_", "ob_", "ib_", "mv_"]
            .iter()
            .any(|start| name.strip_prefix(start).is_some_and(|channel| CHANNELS[..3].contains(&channel))),
        Key::Code(_) | Key::SlotCode(..) | Key::None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::milk::text::lines;

    #[test]
    fn every_line_belongs_to_one_part() {
        let part = |line: &str| lines(line).next().and_then(|line| Part::of(&line.key));
        for (line, expected) in [
            ("[preset00]", None),
            ("PSVERSION_WARP=2", None),
            ("// Colours=of the night", None),
            ("zoom=1.01", Some(Part::Motion)),
            ("per_frame_init_1=q1=0;", Some(Part::Motion)),
            ("per_pixel_3=rot=0;", Some(Part::Vertex)),
            ("fDecay=0.98", Some(Part::Warp)),
            ("warp=0.1", Some(Part::Motion)),
            ("warp_1=`shader_body", Some(Part::Warp)),
            ("b1n=0.1", Some(Part::Composite)),
            ("nWaveMode=3", Some(Part::Waves)),
            ("mv_a=0.5", Some(Part::Waves)),
            ("wave_0_per_point1=x=0;", Some(Part::Waves)),
            ("shapecode_1_r2=0.5", Some(Part::Shapes)),
            ("fWarpScale=2", Some(Part::Motion)),
        ] {
            assert_eq!(part(line), expected, "{line}");
        }
    }

    #[test]
    fn colours_are_recognised() {
        let color = |line: &str| lines(line).next().is_some_and(|line| is_color(&line.key));
        for line in ["wave_r=1", "ib_b=0", "shapecode_0_border_g=0.1", "wavecode_3_b=1"] {
            assert!(color(line), "{line}");
        }
        for line in ["wave_a=1", "ob_size=0", "shapecode_0_rad=0.1", "per_frame_1=wave_r=1;", "rot=0"] {
            assert!(!color(line), "{line}");
        }
    }
}
