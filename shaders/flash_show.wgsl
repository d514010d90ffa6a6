// Draws the picture that the flash limiter decided on, if it is not the new one. See flash.wgsl.
//
// Each instance draws the verdict whose kind equals the instance index; for any other verdict, its triangle lies
// outside the picture.

const WIDTH = 96;
const HEIGHT = 72;
const CELLS = 6912;

// As in shared/flash_cells.wgsl.
struct Verdict {
    kind: u32,
    limited: u32,
    current: u32,
    pending: u32,
    shares: array<f32, CELLS>,
}

@group(0) @binding(0) var<storage, read> verdict: Verdict;
@group(0) @binding(1) var candidate: texture_2d<f32>;
@group(0) @binding(2) var previous: texture_2d<f32>;

@vertex
fn vs_verdict(
    @builtin(vertex_index) index: u32,
    @builtin(instance_index) kind: u32,
) -> @builtin(position) vec4<f32> {
    let corner = vec2<f32>(f32(index & 1u), f32(index >> 1u)) * 4.0 - 1.0;
    return vec4<f32>(select(vec2<f32>(-2.0), corner, verdict.kind == kind), 0.0, 1.0);
}

fn linear(light: vec3<f32>) -> vec3<f32> {
    let high = pow((light + 0.055) / 1.055, vec3<f32>(2.4));
    return select(high, light / 12.92, light <= vec3<f32>(0.04045));
}

fn encoded(light: vec3<f32>) -> vec3<f32> {
    let high = 1.055 * pow(max(light, vec3<f32>(0.0)), vec3<f32>(1.0 / 2.4)) - 0.055;
    return select(high, light * 12.92, light <= vec3<f32>(0.0031308));
}

fn share_at(cell: vec2<i32>) -> f32 {
    let inside = clamp(cell, vec2<i32>(0), vec2<i32>(WIDTH - 1, HEIGHT - 1));
    return verdict.shares[inside.y * WIDTH + inside.x];
}

@fragment
fn fs_verdict(@builtin(position) position: vec4<f32>) -> @location(0) vec4<f32> {
    let pixel = vec2<i32>(position.xy);
    let last = textureLoad(previous, pixel, 0).rgb;
    if verdict.kind == 2u {
        return vec4<f32>(last, 1.0);
    }
    let light = textureLoad(candidate, pixel, 0).rgb;
    let at = position.xy / vec2<f32>(textureDimensions(previous)) * vec2<f32>(f32(WIDTH), f32(HEIGHT)) - 0.5;
    let cell = vec2<i32>(floor(at));
    let part = fract(at);
    let above = mix(share_at(cell), share_at(cell + vec2<i32>(1, 0)), part.x);
    let below = mix(share_at(cell + vec2<i32>(0, 1)), share_at(cell + vec2<i32>(1, 1)), part.x);
    let share = mix(above, below, part.y);
    let mixed = encoded(mix(linear(last), linear(light), share));
    return vec4<f32>(select(select(mixed, last, share <= 0.0), light, share >= 1.0), 1.0);
}
