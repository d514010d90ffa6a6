//! Double presets of MilkDrop 3 (`.milk2`): two presets in one file, blended.
//!
//! Each preset draws to its own image. The file stores the blend progress and the blend pattern.

use lactea_preset::milk2::{self, Milk2, Milk2Error, Milk2Header};

/// How the two pictures of a double preset are blended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DoubleBlend {
    /// Blend progress: 0 shows only the first picture, 1 only the second.
    pub share: f32,
    /// Where the second picture appears first.
    pub pattern: Pattern,
}

/// Shape of the blend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// Uniform over the picture.
    Uniform,
    /// Bright parts first; stands in for the cloud and plasma patterns.
    Luma,
    /// From the centre outwards; stands in for the round patterns.
    Radial,
}

/// Splits a double preset into its two presets; `None` if the file is an ordinary preset.
pub(super) fn split(bytes: &[u8]) -> Option<Result<(Milk2, DoubleBlend), String>> {
    // A file without a progress value blends half and half.
    let defaults = Milk2Header { progress: 0.5, ..Milk2Header::default() };
    match milk2::parse_milk2(bytes, &defaults) {
        Ok(double) => {
            let share = if double.progress.is_finite() { double.progress.clamp(0.0, 1.0) } else { 0.5 };
            let blend = DoubleBlend { share, pattern: pattern(&double.pattern) };
            Some(Ok((double, blend)))
        }
        Err(Milk2Error::NotDouble) => None,
        Err(error) => Some(Err(error.to_string())),
    }
}

/// Maps the name of a MilkDrop 3 blend pattern to the closest [`Pattern`].
fn pattern(name: &str) -> Pattern {
    let name = name.to_ascii_lowercase();
    let any = |words: &[&str]| words.iter().any(|word| name.contains(word));
    if any(&["plasma", "cloud"]) {
        Pattern::Luma
    } else if any(&["cercle", "circle", "donut", "snail", "radial"]) {
        Pattern::Radial
    } else {
        Pattern::Uniform
    }
}

#[cfg(test)]
mod tests {
    use super::super::Program;
    use super::*;

    fn file(header: &str) -> Vec<u8> {
        let half = |n: u32| {
            format!("[PRESET{n}_BEGIN]\nNAME=half {n}\n[preset00]\nper_frame_1=q1={n};\n[PRESET{n}_END]\n")
        };
        format!("{header}\n{}{}", half(1), half(2)).into_bytes()
    }

    #[test]
    fn both_halves_are_compiled() {
        let text = file("blending_pattern=plasma2\nblending_progress=0.25");
        let program = Program::compile(&text).expect("a double preset");
        let (second, blend) = program.second.as_ref().expect("a second half");
        assert_eq!(*blend, DoubleBlend { share: 0.25, pattern: Pattern::Luma });
        assert!(second.second.is_none() && program.problems.is_empty() && second.problems.is_empty());
    }

    #[test]
    fn missing_progress_defaults_to_one_half() {
        let program = Program::compile(&file("")).expect("a double preset");
        assert_eq!(program.second.as_ref().map(|(_, blend)| blend.share), Some(0.5));
    }

    #[test]
    fn an_ordinary_preset_has_no_second_half() {
        assert!(Program::compile(b"[preset00]\nzoom=1\n").expect("a preset").second.is_none());
    }

    #[test]
    fn the_error_for_an_invalid_progress_names_the_key() {
        let error = Program::compile(&file("blending_progress=much")).expect_err("not a number");
        assert!(error.to_string().contains("blending_progress"), "{error}");
    }
}
