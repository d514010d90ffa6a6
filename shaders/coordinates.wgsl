// Writes what the mesh of a pass interpolates to images, so that one triangle can draw the pass itself. See
// src/stage/pass/coordinates.rs.

struct MeshOut {
    @builtin(position) position: vec4<f32>,
    @location(0) diffuse: vec4<f32>,
    @location(1) uv: vec4<f32>,
    @location(2) rad_ang: vec2<f32>,
}

// Where the warp samples the previous image.
@fragment
fn fs_source(in: MeshOut) -> @location(0) vec2<f32> {
    return in.uv.xy;
}

// The colour of the corner hues.
@fragment
fn fs_diffuse(in: MeshOut) -> @location(0) vec4<f32> {
    return in.diffuse;
}

// Position in the picture, radius and angle, as warp shaders read them.
@fragment
fn fs_warp_place(in: MeshOut) -> @location(0) vec4<f32> {
    return vec4<f32>(in.uv.zw, in.rad_ang);
}

// The same as composite shaders read them.
@fragment
fn fs_composite_place(in: MeshOut) -> @location(0) vec4<f32> {
    return vec4<f32>(in.uv.xy, in.rad_ang);
}

// Position in the picture, as the built-in composite reads it.
@fragment
fn fs_plain_place(in: MeshOut) -> @location(0) vec2<f32> {
    return in.uv.zw;
}
