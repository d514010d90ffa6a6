// Downsamples the picture: each pixel is the mean of a grid of samples over its part of the picture.
// See src/stage/picture_stats.rs.

@group(0) @binding(0) var picture: texture_2d<f32>;

// Number of samples along each axis of a part: enough to catch thin lines, few enough to be fast.
const SAMPLES: u32 = 8u;
// Number of columns and rows of parts.
const PARTS: vec2<u32> = vec2<u32>(32u, 18u);

@vertex
fn vs_screen(@builtin(vertex_index) index: u32) -> @builtin(position) vec4<f32> {
    // A triangle that covers the target.
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
            let pixel = (part * SAMPLES + vec2<u32>(x, y)) * size / (PARTS * SAMPLES);
            let color = textureLoad(picture, min(pixel, size - 1u), 0).rgb;
            sum += color;
            highest = max(highest, max(color.r, max(color.g, color.b)));
        }
    }
    // Alpha is the brightest channel of any sample: a picture of thin lines is dark, but not black.
    return vec4<f32>(sum / f32(SAMPLES * SAMPLES), highest);
}
