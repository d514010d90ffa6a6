//! After warm-up, frames without a cut allocate nothing in this crate's code.
//!
//! The first test steps the player of every built-in preset, which uses no graphics; no allocation at all is allowed
//! there. The second runs `Rig::frame` as the window does, with macros turned up, the flash limiter, and the picture
//! meter. wgpu allocates in nearly every call, so an allocation only counts if no function of wgpu or a driver is on
//! the stack. [`KNOWN`] lists the remaining allocations by function name.
//!
//! Not covered: threads other than the render thread; frames in which the show logs anything (a deck is requested,
//! arrives or leaves); the set log, which is off here and otherwise written twice a second; and wgpu.

#![cfg(all(target_os = "linux", target_env = "gnu"))]

use std::alloc::{GlobalAlloc, Layout, System};
use std::backtrace::Backtrace;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use aivj::analysis::{Analyser, Features};
use aivj::audio;
use aivj::handoff::Latest;
use aivj::library::{Catalogue, built_in};
use aivj::milk::{Frame, Modulation, Player, PresetAudio, PresetAudioAnalyser, Program, Tick};
use aivj::mind::Control;
use aivj::show::{Command, Rig, RigFrame, Show, ShowSettings};
use aivj::stage::{DeckSettings, Gpu, RenderContext, Stage};
use aivj::units::Unipolar;
use aivj::warmup::Warmer;

/// Known allocations: part of the function's name, and their number in [`MEASURED`] frames. When a number
/// shrinks, record the new one here, so that it cannot grow again.
const KNOWN: [(&str, usize); 1] = [
    // A channel for each picture that is read back; wgpu reports through it when the buffer can be read.
    ("stage::gpu::Gpu::map", 4),
];

const FPS: f64 = 30.0;
const SAMPLES: usize = 1470;
/// Number of frames in which buffers may still grow.
const WARM_UP: usize = 120;
/// Twice the number of frames between two measurements of the picture.
const MEASURED: usize = 6;

struct Recording;

#[global_allocator]
static RECORDING: Recording = Recording;

/// Maximum number of stack frames recorded, enough to tell stacks apart.
const DEPTH: usize = 96;

/// For every stack that allocated, by return addresses: the number of allocations, and the function names.
type Stacks = HashMap<[usize; DEPTH], (usize, Backtrace)>;

thread_local! {
    static ON: Cell<bool> = const { Cell::new(false) };
    static STACKS: RefCell<Stacks> = RefCell::default();
}

unsafe extern "C" {
    /// glibc's stack walk, thousands of times faster than resolving the names of a [`Backtrace`].
    fn backtrace(addresses: *mut usize, size: i32) -> i32;
}

/// Counts an allocation on a monitored thread; the names of each stack are resolved once.
fn note() {
    if !ON.try_with(|on| on.replace(false)).unwrap_or(false) {
        return;
    }
    let mut stack = [0; DEPTH];
    // SAFETY: the call writes at most `DEPTH` addresses into an array of that size.
    unsafe { backtrace(stack.as_mut_ptr(), DEPTH as i32) };
    STACKS.with(|stacks| {
        let mut stacks = stacks.borrow_mut();
        stacks.entry(stack).or_insert_with(|| (0, Backtrace::force_capture())).0 += 1;
    });
    ON.with(|on| on.set(true));
}

// SAFETY: every call is forwarded to the system's allocator unchanged.
unsafe impl GlobalAlloc for Recording {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note();
        // SAFETY: guaranteed by the caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: guaranteed by the caller.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note();
        // SAFETY: guaranteed by the caller.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

/// Clears the counts and returns the previous ones.
fn reset() -> Stacks {
    STACKS.with(RefCell::take)
}

/// Counts the allocations of this thread during `work`, in addition to previous ones.
fn count(work: impl FnOnce()) {
    ON.with(|on| on.set(true));
    work();
    ON.with(|on| on.set(false));
}

/// Returns the stacks counted since the last [`reset`], each with its allocations, and resets the counts.
fn counted() -> Vec<(String, usize)> {
    reset().into_values().map(|(count, stack)| (stack.to_string(), count)).collect()
}

/// Returns the functions on a stack, innermost first, excluding the recorder.
fn functions(stack: &str) -> impl Iterator<Item = &str> {
    let names = stack.lines().filter_map(|line| line.trim_start().split_once(": ").map(|(_, name)| name));
    names.skip_while(|name| !name.contains("alloc")).filter(|name| !name.contains("allocations::"))
}

/// Returns true if a function of wgpu, its backends or a driver is on the stack.
fn of_wgpu(stack: &str) -> bool {
    functions(stack)
        .any(|name| ["wgpu", "naga::", "ash::", "gpu_alloc"].iter().any(|part| name.contains(part)))
}

/// Returns the innermost function of this crate on a stack.
fn ours(stack: &str) -> String {
    functions(stack).find(|name| name.contains("aivj::")).unwrap_or("no function of aivj").to_owned()
}

/// Counts allocations by the innermost function of this crate.
fn tally(stacks: &[(String, usize)]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    stacks.iter().for_each(|(stack, count)| *counts.entry(ours(stack)).or_default() += count);
    counts
}

/// Returns ten seconds of the demo track, starting where all instruments play: samples and features per frame.
fn sound() -> Vec<(Vec<[f32; 2]>, Features)> {
    let mut track = audio::demo::render(44_100).frames;
    track.drain(..(audio::demo::HIGHLIGHT.0 * 44_100.0) as usize);
    let mut analyser = Analyser::new();
    track
        .chunks_exact(SAMPLES)
        .take(300)
        .map(|block| {
            analyser.push(block);
            (block.to_vec(), *analyser.features())
        })
        .collect()
}

#[test]
fn a_recorded_allocation_names_its_function() {
    count(|| (0..3).for_each(|_| drop(std::hint::black_box(Vec::<u8>::with_capacity(100)))));
    let stacks = counted();
    assert_eq!(stacks.iter().map(|(_, count)| count).sum::<usize>(), 3);
    assert!(stacks.iter().all(|(stack, _)| functions(stack).count() > 3 && !of_wgpu(stack)), "{stacks:?}");
}

#[test]
fn players_of_all_presets_allocate_nothing() {
    let mut analyser = PresetAudioAnalyser::new();
    let sound = sound();
    let mut guilty = BTreeMap::new();
    for preset in built_in() {
        let program = Program::compile(preset.text.as_bytes()).expect("built-in presets compile");
        let mut player = Player::new(program, 7);
        let mut frame = Frame::default();
        let mut modulation = Modulation::default();
        assert!(modulation.add_linear("rot", 1.1, 0.0) && modulation.add_power("zoom", 1.1));
        let mut step = |number: usize, analyser: &mut PresetAudioAnalyser| {
            let audio = analyser.update(&sound[number].0, 1.0 / FPS);
            let tick = Tick {
                time: number as f64 / FPS,
                fps: FPS,
                frame: number as u64,
                size: [640, 360],
                mesh: [48, 36],
            };
            player.step(audio, tick, &modulation, &mut frame);
        };
        (0..WARM_UP).for_each(|number| step(number, &mut analyser));
        count(|| (WARM_UP..WARM_UP + MEASURED).for_each(|number| step(number, &mut analyser)));
        let stacks = counted();
        if !stacks.is_empty() {
            guilty.insert(preset.name(), tally(&stacks));
        }
    }
    assert!(guilty.is_empty(), "allocations after warm-up: {guilty:#?}");
}

#[test]
fn frames_of_a_show_allocate_nothing_in_this_crate() {
    let Some(gpu) = Gpu::for_test() else { return };
    let render_context = Arc::new(RenderContext::new(gpu, &[]));
    let settings = DeckSettings { size: [96, 54], mesh: [24, 18], fps: FPS };
    let heard = Latest::new(PresetAudio::default());
    let warmer = Warmer::in_place(&render_context, &heard, settings, None);
    let mut stage = Stage::new(render_context, settings.size);
    stage.limit_flashes(true);
    stage.measure_picture(true);
    // Automatic changes are off, so the preset on air stays.
    let show = ShowSettings { auto: false, fps: FPS, warm_frames: 2, ..ShowSettings::default() };
    let mut rig = Rig::new(Show::new(show, Catalogue::built_in().into()), stage, warmer, heard);
    rig.prepare();
    let sound = sound();
    let mut at = 0;
    let mut frame = |rig: &mut Rig, commands: &[Command]| {
        let (block, features) = &sound[at % sound.len()];
        at += 1;
        rig.frame(&RigFrame { dt: 1.0 / FPS, sound: block, features, commands });
    };
    let off_middle: Vec<Command> =
        Control::ALL.map(|control| Command::Macro { control, value: Unipolar::new(0.9) }).into();
    let mut most: BTreeMap<String, usize> = BTreeMap::new();
    let mut examples: BTreeMap<String, String> = BTreeMap::new();
    // At rest, with all macros turned up, and on three more presets.
    for commands in [&[][..], &off_middle, &[Command::Next], &[Command::Next], &[Command::Next]] {
        frame(&mut rig, commands);
        (0..WARM_UP).for_each(|_| frame(&mut rig, &[]));
        assert!(rig.show.playing());
        measure_quiet_frames(&mut rig, &mut frame);
        let stacks = counted();
        assert!(
            stacks.iter().any(|(stack, _)| of_wgpu(stack)),
            "wgpu allocates in every frame; nothing was recorded"
        );
        let stacks: Vec<_> = stacks.into_iter().filter(|(stack, _)| !of_wgpu(stack)).collect();
        for (name, count) in tally(&stacks) {
            let known = most.entry(name).or_default();
            *known = count.max(*known);
        }
        examples.extend(stacks.into_iter().map(|(stack, _)| (ours(&stack), stack)));
    }
    let allowed =
        |name: &str| KNOWN.iter().find(|(part, _)| name.contains(part)).map_or(0, |(_, count)| *count);
    let unknown: BTreeMap<_, _> = most.iter().filter(|(name, count)| **count > allowed(name)).collect();
    let example = unknown.keys().next().and_then(|name| examples.get(*name));
    assert!(
        unknown.is_empty(),
        "allocations in {MEASURED} frames: {unknown:#?}; one of them:\n{}",
        example.expect("kept")
    );
    for (part, count) in KNOWN {
        let found = most.iter().find(|(name, _)| name.contains(part)).map_or(0, |(_, count)| *count);
        assert_eq!(found, count, "{part}: record the smaller number in KNOWN");
    }
}

/// Counts the allocations of [`MEASURED`] consecutive frames in which the show logs nothing.
fn measure_quiet_frames(rig: &mut Rig, frame: &mut impl FnMut(&mut Rig, &[Command])) {
    let quiet = (0..20).any(|_| {
        rig.show.take_log();
        reset();
        count(|| (0..MEASURED).for_each(|_| frame(rig, &[])));
        rig.show.take_log().is_empty()
    });
    assert!(quiet, "the show logged something in every measurement");
}
