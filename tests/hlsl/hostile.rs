//! Shaders written to exhaust a compiler or a device are rejected, quickly and with a reason.

use aivj::hlsl::{ErrorKind, translate};
use lactea_abi::PassKind;

/// Returns the kind of error that a composite shader is rejected with.
fn rejection(source: &str) -> Option<ErrorKind> {
    translate(PassKind::Comp, source).err().map(|error| error.kind)
}

#[test]
fn every_kind_of_growth_is_limited() {
    let body = |text: &str| format!("shader_body {{ {text} }}");
    let repeated = |text: &str, count: usize| body(&text.repeat(count));
    let mut doubled = "x".to_owned();
    let mut calls = "float f0(float x) { return x; }".to_owned();
    let mut chain = "#define a0 x+x+x+x\n".to_owned();
    for level in 1..60 {
        doubled = format!("F({doubled})");
        calls += &format!("float f{level}(float x) {{ return f{0}(x) + f{0}(x + 1); }}", level - 1);
        chain += &format!("#define a{level} a{0}+a{0}+a{0}+a{0}\n", level - 1);
    }
    let hostile = [
        ("macros in arguments", format!("#define F(x) ((x)+(x))\n{}", body(&format!("ret = {doubled};")))),
        ("macros of macros", format!("{chain}{}", body("ret = a59;"))),
        ("calls that double", format!("{calls}{}", body("ret = f20(uv.x);"))),
        ("deep calls", format!("{calls}{}", body("ret = f59(uv.x);"))),
        ("texture lookups", repeated("ret += tex2D(sampler_main, uv).xyz;", 2_000)),
        ("lookups in a loop", body("for (int i = 0; i < 1000000; i++) ret += GetPixel(uv);")),
        ("lookups in a loop by two", body("for (int i = 0; i <= 1000000; i += 2) ret += GetPixel(uv);")),
        ("lookups in a loop down", body("for (int i = 1000000; i > 0; i = i - 1) ret += GetPixel(uv);")),
        (
            "lookups in loops in loops",
            body("for (int i = 0; i < 200; i++) for (float k = 0; k < 200; k++) ret += GetPixel(uv);"),
        ),
        ("expensive functions", repeated("ret = sin(ret);", 2_000)),
        ("loops", repeated("while (ret.x < 1) ret += 1;", 200)),
        ("operations", repeated("ret = ret + 1;", 40_000)),
        (
            "macro calls",
            format!("#define F(x) x\n{}", body(&format!("ret = {}1{};", "F(".repeat(500), ")".repeat(500)))),
        ),
        ("arguments", body(&format!("ret = {}1{};", "sin(".repeat(50_000), ")".repeat(50_000)))),
        ("indices", body(&format!("ret = {}1{};", "a[".repeat(50_000), "]".repeat(50_000)))),
        ("casts", body(&format!("ret = {}1;", "(float)".repeat(20_000)))),
        ("arrays", repeated("{ float4 a[2048]; }", 3)),
        ("an array", body("float a[100000];")),
        ("arrays of arrays", body("float a[4000][4000];")),
        ("brackets", body(&format!("ret = {}1{};", "(".repeat(50_000), ")".repeat(50_000)))),
        ("blocks", format!("shader_body {}{}", "{".repeat(50_000), "}".repeat(50_000))),
        ("signs", body(&format!("ret = {}1;", "-".repeat(50_000)))),
        ("conditions", body(&format!("ret = {}1{};", "q1?".repeat(20_000), ":1".repeat(20_000)))),
        ("bytes", format!("// {}\n{}", "x".repeat(300_000), body("ret = 1;"))),
    ];
    for (what, source) in hostile {
        assert_eq!(rejection(&source), Some(ErrorKind::Limit), "{what}");
    }
    assert_eq!(
        rejection("float f(float x) { return f(x); } shader_body { ret = f(1); }"),
        Some(ErrorKind::Semantic)
    );
}

#[test]
fn long_shaders_within_the_limits_translate() {
    assert_eq!(rejection(&format!("shader_body {{ ret = q1{}; }}", "+q2".repeat(5_000))), None);
    let arms = "if (q1 == 1) ret = 1; else ".repeat(1_000);
    assert_eq!(rejection(&format!("shader_body {{ {arms} ret = 2; }}")), None);
    let loops = "for (int i = 0; i < 1000; i++) ret += GetPixel(uv);";
    assert_eq!(rejection(&format!("shader_body {{ {loops} }}")), None);
    let deep = format!("shader_body {{ ret = {}q1{}; }}", "(1+".repeat(70), ")".repeat(70));
    assert_eq!(rejection(&deep), None);
    let blocks = format!("shader_body {{ {} ret = 1; {} }}", "if (q1 > 0) {".repeat(70), "}".repeat(70));
    assert_eq!(rejection(&blocks), None);
}

#[test]
fn invalid_shaders_are_rejected_with_a_position() {
    let broken = [
        ("shader_body { ret = ; }", "expected a value"),
        ("shader_body { ret = 1 }", "expected `;`"),
        ("shader_body { ret = x; }", "unknown name `x`"),
        ("shader_body { ret = f(1); }", "unknown function `f`"),
        ("shader_body { ret = uv; }", "cannot convert float2 to float3"),
        ("shader_body { ret = sin(1, 2); }", "takes 1 arguments"),
        ("shader_body { ret.q = 1; }", "has no member `q`"),
        ("shader_body { ret.xg = 1; }", "has no member `xg`"),
        ("shader_body { uv.z = 1; }", "has no member `z`"),
        ("shader_body { float2x2 m; m._m02 = 1; }", "has no member `_m02`"),
        ("shader_body { float2x2 m; m._00 = 1; }", "has no member `_00`"),
        ("sampler s = sampler_state }; shader_body { }", "expected `{`"),
        ("shader_body { ret = cross(uv, uv); }", "cannot convert float2 to float3"),
        ("shader_body { ret = D3DCOLORtoUBYTE4(uv); }", "cannot convert float2 to float4"),
        ("shader_body { 1 = 2; }", "cannot assign"),
        ("shader_body { break; }", "outside a loop"),
        ("shader_body { float2 a = float2(1); a = float2(1, 2).z; }", "has no member"),
        ("shader_body { int n = 1; n = n & 1.5; }", "take integers"),
        ("#if 1\nshader_body { }", "without `#endif`"),
        ("float x;", "missing `shader_body`"),
        ("", "missing `shader_body`"),
        ("shader_body { ret = tex2D(uv, uv); }", "must be a sampler"),
        ("shader_body { \u{e9} }", "expected a value"),
    ];
    for (source, reason) in broken {
        let error = translate(PassKind::Comp, source).expect_err(source);
        assert!(error.message.contains(reason), "{source}: {error}");
        assert!(error.pos.line > 0, "{source}: {error}");
    }
}
