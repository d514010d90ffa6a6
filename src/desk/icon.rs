//! Icons that the font lacks: star, ban sign, lamp.

use egui::{Color32, Mesh, Painter, Pos2, Response, Sense, Stroke, Ui, Vec2};

use super::style;

/// Number of points on a star.
const POINTS: usize = 5;
/// Ratio of a star's inner radius to its outer one; close to that of a pentagram, 0.38.
const WAIST: f32 = 0.4;

/// Draws a filled star.
pub(super) fn star(painter: &Painter, center: Pos2, radius: f32, color: Color32) {
    let mut mesh = Mesh::default();
    mesh.colored_vertex(center, color);
    let corners = 2 * POINTS as u32;
    for corner in 0..corners {
        let turn = std::f32::consts::TAU * corner as f32 / corners as f32;
        let reach = if corner % 2 == 0 { radius } else { radius * WAIST };
        mesh.colored_vertex(center + Vec2::new(turn.sin(), -turn.cos()) * reach, color);
        mesh.add_triangle(0, corner + 1, (corner + 1) % corners + 1);
    }
    painter.add(mesh);
}

/// Draws a ban sign.
pub(super) fn ban(painter: &Painter, center: Pos2, radius: f32, color: Color32) {
    let stroke = Stroke::new(2.0, color);
    painter.circle_stroke(center, radius - 1.0, stroke);
    let across = Vec2::splat((radius - 1.0) * std::f32::consts::FRAC_1_SQRT_2);
    painter.line_segment([center - across, center + across], stroke);
}

/// Adds a round lamp to the layout, sized for a line of text.
pub(super) fn lamp(ui: &mut Ui, lit: bool, color: Color32) -> Response {
    let (rect, response) = ui.allocate_exact_size(Vec2::splat(14.0), Sense::hover());
    ui.painter().circle_filled(rect.center(), 6.0, if lit { color } else { style::DARK });
    response
}
