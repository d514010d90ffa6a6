//! Shaders of presets mean what HLSL says: every row about shaders in `docs/compatibility.md` is drawn, and hostile ones are refused.
//!
//! Needs a Vulkan device; a software rasteriser is enough.

#![allow(clippy::panic, reason = "helpers of tests")]

mod draw;
mod hostile;

use draw::Painter;

/// A row of the tables: what it shows, declarations, code that computes `v`, and the value of `v`.
type Row = [String; 4];

/// The rows below `heading` in `docs/compatibility.md`; `|` within a cell is written `\\|`.
fn rows(heading: &str) -> Vec<Row> {
    let document = include_str!("../../docs/compatibility.md");
    let section = document.split("\n## ").find(|part| part.starts_with("Shaders\n")).expect("the section");
    let table = section.split("\n### ").find(|part| part.starts_with(heading)).expect("the table");
    let lines = table.lines().filter(|line| line.starts_with('|')).skip(2);
    lines
        .map(|line| {
            let line = line.replace("\\|", "\u{1}");
            let cells = line.strip_prefix('|').and_then(|line| line.strip_suffix('|')).expect("a row");
            let cells: Vec<String> = cells
                .split('|')
                .map(|cell| cell.trim().replace('\u{1}', "|").replace("\\n", "\n"))
                .collect();
            cells.try_into().unwrap_or_else(|cells| panic!("{cells:?}"))
        })
        .collect()
}

/// Draws every row below `heading` and lists those that are wrong.
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
fn statements_do_what_they_say() {
    check("Statements");
}

#[test]
fn operators_compute_as_direct3d_does() {
    check("Operators");
}

#[test]
fn numbers_are_converted() {
    check("Conversions");
}

#[test]
fn functions_compute_as_direct3d_does() {
    check("Functions");
}

#[test]
fn what_milkdrop_declares_is_known() {
    check("What MilkDrop adds");
}

#[test]
fn a_warp_has_two_positions() {
    let Some(painter) = Painter::open() else { return };
    let source = "shader_body { uv.x += 1; ret = float3(uv.x, uv_orig); }";
    assert_eq!(painter.pixel_of(lactea_abi::PassKind::Warp, source), Ok([1.25, 0.5, 0.75]));
}

#[test]
fn loops_without_an_end_are_stopped() {
    let Some(painter) = Painter::open() else { return };
    let rounds = |body: &str| {
        let source = format!("shader_body {{ float n = 0; while (q1 > 0) {{ n++; {body} }} ret = n; }}");
        painter.pixel(&source).expect("translates")[0]
    };
    let [cheap, lookups] = [rounds(""), rounds("ret += tex2D(sampler_main, ret.xy);")];
    assert!((64.0..=4_096.0).contains(&lookups) && lookups < cheap && cheap <= 4_096.0, "{cheap} {lookups}");
    // A loop that counts from one constant to another runs to its end.
    let source = "shader_body { for (int i = 0; i < 20000; i++) ret += 1; }";
    assert_eq!(painter.pixel(source), Ok([20_000.0; 3]));
}

#[test]
fn a_long_chain_of_else_if_takes_the_right_arm() {
    let Some(painter) = Painter::open() else { return };
    for wanted in [0, 57, 299] {
        let arms: String = (0..300).map(|arm| format!("if (n == {arm}) ret = {arm}; else ")).collect();
        let source = format!("shader_body {{ float n = q1 - 7 + {wanted}; {arms} ret = -1; }}");
        assert_eq!(painter.pixel(&source), Ok([wanted as f32; 3]), "arm {wanted}");
    }
}

/// Translates and validates a folder of presets: `AIVJ_HLSL_PRESETS=DIR cargo test --release --test hlsl -- --ignored`.
#[test]
#[ignore = "needs a folder of presets"]
fn a_folder_of_presets_translates() {
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
    println!("{presets} presets, {} shaders fail", failed.len());
    assert!(failed.len() * 1_000 <= presets, "{}", failed.join("\n"));
}
