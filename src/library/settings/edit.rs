//! One setting written into the file: its line is changed, everything else in the file stays as the performer wrote it.

use std::io::Write as _;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::de::DeTable;

use super::{SETTINGS_FILE, Settings, TEMPLATE};
use crate::library::whole_file::{self, FileError};

/// A setting as the desk changes it; nothing lets the program choose.
#[derive(Clone, Debug, PartialEq)]
pub enum Setting {
    /// Part of the name of the input to listen to.
    Audio(Option<String>),
    /// A folder of presets, or a pack's manifest; the built-in ones without.
    Presets(Option<PathBuf>),
    /// Screen the output fills, counted from 0; a window without.
    Monitor(Option<usize>),
    /// Audit unknown presets before they are shown.
    Guard(bool),
    /// Hold flashes to three a second.
    LimitFlashes(bool),
    /// The kind of night, by its name.
    Profile(String),
    /// How far the choice strays, 0 to 1.
    Adventure(f32),
    /// How long presets stay, as a multiple of what suits the music.
    Dwell(f32),
    /// Name of the set of MIDI profiles; the usual one without.
    Midi(Option<String>),
}

impl Setting {
    /// The field's name in the file.
    fn name(&self) -> &'static str {
        match self {
            Self::Audio(_) => "audio",
            Self::Presets(_) => "presets",
            Self::Monitor(_) => "monitor",
            Self::Guard(_) => "guard",
            Self::LimitFlashes(_) => "limit_flashes",
            Self::Profile(_) => "profile",
            Self::Adventure(_) => "adventure",
            Self::Dwell(_) => "dwell",
            Self::Midi(_) => "midi",
        }
    }

    /// The value as it is written; nothing when the field goes.
    fn written(&self) -> Option<String> {
        let text = |text: &str| toml::Value::String(text.to_owned()).to_string();
        match self {
            Self::Audio(name) | Self::Midi(name) => name.as_deref().map(text),
            Self::Presets(path) => path.as_deref().map(|path| text(&path.to_string_lossy())),
            Self::Monitor(number) => number.map(|number| number.to_string()),
            Self::Guard(on) | Self::LimitFlashes(on) => Some(on.to_string()),
            Self::Profile(name) => Some(text(name)),
            Self::Adventure(value) | Self::Dwell(value) => Some(format!("{value:.2}")),
        }
    }

    /// Changes `settings` as it changes the file.
    pub fn apply(&self, settings: &mut Settings) {
        match self.clone() {
            Self::Audio(name) => settings.audio = name,
            Self::Presets(path) => settings.presets = path,
            Self::Monitor(number) => settings.monitor = number,
            Self::Guard(on) => settings.guard = Some(on),
            Self::LimitFlashes(on) => settings.limit_flashes = Some(on),
            Self::Profile(name) => settings.profile = Some(name),
            Self::Adventure(value) => settings.adventure = Some(value),
            Self::Dwell(value) => settings.dwell = Some(value),
            Self::Midi(name) => settings.midi = name,
        }
    }
}

/// Writes a setting into the file in `folder`, whole or not at all; a new file begins with an explanation of every
/// field. A file that is no TOML is left as it is.
pub fn put(folder: &Path, setting: &Setting) -> Result<(), FileError> {
    let path = folder.join(SETTINGS_FILE);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => TEMPLATE.to_owned(),
        Err(error) => return Err(FileError::new(&path, &error)),
    };
    let text = edited(&text, setting).map_err(|why| FileError::new(&path, &why))?;
    whole_file::replace(&path, |out| out.write_all(text.as_bytes()))
}

/// The text with one field changed.
fn edited(text: &str, setting: &Setting) -> Result<String, String> {
    let table = DeTable::parse(text).map_err(|error| {
        let why = error.message();
        format!("it is not written as settings are ({why}); the setting holds for tonight, mend the file to keep it")
    })?;
    let name = setting.name();
    let there = table.get_ref().iter().find(|(key, _)| key.get_ref() == name);
    let place = there.map(|(key, value)| key.span().start..value.span().end);
    let first_section = table.get_ref().values().filter(|value| value.get_ref().is_table());
    let first_section = first_section.map(|value| line_at(text, value.span().start).start).min();
    let line = setting.written().map(|value| format!("{name} = {value}"));
    Ok(match (place, line) {
        (Some(place), Some(line)) => spliced(text, place, &line),
        (Some(place), None) => {
            let whole = line_at(text, place.start).start..line_at(text, place.end).end;
            spliced(text, whole, "")
        }
        (None, None) => text.to_owned(),
        (None, Some(line)) => {
            let above = &text[..first_section.unwrap_or(text.len())];
            // Below its explanation, where the file has one; else above the first section.
            let example = format!("# {name} = ");
            match above.rfind(&example).map(|at| line_at(text, at)) {
                Some(place) => spliced(text, place, &format!("{line}\n")),
                None => {
                    let gap = if above.is_empty() || above.ends_with('\n') { "" } else { "\n" };
                    spliced(text, above.len()..above.len(), &format!("{gap}{line}\n"))
                }
            }
        }
    })
}

/// The line around a byte, with its end.
fn line_at(text: &str, at: usize) -> Range<usize> {
    let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let end = text[at..].find('\n').map_or(text.len(), |end| at + end + 1);
    start..end
}

fn spliced(text: &str, place: Range<usize>, new: &str) -> String {
    format!("{}{new}{}", &text[..place.start], &text[place.end..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<Setting> {
        vec![
            Setting::Audio(Some("USB \"2\"".into())),
            Setting::Presets(Some("/p/a b".into())),
            Setting::Monitor(Some(1)),
            Setting::Guard(false),
            Setting::LimitFlashes(true),
            Setting::Profile("peakRave".into()),
            Setting::Adventure(0.25),
            Setting::Dwell(1.5),
            Setting::Midi(Some("club".into())),
        ]
    }

    #[test]
    fn what_is_put_is_read_again_and_a_new_file_explains_itself() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut wanted = Settings::default();
        for setting in all() {
            put(folder.path(), &setting).expect("written");
            setting.apply(&mut wanted);
        }
        assert_eq!(Settings::read(folder.path()), (wanted, Vec::new()));
        let text = std::fs::read_to_string(folder.path().join(SETTINGS_FILE)).expect("the file");
        assert_eq!(
            text.lines().count(),
            TEMPLATE.lines().count(),
            "each field took the place of its example"
        );
        for setting in [Setting::Audio(None), Setting::Monitor(None)] {
            put(folder.path(), &setting).expect("written");
        }
        let (settings, _) = Settings::read(folder.path());
        assert_eq!((settings.audio, settings.monitor, settings.dwell), (None, None, Some(1.5)));
    }

    #[test]
    fn words_of_the_performer_stay() {
        let text = "# mine\naudio = 'old' # the good one\n[macros]\nfusion = 0.5\n";
        let changed = edited(text, &Setting::Audio(Some("new".into()))).expect("edited");
        assert_eq!(changed, "# mine\naudio = \"new\" # the good one\n[macros]\nfusion = 0.5\n");
        let added = edited(text, &Setting::Dwell(2.0)).expect("edited");
        assert_eq!(added, "# mine\naudio = 'old' # the good one\ndwell = 2.00\n[macros]\nfusion = 0.5\n");
        assert_eq!(edited("", &Setting::Guard(true)).as_deref(), Ok("guard = true\n"));
        assert_eq!(
            edited("size = [1,\n 2]", &Setting::Guard(true)).as_deref(),
            Ok("size = [1,\n 2]\nguard = true\n")
        );
    }

    #[test]
    fn a_file_that_is_no_toml_is_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(SETTINGS_FILE);
        std::fs::write(&path, "audio = \nsize").expect("written");
        let error = put(folder.path(), &Setting::Guard(true)).expect_err("it cannot be edited");
        assert!(error.to_string().contains("mend the file"), "{error}");
        assert_eq!(std::fs::read_to_string(&path).expect("still there"), "audio = \nsize");
    }
}
