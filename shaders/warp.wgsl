// The MilkDrop 1 warp: samples the previous image at the mesh coordinates and multiplies by the decay colour.

// Matches `WarpUniforms` in src/stage/pass/warp.rs.
struct Warp {
    // Alpha is kept: textured polygons sample it.
    decay: vec4<f32>,
}

@group(0) @binding(0) var image: texture_2d<f32>;
@group(0) @binding(1) var image_sampler: sampler;
@group(0) @binding(2) var<uniform> warp: Warp;

@fragment
fn fs_warp(
    @location(0) diffuse: vec4<f32>,
    @location(1) uv: vec4<f32>,
    @location(2) rad_ang: vec2<f32>,
) -> @location(0) vec4<f32> {
    return textureSampleLevel(image, image_sampler, uv.xy, 0.0) * warp.decay;
}

@group(1) @binding(0) var source_image: texture_2d<f32>;

// Reads the mesh coordinates from an image; see src/stage/pass/coordinates.rs.
@fragment
fn fs_warp_image(@builtin(position) at: vec4<f32>) -> @location(0) vec4<f32> {
    let source = textureLoad(source_image, vec2<i32>(at.xy), 0).xy;
    return textureSampleLevel(image, image_sampler, source, 0.0) * warp.decay;
}
