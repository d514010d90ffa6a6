//! Shaders written to exhaust a compiler or a device are rejected, quickly and with a reason.

use aivj::hlsl::{ErrorKind, translate};
use lactea_abi::PassKind;

/// Returns the kind of error that a composite shader is rejected with.
fn rejection(source: &str) -> Option<ErrorKind> {
    translate(PassKind::Comp, source).err().map(|error| error.kind)
}

/// Returns a shader with this body.
fn body(text: &str) -> String {
    format!("shader_body {{ {text} }}")
}

/// Fails unless every source exceeds a limit.
fn exceed_limits<const N: usize>(sources: [(&str, String); N]) {
    for (what, source) in sources {
        assert_eq!(rejection(&source), Some(ErrorKind::Limit), "{what}");
    }
}

/// Joins what `text` returns for the numbers from 1 to `last`.
fn numbered(last: usize, text: impl Fn(usize) -> String) -> String {
    (1..=last).map(text).collect()
}

#[test]
fn every_kind_of_growth_is_limited() {
    let repeated = |text: &str, count: usize| body(&text.repeat(count));
    let mut doubled = "x".to_owned();
    let mut calls = "float f0(float x) { return x; }".to_owned();
    let mut chain = "#define a0 x+x+x+x\n".to_owned();
    for level in 1..60 {
        doubled = format!("F({doubled})");
        calls += &format!("float f{level}(float x) {{ return f{0}(x) + f{0}(x + 1); }}", level - 1);
        chain += &format!("#define a{level} a{0}+a{0}+a{0}+a{0}\n", level - 1);
    }
    exceed_limits([
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
        ("branches", repeated("if (q1 > ret.x) ret += 1;", 400)),
        ("clips", repeated("clip(ret.x);", 400)),
        (
            "choices of structs",
            format!(
                "struct S {{ float x; }}; {}",
                body(&format!("S a; S b; {}", "a = q1 > 0 ? a : b;".repeat(400)))
            ),
        ),
        ("sound", repeated("ret += get_fft(ret.x);", 2_000)),
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
    ]);
}

#[test]
fn a_call_costs_as_much_as_whatever_it_may_call() {
    let lookups = |count: usize| "+tex2D(sampler_main, 0.5)".repeat(count);
    let doubled = numbered(20, |n| format!("float f{n}(float x = f{0}() + f{0}()) {{ return x; }}", n - 1));
    let longer = format!("float4 f(float x) {{ {} return x; }}", "x = x + 1;".repeat(1_000));
    let cases = numbered(600, |n| format!("case (tex2D(sampler_main, 0.5), {n}): ret = {n};"));
    let operands = format!("float3 f() {{ return float3({} 1, 1, 1); }}", "q1, ".repeat(10_000));
    exceed_limits([
        (
            "defaults that double",
            format!("float f0(float x = 1) {{ return x; }} {doubled} {}", body("ret = f20();")),
        ),
        (
            "lookups in a default",
            format!("float4 f(float4 x = 0{}) {{ return x; }} {}", lookups(600), body("ret = f().xyz;")),
        ),
        (
            "an intrinsic beside a function of the same name",
            format!(
                "float3 GetPixel(float a, float b) {{ return 0; }} {}",
                body(&"ret += GetPixel(uv);".repeat(600))
            ),
        ),
        (
            "the shorter of two overloads",
            format!(
                "{longer} float4 f(float2 x) {{ return 0{}; }} {}",
                lookups(300),
                body("ret = (f(uv) + f(uv)).xyz;")
            ),
        ),
        ("cases", body(&format!("switch (1) {{ {cases} }}"))),
        (
            "empty functions",
            format!("float f() {{ }} {}", body(&format!("ret = float3({} 1);", "f(),".repeat(22_000)))),
        ),
        ("operands", format!("{operands} {}", body(&"ret += f();".repeat(40)))),
        ("variables", body(&format!("float a{};", ", a".repeat(20_500)))),
    ]);
}

#[test]
fn costs_beyond_any_number_stay_beyond_the_limit() {
    let calls = numbered(23, |n| {
        let sum = format!("f{}(p)+", n - 1).repeat(8);
        format!("float3 f{n}(float2 p) {{ return {sum} 0; }}")
    });
    let source = format!(
        "float3 f0(float2 p) {{ return GetPixel(p); }} {calls} {}",
        body("ret = GetPixel(uv) + f23(uv);")
    );
    let error = translate(PassKind::Comp, &source).expect_err("too much");
    assert!(error.message.starts_with("too many texture lookups"), "{error}");
}

#[test]
fn recursion_is_rejected_even_through_defaults() {
    for functions in [
        "float f(float x = 1) { return f(x); }",
        "float f(float x = f()) { return x; }",
        "float f(float x = f(1)) { return x; }",
        "float g(float x = 1); float f(float x = g()) { return x; } float g(float x = f()) { return x; }",
    ] {
        let source = format!("{functions} {}", body("ret = f();"));
        assert_eq!(rejection(&source), Some(ErrorKind::Semantic), "{functions}");
    }
}

#[test]
fn an_overload_may_call_another_one() {
    let hash = "float hash(float n) { return frac(sin(n) * 43758.5); }
        float hash(float2 p) { return hash(p.x + 57 * p.y); }";
    assert_eq!(rejection(&format!("{hash} {}", body("ret = hash(uv);"))), None);
    // Each overload may call every other one, in any order.
    let types = ["float", "float2", "float3", "float4", "int", "int2", "int3", "int4", "bool", "bool2"];
    let overloads = types.map(|ty| format!("float f({ty} x) {{ return f(x.x); }}")).concat();
    let last = "float f(float3x3 x) { return x[0].x; }";
    assert_eq!(rejection(&format!("{last} {overloads} {}", body("ret = f(uv);"))), Some(ErrorKind::Limit));
}

#[test]
fn macro_expansion_is_limited() {
    let doubled = numbered(60, |n| format!("#define a{n}(x) a{}(x##x)\n", n - 1));
    let chain = numbered(400, |n| format!("#define a{n} a{}\n", n - 1));
    exceed_limits([
        ("names that double", format!("#define a0(x) x\n{doubled}{}", body("ret = a60(q);"))),
        ("macros of macros", format!("#define a0 1\n{chain}{}", body("ret = a400;"))),
        (
            "empty arguments",
            format!("#define F(x) {}\n{}", "x ".repeat(20_000), body(&"F() ".repeat(10_000))),
        ),
        (
            "pasted arguments",
            format!("#define F(x) x{}\n{}", "##x".repeat(200), body(&format!("F({})", "1 ".repeat(40_000)))),
        ),
        ("parameters", format!("#define F(x{}) 1\n{}", ", x".repeat(200), body("ret = 1;"))),
    ]);
}

#[test]
fn types_are_limited_in_size_and_depth() {
    let doubled = numbered(60, |n| format!("struct S{n} {{ S{0} x; S{0} y; }};", n - 1));
    let structs = numbered(5_000, |n| format!("struct S{n} {{ S{} x; }};", n - 1));
    let arrays = numbered(5_000, |n| format!("typedef A{} A{n}[1];", n - 1));
    exceed_limits([
        ("structs that double", format!("struct S0 {{ float x; }}; {doubled} {}", body("S60 s;"))),
        ("structs in structs", format!("struct S0 {{ float x; }}; {structs} {}", body("S5000 s;"))),
        ("arrays of arrays", format!("typedef float A0[1]; {arrays} {}", body("A5000 a;"))),
        ("type modifiers", format!("{} int x; {}", "unsigned ".repeat(25_000), body("ret = 1;"))),
        ("type arguments", format!("{} x; {}", "vector<".repeat(30_000), body("ret = 1;"))),
    ]);
    assert_eq!(rejection(&body(&format!("float a[1{}]; ret = a[0];", "+1-1".repeat(20_000)))), None);
}

#[test]
fn nesting_is_limited_across_expressions_and_calls() {
    let [open, close] = ["if (x > 0) {", "}"].map(|text| text.repeat(60));
    let calls =
        numbered(10, |n| format!("float f{n}(float x) {{ {open} x = f{}(x); {close} return x; }}", n - 1));
    let wrapped = |links: &str| {
        let expression = (0..70).fold("q1".to_owned(), |inner, _| format!("({inner}{links})"));
        body(&format!("ret = {expression};"))
    };
    exceed_limits([
        (
            "statements in functions",
            format!("float f0(float x) {{ return x; }} {calls} {}", body("ret = f10(uv.x);")),
        ),
        ("branches without braces", body(&format!("{} ret = 1;", "if (q1 > 0)".repeat(80)))),
        (
            "branches in loops and functions",
            format!(
                "float f(float x) {{ {} x += 1; return x; }} {}",
                "if (x > 0)".repeat(40),
                body(&format!("{} ret = f(uv.x);", "while (q1 > 0) if (q2 > 0)".repeat(18)))
            ),
        ),
        ("commas", wrapped(&", q1".repeat(140))),
        ("members", wrapped(&".x".repeat(140))),
        ("a constant", body(&format!("for (int i = 0; i < 1{}; i++) ret += 1;", "+1-1".repeat(15_000)))),
    ]);
}

#[test]
fn copies_of_arrays_are_limited() {
    let source = |count: usize| {
        let globals = "struct S { float4 a[60]; }; static S g; S f() { return g; }";
        format!("{globals} {}", body(&"ret += f().a[(int)q1].xyz;".repeat(count)))
    };
    assert_eq!([1, 40].map(|count| rejection(&source(count))), [None, Some(ErrorKind::Limit)]);
}

#[test]
fn loops_that_may_never_end_are_counted() {
    let counted = |globals: &str, text: &str| {
        let source = format!("{globals} {}", body(text));
        let module = translate(PassKind::Comp, &source).expect(text).module;
        module.global_variables.iter().any(|(_, variable)| variable.name.as_deref() == Some("loop_counter"))
    };
    let shared =
        "float n; void f() { n = 0; } float g(float x = (n = 0)) { return x; } float h() { return n; }";
    for endless in [
        "for (bool b = 0; b < 2; b++) ret += 1;",
        "for (uint n = 5; n >= 0; n--) ret += 1;",
        "for (int i = 5; i >= 0u; i--) ret += 1;",
        "for (int i = 0; i < 3; i += 0.5) ret += 1;",
        "for (int i = 0; i <= 2147483647; i += 100000000) ret += 1;",
        "int i; for (i = 0; i < 3; i += 0.5) ret += 1;",
        "for (float x = 0; x < 3; x += 1 / 2) ret += 1;",
        "for (float x = 0; x < 3; x += (1e8 + 1) - 1e8) ret += 1;",
        "for (float x = 0; x < 2e-38; x += 1e-39) ret += 1;",
        "for (n = 0; n < 3; n++) f();",
        "for (n = 0; n < 3; n++) ret += g();",
    ] {
        assert!(counted(shared, endless), "{endless}");
    }
    for ending in [
        "for (int i = 0; i < 9; i++) ret += 1;",
        "for (float x = 1; x > 0; x -= 0.1) f();",
        "for (float x = 0; x <= 1 + 2; x = x + 0.5) ret += 1;",
        "int i; for (i = 0; i < 9; i += 2) ret += 1;",
        "for (n = 0; n < 3; n++) ret += 1;",
    ] {
        assert!(!counted(shared, ending), "{ending}");
    }
    assert!(!counted("float n; float h() { return n; }", "for (n = 0; n < 3; n++) ret += h();"));
}

#[test]
fn long_shaders_within_the_limits_translate() {
    assert_eq!(rejection(&format!("shader_body {{ ret = q1{}; }}", "+q2".repeat(5_000))), None);
    let arms = "if (q1 == 1) ret = 1; else ".repeat(300);
    assert_eq!(rejection(&format!("shader_body {{ {arms} ret = 2; }}")), None);
    let loops = "for (int i = 0; i < 1000; i++) ret += GetPixel(uv);";
    assert_eq!(rejection(&format!("shader_body {{ {loops} }}")), None);
    let calls = format!("float4 f(float4 x) {{ return x; }} {}", body(&"ret += f(q1).xyz;".repeat(300)));
    assert_eq!(rejection(&calls), None, "there are no arrays");
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
        ("shader_body { ret = noise(uv); }", "unknown function `noise`"),
        ("shader_body { ret = texCUBE(sampler_main, uv.xyx).xyz; }", "unknown function `texCUBE`"),
        ("shader_body { ret = uv; }", "cannot convert float2 to float3"),
        ("shader_body { ret = sin(1, 2); }", "expected 1, found 2"),
        ("shader_body { ret.q = 1; }", "has no member `q`"),
        ("shader_body { ret.xg = 1; }", "has no member `xg`"),
        ("shader_body { uv.z = 1; }", "has no member `z`"),
        ("shader_body { float2x2 m; m._m02 = 1; }", "has no member `_m02`"),
        ("shader_body { float2x2 m; m._00 = 1; }", "has no member `_00`"),
        ("sampler s = sampler_state }; shader_body { }", "expected `{`"),
        ("shader_body { ret = cross(uv, uv); }", "cannot convert float2 to float3"),
        ("shader_body { ret = D3DCOLORtoUBYTE4(uv); }", "cannot convert float2 to float4"),
        ("shader_body { 1 = 2; }", "cannot assign"),
        ("shader_body { break; }", "`break` outside a loop or `switch`"),
        ("shader_body { continue; }", "`continue` outside a loop"),
        ("shader_body { switch (1) { case 1: continue; } }", "`continue` outside a loop"),
        ("shader_body { float2 a = float2(1); a = float2(1, 2).z; }", "has no member"),
        ("shader_body { int n = 1; n = n & 1.5; }", "take integers"),
        ("#if 1\nshader_body { }", "without `#endif`"),
        ("float x;", "missing `shader_body`"),
        ("", "missing `shader_body`"),
        ("shader_body { ret = tex2D(uv, uv); }", "must be a sampler"),
        ("shader_body { \u{e9} }", "expected a value"),
        ("sampler s[2]; shader_body { }", "can only contain numbers"),
        ("float f(float a = x) { return a; } shader_body { float x = 1; ret = f(); }", "unknown name `x`"),
        ("float f(float a = rad) { return a; } shader_body { ret = f(); }", "pass it to the function"),
    ];
    for (source, reason) in broken {
        let error = translate(PassKind::Comp, source).expect_err(source);
        assert!(error.message.contains(reason), "{source}: {error}");
        assert!(error.pos.line > 0, "{source}: {error}");
    }
}

#[test]
fn a_switch_can_break_anywhere_and_continue_in_a_loop() {
    let switch = "switch ((int)q1) { case 1: ret = 1; break; case 2: if (q2 > 0) break; ret = 2; }";
    assert_eq!(rejection(&body(switch)), None);
    let in_loop = "for (int n = 0; n < 4; n++) { switch (n) { case 1: continue; default: ret += 1; } }";
    assert_eq!(rejection(&body(in_loop)), None);
}
