//! Large buttons for dark rooms: lit while on, with the bound key in a corner.

use egui::{Align2, Color32, FontId, Rect, Response, Role, Sense, Stroke, StrokeKind, Ui, Vec2, WidgetInfo};

use super::action::{Action, KeyLine};
use super::style;

/// Appearance of a large button.
pub(super) struct BigButton<'a> {
    /// Label of the button.
    pub title: &'a str,
    /// Key bound to the button's action; empty if there is none.
    pub key: &'a str,
    /// Whether the button is on.
    pub on: bool,
    /// Colour of the button while it is on.
    pub color: Color32,
}

/// Draws a large button of the given size, in points.
pub(super) fn big(ui: &mut Ui, size: Vec2, big: &BigButton) -> Response {
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::Button, true, big.on, big.title));
    if ui.is_rect_visible(rect) && !draw(ui, rect, &response, big, size.y) {
        return response.on_hover_text(big.key);
    }
    response
}

/// Draws the button. Returns whether there was room for the key.
fn draw(ui: &Ui, rect: Rect, response: &Response, big: &BigButton, height: f32) -> bool {
    let fill = match (big.on, response.hovered()) {
        (true, _) => big.color,
        (false, true) => style::HOVERED,
        (false, false) => style::RAISED,
    };
    let ink = if big.on { style::ON_LIGHT } else { style::TEXT };
    let painter = ui.painter_at(rect);
    painter.rect_filled(rect, 6.0, fill);
    if response.is_pointer_button_down_on() {
        painter.rect_stroke(rect, 6.0, Stroke::new(2.0, style::TEXT), StrokeKind::Inside);
    }
    let font = FontId::proportional((height * 0.38).clamp(14.0, 22.0));
    let title = painter.text(rect.center(), Align2::CENTER_CENTER, big.title, font, ink);
    let corner = rect.right_top() + Vec2::new(-6.0, 3.0);
    let faint = if big.on { style::ON_LIGHT } else { style::OFF };
    let key = painter.layout_no_wrap(big.key.to_owned(), FontId::proportional(12.0), faint);
    let place = Align2::RIGHT_TOP.anchor_size(corner, key.size());
    let fits = !place.shrink(3.0).intersects(title);
    if fits {
        painter.galley(place.min, key, faint);
    }
    fits
}

/// Returns the first key bound to an action, or an empty string.
pub(super) fn key_of<'a>(keys: &'a [KeyLine], action: &Action) -> &'a str {
    keys.iter().find(|line| line.action == *action).map_or("", |line| &line.keys)
}
