// Writes the values that the mesh of a pass interpolates into images, so that one triangle can draw the pass.
// See src/stage/pass/coordinates.rs.

struct MeshOut {
    @builtin(position) position: vec4<f32>,
    @location(0) diffuse: vec4<f32>,
    @location(1) uv: vec4<f32>,
    @location(2) rad_ang: vec2<f32>,
}

// Where the warp samples the previous image; in a composite, position in the picture.
@fragment
fn fs_source(in: MeshOut) -> @location(0) vec2<f32> {
    return in.uv.xy;
}

// The colour of the corner hues.
@fragment
fn fs_diffuse(in: MeshOut) -> @location(0) vec4<f32> {
    return in.diffuse;
}

// Position in the picture, as warp shaders and the built-in composite read it.
@fragment
fn fs_position(in: MeshOut) -> @location(0) vec2<f32> {
    return in.uv.zw;
}

// Radius and angle.
@fragment
fn fs_polar(in: MeshOut) -> @location(0) vec2<f32> {
    return in.rad_ang;
}
