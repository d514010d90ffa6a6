//! What a preset's code says of the kind of picture people would call it: a few directions learnt from a library that a
//! curator has sorted into folders.
//!
//! `assets/style-concepts.bin` holds token runs with their weights, and what each says; made by
//! `tests/tools/fit_concepts.py`, whose header tells how and describes the file. Unlike the rest of the descriptor it is
//! the same for every library. Fitted on 70 % of the authors of 6,997 curated presets; of the presets of the others
//! category / subfolder / strict category / strict subfolder are .743 / .590 / .470 / .239 without it and .756 / .602 /
//! .523 / .269 with it.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::text::unit_length;
use super::tokens::Words;

/// Length of the concepts beside the code's 1.
const LENGTH: f32 = 1.0;

static FILE: &[u8] = include_bytes!("../../../assets/style-concepts.bin");

static CONCEPTS: LazyLock<Concepts> = LazyLock::new(|| Concepts::read(FILE).unwrap_or_default());

/// The learnt directions.
#[derive(Debug, Default)]
struct Concepts {
    width: usize,
    /// Place and weight of every known word.
    words: HashMap<u64, (usize, f32)>,
    scale: f32,
    /// Words x width.
    says: Vec<i16>,
}

impl Concepts {
    /// Reads the file; nothing where it is cut short or of another kind.
    fn read(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.strip_prefix(b"AIVJCON1")?;
        let (sizes, bytes) = bytes.split_at_checked(8)?;
        let number = |at: usize| u32::from_le_bytes(std::array::from_fn(|byte| sizes[at + byte])) as usize;
        let (count, width) = (number(0), number(4));
        let (hashes, bytes) = bytes.split_at_checked(count * 8)?;
        let (weights, bytes) = bytes.split_at_checked(count * 4)?;
        let (scale, says) = bytes.split_at_checked(4)?;
        if says.len() != count * width * 2 {
            return None;
        }
        let float = |bytes: &[u8]| f32::from_le_bytes(std::array::from_fn(|at| bytes[at]));
        let hashes =
            hashes.chunks_exact(8).map(|bytes| u64::from_le_bytes(std::array::from_fn(|at| bytes[at])));
        let weights = weights.chunks_exact(4).map(float);
        Some(Self {
            width,
            words: hashes.zip((0..).zip(weights)).collect(),
            scale: float(scale),
            says: says.chunks_exact(2).map(|bytes| i16::from_le_bytes([bytes[0], bytes[1]])).collect(),
        })
    }

    fn of(&self, words: &Words) -> Vec<f32> {
        let mut sum = vec![0.0; self.width];
        for (word, &count) in words {
            let Some(&(place, weight)) = self.words.get(word) else { continue };
            let weight = (1.0 + (count as f32).ln()) * weight * self.scale;
            let says = &self.says[place * self.width..(place + 1) * self.width];
            sum.iter_mut().zip(says).for_each(|(sum, says)| *sum += weight * f32::from(*says));
        }
        unit_length(&mut sum, LENGTH);
        sum
    }
}

/// Numbers that tell the concepts of a preset.
pub(super) fn width() -> usize {
    CONCEPTS.width
}

/// The concepts of these words; zeros where none is known.
pub(super) fn concepts(words: &Words) -> Vec<f32> {
    CONCEPTS.of(words)
}

/// What tells this version of the concepts from others.
pub(super) fn file() -> &'static [u8] {
    FILE
}

#[cfg(test)]
mod tests {
    use super::super::sheet::Sheet;
    use super::super::tokens::words;
    use super::*;

    #[test]
    fn the_file_is_whole_and_a_part_of_it_is_none() {
        let concepts = Concepts::read(FILE).expect("whole");
        assert!(concepts.words.len() > 1000 && (8..=64).contains(&concepts.width), "{}", concepts.width);
        assert!(Concepts::read(&FILE[..FILE.len() - 1]).is_none() && Concepts::read(b"AIVJCON1").is_none());
    }

    #[test]
    fn code_of_one_kind_says_more_alike_than_code_of_two() {
        let of = |text: &str| concepts(&words(&Sheet::read(text.as_bytes())));
        let shader = |n: u32| {
            format!(
                "PSVERSION=2\nwarp_1=`shader_body {{\nwarp_2=`ret = tex2D(sampler_main, uv).xyz;\n\
                 warp_3=`ret -= 0.00{n};\nwarp_4=`}}\n"
            )
        };
        let waves = |n: u32| {
            format!(
                "wavecode_0_enabled=1\nwave_0_per_point1=x = 0.5 + 0.3*sin(sample*6.28*{n});\n\
                 wave_0_per_point2=y = 0.5 + 0.3*cos(sample*6.28);\n"
            )
        };
        let likeness = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        let (one, other, else_) = (of(&shader(4)), of(&shader(7)), of(&waves(3)));
        assert!(likeness(&one, &other) > likeness(&one, &else_) + 0.2, "{one:?} {other:?} {else_:?}");
        assert!(of("").iter().all(|value| *value == 0.0));
    }
}
