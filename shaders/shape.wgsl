// Polygons: for each instance, triangles from the centre to the rim, then the outline as quads along the rim.

// Matches `ShapeUniforms` in src/stage/pass/shape.rs.
struct ShapeDraw {
    size: vec2<f32>,
    pixel: f32,
    // Maximum number of sides of the instances. All fill vertices come first, three per side; then the outline
    // vertices, six per side. A thick outline is drawn four times: in place, and offset by half a reference pixel to
    // the right, down, and both.
    sides: f32,
    textured: f32,
    // 1 for a thick outline.
    thick: f32,
    pad_a: f32,
    pad_b: f32,
}

@group(0) @binding(0) var<uniform> info: ShapeDraw;
@group(0) @binding(1) var image: texture_2d<f32>;
@group(0) @binding(2) var image_sampler: sampler;

const TAU: f32 = 6.28318530718;

struct ShapeOut {
    @builtin(position) position: vec4<f32>,
    // No perspective interpolation, because it needs a division.
    @location(0) @interpolate(linear) color: vec4<f32>,
    // uv; z is 1 if textured.
    @location(1) @interpolate(linear) uv: vec3<f32>,
}

struct Shape {
    @location(0) center: vec2<f32>,
    @location(1) radius: vec2<f32>,
    // Angle, sides, texture angle, texture zoom.
    @location(2) turn: vec4<f32>,
    @location(3) color: vec4<f32>,
    @location(4) color_rim: vec4<f32>,
    @location(5) outline: vec4<f32>,
    @location(6) texture_aspect: f32,
}

fn corner_angle(shape: Shape, corner: u32) -> f32 {
    return f32(corner) / shape.turn.y * TAU + TAU / 8.0;
}

fn corner_at(shape: Shape, corner: u32) -> vec2<f32> {
    let angle = corner_angle(shape, corner) + shape.turn.x;
    return shape.center + shape.radius * vec2<f32>(cos(angle), sin(angle));
}

fn corner_uv(shape: Shape, corner: u32) -> vec2<f32> {
    let angle = corner_angle(shape, corner) + shape.turn.z;
    // The lower bound avoids a division by 0.
    let zoom = max(abs(shape.turn.w), 1e-4) * select(1.0, -1.0, shape.turn.w < 0.0);
    return 0.5 + 0.5 * vec2<f32>(cos(angle) * shape.texture_aspect, sin(angle)) / zoom;
}

// A vertex outside the clip volume.
fn discarded() -> ShapeOut {
    return ShapeOut(vec4<f32>(2.0, 2.0, 0.0, 1.0), vec4<f32>(0.0), vec3<f32>(0.0));
}

fn fill(shape: Shape, index: u32) -> ShapeOut {
    let side = index / 3u;
    if side >= u32(shape.turn.y) { return discarded(); }
    let which = index % 3u;
    if which == 0u {
        return ShapeOut(vec4<f32>(shape.center, 0.0, 1.0), shape.color, vec3<f32>(0.5, 0.5, info.textured));
    }
    let corner = side + which - 1u;
    let uv = vec3<f32>(corner_uv(shape, corner), info.textured);
    return ShapeOut(vec4<f32>(corner_at(shape, corner), 0.0, 1.0), shape.color_rim, uv);
}

// Side of the line on which a vertex of the outline lies: -1 or 1.
fn side_of_line(index: u32) -> f32 {
    let which = (0x312210u >> (4u * (index % 6u))) & 3u;
    return f32((which >> 1u) & 1u) * 2.0 - 1.0;
}

// `width` is the width of the line, in pixels.
fn outline(shape: Shape, index: u32, width: f32) -> ShapeOut {
    let quad = index / 6u;
    let thick = info.thick > 0.5;
    let side = select(quad, quad >> 2u, thick);
    if side >= u32(shape.turn.y) || shape.outline.a <= 0.0 { return discarded(); }
    let copy = select(0u, quad & 3u, thick);
    let shift = vec2<f32>(f32(copy & 1u), -f32(copy >> 1u)) * 0.5 * info.pixel;
    // Two triangles, corners 0 1 2 and 2 1 3, one hex digit each. Bit 0 selects the end, bit 1 the side of the line.
    let which = (0x312210u >> (4u * (index % 6u))) & 3u;
    let a = corner_at(shape, side);
    let b = corner_at(shape, side + 1u);
    let along = (b - a) * 0.5 * info.size;
    let across = select(vec2<f32>(0.0, 1.0), vec2<f32>(1.0, 0.0), abs(along.y) > abs(along.x));
    let away = side_of_line(index);
    let offset = (across * away * 0.5 * width + shift) * 2.0 / info.size;
    let position = select(a, b, (which & 1u) == 1u) + offset;
    return ShapeOut(vec4<f32>(position, 0.0, 1.0), shape.outline, vec3<f32>(0.0));
}

fn fill_and_outline(shape: Shape, index: u32) -> ShapeOut {
    let fill_vertices = u32(info.sides) * 3u;
    if index < fill_vertices { return fill(shape, index); }
    return outline(shape, index - fill_vertices, info.pixel);
}

@vertex
fn vs_textured(@builtin(vertex_index) index: u32, shape: Shape) -> ShapeOut {
    return fill(shape, index);
}

@fragment
fn fs_textured(
    @location(0) @interpolate(linear) color: vec4<f32>,
    @location(1) @interpolate(linear) uv: vec3<f32>,
) -> @location(0) vec4<f32> {
    return color * textureSampleLevel(image, image_sampler, uv.xy, 0.0);
}

@vertex
fn vs_textured_outlined(@builtin(vertex_index) index: u32, shape: Shape) -> ShapeOut {
    return fill_and_outline(shape, index);
}

@fragment
fn fs_textured_outlined(
    @location(0) @interpolate(linear) color: vec4<f32>,
    @location(1) @interpolate(linear) uv: vec3<f32>,
) -> @location(0) vec4<f32> {
    let sampled = textureSampleLevel(image, image_sampler, uv.xy, 0.0);
    return color * mix(vec4<f32>(1.0), sampled, uv.z);
}

struct PlainOut {
    @builtin(position) position: vec4<f32>,
    @location(0) @interpolate(linear) color: vec4<f32>,
}

@vertex
fn vs_plain(@builtin(vertex_index) index: u32, shape: Shape) -> PlainOut {
    let full = fill(shape, index);
    return PlainOut(full.position, full.color);
}

@vertex
fn vs_plain_outlined(@builtin(vertex_index) index: u32, shape: Shape) -> PlainOut {
    let full = fill_and_outline(shape, index);
    return PlainOut(full.position, full.color);
}

@fragment
fn fs_plain(@location(0) @interpolate(linear) color: vec4<f32>) -> @location(0) vec4<f32> {
    return color;
}

struct SmoothOut {
    @builtin(position) position: vec4<f32>,
    @location(0) @interpolate(linear) color: vec4<f32>,
    @location(1) @interpolate(linear) uv: vec3<f32>,
    // Distance inside the nearest edge, and inside the opposite one, in pixels, plus half a pixel.
    @location(2) @interpolate(linear) inside: vec2<f32>,
}

// Like `fill`, but the rim is at least half a pixel further out, so that it covers all pixels that the polygon touches.
fn smooth_fill(shape: Shape, index: u32) -> SmoothOut {
    let side = index / 3u;
    let here = fill(shape, index);
    let radius = abs(shape.radius) * 0.5 * info.size;
    // Smallest distance of a side from the centre, in pixels.
    let least = min(radius.x, radius.y) * cos(0.5 * TAU / shape.turn.y);
    if side >= u32(shape.turn.y) || least < 0.05 {
        return SmoothOut(discarded().position, vec4<f32>(0.0), vec3<f32>(0.0), vec2<f32>(0.0));
    }
    let start = (corner_at(shape, side) - shape.center) * 0.5 * info.size;
    let end = (corner_at(shape, side + 1u) - shape.center) * 0.5 * info.size;
    // Distance of this side from the centre, in pixels.
    let depth = abs(start.x * end.y - start.y * end.x) / max(length(end - start), 1e-4);
    if index % 3u == 0u {
        return SmoothOut(here.position, here.color, here.uv, vec2<f32>(depth + 0.5));
    }
    let scale = 1.0 + 0.5 / least;
    let position = mix(shape.center, here.position.xy, scale);
    let color = mix(shape.color, here.color, scale);
    let uv = mix(vec3<f32>(0.5, 0.5, info.textured), here.uv, scale);
    return SmoothOut(vec4<f32>(position, 0.0, 1.0), color, uv, vec2<f32>(depth * (1.0 - scale) + 0.5));
}

@vertex
fn vs_smooth(@builtin(vertex_index) index: u32, shape: Shape) -> SmoothOut {
    let fill_vertices = u32(info.sides) * 3u;
    if index < fill_vertices { return smooth_fill(shape, index); }
    let width = info.pixel + 1.0;
    let line = outline(shape, index - fill_vertices, width);
    let away = side_of_line(index - fill_vertices) * width * 0.5;
    return SmoothOut(line.position, line.color, line.uv, vec2<f32>(width * 0.5 - away, width * 0.5 + away));
}

fn share(inside: vec2<f32>) -> f32 {
    return clamp(min(inside.x, inside.y), 0.0, 1.0);
}

@fragment
fn fs_smooth(
    @location(0) @interpolate(linear) color: vec4<f32>,
    @location(2) @interpolate(linear) inside: vec2<f32>,
) -> @location(0) vec4<f32> {
    let limited = clamp(color, vec4<f32>(0.0), vec4<f32>(1.0));
    return vec4<f32>(limited.rgb, limited.a * share(inside));
}

@fragment
fn fs_smooth_textured(
    @location(0) @interpolate(linear) color: vec4<f32>,
    @location(1) @interpolate(linear) uv: vec3<f32>,
    @location(2) @interpolate(linear) inside: vec2<f32>,
) -> @location(0) vec4<f32> {
    let sampled = textureSampleLevel(image, image_sampler, uv.xy, 0.0);
    let filled = clamp(color, vec4<f32>(0.0), vec4<f32>(1.0)) * mix(vec4<f32>(1.0), sampled, uv.z);
    return vec4<f32>(filled.rgb, filled.a * share(inside));
}
