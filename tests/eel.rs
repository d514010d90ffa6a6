//! EEL as presets use it: one line for each operator, function and syntax form, with values computed by hand
//! from the language's manual; also the limits of memory and registers.

use std::path::PathBuf;

use aivj::eel::{Budget, Code, EelRandom, Machine, Memory, RunOutcome, Scope, Shared, compile};
use aivj::milk::{Frame, Modulation, Player, PresetAudio, Program, Tick};

/// The first numbers in the stream of `rand`, and the 701st, which follows a refill of the generator's state:
/// MT19937 seeded with 0x4141f00d, computed by another implementation.
const FIRST: [f64; 3] = [0.22772551216830628, 0.3407441909286995, 0.8936517685404168];
const LATER: f64 = 0.7481386514259825;

/// Runs `code` with `a = 2.5`, `b = -3` and `z = 0`. Returns the value of its last statement, on which the interpreter
/// and machine code must agree.
fn run(code: &str) -> f64 {
    let mut scope = Scope::new();
    let written = [("a", 2.5), ("b", -3.0), ("z", 0.0)];
    let slots = written.map(|(name, value)| (scope.var(name).slot(), value));
    let mut compiled =
        compile(code, &mut scope).map_err(|error| format!("{code}: {error}")).expect("code that compiles");
    let mut vars = vec![0.0; scope.len()];
    for (slot, value) in slots {
        vars[slot] = value;
    }
    let value = |compiled: &Code| {
        let outcome = compiled.run(&mut Machine {
            vars: &mut vars.clone(),
            megabuf: &mut Memory::new(),
            shared: &mut Shared::new(),
            rng: &mut EelRandom::default(),
            budget: &mut Budget::new(20_000_000),
        });
        match outcome {
            RunOutcome::Done(value) => value,
            RunOutcome::OutOfBudget => unreachable!("{code}: out of budget"),
        }
    };
    let interpreted = value(&compiled);
    assert!(compiled.make_native(), "no machine code on this platform");
    let native = value(&compiled);
    assert!(
        interpreted.to_bits() == native.to_bits(),
        "{code}: {interpreted} interpreted, {native} as machine code"
    );
    native
}

#[track_caller]
fn check(table: &[(&str, f64)]) {
    for &(code, expected) in table {
        let value = run(code);
        assert!((value - expected).abs() < 1e-9, "{code} is {value} instead of {expected}");
    }
}

#[test]
fn operators_match_the_manual() {
    check(&[
        ("a + b", -0.5),
        ("a - b", 5.5),
        ("a * b", -7.5),
        ("b / a", -1.2),
        ("a / z", 0.0),
        ("a / 0.000001", 2_500_000.0),
        ("17 % 5", 2.0),
        ("-17 % 5", -2.0),
        ("17.9 % 5.9", 2.0),
        ("a % z", 0.0),
        ("a ^ 2", 6.25),
        ("2 ^ b", 0.125),
        ("b ^ 0.5", 0.0),
        ("z ^ b", 0.0),
        ("12 | 5", 13.0),
        ("12 & 5", 4.0),
        ("12 ~ 5", 9.0),
        ("3 << 2", 12.0),
        ("13 >> 2", 3.0),
        ("-a", -2.5),
        ("+a", 2.5),
        ("!a", 0.0),
        ("!z", 1.0),
        ("!0.000001", 1.0),
    ]);
}

#[test]
fn comparisons_have_a_tolerance_of_a_hundred_thousandth() {
    check(&[
        ("a == 2.500009", 1.0),
        ("a == 2.500011", 0.0),
        ("a != 2.500009", 0.0),
        ("a != 2.500011", 1.0),
        ("a === 2.5", 1.0),
        ("a !== 2.5", 0.0),
        ("a < 3", 1.0),
        ("a < 2.5", 0.0),
        ("a > 2", 1.0),
        ("a > 2.5", 0.0),
        ("a <= 2.5", 1.0),
        ("a <= 2.4", 0.0),
        ("a >= 2.5", 1.0),
        ("a >= 2.6", 0.0),
        ("equal(a, 2.500009)", 1.0),
        ("equal(a, 2.500011)", 0.0),
        ("above(a, 2)", 1.0),
        ("above(a, 2.5)", 0.0),
        ("below(b, -2)", 1.0),
        ("below(b, -3)", 0.0),
        ("band(a, b)", 1.0),
        ("band(a, z)", 0.0),
        ("band(a, 0.000009)", 0.0),
        ("band(a, 0.000011)", 1.0),
        ("bor(z, b)", 1.0),
        ("bor(a, b)", 1.0),
        ("bor(z, z)", 0.0),
        ("bnot(z)", 1.0),
        ("bnot(b)", 0.0),
        ("a && b", 1.0),
        ("a && z", 0.0),
        ("z || b", 1.0),
        ("z || z", 0.0),
    ]);
}

#[test]
fn functions_match_the_manual() {
    check(&[
        ("sin(0.5)", 0.479425538604203),
        ("cos(0.5)", 0.8775825618903728),
        ("tan(0.5)", 0.5463024898437905),
        ("asin(0.5)", 0.5235987755982989),
        ("asin(1)", 1.5707963267948966),
        ("asin(1.01)", 0.0),
        ("asin(-1.01)", 0.0),
        ("acos(0.5)", 1.0471975511965979),
        ("acos(-1)", 3.141592653589793),
        ("acos(-1.01)", 0.0),
        ("acos(1.01)", 0.0),
        ("atan(0.5)", 0.4636476090008061),
        ("atan2(1, 2)", 0.4636476090008061),
        ("atan2(-1, -2)", -2.677945044588987),
        ("sqr(b)", 9.0),
        ("sqrt(6.25)", 2.5),
        ("sqrt(-6.25)", 2.5),
        ("invsqrt(4)", 0.5),
        ("invsqrt(-4)", 0.5),
        ("pow(a, 2)", 6.25),
        ("pow(b, 3)", -27.0),
        ("pow(b, 0.5)", 0.0),
        ("pow(z, b)", 0.0),
        ("exp(1.5)", 4.4816890703380645),
        ("log(2.5)", 0.9162907318741551),
        ("log(b)", 0.0),
        ("log(z)", 0.0),
        ("log10(1000)", 3.0),
        ("log10(b)", 0.0),
        ("abs(b)", 3.0),
        ("abs(a)", 2.5),
        ("min(a, b)", -3.0),
        ("min(b, a)", -3.0),
        ("max(a, b)", 2.5),
        ("max(b, a)", 2.5),
        ("sign(a)", 1.0),
        ("sign(b)", -1.0),
        ("sign(0.5)", 1.0),
        ("sign(-0.5)", -1.0),
        ("sign(z)", 0.0),
        ("floor(2.7)", 2.0),
        ("floor(-2.2)", -3.0),
        ("ceil(2.2)", 3.0),
        ("ceil(-2.7)", -2.0),
        ("int(2.7)", 2.0),
        ("int(b)", -3.0),
        ("sigmoid(0.5, 3)", 0.8175744761936437),
        ("sigmoid(0.5, -3)", 0.18242552380635635),
        ("sigmoid(z, 3)", 0.5),
    ]);
}

#[test]
fn numbers_are_read_in_every_form() {
    check(&[
        ("1.5", 1.5),
        (".5", 0.5),
        ("5.", 5.0),
        ("1.5e2", 150.0),
        ("15e-1", 1.5),
        ("0x1F", 31.0),
        ("$xFF", 255.0),
        ("$'A'", 65.0),
        ("$pi", std::f64::consts::PI),
        ("$e", std::f64::consts::E),
        ("$phi", 1.618033988749895),
        ("1 // 2\n + 3", 4.0),
        ("1 /* + 9 */ + 3", 4.0),
    ]);
}

#[test]
fn operators_follow_their_precedence() {
    check(&[
        ("2 + 3 * 4", 14.0),
        ("(2 + 3) * 4", 20.0),
        ("2 - 3 - 4", -5.0),
        ("24 / 4 / 2", 3.0),
        ("-2 ^ 2", -4.0),
        ("2 ^ 3 ^ 2", 64.0),
        ("2 ^ -1", 0.5),
        ("9 - 7 % 4", 6.0),
        ("2 * 7 % 4", 6.0),
        ("1 + 2 << 1", 5.0),
        ("1 < 2 == 1", 1.0),
        ("1 | 2 == 3", 1.0),
        ("0 && 0 || 1", 1.0),
        ("z ? 1 : a ? 2 : 3", 2.0),
        ("x = y = 4; x + y", 8.0),
    ]);
}

#[test]
fn assignments_change_their_target() {
    check(&[
        ("a += 1; a", 3.5),
        ("a -= 1; a", 1.5),
        ("a *= 2; a", 5.0),
        ("a /= 2; a", 1.25),
        ("b ^= 2; b", 9.0),
        ("x = 17; x %= 5; x", 2.0),
        ("x = 12; x |= 5; x", 13.0),
        ("x = 12; x &= 5; x", 4.0),
        ("assign(x, 3); x", 3.0),
        ("X = 3; x", 3.0),
        ("x = 3; if(a, x, b) = 7; x", 7.0),
        ("reg05 = 3; reg05 += 1; reg05 + reg50", 4.0),
        ("megabuf(2) = 5; megabuf(2) *= 3; megabuf(2)", 15.0),
        ("x = 4; x[1] = 6; megabuf(5)", 6.0),
    ]);
}

#[test]
fn only_the_taken_branch_runs() {
    check(&[
        ("if(a, x = 1, y = 1); x - y", 1.0),
        ("if(z, x = 1, y = 1); x - y", -1.0),
        ("if(0.000009, 1, 2)", 2.0),
        ("if(z, 5)", 0.0),
        ("z ? x = 1 : (y = 1); x - y", -1.0),
        ("z && (x = 1); x", 0.0),
        ("a || (x = 1); x", 0.0),
        ("exec2(x = 2, x + 1)", 3.0),
        ("exec3(x = 2, y = 3, x * y)", 6.0),
        ("loop(5, x += 2); x", 10.0),
        ("loop(2.9, x += 1); x", 2.0),
        ("loop(b, x += 1); x", 0.0),
        ("while(x += 1; x < 7); x", 7.0),
    ]);
}

#[test]
fn memory_indexes_are_rounded_down() {
    check(&[
        ("megabuf(3.99) = 5; megabuf(3)", 5.0),
        ("megabuf(2.99995) = 5; megabuf(3)", 5.0),
        ("megabuf(b) = 5; megabuf(b)", 0.0),
        ("megabuf(8388607) = 5; megabuf(8388607)", 5.0),
        ("megabuf(8388608) = 5; megabuf(8388608)", 0.0),
        ("megabuf(65535) = 1; megabuf(65536) = 2; megabuf(65535) * 10 + megabuf(65536)", 12.0),
        ("megabuf(1) = 5; gmegabuf(1)", 0.0),
        ("gmegabuf(1) = 5; gmem(1)", 5.0),
        (
            "memset(10, 7, 3); megabuf(9) + megabuf(10) + megabuf(11) * 10 + megabuf(12) * 100 + megabuf(13) * 1000",
            777.0,
        ),
        ("memset(10, 7, 3)", 10.0),
        ("megabuf(0) = 1; megabuf(1) = 2; memcpy(5, 0, 2); megabuf(5) * 10 + megabuf(6) + megabuf(7)", 12.0),
        ("megabuf(0) = 1; megabuf(1) = 2; memcpy(1, 0, 2); megabuf(1) * 10 + megabuf(2)", 12.0),
        ("megabuf(3) = 4; freembuf(0); megabuf(3)", 0.0),
        ("megabuf(3) = 4; megabuf(70000) = 5; freembuf(65536); megabuf(3) * 10 + megabuf(70000)", 40.0),
    ]);
}

#[test]
fn random_numbers_come_from_the_published_stream() {
    check(&[
        ("rand(1)", FIRST[0]),
        ("rand(10.9)", FIRST[0] * 10.0),
        ("rand(b)", FIRST[0]),
        ("rand(1); rand(1)", FIRST[1]),
        ("rand(1); rand(1); rand(100)", FIRST[2] * 100.0),
        ("loop(700, rand(1)); rand(1)", LATER),
    ]);
}

/// Returns the bits of numbers; all NaNs have the same bits.
fn bits(numbers: &[f32]) -> Vec<u32> {
    numbers.iter().map(|number| if number.is_nan() { f32::NAN } else { *number }.to_bits()).collect()
}

/// Returns everything a program computes in eight frames.
fn frames(program: &std::sync::Arc<Program>) -> Vec<(Vec<Vec<u32>>, Vec<(String, u64)>, bool)> {
    let mut player = Player::new(program.clone(), 1);
    let mut frame = Frame::default();
    let step = |number: u64| {
        let mut audio = PresetAudio::default();
        for channel in &mut audio.wave {
            for (at, sample) in channel.iter_mut().enumerate() {
                *sample = (at as f32 * 0.31 + number as f32).sin() * 0.5;
            }
        }
        audio.bands = [0.2, 0.5, 0.9].map(|phase| 1.0 + (number as f32 + phase).sin() * 0.6);
        audio.bands_att = audio.bands.map(|band| 0.5 + band * 0.5);
        let time = number as f64 / 30.0;
        let tick = Tick { time, fps: 30.0, frame: number, size: [640, 360], mesh: [24, 18] };
        let report = player.step(&audio, tick, &Modulation::default(), &mut frame);
        let drawn = vec![
            bits(bytemuck::cast_slice(&frame.sources)),
            bits(&[frame.decay]),
            bits(bytemuck::cast_slice(&frame.segments)),
            bits(bytemuck::cast_slice(&frame.dots)),
            bits(bytemuck::cast_slice(&frame.shapes)),
        ];
        let bits = |value: f64| if value.is_nan() { f64::NAN.to_bits() } else { value.to_bits() };
        let variables = player.variables().into_iter().map(|(name, value)| (name, bits(value))).collect();
        (drawn, variables, report.over_budget)
    };
    (0..8).map(step).collect()
}

/// Compares the back ends on the presets of a folder:
/// `AIVJ_EEL_PRESETS=DIR cargo test --release --test eel -- --ignored`.
#[test]
#[ignore = "needs a folder of presets"]
fn presets_give_the_same_results_in_both_back_ends() {
    let folder =
        std::env::var_os("AIVJ_EEL_PRESETS").map(PathBuf::from).expect("AIVJ_EEL_PRESETS is a folder");
    let (mut compared, mut different) = (0, Vec::new());
    for entry in walkdir::WalkDir::new(folder).into_iter().flatten() {
        let path = entry.path();
        if !path.extension().is_some_and(|extension| extension == "milk" || extension == "milk2") {
            continue;
        }
        let bytes = without_shaders(&std::fs::read(path).expect("a readable file"));
        let (Ok(native), Ok(interpreted)) = (Program::compile(&bytes), Program::compile_interpreted(&bytes))
        else {
            continue;
        };
        compared += 1;
        if frames(&native) != frames(&interpreted) {
            different.push(path.to_owned());
        }
    }
    assert!(compared > 0, "no presets");
    assert!(different.is_empty(), "{} of {compared} differ: {different:#?}", different.len());
}

/// Removes the shaders, which are not compared and take long to translate.
fn without_shaders(bytes: &[u8]) -> Vec<u8> {
    let code = |line: &&[u8]| {
        let start = line[..line.len().min(5)].to_ascii_lowercase();
        start != b"warp_" && start != b"comp_"
    };
    bytes.split(|&byte| byte == b'\n').filter(code).collect::<Vec<_>>().join(&b'\n')
}
