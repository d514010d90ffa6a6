//! The bindings of a device as an editable TOML file, with one `[[control]]` section per binding.

use std::fmt::Write as _;

use toml::{Table, Value};

use super::binding::Binding;
use super::encoding::Encoding;
use super::event::{Address, Kind};
use crate::desk::Action;
use crate::library::edited::Problem;
use crate::library::statements::{Document, InvalidLine};

/// The bindings of a device, as saved in a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MidiProfile {
    /// Name of the device.
    pub device: String,
    /// The bindings, in the order of the file.
    pub bindings: Vec<Binding>,
}

/// Fields of a `[[control]]` section.
const FIELDS: [&str; 8] = ["action", "message", "channel", "number", "encoding", "pickup", "min", "max"];

impl MidiProfile {
    /// Returns the contents of the profile file.
    pub fn written(&self) -> String {
        let mut text = format!(
            "# Bindings of one MIDI device. Actions are listed by `aivj keys --actions`; `aivj midi`\n\
             # prints what a control sends. message: note, cc or bend. encoding: absolute, absolute14, relative,\n\
             # twos_complement, offset64, signed_bit, signed_bit2, on_off or toggle. pickup: soft takeover, the knob\n\
             # takes effect only after it reaches the current value. min and max: the values at the two ends of the\n\
             # knob's travel.\n\
             device = {}\n",
            Value::String(self.device.clone())
        );
        for Binding { address, action, encoding, soft_takeover, range: [min, max] } in &self.bindings {
            let Address { kind, channel, number } = address;
            // Writing to a string cannot fail.
            write!(
                text,
                "\n[[control]]\naction = \"{}\"\nmessage = \"{}\"\nchannel = {channel}\nnumber = {number}\n\
                 encoding = \"{}\"\npickup = {soft_takeover}\nmin = {min:?}\nmax = {max:?}\n",
                action.name(),
                kind.word(),
                encoding.word(),
            )
            .ok();
        }
        text
    }

    /// Parses a profile file. Invalid controls are skipped and reported; the others are kept.
    pub fn read(text: &str) -> (Self, Vec<Problem>) {
        let document = Document::parse(text);
        let mut problems: Vec<Problem> = document.invalid.iter().map(InvalidLine::problem).collect();
        let mut profile = Self::default();
        for (field, value) in &document.table {
            match (field.as_str(), value) {
                // Control characters could spread the name over several lines of the file.
                ("device", Value::String(name)) => profile.device = name.replace(char::is_control, " "),
                ("control", Value::Array(controls)) => {
                    for (number, control) in controls.iter().enumerate() {
                        match binding(&document, &number.to_string(), control) {
                            Ok(binding) => profile.bindings.push(binding),
                            Err(wrong) => problems.extend(wrong),
                        }
                    }
                }
                (field, _) => {
                    let why = "unknown field; expected device and [[control]] sections; ignored";
                    problems.push(Problem::new(document.line(&[field]), field, why));
                }
            }
        }
        problems.sort_by_key(|problem| problem.line);
        (profile, problems)
    }
}

/// Parses the `[[control]]` section with this number, counted from 0. Returns all problems if there are any.
fn binding(document: &Document, section: &str, control: &Value) -> Result<Binding, Vec<Problem>> {
    let header = document.line(&["control", section]);
    let Some(fields) = control.as_table() else {
        return Err(vec![Problem::new(header, "control", "expected a section: [[control]]; ignored")]);
    };
    // A field whose line cannot be parsed must not fall back to its default.
    let unread = |line: &InvalidLine| line.section == header && FIELDS.iter().any(|field| line.sets(field));
    if document.invalid.iter().any(unread) {
        let why = "one of its lines cannot be read; the control is ignored";
        return Err(vec![Problem::new(header, "control", why)]);
    }
    let mut problems = Vec::new();
    let mut wrong = |field: &str, why: String| {
        let line = document.line(&["control", section, field]);
        problems.push(Problem::new(line, field, format!("{why}; the control is ignored")));
    };
    for key in fields.keys().filter(|key| !FIELDS.contains(&key.as_str())) {
        wrong(key, format!("unknown field; expected {}", FIELDS.join(", ")));
    }
    let word = |field: &str| fields.get(field).map(|value| value.as_str().unwrap_or(""));
    let action = word("action").and_then(Action::named);
    if action.is_none() {
        let named = word("action").unwrap_or("");
        wrong("action", format!("unknown action '{named}'; 'aivj keys --actions' lists them all"));
    }
    let kind = Kind::ALL.into_iter().find(|kind| word("message") == Some(kind.word()));
    if kind.is_none() {
        wrong("message", "expected \"note\", \"cc\" or \"bend\"".into());
    }
    let encoding = match word("encoding") {
        None => Some(Encoding::default()),
        Some(word) => Encoding::named(word),
    };
    if encoding.is_none() {
        wrong("encoding", format!("expected one of {}", Encoding::ALL.map(Encoding::word).join(", ")));
    }
    let channel = number(fields, "channel", 1.0).filter(|n| (1.0..=16.0).contains(n) && n.fract() == 0.0);
    if channel.is_none() {
        wrong("channel", "expected a number from 1 to 16".into());
    }
    let has_no_number = kind == Some(Kind::Bend) && fields.get("number").is_none();
    let control = if has_no_number { Some(0.0) } else { number(fields, "number", f64::NAN) };
    let control = control.filter(|n| (0.0..=127.0).contains(n) && n.fract() == 0.0);
    if control.is_none() {
        wrong("number", "expected a number from 0 to 127".into());
    }
    let soft_takeover = match fields.get("pickup") {
        None => Some(true),
        Some(value) => value.as_bool(),
    };
    if soft_takeover.is_none() {
        wrong("pickup", "expected true or false".into());
    }
    let mut end = |field: &str, usual: f64| {
        let value = number(fields, field, usual).filter(|n| (0.0..=1.0).contains(n));
        if value.is_none() {
            wrong(field, "expected a number from 0 to 1".into());
        }
        value
    };
    let (min, max) = (end("min", 0.0), end("max", 1.0));
    match (action, kind, encoding, channel, control, soft_takeover, min, max) {
        (
            Some(action),
            Some(kind),
            Some(encoding),
            Some(channel),
            Some(number),
            Some(soft_takeover),
            Some(min),
            Some(max),
        ) if problems.is_empty() => Ok(Binding {
            address: Address { kind, channel: channel as u8, number: number as u8 },
            action,
            encoding,
            soft_takeover,
            range: [min as f32, max as f32],
        }),
        _ => Err(problems),
    }
}

/// Returns the number in a field, `usual` if it is missing, or `None` if it is not a number.
fn number(fields: &Table, field: &str, usual: f64) -> Option<f64> {
    match fields.get(field) {
        None => Some(usual),
        Some(Value::Integer(number)) => Some(*number as f64),
        Some(Value::Float(number)) => Some(*number),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::Dial;
    use crate::mind::Control;
    use crate::show::Command;

    #[test]
    fn a_profile_survives_a_round_trip() {
        let cc = |number| Address { kind: Kind::Cc, channel: 3, number };
        let mut knob = Binding::new(cc(7), Action::Turn(Dial::Macro(Control::M8)), Encoding::TwosComplement);
        knob.range = [0.25, 0.1];
        knob.soft_takeover = false;
        let pad = Address { kind: Kind::Note, channel: 10, number: 36 };
        let hold = Binding::new(pad, Action::Show(Command::Hold), Encoding::Absolute);
        let profile = MidiProfile { device: "a \"fine\" device\\".into(), bindings: vec![knob, hold] };
        assert_eq!(MidiProfile::read(&profile.written()), (profile, vec![]));
    }

    #[test]
    fn errors_name_line_and_field_and_valid_controls_are_kept() {
        let text = "device = \"pads\"\n\
                    [[control]]\naction = \"next\"\nmessage = \"note\"\nnumber = 36\n\
                    [[control]]\naction = \"nexxt\"\nmessage = \"note\"\nnumber = 37\n\
                    [[control]]\naction = \"fusion\"\nmessage = \"cc\"\nnumber = 300\nchanel = 2\n\
                    [[control]]\naction = \"back\"\nmessage = \"note\"\nnumber = 38\n";
        let (profile, problems) = MidiProfile::read(text);
        let kept: Vec<_> = profile.bindings.iter().map(|binding| binding.action.name()).collect();
        assert_eq!(kept, ["next", "back"]);
        let named: Vec<_> = problems.iter().map(|problem| (problem.line, problem.field.as_str())).collect();
        assert_eq!(named, [(7, "action"), (13, "number"), (14, "chanel")]);
    }

    #[test]
    fn a_broken_line_invalidates_at_most_its_own_control() {
        let control = |action: &str, channel: &str, number: u8| {
            format!(
                "[[control]]\naction = {action}\nmessage = \"note\"\nchannel = {channel}\nnumber = {number}\n"
            )
        };
        let text = [
            "device = \"pads\"\nbad line\n".to_owned(),
            control("\"next\"", "1", 36),
            "bad line\n".to_owned(),
            control("\"back", "1", 38),
            control("\"panic\"", "one", 39),
            control("\"hold\"", "2", 40),
        ];
        let (profile, problems) = MidiProfile::read(&text.concat());
        let kept: Vec<_> = profile.bindings.iter().map(|binding| binding.action.name()).collect();
        assert_eq!((kept, profile.device.as_str()), (vec!["next".to_owned(), "hold".to_owned()], "pads"));
        let lines: Vec<_> = problems.iter().map(|problem| problem.line).collect();
        assert_eq!(lines, [2, 8, 9, 10, 14, 17], "{problems:?}");
    }

    #[test]
    fn a_device_name_stays_on_its_line() {
        let (profile, _) = MidiProfile::read("device = \"a\\nb\"");
        assert_eq!(profile.device, "a b");
        assert_eq!(MidiProfile::read(&profile.written()), (profile, vec![]));
    }

    #[test]
    fn any_text_parses_without_panic() {
        for text in ["", "\u{0}", "[[control]]", "control = 3", "[control]\naction = 1", "device = 4", "]][["]
        {
            let (profile, _) = MidiProfile::read(text);
            assert!(profile.bindings.is_empty(), "{text}");
        }
    }
}
