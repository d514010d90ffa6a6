//! Presets written to break a player: each kind in several sizes, compiled and run in-process, on a thread with Rust's
//! default stack size. Nothing may panic, overflow the stack or run forever, and exceeded limits are reported.

use aivj::milk::{Frame, Modulation, Player, PresetAudio, Program, StepReport, Tick};

/// Stack size of the thread that runs a preset, in bytes; the default for Rust threads.
const STACK: usize = 2 << 20;

/// The outcome of a preset.
#[derive(Debug)]
struct Outcome {
    refused: bool,
    problems: usize,
    report: StepReport,
}

/// Compiles a file and runs two frames of it.
fn play(name: &str, file: Vec<u8>) -> Outcome {
    let run = move || match Program::compile(&file) {
        Err(_) => Outcome { refused: true, problems: 0, report: StepReport::default() },
        Ok(program) => {
            let mut player = Player::new(program.clone(), 1);
            let mut frame = Frame::default();
            let mut report = StepReport::default();
            for number in 0..2_u32 {
                let time = f64::from(number) / 30.0;
                let tick = Tick { time, fps: 30.0, frame: number.into(), size: [640, 360], mesh: [8, 6] };
                let now = player.step(&PresetAudio::default(), tick, &Modulation::default(), &mut frame);
                report.over_budget |= now.over_budget;
                report.overdrawn |= now.overdrawn;
            }
            Outcome { refused: false, problems: program.problems.len(), report }
        }
    };
    let thread = std::thread::Builder::new().name(name.into()).stack_size(STACK).spawn(run);
    thread.expect("a thread").join().expect(name)
}

/// Returns a preset with this per-frame code.
fn code(code: &str) -> Vec<u8> {
    format!("[preset00]\nper_frame_1={code}\n").into_bytes()
}

/// Returns a preset with this composite shader.
fn shader(source: &str) -> Vec<u8> {
    let versions = "MILKDROP_PRESET_VERSION=201\nPSVERSION=2\nPSVERSION_WARP=2\nPSVERSION_COMP=2\n";
    let lines = source.lines().enumerate();
    let lines: String = lines.map(|(number, line)| format!("comp_{}=`{line}\n", number + 1)).collect();
    format!("{versions}[preset00]\n{lines}").into_bytes()
}

/// Returns a preset with 16 custom shapes, all with these values and this per-frame code.
fn shape(values: &str, code: &str) -> String {
    let values: String = values.split(' ').map(|value| format!("shapecode_N_{value}\n")).collect();
    let one = format!("shapecode_N_enabled=1\n{values}shape_N_per_frame1={code}\n");
    let all: String = (0..16).map(|number| one.replace("_N_", &format!("_{number}_"))).collect();
    format!("[preset00]\n{all}")
}

/// A name, and a generator of files by size, from 1 (small) to 4 (the largest allowed).
type Kind = (&'static str, fn(usize) -> Vec<u8>);

/// Kinds of files that are rejected, skipped or truncated, or that simply play.
const KINDS: &[Kind] = &[
    ("brackets", |n| code(&format!("x={}1{}", "(".repeat(n * 10_000), ")".repeat(n * 10_000)))),
    ("open brackets", |n| code(&"(".repeat(n * 20_000))),
    ("indexes", |n| code(&format!("x={}1{}", "megabuf(".repeat(n * 5_000), ")".repeat(n * 5_000)))),
    ("square brackets", |n| code(&format!("x={}1{}", "1[".repeat(n * 9_000), "]".repeat(n * 9_000)))),
    ("signs", |n| code(&format!("x={}1", "-".repeat(n * 50_000)))),
    ("negations", |n| code(&format!("x={}1", "!".repeat(n * 50_000)))),
    ("powers", |n| code(&format!("x=1{}", "^1.01".repeat(n * 20_000)))),
    ("signed powers", |n| code(&format!("x=1{}", "^-1".repeat(n * 20_000)))),
    ("sums", |n| code(&format!("x=1{}", "+x".repeat(n * 50_000)))),
    ("conditions", |n| code(&format!("x={}1", "x?1:".repeat(n * 20_000)))),
    ("nested if", |n| code(&format!("{}1{}", "if(x,".repeat(n * 9_000), ",2)".repeat(n * 9_000)))),
    ("assignments", |n| code(&format!("{}1", "x=".repeat(n * 50_000)))),
    ("statements", |n| code(&"x=x+1;".repeat(n * 25_000))),
    ("separators", |n| code(&";".repeat(n * 200_000))),
    ("commas", |n| code(&format!("max({})", "1,".repeat(n * 50_000)))),
    ("names", |n| code(&(0..n * 15_000).map(|i| format!("v{i}=1;")).collect::<String>())),
    ("long name", |n| code(&format!("{}=1", "a".repeat(n * 200_000)))),
    ("long number", |n| code(&format!("x={}", "9".repeat(n * 200_000)))),
    ("dots", |n| code(&format!("x={}", ".".repeat(n * 200_000)))),
    ("exponents", |n| code(&format!("x=1e{}+1e-{0}", "9".repeat(n * 1_000)))),
    ("comments", |n| code(&format!("x=1{}", "/*".repeat(n * 100_000)))),
    ("quotes", |n| code(&format!("x=$'{}", "a".repeat(n * 100_000)))),
    ("loops in a row", |n| code(&"loop(2,x+=1);".repeat(n * 5_000))),
    ("conditional targets", |n| code(&format!("{}x{}=1", "if(a,".repeat(n * 50), ",b)".repeat(n * 50)))),
    ("keys", |n| (0..n * 20_000).map(|i| format!("k{i}=1\n")).collect::<String>().into_bytes()),
    ("equal keys", |n| "zoom=1\n".repeat(n * 30_000).into_bytes()),
    ("blank lines", |n| "\n\r".repeat(n * 100_000).into_bytes()),
    ("one line", |n| vec![b'a'; n * 250_000]),
    ("zeros", |n| vec![0; n * 250_000]),
    ("bytes", |n| (0..n * 60_000).map(|i| (i * 7 + i / 251) as u8).collect()),
    ("high bytes", |n| [b"[preset00]\nper_frame_1=".to_vec(), vec![0xff; n * 200_000]].concat()),
    ("half of a pair", |n| [&[0xff, 0xfe][..], &[0x3d, 0xd8].repeat(n * 50_000)].concat()),
    ("too large", |n| vec![b'\n'; (1 << 20) + n]),
    ("markers", |n| "[PRESET1_BEGIN]\n[PRESET2_BEGIN]\n".repeat(n * 8_000).into_bytes()),
    ("headers", |n| format!("[PRESET1_BEGIN]\n{}", "random_1=1e999\n".repeat(n * 10_000)).into_bytes()),
    ("numbers", |n| {
        let value = ["nan", "inf", "-1e39", "99999999999"][n - 1];
        let keys =
            ["zoom", "warp", "fDecay", "nWaveMode", "nMotionVectorsX", "mv_a", "ob_size", "fWaveScale"];
        keys.iter().map(|key| format!("{key}={value}\n")).collect::<String>().into_bytes()
    }),
    ("sizes of waves", |n| {
        let count = ["-1", "0", "513", "2147483647"][n - 1];
        let values = format!("wavecode_0_enabled=1\nwavecode_0_samples={count}\nwavecode_0_sep={count}\n");
        format!("[preset00]\n{values}wave_0_per_point1=x=1/0;y=sqrt(-1);a=exp(999);\n").into_bytes()
    }),
    ("defaults that call themselves", |n| {
        let call = format!("f({})", ["", "1", "f()", "f(f())"][n - 1]);
        shader(&format!("float f(float a = {call}) {{ return a; }}\nshader_body {{ ret = f(); }}"))
    }),
    ("defaults that double", |n| {
        let line = |i: usize| format!("float f{}(float a = f{i}() + f{i}()) {{ return a; }}\n", i + 1);
        let lines: String = (0..n * 6).map(line).collect();
        shader(&format!(
            "float f0(float a = 1) {{ return a; }}\n{lines}shader_body {{ ret = f{}(); }}",
            n * 6
        ))
    }),
    ("structs that double", |n| {
        let line = |i: usize| format!("struct S{} {{ S{i} x; S{i} y; }};\n", i + 1);
        let lines: String = (0..n * 15).map(line).collect();
        shader(&format!("struct S0 {{ float x; }};\n{lines}shader_body {{ S{} s; }}", n * 15))
    }),
    ("names that double", |n| {
        let lines: String = (0..n * 10).map(|i| format!("#define a{}(x) a{i}(x##x)\n", i + 1)).collect();
        shader(&format!("#define a0(x) x\n{lines}shader_body {{ ret = a{}(q); }}", n * 10))
    }),
    ("type modifiers", |n| {
        shader(&format!("{} int x;\nshader_body {{ ret = 1; }}", "unsigned ".repeat(n * 6_000)))
    }),
    ("constants", |n| {
        shader(&format!("shader_body {{ float a[1{}]; ret = a[0]; }}", "+1-1".repeat(n * 5_000)))
    }),
];

#[test]
fn hostile_presets_play_within_the_budget() {
    for (name, file) in KINDS {
        for size in 1..=4 {
            let outcome = play(name, file(size));
            assert!(!outcome.report.over_budget, "{name} {size}: {outcome:?}");
        }
    }
}

#[test]
fn endless_code_stops_at_the_budget_of_the_frame() {
    for endless in [
        "loop(1000000,while(1))",
        "loop(1000000,loop(1000000,x+=1))",
        "loop(1000000,memset(0,1,65536))",
        "loop(1000000,memcpy(0,1,65536))",
        "loop(1000000,megabuf(0)=1;freembuf(0))",
    ] {
        assert!(play(endless, code(endless)).report.over_budget, "{endless}");
    }
    // All code of a preset shares the budget.
    let shapes = shape("num_inst=1024", "loop(100000,x+=1)");
    assert!(play("shapes", shapes.into_bytes()).report.over_budget);
}

#[test]
fn polygons_are_limited_by_area_and_by_corners() {
    let play = |values: &str| play(values, shape(values, "").into_bytes());
    for values in [
        "num_inst=1024 sides=4 rad=5",
        "num_inst=1024 sides=100 rad=0.0001",
        "num_inst=1024 sides=50 rad=0 border_a=1 thickOutline=1",
    ] {
        assert!(play(values).report.overdrawn, "{values}");
    }
    assert!(!play("num_inst=64 sides=100 rad=0.01 border_a=1").report.overdrawn);
}

#[test]
fn invalid_code_disables_only_its_own_part() {
    let outcome = play("part", b"[preset00]\nper_frame_1=((;\nper_pixel_1=zoom=1.1;\n".to_vec());
    assert!(!outcome.refused && outcome.problems == 1, "{outcome:?}");
}
