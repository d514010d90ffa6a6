//! After its first picture, the show's thread waits for nothing: neither for files nor for other threads.
//!
//! A seccomp filter stops every system call of the thread that is not listed in [`NEVER_WAIT`], among them those that
//! open, read or write files, sleep, wait for a lock, a channel or a thread, and start or await a process. A signal
//! handler records the stack and then makes the call, so the program behaves as usual. The functions on the stack
//! decide whether a call counts:
//!
//! - If a function of wgpu or of a driver is among them, it does not. Both lock their own queues and memory, which no
//!   code of this crate can avoid. To wait for the device, [`Gpu`] polls it and waits in functions of this crate, which
//!   counts.
//! - Neither do the locks of the memory allocator, which `tests/allocations.rs` covers, and those within std's channels,
//!   where threads only add themselves to a list of waiting threads or remove themselves from it.
//!
//! A lock that nobody else holds needs no system call, so only a lock that the thread had to wait for is found.
//!
//! Not covered: threads other than the show's; the steps before the first picture; page faults; MIDI, the set log, the
//! audio devices and the windows, which exchange data with the show through queues.

#![cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]

use std::alloc::{GlobalAlloc, Layout, System};
use std::backtrace::Backtrace;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::ffi::CStr;
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process;
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use aivj::analysis::{Analyser, Features};
use aivj::archive::{Archive, LibraryRequest};
use aivj::audio;
use aivj::facts::PresetId;
use aivj::find::SearchQuery;
use aivj::handoff::Latest;
use aivj::layers::LayerFiles;
use aivj::library::built_in;
use aivj::milk::PresetAudio;
use aivj::mind::Control;
use aivj::show::{Command, Rig, RigFrame, ShowSettings};
use aivj::stage::{DeckSettings, Gpu, RenderContext, Stage, StageOptions};
use aivj::units::Unipolar;
use aivj::warmup::Warmer;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch, apply_filter, sock_filter,
};

/// System calls that never wait for a disk or another thread. For `futex` and `clone`, see [`rules`].
const NEVER_WAIT: [libc::c_long; 28] = [
    // Memory.
    libc::SYS_brk,
    libc::SYS_mmap,
    libc::SYS_mremap,
    libc::SYS_munmap,
    libc::SYS_mprotect,
    libc::SYS_madvise,
    // Clocks and random numbers.
    libc::SYS_clock_gettime,
    libc::SYS_clock_getres,
    libc::SYS_gettimeofday,
    libc::SYS_getrandom,
    // This thread and its signals.
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_getcpu,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_tgkill,
    libc::SYS_restart_syscall,
    // Starting and ending a thread.
    libc::SYS_clone3,
    libc::SYS_set_robust_list,
    libc::SYS_rseq,
    libc::SYS_prctl,
    libc::SYS_arch_prctl,
    libc::SYS_exit,
    libc::SYS_exit_group,
];
/// Operations of `futex` that do not wait: they wake other threads or try to lock.
const FUTEX_NEVER_WAITS: [libc::c_int; 8] = [
    libc::FUTEX_WAKE,
    libc::FUTEX_REQUEUE,
    libc::FUTEX_CMP_REQUEUE,
    libc::FUTEX_WAKE_OP,
    libc::FUTEX_UNLOCK_PI,
    libc::FUTEX_TRYLOCK_PI,
    libc::FUTEX_WAKE_BITSET,
    libc::FUTEX_CMP_REQUEUE_PI,
];
/// The bits of a `futex` operation that are not flags.
const FUTEX_OPERATION: u64 = 0x7f;

const FPS: f64 = 30.0;
const SAMPLES: usize = 1470;
/// Parts of the names of libraries that are not drivers: libc, its loader, the kernel's code and the stack walk.
const NOT_DRIVERS: [&str; 4] = ["libc.so", "ld-linux", "linux-vdso", "libgcc_s"];
/// Number of presets in the library that the show switches to.
const PRESETS: usize = 12;
/// Set in the process that [`starting_a_process_ends_the_program`] starts.
const CHILD: &str = "AIVJ_TEST_STARTS_A_PROCESS";

// Makes the system call `rdi` with the six arguments at `rsi`. The filter knows the address after the instruction.
std::arch::global_asm!(
    ".text",
    ".globl aivj_unfiltered_call",
    "aivj_unfiltered_call:",
    "mov rax, rdi",
    "mov rdi, [rsi]",
    "mov rdx, [rsi + 16]",
    "mov r10, [rsi + 24]",
    "mov r8, [rsi + 32]",
    "mov r9, [rsi + 40]",
    "mov rsi, [rsi + 8]",
    "syscall",
    ".globl aivj_unfiltered_call_end",
    "aivj_unfiltered_call_end:",
    "ret",
);

unsafe extern "C" {
    fn aivj_unfiltered_call(number: i64, arguments: *const [i64; 6]) -> i64;
    static aivj_unfiltered_call_end: u8;
    /// glibc's stack walk, thousands of times faster than resolving the names of a [`Backtrace`].
    fn backtrace(addresses: *mut usize, size: i32) -> i32;
}

struct Allocator;

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

/// Maximum number of stack frames by which stacks are told apart.
const DEPTH: usize = 96;

/// System calls that may have waited.
struct Waits {
    /// Number of the system call.
    call: i64,
    count: usize,
    stack: Backtrace,
}

thread_local! {
    static ON: Cell<bool> = const { Cell::new(false) };
    static ALLOCATING: Cell<bool> = const { Cell::new(false) };
    /// The calls recorded on this thread, by return addresses.
    static RECORDED: RefCell<HashMap<[usize; DEPTH], Waits>> = RefCell::default();
}

/// Runs `work`, whose system calls are not recorded.
fn allocating<T>(work: impl FnOnce() -> T) -> T {
    let before = ALLOCATING.replace(true);
    let result = work();
    ALLOCATING.set(before);
    result
}

// SAFETY: every call is forwarded to the system's allocator unchanged.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: guaranteed by the caller.
        allocating(|| unsafe { System.alloc(layout) })
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: guaranteed by the caller.
        allocating(|| unsafe { System.dealloc(pointer, layout) });
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: guaranteed by the caller.
        allocating(|| unsafe { System.realloc(pointer, layout, size) })
    }
}

/// Records a system call of a monitored thread with its stack.
fn record(call: i64) {
    if ALLOCATING.get() || !ON.replace(false) {
        return;
    }
    let mut stack = [0; DEPTH];
    // SAFETY: the call writes at most `DEPTH` addresses into an array of that size.
    unsafe { backtrace(stack.as_mut_ptr(), DEPTH as i32) };
    RECORDED.with_borrow_mut(|recorded| {
        let new = || Waits { call, count: 0, stack: Backtrace::force_capture() };
        recorded.entry(stack).or_insert_with(new).count += 1;
    });
    ON.set(true);
}

/// Records the system call that the filter stopped, and makes it. Runs on the thread that made the call, as part of it.
extern "C" fn on_stopped_call(_signal: libc::c_int, _info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: the kernel passes the registers that the thread had when it made the call.
    let registers = unsafe { &mut (*context.cast::<libc::ucontext_t>()).uc_mcontext.gregs };
    let call = registers[libc::REG_RAX as usize];
    let arguments = [libc::REG_RDI, libc::REG_RSI, libc::REG_RDX, libc::REG_R10, libc::REG_R8, libc::REG_R9]
        .map(|register| registers[register as usize]);
    record(call);
    // SAFETY: it is the call that the thread was about to make.
    registers[libc::REG_RAX as usize] = unsafe { aivj_unfiltered_call(call, &arguments) };
}

/// Returns the rules for the calls that never wait.
fn rules() -> Result<BTreeMap<i64, Vec<SeccompRule>>, seccompiler::BackendError> {
    let masked = |argument: u8, mask: u64, value: u64| {
        let compare = SeccompCmpOp::MaskedEq(mask);
        SeccompRule::new(vec![SeccompCondition::new(argument, SeccompCmpArgLen::Dword, compare, value)?])
    };
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
        NEVER_WAIT.iter().map(|call| (*call, Vec::new())).collect();
    let wakes = FUTEX_NEVER_WAITS.iter().map(|operation| masked(1, FUTEX_OPERATION, *operation as u64));
    rules.insert(libc::SYS_futex, wakes.collect::<Result<_, _>>()?);
    // Of `clone`, only starting a thread. The signal for a new process ends the program, because libc blocks signals
    // while it starts one.
    let thread = libc::CLONE_THREAD as u64;
    rules.insert(libc::SYS_clone, vec![masked(0, thread, thread)?]);
    Ok(rules)
}

/// Returns the filter that stops all calls but those that never wait and those of the signal handler.
fn filter() -> Result<BpfProgram, seccompiler::BackendError> {
    let (allow, trap) = (SeccompAction::Allow, SeccompAction::Trap);
    let rest: BpfProgram = SeccompFilter::new(rules()?, trap, allow, TargetArch::x86_64)?.try_into()?;
    let handler = (&raw const aivj_unfiltered_call_end).addr() as u64;
    // Loads a word of the address that the call returns to; compares it; ends the filter.
    let load = |offset| sock_filter { code: 0x20, jt: 0, jf: 0, k: offset };
    let skip_unless = |value, count| sock_filter { code: 0x15, jt: 0, jf: count, k: value };
    let allowed = sock_filter { code: 0x06, jt: 0, jf: 0, k: libc::SECCOMP_RET_ALLOW };
    let from_handler =
        [load(8), skip_unless(handler as u32, 3), load(12), skip_unless((handler >> 32) as u32, 1), allowed];
    Ok(from_handler.into_iter().chain(rest).collect())
}

/// Makes libc start threads with `clone`, whose flags a filter can read, as on a kernel without `clone3`.
fn without_clone3() -> Result<BpfProgram, seccompiler::BackendError> {
    let rules = BTreeMap::from([(libc::SYS_clone3, Vec::new())]);
    let missing = SeccompAction::Errno(libc::ENOSYS as u32);
    SeccompFilter::new(rules, SeccompAction::Allow, missing, TargetArch::x86_64)?.try_into()
}

/// Returns whether `AIVJ_NO_SANDBOX=1` is set.
fn without_sandbox() -> bool {
    std::env::var("AIVJ_NO_SANDBOX").is_ok_and(|value| value == "1")
}

/// Runs `work` on a thread on which [`watch`] works. Threads that it starts are filtered, too, but never recorded.
/// Skips it if `AIVJ_NO_SANDBOX=1` is set.
fn guarded(work: impl FnOnce() + Send + 'static) {
    if without_sandbox() {
        println!("skipped: AIVJ_NO_SANDBOX=1 is set");
        return;
    }
    let work = move || {
        // The first stack walk loads a library.
        // SAFETY: the call writes one address into an array of that size.
        unsafe { backtrace([0].as_mut_ptr(), 1) };
        drop(Backtrace::force_capture());
        drop(RECORDED.take());
        // SAFETY: zero is valid in every field, and the handler has the signature that `SA_SIGINFO` requires.
        let set = unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = on_stopped_call as *const () as libc::sighandler_t;
            // The handler itself may make calls that are stopped, which are then made without being recorded.
            action.sa_flags = libc::SA_SIGINFO | libc::SA_NODEFER;
            libc::sigaction(libc::SIGSYS, &action, std::ptr::null_mut())
        };
        assert_eq!(set, 0, "{}", std::io::Error::last_os_error());
        for program in [without_clone3(), filter()] {
            let applied = apply_filter(&program.expect("a filter"));
            applied.expect("this test needs a kernel with seccomp, or AIVJ_NO_SANDBOX=1");
        }
        work();
    };
    let thread = thread::Builder::new().stack_size(64 << 20).spawn(work).expect("a thread");
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

/// Runs `work` and records its system calls that may wait, in addition to previous ones.
fn watch<T>(work: impl FnOnce() -> T) -> T {
    ON.set(true);
    let result = work();
    ON.set(false);
    result
}

/// Takes the recorded calls that a driver did not make: their numbers and stacks.
fn recorded() -> Vec<(String, String)> {
    let all = RECORDED.take().into_iter().filter(|(addresses, _)| !of_driver(addresses));
    all.map(|(_, Waits { call, count, stack })| {
        (format!("system call {call}, {count} times"), stack.to_string())
    })
    .collect()
}

/// Returns the file of the program or library that contains an address, if there is one.
fn file_of(address: usize) -> Option<String> {
    // SAFETY: zero is valid in every field, `dladdr` accepts any address, and the name that it returns belongs to a
    // library that is in use.
    unsafe {
        let mut found: libc::Dl_info = std::mem::zeroed();
        let known =
            libc::dladdr(address as *const libc::c_void, &mut found) != 0 && !found.dli_fname.is_null();
        known.then(|| CStr::from_ptr(found.dli_fname).to_string_lossy().into_owned())
    }
}

/// Returns true if a function of a driver is on the stack, which is one of another library than libc. Names would also
/// tell, but take long to find in a large driver.
fn of_driver(addresses: &[usize]) -> bool {
    let program = file_of(on_stopped_call as *const () as usize);
    let files = addresses.iter().filter(|address| **address != 0).filter_map(|address| file_of(*address));
    files
        .filter(|file| Some(file) != program.as_ref())
        .any(|file| !NOT_DRIVERS.iter().any(|part| file.contains(part)))
}

/// Returns the functions on a stack, innermost first.
fn functions(stack: &str) -> impl Iterator<Item = &str> {
    let names = stack.lines().filter_map(|line| line.trim_start().split_once(": ").map(|(_, name)| name));
    names.filter(|name| !name.contains("blocking::"))
}

/// Returns true if a function of wgpu is on the stack.
fn of_wgpu(stack: &str) -> bool {
    functions(stack).any(|name| name.trim_start_matches('<').starts_with("wgpu"))
}

/// Returns true for the lock of a channel's list of waiting threads. Waiting for the channel itself parks the thread.
fn of_channel(stack: &str) -> bool {
    functions(stack).any(|name| name.contains("lock_contended"))
        && functions(stack).any(|name| name.contains("std::sync::mpmc"))
}

/// Returns the innermost function of this crate on a stack.
fn ours(stack: &str) -> &str {
    functions(stack).find(|name| name.contains("aivj::")).unwrap_or("no function of aivj")
}

#[test]
fn what_waits_is_recorded() {
    let folder = tempfile::tempdir().expect("a folder");
    let (file, other) = (folder.path().join("file"), folder.path().join("other"));
    fs::write(&file, "text").expect("written");
    guarded(move || {
        let check = |what: &str, work: &mut dyn FnMut()| {
            watch(work);
            assert!(!recorded().is_empty(), "{what} is not recorded");
        };
        let mut opened = File::options().read(true).write(true).open(&file).expect("opens");
        check("opening a file", &mut || drop(File::open(&file)));
        check("reading a file", &mut || drop(opened.read(&mut [0; 2])));
        check("writing a file", &mut || drop(opened.write(b"text")));
        check("syncing a file", &mut || drop(opened.sync_all()));
        check("renaming a file", &mut || drop(fs::rename(&file, &other)));
        check("deleting a file", &mut || drop(fs::remove_file(&other)));
        check("looking for a file", &mut || drop(fs::metadata(&file)));
        check("listing a folder", &mut || drop(fs::read_dir("/").map(Iterator::count)));
        check("sleeping", &mut || thread::sleep(Duration::from_millis(1)));
        let pause = || thread::sleep(Duration::from_millis(50));
        check("joining a thread", &mut || thread::spawn(pause).join().expect("ended"));
        let lock = Arc::new(Mutex::new(()));
        let (held, holds) = mpsc::channel();
        let shared = lock.clone();
        let holder = thread::spawn(move || {
            let _held = shared.lock().expect("locked");
            held.send(()).expect("sent");
            pause();
        });
        holds.recv().expect("locked");
        check("waiting for a lock", &mut || drop(lock.lock().expect("locked")));
        holder.join().expect("ended");
        let (sender, receiver) = mpsc::channel();
        let late = sender.clone();
        let late = thread::spawn(move || {
            pause();
            late.send(()).expect("sent");
        });
        check("waiting for a message", &mut || receiver.recv().expect("sent"));
        late.join().expect("ended");
        let timeout = Duration::from_millis(1);
        check("waiting for a message in vain", &mut || {
            receiver.recv_timeout(timeout).unwrap_err();
        });
        drop(sender);
        let (sender, receiver) = mpsc::sync_channel(1);
        sender.send(()).expect("sent");
        let late = thread::spawn(move || {
            pause();
            drop(receiver);
        });
        check("waiting for room in a channel", &mut || {
            sender.send(()).unwrap_err();
        });
        late.join().expect("ended");
    });
}

#[test]
fn what_does_not_wait_is_not_recorded() {
    guarded(|| {
        let lock = Mutex::new(0);
        let (sender, receiver) = mpsc::channel();
        let mut started = None;
        watch(|| {
            drop(std::hint::black_box(vec![1_u8; 10_000_000]));
            std::hint::black_box(Instant::now());
            *lock.lock().expect("locked") += 1;
            sender.send(1).expect("sent");
            receiver.try_recv().expect("received");
            started = Some(thread::spawn(|| thread::sleep(Duration::from_millis(1))));
        });
        let recorded = recorded();
        assert!(recorded.is_empty(), "{recorded:#?}");
        started.expect("started").join().expect("ended");
    });
}

#[test]
fn starting_a_process_ends_the_program() {
    if std::env::var_os(CHILD).is_some() {
        return guarded(|| drop(process::Command::new("true").status()));
    }
    if without_sandbox() {
        return;
    }
    let program = std::env::current_exe().expect("this program");
    let mut child = process::Command::new(program);
    child.args(["--exact", "starting_a_process_ends_the_program"]).env(CHILD, "1");
    let ended = child.output().expect("starts").status;
    assert_eq!(ended.signal(), Some(libc::SIGSYS), "{ended}");
}

/// What the show's thread runs in every step, with what surrounds it.
struct ShowThread {
    rig: Rig,
    archive: Archive,
    /// Samples and features of each frame.
    sound: Vec<(Vec<[f32; 2]>, Features)>,
    at: usize,
}

impl ShowThread {
    /// Runs one step under watch; then lets the device and the other threads catch up.
    fn step(&mut self, commands: &[Command]) {
        let (sound, features) = &self.sound[self.at % self.sound.len()];
        self.at += 1;
        let (rig, archive) = (&mut self.rig, &mut self.archive);
        let kept = watch(|| {
            rig.frame(&RigFrame { dt: 1.0 / FPS, sound, features, commands });
            let log = rig.show.take_log();
            archive.frame(&mut rig.show, commands);
            (log, rig.show.snapshot(), archive.view().clone())
        });
        drop(kept);
        rig.stage.finish();
        thread::sleep(Duration::from_millis(5));
    }

    fn steps(&mut self, count: usize) {
        (0..count).for_each(|_| self.step(&[]));
    }

    fn until(&mut self, what: &str, done: impl Fn(&Self) -> bool) {
        let started = Instant::now();
        while !done(self) {
            self.step(&[]);
            assert!(started.elapsed() < Duration::from_secs(120), "still waiting for {what}");
        }
    }

    fn playing(&self) -> Option<PresetId> {
        self.rig.show.on_air().map(|(id, _)| id)
    }

    /// Cuts, learns, marks, moves macros, launches layers, changes the theme and the library, and searches.
    fn perform(&mut self, presets: &std::path::Path) {
        let ids: Vec<PresetId> = self.rig.show.library().entries.iter().map(|entry| entry.id).collect();
        for _ in 0..3 {
            let before = self.playing();
            self.step(&[Command::Next]);
            self.until("a cut", |thread| thread.playing() != before);
            self.steps(20);
        }
        let macros = Control::ALL.map(|control| Command::Macro { control, value: Unipolar::new(0.9) });
        for commands in [
            &macros[..],
            &[Command::Favourite],
            &[Command::FavouritePreset(ids[0]), Command::BanPreset(ids[1]), Command::BanPreset(ids[2])],
            &[Command::Undo, Command::Undo],
            &[Command::Adventure(Unipolar::new(0.8)), Command::Hold],
            &[Command::Hold, Command::Ban],
            &[Command::Sprite(0), Command::Sprite(1), Command::SetTitle("Live".into()), Command::LaunchTitle],
            &[Command::ClearSprites, Command::ClearText],
            &[Command::Back],
            &[Command::Panic],
            &[Command::Theme("techno".into())],
        ] {
            self.step(commands);
            self.steps(20);
        }
        self.until("the theme", |thread| thread.rig.show.pool().theme().is_some());
        watch(|| self.archive.switch_to(Some(presets)));
        self.until("the library", |thread| thread.rig.show.library().entries.len() == PRESETS);
        let query = SearchQuery { text: "a".into(), ..SearchQuery::default() };
        watch(|| self.archive.handle(LibraryRequest::Find(query)));
        self.steps(20);
        let before = self.playing();
        self.step(&[Command::Next]);
        self.until("a cut to the new library", |thread| thread.playing() != before);
        self.steps(20);
    }
}

/// Returns ten seconds of the demo track, starting where all instruments play: samples and features per frame.
fn sound() -> Vec<(Vec<[f32; 2]>, Features)> {
    let mut track = audio::demo::render(44_100).frames;
    track.drain(..(audio::demo::HIGHLIGHT.0 * 44_100.0) as usize);
    let mut analyser = Analyser::new();
    let heard = |block: &[[f32; 2]]| {
        analyser.push(block);
        (block.to_vec(), *analyser.features())
    };
    track.chunks_exact(SAMPLES).take(300).map(heard).collect()
}

#[test]
fn the_show_thread_waits_for_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let (data, presets) = (folder.path().join("data"), folder.path().join("presets"));
    // SAFETY: nothing else in this program reads the environment yet, except through std, which locks it.
    unsafe { std::env::set_var("AIVJ_DATA", data) };
    fs::create_dir(&presets).expect("made");
    for preset in built_in().take(PRESETS) {
        fs::write(presets.join(preset.path.replace('/', " ")), preset.text).expect("written");
    }
    let Some(gpu) = Gpu::for_test() else { return };
    let context = Arc::new(RenderContext::new(gpu, &[]));
    let settings = DeckSettings { size: [96, 54], mesh: [24, 18], fps: FPS };
    let heard = Latest::new(PresetAudio::default());
    let warmer = Warmer::threads(&context, &heard, settings, None);
    let options = StageOptions { limiter: true, meter: true, layer_threads: true };
    let mut stage = Stage::with(context, settings.size, options);
    stage.set_layers(Arc::new(LayerFiles::of_every_kind()));
    let show = ShowSettings { fps: FPS, warm_frames: 2, record: true, ..ShowSettings::default() };
    let (archive, show, _) = Archive::open(None, show, None, None).expect("opens");
    let mut thread = ShowThread { rig: Rig::new(show, stage, warmer, heard), archive, sound: sound(), at: 0 };
    guarded(move || {
        thread.until("a picture", |thread| thread.rig.show.playing());
        thread.steps(30);
        drop(RECORDED.take());
        thread.perform(&presets);
        let mut waits = recorded();
        waits.retain(|(_, stack)| !of_wgpu(stack) && !of_channel(stack));
        let list: Vec<String> =
            waits.iter().map(|(call, stack)| format!("{call}, {}", ours(stack))).collect();
        let example = waits.first().map_or("", |(_, stack)| stack.as_str());
        assert!(waits.is_empty(), "calls that may wait: {list:#?}; one of them:\n{example}");
    });
}
