// Mirrors, zoom and chromatic aberration.

// Matches `LensUniforms` in src/stage/pass/post_lens.rs.
struct Lens {
    // 1 six-fold kaleidoscope, 0 none, -1 left half mirrored to the right.
    fold: f32,
    // Zoom factor; 1 unchanged.
    zoom: f32,
    // Shift of red and blue, as a fraction of the distance from the centre.
    split: f32,
    // Height over width.
    aspect: f32,
}

@group(0) @binding(1) var<uniform> lens: Lens;
@group(0) @binding(2) var picture: texture_2d<f32>;

const TAU = 6.2831853;
const SECTORS = 6.0;

// Maps positions beyond the edges back into the picture, mirrored.
fn mirrored(uv: vec2<f32>) -> vec2<f32> {
    return 1.0 - abs(1.0 - (uv - 2.0 * floor(uv * 0.5)));
}

// Samples red further outwards and blue further inwards than green.
fn split_light(at: vec2<f32>) -> vec3<f32> {
    if lens.split == 0.0 {
        return light_at(picture, mirrored(at));
    }
    let from_center = (at - 0.5) * lens.split;
    let red = light_at(picture, mirrored(at + from_center)).r;
    let green = light_at(picture, mirrored(at)).g;
    let blue = light_at(picture, mirrored(at - from_center)).b;
    return vec3<f32>(red, green, blue);
}

// Position in the picture that the mirrors show at `at`.
fn folded(at: vec2<f32>) -> vec2<f32> {
    if lens.fold < 0.0 {
        return vec2<f32>(0.5 - abs(at.x - 0.5), at.y);
    }
    let square = vec2<f32>(1.0, lens.aspect);
    let from_center = (at - 0.5) * square;
    let sector = TAU / SECTORS;
    // The small offset avoids atan2(0, 0), which is undefined.
    let angle = atan2(from_center.y, from_center.x + 1e-6);
    let turn = abs(angle - sector * floor(angle / sector) - sector * 0.5);
    return vec2<f32>(cos(turn), sin(turn)) * length(from_center) / square + 0.5;
}

@fragment
fn fs_lens(@location(0) uv: vec2<f32>) -> @location(0) vec4<f32> {
    let at = (uv - 0.5) / lens.zoom + 0.5;
    var light = split_light(at);
    if lens.fold != 0.0 {
        light = mix(light, split_light(folded(at)), smoothstep(0.0, 1.0, abs(lens.fold)));
    }
    return vec4<f32>(light, 1.0);
}
