//! Everything the performer's hands can reach, by whatever key, knob or button: one list with stable names.
//!
//! An [`Action`] says what is meant; what it comes to depends on the moment (which card, which value) and is worked
//! out by the program, which turns it into [`Command`]s for the show.

use serde::Serialize;

use super::Page;
use crate::mind::{Control, MacroPreset, Profile};
use crate::show::Command;

/// Cards of what comes next that can be reached by key.
pub const CARDS: usize = 3;
/// One step of a dial by key.
const STEP: f32 = 0.05;
/// One small step of a dial by key.
const FINE_STEP: f32 = 0.01;

/// One thing the performer can do.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// A command to the show as it stands.
    Show(Command),
    /// A value that a knob sets; keys move it by [`Action::Nudge`].
    Turn(Dial),
    /// A dial goes one step.
    Nudge(Dial, Nudge),
    /// This macro is the one the nudging keys move.
    Select(Control),
    /// The selected macro goes one step.
    NudgeSelected(Nudge),
    /// Plays this card of what comes next, counted from 0.
    PlayCard(usize),
    /// Drops this card of what comes next, counted from 0.
    DropCard(usize),
    /// A matter of the windows.
    Window(WindowAction),
}

/// A value between 0 and 1 under the performer's hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dial {
    /// A macro.
    Macro(Control),
    /// How far the choice strays.
    Adventure,
}

/// One step of a dial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nudge {
    /// More.
    Up,
    /// Less.
    Down,
    /// A little more.
    UpFine,
    /// A little less.
    DownFine,
}

/// What concerns the windows alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WindowAction {
    /// The output window fills its screen, or leaves it.
    Fullscreen,
    /// The desk hides or comes back.
    Desk,
    /// A picture of the output goes to a file.
    Picture,
    /// The desk shows this page.
    Page(Page),
    /// The desk shows the page after this one.
    NextPage,
    /// The list of keys comes, or the page before it comes back.
    Help,
}

/// Where an action stands in the lists of the desk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Which preset plays.
    Choice,
    /// What the crowd sees of it.
    Picture,
    /// Beat and bar.
    Tempo,
    /// The macro bank.
    Macros,
    /// The kind of night.
    Night,
    /// Windows and pages.
    Window,
}

impl Group {
    /// Every group, in the order of the lists.
    pub const ALL: [Self; 6] =
        [Self::Choice, Self::Picture, Self::Tempo, Self::Macros, Self::Night, Self::Window];

    /// The heading on the desk.
    pub fn title(self) -> &'static str {
        match self {
            Self::Choice => "What plays",
            Self::Picture => "Picture",
            Self::Tempo => "Beat and bar",
            Self::Macros => "Macros",
            Self::Night => "Kind of night",
            Self::Window => "Windows",
        }
    }
}

impl Dial {
    /// Every dial.
    pub fn all() -> impl Iterator<Item = Self> {
        Control::ALL.into_iter().map(Self::Macro).chain([Self::Adventure])
    }

    /// The command that sets it.
    pub fn set(self, value: crate::units::Unipolar) -> Command {
        match self {
            Self::Macro(control) => Command::Macro { control, value },
            Self::Adventure => Command::Adventure(value),
        }
    }

    /// The words on the desk.
    pub fn title(self) -> &'static str {
        match self {
            Self::Macro(control) => control.title(),
            Self::Adventure => "Adventure",
        }
    }

    fn name(self) -> String {
        match self {
            Self::Macro(control) => word(&control),
            Self::Adventure => "adventure".into(),
        }
    }
}

impl Nudge {
    const ALL: [Self; 4] = [Self::Up, Self::Down, Self::UpFine, Self::DownFine];

    /// How far it goes, with its sign.
    pub fn by(self) -> f32 {
        match self {
            Self::Up => STEP,
            Self::Down => -STEP,
            Self::UpFine => FINE_STEP,
            Self::DownFine => -FINE_STEP,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::UpFine => "up_fine",
            Self::DownFine => "down_fine",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::UpFine => "a little up",
            Self::DownFine => "a little down",
        }
    }
}

impl Action {
    /// Every action that a key or a MIDI control may be given to.
    pub fn all() -> Vec<Self> {
        let commands = [
            Command::Next,
            Command::Back,
            Command::Hold,
            Command::Auto,
            Command::Favourite,
            Command::Ban,
            Command::Panic,
            Command::Blackout,
            Command::Freeze,
            Command::TapTempo,
            Command::Resync,
            Command::HalfTempo,
            Command::DoubleTempo,
            Command::SetTempo(None),
            Command::MacroAi,
        ];
        let mut all: Vec<Self> = commands.into_iter().map(Self::Show).collect();
        all.extend((0..CARDS).flat_map(|card| [Self::PlayCard(card), Self::DropCard(card)]));
        for dial in Dial::all() {
            all.push(Self::Turn(dial));
            all.extend(Nudge::ALL.map(|nudge| Self::Nudge(dial, nudge)));
        }
        all.extend(Control::ALL.map(Self::Select));
        all.extend(Nudge::ALL.map(Self::NudgeSelected));
        all.extend(MacroPreset::ALL.map(|preset| Self::Show(Command::MacroPreset(preset))));
        all.extend(Profile::ALL.map(|profile| Self::Show(Command::Profile(profile))));
        all.extend(Page::ALL.map(|page| Self::Window(WindowAction::Page(page))));
        let windows =
            [WindowAction::Fullscreen, WindowAction::Desk, WindowAction::Picture, WindowAction::NextPage];
        all.extend(windows.map(Self::Window));
        all.push(Self::Window(WindowAction::Help));
        all
    }

    /// The action of this name, as written in files.
    pub fn named(name: &str) -> Option<Self> {
        Self::all().into_iter().find(|action| action.name() == name)
    }

    /// Whether a key held down does it again and again.
    pub fn repeats(&self) -> bool {
        matches!(self, Self::Nudge(..) | Self::NudgeSelected(_))
    }

    /// Its name in files: lasting, lower case, parts joined by dots.
    pub fn name(&self) -> String {
        match self {
            Self::Show(command) => word(command),
            Self::Turn(dial) => dial.name(),
            Self::Nudge(dial, nudge) => format!("{}.{}", dial.name(), nudge.name()),
            Self::Select(control) => format!("select.{}", word(control)),
            Self::NudgeSelected(nudge) => format!("selected.{}", nudge.name()),
            Self::PlayCard(card) => format!("card{}.play", card + 1),
            Self::DropCard(card) => format!("card{}.drop", card + 1),
            Self::Window(window) => window.name(),
        }
    }

    /// The words on the desk.
    pub fn title(&self) -> String {
        match self {
            Self::Show(Command::SetTempo(None)) => "Back to the heard tempo".into(),
            Self::Show(command @ Command::MacroPreset(preset)) => {
                format!("{}: {}", command.title(), spaced(&word(preset)))
            }
            Self::Show(command @ Command::Profile(profile)) => {
                format!("{}: {}", command.title(), spaced(&word(profile)))
            }
            Self::Show(command) => command.title().into(),
            Self::Turn(dial) => dial.title().into(),
            Self::Nudge(dial, nudge) => format!("{} {}", dial.title(), nudge.title()),
            Self::Select(control) => format!("Take {} in hand", control.title()),
            Self::NudgeSelected(nudge) => format!("Macro in hand {}", nudge.title()),
            Self::PlayCard(card) => format!("Play card {} now", card + 1),
            Self::DropCard(card) => format!("Drop card {}", card + 1),
            Self::Window(window) => window.title(),
        }
    }

    /// Where it stands in the lists.
    pub fn group(&self) -> Group {
        match self {
            Self::Show(command) => group_of(command),
            Self::Turn(Dial::Adventure) | Self::Nudge(Dial::Adventure, _) => Group::Choice,
            Self::Turn(Dial::Macro(_)) | Self::Nudge(Dial::Macro(_), _) => Group::Macros,
            Self::Select(_) | Self::NudgeSelected(_) => Group::Macros,
            Self::PlayCard(_) | Self::DropCard(_) => Group::Choice,
            Self::Window(_) => Group::Window,
        }
    }
}

impl WindowAction {
    fn name(self) -> String {
        match self {
            Self::Fullscreen => "window.fullscreen".into(),
            Self::Desk => "window.desk".into(),
            Self::Picture => "window.picture".into(),
            Self::Page(page) => format!("page.{}", page.title().to_lowercase()),
            Self::NextPage => "page.next".into(),
            Self::Help => "window.help".into(),
        }
    }

    fn title(self) -> String {
        match self {
            Self::Fullscreen => "Output fullscreen".into(),
            Self::Desk => "Hide or show the desk".into(),
            Self::Picture => "Save a picture".into(),
            Self::Page(page) => format!("Page: {}", page.title()),
            Self::NextPage => "The page after this one".into(),
            Self::Help => "This list, and back".into(),
        }
    }
}

fn group_of(command: &Command) -> Group {
    match command {
        Command::Next
        | Command::Back
        | Command::Hold
        | Command::Auto
        | Command::Favourite
        | Command::Ban
        | Command::PlayNow(_)
        | Command::Veto(_)
        | Command::FavouritePreset(_)
        | Command::BanPreset(_)
        | Command::Rescue(_)
        | Command::Adventure(_)
        | Command::Dwell(_) => Group::Choice,
        Command::Panic | Command::Blackout | Command::Freeze => Group::Picture,
        Command::TapTempo
        | Command::Resync
        | Command::HalfTempo
        | Command::DoubleTempo
        | Command::SetTempo(_) => Group::Tempo,
        Command::Macro { .. } | Command::MacroPreset(_) | Command::MacroAi | Command::MidiLock(_) => {
            Group::Macros
        }
        Command::Profile(_) => Group::Night,
    }
}

/// The word under which a value is written: `next`, `profile.techno`.
fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(serde_json::Value::Object(fields)) => {
            fields.into_iter().next().map_or_else(String::new, |(key, value)| {
                value.as_str().map_or(key.clone(), |inner| format!("{key}.{inner}"))
            })
        }
        _ => String::new(),
    }
}

/// `peakRave` as people read it.
fn spaced(word: &str) -> String {
    let mut text = String::new();
    for letter in word.chars() {
        if letter.is_uppercase() {
            text.push(' ');
        }
        text.extend(letter.to_lowercase());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_has_a_name_of_its_own_and_is_found_by_it() {
        let all = Action::all();
        assert!(all.len() > 60, "only {} actions", all.len());
        for action in &all {
            let name = action.name();
            assert_eq!(Action::named(&name).as_ref(), Some(action), "{name}");
            assert!(!action.title().is_empty(), "{name} has no title");
        }
        assert_eq!(
            Action::named("profile.peakRave"),
            Some(Action::Show(Command::Profile(Profile::PeakRave)))
        );
        assert_eq!(Action::named("nonsense"), None);
    }
}
