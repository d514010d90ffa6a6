//! Maps keys to actions: the default keys and the performer's `keys.toml`.
//!
//! Letters are matched by character and digits by position, so that both work on every keyboard layout.

use std::path::Path;

use toml::Value;
use winit::event::KeyEvent;
use winit::keyboard::{Key, KeyCode, ModifiersState, NamedKey, PhysicalKey};
use winit::platform::modifier_supplement::KeyEventExtModifierSupplement as _;

use crate::desk::{Action, CARDS, Dial, KeyLine, Nudge, Numbered, Page, WindowAction};
use crate::disk;
use crate::library::edited::{self, Problem};
use crate::library::statements::{Document, InvalidLine};
use crate::mind::{Control, MacroPreset, Profile};
use crate::show::{BeatNudge, Command};

/// A key with its modifiers.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Chord {
    ctrl: bool,
    alt: bool,
    shift: bool,
    key: String,
}

/// Names of keys that type no visible character, as used in files and on the desk.
const NAMED: &[(NamedKey, &str)] = &[
    (NamedKey::Space, "space"),
    (NamedKey::ArrowLeft, "left"),
    (NamedKey::ArrowRight, "right"),
    (NamedKey::ArrowUp, "up"),
    (NamedKey::ArrowDown, "down"),
    (NamedKey::PageUp, "pageup"),
    (NamedKey::PageDown, "pagedown"),
    (NamedKey::Home, "home"),
    (NamedKey::End, "end"),
    (NamedKey::Insert, "insert"),
    (NamedKey::Delete, "delete"),
    (NamedKey::Backspace, "backspace"),
    (NamedKey::Enter, "enter"),
    (NamedKey::Escape, "escape"),
    (NamedKey::Tab, "tab"),
    (NamedKey::F1, "f1"),
    (NamedKey::F2, "f2"),
    (NamedKey::F3, "f3"),
    (NamedKey::F4, "f4"),
    (NamedKey::F5, "f5"),
    (NamedKey::F6, "f6"),
    (NamedKey::F7, "f7"),
    (NamedKey::F8, "f8"),
    (NamedKey::F9, "f9"),
    (NamedKey::F10, "f10"),
    (NamedKey::F11, "f11"),
    (NamedKey::F12, "f12"),
];

const DIGITS: [KeyCode; 10] = [
    KeyCode::Digit0,
    KeyCode::Digit1,
    KeyCode::Digit2,
    KeyCode::Digit3,
    KeyCode::Digit4,
    KeyCode::Digit5,
    KeyCode::Digit6,
    KeyCode::Digit7,
    KeyCode::Digit8,
    KeyCode::Digit9,
];

impl Chord {
    /// Returns the chord of a key press; `None` for keys that cannot be bound.
    pub fn pressed(event: &KeyEvent, held: ModifiersState) -> Option<Self> {
        let key = key_name(event.physical_key, &event.key_without_modifiers())?;
        Some(Self { ctrl: held.control_key(), alt: held.alt_key(), shift: held.shift_key(), key })
    }

    /// Returns the digit if the chord is a digit key without modifiers.
    pub fn digit(&self) -> Option<u8> {
        let plain = !self.ctrl && !self.alt && !self.shift;
        plain.then(|| self.key.parse().ok()).flatten()
    }

    /// Parses a chord such as `ctrl+shift+n`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut chord = Self::default();
        let text = text.trim().to_lowercase();
        // A trailing plus sign is the key itself.
        let (held, key) = match text.strip_suffix('+') {
            Some(held) => (held.strip_suffix('+').unwrap_or(held), "+"),
            None => text.rsplit_once('+').unwrap_or(("", &text)),
        };
        for word in held.split('+').filter(|word| !word.is_empty()) {
            match word {
                "ctrl" => chord.ctrl = true,
                "alt" => chord.alt = true,
                "shift" => chord.shift = true,
                other => return Err(format!("unknown modifier '{other}'; expected ctrl, alt or shift")),
            }
        }
        let known = key.chars().count() == 1 || NAMED.iter().any(|(_, name)| *name == key);
        if !known {
            return Err(format!(
                "unknown key '{key}'; expected a single character, or a name such as space or f5"
            ));
        }
        key.clone_into(&mut chord.key);
        Ok(chord)
    }

    /// Formats the chord for display.
    fn shown(&self) -> String {
        let mut text = String::new();
        for (held, word) in [(self.ctrl, "Ctrl+"), (self.alt, "Alt+"), (self.shift, "Shift+")] {
            text.push_str(if held { word } else { "" });
        }
        let mut letters = self.key.chars();
        text.extend(letters.next().into_iter().flat_map(char::to_uppercase));
        text.push_str(letters.as_str());
        text
    }
}

fn key_name(physical: PhysicalKey, plain: &Key) -> Option<String> {
    if let PhysicalKey::Code(code) = physical
        && let Some(digit) = DIGITS.iter().position(|&place| place == code)
    {
        return Some(digit.to_string());
    }
    match plain {
        Key::Character(text) => Some(text.to_lowercase()),
        Key::Named(named) => NAMED.iter().find(|(key, _)| key == named).map(|(_, name)| (*name).to_owned()),
        Key::Unidentified(_) | Key::Dead(_) => None,
    }
}

/// Returns whether a key triggers its action even while a text field has focus: Escape and the function keys
/// do, because they type nothing.
pub(super) fn acts_while_typing(key: &Key) -> bool {
    let Key::Named(named) = key else { return false };
    let name = NAMED.iter().find(|(key, _)| key == named).map_or("", |(_, name)| name);
    name == "escape" || name.strip_prefix('f').is_some_and(|number| number.parse::<u8>().is_ok())
}

/// Returns the key bindings, including changes from `keys.toml`, and a message for each problem in that file.
pub fn keys(folder: Option<&Path>) -> (Vec<KeyLine>, Vec<String>) {
    let (keys, problems) = Keymap::from_folder(folder);
    (keys.shown(), problems)
}

/// Returns the show command with this action name.
///
/// # Errors
/// Returns a message if there is no action with this name, or if it is not a command for the show.
pub fn command_named(name: &str) -> Result<Command, String> {
    match Action::named(name) {
        Some(Action::Show(command)) => Ok(command),
        Some(_) => Err(format!("'{name}' is not available in `aivj perform`")),
        None => Err(format!("unknown action '{name}'; 'aivj keys --actions' lists them all")),
    }
}

/// The key bindings.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Keymap {
    lines: Vec<(Chord, Action)>,
}

impl Default for Keymap {
    fn default() -> Self {
        let lines = defaults()
            .into_iter()
            .map(|(keys, action)| (Chord::parse(keys).expect("default keys parse"), action));
        Self { lines: lines.collect() }
    }
}

impl Keymap {
    /// Loads `keys.toml` from `folder`; if there is no such file, returns the default keys. Also returns a
    /// message for each problem in the file.
    pub fn from_folder(folder: Option<&Path>) -> (Self, Vec<String>) {
        let Some(path) = folder.map(|folder| folder.join("keys.toml")) else { return Default::default() };
        match disk::read_text(&path, disk::limit::TEXT) {
            Ok(text) => {
                let (keys, problems) = Self::edited(&text);
                (keys, edited::messages(&path, &problems))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Default::default(),
            Err(error) => {
                let why = format!("cannot read {} ({error}); using the default keys", path.display());
                (Self::default(), vec![why])
            }
        }
    }

    /// Applies the lines of a file, such as `"ctrl+n" = "next"`, to the default keys; `""` unbinds a key.
    /// Invalid lines are skipped and reported.
    pub fn edited(text: &str) -> (Self, Vec<Problem>) {
        let mut map = Self::default();
        let document = Document::parse(text);
        let mut problems: Vec<Problem> = document.invalid.iter().map(InvalidLine::problem).collect();
        let mut lines: Vec<(usize, &String, &Value)> = Vec::new();
        for (name, value) in &document.table {
            match value {
                Value::Table(keys) if name == "keys" => {
                    lines.extend(keys.iter().map(|(key, value)| (document.line(&["keys", key]), key, value)));
                }
                _ => {
                    let why = "expected a [keys] section with lines such as \"n\" = \"next\"; ignored";
                    problems.push(Problem::new(document.line(&[name]), name, why));
                }
            }
        }
        lines.sort_by_key(|(line, ..)| *line);
        for (number, name, value) in lines {
            let line = Chord::parse(name).and_then(|chord| {
                let word = value.as_str().ok_or("expected an action name in quotes")?;
                Ok((chord, action_for_key(word)?))
            });
            match line {
                Ok((chord, action)) => {
                    map.lines.retain(|(taken, _)| *taken != chord);
                    map.lines.extend(action.map(|action| (chord, action)));
                }
                Err(why) => problems.push(Problem::new(number, name, format!("{why}; ignored"))),
            }
        }
        problems.sort_by_key(|problem| problem.line);
        (map, problems)
    }

    /// Returns the action bound to a chord, if any.
    pub fn action(&self, chord: &Chord) -> Option<&Action> {
        self.lines.iter().find(|(keys, _)| keys == chord).map(|(_, action)| action)
    }

    /// Lists all bindings for the desk.
    pub fn shown(&self) -> Vec<KeyLine> {
        self.lines
            .iter()
            .map(|(keys, action)| KeyLine { keys: keys.shown(), action: action.clone() })
            .collect()
    }
}

/// Parses an action name for a key; returns `None` if the name is empty, which unbinds the key.
fn action_for_key(word: &str) -> Result<Option<Action>, String> {
    if word.is_empty() {
        return Ok(None);
    }
    match Action::named(word) {
        Some(Action::Turn(_)) => {
            Err(format!("'{word}' is a continuous control; bind '{word}.up' or '{word}.down' to keys"))
        }
        Some(action) => Ok(Some(action)),
        None => Err(format!("unknown action '{word}'; 'aivj keys --actions' lists them all")),
    }
}

/// Returns the default keys.
fn defaults() -> Vec<(&'static str, Action)> {
    let show = Action::Show;
    let window = Action::Window;
    let mut keys = vec![
        ("n", show(Command::Next)),
        ("right", show(Command::Next)),
        ("r", show(Command::Next)),
        ("b", show(Command::Back)),
        ("left", show(Command::Back)),
        ("backspace", show(Command::Back)),
        ("space", show(Command::Hold)),
        ("a", show(Command::Auto)),
        ("v", show(Command::Favourite)),
        ("delete", show(Command::Ban)),
        ("ctrl+z", show(Command::Undo)),
        ("p", show(Command::Panic)),
        ("x", show(Command::Blackout)),
        ("z", show(Command::Freeze)),
        ("t", show(Command::TapTempo)),
        ("y", show(Command::Resync)),
        ("[", show(Command::HalfTempo)),
        ("]", show(Command::DoubleTempo)),
        ("\\", show(Command::SetTempo(None))),
        ("shift+left", show(Command::NudgeBeat(BeatNudge::Earlier))),
        ("shift+right", show(Command::NudgeBeat(BeatNudge::Later))),
        (".", Action::Nudge(Dial::Adventure, Nudge::Up)),
        (",", Action::Nudge(Dial::Adventure, Nudge::Down)),
        ("m", show(Command::MacroAi)),
        ("k", window(WindowAction::Number(Numbered::Sprite))),
        ("j", window(WindowAction::Number(Numbered::Message))),
        ("shift+t", show(Command::LaunchTitle)),
        ("ctrl+k", show(Command::ClearSprites)),
        ("ctrl+t", show(Command::ClearText)),
        ("up", Action::NudgeSelected(Nudge::Up)),
        ("down", Action::NudgeSelected(Nudge::Down)),
        ("shift+up", Action::NudgeSelected(Nudge::UpFine)),
        ("shift+down", Action::NudgeSelected(Nudge::DownFine)),
        ("f", window(WindowAction::Fullscreen)),
        ("f11", window(WindowAction::Fullscreen)),
        ("d", window(WindowAction::Desk)),
        ("s", window(WindowAction::Screenshot)),
        ("h", window(WindowAction::Help)),
        ("f1", window(WindowAction::Help)),
        ("tab", window(WindowAction::NextPage)),
    ];
    keys.extend(["1", "2", "3", "4", "5", "6", "7", "8"].into_iter().zip(Control::ALL.map(Action::Select)));
    let shifted = ["shift+1", "shift+2", "shift+3", "shift+4", "shift+5", "shift+6", "shift+7"];
    keys.extend(shifted.into_iter().zip(MacroPreset::ALL.map(|preset| show(Command::MacroPreset(preset)))));
    let nights = ["shift+f1", "shift+f2", "shift+f3", "shift+f4", "shift+f5", "shift+f6", "shift+f7"];
    keys.extend(nights.into_iter().zip(Profile::ALL.map(|profile| show(Command::Profile(profile)))));
    let pages = ["f2", "f3", "f4", "f5", "f6", "f7"];
    let turnable = Page::ALL.into_iter().filter(|page| *page != Page::Keys);
    keys.extend(pages.into_iter().zip(turnable.map(|page| window(WindowAction::Page(page)))));
    keys.extend(["ctrl+1", "ctrl+2"].into_iter().zip((0..CARDS).map(Action::PlayCard)));
    keys.extend(["alt+1", "alt+2"].into_iter().zip((0..CARDS).map(Action::RemoveCard)));
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(keys: &str) -> Option<Action> {
        Keymap::default().action(&Chord::parse(keys).expect("a valid chord")).cloned()
    }

    #[test]
    fn no_key_is_bound_twice() {
        let mut keys: Vec<_> = Keymap::default().lines.into_iter().map(|(chord, _)| chord).collect();
        let all = keys.len();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), all);
    }

    #[test]
    fn every_command_has_a_key() {
        let keys = Keymap::default();
        let without: Vec<_> = Action::all()
            .into_iter()
            .filter(|action| matches!(action, Action::Show(_)))
            .filter(|action| !keys.lines.iter().any(|(_, bound)| bound == action))
            .map(|action| action.name())
            .collect();
        assert!(without.is_empty(), "no key for {without:?}");
    }

    #[test]
    fn every_card_has_its_keys() {
        let keys = Keymap::default();
        for action in (0..CARDS).flat_map(|card| [Action::PlayCard(card), Action::RemoveCard(card)]) {
            assert!(keys.lines.iter().any(|(_, bound)| *bound == action), "no key for {}", action.name());
        }
        let next = |kind: &str| Action::named(&format!("upcoming{}.{kind}", CARDS + 1));
        assert_eq!([next("play"), next("remove")], [None, None]);
    }

    #[test]
    fn chords_parse() {
        assert_eq!(key("Ctrl+2"), Some(Action::PlayCard(1)));
        assert_eq!(key("SPACE"), Some(Action::Show(Command::Hold)));
        assert_eq!(Chord::parse("ctrl++").map(|chord| chord.key), Ok("+".into()));
        assert_eq!(Chord::parse("+").map(|chord| chord.key), Ok("+".into()));
        assert!(Chord::parse("hyper+n").is_err());
        assert!(Chord::parse("banana").is_err());
        assert!(Chord::parse("").is_err());
    }

    #[test]
    fn only_keys_that_type_nothing_act_while_a_text_field_has_focus() {
        for key in [NamedKey::Escape, NamedKey::F1, NamedKey::F12] {
            assert!(acts_while_typing(&Key::Named(key)), "{key:?}");
        }
        let typed = [NamedKey::Space, NamedKey::Delete, NamedKey::Backspace, NamedKey::Enter, NamedKey::Tab];
        let typed = typed.into_iter().chain([NamedKey::ArrowLeft, NamedKey::Home]).map(Key::Named);
        let letters = ["v", "n", "F", "1"].map(|letter| Key::Character(letter.into()));
        for key in typed.chain(letters) {
            assert!(!acts_while_typing(&key), "{key:?}");
        }
    }

    #[test]
    fn digits_match_by_position_and_letters_by_character() {
        let ampersand = Key::Character("&".into());
        assert_eq!(key_name(PhysicalKey::Code(KeyCode::Digit1), &ampersand), Some("1".into()));
        let letter = Key::Character("N".into());
        assert_eq!(key_name(PhysicalKey::Code(KeyCode::KeyB), &letter), Some("n".into()));
    }

    #[test]
    fn a_file_changes_only_the_keys_it_lists() {
        let (keys, problems) =
            Keymap::edited("[keys]\n\"n\" = \"panic\"\n\"x\" = \"\"\n\"f9\" = \"fusion.up\"\n");
        assert_eq!(problems, []);
        let action =
            |chord: &str| keys.action(&Chord::parse(chord).expect("a valid chord")).map(Action::name);
        assert_eq!(action("n").as_deref(), Some("panic"));
        assert_eq!(action("x"), None);
        assert_eq!(action("f9").as_deref(), Some("fusion.up"));
        assert_eq!(action("b").as_deref(), Some("back"));
    }

    #[test]
    fn errors_name_their_line_and_valid_lines_apply() {
        let text =
            "[keys]\nn = \"panic\"\n\"hyper+k\" = \"next\"\nk = \"fusion\"\nj = 4\nl = \"\nq = \"back\"\n";
        let (keys, problems) = Keymap::edited(text);
        let lines: Vec<_> = problems.iter().map(|problem| problem.line).collect();
        assert_eq!(lines, [3, 4, 5, 6], "{problems:?}");
        let action =
            |chord: &str| keys.action(&Chord::parse(chord).expect("a valid chord")).map(Action::name);
        assert_eq!(action("n").as_deref(), Some("panic"));
        assert_eq!(action("q").as_deref(), Some("back"));
    }

    #[test]
    fn invalid_lines_are_ignored_and_change_nothing_else() {
        let (keys, problems) = Keymap::edited("[keys]\nbad line\n\"n\" = hold\n\"m\" = \"panic\"\n");
        assert_eq!(problems.iter().map(|problem| problem.line).collect::<Vec<_>>(), [2, 3], "{problems:?}");
        let name = |keys: &Keymap, chord| {
            keys.action(&Chord::parse(chord).expect("a valid chord")).map(Action::name)
        };
        assert_eq!(name(&keys, "n").as_deref(), Some("next"));
        assert_eq!(name(&keys, "m").as_deref(), Some("panic"));
        let (keys, problems) = Keymap::edited("\"n\" = \"panic\"\n\"m\" = \"panic\"\n[key]\nx = \"next\"\n");
        assert_eq!(keys, Keymap::default());
        assert_eq!(
            problems.iter().map(|problem| problem.line).collect::<Vec<_>>(),
            [1, 2, 3],
            "{problems:?}"
        );
        let (keys, problems) = Keymap::edited("[keys\nn = \"panic\"");
        assert_eq!((name(&keys, "n").as_deref(), problems.len()), (Some("panic"), 1));
    }
}
