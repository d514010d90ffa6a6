// Copies a picture with each channel limited to 0..1, as in an 8-bit image. NaN becomes 0.

@group(0) @binding(0) var picture: texture_2d<f32>;

@vertex
fn vs_screen(@builtin(vertex_index) index: u32) -> @builtin(position) vec4<f32> {
    return vec4<f32>(f32(index & 1u) * 4.0 - 1.0, f32(index >> 1u) * 4.0 - 1.0, 0.0, 1.0);
}

@fragment
fn fs_clamp(@builtin(position) position: vec4<f32>) -> @location(0) vec4<f32> {
    let color = textureLoad(picture, vec2<i32>(position.xy), 0);
    return select(vec4<f32>(0.0), min(color, vec4<f32>(1.0)), color > vec4<f32>(0.0));
}
