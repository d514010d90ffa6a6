//! The performer's settings: a TOML file that is edited by hand and from the desk, which touches only the line it means.
//!
//! A file with errors still counts: fields that can be read are used, the others are told with what to write instead.

mod edit;

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use toml::{Table, Value};

pub use edit::{Setting, put};

/// Name of the file in the config folder.
pub const SETTINGS_FILE: &str = "settings.toml";

/// What a new file says.
pub const TEMPLATE: &str = r#"# Settings of aivj. Arguments on the command line win over this file; a field that is left out
# is chosen by the program. Take the # away to set a field.

# Part of the name of the input to listen to; "demo" plays the demo track.
# audio = "USB"

# A folder of presets, or a pack's library-manifest.json.
# presets = "/home/me/presets"

# Folders with images for presets.
# textures = ["/home/me/textures"]

# Screen the output fills at once, counted from 0.
# monitor = 1

# Audit a preset from a file in a process of its own before it is shown for the first time.
# guard = true

# Hold flashes of the whole picture to three a second.
# limit_flashes = true

# Pixels of the picture.
# size = [1920, 1080]

# The kind of night: ambient, dub, drone, techno, peakRave, rock or custom.
# profile = "techno"

# How far the choice strays from what is known to please, 0 to 1.
# adventure = 0.5

# How long presets stay, as a multiple of what suits the music, 0.25 to 4.
# dwell = 1.0

# Name of the set of MIDI profiles: a folder in the settings folder's midi folder.
# midi = "club"

# Where the macros stand at the start, 0 to 1: fusion, motion, sparkle, m4 to m8.
# [macros]
# fusion = 0.5
"#;

/// What the file says; nothing where it says nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// Part of the name of the input to listen to.
    pub audio: Option<String>,
    /// A folder of presets, or a pack's manifest.
    pub presets: Option<PathBuf>,
    /// Folders with images for presets.
    pub textures: Vec<PathBuf>,
    /// Screen the output fills at once, counted from 0.
    pub monitor: Option<usize>,
    /// Pixels of the picture, each side from 1 to 8192.
    pub size: Option<[u32; 2]>,
    /// The kind of night, by its name.
    pub profile: Option<String>,
    /// Audit unknown presets before they are shown.
    pub guard: Option<bool>,
    /// Hold flashes to three a second.
    pub limit_flashes: Option<bool>,
    /// How far the choice strays, 0 to 1.
    pub adventure: Option<f32>,
    /// How long presets stay, as a multiple of what suits the music, from [`DWELL`].0 to [`DWELL`].1.
    pub dwell: Option<f32>,
    /// Name of the set of MIDI profiles.
    pub midi: Option<String>,
    /// Where macros stand at the start, by name, 0 to 1.
    pub macros: Vec<(String, f32)>,
}

/// The fields a file may have.
const FIELDS: [&str; 12] = [
    "audio",
    "presets",
    "textures",
    "monitor",
    "size",
    "guard",
    "limit_flashes",
    "profile",
    "adventure",
    "dwell",
    "midi",
    "macros",
];

/// Shortest and longest stay of presets, as multiples of what suits the music.
pub const DWELL: (f32, f32) = (0.25, 4.0);

impl Settings {
    /// Reads the file in `folder`, with what is wrong with it; no file is no settings.
    pub fn read(folder: &Path) -> (Self, Vec<String>) {
        let path = folder.join(SETTINGS_FILE);
        let problem = |why: String| format!("{}: {why}", path.display());
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                let (settings, problems) = Self::parse(&text);
                (settings, problems.into_iter().map(problem).collect())
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => (Self::default(), Vec::new()),
            Err(error) => (Self::default(), vec![problem(format!("{error}; the defaults are used"))]),
        }
    }

    /// Reads a file's text.
    pub fn parse(text: &str) -> (Self, Vec<String>) {
        let table: Table = match text.parse() {
            Ok(table) => table,
            Err(error) => {
                let why = error.to_string();
                let why = why.trim().lines().next().unwrap_or_default().to_owned();
                return (Self::default(), vec![format!("{why}; the defaults are used")]);
            }
        };
        let mut problems = Vec::new();
        for name in table.keys().filter(|name| !FIELDS.contains(&name.as_str())) {
            problems.push(format!("there is no setting {name:?}; known are {}", FIELDS.join(", ")));
        }
        let mut settings = Self {
            audio: field(&table, "audio", "a text", &mut problems),
            presets: field(&table, "presets", "a path in quotes", &mut problems),
            textures: field(&table, "textures", "a list of paths", &mut problems).unwrap_or_default(),
            monitor: field(&table, "monitor", "a whole number from 0", &mut problems),
            size: field(&table, "size", "two whole numbers, for example [1280, 720]", &mut problems),
            guard: field(&table, "guard", "true or false", &mut problems),
            limit_flashes: field(&table, "limit_flashes", "true or false", &mut problems),
            dwell: field(&table, "dwell", "a number from 0.25 to 4", &mut problems),
            midi: field(&table, "midi", "a text", &mut problems),
            profile: field(&table, "profile", "a text", &mut problems),
            adventure: field(&table, "adventure", "a number from 0 to 1", &mut problems),
            macros: Vec::new(),
        };
        if settings.size.is_some_and(|size| size.iter().any(|side| !(1..=8192).contains(side))) {
            problems.push("size: each side has to be from 1 to 8192; the default is used".into());
            settings.size = None;
        }
        if settings.adventure.is_some_and(|value| !(0.0..=1.0).contains(&value)) {
            problems.push("adventure: it has to be from 0 to 1; the default is used".into());
            settings.adventure = None;
        }
        if settings.dwell.is_some_and(|value| !(DWELL.0..=DWELL.1).contains(&value)) {
            problems.push("dwell: it has to be from 0.25 to 4; the default is used".into());
            settings.dwell = None;
        }
        if settings.midi.as_deref().is_some_and(|name| !plain_name(name)) {
            problems.push("midi: it has to be a name of letters, digits, spaces and dashes".into());
            settings.midi = None;
        }
        let macros: Option<Table> = field(&table, "macros", "a section of numbers", &mut problems);
        for (name, value) in macros.unwrap_or_default() {
            match number(&value).filter(|value| (0.0..=1.0).contains(value)) {
                Some(value) => settings.macros.push((name, value)),
                None => problems.push(format!("macros.{name}: it has to be a number from 0 to 1")),
            }
        }
        (settings, problems)
    }
}

/// Whether this can be the name of a folder on every system.
pub fn plain_name(name: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    !name.trim().is_empty() && name.len() <= 64 && name.chars().all(plain)
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
    // A whole number where a number is asked for is one.
    let read = value.clone().try_into().or_else(|error| match number(value) {
        Some(number) => Value::Float(f64::from(number)).try_into(),
        None => Err(error),
    });
    match read {
        Ok(value) => Some(value),
        Err(_) => {
            problems.push(format!("{name}: it has to be {wanted}; the default is used"));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_that_can_be_read_are_used_and_the_others_are_told() {
        let (settings, problems) = Settings::parse(
            "audio = \"USB\"\nmonitor = \"two\"\nadventure = 1\nsize = [640, 0]\ncolour = 3\n\
             [macros]\nfusion = 0.25\nmotion = 7\n",
        );
        assert_eq!((settings.audio.as_deref(), settings.adventure), (Some("USB"), Some(1.0)));
        assert_eq!((settings.monitor, settings.size), (None, None));
        assert_eq!(settings.macros, [("fusion".to_owned(), 0.25)]);
        assert_eq!(problems.len(), 4, "{problems:?}");
        assert!(problems.iter().any(|problem| problem.contains("colour")));
    }

    #[test]
    fn a_file_that_is_no_toml_gives_the_defaults_and_a_line() {
        let (settings, problems) = Settings::parse("audio = 3\nsize");
        assert_eq!(settings, Settings::default());
        assert!(problems[0].contains("line 2"), "{problems:?}");
    }

    #[test]
    fn the_template_is_right_as_it_is_and_with_every_field_set() {
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
