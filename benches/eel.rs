//! Speed of preset code: `cargo bench --bench eel`. Each row runs in the interpreter and as machine code.

use aivj::eel::{
    BatchCode, Budget, Code, Columns, EelRandom, Machine, Memory, Scope, Shared, compile, compile_batch,
};
use divan::counter::ItemsCount;
use divan::{Bencher, black_box};

fn main() {
    divan::main();
}

/// Per-frame code: a spring, a beat detector, and colours.
const FRAME: &str = "
    vol = (bass + mid + treb) / 3; beat = above(vol, 1.2 * avg); avg = avg * 0.98 + vol * 0.02;
    vx = vx * 0.95 + (target - x) * 0.1; x = x + vx; target = if(beat, rand(100) / 100, target);
    q1 = sin(time * 0.7) * 0.5 + 0.5; q2 = cos(time * 0.9 + q1) * x; q3 = min(max(q2, 0), 1);
    wave_r = 0.5 + 0.5 * sin(time * 1.13); wave_g = 0.5 + 0.5 * sin(time * 1.23 + 2); wave_b = 1 - wave_r;
    zoom = 1 + 0.02 * q1; rot = if(above(q2, 0.5), 0.01, -0.01) * beat; warp = 0";

/// Loops of per-frame code, a thousand iterations each.
const ARITHMETIC: &str =
    "loop(1000, x = x * 0.999 + y * 0.01 - z / 3; y = y + x * 0.5; z = if(x > y, x, y * 0.5))";
const MEMORY: &str =
    "i = 0; loop(1000, megabuf(i) = megabuf(i + 1000) * 0.9 + i; megabuf(i + 1000) = i; i += 1)";
const FUNCTIONS: &str =
    "i = 0; loop(1000, s += sin(i * 0.1) * cos(i * 0.3) + sqrt(i) + floor(i / 7) + i % 13; i += 1)";

/// Per-vertex code: a few ripples and a fold.
const VERTEX: &str = "
    d = sqrt(sqr(x - 0.5) + sqr(y - 0.5)); w = sin(d * 20 - time * 3) * 0.02 * q1;
    zoom = zoom + w * (1 - rad); rot = rot + 0.1 * sin(ang * 3 + time) * rad;
    fold = floor(ang * 3 / 6.2831) * q2; cx = cx + if(above(fold, 0.5), 0.01, -0.01);
    dx = dx + 0.005 * (x - 0.5) * q1; dy = dy + 0.005 * (y - 0.5) * sigmoid(w, 3)";

/// Per-point code: a rotating ring.
const POINT: &str = "
    t = sample * 6.2831 + time; r1 = 0.3 + value1 * 0.2; x = 0.5 + r1 * cos(t); y = 0.5 + r1 * sin(t);
    r = 0.5 + 0.5 * sin(t * 2); g = abs(value2); b = 1 - r; a = if(above(sample, 0.5), 0.8, 0.4)";

/// The back ends that run the code.
const BACK_ENDS: [&str; 2] = ["interpreter", "native"];

struct World {
    vars: Vec<f64>,
    megabuf: Memory,
    shared: Shared,
    rng: EelRandom,
    budget: Budget,
}

impl World {
    fn new(scope: &Scope) -> Self {
        let mut vars = vec![0.5; scope.len()];
        vars[0] = 3.25;
        Self {
            vars,
            megabuf: Memory::new(),
            shared: Shared::new(),
            rng: EelRandom::default(),
            budget: Budget::new(u64::MAX),
        }
    }

    fn machine(&mut self) -> Machine<'_> {
        self.budget = Budget::new(u64::MAX);
        Machine {
            vars: &mut self.vars,
            megabuf: &mut self.megabuf,
            shared: &mut self.shared,
            rng: &mut self.rng,
            budget: &mut self.budget,
        }
    }
}

fn code(source: &str, back_end: &str) -> (Code, World) {
    let mut scope = Scope::new();
    scope.var("time");
    let mut code = compile(source, &mut scope).expect("valid code");
    if back_end == "native" {
        assert!(code.make_native(), "no machine code on this platform");
    }
    let world = World::new(&scope);
    (code, world)
}

fn batch(
    source: &str,
    inputs: &[&str],
    resets: &[&str],
    outputs: &[&str],
    back_end: &str,
) -> (BatchCode, World) {
    let mut scope = Scope::new();
    scope.var("time");
    let [inputs, resets, outputs] =
        [inputs, resets, outputs].map(|names| names.iter().map(|name| scope.var(name)).collect::<Vec<_>>());
    let columns = Columns { inputs: &inputs, resets: &resets, outputs: &outputs };
    let mut code = compile_batch(source, &mut scope, columns).expect("valid code");
    if back_end == "native" {
        assert!(code.make_native(), "no machine code on this platform");
    }
    let world = World::new(&scope);
    (code, world)
}

fn run(bencher: Bencher, source: &str, back_end: &str) {
    let (code, mut world) = code(source, back_end);
    bencher.bench_local(|| black_box(code.run(&mut world.machine())));
}

fn run_batch(bencher: Bencher, code: &BatchCode, world: &mut World, items: usize, inputs: &[f64]) {
    let mut outputs = vec![0.0; items * code.output_columns()];
    bencher.counter(ItemsCount::new(items)).bench_local(|| {
        code.run(&mut world.machine(), items, black_box(inputs), &mut outputs);
        black_box(&mut outputs);
    });
}

#[divan::bench(args = BACK_ENDS)]
fn frame(bencher: Bencher, back_end: &str) {
    run(bencher, FRAME, back_end);
}

#[divan::bench(args = BACK_ENDS)]
fn loop_arithmetic(bencher: Bencher, back_end: &str) {
    run(bencher, ARITHMETIC, back_end);
}

#[divan::bench(args = BACK_ENDS)]
fn loop_memory(bencher: Bencher, back_end: &str) {
    run(bencher, MEMORY, back_end);
}

#[divan::bench(args = BACK_ENDS)]
fn loop_functions(bencher: Bencher, back_end: &str) {
    run(bencher, FUNCTIONS, back_end);
}

/// One row of vertices of a mesh with 192 columns.
#[divan::bench(args = BACK_ENDS)]
fn vertices(bencher: Bencher, back_end: &str) {
    const MOTION: [&str; 10] = ["zoom", "zoomexp", "rot", "warp", "cx", "cy", "dx", "dy", "sx", "sy"];
    let (code, mut world) = batch(VERTEX, &["x", "y", "rad", "ang"], &MOTION, &MOTION, back_end);
    let inputs: Vec<f64> =
        (0..193).flat_map(|i| [f64::from(i) / 192.0, 0.3, 0.4, f64::from(i) / 31.0]).collect();
    run_batch(bencher, &code, &mut world, 193, &inputs);
}

/// The points of one custom wave.
#[divan::bench(args = BACK_ENDS)]
fn points(bencher: Bencher, back_end: &str) {
    let inputs = ["sample", "value1", "value2", "x", "y"];
    let (code, mut world) =
        batch(POINT, &inputs, &["r", "g", "b", "a"], &["x", "y", "r", "g", "b", "a"], back_end);
    let inputs: Vec<f64> = (0..512).flat_map(|i| [f64::from(i) / 511.0, 0.1, -0.2, 0.6, 0.3]).collect();
    run_batch(bencher, &code, &mut world, 512, &inputs);
}

/// Parsing and lowering, with and without compiling to machine code.
#[divan::bench(args = BACK_ENDS)]
fn compile_code(bencher: Bencher, back_end: &str) {
    bencher.bench_local(|| code(black_box(FRAME), back_end).0);
}
