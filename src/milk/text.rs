//! A lossless reader of `.milk` files, for code that needs the text of a preset rather than its program.
//!
//! Yields every line as a [`Line`], in order, including lines that MilkDrop ignores, so the text can be counted, hashed
//! or searched. Never interprets code and never fails; [`super::Program`] compiles presets.

use std::borrow::Cow;
use std::collections::HashMap;

/// Maximum number of custom waves, and of custom shapes, in a preset: four in MilkDrop 2, sixteen in its
/// successors.
pub const SLOTS: usize = 16;

/// Sampler prefixes for filter and wrap mode: `sampler_fw_name` samples the image `name`.
const SAMPLER_MODES: [&str; 8] = ["fw_", "fc_", "pw_", "pc_", "wf_", "cf_", "wp_", "cp_"];

/// The kinds of code in a preset, in the order of [`CodeSection::ALL`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeSection {
    /// `per_frame_init_N`.
    PerFrameInit,
    /// `per_frame_N`.
    PerFrame,
    /// `per_pixel_N`, which runs for each vertex.
    PerPixel,
    /// `warp_N`, in HLSL.
    Warp,
    /// `comp_N`, in HLSL.
    Composite,
    /// `wave_SLOT_initN`.
    WaveInit,
    /// `wave_SLOT_per_frameN`.
    WavePerFrame,
    /// `wave_SLOT_per_pointN`.
    WavePerPoint,
    /// `shape_SLOT_initN`.
    ShapeInit,
    /// `shape_SLOT_per_frameN`.
    ShapePerFrame,
}

/// Parsed key of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key<'a> {
    /// Code of the preset itself.
    Code(CodeSection),
    /// Code of a custom wave or shape, with its slot.
    SlotCode(CodeSection, usize),
    /// A value of a custom wave (`wavecode_SLOT_name`).
    Wave(usize, &'a str),
    /// A value of a custom shape (`shapecode_SLOT_name`).
    Shape(usize, &'a str),
    /// Any other value.
    Value(&'a str),
    /// A line without `=`, such as `[preset00]`.
    None,
}

/// One line of a preset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// The line without its line ending.
    pub raw: &'a str,
    /// The parsed key.
    pub key: Key<'a>,
    /// The text after the first `=`; empty if there is none.
    pub value: &'a str,
}

/// A decoded preset file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded<'a> {
    /// The text without its byte order mark.
    pub text: Cow<'a, str>,
    /// Whether the file started with a byte order mark.
    pub bom: bool,
    /// The detected encoding.
    pub encoding: TextEncoding,
}

/// The encoding of a preset file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextEncoding {
    /// UTF-8.
    Utf8,
    /// UTF-16 of either byte order.
    Utf16,
    /// Latin-1, for text that is neither UTF-16 nor valid UTF-8.
    Latin1,
}

impl<'a> Decoded<'a> {
    /// Decodes UTF-8, or UTF-16 of either byte order, falling back to Latin-1, which is close to Windows-1252, the
    /// code page of most old presets.
    pub fn new(bytes: &'a [u8]) -> Self {
        if let Some((body, unit, bom)) = utf16(bytes) {
            let units = body.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
            let text: String =
                char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
            return Self { text: text.into(), bom, encoding: TextEncoding::Utf16 };
        }
        let body = bytes.strip_prefix(b"\xef\xbb\xbf");
        let bom = body.is_some();
        let body = body.unwrap_or(bytes);
        match std::str::from_utf8(body) {
            Ok(text) => Self { text: text.into(), bom, encoding: TextEncoding::Utf8 },
            Err(_) => Self {
                text: body.iter().map(|&byte| char::from(byte)).collect(),
                bom,
                encoding: TextEncoding::Latin1,
            },
        }
    }
}

/// The bytes of a UTF-16 file without its byte order mark, the function that decodes a code unit, and whether
/// the file had a byte order mark.
type Utf16<'a> = (&'a [u8], fn([u8; 2]) -> u16, bool);

/// Recognizes UTF-16 by its byte order mark or, since presets begin with ASCII, by zero bytes at the start.
/// Returns `None` for other text.
fn utf16(bytes: &[u8]) -> Option<Utf16<'_>> {
    match bytes {
        [0xff, 0xfe, body @ ..] => Some((body, u16::from_le_bytes, true)),
        [0xfe, 0xff, body @ ..] => Some((body, u16::from_be_bytes, true)),
        [1..=255, 0, 1..=255, 0, ..] => Some((bytes, u16::from_le_bytes, false)),
        [0, 1..=255, 0, 1..=255, ..] => Some((bytes, u16::from_be_bytes, false)),
        _ => None,
    }
}

impl CodeSection {
    /// All sections, in declaration order.
    pub const ALL: [Self; 10] = [
        Self::PerFrameInit,
        Self::PerFrame,
        Self::PerPixel,
        Self::Warp,
        Self::Composite,
        Self::WaveInit,
        Self::WavePerFrame,
        Self::WavePerPoint,
        Self::ShapeInit,
        Self::ShapePerFrame,
    ];

    /// Returns the key without the slot and the line number, such as `per_frame` or `wave_init`.
    pub fn name(self) -> &'static str {
        match self {
            Self::PerFrameInit => "per_frame_init",
            Self::PerFrame => "per_frame",
            Self::PerPixel => "per_pixel",
            Self::Warp => "warp",
            Self::Composite => "comp",
            Self::WaveInit => "wave_init",
            Self::WavePerFrame => "wave_per_frame",
            Self::WavePerPoint => "wave_per_point",
            Self::ShapeInit => "shape_init",
            Self::ShapePerFrame => "shape_per_frame",
        }
    }
}

impl<'a> Line<'a> {
    fn new(raw: &'a str) -> Self {
        match raw.split_once('=') {
            Some((key, value)) => Self { raw, key: Key::new(key.trim()), value },
            None => Self { raw, key: Key::None, value: "" },
        }
    }

    /// Returns the value without the backtick that starts shader lines.
    pub fn code(&self) -> &'a str {
        self.value.strip_prefix('`').unwrap_or(self.value)
    }
}

impl<'a> Key<'a> {
    fn new(key: &'a str) -> Self {
        Self::slot_value(key).or_else(|| Self::code(key)).unwrap_or(Self::Value(key))
    }

    fn slot_value(key: &'a str) -> Option<Self> {
        let slot = |rest: &'a str| {
            let (number, name) = rest.split_once('_')?;
            Some((number.parse::<usize>().ok().filter(|slot| *slot < SLOTS)?, name))
        };
        if let Some(rest) = strip_prefix(key, "wavecode_") {
            return slot(rest).map(|(slot, name)| Self::Wave(slot, name));
        }
        strip_prefix(key, "shapecode_").and_then(slot).map(|(slot, name)| Self::Shape(slot, name))
    }

    fn code(key: &str) -> Option<Self> {
        let stem = key.trim_end_matches(|c: char| c.is_ascii_digit());
        if stem.len() == key.len() {
            return None;
        }
        let same = |name: &str| stem.eq_ignore_ascii_case(name);
        let own = [
            ("per_frame_init_", CodeSection::PerFrameInit),
            ("per_frame_", CodeSection::PerFrame),
            ("per_pixel_", CodeSection::PerPixel),
            ("warp_", CodeSection::Warp),
            ("comp_", CodeSection::Composite),
        ];
        if let Some((_, section)) = own.into_iter().find(|(name, _)| same(name)) {
            return Some(Self::Code(section));
        }
        let custom = [
            ("wave_", "init", CodeSection::WaveInit),
            ("wave_", "per_frame", CodeSection::WavePerFrame),
            ("wave_", "per_point", CodeSection::WavePerPoint),
            ("shape_", "init", CodeSection::ShapeInit),
            ("shape_", "per_frame", CodeSection::ShapePerFrame),
        ];
        custom.into_iter().find_map(|(kind, part, section)| {
            let (slot, rest) = strip_prefix(stem, kind)?.split_once('_')?;
            let slot = slot.parse::<usize>().ok().filter(|slot| *slot < SLOTS)?;
            rest.eq_ignore_ascii_case(part).then_some(Self::SlotCode(section, slot))
        })
    }
}

/// Iterates over the lines of a preset. Lines end with `\n`, `\r\n` or `\r`.
pub fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    // "\r\n" is split into two pieces; the second is not a line.
    let mut after_return = false;
    text.split_inclusive(['\n', '\r']).filter_map(move |piece| {
        let body = piece.trim_end_matches(['\n', '\r']);
        let joined = after_return && piece == "\n";
        after_return = piece.ends_with('\r');
        (!joined).then(|| Line::new(body))
    })
}

/// Returns the values that a preset is played with, by key in lower case. Keys are case-insensitive, the first line
/// with a given key wins, and each value is parsed with [`leading_number`]. Code is not included.
pub fn numbers(text: &str) -> HashMap<String, f32> {
    let mut numbers = HashMap::new();
    for line in lines(text) {
        if matches!(line.key, Key::Wave(..) | Key::Shape(..) | Key::Value(_))
            && let Some((key, value)) = line.raw.split_once('=')
        {
            numbers.entry(key.trim().to_ascii_lowercase()).or_insert_with(|| leading_number(value));
        }
    }
    numbers
}

/// Parses the number at the start of a value, like C's `atof`; 0 if there is none.
pub fn leading_number(value: &str) -> f32 {
    const MAX_LENGTH: usize = 48; // More digits than any f32 needs.
    let value = value.trim_start();
    let numeric = |byte: u8| matches!(byte, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E');
    let end = value.bytes().take(MAX_LENGTH).take_while(|&byte| numeric(byte)).count();
    (1..=end).rev().find_map(|end| value[..end].parse().ok()).unwrap_or(0.0)
}

/// Returns the names after `sampler_` in shader source, in lower case and without the mode prefix. They
/// include MilkDrop's built-in `main`, `noise_*` and `blur*`.
pub fn samplers(text: &str) -> Vec<String> {
    let text = text.to_lowercase();
    let name = |part: &str| {
        let name: String = part.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let bare = SAMPLER_MODES.iter().find_map(|mode| name.strip_prefix(mode));
        bare.map_or(name.clone(), str::to_owned)
    };
    text.split("sampler_").skip(1).map(name).collect()
}

fn strip_prefix<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| &text[prefix.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(line: &str) -> Key<'_> {
        lines(line).next().expect("a line").key
    }

    #[test]
    fn keys_parse_to_sections_slots_and_values() {
        let expected = [
            ("[preset00]", Key::None),
            ("fDecay=0.98", Key::Value("fDecay")),
            ("warp=1", Key::Value("warp")),
            ("warp_1=`shader_body", Key::Code(CodeSection::Warp)),
            ("per_frame_12=zoom=1;", Key::Code(CodeSection::PerFrame)),
            ("per_frame_init_1=q1=1;", Key::Code(CodeSection::PerFrameInit)),
            ("PER_PIXEL_3=rot=0;", Key::Code(CodeSection::PerPixel)),
            ("wave_r=0.5", Key::Value("wave_r")),
            ("wave_2_per_point4=x=sample;", Key::SlotCode(CodeSection::WavePerPoint, 2)),
            ("shape_15_init1=x=0;", Key::SlotCode(CodeSection::ShapeInit, 15)),
            ("shape_16_init1=x=0;", Key::Value("shape_16_init1")),
            ("wavecode_0_enabled=1", Key::Wave(0, "enabled")),
            ("shapecode_3_a2=0.1", Key::Shape(3, "a2")),
        ];
        for (line, expected) in expected {
            assert_eq!(key(line), expected, "{line}");
        }
    }

    #[test]
    fn all_line_endings_are_supported() {
        let raw: Vec<_> = lines("a=1\r\nb\rc=`d\n\n=e").map(|line| line.raw).collect();
        assert_eq!(raw, ["a=1", "b", "c=`d", "", "=e"]);
    }

    #[test]
    fn code_strips_only_the_leading_backtick() {
        let line = lines("comp_1=`ret = 1; // `").next().expect("a line");
        assert_eq!((line.value, line.code()), ("`ret = 1; // `", "ret = 1; // `"));
    }

    #[test]
    fn invalid_utf8_is_decoded_as_latin1() {
        let decoded = Decoded::new(b"\xef\xbb\xbfna\xefve");
        assert_eq!(
            (&*decoded.text, decoded.bom, decoded.encoding),
            ("na\u{ef}ve", true, TextEncoding::Latin1)
        );
        assert_eq!(Decoded::new("naïve".as_bytes()).encoding, TextEncoding::Utf8);
    }

    #[test]
    fn utf16_is_decoded_in_both_byte_orders_with_and_without_a_bom() {
        let text = "[preset00]\r\n// \u{1f3b5}\r\nzoom=1";
        let le = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
        let be = |text: &str| text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<_>>();
        let marked = format!("\u{feff}{text}");
        for (bytes, bom) in [(le(text), false), (be(text), false), (le(&marked), true), (be(&marked), true)] {
            assert_eq!(
                Decoded::new(&bytes),
                Decoded { text: text.into(), bom, encoding: TextEncoding::Utf16 }
            );
        }
    }

    #[test]
    fn sampler_names_have_no_mode_prefix() {
        assert_eq!(samplers("sampler sampler_FW_Clouds2; tex2D(sampler_main, uv)"), ["clouds2", "main"]);
    }

    #[test]
    fn the_first_line_with_a_key_wins() {
        let text =
            "[preset00]\nfDecay=0.9\nFDECAY = 0.5\nwavecode_0_A= 1.0f\nwavecode_0_a=0\nper_frame_1=zoom=2;";
        let expected = [("fdecay", 0.9), ("wavecode_0_a", 1.0)];
        assert_eq!(numbers(text), HashMap::from(expected.map(|(key, number)| (key.to_owned(), number))));
    }

    #[test]
    fn numbers_parse_like_atof() {
        for (text, number) in
            [(" 1.5abc", 1.5), ("-2e1;", -20.0), ("x", 0.0), ("", 0.0), ("1.2.3", 1.2), ("3e", 3.0)]
        {
            assert_eq!(leading_number(text), number, "{text:?}");
        }
    }
}
