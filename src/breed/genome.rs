//! A parent, split into its parts.

use std::collections::BTreeSet;

use super::part::{BLUR, Part, is_color};
use super::shared::Shared;
use crate::milk::Program;
use crate::milk::text::{Decoded, Key, Line, leading_number, lines};

/// Shader model of a shader whose file does not state one.
const DEFAULT_MODEL: u32 = 2;
/// Words, in lower case, that mark a comment as a licence or copyright statement.
const LICENCE_WORDS: [&str; 13] = [
    "licen",
    "copyright",
    "©",
    "(c) 19",
    "(c) 20",
    "rights reserved",
    "creative commons",
    "creativecommons",
    "cc0",
    "cc by",
    "cc-by",
    "gpl",
    "public domain",
];

/// A preset to breed from.
#[derive(Clone, Debug, Default)]
pub(super) struct Genome {
    /// Name of the preset.
    pub name: String,
    /// The lines of each part, in order.
    pub lines: [Vec<String>; Part::COUNT],
    /// The shared variables that each part uses.
    shared: [BTreeSet<Shared>; Part::COUNT],
    /// The colours, as key and value.
    pub colors: Vec<(String, String)>,
    /// Shader models of the warp and the composite shader; 0 for a preset that does not use them.
    pub models: [u32; 2],
    /// Licence and copyright statements in the preset's comments.
    pub licences: Vec<String>,
    /// Number of code sections and shaders that do not compile.
    pub problems: usize,
}

impl Genome {
    /// Splits the preset `name`, whose file contains `bytes`.
    ///
    /// # Errors
    /// Fails if the file is not a preset, or is a double preset.
    pub fn read(name: &str, bytes: &[u8]) -> Result<Self, String> {
        let program = Program::compile_interpreted(bytes).map_err(|error| error.to_string())?;
        if program.second.is_some() {
            return Err("double presets cannot be bred".into());
        }
        let name = name.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let mut genome = Self { name, problems: program.problems.len(), ..Self::default() };
        let mut versions = Versions::default();
        let decoded = Decoded::new(bytes);
        for line in lines(&decoded.text) {
            genome.add(&line);
            versions.read(&line);
        }
        genome.models = versions.models();
        Ok(genome)
    }

    fn add(&mut self, line: &Line) {
        self.licences.extend(licence(line));
        let Some(part) = Part::of(&line.key) else { return };
        let shared = &mut self.shared[part as usize];
        match line.key {
            Key::Code(_) | Key::SlotCode(..) => Shared::collect(line.code(), shared),
            Key::Value(name) => {
                let range = BLUR.iter().find(|(known, _)| name.eq_ignore_ascii_case(known));
                if range.is_some_and(|(_, usual)| leading_number(line.value) != *usual) {
                    shared.insert(Shared::Blur);
                }
            }
            Key::Wave(..) | Key::Shape(..) | Key::None => {}
        }
        if is_color(&line.key)
            && let Some((key, value)) = line.raw.split_once('=')
        {
            self.colors.push((key.trim().to_owned(), value.to_owned()));
        }
        // Some editors end a file with these characters.
        self.lines[part as usize].push(line.raw.trim_end_matches(['\0', '\x1a']).to_owned());
    }

    /// Returns whether `part` of this preset and the part `to` of `other` share a variable for which both must come
    /// from the same parent.
    pub fn is_connected(&self, part: Part, other: &Self, to: Part) -> bool {
        let common = self.shared[part as usize].intersection(&other.shared[to as usize]);
        common.into_iter().any(|variable| variable.connects())
    }

    /// Returns the shared variables that a part uses.
    pub fn shared(&self, part: Part) -> &BTreeSet<Shared> {
        &self.shared[part as usize]
    }

    /// Returns the value of a key, if the file has it.
    pub fn value(&self, key: &str) -> Option<&str> {
        let mut lines = self.lines.iter().flatten().filter_map(|raw| raw.split_once('='));
        lines.find(|(name, _)| name.trim().eq_ignore_ascii_case(key)).map(|(_, value)| value.trim())
    }
}

/// Returns the text of a comment that states a licence or a copyright; `None` for other lines.
fn licence(line: &Line) -> Option<String> {
    let raw = line.raw.trim();
    let comment = match line.key {
        Key::Code(_) | Key::SlotCode(..) => raw.split_once("//")?.1,
        Key::Wave(..) | Key::Shape(..) => return None,
        Key::Value(_) | Key::None => raw,
    };
    let lower = comment.to_lowercase();
    let stated = LICENCE_WORDS.iter().any(|word| lower.contains(word));
    stated.then(|| comment.trim_start_matches(['/', ';', '#', ' ']).trim().to_owned())
}

/// The versions and shader models that a file states.
#[derive(Default)]
struct Versions {
    file: Option<u32>,
    both: Option<u32>,
    each: [Option<u32>; 2],
}

impl Versions {
    fn read(&mut self, line: &Line) {
        let Key::Value(name) = line.key else { return };
        let target = match name.to_ascii_uppercase().as_str() {
            "MILKDROP_PRESET_VERSION" => &mut self.file,
            "PSVERSION" => &mut self.both,
            "PSVERSION_WARP" => &mut self.each[0],
            "PSVERSION_COMP" => &mut self.each[1],
            _ => return,
        };
        target.get_or_insert(leading_number(line.value).clamp(0.0, 1000.0) as u32);
    }

    /// Returns the models of the warp and the composite shader. Files before version 200 have no shaders, and
    /// those of version 200 have one model for both.
    fn models(&self) -> [u32; 2] {
        match self.file.unwrap_or(100) {
            0..200 => [0; 2],
            200 => [self.both.unwrap_or(DEFAULT_MODEL); 2],
            _ => self.each.map(|model| model.unwrap_or(DEFAULT_MODEL)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Genome {
        Genome::read("a", text.as_bytes()).expect("a preset")
    }

    #[test]
    fn a_preset_is_split_into_its_parts_without_loss() {
        for preset in crate::library::built_in() {
            let genome = read(preset.text);
            let mut found: Vec<&str> = genome.lines.iter().flatten().map(String::as_str).collect();
            let mut all: Vec<&str> = lines(preset.text)
                .filter(|line| Part::of(&line.key).is_some())
                .map(|line| line.raw)
                .collect();
            found.sort_unstable();
            all.sort_unstable();
            assert!(found == all && found.len() > 20, "{}", preset.name());
        }
    }

    #[test]
    fn parts_are_connected_by_common_registers() {
        let preset = read("per_frame_1=reg01=bass;\nper_pixel_1=rot=reg01;\nshape_0_per_frame1=x=reg02;");
        assert!(preset.is_connected(Part::Vertex, &preset, Part::Motion));
        assert!(!preset.is_connected(Part::Shapes, &preset, Part::Motion));
        let other = read("per_frame_1=reg02=time;");
        assert!(
            preset.is_connected(Part::Shapes, &other, Part::Motion),
            "one sets what the other only reads"
        );
    }

    #[test]
    fn only_ranges_that_differ_from_the_default_connect_shaders() {
        let shader = "MILKDROP_PRESET_VERSION=201\nwarp_1=`shader_body { ret = GetBlur1(uv); }\n";
        let usual = read(&format!("{shader}b1n=0.0\nb1x=1.0\n"));
        let own = read(&format!("{shader}b1n=0.2\n"));
        assert!(!usual.is_connected(Part::Warp, &usual, Part::Composite));
        assert!(own.is_connected(Part::Warp, &own, Part::Composite));
    }

    #[test]
    fn shader_models_follow_the_version_of_the_file() {
        assert_eq!(read("zoom=1\nPSVERSION_WARP=3").models, [0, 0]);
        assert_eq!(read("MILKDROP_PRESET_VERSION=200\nPSVERSION=3").models, [3, 3]);
        assert_eq!(read("MILKDROP_PRESET_VERSION=201\nPSVERSION_COMP=4").models, [2, 4]);
    }

    #[test]
    fn licences_are_found_in_comments() {
        let text =
            "// License: CC BY 4.0, by somebody\nzoom=1\nper_frame_1=q1=1; // Copyright 2004 Someone\n";
        assert_eq!(read(text).licences, ["License: CC BY 4.0, by somebody", "Copyright 2004 Someone"]);
        for line in ["CC-BY-NC-SA 3.0", "© 2004 Someone", "(c) 2010 Someone", "Someone, all rights reserved"]
        {
            assert_eq!(read(&format!("zoom=1\n// {line}\n")).licences, [line]);
        }
        assert!(read("zoom=1\nper_frame_1=q1 = f; // f(c)\n").licences.is_empty());
    }

    #[test]
    fn double_presets_and_other_files_are_refused() {
        let half = |number| format!("[PRESET{number}_BEGIN]\nzoom=1\n[PRESET{number}_END]\n");
        let double = format!("{}{}", half(1), half(2));
        assert_eq!(
            Genome::read("a", double.as_bytes()).expect_err("refused"),
            "double presets cannot be bred"
        );
        assert!(Genome::read("a", b"nothing").expect_err("refused").contains("not a preset"));
    }
}
