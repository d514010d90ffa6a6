// Square dots, one or two reference pixels wide.

// Matches `DrawUniforms` in src/stage/pass/draw.rs.
struct Draw {
    size: vec2<f32>,
    pixel: f32,
    pad: f32,
}

@group(0) @binding(0) var<uniform> target_info: Draw;

// Offset to the right and down, in half pixels, that breaks the tie where an edge passes through a pixel centre.
const TIE_BREAK: vec2<f32> = vec2<f32>(0.015625, -0.015625);

struct DotOut {
    @builtin(position) position: vec4<f32>,
    @location(0) @interpolate(flat) color: vec4<f32>,
}

fn dot_corner(index: u32, at: vec2<f32>, color: vec4<f32>, width: f32) -> DotOut {
    let corner = vec2<f32>(f32(index & 1u), f32(index >> 1u)) * 2.0 - 1.0;
    return DotOut(vec4<f32>(at + (corner * width + TIE_BREAK) / target_info.size, 0.0, 1.0), color);
}

@vertex
fn vs_thin(@builtin(vertex_index) index: u32, @location(0) at: vec2<f32>, @location(1) color: vec4<f32>) -> DotOut {
    return dot_corner(index, at, color, target_info.pixel);
}

// Covers the same pixels as four thin dots: one in place, the others one reference pixel to the right, up, and both.
@vertex
fn vs_thick(@builtin(vertex_index) index: u32, @location(0) at: vec2<f32>, @location(1) color: vec4<f32>) -> DotOut {
    let center = at + vec2<f32>(1.0, 1.0) * target_info.pixel / target_info.size;
    return dot_corner(index, center, color, target_info.pixel * 2.0);
}

@fragment
fn fs_color(@location(0) @interpolate(flat) color: vec4<f32>) -> @location(0) vec4<f32> {
    return color;
}

struct SmoothOut {
    @builtin(position) position: vec4<f32>,
    @location(0) @interpolate(flat) color: vec4<f32>,
    // Offset from the centre of the dot, in pixels.
    @location(1) @interpolate(linear) away: vec2<f32>,
    // Half the width of the dot, plus half a pixel.
    @location(2) @interpolate(flat) reach: f32,
}

fn smooth_corner(index: u32, at: vec2<f32>, color: vec4<f32>, width: f32) -> SmoothOut {
    let reach = (width + 1.0) * 0.5;
    let away = (vec2<f32>(f32(index & 1u), f32(index >> 1u)) * 2.0 - 1.0) * reach;
    return SmoothOut(vec4<f32>(at + away * 2.0 / target_info.size, 0.0, 1.0), color, away, reach);
}

@vertex
fn vs_smooth_thin(
    @builtin(vertex_index) index: u32,
    @location(0) at: vec2<f32>,
    @location(1) color: vec4<f32>,
) -> SmoothOut {
    return smooth_corner(index, at, color, target_info.pixel);
}

@vertex
fn vs_smooth_thick(
    @builtin(vertex_index) index: u32,
    @location(0) at: vec2<f32>,
    @location(1) color: vec4<f32>,
) -> SmoothOut {
    let center = at + vec2<f32>(1.0, 1.0) * target_info.pixel / target_info.size;
    return smooth_corner(index, center, color, target_info.pixel * 2.0);
}

@fragment
fn fs_smooth(
    @location(0) @interpolate(flat) color: vec4<f32>,
    @location(1) @interpolate(linear) away: vec2<f32>,
    @location(2) @interpolate(flat) reach: f32,
) -> @location(0) vec4<f32> {
    let share = clamp(reach - abs(away), vec2<f32>(0.0), vec2<f32>(1.0));
    return vec4<f32>(color.rgb, color.a * share.x * share.y);
}
