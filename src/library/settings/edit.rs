//! Writes a single setting to the settings file; the rest of the file is preserved.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use toml_edit::{Decor, DocumentMut, Item, RawString, TomlError, Value};

use super::{OutputDisplay, SETTINGS_FILE, Settings, TEMPLATE};
use crate::disk::{self, FileError};
use crate::library::statements::Document;

/// A setting as changed on the desk; `None` restores the default.
#[derive(Clone, Debug, PartialEq)]
pub enum Setting {
    /// Part of the name or ID of the audio input, or `demo` for the demo track.
    Audio(Option<String>),
    /// Delay of the audio input, in milliseconds.
    InputDelay(f32),
    /// Preset folder or manifest of a pack [default: built-in presets].
    Presets(Option<PathBuf>),
    /// Where the output opens.
    Monitor(OutputDisplay),
    /// Frame rate of the show, in Hz.
    Rate(u32),
    /// Whether to audit new presets before they are shown.
    Guard(bool),
    /// Whether to limit flashes to three per second.
    LimitFlashes(bool),
    /// Name of the profile.
    Profile(String),
    /// How far choices stray from known favourites, 0 to 1.
    Adventure(f32),
    /// How long presets stay on air, as a multiple of the automatic duration.
    Dwell(f32),
    /// Name of the MIDI profile set [default: the standard set].
    Midi(Option<String>),
}

impl Setting {
    /// Returns the name of the setting's field in the file.
    fn name(&self) -> &'static str {
        match self {
            Self::Audio(_) => "audio",
            Self::InputDelay(_) => "input_delay_ms",
            Self::Presets(_) => "presets",
            Self::Monitor(_) => "monitor",
            Self::Rate(_) => "rate",
            Self::Guard(_) => "guard",
            Self::LimitFlashes(_) => "limit_flashes",
            Self::Profile(_) => "profile",
            Self::Adventure(_) => "adventure",
            Self::Dwell(_) => "dwell",
            Self::Midi(_) => "midi",
        }
    }

    /// Returns the value to write; `None` removes the field.
    fn value(&self) -> Option<Value> {
        match self {
            Self::Audio(name) | Self::Midi(name) => name.as_deref().map(Value::from),
            Self::Presets(path) => path.as_deref().map(|path| Value::from(&*path.to_string_lossy())),
            Self::Monitor(OutputDisplay::Automatic) => None,
            Self::Monitor(OutputDisplay::Window) => Some(Value::from("window")),
            Self::Monitor(OutputDisplay::Number(number)) => Some(Value::from(*number as i64)),
            Self::Rate(rate) => Some(Value::from(i64::from(*rate))),
            Self::Guard(on) | Self::LimitFlashes(on) => Some(Value::from(*on)),
            Self::Profile(name) => Some(Value::from(name)),
            Self::InputDelay(value) | Self::Adventure(value) | Self::Dwell(value) => Some(hundredths(*value)),
        }
    }

    /// Applies the change to `settings`.
    pub fn apply(&self, settings: &mut Settings) {
        match self.clone() {
            Self::Audio(name) => settings.audio = name,
            Self::InputDelay(value) => settings.input_delay_ms = Some(value),
            Self::Presets(path) => settings.presets = path,
            Self::Monitor(number) => settings.monitor = number,
            Self::Rate(rate) => settings.rate = Some(rate),
            Self::Guard(on) => settings.guard = Some(on),
            Self::LimitFlashes(on) => settings.limit_flashes = Some(on),
            Self::Profile(name) => settings.profile = Some(name),
            Self::Adventure(value) => settings.adventure = Some(value),
            Self::Dwell(value) => settings.dwell = Some(value),
            Self::Midi(name) => settings.midi = name,
        }
    }
}

/// Rounds to hundredths, to write 0.3 instead of 0.30000001192092896.
fn hundredths(value: f32) -> Value {
    Value::from((f64::from(value) * 100.0).round() / 100.0)
}

/// Writes a setting to the file in `folder`, atomically; a new file starts from [`TEMPLATE`]. Invalid lines
/// are kept, except those of this setting.
pub fn put(folder: &Path, setting: &Setting) -> Result<(), FileError> {
    let path = folder.join(SETTINGS_FILE);
    if let Setting::Presets(Some(presets)) = setting
        && presets.to_str().is_none()
    {
        return Err(FileError::new(
            &path,
            &"cannot save a preset folder whose name is not valid Unicode; rename it",
        ));
    }
    let text = match disk::read_text(&path, disk::limit::TEXT) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => TEMPLATE.to_owned(),
        Err(error) => return Err(FileError::new(&path, &error)),
    };
    let text = edited(&text, setting).map_err(|why| FileError::new(&path, &why))?;
    disk::replace(&path, |out| out.write_all(text.as_bytes()))
}

/// Returns the text with one field changed; comments, the order of lines, and invalid lines that do not set
/// this field are preserved.
fn edited(text: &str, setting: &Setting) -> Result<String, String> {
    let invalid = Document::parse(text).invalid;
    let mut lines: Vec<&str> = text.split('\n').collect();
    // Invalid lines are replaced by comments while the document is edited.
    let mark = (0..).map(|number| format!("# invalid line {number}-")).find(|mark| !text.contains(mark));
    let mark = mark.unwrap_or_default();
    let marks: Vec<String> = (0..invalid.len()).map(|number| format!("{mark}{number}.")).collect();
    let mut hidden = Vec::new();
    for (invalid, mark) in invalid.iter().zip(&marks) {
        hidden.push((invalid, mark, std::mem::replace(&mut lines[invalid.line - 1], mark)));
    }
    let mut edited = edited_document(&lines.join("\n"), setting)?;
    for (invalid, mark, line) in hidden {
        edited = if invalid.sets(setting.name()) {
            edited.lines().filter(|line| line.trim() != *mark).flat_map(|line| [line, "\n"]).collect()
        } else {
            edited.replacen(mark, line.trim_end_matches('\r'), 1)
        };
    }
    // toml_edit writes Unix line endings.
    Ok(if text.contains("\r\n") { edited.replace("\r\n", "\n").replace('\n', "\r\n") } else { edited })
}

/// Changes one field of a document whose invalid lines have been replaced by comments.
fn edited_document(text: &str, setting: &Setting) -> Result<String, String> {
    let mut document = parse(text).map_err(|error| {
        let why = error.message();
        format!("invalid TOML ({why}); the change lasts until the program exits; fix the file to save it")
    })?;
    let name = setting.name();
    match setting.value() {
        Some(value) => {
            if !document.contains_key(name) {
                document = uncommented(text, name).unwrap_or(document);
            }
            set(&mut document, name, value);
        }
        None => unset(&mut document, name),
    }
    Ok(document.to_string())
}

/// Parses a settings file; the newline at its end may be missing.
fn parse(text: &str) -> Result<DocumentMut, TomlError> {
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    format!("{text}{end}").parse()
}

/// Returns the document with the commented example of a field, `# name = value`, uncommented; `None` if there
/// is no example above the first section.
fn uncommented(text: &str, name: &str) -> Option<DocumentMut> {
    let example = format!("# {name} = ");
    let at = text.rfind(&example).filter(|at| *at == 0 || text[..*at].ends_with('\n'))?;
    let document = parse(&format!("{}{}", &text[..at], &text[at + 2..])).ok()?;
    document.contains_key(name).then_some(document)
}

/// Sets a field and preserves the white space and comments around its value.
fn set(document: &mut DocumentMut, name: &str, mut value: Value) {
    if let Some(old) = document.get(name).and_then(Item::as_value) {
        *value.decor_mut() = old.decor().clone();
    }
    document[name] = Item::Value(value);
}

/// Removes a field and preserves the comments above it.
fn unset(document: &mut DocumentMut, name: &str) {
    let next = document.iter().skip_while(|(key, _)| *key != name).skip(1);
    let next = next.filter(|(_, item)| item.is_value()).map(|(key, _)| key.to_owned()).next();
    let section = document.iter().filter_map(|(key, item)| Some((item.as_table()?.position()?, key)));
    let section = section.min().map(|(_, key)| key.to_owned());
    let Some((key, _)) = document.remove_entry(name) else { return };
    let comments = text_of(key.leaf_decor().prefix());
    let below = match (next, section) {
        (Some(next), _) => document.key_mut(&next).map(|mut key| put_above(key.leaf_decor_mut(), &comments)),
        (None, Some(section)) => {
            let section = document.get_mut(&section).and_then(Item::as_table_mut);
            section.map(|section| put_above(section.decor_mut(), &comments))
        }
        (None, None) => None,
    };
    if below.is_none() {
        let trailing = text_of(Some(document.trailing()));
        document.set_trailing(comments + &trailing);
    }
}

fn put_above(decor: &mut Decor, comments: &str) {
    let prefix = text_of(decor.prefix());
    decor.set_prefix(format!("{comments}{prefix}"));
}

fn text_of(raw: Option<&RawString>) -> String {
    raw.and_then(RawString::as_str).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<Setting> {
        vec![
            Setting::Audio(Some("USB \"2\"".into())),
            Setting::InputDelay(-12.5),
            Setting::Presets(Some("/p/a b".into())),
            Setting::Monitor(OutputDisplay::Number(1)),
            Setting::Guard(false),
            Setting::LimitFlashes(true),
            Setting::Profile("peakRave".into()),
            Setting::Adventure(0.25),
            Setting::Dwell(1.5),
            Setting::Midi(Some("club".into())),
        ]
    }

    #[test]
    fn settings_survive_a_round_trip_and_new_files_use_the_template() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut wanted = Settings::default();
        for setting in all() {
            put(folder.path(), &setting).expect("written");
            setting.apply(&mut wanted);
        }
        assert_eq!(Settings::read(folder.path()), (wanted, Vec::new()));
        let text = std::fs::read_to_string(folder.path().join(SETTINGS_FILE)).expect("the file");
        assert_eq!(text.lines().count(), TEMPLATE.lines().count(), "each field replaces its example");
        for setting in [Setting::Audio(None), Setting::Monitor(OutputDisplay::Automatic)] {
            put(folder.path(), &setting).expect("written");
        }
        let (settings, _) = Settings::read(folder.path());
        assert_eq!(
            (settings.audio, settings.monitor, settings.dwell),
            (None, OutputDisplay::Automatic, Some(1.5))
        );
    }

    #[test]
    fn comments_are_preserved() {
        let text = "# mine\naudio = 'old' # the good one\n[macros]\nfusion = 0.5\n";
        let changed = edited(text, &Setting::Audio(Some("new".into()))).expect("edited");
        assert_eq!(changed, "# mine\naudio = \"new\" # the good one\n[macros]\nfusion = 0.5\n");
        let added = edited(text, &Setting::Dwell(2.0)).expect("edited");
        assert_eq!(added, "# mine\naudio = 'old' # the good one\ndwell = 2.0\n[macros]\nfusion = 0.5\n");
        assert_eq!(edited("", &Setting::Guard(true)).as_deref(), Ok("guard = true\n"));
        assert_eq!(
            edited("size = [1,\n 2]", &Setting::Guard(true)).as_deref(),
            Ok("size = [1,\n 2]\nguard = true\n")
        );
    }

    #[test]
    fn comments_stay_when_a_field_is_removed() {
        let gone = |text: &str| edited(text, &Setting::Audio(None)).expect("edited");
        assert_eq!(gone("# a\naudio = 'x' # y\n# b\ndwell = 1.0\n"), "# a\n# b\ndwell = 1.0\n");
        assert_eq!(gone("# a\naudio = 'x'\n\n# b\n[macros]\nm4 = 1\n"), "# a\n\n# b\n[macros]\nm4 = 1\n");
        assert_eq!(gone("size = [1, 2]\n# a\naudio = 'x'\n# b\n"), "size = [1, 2]\n# a\n# b\n");
        assert_eq!(gone("# a\n"), "# a\n");
    }

    #[test]
    fn windows_line_endings_and_a_missing_final_newline_are_handled() {
        let set = |text: &str| edited(text, &Setting::Guard(true)).expect("edited");
        assert_eq!(set("# a\r\naudio = 'x'\r\n"), "# a\r\naudio = 'x'\r\nguard = true\r\n");
        assert_eq!(set("# guard = false"), "guard = true\n");
        assert_eq!(set("audio = 'x'\n[a]\n# guard = 1\n"), "audio = 'x'\nguard = true\n[a]\n# guard = 1\n");
    }

    #[test]
    fn invalid_lines_are_kept_unless_they_set_the_same_field() {
        let set = |text: &str| edited(text, &Setting::Guard(true)).expect("edited");
        assert_eq!(
            set("audio = \nsize # mine\ndwell = 1.0\n"),
            "audio = \nsize # mine\ndwell = 1.0\nguard = true\n"
        );
        assert_eq!(
            set("# a\nguard = no\naudio = USB\n[macros]\nm4 = 1\n"),
            "guard = true\n# a\naudio = USB\n[macros]\nm4 = 1\n"
        );
        assert_eq!(set("audio = USB\r\nguard = false\r\nguard = 1\r\n"), "audio = USB\r\nguard = true\r\n");
        assert_eq!(set("audio = USB"), "guard = true\naudio = USB\n");
    }
}
