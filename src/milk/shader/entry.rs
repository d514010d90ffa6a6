//! Entry points of a translated shader: `fs_main` gets what a mesh interpolates, `fs_image` reads it from images.
//!
//! With images, one triangle covers the picture. A software rasteriser shades blocks of 4 x 4 pixels once for every
//! triangle that touches them, which small triangles make expensive.

use lactea_abi::{FRAGMENT_ENTRY, PassKind};

/// Entry point that reads two images at its pixel: `@group(2) @binding(0)` holds what changes from frame to frame (the
/// source of the warp in `xy`, or the diffuse colour of the composite), `@binding(1)` position, radius and angle.
pub const IMAGE_ENTRY: &str = "fs_image";

/// Adds the second entry point. Returns `None` if the translation does not end as expected.
pub(super) fn add_image_entry(wgsl: &str, kind: PassKind) -> Option<String> {
    let header = format!("@fragment\nfn {FRAGMENT_ENTRY}(in: VsOut) -> @location(0) vec4<f32> {{\n");
    let (before, body) = wgsl.split_once(&header)?;
    let input = match kind {
        PassKind::Warp => "VsOut(at, vec4<f32>(1.0), vec4<f32>(moving.xy, place.xy), place.zw)",
        PassKind::Comp => "VsOut(at, moving, vec4<f32>(place.xy, place.xy), place.zw)",
    };
    Some(format!(
        "{before}fn shade(in: VsOut) -> vec4<f32> {{\n{body}
@fragment
fn {FRAGMENT_ENTRY}(in: VsOut) -> @location(0) vec4<f32> {{
    return shade(in);
}}

@group(2) @binding(0) var moving_image: texture_2d<f32>;
@group(2) @binding(1) var place_image: texture_2d<f32>;

@fragment
fn {IMAGE_ENTRY}(@builtin(position) at: vec4<f32>) -> @location(0) vec4<f32> {{
    let moving = textureLoad(moving_image, vec2<i32>(at.xy), 0);
    let place = textureLoad(place_image, vec2<i32>(at.xy), 0);
    return shade({input});
}}
"
    ))
}

/// Whether a translated shader reads the diffuse colour. Its parameter occurs three times in any: where it is declared,
/// and where it is copied to a variable of the same name.
pub(super) fn reads_diffuse(wgsl: &str) -> bool {
    wgsl.matches("vDiffuse_").count() > 3
}
