// One deck, or a crossfade of two: progress 0 shows the front deck only, 1 the incoming deck only.

// Matches `MixUniforms` in src/stage/pass/mix.rs.
struct Mix {
    progress: f32,
    // 0 mix, 1 luma, 2 zoom, 3 radial.
    style: u32,
    // Height over width.
    aspect: f32,
    pad: f32,
}

@group(0) @binding(1) var<uniform> fade: Mix;
@group(0) @binding(2) var front: texture_2d<f32>;
@group(0) @binding(3) var incoming: texture_2d<f32>;

// Blend weight of the incoming picture at a point: points with `threshold` 0 are revealed first, those with 1 last,
// with a soft edge of `width`.
fn reveal(threshold: f32, width: f32) -> f32 {
    let edge = fade.progress * (1.0 + width) - width;
    return 1.0 - smoothstep(edge, edge + width, threshold);
}

@fragment
fn fs_mix(@location(0) uv: vec2<f32>) -> @location(0) vec4<f32> {
    var from_uv = uv;
    if fade.style == 2u {
        from_uv = (uv - 0.5) / (1.0 + fade.progress * fade.progress * 1.5) + 0.5;
    }
    let from_light = light_at(front, from_uv);
    let to_light = light_at(incoming, uv);
    var share = smoothstep(0.0, 1.0, fade.progress);
    if fade.style == 1u {
        share = reveal(1.0 - luma(to_light), 0.35);
    } else if fade.style == 3u {
        let from_center = (uv - 0.5) * vec2<f32>(1.0, fade.aspect) * 2.0;
        share = reveal(length(from_center) / length(vec2<f32>(1.0, fade.aspect)), 0.3);
    }
    // At both ends, show exactly one picture in every style.
    share = select(select(share, 0.0, fade.progress <= 0.0), 1.0, fade.progress >= 1.0);
    return vec4<f32>(mix(from_light, to_light, share), 1.0);
}
