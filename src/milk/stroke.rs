//! Turns runs of coloured points into line and dot draws.

use super::frame::Weight;
use super::{Blend, Dot, Draw, Frame, Segment};

/// One point of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Point {
    /// Position in clip space.
    pub at: [f32; 2],
    /// RGBA.
    pub color: [f32; 4],
}

/// Style of a run.
#[derive(Clone, Copy, Debug)]
pub(super) struct StrokeStyle {
    pub dots: bool,
    pub blend: Blend,
    pub weight: Weight,
}

/// Adds a run to `out.above`, skipping non-finite and far-off points.
pub(super) fn draw(run: &[Point], style: StrokeStyle, out: &mut Frame) {
    let StrokeStyle { dots, blend, weight } = style;
    let drawable = |point: &Point| point.at.iter().all(|c| c.abs() < 1e4);
    if dots {
        let start = out.dots.len() as u32;
        let visible = run.iter().filter(|p| drawable(p));
        out.dots.extend(visible.map(|p| Dot { at: p.at, color: p.color }));
        let range = start..out.dots.len() as u32;
        if !range.is_empty() {
            out.above.push(Draw::Dots { range, blend, weight });
        }
        return;
    }
    let start = out.segments.len() as u32;
    for pair in run.windows(2) {
        if drawable(&pair[0]) && drawable(&pair[1]) {
            out.segments.push(Segment {
                a: pair[0].at,
                b: pair[1].at,
                color_a: pair[0].color,
                color_b: pair[1].color,
            });
        }
    }
    let range = start..out.segments.len() as u32;
    if !range.is_empty() {
        out.above.push(Draw::Lines { range, blend, weight });
    }
}

/// Returns a rounded line through the points of `run`, with a new point between each two.
pub(super) fn smoothed(run: &[Point]) -> Vec<Point> {
    // Weights of the two neighbours and of the two points beyond them.
    const NEAR: f32 = 1.15 / 2.0;
    const FAR: f32 = -0.15 / 2.0;
    let Some(&last) = run.last() else { return Vec::new() };
    let mut out = Vec::with_capacity(run.len() * 2);
    for i in 0..run.len() - 1 {
        let (here, next) = (run[i], run[i + 1]);
        let before = run[i.saturating_sub(1)];
        let beyond = run[(i + 2).min(run.len() - 1)];
        let mid =
            |axis: usize| (before.at[axis] + beyond.at[axis]) * FAR + (here.at[axis] + next.at[axis]) * NEAR;
        out.push(here);
        out.push(Point { at: [mid(0), mid(1)], color: here.color });
    }
    out.push(last);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smoothing_keeps_a_straight_line_straight() {
        let run: Vec<Point> =
            (0..6).map(|i| Point { at: [i as f32, 2.0 * i as f32], color: [1.0; 4] }).collect();
        let smooth = smoothed(&run);
        assert_eq!(smooth.len(), 11);
        for point in smooth {
            assert!((point.at[1] - 2.0 * point.at[0]).abs() < 1e-5, "{point:?}");
        }
    }

    #[test]
    fn non_finite_points_are_skipped() {
        let bad = Point { at: [f32::NAN, 0.0], color: [1.0; 4] };
        let good = Point { at: [0.0, 0.0], color: [1.0; 4] };
        let mut out = Frame::default();
        let style = StrokeStyle { dots: false, blend: Blend::Alpha, weight: Weight::Thin };
        draw(&[good, bad, good, good], style, &mut out);
        assert_eq!(out.segments.len(), 1);
    }
}
