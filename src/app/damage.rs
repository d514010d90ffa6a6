//! Finds the parts of the desk that changed between two frames, so that only those are repainted. With
//! software rendering, painting the whole desk costs more than rendering the show.

use egui::epaint::ClippedShape;
use egui::{Rect, TextureId, Vec2};

/// How far antialiasing may extend beyond a shape, in points.
const SMOOTHING: f32 = 2.0;
/// How many shapes to look ahead in one frame for the next shape of the other.
const LOOK_AHEAD: usize = 12;
/// Maximum area added by painting two parts as one, in square points; if it would add more, they stay separate.
const WORTH_JOINING: f32 = 3000.0;
/// Fraction of the desk's area, from 0 to 1; if more than this has changed, the whole desk is repainted.
const MOST: f32 = 0.7;

/// Returns the non-overlapping parts of a desk of `size` points that differ between two frames or show the
/// texture `changed`; the whole desk if most of it has changed.
pub(super) fn damage(
    before: &[ClippedShape],
    now: &[ClippedShape],
    changed: Option<TextureId>,
    size: Vec2,
) -> Vec<Rect> {
    let desk = Rect::from_min_size(egui::Pos2::ZERO, size);
    let mut parts: Vec<Rect> = Vec::new();
    let mut add = |shape: &ClippedShape| {
        let part = extent(shape).intersect(desk);
        if part.is_positive() {
            parts.push(part);
        }
    };
    let (mut old, mut new) = (0, 0);
    while old < before.len() || new < now.len() {
        let (gone, come) = step(&before[old..], &now[new..]);
        before[old..old + gone].iter().chain(&now[new..new + come]).for_each(&mut add);
        (old, new) = (old + gone, new + come);
        let same = before[old..].iter().zip(&now[new..]).take_while(|(old, new)| old == new).count();
        now[new..new + same]
            .iter()
            .filter(|shape| changed == Some(shape.shape.texture_id()))
            .for_each(&mut add);
        (old, new) = (old + same, new + same);
    }
    join(&mut parts);
    let area: f32 = parts.iter().map(Rect::area).sum();
    if area > MOST * desk.area() { vec![desk] } else { parts }
}

/// Returns the parts to paint now, and those to paint later: together `late`, which should have been painted earlier, and
/// `parts`. The late ones come first, until the parts to paint now would cover more than `limit` square points; at least
/// one is painted now.
pub(super) fn portion(late: &[Rect], parts: &[Rect], limit: f32) -> (Vec<Rect>, Vec<Rect>) {
    let mut now = [late, parts].concat();
    join(&mut now);
    now.sort_by_key(|part| !late.iter().any(|late| late.intersects(*part)));
    let mut area = 0.0;
    let within_limit = |part: &&Rect| {
        area += part.area();
        area <= limit
    };
    let count = now.iter().take_while(within_limit).count().max(1).min(now.len());
    let later = now.split_off(count);
    (now, later)
}

/// Returns the shapes of `now` that are visible within `parts`, clipped to them, on a black background.
pub(super) fn within(now: &[ClippedShape], parts: &[Rect]) -> Vec<ClippedShape> {
    let clipped = |part: Rect, shape: &ClippedShape| ClippedShape {
        clip_rect: shape.clip_rect.intersect(part),
        ..shape.clone()
    };
    let background = |part: Rect| ClippedShape {
        clip_rect: part,
        shape: egui::Shape::rect_filled(part.expand(SMOOTHING), 0.0, egui::Color32::BLACK),
        transform_after_tessellation: egui::emath::TSTransform::IDENTITY,
    };
    let visible = |&part: &Rect| {
        // Shapes behind the frontmost one that hides the part are skipped, because they are invisible.
        let front = now.iter().rposition(|shape| hides(shape, part));
        let shapes = now[front.unwrap_or(0)..].iter().filter(move |shape| extent(shape).intersects(part));
        let background = front.is_none().then(|| background(part));
        background.into_iter().chain(shapes.map(move |shape| clipped(part, shape))).collect::<Vec<_>>()
    };
    parts.iter().flat_map(visible).collect()
}

/// Returns whether a shape is opaque and covers all of `part`.
fn hides(shape: &ClippedShape, part: Rect) -> bool {
    let egui::Shape::Rect(rect) = &shape.shape else { return false };
    rect.fill.is_opaque()
        && rect.brush.is_none()
        && rect.blur_width == 0.0
        && rect.angle == 0.0
        && rect.corner_radius == egui::CornerRadius::ZERO
        && shape.transform_after_tessellation == egui::emath::TSTransform::IDENTITY
        && rect.rect.shrink(SMOOTHING).contains_rect(part)
        && shape.clip_rect.contains_rect(part)
}

/// Returns how many shapes to skip in each frame, because they are in only one of the two.
fn step(before: &[ClippedShape], now: &[ClippedShape]) -> (usize, usize) {
    let (Some(old), Some(new)) = (before.first(), now.first()) else { return (before.len(), now.len()) };
    if old == new {
        return (0, 0);
    }
    let ahead = (1..=LOOK_AHEAD).find_map(|ahead| {
        if before.get(ahead) == Some(new) {
            Some((ahead, 0))
        } else if now.get(ahead) == Some(old) {
            Some((0, ahead))
        } else {
            None
        }
    });
    ahead.unwrap_or((1, 1))
}

/// Returns the area that a shape may cover.
fn extent(shape: &ClippedShape) -> Rect {
    if shape.transform_after_tessellation != egui::emath::TSTransform::IDENTITY {
        return shape.clip_rect;
    }
    let smoothing = if matches!(shape.shape, egui::Shape::Mesh(_)) { 0.0 } else { SMOOTHING };
    shape.shape.visual_bounding_rect().expand(smoothing).intersect(shape.clip_rect)
}

/// Joins parts that overlap or are close to each other.
fn join(parts: &mut Vec<Rect>) {
    let worth = |a: Rect, b: Rect| a.intersects(b) || a.union(b).area() - a.area() - b.area() < WORTH_JOINING;
    let mut at = 0;
    while at < parts.len() {
        let part = parts[at];
        match (0..parts.len()).find(|&other| other != at && worth(part, parts[other])) {
            Some(other) => {
                parts[at] = part.union(parts[other]);
                parts.swap_remove(other);
                at = 0;
            }
            None => at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use egui::{Color32, Shape, pos2, vec2};

    fn square(x: f32, y: f32, color: Color32) -> ClippedShape {
        let rect = Rect::from_min_size(pos2(x, y), vec2(10.0, 10.0));
        ClippedShape {
            clip_rect: Rect::EVERYTHING,
            shape: Shape::rect_filled(rect, 0.0, color),
            transform_after_tessellation: egui::emath::TSTransform::IDENTITY,
        }
    }

    const SIZE: Vec2 = vec2(1000.0, 500.0);

    fn row(count: usize) -> Vec<ClippedShape> {
        (0..count).map(|at| square(at as f32 * 20.0, 50.0, Color32::RED)).collect()
    }

    #[test]
    fn identical_frames_have_no_damage() {
        assert_eq!(damage(&row(30), &row(30), None, SIZE), []);
    }

    #[test]
    fn a_moved_shape_damages_its_old_and_new_positions() {
        let (before, mut now) = (row(30), row(30));
        now[3] = square(900.0, 400.0, Color32::RED);
        let parts = damage(&before, &now, None, SIZE);
        assert_eq!(parts.len(), 2, "{parts:?}");
        assert!(parts.iter().any(|part| part.contains(pos2(65.0, 55.0))));
        assert!(parts.iter().any(|part| part.contains(pos2(905.0, 405.0))));
    }

    #[test]
    fn adding_or_removing_a_shape_does_not_damage_later_ones() {
        let (few, mut more) = (row(30), row(30));
        more.insert(5, square(700.0, 300.0, Color32::BLUE));
        for (before, now) in [(&few, &more), (&more, &few)] {
            let parts = damage(before, now, None, SIZE);
            assert!(parts.len() == 1 && parts[0].area() < 500.0, "{parts:?}");
        }
    }

    #[test]
    fn a_changed_texture_damages_the_shapes_that_show_it() {
        let mut shapes = row(30);
        let mut mesh = egui::Mesh::with_texture(TextureId::User(7));
        let rect = Rect::from_min_size(pos2(200.0, 200.0), vec2(160.0, 90.0));
        mesh.add_rect_with_uv(rect, Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0)), Color32::WHITE);
        shapes.insert(4, ClippedShape { shape: Shape::mesh(mesh), ..shapes[0].clone() });
        let parts = damage(&shapes, &shapes, Some(TextureId::User(7)), SIZE);
        assert!(parts.len() == 1 && parts[0].contains_rect(rect) && parts[0].area() < 20_000.0, "{parts:?}");
        assert_eq!(damage(&shapes, &shapes, Some(TextureId::User(8)), SIZE), []);
    }

    #[test]
    fn shapes_behind_an_opaque_panel_are_not_painted() {
        let mut shapes = row(3);
        let panel = Rect::from_min_size(pos2(-10.0, 0.0), vec2(400.0, 200.0));
        shapes.insert(
            2,
            ClippedShape { shape: Shape::rect_filled(panel, 0.0, Color32::GRAY), ..shapes[0].clone() },
        );
        let inside = [Rect::from_min_max(pos2(0.0, 45.0), pos2(60.0, 65.0))];
        assert_eq!(within(&shapes, &inside).len(), 2, "the panel and the last square");
        let beyond = [Rect::from_min_max(pos2(0.0, 45.0), pos2(60.0, 250.0))];
        assert_eq!(within(&shapes, &beyond).len(), 5, "the background and all shapes");
        for (fill, radius) in [(Color32::from_black_alpha(254), 0.0), (Color32::GRAY, 4.0)] {
            shapes[2].shape = Shape::rect_filled(panel, radius, fill);
            assert_eq!(within(&shapes, &inside).len(), 5);
        }
    }

    #[test]
    fn a_large_change_is_painted_in_portions_the_oldest_first() {
        let part = |at: f32| Rect::from_min_size(pos2(at, 0.0), vec2(100.0, 100.0));
        let (now, later) = portion(&[], &[part(0.0), part(200.0), part(400.0)], 25_000.0);
        assert_eq!((now, &later), (vec![part(0.0), part(200.0)], &vec![part(400.0)]));
        let (now, later) = portion(&later, &[part(0.0), part(450.0)], 15_000.0);
        assert_eq!((now, later), (vec![part(400.0).union(part(450.0))], vec![part(0.0)]));
        assert_eq!(portion(&[], &[part(0.0)], 1.0), (vec![part(0.0)], vec![]));
        assert_eq!(portion(&[], &[], 1.0), (vec![], vec![]));
    }

    #[test]
    fn parts_do_not_overlap() {
        let before: Vec<_> =
            (0..60).map(|at| square(at as f32 * 15.0, at as f32 * 7.0, Color32::RED)).collect();
        let now: Vec<_> = (0..60).map(|at| square(at as f32 * 16.0, at as f32 * 7.5, Color32::RED)).collect();
        let parts = damage(&before, &now, None, SIZE);
        for (at, part) in parts.iter().enumerate() {
            assert!(parts[at + 1..].iter().all(|other| !other.intersects(*part)), "{parts:?}");
        }
    }
}
