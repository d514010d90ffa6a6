// Draws the picture that the flash limiter decided on, if it is not the new one. See flash.wgsl.
//
// `vs_softened` and `fs_softened` soften a regular pattern in the new picture. Then each instance draws the verdict
// whose kind equals the instance index; for any other verdict, its triangle lies outside the picture.

const WIDTH = 96;
const HEIGHT = 72;
const CELLS = 6912;
// Contrast that a softened pattern keeps: too little to count as an edge, even after rounding to 8 bits.
const CONTRAST = 0.08;

// As in shared/flash_cells.wgsl.
struct Verdict {
    kind: u32,
    limited: u32,
    current: u32,
    pending: u32,
    exposure: f32,
    harmful: u32,
    softness: f32,
    red: f32,
    green: f32,
    blue: f32,
    weights: array<vec2<f32>, CELLS>,
}

@group(0) @binding(0) var<storage, read> verdict: Verdict;
@group(0) @binding(1) var candidate: texture_2d<f32>;
@group(0) @binding(2) var previous: texture_2d<f32>;

// A corner of a triangle that covers the picture or, if it is not drawn, lies outside it.
fn corner(index: u32, drawn: bool) -> vec4<f32> {
    let place = vec2<f32>(f32(index & 1u), f32(index >> 1u)) * 4.0 - 1.0;
    return vec4<f32>(select(vec2<f32>(-2.0), place, drawn), 0.0, 1.0);
}

@vertex
fn vs_verdict(
    @builtin(vertex_index) index: u32,
    @builtin(instance_index) kind: u32,
) -> @builtin(position) vec4<f32> {
    return corner(index, verdict.kind == kind);
}

@vertex
fn vs_softened(@builtin(vertex_index) index: u32) -> @builtin(position) vec4<f32> {
    return corner(index, verdict.softness > 0.0);
}

fn linear(light: vec3<f32>) -> vec3<f32> {
    let high = pow((light + 0.055) / 1.055, vec3<f32>(2.4));
    return select(high, light / 12.92, light <= vec3<f32>(0.04045));
}

fn encoded(light: vec3<f32>) -> vec3<f32> {
    let high = 1.055 * pow(max(light, vec3<f32>(0.0)), vec3<f32>(1.0 / 2.4)) - 0.055;
    return select(high, light * 12.92, light <= vec3<f32>(0.0031308));
}

fn weights_at(cell: vec2<i32>) -> vec2<f32> {
    let inside = clamp(cell, vec2<i32>(0), vec2<i32>(WIDTH - 1, HEIGHT - 1));
    return verdict.weights[inside.y * WIDTH + inside.x];
}

// The weights, interpolated between cells.
fn weights(position: vec2<f32>) -> vec2<f32> {
    let size = vec2<f32>(textureDimensions(candidate));
    let at = position / size * vec2<f32>(f32(WIDTH), f32(HEIGHT)) - 0.5;
    let cell = vec2<i32>(floor(at));
    let part = fract(at);
    let above = mix(weights_at(cell), weights_at(cell + vec2<i32>(1, 0)), part.x);
    let below = mix(weights_at(cell + vec2<i32>(0, 1)), weights_at(cell + vec2<i32>(1, 1)), part.x);
    return mix(above, below, part.y);
}

// The new picture, with less contrast in a pattern.
fn softened(position: vec2<f32>, weight: f32) -> vec3<f32> {
    let light = textureLoad(candidate, vec2<i32>(position), 0).rgb;
    let mean = vec3<f32>(verdict.red, verdict.green, verdict.blue);
    let soft = encoded(mix(linear(light), mean, weight * verdict.softness * (1.0 - CONTRAST)));
    return select(soft, light, weight * verdict.softness <= 0.0);
}

@fragment
fn fs_softened(@builtin(position) position: vec4<f32>) -> @location(0) vec4<f32> {
    return vec4<f32>(softened(position.xy, weights(position.xy).y), 1.0);
}

@fragment
fn fs_verdict(@builtin(position) position: vec4<f32>) -> @location(0) vec4<f32> {
    let last = textureLoad(previous, vec2<i32>(position.xy), 0).rgb;
    if verdict.kind == 2u {
        return vec4<f32>(last, 1.0);
    }
    let weight = weights(position.xy);
    let light = softened(position.xy, weight.y);
    let mixed = encoded(mix(linear(last), linear(light), weight.x));
    return vec4<f32>(select(select(mixed, last, weight.x <= 0.0), light, weight.x >= 1.0), 1.0);
}
