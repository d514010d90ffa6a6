// The MilkDrop 1 composite: video echo, corner hues, gamma and the four filters.

// Matches `CompositeUniforms` in src/stage/pass/composite.rs.
struct Composite {
    echo_alpha: f32,
    echo_zoom: f32,
    echo_flip_x: f32,
    echo_flip_y: f32,
    gamma: f32,
    hue_amount: f32,
    // 1 brighten, 2 darken, 4 solarize, 8 invert.
    filters: u32,
    pad: f32,
    hue: array<vec4<f32>, 4>,
}

@group(0) @binding(0) var image: texture_2d<f32>;
@group(0) @binding(1) var image_sampler: sampler;
@group(0) @binding(2) var<uniform> composite: Composite;

// Parts that a preset does not need are omitted from the pipeline that draws it.
override HAS_ECHO: bool = true;
override HAS_FILTERS: bool = true;

// Interpolates the corner hues over two triangles; the diagonal runs from bottom left to top right.
fn corner_hue(uv: vec2<f32>) -> vec3<f32> {
    let right = composite.hue[1].rgb;
    let below = composite.hue[2].rgb;
    if uv.x + uv.y <= 1.0 {
        let corner = composite.hue[0].rgb;
        return corner + (right - corner) * uv.x + (below - corner) * uv.y;
    }
    let corner = composite.hue[3].rgb;
    return corner + (below - corner) * (1.0 - uv.x) + (right - corner) * (1.0 - uv.y);
}

// Colour of the composite at `place`, whose coordinates run from 0 to 1.
fn shade(place: vec2<f32>) -> vec4<f32> {
    // Map uv to the range from the centre of the first pixel to the centre of the last.
    let pixel = 1.0 / vec2<f32>(textureDimensions(image));
    let image_uv = 0.5 * pixel + place * (1.0 - pixel);
    var light = textureSampleLevel(image, image_sampler, image_uv, 0.0).rgb;
    if HAS_ECHO {
        // The lower bound avoids a division by 0.
        let zoom = max(abs(composite.echo_zoom), 1e-3) * select(1.0, -1.0, composite.echo_zoom < 0.0);
        var echo_uv = (image_uv - 0.5) / zoom + 0.5;
        echo_uv = mix(echo_uv, 1.0 - echo_uv, vec2<f32>(composite.echo_flip_x, composite.echo_flip_y));
        let echo = textureSampleLevel(image, image_sampler, echo_uv, 0.0).rgb;
        light = mix(light, echo, composite.echo_alpha);
    }
    light = light * composite.gamma;
    light = light * mix(vec3<f32>(1.0), corner_hue(place), composite.hue_amount);
    light = clamp(light, vec3<f32>(0.0), vec3<f32>(1.0));
    if HAS_FILTERS {
        if (composite.filters & 1u) != 0u { light = light * (2.0 - light); }
        if (composite.filters & 2u) != 0u { light = light * light; }
        if (composite.filters & 4u) != 0u { light = light * (1.0 - light) * 2.0; }
        if (composite.filters & 8u) != 0u { light = 1.0 - light; }
    }
    return vec4<f32>(light, 1.0);
}

@fragment
fn fs_composite(
    @location(0) diffuse: vec4<f32>,
    @location(1) uv: vec4<f32>,
    @location(2) rad_ang: vec2<f32>,
) -> @location(0) vec4<f32> {
    return shade(uv.zw);
}

@group(1) @binding(1) var position_image: texture_2d<f32>;

// Reads the position from an image; see src/stage/pass/coordinates.rs.
@fragment
fn fs_composite_image(@builtin(position) at: vec4<f32>) -> @location(0) vec4<f32> {
    return shade(textureLoad(position_image, vec2<i32>(at.xy), 0).xy);
}
