// Vertex shaders of the warp and composite passes: for a mesh, whose outputs are the inputs of preset shaders,
// and for one triangle, for passes that read these inputs from images.

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

@vertex
fn vs_image(@builtin(vertex_index) index: u32) -> @builtin(position) vec4<f32> {
    return vec4<f32>(f32(index & 1u) * 4.0 - 1.0, f32(index >> 1u) * 4.0 - 1.0, 0.0, 1.0);
}
