//! A tree-walking evaluator, written as simply as possible: the oracle that the back ends are tested against.

use std::collections::HashMap;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::compile::parse;
use super::functions::{MAX_ITERATIONS, from_bool, is_true};
use super::machine::{Budget, Machine, Shared};
use super::memory::Memory;
use super::random::EelRandom;
use super::scope::Scope;
use super::tree::{Home, Node, NodeId, Space};
use super::{Columns, compile, compile_batch};

/// Target of an assignment.
#[derive(Clone, Copy)]
enum Target {
    Name(Home),
    Memory(Space, f64),
    /// Not assignable; stores are discarded.
    Temporary(f64),
}

/// Evaluates the tree node by node.
struct Walker<'a, 'm> {
    nodes: &'a [Node],
    machine: Machine<'m>,
}

impl Walker<'_, '_> {
    fn eval(&mut self, id: NodeId) -> f64 {
        // Once the budget is exhausted, evaluation returns early.
        let nodes = self.nodes;
        if !self.machine.budget.spend(u64::from(nodes[id as usize].cost())) {
            return 0.0;
        }
        match nodes[id as usize] {
            Node::Number(value) => value,
            Node::Name(home) => self.load(Target::Name(home)),
            Node::Memory(space, index) => {
                let index = self.eval(index);
                self.load(Target::Memory(space, index))
            }
            Node::Assign(target, value) => {
                let target = self.target(target);
                let value = self.eval(value);
                self.store(target, value);
                value
            }
            Node::CompoundAssign(binary, target, value) => {
                let target = self.target(target);
                let value = self.eval(value);
                let value = binary.apply(self.load(target), value);
                self.store(target, value);
                value
            }
            Node::Unary(unary, a) => unary.apply(self.eval(a)),
            Node::Binary(binary, a, b) => {
                let a = self.eval(a);
                binary.apply(a, self.eval(b))
            }
            Node::Not(a) => from_bool(!is_true(self.eval(a))),
            Node::And(a, b) => from_bool(is_true(self.eval(a)) && is_true(self.eval(b))),
            Node::Or(a, b) => from_bool(is_true(self.eval(a)) || is_true(self.eval(b))),
            Node::If(condition, yes, no) => {
                let branch = if is_true(self.eval(condition)) { yes } else { no };
                self.eval(branch)
            }
            Node::Sequence(ref list) => list.iter().fold(0.0, |_, &step| self.eval(step)),
            Node::Loop(count, body) => {
                let count = (self.eval(count) as i64).clamp(0, i64::from(MAX_ITERATIONS));
                let mut last = 0.0;
                for _ in 0..count {
                    last = self.eval(body);
                    if self.machine.budget.exhausted() {
                        break;
                    }
                }
                last
            }
            Node::While(body) => {
                let mut last = 0.0;
                for _ in 0..MAX_ITERATIONS {
                    last = self.eval(body);
                    if !is_true(last) || self.machine.budget.exhausted() {
                        break;
                    }
                }
                last
            }
            Node::Random(limit) => {
                let limit = self.eval(limit);
                self.machine.rng.draw(limit)
            }
            Node::Free(index) => {
                let index = self.eval(index);
                self.machine.free(index)
            }
            Node::Move(function, to, from, count) => {
                let (to, from) = (self.eval(to), self.eval(from));
                let count = self.eval(count);
                self.machine.move_memory(function, to, from, count)
            }
        }
    }

    fn target(&mut self, id: NodeId) -> Target {
        match self.nodes[id as usize] {
            Node::Name(home) => Target::Name(home),
            Node::Memory(space, index) => Target::Memory(space, self.eval(index)),
            Node::If(condition, yes, no) => {
                let branch = if is_true(self.eval(condition)) { yes } else { no };
                self.target(branch)
            }
            _ => Target::Temporary(self.eval(id)),
        }
    }

    fn load(&self, target: Target) -> f64 {
        match target {
            Target::Name(Home::Variable(slot)) => self.machine.vars[slot as usize],
            Target::Name(Home::Register(number)) => self.machine.shared.regs[usize::from(number)],
            Target::Memory(space, index) => self.machine.load(space, index),
            Target::Temporary(value) => value,
        }
    }

    fn store(&mut self, target: Target, value: f64) {
        match target {
            Target::Name(Home::Variable(slot)) => self.machine.vars[slot as usize] = value,
            Target::Name(Home::Register(number)) => self.machine.shared.regs[usize::from(number)] = value,
            Target::Memory(space, index) => self.machine.store(space, index, value),
            Target::Temporary(_) => {}
        }
    }
}

/// The state that a program can change, as bits, with samples of its memories; all NaNs compare equal.
#[derive(Debug, PartialEq)]
struct State {
    value: u64,
    vars: HashMap<String, u64>,
    regs: Vec<u64>,
    memory: Vec<u64>,
    random: u32,
    exhausted: bool,
}

fn bits(value: f64) -> u64 {
    if value.is_nan() { f64::NAN.to_bits() } else { value.to_bits() }
}

/// Seed of the random programs.
const SEED: u64 = 20_261_130;
const BUDGET: u64 = 60_000;
/// Initial values of the variables, repeated as needed.
const START: [f64; 4] = [0.4, -2.5, 7.0, 1e-6];

/// Runs `action` on a fresh machine and returns the resulting state.
fn state(scope: &Scope, budget: u64, action: impl FnOnce(&mut Machine) -> f64) -> State {
    let mut vars: Vec<f64> = (0..scope.len()).map(|at| START[at % START.len()]).collect();
    let (mut megabuf, mut shared) = (Memory::new(), Shared::new());
    let (mut rng, mut budget) = (EelRandom::default(), Budget::new(budget));
    let value = action(&mut Machine {
        vars: &mut vars,
        megabuf: &mut megabuf,
        shared: &mut shared,
        rng: &mut rng,
        budget: &mut budget,
    });
    let cells = || (0..64).map(f64::from).chain([65_535.0, 65_536.0, 131_072.0]);
    let memory = cells().map(|at| megabuf.read(at)).chain(cells().map(|at| shared.gmegabuf.read(at)));
    State {
        value: bits(value),
        vars: scope.names().into_iter().zip(vars.iter().map(|&value| bits(value))).collect(),
        regs: shared.regs.iter().map(|&value| bits(value)).collect(),
        memory: memory.map(bits).collect(),
        random: rng.next_u32(),
        exhausted: budget.exhausted(),
    }
}

/// Compares the back ends with the walker. If the walker runs out of budget, the back ends must too, but
/// their state may differ from the walker's.
#[track_caller]
fn check(source: &str) {
    let mut scope = Scope::new();
    let (nodes, root) = parse(source, &mut scope).unwrap_or_else(|error| panic!("{source}: {error}"));
    let mut code = compile(source, &mut scope).expect("the same source");
    let walked = state(&scope, BUDGET, |machine| {
        let Machine { vars, megabuf, shared, rng, budget } = machine;
        Walker { nodes: &nodes, machine: Machine { vars, megabuf, shared, rng, budget } }.eval(root)
    });
    let run = |code: &super::Code| {
        state(&scope, BUDGET, |machine| match code.run(machine) {
            super::RunOutcome::Done(value) => value,
            super::RunOutcome::OutOfBudget => 0.0,
        })
    };
    let interpreted = run(&code);
    assert!(code.make_native(), "machine code is available where tests run");
    let native = run(&code);
    assert_eq!(interpreted, native, "interpreter and machine code: {source}");
    if walked.exhausted {
        assert!(native.exhausted, "only the walker ran out of budget: {source}");
    } else {
        assert_eq!(walked, native, "walker and machine code: {source}");
    }
}

/// Compares the back ends as [`check`] does, on a batch of three items with `a` as an input and `b` as a
/// reset.
#[track_caller]
fn check_batch(source: &str) {
    const ROWS: [f64; 3] = [0.25, -3.0, 40.0];
    let mut scope = Scope::new();
    let (a, b) = (scope.var("a"), scope.var("b"));
    let columns = Columns { inputs: &[a], resets: &[b], outputs: &[a, b] };
    let (nodes, root) = parse(source, &mut scope).unwrap_or_else(|error| panic!("{source}: {error}"));
    let mut code = compile_batch(source, &mut scope, columns).expect("the same source");
    // Both variables belong to the batch, so their values afterwards are undefined.
    let forget = |machine: &mut Machine| machine.vars[..2].fill(0.0);
    let mut walked_rows = Vec::new();
    let walked = state(&scope, BUDGET, |machine| {
        let start = machine.vars[b.slot()];
        for row in ROWS {
            (machine.vars[a.slot()], machine.vars[b.slot()]) = (row, start);
            let Machine { vars, megabuf, shared, rng, budget } = &mut *machine;
            Walker { nodes: &nodes, machine: Machine { vars, megabuf, shared, rng, budget } }.eval(root);
            walked_rows.push([machine.vars[a.slot()], machine.vars[b.slot()]].map(bits));
        }
        forget(machine);
        0.0
    });
    let run = |code: &super::BatchCode| {
        let mut rows = Vec::new();
        let after = state(&scope, BUDGET, |machine| {
            let start = machine.vars[b.slot()];
            let mut out = vec![0.0; ROWS.len() * code.output_columns()];
            let finished = code.run(machine, ROWS.len(), &code.rows(&ROWS), &mut out);
            for (at, row) in ROWS.iter().enumerate().take(finished) {
                let value = |output: usize, unset: f64| {
                    code.output(output).map_or(unset, |column| out[at * code.output_columns() + column])
                };
                rows.push([value(0, *row), value(1, start)].map(bits));
            }
            forget(machine);
            0.0
        });
        (rows, after)
    };
    let interpreted = run(&code);
    assert!(code.make_native(), "machine code is available where tests run");
    let native = run(&code);
    assert_eq!(interpreted, native, "interpreter and machine code: {source}");
    let mut kept = compile_batch(source, &mut scope.clone(), columns).expect("the same source");
    kept.keep_rows();
    assert_eq!(run(&kept), native, "interpreter with kept rows: {source}");
    assert!(kept.make_native(), "machine code is available where tests run");
    assert_eq!(run(&kept), native, "machine code with kept rows: {source}");
    if walked.exhausted {
        assert!(native.1.exhausted, "only the walker ran out of budget: {source}");
    } else {
        assert_eq!((walked_rows, walked), native, "walker and machine code: {source}");
    }
}

/// Returns a strategy for random programs that use every construct, nested a few levels deep.
fn programs() -> impl Strategy<Value = String> {
    let numbers = prop_oneof![
        Just("0".to_string()),
        Just("1".into()),
        Just("-1".into()),
        Just("0.00001".into()),
        Just("65536".into()),
        Just("8388607.9999".into()),
        Just("1e300".into()),
        Just("(0/0)".into()),
        Just("exp(9999)".into()),
        (-9.0..9.0_f64).prop_map(|number| format!("({number:.3})")),
        (0..40_u32).prop_map(|number| number.to_string()),
    ];
    let names = prop::sample::select(vec!["a", "b", "c", "d", "e", "reg00", "reg07"]);
    let leaf = prop_oneof![2 => names.prop_map(String::from), 1 => numbers];
    leaf.prop_recursive(6, 60, 4, |inner| {
        let unary = prop::sample::select(vec![
            "-", "+", "!", "sin", "cos", "tan", "asin", "acos", "atan", "sqr", "sqrt", "invsqrt", "exp",
            "log", "log10", "abs", "sign", "floor", "ceil", "int", "bnot", "rand", "freembuf", "megabuf",
            "gmegabuf",
        ]);
        let operator = prop::sample::select(vec![
            "+", "-", "*", "/", "%", "^", "|", "&", "~", "<<", ">>", "==", "!=", "<", ">", "<=", ">=", "&&",
            "||",
        ]);
        let binary = prop::sample::select(vec![
            "atan2", "pow", "min", "max", "sigmoid", "band", "bor", "equal", "above", "below", "exec2",
            "assign",
        ]);
        let assign = prop::sample::select(vec!["=", "+=", "-=", "*=", "/=", "%=", "^=", "|=", "&="]);
        let target = prop_oneof![
            4 => prop::sample::select(vec!["a", "b", "c", "d", "e", "reg00", "reg07"]).prop_map(String::from),
            1 => inner.clone().prop_map(|index| format!("megabuf({index})")),
            1 => inner.clone().prop_map(|index| format!("gmegabuf({index})")),
            1 => (inner.clone(), inner.clone()).prop_map(|(c, x)| format!("if({c}, a, megabuf({x}))")),
            1 => (inner.clone(), inner.clone())
                .prop_map(|(c, d)| format!("if({c}, if({d}, b, reg00), gmegabuf({d}))")),
            1 => inner.clone(),
        ];
        prop_oneof![
            2 => (unary, inner.clone()).prop_map(|(name, x)| format!("{name}({x})")),
            4 => (operator, inner.clone(), inner.clone()).prop_map(|(o, x, y)| format!("({x} {o} {y})")),
            2 => (binary, inner.clone(), inner.clone()).prop_map(|(name, x, y)| format!("{name}({x}, {y})")),
            4 => (assign, target, inner.clone()).prop_map(|(o, t, x)| format!("({t} {o} {x})")),
            2 => (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(c, x, y)| format!("if({c}, {x}, {y})")),
            3 => prop::collection::vec(inner.clone(), 2..4).prop_map(|list| format!("({})", list.join("; "))),
            1 => (0..6_u32, inner.clone()).prop_map(|(count, x)| format!("loop({count}, {x})")),
            1 => (inner.clone(), inner.clone()).prop_map(|(count, x)| format!("loop({count}, {x})")),
            1 => (inner.clone(), inner.clone()).prop_map(|(x, c)| format!("while({x}; c -= 1; {c})")),
            1 => (inner.clone(), inner.clone(), 0..70_u32)
                .prop_map(|(x, y, count)| format!("memcpy({x}, {y}, {count})")),
            1 => (inner.clone(), inner).prop_map(|(x, y)| format!("memset({x}, {y}, 3)")),
        ]
    })
}

/// Returns a configuration that uses the same cases in every run, unless the environment overrides the seed
/// or the number of cases.
fn config() -> ProptestConfig {
    let defaults = ProptestConfig::default();
    let asked_for = |name: &str| std::env::var_os(name).is_some();
    ProptestConfig {
        cases: if asked_for("PROPTEST_CASES") { defaults.cases } else { 1_500 },
        rng_seed: if asked_for("PROPTEST_RNG_SEED") { defaults.rng_seed } else { RngSeed::Fixed(SEED) },
        failure_persistence: None,
        ..defaults
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn back_ends_agree_on_random_programs(list in prop::collection::vec(programs(), 1..5)) {
        check(&list.join(";\n"));
    }

    #[test]
    fn back_ends_agree_on_random_batches(list in prop::collection::vec(programs(), 1..5)) {
        check_batch(&list.join(";\n"));
    }
}

#[test]
fn every_operator_agrees_on_edge_values() {
    const VALUES: [&str; 18] = [
        "0",
        "-0",
        "1",
        "-1",
        "0.5",
        "-0.99995",
        "2.5",
        "-2.5",
        "0.000009",
        "0.000011",
        "63",
        "64",
        "1e-301",
        "1e300",
        "9.3e18",
        "(c/0 + (0 - exp(999)) + exp(999))",
        "exp(999)",
        "-exp(999)",
    ];
    const SYMBOLS: [&str; 19] = [
        "+", "-", "*", "/", "%", "^", "|", "&", "~", "<<", ">>", "==", "!=", "<", ">", "<=", ">=", "&&", "||",
    ];
    for symbol in SYMBOLS {
        for x in VALUES {
            let lines = VALUES.map(|y| format!("a = {x}; b = {y}; n += 1; megabuf(n) = a {symbol} b"));
            check(&lines.join(";"));
            let constants = VALUES.map(|y| format!("a = {x}; n += 1; megabuf(n) = a {symbol} ({y})"));
            check(&constants.join(";"));
        }
    }
    for name in ["atan2", "min", "max", "sigmoid", "pow", "band", "bor", "equal", "above", "below"] {
        for x in VALUES {
            let lines = VALUES.map(|y| format!("a = {x}; b = {y}; n += 1; megabuf(n) = {name}(a, b)"));
            check(&lines.join(";"));
        }
    }
    for name in [
        "sin", "cos", "tan", "asin", "acos", "atan", "sqr", "sqrt", "invsqrt", "exp", "log", "log10", "abs",
        "sign", "floor", "ceil", "int", "bnot", "rand", "megabuf", "-", "!",
    ] {
        let lines = VALUES.map(|x| format!("a = {x}; n += 1; megabuf(n) = {name}(a)"));
        check(&lines.join(";"));
    }
}

#[test]
fn a_budget_must_exceed_the_cost_of_the_program() {
    // The first loop costs 1 + 1 + 9,999 * (1 + 1 + 1 + 1): the loop, its count, and for each iteration an assignment,
    // a read of `x`, a constant and an addition. In the others, one operation costs 8.
    for (source, cost) in [
        ("loop(9999, x = x + 1)", 39_998),
        ("loop(1000, x = sin(x))", 10_002),
        ("loop(1000, x ^= 2)", 9_002),
        ("loop(1000, x = atan2(x, 2))", 11_002),
    ] {
        let mut scope = Scope::new();
        let code = compile(source, &mut scope).expect("valid code");
        for (budget, exhausted) in [(cost, true), (cost + 1, false)] {
            let after = state(&scope, budget, |machine| {
                code.run(machine);
                0.0
            });
            assert_eq!(after.exhausted, exhausted, "{source} with {budget}");
        }
    }
}
