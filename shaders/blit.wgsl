// Copies a picture, with one sample per pixel.

@group(0) @binding(1) var picture: texture_2d<f32>;

// Sets alpha to 1, because a window may otherwise be translucent.
@fragment
fn fs_opaque(@location(0) uv: vec2<f32>) -> @location(0) vec4<f32> {
    return vec4<f32>(light_at(picture, uv), 1.0);
}

@fragment
fn fs_copy(@location(0) uv: vec2<f32>) -> @location(0) vec4<f32> {
    return textureSampleLevel(picture, image_sampler, uv, 0.0);
}
