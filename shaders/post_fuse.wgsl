// Blends another deck into the picture, bright parts most strongly.

// Matches `FuseUniforms` in src/stage/pass/post_fuse.rs.
struct Fuse {
    // 0 shows the picture only; 1 replaces it with the other deck where that is bright.
    share: f32,
}

@group(0) @binding(1) var<uniform> fuse: Fuse;
@group(0) @binding(2) var picture: texture_2d<f32>;
@group(0) @binding(3) var second: texture_2d<f32>;

// Parts with a luma up to DARK count as dark, those from BRIGHT on as bright.
const DARK = 0.02;
const BRIGHT = 0.4;
// Opacity of the dark parts of the other deck at full share: high, so that its shapes show on a bright picture.
const MIN_OPACITY = 0.75;

@fragment
fn fs_fuse(@location(0) uv: vec2<f32>) -> @location(0) vec4<f32> {
    let under = light_at(picture, uv);
    let over = light_at(second, uv);
    let key = mix(MIN_OPACITY, 1.0, smoothstep(DARK, BRIGHT, luma(over)));
    return vec4<f32>(mix(under, over, key * fuse.share), 1.0);
}
