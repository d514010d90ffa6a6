// The performer's layers: textured triangles.

@group(0) @binding(0) var image: texture_2d<f32>;
@group(0) @binding(1) var image_sampler: sampler;

struct LayerOut {
    @builtin(position) position: vec4<f32>,
    @location(0) uv: vec2<f32>,
    @location(1) color: vec4<f32>,
    @location(2) keyed: f32,
}

@vertex
fn vs_layer(
    @location(0) at: vec2<f32>,
    @location(1) uv: vec2<f32>,
    @location(2) color: vec4<f32>,
    @location(3) keyed: f32,
) -> LayerOut {
    return LayerOut(vec4<f32>(at, 0.0, 1.0), uv, color, keyed);
}

@fragment
fn fs_layer(in: LayerOut) -> @location(0) vec4<f32> {
    let texel = textureSample(image, image_sampler, in.uv);
    return vec4<f32>(texel.rgb, mix(1.0, texel.a, in.keyed)) * in.color;
}
