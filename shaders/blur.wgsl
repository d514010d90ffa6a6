// The two directions of the separable blur: a horizontal pass with scale and bias, and a vertical pass with
// darkened edges. They are separate shaders because a software rasteriser would compute both sides of a
// branch.

// Matches `BlurUniforms` in src/stage/pass/blur.rs.
struct Blur {
    // Size of a source pixel, in uv.
    texel: vec2<f32>,
    scale: f32,
    bias: f32,
    edge_keep: f32,
    edge_darken: f32,
    // Vertical sampling offset of projectM's horizontal pass, in source pixels: 1 (down) or -1 (up).
    slip: f32,
    pad: f32,
}

// Whether to clamp values to 0..1, as a target with 8 bits per channel does; set for targets with 16 bits.
override IS_CLAMPED: bool = false;

@group(0) @binding(1) var<uniform> blur: Blur;
@group(0) @binding(2) var image: texture_2d<f32>;

// Sum of the samples at `uv + offset` and `uv - offset`.
fn pair(uv: vec2<f32>, offset: vec2<f32>) -> vec3<f32> {
    return light_at(image, uv + offset) + light_at(image, uv - offset);
}

fn level(light: vec3<f32>) -> vec4<f32> {
    if IS_CLAMPED {
        return vec4<f32>(clamp(light, vec3<f32>(0.0), vec3<f32>(1.0)), 1.0);
    }
    return vec4<f32>(light, 1.0);
}

@fragment
fn fs_across(@location(0) uv: vec2<f32>) -> @location(0) vec4<f32> {
    let step = vec2<f32>(blur.texel.x, 0.0);
    // projectM's horizontal pass is offset by one source pixel on both axes.
    let from_uv = uv + vec2<f32>(1.0, blur.slip) * blur.texel;
    var sum = pair(from_uv, step * (2.0 * 3.8 / 7.8)) * 7.8;
    sum += pair(from_uv, step * (2.0 + 2.0 * 2.9 / 6.4)) * 6.4;
    sum += pair(from_uv, step * (4.0 + 2.0 * 1.2 / 3.1)) * 3.1;
    sum += pair(from_uv, step * (6.0 + 2.0 * 0.3 / 1.0)) * 1.0;
    return level(sum * (0.5 / 18.3) * blur.scale + blur.bias);
}

@fragment
fn fs_down(@location(0) uv: vec2<f32>) -> @location(0) vec4<f32> {
    let step = vec2<f32>(0.0, blur.texel.y);
    var sum = pair(uv, step * (2.0 * 6.4 / 14.2)) * 14.2;
    sum += pair(uv, step * (2.0 + 2.0 * 1.0 / 4.1)) * 4.1;
    let edge = sqrt(min(min(uv.x, uv.y), 1.0 - max(uv.x, uv.y)));
    let kept = blur.edge_keep + blur.edge_darken * clamp(edge * 5.0, 0.0, 1.0);
    return level(sum * (0.5 / 18.3) * kept);
}
