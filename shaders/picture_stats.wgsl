// The picture made small: each pixel is the mean of a grid of samples over its part of the picture.
// Twin: src/stage/picture_stats.rs.

@group(0) @binding(0) var picture: texture_2d<f32>;

// Samples along each side of a part: enough that thin lines are not missed, few enough for a large picture.
const SAMPLES: u32 = 8u;
// Parts across and down.
const PARTS: vec2<u32> = vec2<u32>(32u, 18u);

@vertex
fn vs_screen(@builtin(vertex_index) index: u32) -> @builtin(position) vec4<f32> {
    // One triangle that covers the screen.
    let corner = vec2<f32>(f32(index & 1u), f32(index >> 1u));
    return vec4<f32>(corner * 4.0 - 1.0, 0.0, 1.0);
}

@fragment
fn fs_picture_stats(@builtin(position) pos: vec4<f32>) -> @location(0) vec4<f32> {
    let size = textureDimensions(picture);
    let part = vec2<u32>(pos.xy);
    var sum = vec3<f32>(0.0);
    var highest = 0.0;
    for (var y = 0u; y < SAMPLES; y++) {
        for (var x = 0u; x < SAMPLES; x++) {
            let place = (part * SAMPLES + vec2<u32>(x, y)) * size / (PARTS * SAMPLES);
            let colour = textureLoad(picture, min(place, size - 1u), 0).rgb;
            sum += colour;
            highest = max(highest, max(colour.r, max(colour.g, colour.b)));
        }
    }
    // The brightest sample travels in the fourth channel: a picture of thin lines is dark but not black.
    return vec4<f32>(sum / f32(SAMPLES * SAMPLES), highest);
}
