// The picture with its own past: trails of light laid in, or taken out.

// Twin of `EchoUniforms` in src/stage/pass/post_echo.rs.
struct Echo {
    // 1 trails in full, 0 untouched, -1 trails taken out.
    amount: f32,
    // Part of the past that is left after this frame.
    keep: f32,
    // How much the past has grown since the last frame.
    growth: f32,
}

@group(0) @binding(1) var<uniform> echo: Echo;
@group(0) @binding(2) var picture: texture_2d<f32>;
@group(0) @binding(3) var past: texture_2d<f32>;

// The past takes in the picture and fades, growing outwards.
@fragment
fn fs_keep(@location(0) uv: vec2<f32>) -> @location(0) vec4<f32> {
    let left = light_at(past, (uv - 0.5) / echo.growth + 0.5) * echo.keep;
    return vec4<f32>(max(light_at(picture, uv), left), 1.0);
}

@fragment
fn fs_echo(@location(0) uv: vec2<f32>) -> @location(0) vec4<f32> {
    let now = light_at(picture, uv);
    let trail = light_at(past, uv) - now;
    return vec4<f32>(clamp(now + trail * echo.amount, vec3<f32>(0.0), vec3<f32>(1.0)), 1.0);
}
