// Glow and rays around bright parts, or a vignette.

// Matches `GlowUniforms` in src/stage/pass/post_glow.rs.
struct Glow {
    // Size of a pixel in uv: of the picture in fs_bright, of the small images elsewhere; in fs_blur, only along the
    // blur axis.
    step: vec2<f32>,
    // 1 full glow, 0 none, -1 full vignette.
    amount: f32,
    // Strength of the rays, 0 to 1.
    glint: f32,
}

@group(0) @binding(1) var<uniform> glow: Glow;
@group(0) @binding(2) var picture: texture_2d<f32>;
@group(0) @binding(3) var bright: texture_2d<f32>;
@group(0) @binding(4) var blurred: texture_2d<f32>;

// Glow rises from none at DIM to full at BRIGHT.
const DIM = 0.1;
const BRIGHT = 0.8;
const RAY_TAPS = 4;
// Brightness of the rays at full glint.
const RAYS = 0.45;

// Extracts the bright parts at a quarter of the width and height. Four bilinear samples cover sixteen pixels.
@fragment
fn fs_bright(@location(0) uv: vec2<f32>) -> @location(0) vec4<f32> {
    let s = glow.step;
    let light = 0.25 * (light_at(picture, uv + vec2<f32>(s.x, s.y)) + light_at(picture, uv + vec2<f32>(-s.x, s.y))
        + light_at(picture, uv + vec2<f32>(s.x, -s.y)) + light_at(picture, uv - s));
    return vec4<f32>(light * smoothstep(DIM, BRIGHT, max(light.r, max(light.g, light.b))), 1.0);
}

// One direction of a 9-tap binomial blur, in five bilinear samples.
@fragment
fn fs_blur(@location(0) uv: vec2<f32>) -> @location(0) vec4<f32> {
    let s = glow.step;
    var light = 0.2270 * light_at(picture, uv);
    light += 0.3162 * (light_at(picture, uv + s * 1.3846) + light_at(picture, uv - s * 1.3846));
    light += 0.0703 * (light_at(picture, uv + s * 3.2308) + light_at(picture, uv - s * 3.2308));
    return vec4<f32>(light, 1.0);
}

// Four diagonal rays around points that are brighter than their surroundings; large bright areas get none.
fn rays(uv: vec2<f32>) -> vec3<f32> {
    var light = vec3<f32>(0.0);
    for (var tap = 1; tap <= RAY_TAPS; tap++) {
        let reach = glow.step * (f32(tap) * 2.0 - 1.0);
        let weight = 1.0 / f32(tap);
        for (var ray = 0; ray < 4; ray++) {
            let direction = vec2<f32>(f32(ray & 1) * 2.0 - 1.0, f32(ray >> 1u) * 2.0 - 1.0);
            let at = uv + reach * direction;
            let spark = max(light_at(bright, at) - light_at(blurred, at), vec3<f32>(0.0));
            light += spark * weight;
        }
    }
    return light * RAYS;
}

@fragment
fn fs_glow(@location(0) uv: vec2<f32>) -> @location(0) vec4<f32> {
    var light = light_at(picture, uv);
    var added = light_at(blurred, uv) * max(glow.amount, 0.0);
    if glow.glint > 0.0 {
        added += rays(uv) * glow.glint;
    }
    light = 1.0 - (1.0 - light) * (1.0 - min(added, vec3<f32>(1.0)));
    let from_center = length(uv - 0.5) * 1.4142;
    let edge = 1.0 + min(glow.amount, 0.0) * smoothstep(0.25, 1.0, from_center) * 0.9;
    return vec4<f32>(light * edge, 1.0);
}
