// One picture, one fetch per pixel.

@group(0) @binding(1) var picture: texture_2d<f32>;

@fragment
fn fs_blit(@location(0) uv: vec2<f32>) -> @location(0) vec4<f32> {
    return vec4<f32>(light_at(picture, uv), 1.0);
}
