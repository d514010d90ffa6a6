// Trails: adds the history of the picture, or subtracts it.

// Matches `EchoUniforms` in src/stage/pass/post_echo.rs.
struct Echo {
    // 1 trails added, 0 unchanged, -1 trails subtracted.
    amount: f32,
    // Factor by which the history fades per frame.
    keep: f32,
    // Factor by which the history grows per frame.
    growth: f32,
}

@group(0) @binding(1) var<uniform> echo: Echo;
@group(0) @binding(2) var picture: texture_2d<f32>;
@group(0) @binding(3) var history: texture_2d<f32>;

// Updates the history: scales it up, fades it, and takes the maximum with the picture.
@fragment
fn fs_keep(@location(0) uv: vec2<f32>) -> @location(0) vec4<f32> {
    let faded = light_at(history, (uv - 0.5) / echo.growth + 0.5) * echo.keep;
    return vec4<f32>(max(light_at(picture, uv), faded), 1.0);
}

@fragment
fn fs_echo(@location(0) uv: vec2<f32>) -> @location(0) vec4<f32> {
    let now = light_at(picture, uv);
    let trail = light_at(history, uv) - now;
    return vec4<f32>(clamp(now + trail * echo.amount, vec3<f32>(0.0), vec3<f32>(1.0)), 1.0);
}
