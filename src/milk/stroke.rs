//! Turns runs of coloured points into line and dot draws.

use super::frame::Weight;
use super::{Blend, Dot, Draw, Frame, Segment};

/// One point of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct StrokePoint {
    /// Position in clip space.
    pub at: [f32; 2],
    /// Colour of the point, as RGBA.
    pub color: [f32; 4],
}

/// Style of a run.
#[derive(Clone, Copy, Debug)]
pub(super) struct StrokeStyle {
    pub dots: bool,
    pub blend: Blend,
    pub weight: Weight,
}

/// Adds a run to `out.above`, skipping points that are non-finite or far outside the picture.
pub(super) fn draw(run: impl Iterator<Item = StrokePoint>, style: StrokeStyle, out: &mut Frame) {
    let StrokeStyle { dots, blend, weight } = style;
    let drawable = |point: &StrokePoint| point.at.iter().all(|c| c.abs() < 1e4);
    if dots {
        let start = out.dots.len() as u32;
        out.dots.extend(run.filter(drawable).map(|p| Dot { at: p.at, color: p.color }));
        let range = start..out.dots.len() as u32;
        if !range.is_empty() {
            out.above.push(Draw::Dots { range, blend, weight });
        }
        return;
    }
    let start = out.segments.len() as u32;
    let mut last: Option<StrokePoint> = None;
    for point in run {
        if let Some(last) = last
            && drawable(&last)
            && drawable(&point)
        {
            out.segments.push(Segment { a: last.at, b: point.at, color_a: last.color, color_b: point.color });
        }
        last = Some(point);
    }
    let range = start..out.segments.len() as u32;
    if !range.is_empty() {
        out.above.push(Draw::Lines { range, blend, weight });
    }
}

/// Returns a smoothed line through `count` points, with a new point between each pair; `point` returns the original
/// ones by index.
pub(super) fn smoothed(
    count: usize,
    point: impl Fn(usize) -> StrokePoint,
) -> impl Iterator<Item = StrokePoint> {
    // Weights of the two neighbours and of the two points beyond them.
    const NEAR: f32 = 1.15 / 2.0;
    const FAR: f32 = -0.15 / 2.0;
    (0..(count * 2).saturating_sub(1)).map(move |half| {
        let i = half / 2;
        let here = point(i);
        if half % 2 == 0 {
            return here;
        }
        let (before, next, beyond) =
            (point(i.saturating_sub(1)), point(i + 1), point((i + 2).min(count - 1)));
        let mid =
            |axis: usize| (before.at[axis] + beyond.at[axis]) * FAR + (here.at[axis] + next.at[axis]) * NEAR;
        StrokePoint { at: [mid(0), mid(1)], color: here.color }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smoothing_keeps_a_straight_line_straight() {
        let run: Vec<StrokePoint> =
            (0..6).map(|i| StrokePoint { at: [i as f32, 2.0 * i as f32], color: [1.0; 4] }).collect();
        let smooth: Vec<StrokePoint> = smoothed(run.len(), |i| run[i]).collect();
        assert_eq!(smooth.len(), 11);
        for point in smooth {
            assert!((point.at[1] - 2.0 * point.at[0]).abs() < 1e-5, "{point:?}");
        }
    }

    #[test]
    fn non_finite_points_are_skipped() {
        let bad = StrokePoint { at: [f32::NAN, 0.0], color: [1.0; 4] };
        let good = StrokePoint { at: [0.0, 0.0], color: [1.0; 4] };
        let mut out = Frame::default();
        let style = StrokeStyle { dots: false, blend: Blend::Alpha, weight: Weight::Thin };
        draw([good, bad, good, good].into_iter(), style, &mut out);
        assert_eq!(out.segments.len(), 1);
    }
}
