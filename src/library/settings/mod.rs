//! The performer's settings: a TOML file edited by hand and from the desk.
//!
//! In a file with errors, valid fields still apply; the others are reported with the expected value.

mod edit;

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

pub use edit::{Setting, put};

use crate::disk;
use crate::library::edited::Problem;
use crate::library::statements::{self, Document, InvalidLine};

/// Name of the settings file in the config folder.
pub const SETTINGS_FILE: &str = "settings.toml";

/// Contents of a new settings file.
pub const TEMPLATE: &str = r#"# Settings for aivj. Command-line arguments override this file; omitted fields use defaults.
# Remove the # to set a field.

# Part of the name or ID of the audio input; "demo" plays the demo track.
# audio = "USB"

# Delay of the audio input in milliseconds, -500 to 500; `aivj calibrate` measures it.
# input_delay_ms = 20

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

# Limit flashes to three per second, and soften harmful regular patterns.
# limit_flashes = true

# Render size in pixels.
# size = [1920, 1080]

# Columns and rows of the warp mesh, or "auto": 48 and 36 or, with a graphics card, up to one vertex every eight pixels.
# mesh = [96, 72]

# Keep 16 bits per colour channel between frames, without banding; needs more graphics memory.
# deep_color = true

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
    /// Delay of the audio input in milliseconds, within [`INPUT_DELAY_MS`].
    pub input_delay_ms: Option<f32>,
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
    /// Columns and rows of the warp mesh, each from 4 to 1024 [default: depends on the graphics device].
    pub mesh: Option<[u32; 2]>,
    /// Whether presets keep 16 bits per colour channel between frames.
    pub deep_color: Option<bool>,
    /// Frame rate of the show in Hz, one of [`RATES`].
    pub rate: Option<u32>,
    /// Name of the profile.
    pub profile: Option<String>,
    /// Whether to audit new presets before they are shown.
    pub guard: Option<bool>,
    /// Whether to limit flashes to three per second, and to soften harmful regular patterns.
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
            _ => text
                .parse()
                .map(Self::Number)
                .map_err(|_| "must be a number from 0, \"window\" or \"automatic\""),
        }
    }
}

/// Names of the known fields.
const FIELDS: [&str; 18] = [
    "audio",
    "input_delay_ms",
    "presets",
    "textures",
    "layers",
    "title",
    "monitor",
    "size",
    "mesh",
    "deep_color",
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
/// Minimum and maximum of the input delay setting, in milliseconds.
pub const INPUT_DELAY_MS: (f32, f32) = (-500.0, 500.0);
/// Minimum and maximum of the dwell setting.
pub const DWELL: (f32, f32) = (0.25, 4.0);
/// Possible values of the profile setting.
pub const PROFILES: [&str; 7] = ["ambient", "dub", "drone", "techno", "peakRave", "rock", "custom"];
/// Names of the macros.
pub const MACROS: [&str; 8] = ["fusion", "motion", "sparkle", "m4", "m5", "m6", "m7", "m8"];
/// Settings that count as on if they cannot be read.
const SAFETY: [&str; 2] = ["guard", "limit_flashes"];

impl Settings {
    /// Reads the settings file in `folder`; returns the settings and a message per problem. If there is no
    /// file, returns the defaults; if the file cannot be read, also turns on `guard` and `limit_flashes`.
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
        let document = Document::parse(text);
        let is_safety = |line: &&InvalidLine| SAFETY.iter().any(|name| line.sets(name));
        let ignored = document.invalid.iter().filter(|line| !is_safety(line)).map(InvalidLine::problem);
        let mut fields = Fields { document: &document, problems: ignored.collect() };
        for name in document.table.keys().filter(|name| !FIELDS.contains(&name.as_str())) {
            let known = FIELDS.join(", ");
            fields.report(&[name], format!("unknown setting; expected one of {known}; ignored"));
        }
        let monitor =
            fields.get("monitor", "a number from 0, \"window\" or \"automatic\"", |value: &Value| {
                display(value).is_some()
            });
        let mesh = fields.get(
            "mesh",
            "\"auto\" or two integers from 4 to 1024, for example [96, 72]",
            |value: &Value| mesh_size(value).is_some(),
        );
        let mut settings = Self {
            audio: fields.get("audio", "a string", |_: &String| true),
            input_delay_ms: fields.get("input_delay_ms", "a number from -500 to 500", |value: &f32| {
                (INPUT_DELAY_MS.0..=INPUT_DELAY_MS.1).contains(value)
            }),
            presets: fields.get("presets", "a path in quotes", |_: &PathBuf| true),
            textures: fields.get("textures", "a list of paths", |_: &Vec<PathBuf>| true).unwrap_or_default(),
            layers: fields.get("layers", "a path in quotes", |_: &PathBuf| true),
            title: fields.get("title", "a string", |_: &String| true),
            monitor: monitor.as_ref().and_then(display).unwrap_or_default(),
            size: fields.get(
                "size",
                "two integers from 1 to 8192, for example [1280, 720]",
                |size: &[u32; 2]| size.iter().all(|side| (1..=8192).contains(side)),
            ),
            mesh: mesh.as_ref().and_then(mesh_size).flatten(),
            deep_color: fields.get("deep_color", "true or false", |_: &bool| true),
            rate: fields.get("rate", "30, 50, 60 or 120", |rate: &u32| RATES.contains(rate)),
            guard: fields.safety("guard", text),
            limit_flashes: fields.safety("limit_flashes", text),
            profile: fields.get("profile", &format!("one of {}", PROFILES.join(", ")), |name: &String| {
                PROFILES.contains(&name.as_str())
            }),
            adventure: fields
                .get("adventure", "a number from 0 to 1", |value: &f32| (0.0..=1.0).contains(value)),
            dwell: fields
                .get("dwell", "a number from 0.25 to 4", |value: &f32| (DWELL.0..=DWELL.1).contains(value)),
            midi: fields.get(
                "midi",
                "a name of letters, digits, spaces, dashes and underscores",
                |name: &String| plain_name(name),
            ),
            macros: Vec::new(),
        };
        let macros: Option<Table> = fields.get("macros", "a section of numbers", |_: &Table| true);
        for (name, value) in macros.unwrap_or_default() {
            let position = number(&value).filter(|value| (0.0..=1.0).contains(value));
            match position {
                _ if !MACROS.contains(&name.as_str()) => {
                    let known = MACROS.join(", ");
                    fields.report(
                        &["macros", &name],
                        format!("unknown macro; expected one of {known}; ignored"),
                    );
                }
                Some(position) => settings.macros.push((name, position)),
                None => fields.report(&["macros", &name], "must be a number from 0 to 1; ignored"),
            }
        }
        let mut problems = fields.problems;
        problems.sort_by_key(|problem| problem.line);
        (settings, problems.iter().map(Problem::to_string).collect())
    }

    /// Returns the folder of the selected set of MIDI profiles; `config` is the settings folder.
    pub fn midi_folder(&self, config: &Path) -> PathBuf {
        let usual = config.join("midi");
        self.midi.as_ref().map_or_else(|| usual.clone(), |name| usual.join(name))
    }

    /// Returns a message for each file or folder in these settings that cannot be found; `config` is the
    /// settings folder.
    pub fn missing(&self, config: &Path) -> Vec<String> {
        let mut messages = Vec::new();
        let mut check = |name: &str, path: &Path, instead: &str| {
            if let Err(error) = disk::kind(path) {
                let file = config.join(SETTINGS_FILE);
                messages.push(format!(
                    "{}: {name}: cannot open {} ({error}); {instead}",
                    file.display(),
                    path.display()
                ));
            }
        };
        if let Some(presets) = &self.presets {
            check("presets", presets, "the built-in presets play until it is back");
        }
        for folder in &self.textures {
            check("textures", folder, "its textures are unavailable");
        }
        if let Some(layers) = &self.layers {
            check("layers", layers, "no sprites or messages are available");
        }
        if self.midi.is_some() {
            check(
                "midi",
                &self.midi_folder(config),
                "devices start without bindings until MIDI learn creates it",
            );
        }
        messages
    }
}

/// A reader of settings fields that collects the problems it finds.
struct Fields<'a> {
    document: &'a Document,
    problems: Vec<Problem>,
}

impl Fields<'_> {
    fn report(&mut self, path: &[&str], why: impl Into<String>) {
        self.problems.push(Problem::new(self.document.line(path), &path.join("."), why));
    }

    /// Returns a field if it is present and valid. If it is invalid, reports that it must be `wanted`.
    fn get<T: DeserializeOwned>(&mut self, name: &str, wanted: &str, valid: fn(&T) -> bool) -> Option<T> {
        let value = self.document.table.get(name)?;
        // Integers are accepted where floats are expected.
        let read: Result<T, toml::de::Error> =
            value.clone().try_into().or_else(|error| match number(value) {
                Some(number) => Value::Float(f64::from(number)).try_into(),
                None => Err(error),
            });
        let read = read.ok().filter(valid);
        if read.is_none() {
            self.report(&[name], format!("must be {wanted}; using the default"));
        }
        read
    }

    /// Returns a safety setting; `None` if no line sets it. It is on if a line that sets it is invalid, has a value
    /// of the wrong type, spells the name differently, or is in a section.
    fn safety(&mut self, name: &str, text: &str) -> Option<bool> {
        let mut unread: Vec<(usize, &str)> = self
            .document
            .invalid
            .iter()
            .filter(|invalid| invalid.sets(name))
            .map(|invalid| (invalid.line, invalid.why.as_str()))
            .collect();
        if unread.is_empty() {
            unread.push(match self.document.table.get(name) {
                Some(Value::Boolean(on)) => return Some(*on),
                Some(_) => (self.document.line(&[name]), "must be true or false"),
                None => {
                    let at = text.lines().position(|line| statements::sets(line, name))?;
                    (at + 1, "must be spelled exactly like this and come before all sections")
                }
            });
        }
        let on =
            |(line, why): (usize, &str)| Problem::new(line, name, format!("{why}; turned on for safety"));
        self.problems.extend(unread.into_iter().map(on));
        Some(true)
    }
}

/// Returns whether `name` is not blank, is at most 64 bytes long and contains only letters, digits, spaces,
/// dashes and underscores, which are valid in folder names on every platform.
pub fn plain_name(name: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    !name.trim().is_empty() && name.len() <= 64 && name.chars().all(plain)
}

/// Returns the size of a warp mesh, or `Some(None)` for an automatic size; `None` if the value is invalid.
fn mesh_size(value: &Value) -> Option<Option<[u32; 2]>> {
    if value.as_str() == Some("auto") {
        return Some(None);
    }
    let size: [u32; 2] = value.clone().try_into().ok()?;
    size.iter().all(|count| (4..=1024).contains(count)).then_some(Some(size))
}

fn display(value: &Value) -> Option<OutputDisplay> {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned).parse().ok()
}

fn number(value: &Value) -> Option<f32> {
    value.as_float().or_else(|| value.as_integer().map(|whole| whole as f64)).map(|number| number as f32)
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
        let places: Vec<_> = problems.iter().filter_map(|problem| problem.split(": ").next()).collect();
        let wanted =
            ["line 2, monitor", "line 4, size", "line 5, rate", "line 6, colour", "line 9, macros.motion"];
        assert_eq!(places, wanted, "{problems:?}");
    }

    #[test]
    fn the_mesh_is_automatic_or_two_numbers() {
        let mesh = |text: &str| {
            let (settings, problems) = Settings::parse(text);
            (settings.mesh, problems.len())
        };
        assert_eq!([mesh(""), mesh("mesh = \"auto\"")], [(None, 0), (None, 0)]);
        assert_eq!(mesh("mesh = [96, 72]"), (Some([96, 72]), 0));
        for wrong in ["mesh = [96, 2]", "mesh = [96]", "mesh = 96", "mesh = \"dense\"", "mesh = [2000, 72]"] {
            assert_eq!(mesh(wrong), (None, 1), "{wrong}");
        }
    }

    #[test]
    fn the_input_delay_may_be_negative_but_not_out_of_range() {
        let delay = |text: &str| Settings::parse(text).0.input_delay_ms;
        assert_eq!(delay("input_delay_ms = -20"), Some(-20.0));
        assert_eq!(delay("input_delay_ms = 37.5"), Some(37.5));
        assert_eq!(delay("input_delay_ms = 900"), None);
    }

    #[test]
    fn unknown_names_are_reported() {
        let (settings, problems) = Settings::parse("profile = \"Techno\"\n[macros]\nglow = 0.5\nm4 = 1\n");
        assert_eq!((settings.profile, settings.macros), (None, vec![("m4".to_owned(), 1.0)]));
        let places: Vec<_> = problems.iter().filter_map(|problem| problem.split(": ").next()).collect();
        assert_eq!(places, ["line 1, profile", "line 3, macros.glow"], "{problems:?}");
    }

    #[test]
    fn missing_folders_are_reported() {
        let folder = tempfile::tempdir().expect("a folder");
        let missing = |text: &str| Settings::parse(text).0.missing(folder.path());
        assert_eq!(missing(""), Vec::<String>::new());
        assert_eq!(missing("midi = \"club\"").len(), 1);
        std::fs::create_dir_all(folder.path().join("midi/club")).expect("made");
        assert_eq!(missing("midi = \"club\""), Vec::<String>::new());
        let gone = "presets = '/no/p'\ntextures = ['/no/t', '/no/u']\nlayers = '/no/l'";
        assert_eq!(missing(gone).len(), 4);
        assert!(missing(gone)[0].contains("the built-in presets play"), "{:?}", missing(gone));
    }

    #[test]
    fn a_line_with_a_syntax_error_is_reported_and_the_others_apply() {
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
        for (text, why) in [
            ("guard = \"yes\"", "line 1, guard: must be true or false"),
            ("guard = nope", "line 1, guard: the value is not valid TOML (text needs quotes)"),
        ] {
            let problems = Settings::parse(text).1;
            assert_eq!(problems, [format!("{why}; turned on for safety")]);
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
