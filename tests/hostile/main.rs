//! Presets written to break a player: each kind in several sizes, compiled and run in-process, on a thread with Rust's
//! default stack size, and drawn and audited (`pictures`). Nothing may panic, overflow the stack or run forever, and
//! exceeded limits are reported.

mod kinds;
mod pictures;

use aivj::milk::{Frame, Modulation, Player, PresetAudio, Program, StepReport, Tick};

use kinds::{KINDS, code, shape};

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
