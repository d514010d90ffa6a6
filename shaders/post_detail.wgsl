// Local contrast and edge enhancement, or softening.

// Matches `DetailUniforms` in src/stage/pass/post_detail.rs.
struct Detail {
    // Step in uv: one pixel of a picture 540 pixels high, but at least one pixel of this picture.
    step: vec2<f32>,
    // 1 sharpest, 0 unchanged, -1 softest.
    amount: f32,
    pad: f32,
}

@group(0) @binding(1) var<uniform> detail: Detail;
@group(0) @binding(2) var picture: texture_2d<f32>;

// Weights of fine detail, coarse detail and edges at full amount.
const FINE = 1.6;
const COARSE = 0.6;
const EDGE = 0.7;
// Radius of coarse detail, in steps.
const FAR = 5.0;

// Mean of the four samples at distance `reach`.
fn around(uv: vec2<f32>, reach: vec2<f32>) -> vec3<f32> {
    return 0.25 * (light_at(picture, uv + vec2<f32>(reach.x, 0.0)) + light_at(picture, uv - vec2<f32>(reach.x, 0.0))
        + light_at(picture, uv + vec2<f32>(0.0, reach.y)) + light_at(picture, uv - vec2<f32>(0.0, reach.y)));
}

@fragment
fn fs_detail(@location(0) uv: vec2<f32>) -> @location(0) vec4<f32> {
    let light = light_at(picture, uv);
    let near = around(uv, detail.step);
    let wide = around(uv, detail.step * FAR);
    if detail.amount < 0.0 {
        return vec4<f32>(mix(light, 0.2 * light + 0.5 * near + 0.3 * wide, -detail.amount), 1.0);
    }
    let fine = light - near;
    let edge = abs(fine) * light / max(luma(light), 0.1); // Dark colours keep their hue, black stays black.
    let sharp = light + detail.amount * (FINE * fine + COARSE * (light - wide) + EDGE * edge);
    return vec4<f32>(clamp(sharp, vec3<f32>(0.0), vec3<f32>(1.0)), 1.0);
}
