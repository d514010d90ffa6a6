//! Tests of which computations are hoisted.

use naga::valid::{Capabilities, ValidationFlags, Validator};
use naga::{AddressSpace, Expression, Module, TypeInner};

use super::{VERTEX_ENTRY, hoist};

/// Hoists from a shader whose function `shade`, which returns a colour, has this `body`. Returns the number
/// of uniform loads left, and the number of vectors that the vertex shader passes on.
fn left(body: &str) -> [usize; 2] {
    let text = format!(
        "struct Block {{ a: f32, b: f32, c: vec2<f32>, d: vec4<f32>, m: mat4x4<f32>, n: array<vec4<f32>, 4> }}
         @group(0) @binding(0) var<uniform> frame: Block;
         @group(0) @binding(1) var image: texture_2d<f32>;
         @group(0) @binding(2) var image_sampler: sampler;
         var<private> shared_value: f32;
         fn change(value: ptr<function, f32>) {{ *value = 1.0; shared_value = 2.0; }}
         fn shade(at: vec4<f32>) -> vec4<f32> {{ {body} }}
         @fragment fn fs_image(@builtin(position) at: vec4<f32>) -> @location(0) vec4<f32> {{ return shade(at); }}
         @fragment fn fs_other(@builtin(position) at: vec4<f32>) -> @location(0) vec4<f32> {{ return shade(at); }}"
    );
    let mut module = naga::front::wgsl::parse_str(&text).unwrap_or_else(|error| panic!("{body}: {error}"));
    let found = hoist(&mut module, "fs_image");
    let valid = Validator::new(ValidationFlags::all(), Capabilities::default()).validate(&module);
    valid.unwrap_or_else(|error| panic!("{body}: {error:?}"));
    let names: Vec<_> = module.entry_points.iter().map(|entry| entry.name.as_str()).collect();
    assert_eq!(names, if found { ["fs_image", VERTEX_ENTRY] } else { ["fs_image", "fs_other"] }, "{body}");
    let result = module.entry_points[1].function.result.as_ref().expect("a result");
    let outputs = match &module.types[result.ty].inner {
        TypeInner::Struct { members, .. } => members.len() - 1,
        _ => 0,
    };
    [uniform_loads(&module), outputs]
}

/// Counts the uniform loads in all functions except the entry points.
fn uniform_loads(module: &Module) -> usize {
    let loads = module.functions.iter().flat_map(|(_, function)| {
        function.expressions.iter().filter(|(_, expression)| {
            let Expression::Load { mut pointer } = **expression else { return false };
            while let Expression::AccessIndex { base, .. } | Expression::Access { base, .. } =
                function.expressions[pointer]
            {
                pointer = base;
            }
            match function.expressions[pointer] {
                Expression::GlobalVariable(variable) => {
                    module.global_variables[variable].space == AddressSpace::Uniform
                }
                _ => false,
            }
        })
    });
    loads.count()
}

#[test]
fn computations_that_depend_only_on_uniforms_are_hoisted() {
    // Loads whose results are no longer used remain; drivers remove them.
    assert_eq!(left("return at * frame.a;"), [0, 1]);
    assert_eq!(left("return at * sin(frame.a * 2.0);")[1], 1);
    assert_eq!(left("return at * frame.d + frame.d.zwxy;")[1], 1);
    assert_eq!(left("return at * frame.a + frame.b + frame.c.x + frame.d.x + frame.n[2].y;")[1], 2);
    assert_eq!(left("var v = frame.a; v = v + 1.0; if at.x > v { v = v * 2.0; } return at * v;")[1], 1);
    assert_eq!(left("var sum = at; for (var i = 0; i < 4; i++) { sum += at * frame.a; } return sum;")[1], 1);
    assert_eq!(left("return textureSampleLevel(image, image_sampler, at.xy * frame.c, 0.0);")[1], 1);
}

#[test]
fn nothing_is_hoisted_from_shaders_without_uniform_values() {
    for body in ["return at;", "return at * 2.0;", "return at * shared_value;", "return at * frame.m;"] {
        assert_eq!(left(body)[1], 0, "{body}");
    }
}

#[test]
fn modified_variables_are_not_treated_as_uniform() {
    // In each body, only the uniform itself is hoisted, not what is computed from the variable.
    for body in [
        "var v = frame.a; for (var i = 0; i < 3; i++) { v = v * at.x; } return at * (v * 2.0);",
        "var v = frame.a; change(&v); return at * (v * 2.0);",
        "shared_value = frame.a; var w = 0.0; change(&w); return at * (shared_value * 2.0);",
        "var v = frame.a; if at.x > 1.0 { v = at.y; } return at * (v * 2.0);",
    ] {
        assert_eq!(left(body)[1], 1, "{body}");
    }
}

#[test]
fn long_chains_are_fast_and_do_not_overflow_the_stack() {
    let squares = "v = v * v + v;\n".repeat(5_000);
    assert_eq!(left(&format!("var v = frame.a; {squares} return at * v;"))[1], 1);
    let copies: String = (0..5_000).map(|n| format!("var w{} = w{n}; ", n + 1)).collect();
    assert_eq!(left(&format!("var w0 = frame.a; {copies} return at * w5000;"))[1], 1);
}

#[test]
fn values_beyond_the_limit_stay_in_the_fragment_shader() {
    let terms: Vec<_> = (0..100).map(|n| format!("at * (frame.a + {n}.0)")).collect();
    let [loads, outputs] = left(&format!("return {};", terms.join(" + ")));
    assert!(loads > 0);
    assert_eq!(outputs, 16);
}
