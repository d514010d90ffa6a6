//! The Adventure slider: how far the director strays from known favourites.

use egui::{Align2, FontId, Rect, RichText, Sense, Ui, Vec2};

use super::action::{Action, Dial, Nudge};
use super::button::key_of;
use super::style;
use super::view::DeskView;
use crate::show::Command;
use crate::units::Unipolar;

/// Height of the slider, in points.
const HEIGHT: f32 = 34.0;

/// Draws the Adventure slider.
pub(super) fn show(ui: &mut Ui, view: &DeskView, commands: &mut Vec<Command>) {
    let keys = [Nudge::Down, Nudge::Up]
        .map(|nudge| key_of(view.keys, &Action::Nudge(Dial::Adventure, nudge)))
        .join(" ");
    ui.horizontal(|ui| {
        ui.label(RichText::new("Adventure").color(style::OFF));
        ui.label(RichText::new(keys).small().color(style::OFF));
    });
    let (rect, response) =
        ui.allocate_exact_size(Vec2::new(ui.available_width(), HEIGHT), Sense::click_and_drag());
    let share = view.snapshot.adventure.get();
    if let Some(place) = response.interact_pointer_pos() {
        let wanted = Unipolar::new((place.x - rect.left()) / rect.width().max(1.0));
        if wanted != view.snapshot.adventure {
            commands.push(Command::Adventure(wanted));
        }
    }
    let painter = ui.painter_at(rect);
    painter.rect_filled(rect, 6.0, style::TROUGH);
    let filled = Rect::from_min_size(rect.min, Vec2::new(rect.width() * share, HEIGHT));
    painter.rect_filled(filled, 6.0, style::LIT);
    let font = FontId::proportional(14.0);
    let inside = rect.shrink(8.0);
    painter.text(inside.left_center(), Align2::LEFT_CENTER, "Safe", font.clone(), style::TEXT);
    painter.text(inside.right_center(), Align2::RIGHT_CENTER, "Anything", font, style::TEXT);
}
