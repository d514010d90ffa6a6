// Prepended to the shader of every fullscreen pass: vertex shader and common functions.

struct ScreenOut {
    @builtin(position) position: vec4<f32>,
    @location(0) uv: vec2<f32>,
}

@vertex
fn vs_screen(@builtin(vertex_index) index: u32) -> ScreenOut {
    let corner = vec2<f32>(f32(index & 1u) * 4.0 - 1.0, f32(index >> 1u) * 4.0 - 1.0);
    return ScreenOut(vec4<f32>(corner, 0.0, 1.0), vec2<f32>(corner.x * 0.5 + 0.5, 0.5 - corner.y * 0.5));
}

@group(0) @binding(0) var image_sampler: sampler;

fn luma(light: vec3<f32>) -> f32 {
    return dot(light, vec3<f32>(0.2126, 0.7152, 0.0722));
}

fn light_at(image: texture_2d<f32>, uv: vec2<f32>) -> vec3<f32> {
    return textureSampleLevel(image, image_sampler, uv, 0.0).rgb;
}
