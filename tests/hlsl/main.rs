//! Preset shaders follow the semantics of HLSL: every shader row in `docs/compatibility.md` is drawn and compared.
//! Hostile shaders are rejected.
//!
//! Needs a Vulkan device; a software rasteriser is enough.

#![allow(clippy::panic, reason = "test helpers")]

mod draw;
mod hostile;

use draw::Painter;

/// A row of the tables: description, declarations, code that computes `v`, and the expected value of `v`.
type Row = [String; 4];

/// Returns the rows below `heading` in `docs/compatibility.md`; `|` within a cell is written `\|`.
fn rows(heading: &str) -> Vec<Row> {
    let document = include_str!("../../docs/compatibility.md");
    let section = document.split("\n## ").find(|part| part.starts_with("Shaders\n")).expect("the section");
    let table = section.split("\n### ").find(|part| part.starts_with(heading)).expect("the table");
    let lines = table.lines().filter(|line| line.starts_with('|')).skip(2);
    lines
        .map(|line| {
            let line = line.replace("\\|", "\u{1}");
            let cells = line.strip_prefix('|').and_then(|line| line.strip_suffix('|')).expect("a row");
            let cells: Vec<String> =
                cells.split('|').map(|cell| cell.trim().replace('\u{1}', "|").replace("\\n", "\n")).collect();
            cells.try_into().unwrap_or_else(|cells| panic!("{cells:?}"))
        })
        .collect()
}

/// Draws every row below `heading` and fails with a list of the wrong ones.
fn check(heading: &str) {
    let Some(painter) = Painter::open() else { return };
    let mut wrong = Vec::new();
    for [name, globals, code, value] in rows(heading) {
        let [globals, code] = [&globals, &code].map(|text| text.trim_matches('`'));
        let expected: f32 = value.parse().expect("a number");
        let set = if code.ends_with(',') { "" } else { "if (ret.x == 0) ret = v;" };
        let source = format!("{globals}\nshader_body {{ float v = 0; {code} {set} }}");
        match painter.pixel(&source) {
            Ok([value, ..]) if (value - expected).abs() <= 2e-4 * expected.abs().max(1.0) => {}
            Ok([value, ..]) => wrong.push(format!("{name}: {value} instead of {expected}")),
            Err(error) => wrong.push(format!("{name}: {error}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn statements_run_as_in_hlsl() {
    check("Statements");
}

#[test]
fn operators_match_direct3d() {
    check("Operators");
}

#[test]
fn numbers_convert_as_in_hlsl() {
    check("Conversions");
}

#[test]
fn intrinsics_match_direct3d() {
    check("Functions");
}

#[test]
fn milkdrop_builtins_are_declared() {
    check("What MilkDrop adds");
}

#[test]
fn inputs_added_after_milkdrop_2_are_declared() {
    check("What MilkDrop 3, BeatDrop and Milkwave add");
}

#[test]
fn a_warp_shader_reads_both_positions() {
    let Some(painter) = Painter::open() else { return };
    let source = "shader_body { uv.x += 1; ret = float3(uv.x, uv_orig); }";
    assert_eq!(painter.pixel_of(lactea_abi::PassKind::Warp, source), Ok([1.25, 0.5, 0.75]));
}

#[test]
fn endless_loops_are_cut_short() {
    let Some(painter) = Painter::open() else { return };
    let iterations = |body: &str| {
        let source = format!("shader_body {{ float n = 0; while (q1 > 0) {{ n++; {body} }} ret = n; }}");
        painter.pixel(&source).expect("translates")[0]
    };
    let [cheap, lookups] = [iterations(""), iterations("ret += tex2D(sampler_main, ret.xy);")];
    assert!((32.0..=4_096.0).contains(&lookups) && lookups < cheap && cheap <= 4_096.0, "{cheap} {lookups}");
    // A loop with a constant iteration count runs to its end.
    let source = "shader_body { for (int i = 0; i < 5000; i++) ret += 1; }";
    assert_eq!(painter.pixel(source), Ok([5_000.0; 3]));
}

#[test]
fn a_long_else_if_chain_takes_the_right_branch() {
    let Some(painter) = Painter::open() else { return };
    for wanted in [0, 57, 299] {
        let arms: String = (0..300).map(|arm| format!("if (n == {arm}) ret = {arm}; else ")).collect();
        let source = format!("shader_body {{ float n = q1 - 7 + {wanted}; {arms} ret = -1; }}");
        assert_eq!(painter.pixel(&source), Ok([wanted as f32; 3]), "arm {wanted}");
    }
    // Braces around each branch make no difference.
    let arms: String = (0..70).map(|arm| format!("if (n == {arm}) ret = {arm}; else {{ ")).collect();
    let source = format!("shader_body {{ float n = q1 + 60; {arms} ret = -1; {} }}", "}".repeat(70));
    assert_eq!(painter.pixel(&source), Ok([67.0; 3]));
}

/// Translates and validates a folder of presets: `AIVJ_HLSL_PRESETS=DIR cargo test --release --test hlsl -- --ignored`.
#[test]
#[ignore = "needs a folder of presets"]
fn a_preset_folder_translates() {
    let folder = std::env::var("AIVJ_HLSL_PRESETS").expect("AIVJ_HLSL_PRESETS names a folder");
    let (mut open, mut presets, mut failed) = (vec![std::path::PathBuf::from(folder)], 0, Vec::new());
    while let Some(path) = open.pop() {
        if let Ok(entries) = std::fs::read_dir(&path) {
            open.extend(entries.flatten().map(|entry| entry.path()));
        } else if path.extension().is_some_and(|ending| ending == "milk")
            && let Ok(program) = aivj::milk::Program::compile(&std::fs::read(&path).expect("readable"))
        {
            presets += 1;
            let shaders = program.problems.iter().filter(|problem| problem.part.ends_with("shader"));
            failed.extend(shaders.map(|problem| format!("{}: {}", path.display(), problem.message)));
        }
    }
    println!("{presets} presets, {} shaders failed", failed.len());
    assert!(failed.len() * 1_000 <= presets, "{}", failed.join("\n"));
}
