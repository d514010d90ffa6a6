// Line segments: hairlines of the device where a reference pixel is a pixel, quads of that width where it is more.

// Twin of `DrawUniforms` in src/stage/pass/draw.rs.
struct Draw {
    // Width and height of the target in pixels.
    size: vec2<f32>,
    // Pixels that stand for one reference pixel.
    pixel: f32,
    pad: f32,
}

@group(0) @binding(0) var<uniform> target_info: Draw;

struct StrokeOut {
    @builtin(position) position: vec4<f32>,
    @location(0) color: vec4<f32>,
}

fn stroke(index: u32, a: vec2<f32>, b: vec2<f32>, color_a: vec4<f32>, color_b: vec4<f32>, width: f32) -> StrokeOut {
    let at_end = (index & 1u) == 1u;
    let side = f32((index >> 1u) & 1u) * 2.0 - 1.0;
    let along = (b - a) * 0.5 * target_info.size;
    let steep = abs(along.y) > abs(along.x);
    let across = select(vec2<f32>(0.0, 1.0), vec2<f32>(1.0, 0.0), steep);
    // Half a pixel longer at each end, so that runs of short segments leave no holes.
    let length_px = max(length(along), 1e-4);
    let reach = along / length_px * 0.5 * select(-1.0, 1.0, at_end);
    let offset = (across * side * width * 0.5 + reach) * 2.0 / target_info.size;
    let place = select(a, b, at_end) + offset;
    return StrokeOut(vec4<f32>(place, 0.0, 1.0), select(color_a, color_b, at_end));
}

@vertex
fn vs_hair(
    @builtin(vertex_index) index: u32,
    @location(0) a: vec2<f32>,
    @location(1) b: vec2<f32>,
    @location(2) color_a: vec4<f32>,
    @location(3) color_b: vec4<f32>,
) -> StrokeOut {
    // Vertices 2 to 7 repeat the line a pixel right, above, and both: what a thick line is.
    let copy = index >> 1u;
    let shift = vec2<f32>(f32(copy & 1u), f32(copy >> 1u)) * 2.0 / target_info.size;
    let at_end = (index & 1u) == 1u;
    return StrokeOut(vec4<f32>(select(a, b, at_end) + shift, 0.0, 1.0), select(color_a, color_b, at_end));
}

@vertex
fn vs_thin(
    @builtin(vertex_index) index: u32,
    @location(0) a: vec2<f32>,
    @location(1) b: vec2<f32>,
    @location(2) color_a: vec4<f32>,
    @location(3) color_b: vec4<f32>,
) -> StrokeOut {
    return stroke(index, a, b, color_a, color_b, target_info.pixel);
}

@vertex
fn vs_thick(
    @builtin(vertex_index) index: u32,
    @location(0) a: vec2<f32>,
    @location(1) b: vec2<f32>,
    @location(2) color_a: vec4<f32>,
    @location(3) color_b: vec4<f32>,
) -> StrokeOut {
    return stroke(index, a, b, color_a, color_b, target_info.pixel * 2.0);
}

@fragment
fn fs_color(@location(0) color: vec4<f32>) -> @location(0) vec4<f32> {
    return color;
}
