// A second deck laid into the picture: its bright parts come first.

// Twin of `FuseUniforms` in src/stage/pass/post_fuse.rs.
struct Fuse {
    // 0 the picture alone, 1 the bright parts of the second deck alone.
    share: f32,
}

@group(0) @binding(1) var<uniform> fuse: Fuse;
@group(0) @binding(2) var picture: texture_2d<f32>;
@group(0) @binding(3) var second: texture_2d<f32>;

// Light below the first counts as dark, above the second as bright.
const DARK = 0.02;
const BRIGHT = 0.4;
// How much of the second deck's dark parts shows: its shape is seen on a bright picture too.
const LEAST = 0.75;

@fragment
fn fs_fuse(@location(0) uv: vec2<f32>) -> @location(0) vec4<f32> {
    let under = light_at(picture, uv);
    let over = light_at(second, uv);
    let key = mix(LEAST, 1.0, smoothstep(DARK, BRIGHT, luma(over)));
    return vec4<f32>(mix(under, over, key * fuse.share), 1.0);
}
