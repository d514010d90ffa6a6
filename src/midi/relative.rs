//! Endless encoders: decodes their steps, and detects their encoding from the values they send.
//!
//! Common encodings are two's complement, an offset of 64, a sign in bit 6 (Mackie Control), and 127 or 0
//! without a step size. While the encoder is turned one way only, some of them look alike; the first step the
//! other way distinguishes them.

use super::encoding::Encoding;

/// Number of values from a control after which its encoding is determined.
pub const ENOUGH: usize = 6;
/// Largest step that is expected while learning.
const MAX_STEP: u16 = 15;

/// Which groups of values a control has sent. The groups do not overlap for steps up to 31.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    zero: bool,
    /// Values of 1, 2, ...
    low: bool,
    /// Values of 63, 62, ...
    below: bool,
    /// Values of 65, 66, ...
    above: bool,
    /// Values of 127, 126, ...
    top: bool,
}

impl Seen {
    /// Adds a value that the control has sent.
    pub fn add(&mut self, value: u16) {
        match value {
            0 => self.zero = true,
            1..=32 => self.low = true,
            33..=63 => self.below = true,
            65..=96 => self.above = true,
            97..=127 => self.top = true,
            _ => {} // No step in any encoding.
        }
    }

    /// Returns the encoding once the values reveal it; never [`Encoding::SignedBit2`].
    pub fn encoding(self) -> Option<Encoding> {
        let Self { zero, low, below, above, top } = self;
        if below {
            Some(Encoding::Offset64)
        } else if zero {
            Some(Encoding::OnOff)
        } else if top {
            Some(Encoding::TwosComplement)
        } else {
            (low && above).then_some(Encoding::SignedBit)
        }
    }
}

/// Returns the number of clockwise steps that a value encodes; negative if anticlockwise, 0 if the encoding
/// is not relative.
pub fn steps(encoding: Encoding, value: u16) -> i32 {
    let value = i32::from(value);
    let signed = if value < 64 { value } else { 64 - value };
    match encoding {
        Encoding::Absolute | Encoding::Absolute14 | Encoding::Toggle => 0,
        Encoding::TwosComplement => value - if value < 64 { 0 } else { 128 },
        Encoding::Offset64 => value - 64,
        Encoding::SignedBit => signed,
        Encoding::SignedBit2 => -signed,
        Encoding::OnOff if value < 64 => -1,
        Encoding::OnOff => 1,
        // All steps so far had the same direction and count as clockwise.
        Encoding::Relative => value - if value > 64 { 64 } else { 0 },
    }
}

/// Returns the encoding of an endless encoder that sent these values; `None` if they look like positions.
pub fn detect(values: &[u16]) -> Option<Encoding> {
    let mut seen = Seen::default();
    values.iter().for_each(|&value| seen.add(value));
    // An absolute knob neither repeats a value nor jumps far. A button jumps between 0 and 127.
    let repeats = values.windows(2).any(|pair| pair[0] == pair[1]);
    let leaps = values.windows(2).any(|pair| pair[0].abs_diff(pair[1]) > 48);
    let small = |value: u16| {
        let near = |rest: u16| value != rest && value.abs_diff(rest) <= MAX_STEP;
        value == 0 || near(0) || near(64) || near(128)
    };
    let turned = repeats || leaps && !seen.zero;
    (turned && values.iter().all(|&value| small(value)))
        .then(|| seen.encoding().unwrap_or(Encoding::Relative))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_reveal_the_encoding() {
        for (values, encoding) in [
            (&[1, 1, 1, 2, 1, 1][..], Encoding::Relative),
            (&[65, 65, 65, 66], Encoding::Relative),
            (&[1, 1, 65, 65, 1, 65], Encoding::SignedBit),
            (&[1, 65], Encoding::SignedBit),
            (&[1, 127, 127], Encoding::TwosComplement),
            (&[127, 127, 126], Encoding::TwosComplement),
            (&[65, 65, 63, 62], Encoding::Offset64),
            (&[63, 63, 63], Encoding::Offset64),
            (&[0, 0, 0, 0], Encoding::OnOff),
            (&[127, 127, 0, 127], Encoding::OnOff),
        ] {
            assert_eq!(detect(values), Some(encoding), "{values:?}");
        }
        let positions =
            [&[3, 4, 5, 6, 7, 8][..], &[60, 61, 63, 65, 66], &[1, 4, 12, 24, 31, 31], &[127, 0, 127], &[100]];
        for values in positions {
            assert_eq!(detect(values), None, "{values:?}");
        }
    }

    #[test]
    fn every_encoding_decodes_steps_in_both_directions() {
        for (encoding, up, down) in [
            (Encoding::TwosComplement, [1, 3], [127, 125]),
            (Encoding::Offset64, [65, 67], [63, 61]),
            (Encoding::SignedBit, [1, 3], [65, 67]),
            (Encoding::SignedBit2, [65, 67], [1, 3]),
        ] {
            assert_eq!(up.map(|value| steps(encoding, value)), [1, 3], "{encoding:?}");
            assert_eq!(down.map(|value| steps(encoding, value)), [-1, -3], "{encoding:?}");
        }
        assert_eq!([127, 0].map(|value| steps(Encoding::OnOff, value)), [1, -1]);
    }
}
