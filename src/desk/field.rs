//! Text fields that are completed with Enter.

use egui::{Key, Response};

/// Returns whether the text in a field was completed with Enter.
pub(super) fn entered(field: &Response) -> bool {
    field.lost_focus() && field.ctx.input(|input| input.key_pressed(Key::Enter))
}
