// Hue rotation and saturation. Luma is unchanged, except where a channel is clipped.

// Matches `ColorUniforms` in src/stage/pass/post_color.rs.
struct Color {
    // Hue rotation, in radians.
    turn: f32,
    // 0 grey, 1 unchanged, 2 doubled.
    saturation: f32,
}

@group(0) @binding(1) var<uniform> color: Color;
@group(0) @binding(2) var picture: texture_2d<f32>;

// Divisors of the colour differences of ITU-R BT.709.
const BLUE_SPAN = 1.8556;
const RED_SPAN = 1.5748;

@fragment
fn fs_color(@location(0) uv: vec2<f32>) -> @location(0) vec4<f32> {
    let light = light_at(picture, uv);
    let y = luma(light);
    let difference = vec2<f32>((light.b - y) / BLUE_SPAN, (light.r - y) / RED_SPAN) * color.saturation;
    let c = cos(color.turn);
    let s = sin(color.turn);
    let turned = vec2<f32>(c * difference.x - s * difference.y, s * difference.x + c * difference.y);
    let red = y + turned.y * RED_SPAN;
    let blue = y + turned.x * BLUE_SPAN;
    let green = (y - 0.2126 * red - 0.0722 * blue) / 0.7152;
    return vec4<f32>(clamp(vec3<f32>(red, green, blue), vec3<f32>(0.0), vec3<f32>(1.0)), 1.0);
}
