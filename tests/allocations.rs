//! Frames without a cut allocate nothing in our code, once they are warmed up.
//!
//! Two tests. The first runs every built-in preset's player, which touches no graphics: there any allocation is ours, and
//! none is allowed. The second runs [`Rig::frame`] as the window does, with every stage of a picture: macros, a second
//! deck, the flash limiter, glances. wgpu allocates in nearly every call, so an allocation counts as ours only when no
//! function of wgpu or its drivers is on the stack; which allocations of ours are known is listed by name in [`KNOWN`].
//!
//! Not covered: threads other than the one that draws, frames in which decks arrive, fade or leave, the set log (off here;
//! it writes every half second), and what wgpu does when we call it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::backtrace::Backtrace;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;

use aivj::analysis::{Analyser, Features};
use aivj::audio;
use aivj::handoff::Latest;
use aivj::library::{Catalogue, built_in};
use aivj::milk::{Frame, Hooks, Player, PresetAudio, PresetAudioAnalyser, Program, Tick};
use aivj::mind::Control;
use aivj::show::{Command, Rig, RigFrame, Show, ShowSettings, Warmer};
use aivj::stage::{DeckSettings, Gpu, RenderContext, Stage};
use aivj::units::Unipolar;

/// Allocations of ours that are known: a part of the function's name, and how many a frame there may be. A number that
/// can be lowered has to be: the test says so.
const KNOWN: [(&str, usize); 0] = [];

const FPS: f64 = 30.0;
const SAMPLES: usize = 1470;
/// Frames in which everything may still grow to its size.
const WARM_UP: usize = 120;
/// As many as pass from one glance at the picture to the next.
const MEASURED: usize = 6;

struct Recording;

#[global_allocator]
static RECORDING: Recording = Recording;

thread_local! {
    static ON: Cell<bool> = const { Cell::new(false) };
    static STACKS: RefCell<Vec<Backtrace>> = const { RefCell::new(Vec::new()) };
}

/// Keeps the stack of an allocation on a thread that is watched.
fn note() {
    let watched = ON.try_with(|on| on.replace(false)).unwrap_or(false);
    if watched {
        let stack = Backtrace::force_capture();
        STACKS.with(|stacks| stacks.borrow_mut().push(stack));
        ON.with(|on| on.set(true));
    }
}

// SAFETY: every call is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Recording {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note();
        // SAFETY: the caller's promise, unchanged.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise, unchanged.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note();
        // SAFETY: the caller's promise, unchanged.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

/// The stacks of everything this thread allocates during `work`.
fn allocations(work: impl FnOnce()) -> Vec<String> {
    ON.with(|on| on.set(true));
    work();
    ON.with(|on| on.set(false));
    STACKS.with(RefCell::take).iter().map(Backtrace::to_string).collect()
}

/// The functions on a stack, innermost first, without what records it.
fn functions(stack: &str) -> impl Iterator<Item = &str> {
    let names = stack.lines().filter_map(|line| line.trim_start().split_once(": ").map(|(_, name)| name));
    names.skip_while(|name| !name.contains("alloc")).filter(|name| !name.contains("allocations::"))
}

/// Whether a function of wgpu, its backends or a driver is at work.
fn of_wgpu(stack: &str) -> bool {
    functions(stack)
        .any(|name| ["wgpu", "naga::", "ash::", "gpu_alloc"].iter().any(|part| name.contains(part)))
}

/// Our innermost function on a stack.
fn ours(stack: &str) -> String {
    functions(stack).find(|name| name.contains("aivj::")).unwrap_or("no function of ours").to_owned()
}

fn tally<'a>(stacks: impl Iterator<Item = &'a String>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    stacks.for_each(|stack| *counts.entry(ours(stack)).or_default() += 1);
    counts
}

/// The demo track from where everything plays, frame by frame, with what is heard in it.
fn sound() -> Vec<(Vec<[f32; 2]>, Features)> {
    let mut track = audio::demo::render(44_100).frames;
    track.drain(..(audio::demo::HIGHLIGHT.0 * 44_100.0) as usize);
    let mut analyser = Analyser::new();
    track
        .chunks_exact(SAMPLES)
        .take(900)
        .map(|block| {
            analyser.push(block);
            (block.to_vec(), *analyser.features())
        })
        .collect()
}

#[test]
fn a_recorded_allocation_names_its_function() {
    let stacks = allocations(|| drop(std::hint::black_box(Vec::<u8>::with_capacity(100))));
    assert_eq!(stacks.len(), 1);
    assert!(functions(&stacks[0]).count() > 3 && !of_wgpu(&stacks[0]), "{}", stacks[0]);
}

#[test]
fn players_of_all_presets_allocate_nothing() {
    let mut ear = PresetAudioAnalyser::new();
    let sound = sound();
    let mut guilty = BTreeMap::new();
    for preset in built_in() {
        let program = Program::compile(preset.text.as_bytes()).expect("built-in presets compile");
        let mut player = Player::new(program, 7);
        let mut frame = Frame::default();
        let mut hooks = Hooks::default();
        assert!(hooks.touch("rot", 1.1, 0.0) && hooks.bend("zoom", 1.1));
        let mut step = |number: usize, ear: &mut PresetAudioAnalyser| {
            let heard = ear.listen(&sound[number].0, 1.0 / FPS);
            let tick = Tick {
                time: number as f64 / FPS,
                fps: FPS,
                frame: number as u64,
                size: [640, 360],
                mesh: [48, 36],
            };
            player.step(heard, tick, &hooks, &mut frame);
        };
        (0..WARM_UP).for_each(|number| step(number, &mut ear));
        let stacks = allocations(|| (WARM_UP..WARM_UP + MEASURED).for_each(|n| step(n, &mut ear)));
        if !stacks.is_empty() {
            guilty.insert(preset.name(), tally(stacks.iter()));
        }
    }
    assert!(guilty.is_empty(), "allocations after warm-up: {guilty:#?}");
}

#[test]
fn frames_of_a_show_allocate_nothing_of_ours() {
    let gpu = Gpu::headless().expect("a graphics device; mesa-vulkan-drivers is enough");
    let render_context = Arc::new(RenderContext::new(gpu, &[]));
    let settings = DeckSettings { size: [96, 54], mesh: [24, 18], fps: FPS };
    let heard = Latest::new(PresetAudio::default());
    let warmer = Warmer::in_place(&render_context, &heard, settings, None);
    let mut stage = Stage::new(render_context, settings.size);
    stage.limit_flashes(true);
    stage.measure_picture(true);
    // The show changes nothing by itself: what is on air stays.
    let show = ShowSettings { auto: false, fps: FPS, warm_frames: 2, ..ShowSettings::default() };
    let mut rig = Rig::new(Show::new(show, Catalogue::built_in().into()), stage, warmer, heard);
    rig.settle();
    let sound = sound();
    let mut at = 0;
    let mut frame = |rig: &mut Rig, commands: &[Command]| {
        let (block, features) = &sound[at % sound.len()];
        at += 1;
        rig.frame(&RigFrame { dt: 1.0 / FPS, sound: block, features, commands });
    };
    let off_middle: Vec<Command> =
        Control::ALL.map(|control| Command::Macro { control, value: Unipolar::new(0.9) }).into();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut stacks_of_ours = Vec::new();
    // At rest, with everything turned up, and on another preset each time.
    for commands in [&[][..], &off_middle, &[Command::Next], &[Command::Next], &[Command::Next]] {
        frame(&mut rig, commands);
        (0..WARM_UP).for_each(|_| frame(&mut rig, &[]));
        assert!(rig.show.playing());
        let stacks = allocations(|| (0..MEASURED).for_each(|_| frame(&mut rig, &[])));
        assert!(
            stacks.iter().any(|stack| of_wgpu(stack)),
            "wgpu allocates in every frame, yet nothing was recorded"
        );
        let ours: Vec<String> = stacks.into_iter().filter(|stack| !of_wgpu(stack)).collect();
        for (name, count) in tally(ours.iter()) {
            let most = counts.entry(name).or_default();
            *most = (*most).max(count.div_ceil(MEASURED));
        }
        stacks_of_ours.extend(ours);
    }
    let known = |name: &str| KNOWN.iter().find(|(part, _)| name.contains(part)).map_or(0, |(_, most)| *most);
    let unknown: BTreeMap<_, _> = counts.iter().filter(|(name, count)| **count > known(name)).collect();
    if let Some(stack) = stacks_of_ours.iter().find(|stack| unknown.contains_key(&ours(stack))) {
        panic!("allocations a frame that are not known: {unknown:#?}; the first of them:\n{stack}");
    }
    for (part, most) in KNOWN {
        let found = counts.iter().find(|(name, _)| name.contains(part)).map_or(0, |(_, count)| *count);
        assert_eq!(found, most, "{part}: lower its number in KNOWN");
    }
}
