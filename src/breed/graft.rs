//! Grafts: a part whose code reads `q` variables moves from one preset, the guest, to another, the host,
//! together with the per-frame code that sets them.
//!
//! The guest's per-frame code runs after the host's, with separate variables: its names get a prefix, and its
//! `q` variables move, in groups of four, to ones that the host does not use.

use std::collections::{BTreeMap, BTreeSet};

use super::genome::Genome;
use super::part::Part;
use super::shared::Shared;
use crate::milk::text::{CodeSection, Key, lines};

/// Number of `q` variables that all players support.
const Q_COUNT: u8 = 32;
/// Number of `q` variables in a group, which shaders can read at once.
const GROUP: u8 = 4;
/// Variables that code can read but not set.
const READ_ONLY: [&str; 16] = [
    "time", "fps", "frame", "progress", "bass", "mid", "treb", "bass_att", "mid_att", "treb_att", "meshx",
    "meshy", "pixelsx", "pixelsy", "aspectx", "aspecty",
];
/// Variables that start every frame with a value from the file: name, key in the file, and default.
const VALUES: [(&str, &str, &str); 54] = [
    ("zoom", "zoom", "1"),
    ("zoomexp", "fZoomExponent", "1"),
    ("rot", "rot", "0"),
    ("warp", "warp", "1"),
    ("cx", "cx", "0.5"),
    ("cy", "cy", "0.5"),
    ("dx", "dx", "0"),
    ("dy", "dy", "0"),
    ("sx", "sx", "1"),
    ("sy", "sy", "1"),
    ("decay", "fDecay", "0.98"),
    ("gamma", "fGammaAdj", "2"),
    ("echo_zoom", "fVideoEchoZoom", "2"),
    ("echo_alpha", "fVideoEchoAlpha", "0"),
    ("echo_orient", "nVideoEchoOrientation", "0"),
    ("wave_mode", "nWaveMode", "0"),
    ("wave_a", "fWaveAlpha", "0.8"),
    ("wave_r", "wave_r", "1"),
    ("wave_g", "wave_g", "1"),
    ("wave_b", "wave_b", "1"),
    ("wave_x", "wave_x", "0.5"),
    ("wave_y", "wave_y", "0.5"),
    ("wave_mystery", "fWaveParam", "0"),
    ("wave_usedots", "bWaveDots", "0"),
    ("wave_thick", "bWaveThick", "0"),
    ("wave_additive", "bAdditiveWaves", "0"),
    ("wave_brighten", "bMaximizeWaveColor", "1"),
    ("ob_size", "ob_size", "0.01"),
    ("ob_r", "ob_r", "0"),
    ("ob_g", "ob_g", "0"),
    ("ob_b", "ob_b", "0"),
    ("ob_a", "ob_a", "0"),
    ("ib_size", "ib_size", "0.01"),
    ("ib_r", "ib_r", "0.25"),
    ("ib_g", "ib_g", "0.25"),
    ("ib_b", "ib_b", "0.25"),
    ("ib_a", "ib_a", "0"),
    ("mv_x", "nMotionVectorsX", "12"),
    ("mv_y", "nMotionVectorsY", "9"),
    ("mv_dx", "mv_dx", "0"),
    ("mv_dy", "mv_dy", "0"),
    ("mv_l", "mv_l", "0.9"),
    ("mv_r", "mv_r", "1"),
    ("mv_g", "mv_g", "1"),
    ("mv_b", "mv_b", "1"),
    ("mv_a", "mv_a", "0"),
    ("darken_center", "bDarkenCenter", "0"),
    ("wrap", "bTexWrap", "1"),
    ("invert", "bInvert", "0"),
    ("brighten", "bBrighten", "0"),
    ("darken", "bDarken", "0"),
    ("solarize", "bSolarize", "0"),
    ("blur1_min", "b1n", "0"),
    ("blur1_max", "b1x", "1"),
];

/// How a guest's code changes when it moves to a host.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Graft {
    /// For each moved group of `q` variables, the old and the new number of its first variable.
    groups: BTreeMap<u8, u8>,
    /// Prefix for all other variables of the guest's per-frame code; `None` if that code is not needed.
    prefix: Option<String>,
}

impl Graft {
    /// Returns the graft of those parts of `guest` for which `is_guest` is true into the rest of `host`;
    /// `None` if it is impossible.
    pub fn new(host: &Genome, guest: &Genome, is_guest: impl Fn(Part) -> bool) -> Option<Self> {
        let of = |genome: &Genome, parts: &dyn Fn(Part) -> bool| -> BTreeSet<u8> {
            let shared =
                Part::ALL.into_iter().filter(|part| parts(*part)).flat_map(|part| genome.shared(part));
            shared.filter_map(|variable| group_of(*variable)).collect()
        };
        let read = of(guest, &is_guest);
        if read.is_empty() {
            return Some(Self::default());
        }
        let set = of(guest, &|part| part == Part::Motion);
        let with_code = !read.is_disjoint(&set);
        let own_memory =
            |variable: &Shared| matches!(variable, Shared::Reg(_) | Shared::Memory | Shared::LocalMemory);
        if with_code && guest.shared(Part::Motion).iter().any(own_memory) {
            return None;
        }
        let moved: BTreeSet<u8> = if with_code { &read | &set } else { read };
        let taken = of(host, &|part| !is_guest(part));
        let mut free = (1..Q_COUNT).step_by(usize::from(GROUP)).filter(|group| !taken.contains(group));
        let groups = moved.into_iter().map(|group| Some((group, free.next()?)));
        let groups = groups.collect::<Option<BTreeMap<u8, u8>>>()?;
        Some(Self { groups, prefix: with_code.then(|| prefix(host)) })
    }

    /// Returns whether the graft includes the guest's per-frame code.
    pub fn has_code(&self) -> bool {
        self.prefix.is_some()
    }

    /// Returns a line of a guest's part, with its `q` variables moved.
    pub fn line(&self, raw: &str) -> String {
        match lines(raw).next().map(|line| (line.key, line.value)) {
            Some((Key::Code(_) | Key::SlotCode(..), value)) => {
                let key = &raw[..raw.len() - value.len()];
                format!("{key}{}", rename(value, |word, _| self.moved(word)))
            }
            Some(_) | None => raw.to_owned(),
        }
    }

    /// Returns the lines of the guest's per-frame code and of its initialisation, to be appended to the
    /// host's.
    pub fn code(&self, host: &Genome, guest: &Genome) -> Vec<String> {
        let Some(prefix) = &self.prefix else { return Vec::new() };
        let mut all = Vec::new();
        for section in [CodeSection::PerFrameInit, CodeSection::PerFrame] {
            let name = section.name();
            let of = |genome: &Genome| -> Vec<String> {
                let lines = genome.lines[Part::Motion as usize].iter().filter_map(|raw| lines(raw).next());
                lines
                    .filter(|line| line.key == Key::Code(section))
                    .map(|line| line.value.to_owned())
                    .collect()
            };
            let (own, code) = (of(host), of(guest));
            let mut named = BTreeSet::new();
            let renamed: Vec<String> = code
                .iter()
                .map(|line| rename(line, |word, next| self.word(prefix, word, next, &mut named)))
                .collect();
            let value = |(name, key, usual): &(&str, &str, &str)| {
                format!("{prefix}{name} = {};", guest.value(key).unwrap_or(usual))
            };
            let values = VALUES.iter().filter(|(name, ..)| named.contains(*name)).map(value);
            // Terminates the host's last statement.
            let end = own.last().filter(|last| !last.trim_end().ends_with(';')).map(|_| ";".to_owned());
            let first = own.len() + 1;
            let code = end.into_iter().chain(values).chain(renamed);
            all.extend((first..).zip(code).map(|(number, line)| format!("{name}_{number}={line}")));
        }
        all
    }

    /// Returns the new name of a word in per-frame code; `None` if it stays unchanged. `next` is the next
    /// character that is not white space; `named` collects the words that get a prefix.
    fn word(
        &self,
        prefix: &str,
        word: &str,
        next: Option<char>,
        named: &mut BTreeSet<String>,
    ) -> Option<String> {
        if next == Some('(') || READ_ONLY.contains(&word) {
            return None;
        }
        self.moved(word).or_else(|| {
            named.insert(word.to_owned());
            Some(format!("{prefix}{word}"))
        })
    }

    /// Returns the new name of a `q` variable or of a group of them; `None` for other words, and for
    /// variables that keep their names.
    fn moved(&self, word: &str) -> Option<String> {
        let mut found = BTreeSet::new();
        Shared::collect(word, &mut found);
        let Some(&Shared::Q(number)) = found.first() else { return None };
        let group = group_of(Shared::Q(number))?;
        let to = self.groups.get(&group)?;
        Some(match found.len() {
            1 => format!("q{}", to + (number - group)),
            _ => format!("_q{}", char::from(b'a' + (to - 1) / GROUP)),
        })
    }
}

/// Returns the number of the first variable in the group of a `q` variable; `None` for other variables.
fn group_of(variable: Shared) -> Option<u8> {
    match variable {
        Shared::Q(number) => Some((number - 1) / GROUP * GROUP + 1),
        Shared::Reg(_) | Shared::Memory | Shared::LocalMemory | Shared::Blur => None,
    }
}

/// Returns a prefix that does not occur in the host's per-frame code.
fn prefix(host: &Genome) -> String {
    let code = host.lines[Part::Motion as usize].join("\n").to_lowercase();
    let prefixes = (1_u32..).map(|number| format!("bred{number}_"));
    prefixes.into_iter().find(|prefix| !code.contains(prefix)).unwrap_or_default()
}

/// Renames identifiers in a line of code, except in its comment. `name` receives each identifier in lower case and the
/// next character that is not white space; it returns the new name, or `None` to keep the identifier.
fn rename(code: &str, mut name: impl FnMut(&str, Option<char>) -> Option<String>) -> String {
    let end = code.find("//").unwrap_or(code.len());
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut renamed = String::with_capacity(code.len());
    let mut rest = &code[..end];
    let mut before = ' ';
    while let Some(first) = rest.chars().next() {
        let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        if length == 0 {
            renamed.push(first);
            before = first;
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let (word, after) = rest.split_at(length);
        // Numbers, constants such as `$PI`, and components of vectors are not names.
        let is_name = !first.is_ascii_digit() && before != '$' && before != '.';
        let new = if is_name { name(&word.to_lowercase(), after.trim_start().chars().next()) } else { None };
        renamed.push_str(new.as_deref().unwrap_or(word));
        before = word.chars().last().unwrap_or(' ');
        rest = after;
    }
    renamed.push_str(&code[end..]);
    renamed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Genome {
        Genome::read("a", text.as_bytes()).expect("a preset")
    }

    const GUEST: &str = "MILKDROP_PRESET_VERSION=201\nzoom=1.1\nper_frame_init_1=k = 3;\n\
        per_frame_1=zoom = zoom + Sin(time); // q1\nper_frame_2=q1 = zoom*k; q7=$PI\n\
        warp_1=`shader_body { ret.xyz = _qb.x * tex2D(sampler_main, uv).xyz * q1; }\n";

    #[test]
    fn the_code_that_sets_a_variable_comes_along_with_names_of_its_own() {
        let host = read("per_frame_init_1=k = 1;\nper_frame_1=q2 = bass");
        let guest = read(GUEST);
        let graft = Graft::new(&host, &guest, |part| part == Part::Warp).expect("possible");
        assert_eq!(
            graft.code(&host, &guest),
            [
                "per_frame_init_2=bred1_k = 3;",
                "per_frame_2=;",
                "per_frame_3=bred1_zoom = 1.1;",
                "per_frame_4=bred1_zoom = bred1_zoom + Sin(time); // q1",
                "per_frame_5=q5 = bred1_zoom*bred1_k; q11=$PI",
            ]
        );
        assert_eq!(
            graft.line("warp_1=`shader_body { ret.xyz = _qb.x * tex2D(sampler_main, uv).xyz * q1; }"),
            "warp_1=`shader_body { ret.xyz = _qc.x * tex2D(sampler_main, uv).xyz * q5; }"
        );
        assert_eq!(graft.line("b1n=0.1"), "b1n=0.1");
    }

    #[test]
    fn parts_without_shared_variables_need_no_code() {
        let host = read("per_frame_1=q2 = bass;");
        let graft = Graft::new(&host, &read(GUEST), |part| part == Part::Waves).expect("possible");
        assert_eq!(graft, Graft::default());
        assert!(graft.code(&host, &read(GUEST)).is_empty());
    }

    #[test]
    fn a_graft_needs_free_variables_and_no_common_memory() {
        let all: String = (1..=32).map(|number| format!("per_frame_{number}=q{number} = 1;\n")).collect();
        let warp = |part: Part| part == Part::Warp;
        assert_eq!(Graft::new(&read(&all), &read(GUEST), warp), None);
        let memory = GUEST.replace("q7=$PI", "reg01 = 1");
        assert_eq!(Graft::new(&read("zoom=1"), &read(&memory), warp), None);
        let nothing_set = GUEST.replace("q1 = zoom*k; q7=$PI", "x = 1");
        let graft = Graft::new(&read(&all[..60]), &read(&nothing_set), warp).expect("possible");
        assert!(!graft.has_code(), "its variables only move");
    }

    #[test]
    fn a_second_graft_uses_another_prefix() {
        assert_eq!(prefix(&read("per_frame_1=bred1_x = 1;")), "bred2_");
    }
}
