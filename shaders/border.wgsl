// Borders: the area between two rectangles around the centre of the picture.

// Matches `DrawUniforms` in src/stage/pass/draw.rs.
struct Draw {
    size: vec2<f32>,
    pixel: f32,
    pad: f32,
}

@group(0) @binding(0) var<uniform> target_info: Draw;

// Four quads, six vertices each: left, right, top and bottom. They meet at the diagonals of the corners. Returns the
// signs of the position (-1 or 1), and 1 if the vertex belongs to the inner rectangle, otherwise 0.
fn corner(index: u32) -> vec3<f32> {
    let quad = index / 6u;
    // Two triangles, corners 0 1 2 and 0 2 3, one hex digit each.
    let which = (0x320210u >> (4u * (index % 6u))) & 3u;
    let middle = which == 1u || which == 2u;
    let far = select(-1.0, 1.0, (quad & 1u) == 1u);
    let at_side = vec3<f32>(far, select(-1.0, 1.0, which < 2u), select(0.0, 1.0, middle));
    let above_or_below = vec3<f32>(select(-1.0, 1.0, middle), -far, select(0.0, 1.0, which >= 2u));
    return select(above_or_below, at_side, quad < 2u);
}

struct BorderOut {
    @builtin(position) position: vec4<f32>,
    // No perspective interpolation, because it needs a division.
    @location(0) @interpolate(linear) color: vec4<f32>,
}

// `edges` contains half the size of the outer and of the inner rectangle, in clip space.
@vertex
fn vs_border(
    @builtin(vertex_index) index: u32,
    @location(0) edges: vec2<f32>,
    @location(1) color: vec4<f32>,
) -> BorderOut {
    let at = corner(index);
    return BorderOut(vec4<f32>(at.xy * select(edges.x, edges.y, at.z > 0.5), 0.0, 1.0), color);
}

@fragment
fn fs_color(@location(0) @interpolate(linear) color: vec4<f32>) -> @location(0) vec4<f32> {
    return color;
}

struct SmoothOut {
    @builtin(position) position: vec4<f32>,
    @location(0) @interpolate(flat) color: vec4<f32>,
    @location(1) @interpolate(flat) edges: vec2<f32>,
}

// One pixel larger on each side, so that it covers all pixels that the border touches.
@vertex
fn vs_smooth(
    @builtin(vertex_index) index: u32,
    @location(0) edges: vec2<f32>,
    @location(1) color: vec4<f32>,
) -> SmoothOut {
    let at = corner(index);
    let pixel = 2.0 / target_info.size;
    let outer = max(edges.x, edges.y) + pixel;
    let inner = max(min(edges.x, edges.y) - pixel, vec2<f32>(0.0));
    return SmoothOut(vec4<f32>(at.xy * select(outer, inner, at.z > 0.5), 0.0, 1.0), color, edges);
}

// Share of a pixel that lies in a rectangle; `edge` is half the size of the rectangle, in clip space. `from_center` is
// the distance of the pixel from the centre along each axis, in pixels.
fn share(edge: f32, from_center: vec2<f32>) -> f32 {
    let inside = clamp(edge * 0.5 * target_info.size + 0.5 - from_center, vec2<f32>(0.0), vec2<f32>(1.0));
    return inside.x * inside.y;
}

@fragment
fn fs_smooth(
    @builtin(position) position: vec4<f32>,
    @location(0) @interpolate(flat) color: vec4<f32>,
    @location(1) @interpolate(flat) edges: vec2<f32>,
) -> @location(0) vec4<f32> {
    let from_center = abs(position.xy - 0.5 * target_info.size);
    let covered = abs(share(edges.x, from_center) - share(edges.y, from_center));
    return vec4<f32>(color.rgb, color.a * covered);
}
