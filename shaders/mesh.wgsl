// Vertex shader of the warp and composite meshes. Its outputs are the inputs of preset shaders.

struct MeshOut {
    @builtin(position) position: vec4<f32>,
    @location(0) diffuse: vec4<f32>,
    @location(1) uv: vec4<f32>,
    @location(2) rad_ang: vec2<f32>,
}

@vertex
fn vs_mesh(
    @location(0) pos: vec2<f32>,
    @location(1) diffuse: vec4<f32>,
    @location(2) uv: vec4<f32>,
    @location(3) rad_ang: vec2<f32>,
) -> MeshOut {
    return MeshOut(vec4<f32>(pos, 0.0, 1.0), diffuse, uv, rad_ang);
}
