// The MilkDrop 1 warp: the previous image where the mesh says, darkened by the decay colour.

@group(0) @binding(0) var image: texture_2d<f32>;
@group(0) @binding(1) var image_sampler: sampler;

@fragment
fn fs_warp(
    @location(0) diffuse: vec4<f32>,
    @location(1) uv: vec4<f32>,
    @location(2) rad_ang: vec2<f32>,
) -> @location(0) vec4<f32> {
    // Alpha stays as it is: polygons filled with this image are as opaque as what was drawn there.
    return textureSampleLevel(image, image_sampler, uv.xy, 0.0) * diffuse;
}
