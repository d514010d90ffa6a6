//! Checks every row of `docs/compatibility.md`: each example has its documented value, each key its effect.

use std::collections::BTreeSet;
use std::path::Path;

use aivj::eel::{Budget, EelRandom, Machine, Memory, RunOutcome, Scope, Shared, compile};
use aivj::library::built_in;
use aivj::milk::text::{Key, lines};
use aivj::milk::{Frame, Modulation, Player, PresetAudio, Program, Tick};

/// Returns the rows of the tables below a heading, as cells; `|` within a cell is written `\|`.
fn rows(heading: &str, columns: &[&str]) -> Vec<Vec<String>> {
    let document = include_str!("../docs/compatibility.md");
    let section = document.split("\n## ").find(|part| part.starts_with(heading)).expect("the section");
    let mut inside = false;
    let mut found = Vec::new();
    for line in section.lines() {
        let cells: Vec<String> = line
            .replace("\\|", "\u{1}")
            .trim_matches('|')
            .split('|')
            .map(|cell| cell.trim().replace('\u{1}', "|"))
            .collect();
        if !line.starts_with('|') {
            inside = false;
        } else if cells.iter().eq(columns) {
            inside = true;
        } else if inside && !line.starts_with("|---") {
            assert_eq!(cells.len(), columns.len(), "{line}");
            found.push(cells);
        }
    }
    assert!(!found.is_empty(), "no table of {columns:?} under {heading}");
    found
}

/// Returns the value of a program, checked in the interpreter and as machine code.
fn value(source: &str) -> f64 {
    let mut scope = Scope::new();
    let mut code = compile(source, &mut scope).expect(source);
    let mut values = Vec::new();
    for native in [false, true] {
        assert!(!native || code.make_native(), "no machine code on this platform");
        let outcome = code.run(&mut Machine {
            vars: &mut vec![0.0; scope.len()],
            megabuf: &mut Memory::new(),
            shared: &mut Shared::new(),
            rng: &mut EelRandom::default(),
            budget: &mut Budget::new(1_000_000),
        });
        let RunOutcome::Done(value) = outcome else { unreachable!("{source}: out of budget") };
        values.push(value);
    }
    assert_eq!(values[0].to_bits(), values[1].to_bits(), "{source}");
    values[0]
}

#[test]
fn code_examples_give_the_documented_values() {
    for row in rows("Code", &["Construct", "Example", "Value"]) {
        let [construct, example, expected] = &row[..] else { unreachable!("three columns") };
        let expected: f64 = expected.parse().expect("a number");
        let value = value(example.trim_matches('`'));
        assert!((value - expected).abs() < 1e-9, "{construct}: {example} is {value} instead of {expected}");
    }
}

/// Describes the shaders of a preset and its third frame as text.
fn drawn(text: &str) -> String {
    let program = Program::compile(text.as_bytes()).expect("a preset");
    assert!(program.problems.is_empty(), "{text}: {:?}", program.problems);
    let mut player = Player::new(program.clone(), 1);
    let mut frame = Frame::default();
    for number in 0..3_u32 {
        let mut audio = PresetAudio::default();
        for (channel, samples) in audio.wave.iter_mut().enumerate() {
            for (at, sample) in samples.iter_mut().enumerate() {
                *sample = (at as f32 * (0.05 + 0.03 * channel as f32)).sin() * 0.5;
            }
        }
        for (at, bin) in audio.spectrum.iter_mut().flatten().enumerate() {
            *bin = (at as f32 * 0.1).sin().abs() * (3 - number) as f32;
        }
        let time = f64::from(number) / 30.0;
        let tick = Tick { time, fps: 30.0, frame: number.into(), size: [640, 360], mesh: [8, 6] };
        player.step(&audio, tick, &Modulation::default(), &mut frame);
    }
    format!("{:?} {:?} {frame:?}", program.warp, program.composite)
}

/// A preset in which every key has an effect.
const EVERYTHING: &str = "MILKDROP_PRESET_VERSION=201
PSVERSION_WARP=2
PSVERSION_COMP=2
[preset00]
bModWaveAlphaByVolume=1
fModWaveAlphaStart=0.1
fModWaveAlphaEnd=3
wave_r=0.5
wave_g=0.3
wave_b=0.2
mv_a=1
ob_size=0.1
ob_a=1
ib_size=0.1
ib_a=1
zoom=1.1
fZoomExponent=1.5
rot=0.1
wavecode_0_enabled=1
wavecode_0_bSpectrum=1
shapecode_0_enabled=1
shapecode_0_textured=1
shapecode_0_border_a=0.5
";

#[test]
fn preset_keys_have_the_documented_effect() {
    let mut wrong = Vec::new();
    for row in rows("Preset files", &["Key", "Meaning", "Compared"]) {
        let [key, _, compared] = &row[..] else { unreachable!("three columns") };
        let key = key.trim_matches('`');
        let (with, effect) = compared.split_once(':').unwrap_or((compared, "changes the picture"));
        let values: Vec<&str> = with.split(" and ").map(|value| value.trim().trim_matches('`')).collect();
        let [first, second] = values[..] else { unreachable!("{key}: compares two values, not {compared}") };
        // The first of several lines with the same key is used.
        let pictures = [first, second].map(|value| drawn(&format!("{key}={value}\n{EVERYTHING}")));
        let differ = pictures[0] != pictures[1];
        if differ != (effect.trim() != "no effect") {
            wrong.push(format!("{key}: {first} and {second}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_byte_order_mark_changes_neither_the_shaders_nor_the_version() {
    let shaders = "warp_1=`shader_body { ret = 0.2; }\ncomp_1=`shader_body { ret = GetPixel(uv); }\n";
    // A mark that counts as part of the first key hides the version, without which shaders are not read.
    let text = format!("{EVERYTHING}{shaders}");
    assert!(text.starts_with("MILKDROP_PRESET_VERSION=201"));
    let program = Program::compile(text.as_bytes()).expect("a preset");
    assert!(program.warp.is_some() && program.composite.is_some());
    assert!(drawn(&text) == drawn(&format!("\u{feff}{text}")), "the mark changes the preset");
}

#[test]
fn per_frame_code_has_the_same_effect_as_the_keys_of_its_variables() {
    let compared = rows("Preset files", &["Key", "Meaning", "Compared"]);
    for row in rows("Preset files", &["Variable of per-frame code", "Key"]) {
        let [variable, key] = [&row[0], &row[1]].map(|cell| cell.trim_matches('`'));
        let values = compared.iter().find(|row| row[0].trim_matches('`') == key).expect(key);
        let (first, second) = values[2].split_once(" and ").expect("two values");
        let [first, second] = [first, second].map(|value| value.trim_matches('`'));
        let by_key = drawn(&format!("{key}={second}\n{EVERYTHING}"));
        let by_code = drawn(&format!("{key}={first}\n{EVERYTHING}per_frame_1={variable}={second};\n"));
        assert!(by_key == by_code, "{variable} does not have the effect of {key}");
    }
}

#[test]
fn variables_have_the_documented_values() {
    let everywhere = rows("Preset files", &["Variable of all code", "Meaning", "Value"]);
    let added = rows("Preset files", &["Added variable of per-frame code", "Meaning", "Value"]);
    for row in everywhere.iter().chain(&added) {
        let name = row[0].trim_matches('`');
        let text = format!("[preset00]\nper_frame_1=q1={name};\n");
        let mut player = Player::new(Program::compile(text.as_bytes()).expect("a preset"), 1);
        let tick = Tick { time: 3_723.25, fps: 30.0, frame: 7, size: [640, 360], mesh: [8, 6] };
        player.step(&PresetAudio::default(), tick, &Modulation::default(), &mut Frame::default());
        let (value, expected) = (player.variables()["q1"], row[2].parse::<f64>().expect("a number"));
        assert!((value - expected).abs() < 1e-6, "{name} is {value}");
    }
}

#[test]
fn variables_of_vertices_points_and_shapes_change_the_picture() {
    for row in rows("Preset files", &["Variable of other code", "Where", "Meaning"]) {
        let name = row[0].trim_matches('`');
        let code = |term: &str| match &*row[1] {
            "vertex" => format!("per_pixel_1=zoom=1{term};"),
            "point" => format!("wave_0_per_point1=x=0.5{term};"),
            "shape" => format!("shapecode_0_num_inst=2\nshape_0_per_frame1=x=0.5{term};"),
            other => unreachable!("{other}"),
        };
        let [plain, changed] = [String::new(), format!("+0.01*{name}")]
            .map(|term| drawn(&format!("{EVERYTHING}{}\n", code(&term))));
        assert!(plain != changed, "{name} has no effect");
    }
}

/// Returns the words within backticks in the first column of tables, in lower case.
fn documented(heading: &str, columns: &[&str]) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    for row in rows(heading, columns) {
        // Every second part is within backticks.
        for code in row[0].split('`').skip(1).step_by(2) {
            let parts = code.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
            words.extend(parts.map(str::to_lowercase));
        }
    }
    words
}

/// Returns the words of the strings in the part of `source` that begins with `from` and ends before `to`.
fn quoted(source: &str, from: &str, to: &str) -> Vec<String> {
    let (_, part) = source.split_once(from).expect(from);
    let (part, _) = part.split_once(to).expect(to);
    let strings = part.split('"').skip(1).step_by(2);
    let words =
        strings.flat_map(|string| string.split(|letter: char| letter == '\\' || letter.is_whitespace()));
    words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Fails unless all `names` are documented.
fn check_documented(names: &[String], documented: &BTreeSet<String>) {
    assert!(names.len() > 10, "only {names:?}");
    let missing: Vec<_> = names.iter().filter(|name| !documented.contains(&name.to_lowercase())).collect();
    assert!(missing.is_empty(), "missing in docs/compatibility.md: {missing:?}");
}

#[test]
fn every_function_of_code_is_documented() {
    let mut names = quoted(include_str!("../src/eel/functions.rs"), "fn find(", "_ => return None");
    names.extend(quoted(include_str!("../src/eel/parse.rs"), "fn build_call(", "functions::find("));
    check_documented(&names, &documented("Code", &["Construct", "Example", "Value"]));
}

#[test]
fn every_function_of_shaders_is_documented() {
    let mut names = quoted(include_str!("../src/hlsl/lower/intrinsics.rs"), "fn arity(", "_ => return None");
    names.extend(quoted(
        include_str!("../src/hlsl/lower/calls.rs"),
        "let wanted = match name",
        "_ => return Ok(None)",
    ));
    for dimensions in 1..=3 {
        let lookups = ["", "lod", "bias", "grad", "proj"].map(|kind| format!("tex{dimensions}D{kind}"));
        names.extend(lookups);
    }
    check_documented(
        &names,
        &documented("Shaders", &["Construct", "Before `shader_body`", "Inside", "Value"]),
    );
}

#[test]
fn every_variable_of_shaders_is_documented() {
    let header = include_str!("../src/hlsl/header.rs");
    let names: Vec<_> =
        ["const NAMED", "const ADDED"].iter().flat_map(|table| quoted(header, table, "];")).collect();
    check_documented(
        &names,
        &documented("Shaders", &["Construct", "Before `shader_body`", "Inside", "Value"]),
    );
}

#[test]
fn every_key_of_presets_is_documented() {
    let numbers = include_str!("../src/embed/numbers.rs");
    let mut names = quoted(numbers, "const TOP", ";");
    for (list, prefix) in [("const WAVE", "wavecode_0_"), ("const SHAPE", "shapecode_0_")] {
        names.extend(quoted(numbers, list, ";").iter().map(|name| format!("{prefix}{name}")));
    }
    names.extend(quoted(include_str!("../src/facts/sheet.rs"), "fn values(", "for (slot, wave)"));
    for preset in built_in() {
        names.extend(lines(preset.text).filter_map(|line| match line.key {
            Key::Value(key) => Some(key.to_owned()),
            Key::Wave(_, name) => Some(format!("wavecode_0_{name}")),
            Key::Shape(_, name) => Some(format!("shapecode_0_{name}")),
            Key::Code(_) | Key::SlotCode(..) | Key::None => None,
        }));
    }
    check_documented(&names, &documented("Preset files", &["Key", "Meaning", "Compared"]));
}

/// Returns the words of the unit tests in `source`.
fn words_of_tests(source: &str) -> BTreeSet<String> {
    let tests = source.split_once("#[cfg(test)]").map_or("", |(_, tests)| tests);
    let text = tests.replace("\\n", " ").replace("\\r", " ");
    let words = text.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
    words.map(str::to_owned).collect()
}

#[test]
fn every_documented_layer_construct_has_a_test() {
    for file in ["MILK_IMG.INI", "MILK_MSG.INI"] {
        for row in rows("Layers", &[&format!("Construct in `{file}`"), "Effect", "Test"]) {
            let test = row[2].trim_matches('`');
            let scene = Path::new("tests/golden").join(test);
            if ["scene.toml", "expected.png"].iter().all(|file| scene.join(file).is_file()) {
                continue;
            }
            let unit = Path::new("src").join(test.replace("::", "/")).with_extension("rs");
            let source = std::fs::read_to_string(unit).unwrap_or_default();
            let words = words_of_tests(&source);
            assert!(words.len() > 1, "{}: no test {test}", row[0]);
            // Every second part is within backticks.
            for key in row[0].split('`').skip(1).step_by(2) {
                let word = key.trim_matches(['[', ']']);
                assert!(words.contains(word), "{}: {test} does not test {key}", row[0]);
            }
        }
    }
}
