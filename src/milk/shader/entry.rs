//! Entry points of a translated shader: `fs_main` gets what a mesh interpolates, `fs_image` reads it from images.
//!
//! With images, one triangle covers the picture. A software rasteriser shades blocks of 4 x 4 pixels once for every
//! triangle that touches them, which small triangles make expensive.

use lactea_abi::{FRAGMENT_ENTRY, PassKind};

/// Entry point that reads three images at its pixel: `@group(2) @binding(0)` holds what changes from frame to frame (the
/// source of the warp in `xy`, or the diffuse colour of the composite), `@binding(1)` the position, and `@binding(2)`
/// radius and angle.
pub const IMAGE_ENTRY: &str = "fs_image";

/// Adds the second entry point. Returns `None` if the translation does not end as expected.
pub(super) fn add_image_entry(wgsl: &str, kind: PassKind) -> Option<String> {
    let header = format!("@fragment\nfn {FRAGMENT_ENTRY}(in: VsOut) -> @location(0) vec4<f32> {{\n");
    let (before, body) = wgsl.split_once(&header)?;
    let input = match kind {
        PassKind::Warp => "VsOut(at, vec4<f32>(1.0), vec4<f32>(moving.xy, position.xy), polar.xy)",
        PassKind::Comp => "VsOut(at, moving, position.xyxy, polar.xy)",
    };
    Some(format!(
        "{before}fn shade(in: VsOut) -> vec4<f32> {{\n{body}
@fragment
fn {FRAGMENT_ENTRY}(in: VsOut) -> @location(0) vec4<f32> {{
    return shade(in);
}}

@group(2) @binding(0) var moving_image: texture_2d<f32>;
@group(2) @binding(1) var position_image: texture_2d<f32>;
@group(2) @binding(2) var polar_image: texture_2d<f32>;

@fragment
fn {IMAGE_ENTRY}(@builtin(position) at: vec4<f32>) -> @location(0) vec4<f32> {{
    let moving = textureLoad(moving_image, vec2<i32>(at.xy), 0);
    let position = textureLoad(position_image, vec2<i32>(at.xy), 0);
    let polar = textureLoad(polar_image, vec2<i32>(at.xy), 0);
    return shade({input});
}}
"
    ))
}

/// Whether a translated shader may read one of its inputs. The name occurs three times in any: where the parameter is
/// declared, and where it is copied to a variable.
pub(super) fn reads(wgsl: &str, input: &str) -> bool {
    wgsl.matches(input).count() > 3
}

#[cfg(test)]
mod tests {
    use super::super::translate;
    use super::*;

    #[test]
    fn inputs_are_known_to_be_read() {
        let read = |body: &str| {
            let text = translate(PassKind::Comp, &format!("shader_body {{ {body} }}")).expect("translates");
            [text.reads_diffuse, text.reads_polar]
        };
        assert_eq!(read("ret = uv.xyx;"), [false, false]);
        assert_eq!(read("ret = uv.xyx * hue_shader;"), [true, false]);
        assert_eq!(read("ret = rad;"), [false, true]);
        assert_eq!(read("ret = hue_shader * sin(ang);"), [true, true]);
    }

    #[test]
    fn both_entry_points_are_there() {
        for kind in [PassKind::Warp, PassKind::Comp] {
            let text = translate(kind, "shader_body { ret = uv.xyx * rad; }").expect("translates");
            let names: Vec<_> = text.module.entry_points.iter().map(|entry| entry.name.as_str()).collect();
            assert_eq!(names, [FRAGMENT_ENTRY, IMAGE_ENTRY]);
        }
    }
}
