//! Every action that a key, knob or button can trigger: one list with stable names.
//!
//! The program turns most [`Action`]s into [`Command`]s for the show, depending on the show's current state
//! (which preset a card shows, what value a dial has).

use std::borrow::Cow;

use serde::Serialize;

use super::page::Page;
use crate::mind::{Control, MacroPreset, Profile};
use crate::show::{BeatNudge, Command};

/// Maximum number of cards: one for each preset that the show keeps warm for the next cut.
pub const CARDS: usize = crate::show::WARM_CANDIDATES;
/// Step size of a dial, whose values range from 0 to 1.
const STEP: f32 = 0.05;
/// Fine step size of a dial.
const FINE_STEP: f32 = 0.01;

/// An action that the performer can trigger.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// A command for the show.
    Show(Command),
    /// Makes a dial follow a MIDI knob or fader; keys use [`Action::Nudge`].
    Turn(Dial),
    /// Moves a dial by one step.
    Nudge(Dial, Nudge),
    /// Selects the macro that the arrow keys move.
    Select(Control),
    /// Moves the selected macro by one step.
    NudgeSelected(Nudge),
    /// Plays the preset on a card, numbered from 0.
    PlayCard(usize),
    /// Removes the preset on a card, numbered from 0.
    RemoveCard(usize),
    /// An action of the user interface, such as opening a page.
    Window(WindowAction),
}

/// A control with a value from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dial {
    /// A control of the macro bank.
    Macro(Control),
    /// How far the director strays from known favourites.
    Adventure,
}

/// One step of a dial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nudge {
    /// One step up.
    Up,
    /// One step down.
    Down,
    /// One fine step up.
    UpFine,
    /// One fine step down.
    DownFine,
}

/// An action of the user interface, such as opening a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WindowAction {
    /// Toggles full screen for the output.
    Fullscreen,
    /// Shows or hides the desk.
    Desk,
    /// Saves a screenshot of the output.
    Screenshot,
    /// Opens a page.
    Page(Page),
    /// Opens the next page.
    NextPage,
    /// Toggles the Keys page.
    Help,
    /// Takes the next two digits as the number of a sprite or message to launch.
    Number(Numbered),
}

/// The kind of a layer with a two-digit number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbered {
    /// A sprite from `MILK_IMG.INI`.
    Sprite,
    /// A message from `MILK_MSG.INI`.
    Message,
}

/// The group under which an action is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// The choice of presets.
    Choice,
    /// The output picture.
    Picture,
    /// Sprites, messages and titles.
    Layers,
    /// Tempo and downbeat.
    Tempo,
    /// The macro bank.
    Macros,
    /// The profiles.
    Profile,
    /// Windows and pages.
    Window,
}

/// A key, with any modifiers, and its action.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyLine {
    /// The key, such as `Ctrl+1`.
    pub keys: String,
    /// The action that the key triggers.
    pub action: Action,
}

impl Group {
    /// Every group, in the order of the lists.
    pub const ALL: [Self; 7] =
        [Self::Choice, Self::Picture, Self::Layers, Self::Tempo, Self::Macros, Self::Profile, Self::Window];

    /// Returns the heading of the group on the desk.
    pub fn title(self) -> &'static str {
        match self {
            Self::Choice => "Presets",
            Self::Picture => "Output",
            Self::Layers => "Layers",
            Self::Tempo => "Tempo",
            Self::Macros => "Macros",
            Self::Profile => "Profile",
            Self::Window => "Windows",
        }
    }
}

impl Dial {
    /// Iterates over every dial.
    pub fn all() -> impl Iterator<Item = Self> {
        Control::ALL.into_iter().map(Self::Macro).chain([Self::Adventure])
    }

    /// Returns the command that sets the dial to `value`.
    pub fn set(self, value: crate::units::Unipolar) -> Command {
        match self {
            Self::Macro(control) => Command::Macro { control, value },
            Self::Adventure => Command::Adventure(value),
        }
    }

    /// Returns the label on the desk.
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

    /// Returns the signed size of the step.
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
            Self::UpFine => "up (fine)",
            Self::DownFine => "down (fine)",
        }
    }
}

impl Action {
    /// Returns every action that a key or MIDI control can be bound to, except launches of numbered layers.
    pub fn all() -> Vec<Self> {
        let commands = [
            Command::Next,
            Command::Back,
            Command::Hold,
            Command::Auto,
            Command::Favourite,
            Command::Ban,
            Command::Undo,
            Command::Panic,
            Command::Blackout,
            Command::Freeze,
            Command::TapTempo,
            Command::Resync,
            Command::HalfTempo,
            Command::DoubleTempo,
            Command::SetTempo(None),
            Command::NudgeBeat(BeatNudge::Earlier),
            Command::NudgeBeat(BeatNudge::Later),
            Command::MacroAi,
            Command::LaunchTitle,
            Command::ClearSprites,
            Command::ClearText,
        ];
        let mut all: Vec<Self> = commands.into_iter().map(Self::Show).collect();
        all.extend((0..CARDS).flat_map(|card| [Self::PlayCard(card), Self::RemoveCard(card)]));
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
            [WindowAction::Fullscreen, WindowAction::Desk, WindowAction::Screenshot, WindowAction::NextPage];
        all.extend(windows.map(Self::Window));
        all.push(Self::Window(WindowAction::Help));
        all.extend(Numbered::ALL.map(|what| Self::Window(WindowAction::Number(what))));
        all
    }

    /// Finds an action by its stable name (see [`Self::name`]). Besides the names of [`Self::all`], accepts `sprite.00`
    /// to `sprite.99`, `message.00` to `message.99`, and names from earlier versions.
    pub fn named(name: &str) -> Option<Self> {
        let numbered = Numbered::ALL.into_iter().find_map(|what| what.named(name)).map(Self::Show);
        let name = current_name(name);
        numbered.or_else(|| Self::all().into_iter().find(|action| action.name() == name))
    }

    /// Returns whether holding the key repeats the action.
    pub fn repeats(&self) -> bool {
        matches!(self, Self::Nudge(..) | Self::NudgeSelected(_) | Self::Show(Command::NudgeBeat(_)))
    }

    /// Returns the stable name used in files, with parts joined by dots, such as `upcoming1.play`.
    pub fn name(&self) -> String {
        match self {
            Self::Show(Command::Sprite(number)) => Numbered::Sprite.name(*number),
            Self::Show(Command::Message(number)) => Numbered::Message.name(*number),
            Self::Show(command) => word(command),
            Self::Turn(dial) => dial.name(),
            Self::Nudge(dial, nudge) => format!("{}.{}", dial.name(), nudge.name()),
            Self::Select(control) => format!("select.{}", word(control)),
            Self::NudgeSelected(nudge) => format!("selected.{}", nudge.name()),
            Self::PlayCard(card) => format!("upcoming{}.play", card + 1),
            Self::RemoveCard(card) => format!("upcoming{}.remove", card + 1),
            Self::Window(window) => window.name(),
        }
    }

    /// Returns the label on the desk.
    pub fn title(&self) -> String {
        match self {
            Self::Show(Command::SetTempo(None)) => "Detect tempo".into(),
            Self::Show(command @ Command::MacroPreset(preset)) => {
                format!("{}: {}", command.title(), preset.title())
            }
            Self::Show(command @ Command::Profile(profile)) => {
                format!("{}: {}", command.title(), profile.title())
            }
            Self::Show(command @ (Command::Sprite(number) | Command::Message(number))) => {
                format!("{} {number:02}", command.title())
            }
            Self::Show(command) => command.title().into(),
            Self::Turn(dial) => dial.title().into(),
            Self::Nudge(dial, nudge) => format!("{} {}", dial.title(), nudge.title()),
            Self::Select(control) => format!("Select {}", control.title()),
            Self::NudgeSelected(nudge) => format!("Selected macro {}", nudge.title()),
            Self::PlayCard(card) => format!("Play upcoming preset {}", card + 1),
            Self::RemoveCard(card) => format!("Remove upcoming preset {}", card + 1),
            Self::Window(window) => window.title(),
        }
    }

    /// Returns the group under which the action is listed.
    pub fn group(&self) -> Group {
        match self {
            Self::Show(command) => group_of(command),
            Self::Turn(Dial::Adventure) | Self::Nudge(Dial::Adventure, _) => Group::Choice,
            Self::Turn(Dial::Macro(_)) | Self::Nudge(Dial::Macro(_), _) => Group::Macros,
            Self::Select(_) | Self::NudgeSelected(_) => Group::Macros,
            Self::PlayCard(_) | Self::RemoveCard(_) => Group::Choice,
            Self::Window(WindowAction::Number(_)) => Group::Layers,
            Self::Window(_) => Group::Window,
        }
    }
}

impl WindowAction {
    fn name(self) -> String {
        match self {
            Self::Fullscreen => "window.fullscreen".into(),
            Self::Desk => "window.desk".into(),
            Self::Screenshot => "window.screenshot".into(),
            Self::Page(page) => format!("page.{}", page.title().to_lowercase()),
            Self::NextPage => "page.next".into(),
            Self::Help => "window.help".into(),
            Self::Number(what) => format!("{}.number", what.word()),
        }
    }

    fn title(self) -> String {
        match self {
            Self::Fullscreen => "Toggle full-screen output".into(),
            Self::Desk => "Toggle desk".into(),
            Self::Screenshot => "Save screenshot".into(),
            Self::Page(page) => format!("Page: {}", page.title()),
            Self::NextPage => "Next page".into(),
            Self::Help => "Toggle Keys page".into(),
            Self::Number(Numbered::Sprite) => "Launch sprite (two digits)".into(),
            Self::Number(Numbered::Message) => "Launch message (two digits)".into(),
        }
    }
}

impl Numbered {
    /// Both kinds.
    pub const ALL: [Self; 2] = [Self::Sprite, Self::Message];

    /// Returns the command that launches the layer with this number.
    pub fn launch(self, number: u8) -> Command {
        match self {
            Self::Sprite => Command::Sprite(number),
            Self::Message => Command::Message(number),
        }
    }

    /// Returns the word for this kind in action names and messages.
    pub fn word(self) -> &'static str {
        match self {
            Self::Sprite => "sprite",
            Self::Message => "message",
        }
    }

    fn name(self, number: u8) -> String {
        format!("{}.{number:02}", self.word())
    }

    /// Parses a name such as `sprite.07` and returns the command that launches the layer.
    fn named(self, name: &str) -> Option<Command> {
        let digits = name.strip_prefix(self.word())?.strip_prefix('.')?;
        let plain = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| digits.parse().ok())?.map(|number| self.launch(number))
    }
}

/// Converts an action name from an earlier version to the current name; returns other names unchanged.
fn current_name(name: &str) -> Cow<'_, str> {
    match name.strip_prefix("card") {
        Some(card) => format!("upcoming{card}").replace(".drop", ".remove").into(),
        None if name == "window.picture" => "window.screenshot".into(),
        None => name.into(),
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
        | Command::Undo
        | Command::Adventure(_)
        | Command::Theme(_)
        | Command::Dwell(_) => Group::Choice,
        Command::Panic | Command::Blackout | Command::Freeze => Group::Picture,
        Command::Sprite(_)
        | Command::Message(_)
        | Command::SetTitle(_)
        | Command::LaunchTitle
        | Command::ClearSprites
        | Command::ClearText => Group::Layers,
        Command::TapTempo
        | Command::Resync
        | Command::HalfTempo
        | Command::DoubleTempo
        | Command::SetTempo(_)
        | Command::NudgeBeat(_)
        | Command::InputDelay(_) => Group::Tempo,
        Command::Macro { .. } | Command::MacroPreset(_) | Command::MacroAi | Command::MidiLock(_) => {
            Group::Macros
        }
        Command::Profile(_) => Group::Profile,
    }
}

/// Returns the stable name and the label of every action; `NN` stands for a two-digit number.
pub fn action_names() -> Vec<(String, String)> {
    let numbered = [("sprite.NN", "Launch sprite NN"), ("message.NN", "Launch message NN")];
    let named = Action::all().into_iter().map(|action| (action.name(), action.title()));
    named.chain(numbered.map(|(name, title)| (name.to_owned(), title.to_owned()))).collect()
}

/// Returns the serialised name of a command or control, such as `next` or `profile.techno`.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn action_names_are_unique_and_resolve() {
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
        assert_eq!(
            Action::named("nudge_beat.earlier"),
            Some(Action::Show(Command::NudgeBeat(BeatNudge::Earlier)))
        );
        assert_eq!(Action::named("nonsense"), None);
    }

    #[test]
    fn names_from_earlier_versions_resolve() {
        assert_eq!(Action::named("card2.play"), Some(Action::PlayCard(1)));
        assert_eq!(Action::named("card1.drop"), Some(Action::RemoveCard(0)));
        assert_eq!(Action::named("window.picture"), Some(Action::Window(WindowAction::Screenshot)));
    }

    #[test]
    fn numbered_layers_have_names() {
        let message = Action::Show(Command::Message(7));
        assert_eq!(message.name(), "message.07");
        assert_eq!(message.title(), "Message 07");
        assert_eq!(Action::named("message.07"), Some(message));
        assert_eq!(Action::named("sprite.99"), Some(Action::Show(Command::Sprite(99))));
        assert_eq!(
            Action::named("sprite.number"),
            Some(Action::Window(WindowAction::Number(Numbered::Sprite)))
        );
        assert_eq!(
            ["sprite.7", "sprite.100", "sprite.+7", "sprites.07"].map(Action::named),
            [const { None }; 4]
        );
    }
}
