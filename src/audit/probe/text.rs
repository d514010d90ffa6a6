//! Facts about a preset's source, as in the audit files of aivj's browser-based predecessor.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::milk::text::{self, CodeSection, Decoded, Key, Line, TextEncoding};

/// Size above which a file gets a warning, in bytes.
const LARGE_BYTES: usize = 256 * 1024;
/// Names of the parameters to extract.
const PARAMETERS: [&str; 16] = [
    "nWaveMode",
    "bWaveDots",
    "bWaveThick",
    "bModWaveAlphaByVolume",
    "fWaveAlpha",
    "fWaveScale",
    "fWarpScale",
    "fWarpAnimSpeed",
    "warp",
    "zoom",
    "fDecay",
    "fVideoEchoZoom",
    "fVideoEchoAlpha",
    "nMotionVectorsX",
    "nMotionVectorsY",
    "shapecount",
];

/// Facts about the source of a preset.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TextFacts {
    /// `utf-8`, `utf-16`, or `latin-1` if it is neither.
    pub decoded_as: String,
    /// Warnings: `empty`, `large`, `binary-nul`.
    pub warnings: Vec<String>,
    /// Changes needed to normalise the file: `decoded-latin1`, `removed-bom`, `normalized-line-endings`...
    pub fixes: Vec<String>,
    /// Number of lines in the file.
    pub line_count: usize,
    /// Number of lines of each kind of code, and of enabled shapes and waves.
    pub counts: Counts,
    /// Values of the parameters that are set.
    pub params: BTreeMap<String, f64>,
}

/// Counts of code lines, and of enabled shapes and waves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Number of lines of per-frame code.
    pub per_frame: usize,
    /// Number of lines of per-vertex code.
    pub per_pixel: usize,
    /// Number of enabled shapes.
    pub shape: usize,
    /// Number of enabled waves.
    pub wave_line: usize,
    /// Number of lines of the warp shader.
    pub warp: usize,
    /// Number of lines of the composite shader.
    pub comp: usize,
}

impl TextFacts {
    /// Extracts the facts from the bytes of a preset.
    pub fn of(bytes: &[u8]) -> Self {
        let mut facts = Self::default();
        let decoded = Decoded::new(bytes);
        let text = &*decoded.text;
        let mut fix = |applies: bool, name: &str| {
            if applies {
                facts.fixes.push(name.into());
            }
        };
        fix(decoded.bom, "removed-bom");
        fix(decoded.encoding == TextEncoding::Latin1, "decoded-latin1");
        fix(text.contains('\r'), "normalized-line-endings");
        fix(text.contains(|c: char| c.is_control() && !"\r\n\t".contains(c)), "stripped-control-chars");
        fix(!text.is_empty() && !text.ends_with('\n'), "ensure-trailing-newline");
        facts.decoded_as = match decoded.encoding {
            TextEncoding::Utf8 => "utf-8",
            TextEncoding::Utf16 => "utf-16",
            TextEncoding::Latin1 => "latin-1",
        }
        .into();
        let warnings = [
            (text.trim().is_empty(), "empty"),
            (bytes.len() > LARGE_BYTES, "large"),
            (text.contains('\0'), "binary-nul"),
        ];
        facts.warnings =
            warnings.iter().filter(|(applies, _)| *applies).map(|(_, name)| (*name).to_owned()).collect();
        for line in text::lines(text) {
            facts.line_count += 1;
            facts.count(&line);
        }
        facts
    }

    fn count(&mut self, line: &Line) {
        let (counts, value) = (&mut self.counts, line.value.trim());
        match line.key {
            Key::Code(CodeSection::PerFrame) => counts.per_frame += 1,
            Key::Code(CodeSection::PerPixel) => counts.per_pixel += 1,
            Key::Code(CodeSection::Warp) => counts.warp += 1,
            Key::Code(CodeSection::Composite) => counts.comp += 1,
            Key::Shape(_, "enabled") => counts.shape += usize::from(value != "0"),
            Key::Wave(_, "enabled") => counts.wave_line += usize::from(value != "0"),
            Key::Value(key) => self.parameter(key, value),
            _ => {}
        }
    }

    fn parameter(&mut self, key: &str, value: &str) {
        if PARAMETERS.contains(&key)
            && let Ok(number) = value.parse::<f64>()
            && number.is_finite()
        {
            self.params.insert(key.to_owned(), number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_enabled_parts_are_counted() {
        let text = "[preset00]\r\nfDecay=0.98\nper_frame_1=zoom=1;\nper_frame_init_1=x=1;\nshapecode_0_enabled=1\n\
                    shapecode_1_enabled=0\nwavecode_0_enabled=1\nwarp_1=`shader_body\nwave_r=0.5\nfWarpScale=nan";
        let facts = TextFacts::of(text.as_bytes());
        let counts = facts.counts;
        assert_eq!((counts.per_frame, counts.shape, counts.wave_line, counts.warp), (1, 1, 1, 1));
        assert_eq!(facts.params.get("fDecay"), Some(&0.98));
        assert!(!facts.params.contains_key("fWarpScale"));
        assert_eq!(facts.fixes, ["normalized-line-endings", "ensure-trailing-newline"]);
    }

    #[test]
    fn binary_data_is_accepted() {
        let facts = TextFacts::of(b"\xffname\0");
        assert_eq!(
            (facts.decoded_as.as_str(), facts.warnings.as_slice()),
            ("latin-1", &["binary-nul".to_owned()][..])
        );
        let wide = TextFacts::of(b"\xff\xfez\0=\x001\0");
        assert_eq!((wide.decoded_as.as_str(), wide.warnings.len()), ("utf-16", 0));
        assert_eq!(TextFacts::of(b"").warnings, ["empty"]);
    }
}
