// Writes the attributes that the mesh of a pass interpolates to images, so that the pass can be drawn as one
// triangle. See src/stage/pass/coordinates.rs.

struct MeshOut {
    @builtin(position) position: vec4<f32>,
    @location(0) diffuse: vec4<f32>,
    @location(1) uv: vec4<f32>,
    @location(2) rad_ang: vec2<f32>,
}

// Position at which the warp samples the previous image; in a composite, position in the picture, moved right and
// down by half a pixel.
@fragment
fn fs_source(in: MeshOut) -> @location(0) vec2<f32> {
    return in.uv.xy;
}

// Colour interpolated from the corner hues.
@fragment
fn fs_diffuse(in: MeshOut) -> @location(0) vec4<f32> {
    return in.diffuse;
}

// Position in the picture, as warp shaders and the built-in composite read it.
@fragment
fn fs_position(in: MeshOut) -> @location(0) vec2<f32> {
    return in.uv.zw;
}

// Radius and angle around the centre of the picture.
@fragment
fn fs_polar(in: MeshOut) -> @location(0) vec2<f32> {
    return in.rad_ang;
}
