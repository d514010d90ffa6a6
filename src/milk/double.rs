//! Double presets of MilkDrop 3 (`.milk2`): two presets in one file, shown together as they stood when it was saved.
//!
//! Each plays on an image of its own; the file says how much of the second shows, and in which pattern.

use lactea_preset::milk2::{self, Milk2, Milk2Error, Milk2Header};

/// How the two pictures of a double preset lie over each other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DoubleBlend {
    /// Share of the second picture, 0..1.
    pub share: f32,
    /// Where it shows.
    pub pattern: Pattern,
}

/// Where the second picture of a double preset shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// The same everywhere.
    Even,
    /// Where it is bright, for the cloudy patterns.
    Bright,
    /// From the middle outwards, for the round patterns.
    Round,
}

/// The two texts of a double preset; `None` when the file is an ordinary one.
pub(super) fn split(bytes: &[u8]) -> Option<Result<(Milk2, DoubleBlend), String>> {
    // What a file leaves out stands half way.
    let unsaid = Milk2Header { progress: 0.5, ..Milk2Header::default() };
    match milk2::parse_milk2(bytes, &unsaid) {
        Ok(double) => {
            let share = if double.progress.is_finite() { double.progress.clamp(0.0, 1.0) } else { 0.5 };
            let together = DoubleBlend { share, pattern: pattern(&double.pattern) };
            Some(Ok((double, together)))
        }
        Err(Milk2Error::NotDouble) => None,
        Err(error) => Some(Err(error.to_string())),
    }
}

/// The nearest of our patterns to one of MilkDrop 3's, by its name.
fn pattern(name: &str) -> Pattern {
    let name = name.to_ascii_lowercase();
    let any = |words: &[&str]| words.iter().any(|word| name.contains(word));
    if any(&["plasma", "cloud"]) {
        Pattern::Bright
    } else if any(&["cercle", "circle", "donut", "snail", "radial"]) {
        Pattern::Round
    } else {
        Pattern::Even
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
        let (second, together) = program.second.as_ref().expect("its second half");
        assert_eq!(*together, DoubleBlend { share: 0.25, pattern: Pattern::Bright });
        assert!(second.second.is_none() && program.problems.is_empty() && second.problems.is_empty());
    }

    #[test]
    fn what_the_file_leaves_out_stands_half_way() {
        let program = Program::compile(&file("")).expect("a double preset");
        assert_eq!(program.second.as_ref().map(|(_, together)| together.share), Some(0.5));
    }

    #[test]
    fn an_ordinary_preset_has_no_second_half_and_a_broken_number_is_told() {
        assert!(Program::compile(b"[preset00]\nzoom=1\n").expect("a preset").second.is_none());
        let refusal = Program::compile(&file("blending_progress=much")).expect_err("no number");
        assert!(refusal.to_string().contains("blending_progress"), "{refusal}");
    }
}
