//! LEDs of MIDI devices: lit while the state that a control switches is on; encoder rings show the value.

use super::binding::Binding;
use super::event::Kind;
use crate::desk::{Action, resolve};
use crate::mind::macros::Mode;
use crate::show::{Command, OutputMode, Snapshot};

/// Brightness of a fully lit LED.
const LIT: u8 = 127;

/// Returns the brightness of a control's LED, 0 to 127; `None` if its action has no state to show.
pub(super) fn brightness(binding: &Binding, snapshot: &Snapshot) -> Option<u8> {
    let lit = |on: bool| Some(if on { LIT } else { 0 });
    match &binding.action {
        Action::Show(Command::Hold) => lit(snapshot.held),
        Action::Show(Command::Auto) => lit(snapshot.auto),
        Action::Show(Command::Blackout) => lit(snapshot.output_mode == OutputMode::Blackout),
        Action::Show(Command::Freeze) => lit(snapshot.output_mode == OutputMode::Freeze),
        Action::Show(Command::Favourite) => lit(snapshot.playing.as_ref().is_some_and(|p| p.favourite)),
        Action::Show(Command::MacroAi) => lit(snapshot.macros.mode != Mode::Off),
        Action::Show(Command::MacroPreset(preset)) => lit(snapshot.macros.state.preset == Some(*preset)),
        Action::Show(Command::Profile(profile)) => lit(snapshot.macros.state.profile == *profile),
        Action::Turn(dial) if binding.encoding.relative() => {
            Some((resolve::value(*dial, snapshot, &[]).get() * f32::from(LIT)).round() as u8)
        }
        _ => None, // All other actions have no state to show.
    }
}

/// Returns the message that sets a control's LED; `None` for a pitch wheel, which has no LED.
pub(super) fn message(binding: &Binding, brightness: u8) -> Option<[u8; 3]> {
    let status = match binding.address.kind {
        Kind::Note => 0x90,
        Kind::Cc => 0xb0,
        Kind::Bend => return None,
    };
    Some([status | (binding.address.channel - 1), binding.address.number, brightness])
}
