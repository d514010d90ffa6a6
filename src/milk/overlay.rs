//! Motion vectors, the darkened centre and borders.

use super::engine::{Context, Tick};
use super::frame::Weight;
use super::mesh::PreviousMesh;
use super::names::frame;
use super::{Blend, Border, Draw, Frame, Segment, Vertex};

/// Maximum number of columns and rows of motion vectors.
const MAX_VECTORS: [f64; 2] = [64.0, 48.0];
/// Picture height, in pixels, up to which lines are one pixel wide.
const REFERENCE_HEIGHT: f32 = 720.0;

/// Draws motion vectors, which show where each point of the picture came from, onto the previous image.
pub(super) fn motion_vectors(vars: &[f64], previous: &PreviousMesh, tick: Tick, out: &mut Frame) {
    let alpha = vars[frame::mv_a] as f32;
    if alpha < 0.001 || previous.uv.is_empty() {
        return;
    }
    let color = color(vars, [frame::mv_r, frame::mv_g, frame::mv_b, frame::mv_a]);
    let (count_x, count_y) = (vars[frame::mv_x].min(MAX_VECTORS[0]), vars[frame::mv_y].min(MAX_VECTORS[1]));
    let (across, down) = (count_x.floor(), count_y.floor());
    let (spread_x, spread_y) = ((count_x - across) as f32, (count_y - down) as f32);
    let (shift_x, shift_y) = (vars[frame::mv_dx] as f32, vars[frame::mv_dy] as f32);
    let length = vars[frame::mv_l] as f32;
    let [width, height] = tick.size.map(|side| side.max(1) as f32);
    let shortest = 1.0 / width;
    let pixel = (height / REFERENCE_HEIGHT).max(1.0);
    let start = out.segments.len() as u32;
    for row in 0..down.max(0.0) as u32 {
        let fy = (row as f32 + 0.25) / (down as f32 + spread_y + 0.25 - 1.0) - shift_y;
        if !(fy > 0.0001 && fy < 0.9999) {
            continue;
        }
        for column in 0..across.max(0.0) as u32 {
            let fx = (column as f32 + 0.25) / (across as f32 + spread_x + 0.25 - 1.0) + shift_x;
            if !(fx > 0.0001 && fx < 0.9999) {
                continue;
            }
            let [from_x, from_y] = previous.source(fx, fy);
            let (mut dx, mut dy) = ((from_x - fx) * length, (from_y - fy) * length);
            let size = dx.hypot(dy);
            if size <= 1e-8 {
                (dx, dy) = (shortest * 2.0, shortest * 2.0);
            } else if size < shortest {
                (dx, dy) = (dx / size * shortest, dy / size * shortest);
            }
            // Direct3D also draws the last pixel of a line.
            let longer = 1.0 + pixel / (dx * width).abs().max((dy * height).abs());
            let end = [(fx + dx * longer) * 2.0 - 1.0, (fy + dy * longer) * 2.0 - 1.0];
            if end.iter().all(|axis| axis.is_finite()) {
                let start = [fx * 2.0 - 1.0, fy * 2.0 - 1.0];
                out.segments.push(Segment { a: start, b: end, color_a: color, color_b: color });
            }
        }
    }
    if out.segments.len() as u32 == start {
        return;
    }
    // projectM draws one more vector, fixed in the lower left corner.
    let corner = [-1.0 + shortest * 4.0; 2];
    out.segments.push(Segment { a: [-1.0; 2], b: corner, color_a: color, color_b: color });
    let range = start..out.segments.len() as u32;
    out.below.push(Draw::Lines { range, blend: Blend::Alpha, weight: Weight::Thin });
}

impl PreviousMesh {
    /// Returns where the previous frame sampled its input for the point `(fx, fy)`, both 0 to 1. As in projectM, rows
    /// are read in reverse order, so motion vectors rotate in the opposite direction to the picture.
    fn source(&self, fx: f32, fy: f32) -> [f32; 2] {
        let [across, down] = self.size;
        let column = fx * across as f32;
        let row = fy * down as f32;
        let (left, top) = ((column as u32).min(across - 1), (row as u32).min(down - 1));
        let (to_right, to_bottom) = (column - left as f32, row - top as f32);
        let corner = |column: u32, row: u32| self.uv[(row * (across + 1) + column) as usize];
        let mix = |a: f32, b: f32, t: f32| a + (b - a) * t;
        let axis = |axis: usize| {
            let above = mix(corner(left, top)[axis], corner(left + 1, top)[axis], to_right);
            let below = mix(corner(left, top + 1)[axis], corner(left + 1, top + 1)[axis], to_right);
            mix(above, below, to_bottom)
        };
        [axis(0), axis(1)]
    }
}

/// Draws the small dark diamond that keeps the centre of the picture from saturating, if it is enabled.
pub(super) fn darken_center(vars: &[f64], context: &Context, out: &mut Frame) {
    if vars[frame::darken_center] == 0.0 {
        return;
    }
    const HALF_SIZE: f32 = 0.05;
    let dark = Vertex { at: [0.0, 0.0], color: [0.0, 0.0, 0.0, 3.0 / 32.0] };
    let rim = |x: f32, y: f32| Vertex { at: [x, y], color: [0.0; 4] };
    let width = HALF_SIZE * context.aspect[1];
    let corners =
        [rim(-width, 0.0), rim(0.0, -HALF_SIZE), rim(width, 0.0), rim(0.0, HALF_SIZE), rim(-width, 0.0)];
    let start = out.triangles.len() as u32;
    for pair in corners.windows(2) {
        out.triangles.extend([dark, pair[0], pair[1]]);
    }
    let range = start..out.triangles.len() as u32;
    out.above.push(Draw::Triangles { range, blend: Blend::Alpha });
}

/// Draws the outer and the inner border.
pub(super) fn borders(vars: &[f64], out: &mut Frame) {
    let outer = vars[frame::ob_size] as f32;
    let inner = vars[frame::ib_size] as f32;
    let rings = [
        (1.0, 1.0 - outer, [frame::ob_r, frame::ob_g, frame::ob_b, frame::ob_a]),
        (1.0 - outer, 1.0 - outer - inner, [frame::ib_r, frame::ib_g, frame::ib_b, frame::ib_a]),
    ];
    let start = out.borders.len() as u32;
    for (outside, inside, slots) in rings {
        let color = color(vars, slots);
        if color[3] < 0.001 || !(outside - inside).is_finite() || outside == inside {
            continue;
        }
        out.borders.push(Border { edges: [outside, inside], color });
    }
    let range = start..out.borders.len() as u32;
    if !range.is_empty() {
        out.above.push(Draw::Borders { range });
    }
}

fn color(vars: &[f64], slots: [usize; 4]) -> [f32; 4] {
    slots.map(|slot| (vars[slot] as f32).max(0.0).min(1.0))
}
