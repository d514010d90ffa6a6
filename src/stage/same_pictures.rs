//! Checks that preset shaders draw identical pictures in both forms: unchanged and drawn with a mesh, or rewritten to
//! read the attributes of the mesh from textures and drawn with a single triangle.

use super::deck::Deck;
use super::gpu::Gpu;
use super::readback;
use super::render_context::RenderContext;
use super::settings::DeckSettings;
use crate::milk::{PresetAudio, Program};

/// Draws a preset whose warp and composite shaders have this `body`, with its mesh or, if `hoisted`, rewritten and
/// with a single triangle. Returns the RGBA bytes of the picture, or `None` if there is no device.
fn picture(hoisted: bool, body: &str) -> Option<Vec<u8>> {
    let mut render_context = RenderContext::new(Gpu::for_test()?, &[]);
    if !hoisted {
        render_context.coordinates = None;
    }
    let code = "per_frame_1=q1 = sin(time * 9 + 1); q2 = 0; q3 = 1e30; q4 = -0.25; q5 = 7.3;\n";
    let shaders = ["warp", "comp"].map(|pass| format!("{pass}_1=`shader_body {{ {body} }}\n"));
    let text = format!(
        "[preset00]\nMILKDROP_PRESET_VERSION=201\nPSVERSION=2\nPSVERSION_WARP=2\nPSVERSION_COMP=2\n{code}{}{}",
        shaders[0], shaders[1]
    );
    let program = Program::compile(text.as_bytes()).expect("a preset");
    let settings = DeckSettings { size: [64, 36], mesh: [8, 6], fps: 30.0 };
    let mut deck = Deck::prepare(&render_context, program, settings, 1).expect("a deck");
    assert_eq!(deck.problems(), Vec::<String>::new(), "{body}");
    deck.warm_up(&render_context, &PresetAudio::default(), 4).expect("frames");
    let picture = readback::read_texture(&render_context.gpu, deck.output().texture()).expect("a picture");
    Some(picture.into_raw())
}

#[test]
fn pictures_stay_the_same_to_the_last_bit() {
    let bodies = [
        "ret = frac((sin(q1 * 3) * uv.x + cos(q5) * uv.y) * 4096);",
        // Infinities, NaNs and denormals.
        "ret = frac(float3(q1 / q2, q3 * q3 * uv.x, q2 / q2) * uv.xyx * 99);",
        "ret = saturate(float3(log(q2), sqrt(q4), pow(q3, q3)) * (uv.x - 0.5) * q2 + uv.y);",
        "ret = float3(q3 * q3 - q3 * q3 > uv.x, isnan(q3 * q3 * q2), q1 * 1e-40 > 0);",
        "float a = q1; if (uv.x > 0.5) a = q5 * uv.y; ret = frac(a * 777) * tex2D(sampler_main, uv * q5).xyz + 0.1;",
        "float3 v = float3(q1, q4, q5); for (int i = 0; i < 5; i++) v = frac(v * 1.7 + uv.xyx); ret = v;",
        "ret = GetBlur1(uv * texsize.zw * 60) + tex2D(sampler_noise_lq, uv + rand_frame.xy).xyz * aspect.x;",
        // Does not read the source positions.
        "ret = frac(tex2D(sampler_main, uv_orig * 0.9 + q1).xyz * 1.7 + uv_orig.xyx * 31);",
        "ret = mul(uv.xyx * 90, rot_d1) * slow_roam_cos.xyz + (frame % 3 == 0 ? uv.xyx : q4);",
    ];
    for body in bodies {
        let (Some(mesh), Some(hoisted)) = (picture(false, body), picture(true, body)) else { return };
        assert!(mesh == hoisted, "{body}");
    }
}
