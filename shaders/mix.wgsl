// One deck, or two on their way from one to the other. At progress 0 the front alone, at 1 the new deck alone.

// Twin of `MixUniforms` in src/stage/pass/mix.rs.
struct Mix {
    progress: f32,
    // 0 mix, 1 luma, 2 zoom, 3 radial.
    style: u32,
    // Height over width.
    aspect: f32,
    // Light that passes, 0 black to 1.
    light: f32,
}

@group(0) @binding(0) var front: texture_2d<f32>;
@group(0) @binding(1) var incoming: texture_2d<f32>;
@group(0) @binding(2) var image_sampler: sampler;
@group(0) @binding(3) var<uniform> fade: Mix;

struct ScreenOut {
    @builtin(position) position: vec4<f32>,
    @location(0) uv: vec2<f32>,
}

@vertex
fn vs_screen(@builtin(vertex_index) index: u32) -> ScreenOut {
    let corner = vec2<f32>(f32(index & 1u) * 4.0 - 1.0, f32(index >> 1u) * 4.0 - 1.0);
    return ScreenOut(vec4<f32>(corner, 0.0, 1.0), vec2<f32>(corner.x * 0.5 + 0.5, 0.5 - corner.y * 0.5));
}

fn luma(light: vec3<f32>) -> f32 {
    return dot(light, vec3<f32>(0.2126, 0.7152, 0.0722));
}

// How much of the new picture shows where `threshold` (0..1) says when it arrives; soft over `width`.
fn arrival(threshold: f32, width: f32) -> f32 {
    let edge = fade.progress * (1.0 + width) - width;
    return 1.0 - smoothstep(edge, edge + width, threshold);
}

@fragment
fn fs_mix(@location(0) uv: vec2<f32>) -> @location(0) vec4<f32> {
    var from_uv = uv;
    if fade.style == 2u {
        from_uv = (uv - 0.5) / (1.0 + fade.progress * fade.progress * 1.5) + 0.5;
    }
    let from_light = textureSampleLevel(front, image_sampler, from_uv, 0.0).rgb;
    let to_light = textureSampleLevel(incoming, image_sampler, uv, 0.0).rgb;
    var share = smoothstep(0.0, 1.0, fade.progress);
    if fade.style == 1u {
        share = arrival(1.0 - luma(to_light), 0.35);
    } else if fade.style == 3u {
        let from_center = (uv - 0.5) * vec2<f32>(1.0, fade.aspect) * 2.0;
        share = arrival(length(from_center) / length(vec2<f32>(1.0, fade.aspect)), 0.3);
    }
    // The ends are exact whatever the style.
    share = select(select(share, 0.0, fade.progress <= 0.0), 1.0, fade.progress >= 1.0);
    return vec4<f32>(mix(from_light, to_light, share) * fade.light, 1.0);
}
