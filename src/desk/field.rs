//! Text fields that are confirmed with Enter.

use egui::{Key, Response};

/// Returns whether the text in a field was confirmed with Enter in this frame.
pub(super) fn entered(field: &Response) -> bool {
    field.lost_focus() && field.ctx.input(|input| input.key_pressed(Key::Enter))
}
