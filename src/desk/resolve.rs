//! Turns actions into commands, depending on the current state of the show.

use super::action::{Action, Dial};
use crate::mind::Control;
use crate::show::{Command, Snapshot};
use crate::units::Unipolar;

/// Returns the command for an action; `None` for an empty card, and for actions that are handled elsewhere.
/// `waiting` contains the commands that the show has not received yet, so that several steps of a dial add up.
pub fn command(
    action: &Action,
    selected: Control,
    snapshot: &Snapshot,
    waiting: &[Command],
) -> Option<Command> {
    match action {
        Action::Show(command) => Some(command.clone()),
        Action::Nudge(dial, nudge) => Some(moved(*dial, nudge.by(), snapshot, waiting)),
        Action::NudgeSelected(nudge) => Some(moved(Dial::Macro(selected), nudge.by(), snapshot, waiting)),
        Action::PlayCard(card) => snapshot.up_next.get(*card).map(|card| Command::PlayNow(card.id)),
        Action::RemoveCard(card) => snapshot.up_next.get(*card).map(|card| Command::Veto(card.id)),
        Action::Turn(_) | Action::Select(_) | Action::Window(_) => None,
    }
}

/// Returns the command that moves a dial by `by` from the value it has once the commands in `waiting` are
/// applied.
pub fn moved(dial: Dial, by: f32, snapshot: &Snapshot, waiting: &[Command]) -> Command {
    dial.set(Unipolar::new(value(dial, snapshot, waiting).get() + by))
}

/// Returns the value that a dial has once the commands in `waiting` are applied.
pub fn value(dial: Dial, snapshot: &Snapshot, waiting: &[Command]) -> Unipolar {
    let asked = waiting.iter().rev().find_map(|command| match (command, dial) {
        (Command::Macro { control, value }, Dial::Macro(wanted)) if *control == wanted => Some(*value),
        (Command::Adventure(value), Dial::Adventure) => Some(*value),
        _ => None,
    });
    asked.unwrap_or(match dial {
        Dial::Macro(control) => snapshot.macros.values.get(control),
        Dial::Adventure => snapshot.adventure,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::action::Nudge;

    #[test]
    fn steps_of_one_dial_add_up_within_a_frame() {
        let mut snapshot = Snapshot::default();
        snapshot.macros.values.set(Control::Motion, Unipolar::HALF);
        let mut waiting = Vec::new();
        for _ in 0..3 {
            let action = Action::NudgeSelected(Nudge::Up);
            waiting.extend(command(&action, Control::Motion, &snapshot, &waiting));
        }
        let Some(Command::Macro { control: Control::Motion, value }) = waiting.last() else {
            panic!("{waiting:?}")
        };
        assert!((value.get() - 0.65).abs() < 1e-5, "{value:?}");
    }

    #[test]
    fn an_empty_card_gives_no_command() {
        assert_eq!(command(&Action::PlayCard(2), Control::Fusion, &Snapshot::default(), &[]), None);
    }
}
