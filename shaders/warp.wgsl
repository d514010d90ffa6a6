// The MilkDrop 1 warp: samples the previous image at the mesh coordinates and multiplies by the decay colour.

@group(0) @binding(0) var image: texture_2d<f32>;
@group(0) @binding(1) var image_sampler: sampler;

@fragment
fn fs_warp(
    @location(0) diffuse: vec4<f32>,
    @location(1) uv: vec4<f32>,
    @location(2) rad_ang: vec2<f32>,
) -> @location(0) vec4<f32> {
    // Alpha is kept: textured polygons sample it.
    return textureSampleLevel(image, image_sampler, uv.xy, 0.0) * diffuse;
}
