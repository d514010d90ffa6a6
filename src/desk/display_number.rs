//! The number of a display, large enough to read from across a room.

use egui::{Align2, CentralPanel, FontId, Frame, Ui, Vec2};

use super::style;

/// Draws the number of a display, with the display's name below it.
pub fn display_number(ui: &mut Ui, number: usize, name: &str) {
    CentralPanel::default().frame(Frame::new().fill(style::ON_LIGHT)).show(ui, |ui| {
        let rect = ui.max_rect();
        let high = rect.height();
        let (big, small) = (FontId::proportional(0.6 * high), FontId::proportional(0.08 * high));
        let painter = ui.painter();
        let (center, below) = (rect.center(), Vec2::new(0.0, 0.38 * high));
        painter.text(center, Align2::CENTER_CENTER, number.to_string(), big, style::TEXT);
        painter.text(center + below, Align2::CENTER_CENTER, name, small, style::OFF);
    });
}
