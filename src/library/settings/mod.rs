//! The performer's settings: a TOML file edited by hand and from the desk.
//!
//! In a file with errors, valid fields still apply; the others are reported with the expected value.

mod edit;
mod statements;

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

pub use edit::{Setting, put};

use crate::disk;
use statements::InvalidLine;

/// Name of the settings file in the config folder.
pub const SETTINGS_FILE: &str = "settings.toml";

/// Contents of a new settings file.
pub const TEMPLATE: &str = r#"# Settings of aivj. Command-line arguments override this file; omitted fields use defaults.
# Remove the # to set a field.

# Part of the name or ID of the audio input; "demo" plays the demo track.
# audio = "USB"

# Preset folder, or a pack's library-manifest.json.
# presets = "/home/me/presets"

# Texture folders.
# textures = ["/home/me/textures"]

# Folder with MILK_IMG.INI and MILK_MSG.INI: sprites and messages that can be launched.
# layers = "/home/me/layers"

# Title that can be shown, for example the name of the act.
# title = "Live tonight"

# Display that the output fills, numbered from 0, or "window" [default: a display other than the desk's].
# monitor = 1

# Audit preset files in a separate process before they are first shown.
# guard = true

# Limit flashes to three per second.
# limit_flashes = true

# Render size in pixels.
# size = [1920, 1080]

# Frame rate of the show: 30, 50, 60 or 120.
# rate = 60

# Profile: ambient, dub, drone, techno, peakRave, rock or custom.
# profile = "techno"

# How far choices stray from known favourites, 0 to 1.
# adventure = 0.5

# How long presets stay on air, as a multiple of the automatic duration, 0.25 to 4.
# dwell = 1.0

# Name of the MIDI profile set: a folder in the midi folder next to this file.
# midi = "club"

# Macro positions at the start, 0 to 1: fusion, motion, sparkle, m4 to m8.
# [macros]
# fusion = 0.5
"#;

/// The settings of a file; omitted fields are `None` or empty.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Part of the name or ID of the audio input, or `demo` for the demo track.
    pub audio: Option<String>,
    /// Preset folder, or the manifest of a pack.
    #[serde(with = "crate::disk::as_wire_paths")]
    pub presets: Option<PathBuf>,
    /// Texture folders.
    #[serde(with = "crate::disk::as_wire_paths")]
    pub textures: Vec<PathBuf>,
    /// Folder with sprites and messages.
    #[serde(with = "crate::disk::as_wire_paths")]
    pub layers: Option<PathBuf>,
    /// Title that can be shown, such as the name of the act.
    pub title: Option<String>,
    /// Where the output opens.
    pub monitor: OutputDisplay,
    /// Render size in pixels, each side from 1 to 8192.
    pub size: Option<[u32; 2]>,
    /// Frame rate of the show in Hz, one of [`RATES`].
    pub rate: Option<u32>,
    /// Name of the profile.
    pub profile: Option<String>,
    /// Whether to audit new presets before they are shown.
    pub guard: Option<bool>,
    /// Whether to limit flashes to three per second.
    pub limit_flashes: Option<bool>,
    /// How far choices stray from known favourites, 0 to 1.
    pub adventure: Option<f32>,
    /// How long presets stay on air, as a multiple of the automatic duration, within [`DWELL`].
    pub dwell: Option<f32>,
    /// Name of the MIDI profile set.
    pub midi: Option<String>,
    /// Macro positions at the start, by name, 0 to 1.
    pub macros: Vec<(String, f32)>,
}

/// Where the output opens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum OutputDisplay {
    /// Full screen on the first display other than the desk's; in a window if there is only one.
    #[default]
    Automatic,
    /// In a window.
    Window,
    /// Full screen on this display, numbered from 0.
    Number(usize),
}

impl std::str::FromStr for OutputDisplay {
    type Err = &'static str;

    /// Parses a number, `window` or `automatic`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "automatic" => Ok(Self::Automatic),
            "window" => Ok(Self::Window),
            _ => text.parse().map(Self::Number).map_err(|_| "must be a number from 0, or \"window\""),
        }
    }
}

/// Names of the known fields.
const FIELDS: [&str; 15] = [
    "audio",
    "presets",
    "textures",
    "layers",
    "title",
    "monitor",
    "size",
    "rate",
    "guard",
    "limit_flashes",
    "profile",
    "adventure",
    "dwell",
    "midi",
    "macros",
];

/// Possible values of the rate setting, in Hz.
pub const RATES: [u32; 4] = [30, 50, 60, 120];
/// Minimum and maximum of the dwell setting.
pub const DWELL: (f32, f32) = (0.25, 4.0);

impl Settings {
    /// Reads the settings file in `folder`; returns the settings and a message per problem. Without a file,
    /// returns the defaults.
    pub fn read(folder: &Path) -> (Self, Vec<String>) {
        let path = folder.join(SETTINGS_FILE);
        let problem = |why: String| format!("{}: {why}", path.display());
        match disk::read_text(&path, disk::limit::TEXT) {
            Ok(text) => {
                let (settings, problems) = Self::parse(&text);
                (settings, problems.into_iter().map(problem).collect())
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => (Self::default(), Vec::new()),
            Err(error) => {
                let settings = Self { guard: Some(true), limit_flashes: Some(true), ..Self::default() };
                (settings, vec![problem(format!("{error}; using defaults, with guard and limit_flashes on"))])
            }
        }
    }

    /// Parses a settings file; returns the settings and a message per problem.
    pub fn parse(text: &str) -> (Self, Vec<String>) {
        let mut problems = Vec::new();
        let (table, invalid) = statements::parse(text);
        problems.extend(invalid.iter().map(|line| format!("line {}: {}; ignored", line.at + 1, line.why)));
        for name in table.keys().filter(|name| !FIELDS.contains(&name.as_str())) {
            problems.push(format!("unknown setting {name:?}; expected one of {}", FIELDS.join(", ")));
        }
        let mut settings = Self {
            audio: field(&table, "audio", "a string", &mut problems),
            presets: field(&table, "presets", "a path in quotes", &mut problems),
            textures: field(&table, "textures", "a list of paths", &mut problems).unwrap_or_default(),
            layers: field(&table, "layers", "a path in quotes", &mut problems),
            title: field(&table, "title", "a string", &mut problems),
            monitor: monitor(&table, &mut problems),
            size: field(&table, "size", "two integers, for example [1280, 720]", &mut problems),
            rate: field(&table, "rate", "30, 50, 60 or 120", &mut problems),
            guard: field(&table, "guard", "true or false", &mut problems),
            limit_flashes: field(&table, "limit_flashes", "true or false", &mut problems),
            dwell: field(&table, "dwell", "a number from 0.25 to 4", &mut problems),
            midi: field(&table, "midi", "a string", &mut problems),
            profile: field(&table, "profile", "a string", &mut problems),
            adventure: field(&table, "adventure", "a number from 0 to 1", &mut problems),
            macros: Vec::new(),
        };
        let lines: Vec<&str> = text.lines().collect();
        for (name, value) in [("guard", &mut settings.guard), ("limit_flashes", &mut settings.limit_flashes)]
        {
            fail_closed(name, value, &lines, &invalid, &mut problems);
        }
        if settings.size.is_some_and(|size| size.iter().any(|side| !(1..=8192).contains(side))) {
            problems.push("size: each side must be from 1 to 8192; using the default".into());
            settings.size = None;
        }
        if settings.rate.is_some_and(|rate| !RATES.contains(&rate)) {
            problems.push("rate: must be 30, 50, 60 or 120; using the default".into());
            settings.rate = None;
        }
        if settings.adventure.is_some_and(|value| !(0.0..=1.0).contains(&value)) {
            problems.push("adventure: must be from 0 to 1; using the default".into());
            settings.adventure = None;
        }
        if settings.dwell.is_some_and(|value| !(DWELL.0..=DWELL.1).contains(&value)) {
            problems.push("dwell: must be from 0.25 to 4; using the default".into());
            settings.dwell = None;
        }
        if settings.midi.as_deref().is_some_and(|name| !plain_name(name)) {
            problems.push(
                "midi: must be a name of letters, digits, spaces, dashes and underscores; using the default"
                    .into(),
            );
            settings.midi = None;
        }
        let macros: Option<Table> = field(&table, "macros", "a section of numbers", &mut problems);
        for (name, value) in macros.unwrap_or_default() {
            match number(&value).filter(|value| (0.0..=1.0).contains(value)) {
                Some(value) => settings.macros.push((name, value)),
                None => problems.push(format!("macros.{name}: must be a number from 0 to 1; ignored")),
            }
        }
        (settings, problems)
    }
}

/// Turns on a safety setting that cannot be read because a line that sets it is invalid, has a value of the
/// wrong type, or is in a section.
fn fail_closed(
    name: &str,
    value: &mut Option<bool>,
    lines: &[&str],
    invalid: &[InvalidLine],
    problems: &mut Vec<String>,
) {
    let sets = |line: &&str| statements::sets(line, name);
    let unread = value.is_none() && lines.iter().any(sets);
    if unread || invalid.iter().any(|invalid| lines.get(invalid.at).is_some_and(sets)) {
        problems.push(format!("{name}: could not be read; turned on for safety"));
        *value = Some(true);
    }
}

/// Returns whether `name` is not blank, is at most 64 bytes long and contains only letters, digits, spaces,
/// dashes and underscores, which are valid in folder names on every platform.
pub fn plain_name(name: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    !name.trim().is_empty() && name.len() <= 64 && name.chars().all(plain)
}

fn monitor(table: &Table, problems: &mut Vec<String>) -> OutputDisplay {
    let Some(value) = table.get("monitor") else { return OutputDisplay::default() };
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    text.parse().unwrap_or_else(|why| {
        problems.push(format!("monitor: {why}; using the default"));
        OutputDisplay::default()
    })
}

fn number(value: &Value) -> Option<f32> {
    value.as_float().or_else(|| value.as_integer().map(|whole| whole as f64)).map(|number| number as f32)
}

fn field<T: DeserializeOwned>(
    table: &Table,
    name: &str,
    wanted: &str,
    problems: &mut Vec<String>,
) -> Option<T> {
    let value = table.get(name)?;
    // Integers are accepted where floats are expected.
    let read = value.clone().try_into().or_else(|error| match number(value) {
        Some(number) => Value::Float(f64::from(number)).try_into(),
        None => Err(error),
    });
    match read {
        Ok(value) => Some(value),
        Err(_) => {
            problems.push(format!("{name}: must be {wanted}; using the default"));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valid_fields_apply_and_the_others_are_reported() {
        let (settings, problems) = Settings::parse(
            "audio = \"USB\"\nmonitor = \"two\"\nadventure = 1\nsize = [640, 0]\nrate = 61\ncolour = 3\n\
             [macros]\nfusion = 0.25\nmotion = 7\n",
        );
        assert_eq!((settings.audio.as_deref(), settings.adventure), (Some("USB"), Some(1.0)));
        assert_eq!((settings.monitor, settings.size, settings.rate), (OutputDisplay::Automatic, None, None));
        let monitor = |text: &str| Settings::parse(text).0.monitor;
        assert_eq!(monitor("monitor = 1"), OutputDisplay::Number(1));
        assert_eq!(monitor("monitor = \"window\""), OutputDisplay::Window);
        assert_eq!(settings.macros, [("fusion".to_owned(), 0.25)]);
        assert_eq!(problems.len(), 5, "{problems:?}");
        assert!(problems.iter().any(|problem| problem.contains("colour")));
    }

    #[test]
    fn a_line_with_a_syntax_error_is_named_and_the_others_apply() {
        let (settings, problems) = Settings::parse("limit_flashes = true\n\naudio = USB\ndwell = 2.0\n");
        assert_eq!((settings.limit_flashes, settings.audio, settings.dwell), (Some(true), None, Some(2.0)));
        assert!(problems.len() == 1 && problems[0].starts_with("line 3: "), "{problems:?}");
        let (settings, problems) = Settings::parse("textures = [\"a\"\nguard = false\nmidi = \"club\"");
        assert_eq!((settings.guard, settings.midi.as_deref()), (Some(false), Some("club")));
        assert!(problems.len() == 1 && problems[0].starts_with("line 1: "), "{problems:?}");
    }

    #[test]
    fn a_safety_setting_that_cannot_be_read_is_on() {
        for text in [
            "limit_flashes = off\nguard = no",
            "limit_flashes = \"false\"\nguard = 0",
            "limit_flashes = false\nlimit_flashes = true\nguard false",
            "[macros]\nfusion = 0.5\nlimit_flashes = false\nguard = false",
            "Limit-Flashes = false\n\"guard\" = [false",
        ] {
            let (settings, problems) = Settings::parse(text);
            assert_eq!((settings.guard, settings.limit_flashes), (Some(true), Some(true)), "{text}");
            assert!(problems.len() >= 2, "{text}: {problems:?}");
        }
        let off = Settings::parse("limit_flashes = false\naudio = USB\nguard = false").0;
        assert_eq!((off.guard, off.limit_flashes), (Some(false), Some(false)));
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join(SETTINGS_FILE)).expect("made");
        let (settings, problems) = Settings::read(folder.path());
        assert_eq!((settings.guard, settings.limit_flashes, problems.len()), (Some(true), Some(true), 1));
    }

    #[test]
    fn a_file_made_on_windows_is_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let text: Vec<u8> = "\u{feff}dwell = 2.0\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        std::fs::write(folder.path().join(SETTINGS_FILE), text).expect("written");
        let wanted = Settings { dwell: Some(2.0), ..Settings::default() };
        assert_eq!(Settings::read(folder.path()), (wanted, Vec::new()));
    }

    #[test]
    fn the_template_is_valid_as_is_and_with_every_field_set() {
        assert_eq!(Settings::parse(TEMPLATE), (Settings::default(), Vec::new()));
        let set = TEMPLATE.lines().map(|line| match line.strip_prefix("# ") {
            Some(field) if field.contains(" = ") || field.starts_with('[') => field,
            _ => line,
        });
        let set: Vec<&str> = set.collect();
        let (settings, problems) = Settings::parse(&set.join("\n"));
        assert_eq!(problems, Vec::<String>::new());
        assert_eq!((settings.size, settings.macros.len()), (Some([1920, 1080]), 1));
    }
}
