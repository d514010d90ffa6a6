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

// Six vertices per quad. Vertices 0 to 23 are four copies: one in place, the others offset by one reference
// pixel to the right, up, and both. Vertices 24 to 47 are four copies with offsets of half a reference pixel to
// the right, down, and both.
@vertex
fn vs_stroke(
    @builtin(vertex_index) index: u32,
    @location(0) a: vec2<f32>,
    @location(1) b: vec2<f32>,
    @location(2) color_a: vec4<f32>,
    @location(3) color_b: vec4<f32>,
) -> StrokeOut {
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
    let offset = (across * side * target_info.pixel + reach + shift) * 2.0 / target_info.size;
    return StrokeOut(vec4<f32>(select(a, b, at_end) + offset, 0.0, 1.0), select(color_a, color_b, at_end));
}

@fragment
fn fs_color(@location(0) @interpolate(linear) color: vec4<f32>) -> @location(0) vec4<f32> {
    return color;
}
