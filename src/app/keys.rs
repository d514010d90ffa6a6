//! Keys to commands.

use winit::keyboard::{Key, NamedKey};

use crate::show::Command;

/// What a key does beyond the show itself.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Deed {
    /// Something for the show.
    Show(Command),
    /// The output window fills its screen, or leaves it.
    Fullscreen,
    /// The desk hides or comes back.
    Desk,
    /// The list of keys shows or hides.
    Help,
    /// A picture of the output goes to a file.
    Screenshot,
}

/// Every key, what it does, and the words for it.
pub(super) fn table() -> Vec<(&'static str, Deed, &'static str)> {
    let show = |key, command: Command| {
        let title = command.title();
        (key, Deed::Show(command), title)
    };
    vec![
        show("n", Command::Next),
        show("b", Command::Back),
        show("Space", Command::Hold),
        show("a", Command::Auto),
        show("v", Command::Favourite),
        show("x", Command::Blackout),
        show("z", Command::Freeze),
        ("f", Deed::Fullscreen, "Output fullscreen"),
        ("d", Deed::Desk, "Hide or show the desk"),
        ("h", Deed::Help, "This list"),
        ("p", Deed::Screenshot, "Save a picture"),
    ]
}

/// What this key does.
pub(super) fn deed(key: &Key) -> Option<Deed> {
    let name = match key {
        Key::Character(text) => text.to_lowercase(),
        Key::Named(NamedKey::Space) => "Space".into(),
        Key::Named(NamedKey::ArrowRight) => "n".into(),
        Key::Named(NamedKey::ArrowLeft | NamedKey::Backspace) => "b".into(),
        Key::Named(NamedKey::F1) => "h".into(),
        Key::Named(NamedKey::F11) => "f".into(),
        _ => return None,
    };
    table().into_iter().find(|(key, _, _)| *key == name).map(|(_, deed, _)| deed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_does_one_thing() {
        let keys: Vec<_> = table().into_iter().map(|(key, _, _)| key).collect();
        let mut unique = keys.clone();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len(), keys.len());
    }

    #[test]
    fn capital_letters_do_the_same() {
        assert_eq!(deed(&Key::Character("N".into())), Some(Deed::Show(Command::Next)));
        assert_eq!(deed(&Key::Named(NamedKey::Enter)), None);
    }
}
