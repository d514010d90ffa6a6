//! Double presets of MilkDrop 3 (`.milk2`): two presets in one file, blended.
//!
//! Each preset draws to its own image. The file stores the blend progress and the blend pattern. Each marker,
//! such as `[PRESET1_BEGIN]`, stands on a line of its own. Parsing is lenient: an invalid value is replaced by
//! the default, and if one half is blank, missing or not a preset, the other one plays alone.

use super::text::{leading_number, lines};

/// How the two pictures of a double preset are blended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DoubleBlend {
    /// Blend progress: 0 shows only the first picture, 1 only the second.
    pub share: f32,
    /// Where the second picture appears first.
    pub pattern: Pattern,
    /// Whether the pattern is reversed, so that the second picture appears last where it would otherwise
    /// appear first.
    pub reversed: bool,
    /// Random parameters of the pattern, usually 0 to 1: angle, position or seed.
    pub random: [f32; 5],
}

impl Default for DoubleBlend {
    fn default() -> Self {
        Self { share: 0.5, pattern: Pattern::Zoom, reversed: false, random: [0.0; 5] }
    }
}

/// Defines the blend patterns with their names in files.
macro_rules! patterns {
    ($($pattern:ident $name:literal $meaning:literal)+) => {
        /// Shape of the blend, as named in the file.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Pattern {
            $(#[doc = $meaning] $pattern),+
        }

        impl Pattern {
            /// All patterns, in declaration order.
            pub const ALL: &[Self] = &[$(Self::$pattern),+];

            /// Returns the name used in preset files.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$pattern => $name),+
                }
            }
        }
    };
}

patterns! {
    Zoom "zoom" "Uniform over the picture; also used if the file names no valid pattern."
    Side "side" "A straight edge at a random angle."
    Plasma "plasma" "Large clouds."
    Plasma2 "plasma2" "Clouds."
    Plasma3 "plasma3" "Small clouds."
    Cercle "cercle" "A disc: the second picture appears from the outside or, if reversed, from the inside."
    Square "square" "A square."
    Snail "snail" "A spiral with one arm."
    Snail2 "snail2" "A spiral with two arms."
    Snail3 "snail3" "A spiral with three arms."
    Triangle "triangle" "A triangle."
    Donuts "donuts" "Rings."
    Corner "corner" "From a random corner."
    Patches "patches" "Random rectangles."
    Checkerboard "checkerboard" "A checkerboard."
    Bubbles "bubbles" "Small discs."
    Stars "stars" "A star."
    Stars2 "stars2" "Small stars."
    Clock "clock" "The hand of a clock."
    Nuclear "nuclear" "Three blades."
    Arrow "arrow" "An arrow to the right."
    Cisor "cisor" "The blades of scissors."
    Wave "wave" "A wavy edge."
    Curtain "curtain" "A curtain that opens from the middle."
    Vertical "vertical" "From left to right."
    Horizontal "horizontal" "From top to bottom."
    LinesVertical "linesvertical" "Vertical stripes."
    LinesHorizontal "lineshorizontal" "Horizontal stripes."
    Cross "cross" "An upright cross."
    Cross2 "cross2" "A diagonal cross."
}

/// A parsed double preset: the text of both halves (either may be blank), the blend, and problems in the
/// header.
pub(super) struct Double {
    pub halves: [String; 2],
    pub blend: DoubleBlend,
    pub problems: Vec<String>,
}

/// Splits a double preset. Returns `None` if the file is an ordinary preset.
pub(super) fn split(text: &str) -> Option<Double> {
    let mut double =
        Double { halves: Default::default(), blend: DoubleBlend::default(), problems: Vec::new() };
    let mut inside = None;
    let mut found = [false; 2];
    for line in lines(text) {
        let marker = line.raw.trim();
        let begins =
            ["[PRESET1_BEGIN]", "[PRESET2_BEGIN]"].iter().position(|m| marker.eq_ignore_ascii_case(m));
        let ends = ["[PRESET1_END]", "[PRESET2_END]"].iter().any(|m| marker.eq_ignore_ascii_case(m));
        if let Some(half) = begins {
            (inside, found[half]) = (Some(half), true);
        } else if ends {
            inside = None;
        } else if !double.read_header(line.raw)
            && let Some(half) = inside
        {
            double.halves[half].push_str(line.raw);
            double.halves[half].push('\n');
        }
    }
    found.contains(&true).then_some(double)
}

impl Double {
    /// Reads a line of the header, which MilkDrop 3 accepts anywhere in the file; returns false for other lines.
    fn read_header(&mut self, line: &str) -> bool {
        let Some((key, value)) = line.split_once('=') else { return false };
        let (key, value) = (key.trim().to_ascii_lowercase(), value.trim());
        let known = match key.as_str() {
            "blending_pattern" => {
                let found = Pattern::ALL.iter().find(|pattern| pattern.name().eq_ignore_ascii_case(value));
                self.blend.pattern = found.copied().unwrap_or(Pattern::Zoom);
                found.is_some() || value.is_empty()
            }
            "blending_progress" => set(&mut self.blend.share, value),
            "blending_direction" => {
                let mut direction = 0.0;
                let known = set(&mut direction, value);
                self.blend.reversed = direction == -1.0;
                known
            }
            _ => match key.strip_prefix("random_").map(str::parse::<usize>) {
                Some(Ok(number @ 1..=5)) => set(&mut self.blend.random[number - 1], value),
                _ => return false,
            },
        };
        self.blend.share = self.blend.share.clamp(0.0, 1.0);
        if !known {
            self.problems.push(format!("{key}: unknown value {value:?}; using the default"));
        }
        true
    }
}

/// Sets `number` to the number that `value` starts with; returns false, and changes nothing, if there is
/// none.
fn set(number: &mut f32, value: &str) -> bool {
    let starts = value.trim_start_matches(['+', '-', '.']).starts_with(|c: char| c.is_ascii_digit());
    if starts {
        *number = leading_number(value);
    }
    starts
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::{Frame, Modulation, Player, PresetAudio, Program, StepReport, Tick};
    use super::*;

    fn half(number: u32, code: &str) -> String {
        format!("[PRESET{number}_BEGIN]\nNAME=half {number}\n[preset00]\n{code}\n[PRESET{number}_END]\n")
    }

    fn file(header: &str) -> String {
        format!("{header}\n{}{}", half(1, "per_frame_1=q1=1;"), half(2, "per_frame_1=q1=2;"))
    }

    fn blend(text: &str) -> DoubleBlend {
        let program = Program::compile(text.as_bytes()).expect("a double preset");
        program.second.as_ref().expect("a second half").1
    }

    #[test]
    fn both_halves_are_compiled() {
        let text =
            file("blending_pattern=plasma2\nblending_progress=0.25\nblending_direction=-1\nrandom_5=0.75");
        let program = Program::compile(text.as_bytes()).expect("a double preset");
        let (second, blend) = program.second.as_ref().expect("a second half");
        let random = [0.0, 0.0, 0.0, 0.0, 0.75];
        let expected = DoubleBlend { share: 0.25, pattern: Pattern::Plasma2, reversed: true, random };
        assert_eq!(*blend, expected);
        assert!(second.second.is_none() && program.problems.is_empty() && second.problems.is_empty());
    }

    #[test]
    fn every_pattern_is_known_by_its_name() {
        for &pattern in Pattern::ALL {
            let header = format!("blending_pattern={}", pattern.name().to_uppercase());
            assert_eq!(blend(&file(&header)).pattern, pattern, "{header}");
        }
    }

    #[test]
    fn a_file_without_a_header_blends_half_and_half() {
        assert_eq!(blend(&file("")), DoubleBlend::default());
    }

    #[test]
    fn an_ordinary_preset_has_no_second_half() {
        assert!(Program::compile(b"[preset00]\nzoom=1\n").expect("a preset").second.is_none());
    }

    #[test]
    fn long_lines_and_other_line_endings_do_not_move_the_halves() {
        let long = format!("per_frame_1={}", "a=1;".repeat(400));
        let text = format!("{}{}", half(1, &long), half(2, "per_frame_1=q1=2;"));
        for text in [text.clone(), text.replace('\n', "\r\n"), text.replace('\n', "\r")] {
            let double = split(&text).expect("a double preset");
            assert!(double.halves[0].contains(&long) && !double.halves[0].contains("q1=2"), "{text:?}");
            assert!(double.halves[1].contains("q1=2") && !double.halves[1].contains("a=1"), "{text:?}");
        }
    }

    #[test]
    fn bad_values_get_their_defaults_and_are_reported() {
        for (header, share) in [
            ("blending_progress=much", 0.5),
            ("blending_progress=", 0.5),
            ("blending_progress=nan", 0.5),
            ("blending_progress=1e40", 1.0),
            ("blending_progress=-3", 0.0),
            ("blending_progress=.25x", 0.25),
            ("blending_pattern=heart", 0.5),
            ("random_2=?", 0.5),
            ("blending_direction=left", 0.5),
        ] {
            let program = Program::compile(file(header).as_bytes()).expect("a double preset");
            assert_eq!(program.second.as_ref().map(|(_, blend)| blend.share), Some(share), "{header}");
            let (key, value) = header.split_once('=').expect("a key");
            let reported = program.problems.iter().any(|problem| problem.message.contains(key));
            assert_eq!(reported, !value.contains(|c: char| c.is_ascii_digit()), "{header}");
        }
    }

    /// Returns the variable `n` and the report after one frame.
    fn played(program: &Arc<Program>) -> (f64, StepReport) {
        let mut player = Player::new(program.clone(), 1);
        let tick = Tick { time: 0.0, fps: 30.0, frame: 0, size: [640, 360], mesh: [8, 6] };
        let report =
            player.step(&PresetAudio::default(), tick, &Modulation::default(), &mut Frame::default());
        (player.variables().get("n").copied().unwrap_or_default(), report)
    }

    #[test]
    fn the_halves_share_the_limits_of_one_preset() {
        // Plays the code as a preset and as each half of a double preset.
        let three = |code: &str| {
            let alone = Program::compile(format!("[preset00]\n{code}\n").as_bytes()).expect("a preset");
            let text = format!("{}{}", half(1, code), half(2, code));
            let first = Program::compile(text.as_bytes()).expect("a double preset");
            let second = first.second.as_ref().expect("a second half").0.clone();
            [alone, first, second].map(|program| played(&program))
        };
        let [alone, first, second] = three("per_frame_1=loop(1000000,loop(1000000,n+=1));").map(|(n, _)| n);
        assert!(first == second && (first * 2.0 / alone - 1.0).abs() < 0.01, "{alone} {first} {second}");
        let memory = "per_frame_1=i=0;loop(128,megabuf(i*65536)=1;i+=1);gmegabuf(0)=7;n=gmegabuf(0);";
        assert_eq!(three(memory).map(|(n, _)| n), [7.0, 0.0, 0.0]);
        let shape = |number: usize| {
            "shapecode_N_enabled=1\nshapecode_N_num_inst=10\nshapecode_N_sides=4\nshapecode_N_rad=5\n"
                .replace("_N_", &format!("_{number}_"))
        };
        let shapes: String = (0..16).map(shape).collect();
        assert_eq!(three(&shapes).map(|(_, report)| report.overdrawn), [false, true, true]);
    }

    #[test]
    fn one_half_plays_alone_if_the_other_is_blank_or_missing() {
        let second = half(2, "per_frame_1=q1=2;").replace("[PRESET2_END]\n", "");
        for text in [
            half(1, "per_frame_1=q1=1;"),
            format!("{}[PRESET2_BEGIN]\n[PRESET2_END]\n", half(1, "zoom=1")),
            second.clone(),
            format!("[PRESET1_BEGIN]\n\n[PRESET1_END]\n{second}"),
        ] {
            let program = Program::compile(text.as_bytes()).expect("a preset");
            assert!(program.second.is_none(), "{text}");
            assert!(program.problems.iter().any(|problem| problem.part == "double preset"), "{text}");
        }
        let blank = "[PRESET1_BEGIN]\n[PRESET1_END]\n[PRESET2_BEGIN]\n[PRESET2_END]\n";
        assert!(Program::compile(blank.as_bytes()).is_err());
    }
}
