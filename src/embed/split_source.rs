//! A preset's source split for embedding: numbers by name, and code by section without comments.
//!
//! Splits lines without parsing code, so it works for presets that do not compile. Disabled custom waves and
//! shapes are skipped because they are not visible. Names and code are converted to lower case.

use std::collections::HashMap;

use crate::milk::text::{self, CodeSection, Decoded, Key, SLOTS};

/// The split source of one preset.
#[derive(Debug, Default)]
pub(super) struct SplitSource {
    /// Values by lower-case name.
    pub numbers: HashMap<String, f32>,
    /// Code of each of [`CodeSection::ALL`], without comments; code of enabled waves and shapes is concatenated.
    pub code: [String; CodeSection::ALL.len()],
}

impl SplitSource {
    /// Splits the bytes of a `.milk` file.
    pub fn read(bytes: &[u8]) -> Self {
        let text = Decoded::new(bytes).text.to_lowercase();
        let mut source = Self { numbers: text::numbers(&text), ..Self::default() };
        source.numbers.retain(|_, number| number.is_finite());
        for line in text::lines(&text) {
            let section = match line.key {
                Key::Code(section) => section,
                Key::SlotCode(section, slot) if source.slot_enabled(kind_of(section), slot) => section,
                _ => continue,
            };
            let code = &mut source.code[section as usize];
            code.push_str(line.code());
            code.push('\n');
        }
        for code in &mut source.code {
            *code = without_comments(code);
        }
        source
    }

    /// Returns the value of `name`, if the preset sets it.
    pub fn number(&self, name: &str) -> Option<f32> {
        self.numbers.get(name).copied()
    }

    /// Returns the slots of enabled custom waves or shapes; `kind` is `wave` or `shape`.
    pub fn enabled(&self, kind: &str) -> Vec<usize> {
        (0..SLOTS).filter(|&slot| self.slot_enabled(kind, slot)).collect()
    }

    fn slot_enabled(&self, kind: &str, slot: usize) -> bool {
        self.number(&format!("{kind}code_{slot}_enabled")).is_some_and(|enabled| enabled >= 1.0)
    }
}

/// Returns `shape` for the sections of custom shapes and `wave` for those of custom waves.
fn kind_of(section: CodeSection) -> &'static str {
    if matches!(section, CodeSection::ShapeInit | CodeSection::ShapePerFrame) { "shape" } else { "wave" }
}

fn without_comments(code: &str) -> String {
    let mut kept = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(at) = rest.find('/') {
        kept.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else {
            kept.push('/');
            1
        };
        rest = &rest[end..];
    }
    kept.push_str(rest);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_sorted_by_section_and_disabled_slots_are_skipped() {
        let source = SplitSource::read(
            b"[preset00]\nfDecay=0.98\nper_frame_1=zoom = 1; // in\nper_frame_2=rot=0;\nwavecode_0_enabled=1\n\
              wave_0_per_point1=x=sample;\nwave_1_per_point1=y=1;\nwarp_1=`ret = tex2D(a,uv); /* b\nwarp_2=`c */ d\n",
        );
        assert_eq!(source.number("fdecay"), Some(0.98));
        assert_eq!(source.code[1], "zoom = 1; \nrot=0;\n");
        assert_eq!(source.code[7], "x=sample;\n");
        assert_eq!(source.code[3].trim(), "ret = tex2d(a,uv);  d");
        assert_eq!(source.enabled("wave"), [0]);
    }

    #[test]
    fn values_are_parsed_as_in_playback() {
        let source = SplitSource::read(
            b"zoom=1.5f\nZoom=2\nwavecode_0_enabled=1 ; on\nwavecode_0_enabled=0\nrot=1e99\n",
        );
        assert_eq!((source.number("zoom"), source.number("rot")), (Some(1.5), None));
        assert_eq!(source.enabled("wave"), [0]);
    }

    #[test]
    fn binary_data_gives_an_empty_source() {
        let source = SplitSource::read(&[0, 255, 254, b'=', b'\n', 0xc3]);
        assert!(source.code.iter().all(String::is_empty));
    }
}
