// Untextured triangles: borders and the darkened centre.

struct TriangleOut {
    @builtin(position) position: vec4<f32>,
    // No perspective interpolation, because it needs a division.
    @location(0) @interpolate(linear) color: vec4<f32>,
}

@vertex
fn vs_triangle(@location(0) at: vec2<f32>, @location(1) color: vec4<f32>) -> TriangleOut {
    return TriangleOut(vec4<f32>(at, 0.0, 1.0), color);
}

@fragment
fn fs_color(@location(0) @interpolate(linear) color: vec4<f32>) -> @location(0) vec4<f32> {
    return color;
}
