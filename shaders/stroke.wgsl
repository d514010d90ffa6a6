// Line segments as quads, one reference pixel wide along the minor axis, which cover the pixels of an aliased line.

// Matches `DrawUniforms` in src/stage/pass/draw.rs.
struct Draw {
    // Width and height of the target, in pixels.
    size: vec2<f32>,
    // Size of a reference pixel, in pixels.
    pixel: f32,
    pad: f32,
}

@group(0) @binding(0) var<uniform> target_info: Draw;

struct StrokeOut {
    @builtin(position) position: vec4<f32>,
    // No perspective interpolation, because it needs a division.
    @location(0) @interpolate(linear) color: vec4<f32>,
}

struct Corner {
    position: vec4<f32>,
    // -0.5 or 0.5: on which side of the line.
    side: f32,
    at_end: bool,
}

// Six vertices per quad. Vertices 0 to 23 are four copies: one in place, the others offset by one reference
// pixel to the right, up, and both. Vertices 24 to 47 are four copies with offsets of half a reference pixel to
// the right, down, and both. `width` is the width of each quad, in pixels.
fn corner_at(index: u32, a: vec2<f32>, b: vec2<f32>, width: f32) -> Corner {
    let copy = index / 6u;
    let step = select(vec2<f32>(1.0, 1.0), vec2<f32>(0.5, -0.5), copy >= 4u) * target_info.pixel;
    let shift = vec2<f32>(f32(copy & 1u), f32((copy >> 1u) & 1u)) * step;
    let corner = index % 6u;
    let at_end = corner == 1u || corner == 3u || corner == 4u;
    let side = select(-0.5, 0.5, corner == 2u || corner == 4u || corner == 5u);
    let along = (b - a) * 0.5 * target_info.size;
    let steep = abs(along.y) > abs(along.x);
    let across = select(vec2<f32>(0.0, 1.0), vec2<f32>(1.0, 0.0), steep);
    // Wide segments are extended at both ends, so that corners have no gaps.
    let overlap = (target_info.pixel - 1.0) * 0.5;
    let reach = along / max(length(along), 1e-4) * overlap * select(-1.0, 1.0, at_end);
    let offset = (across * side * width + reach + shift) * 2.0 / target_info.size;
    return Corner(vec4<f32>(select(a, b, at_end) + offset, 0.0, 1.0), side, at_end);
}

@vertex
fn vs_stroke(
    @builtin(vertex_index) index: u32,
    @location(0) a: vec2<f32>,
    @location(1) b: vec2<f32>,
    @location(2) color_a: vec4<f32>,
    @location(3) color_b: vec4<f32>,
) -> StrokeOut {
    let corner = corner_at(index, a, b, target_info.pixel);
    return StrokeOut(corner.position, select(color_a, color_b, corner.at_end));
}

@fragment
fn fs_color(@location(0) @interpolate(linear) color: vec4<f32>) -> @location(0) vec4<f32> {
    return color;
}

struct SmoothOut {
    @builtin(position) position: vec4<f32>,
    @location(0) @interpolate(linear) color: vec4<f32>,
    // Distance from the middle of the line along the minor axis, in pixels.
    @location(1) @interpolate(linear) away: f32,
}

// Like `vs_stroke`, but half a pixel wider on both sides, so that it covers all pixels that the line touches.
@vertex
fn vs_smooth(
    @builtin(vertex_index) index: u32,
    @location(0) a: vec2<f32>,
    @location(1) b: vec2<f32>,
    @location(2) color_a: vec4<f32>,
    @location(3) color_b: vec4<f32>,
) -> SmoothOut {
    let width = target_info.pixel + 1.0;
    let corner = corner_at(index, a, b, width);
    return SmoothOut(corner.position, select(color_a, color_b, corner.at_end), corner.side * width);
}

// The shares of a line in the pixels across it add up to its width, so it is as bright as an aliased line.
@fragment
fn fs_smooth(
    @location(0) @interpolate(linear) color: vec4<f32>,
    @location(1) @interpolate(linear) away: f32,
) -> @location(0) vec4<f32> {
    let share = clamp((target_info.pixel + 1.0) * 0.5 - abs(away), 0.0, 1.0);
    return vec4<f32>(color.rgb, color.a * share);
}
