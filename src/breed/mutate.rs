//! Mutation of constants: numbers with a fraction, in values and in code.
//!
//! Whole numbers are counts, modes, indices and switches, and stay unchanged. So do geometric constants, such
//! as 0.5 and pi.

use crate::milk::text::{Key, Line};
use crate::units::Rng;

use super::part::is_color;

/// Constants with a fixed meaning, which never vary.
const FIXED: [f64; 11] = [0.5, 0.25, 0.75, 1.5, 2.5, 3.1415, 6.2831, 1.5707, 0.7071, 1.7320, 0.3333];
/// Difference below which a number counts as one of the [`FIXED`] constants, because presets contain rounded values.
const ROUNDING: f64 = 0.002;
/// Range of numbers treated as factors, such as a zoom or a decay: their distance from 1 varies.
const FACTORS: std::ops::Range<f64> = 0.8..1.25;

/// How much a child's constants differ from those of its parents.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mutation {
    /// Probability that a constant varies.
    pub share: f64,
    /// Standard deviation of the logarithm of the factor by which a constant varies.
    pub strength: f64,
}

impl Mutation {
    /// Returns the line with its constants varied.
    pub fn line(&self, line: &Line, rng: &mut Rng) -> String {
        let varied = match line.key {
            Key::Code(_) | Key::SlotCode(..) => self.code(line.value, rng),
            Key::Value(_) | Key::Wave(..) | Key::Shape(..) => self.value(line, rng),
            Key::None => return line.raw.to_owned(),
        };
        let key = &line.raw[..line.raw.len() - line.value.len()];
        format!("{key}{varied}")
    }

    fn value(&self, line: &Line, rng: &mut Rng) -> String {
        let text = line.value.trim();
        let is_color = is_color(&line.key);
        let varies = |value: &f64| text.contains('.') && (is_color || ![0.0, 1.0].contains(value));
        let Some(value) = text.parse::<f64>().ok().filter(varies) else {
            return line.value.to_owned();
        };
        if rng.unit() >= self.share {
            return line.value.to_owned();
        }
        if is_color {
            return written((value + 0.5 * self.strength * rng.normal()).clamp(0.0, 1.0));
        }
        let varied = self.vary(value, rng);
        written(if (0.0..=1.0).contains(&value) { varied.clamp(0.0, 1.0) } else { varied })
    }

    /// Varies the constants in a line of code.
    fn code(&self, code: &str, rng: &mut Rng) -> String {
        let end = code.find("//").unwrap_or(code.len());
        let mut varied = String::with_capacity(code.len());
        let mut from = 0;
        while let Some((start, length)) = next_constant(&code[from..end]) {
            let number = &code[from + start..from + start + length];
            varied.push_str(&code[from..from + start]);
            match number.parse::<f64>().ok().filter(|value| !is_fixed(*value)) {
                Some(value) if rng.unit() < self.share => varied.push_str(&written(self.vary(value, rng))),
                _ => varied.push_str(number),
            }
            from += start + length;
        }
        varied.push_str(&code[from..]);
        varied
    }

    /// Multiplies a number by a random positive factor; for a number in [`FACTORS`], multiplies its distance
    /// from 1.
    fn vary(&self, value: f64, rng: &mut Rng) -> f64 {
        let factor = (self.strength * rng.normal()).exp();
        if FACTORS.contains(&value) { 1.0 + (value - 1.0) * factor } else { value * factor }
    }
}

fn is_fixed(value: f64) -> bool {
    value.fract() == 0.0 || FIXED.iter().any(|fixed| (value - fixed).abs() < ROUNDING)
}

/// Formats a number with a decimal point and without an exponent.
fn written(value: f64) -> String {
    let text = format!("{value:.6}");
    let short = text.trim_end_matches('0');
    if short.ends_with('.') { format!("{short}0") } else { short.to_owned() }
}

/// Returns the position and the length, in bytes, of the first number with a decimal point that is not part
/// of a word, if any.
fn next_constant(code: &str) -> Option<(usize, usize)> {
    let bytes = code.as_bytes();
    let is_number = |byte: u8| byte.is_ascii_digit() || byte == b'.';
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.';
    let mut at = 0;
    while at < bytes.len() {
        if !is_word(bytes[at]) {
            at += 1;
            continue;
        }
        let word = bytes[at..].iter().take_while(|byte| is_word(**byte)).count();
        let length = bytes[at..at + word].iter().take_while(|byte| is_number(**byte)).count();
        let points = bytes[at..at + length].iter().filter(|byte| **byte == b'.').count();
        let suffix = &code[at + length..at + word];
        if points == 1 && length > 1 && (suffix.is_empty() || suffix.eq_ignore_ascii_case("f")) {
            return Some((at, length));
        }
        at += word;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::milk::text::lines;

    const ALL: Mutation = Mutation { share: 1.0, strength: 0.4 };

    fn mutated(text: &str) -> String {
        let mut rng = Rng::new(3);
        lines(text).map(|line| ALL.line(&line, &mut rng)).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn whole_numbers_words_comments_and_geometry_stay() {
        for line in [
            "nWaveMode=3",
            "bInvert=0",
            "zoom=1.000000",
            "rot=0.0",
            "per_frame_1=q1 = 2*x2 + bass; // 0.97",
            "per_frame_2=uv = sin(3.1415926*x) + 0.5 + 6.283*x;",
            "warp_1=`ret = tex2D(sampler_main, uv).xyz + col1.x0;",
            "comp_1=`x = 1.0e-3 + 2.0f;",
            "[preset00]",
        ] {
            assert_eq!(mutated(line), line);
        }
    }

    #[test]
    fn constants_with_a_fraction_vary_and_keep_their_sign() {
        let constant = |text: &str| -> f64 { text.parse().expect("a number") };
        for (line, before, after) in [
            ("decay=0.98", "decay=", ""),
            ("per_frame_1=rot = rot - .07*bass;", "per_frame_1=rot = rot - ", "*bass;"),
            ("warp_1=`ret *= 0.97f; // 0.97", "warp_1=`ret *= ", "f; // 0.97"),
        ] {
            let varied = mutated(line);
            let number =
                varied.strip_prefix(before).and_then(|rest| rest.strip_suffix(after)).expect(&varied);
            let original =
                line.strip_prefix(before).and_then(|rest| rest.strip_suffix(after)).expect("a number");
            assert!(constant(number) > 0.0 && constant(number) != constant(original), "{varied}");
        }
        let color = mutated("wave_r=0.0");
        assert!((0.0..=1.0).contains(&constant(&color[7..])) && mutated("ob_r=1.0").len() > 5, "{color}");
    }

    #[test]
    fn a_share_of_0_changes_nothing() {
        let none = Mutation { share: 0.0, strength: 1.0 };
        for preset in crate::library::built_in() {
            let mut rng = Rng::new(1);
            assert!(
                lines(preset.text).all(|line| none.line(&line, &mut rng) == line.raw),
                "{}",
                preset.name()
            );
        }
    }
}
