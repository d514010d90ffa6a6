//! Walks compiled code on the variables of one namespace.

use super::compile::Code;
use super::functions::{self, Function};
use super::memory::{Memory, MemoryQuota};
use super::random::EelRandom;
use super::tree::{Node, NodeId};

/// Most rounds of one `loop` or `while`, as in ns-eel2.
const MAX_ROUNDS: u32 = 1_048_576;
/// Most numbers one `memcpy` or `memset` moves.
const MAX_MOVED: f64 = 65_536.0;
/// Instructions a block of memory costs that is given or taken back.
const BLOCK_COST: u64 = 8_192;

/// What all programs of one preset share: `reg00..reg99`, `gmegabuf`, and how much memory they have together.
#[derive(Clone, Debug)]
pub struct Shared {
    /// `reg00` to `reg99`.
    pub regs: [f64; 100],
    /// `gmegabuf`.
    pub gmegabuf: Memory,
    /// What all memories of the preset may still grow by.
    pub room: MemoryQuota,
    /// What a `memcpy` has read and not yet written.
    copied: Vec<f64>,
}

impl Default for Shared {
    fn default() -> Self {
        Self::new()
    }
}

impl Shared {
    /// All zero.
    pub fn new() -> Self {
        Self { regs: [0.0; 100], gmegabuf: Memory::new(), room: MemoryQuota::default(), copied: Vec::new() }
    }
}

/// How many more instructions may run.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    left: u64,
}

impl Budget {
    /// A budget of `instructions`.
    pub fn new(instructions: u64) -> Self {
        Self { left: instructions }
    }

    /// True when nothing is left.
    pub fn exhausted(&self) -> bool {
        self.left == 0
    }

    fn spend(&mut self, instructions: u64) -> bool {
        self.left = self.left.saturating_sub(instructions);
        self.left > 0
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outcome {
    /// To its end, with the value of the last statement.
    Done(f64),
    /// Cut short; variables stand as they were left.
    OutOfBudget,
}

/// Everything code works on.
pub struct Machine<'a> {
    /// Variables of the namespace, at least as many as its scope has names.
    pub vars: &'a mut [f64],
    /// The namespace's own memory.
    pub megabuf: &'a mut Memory,
    /// What it shares with the preset's other namespaces.
    pub shared: &'a mut Shared,
    /// The stream of `rand`.
    pub rng: &'a mut EelRandom,
    /// What may still be spent.
    pub budget: &'a mut Budget,
}

impl Code {
    /// Runs to the end or until the budget is spent.
    pub fn run(&self, machine: &mut Machine) -> Outcome {
        let value = machine.eval(&self.nodes, self.root);
        if machine.budget.exhausted() { Outcome::OutOfBudget } else { Outcome::Done(value) }
    }
}

impl Machine<'_> {
    fn eval(&mut self, nodes: &[Node], id: NodeId) -> f64 {
        // Once the budget is spent everything is 0 and nothing is written, so the walk ends quickly.
        if !self.budget.spend(1) {
            return 0.0;
        }
        match nodes[id as usize] {
            Node::Number(value) => value,
            Node::Variable(slot) => self.vars[slot as usize],
            Node::Register(number) => self.shared.regs[usize::from(number)],
            Node::Mega(index) => {
                let index = self.eval(nodes, index);
                self.megabuf.read(index)
            }
            Node::GlobalMega(index) => {
                let index = self.eval(nodes, index);
                self.shared.gmegabuf.read(index)
            }
            Node::Assign(place, value) => {
                let place = self.place(nodes, place);
                let value = self.eval(nodes, value);
                self.store(place, value);
                value
            }
            Node::Update(operator, place, value) => {
                let place = self.place(nodes, place);
                let value = self.eval(nodes, value);
                let value = operator.apply(self.load(place), value);
                self.store(place, value);
                value
            }
            Node::Binary(operator, a, b) => {
                let a = self.eval(nodes, a);
                let b = self.eval(nodes, b);
                operator.apply(a, b)
            }
            Node::Negate(a) => -self.eval(nodes, a),
            Node::Not(a) => f64::from(u8::from(!functions::truth(self.eval(nodes, a)))),
            Node::And(a, b) => {
                let both = functions::truth(self.eval(nodes, a)) && functions::truth(self.eval(nodes, b));
                f64::from(u8::from(both))
            }
            Node::Or(a, b) => {
                let either = functions::truth(self.eval(nodes, a)) || functions::truth(self.eval(nodes, b));
                f64::from(u8::from(either))
            }
            Node::If(condition, yes, no) => {
                let branch = if functions::truth(self.eval(nodes, condition)) { yes } else { no };
                self.eval(nodes, branch)
            }
            Node::Sequence(ref list) => {
                let mut value = 0.0;
                for &step in list {
                    value = self.eval(nodes, step);
                }
                value
            }
            Node::Loop(count, body) => {
                let rounds = (self.eval(nodes, count) as i64).clamp(0, i64::from(MAX_ROUNDS));
                for _ in 0..rounds {
                    self.eval(nodes, body);
                    if self.budget.exhausted() {
                        break;
                    }
                }
                0.0
            }
            Node::While(body) => {
                for _ in 0..MAX_ROUNDS {
                    if !functions::truth(self.eval(nodes, body)) || self.budget.exhausted() {
                        break;
                    }
                }
                0.0
            }
            Node::Call1(function, x) => {
                let x = self.eval(nodes, x);
                self.call_one(function, x)
            }
            Node::Call2(function, x, y) => {
                let x = self.eval(nodes, x);
                let y = self.eval(nodes, y);
                function.of_two(x, y)
            }
            Node::Call3(function, x, y, z) => {
                let x = self.eval(nodes, x);
                let y = self.eval(nodes, y);
                let z = self.eval(nodes, z);
                self.move_memory(function, x, y, z)
            }
        }
    }

    fn call_one(&mut self, function: Function, x: f64) -> f64 {
        match function {
            Function::Random => self.rng.unit() * x.floor().max(1.0),
            Function::FreeMemory => {
                let freed = self.megabuf.free_from(x, &mut self.shared.room);
                self.budget.spend(u64::from(freed) * BLOCK_COST);
                x
            }
            _ => function.of_one(x),
        }
    }

    fn move_memory(&mut self, function: Function, to: f64, from: f64, count: f64) -> f64 {
        let count = count.max(0.0).min(MAX_MOVED) as u32;
        if !self.budget.spend(u64::from(count)) {
            return 0.0;
        }
        match function {
            Function::MemoryCopy => {
                let mut copied = std::mem::take(&mut self.shared.copied);
                copied.clear();
                copied.extend((0..count).map(|i| self.megabuf.read(from + f64::from(i))));
                for (i, &value) in copied.iter().enumerate() {
                    self.store(Place::Mega(to + i as f64), value);
                }
                self.shared.copied = copied;
            }
            Function::MemorySet => {
                for i in 0..count {
                    self.store(Place::Mega(to + f64::from(i)), from);
                }
            }
            _ => {}
        }
        to
    }

    /// Where an assignment writes; an `if` chooses between places.
    fn place(&mut self, nodes: &[Node], id: NodeId) -> Place {
        match nodes[id as usize] {
            Node::Variable(slot) => Place::Variable(slot),
            Node::Register(number) => Place::Register(number),
            Node::Mega(index) => Place::Mega(self.eval(nodes, index)),
            Node::GlobalMega(index) => Place::GlobalMega(self.eval(nodes, index)),
            Node::If(condition, yes, no) => {
                let branch = if functions::truth(self.eval(nodes, condition)) { yes } else { no };
                self.place(nodes, branch)
            }
            _ => {
                let value = self.eval(nodes, id);
                Place::Nowhere(value)
            }
        }
    }

    fn load(&self, place: Place) -> f64 {
        match place {
            Place::Variable(slot) => self.vars[slot as usize],
            Place::Register(number) => self.shared.regs[usize::from(number)],
            Place::Mega(index) => self.megabuf.read(index),
            Place::GlobalMega(index) => self.shared.gmegabuf.read(index),
            Place::Nowhere(value) => value,
        }
    }

    fn store(&mut self, place: Place, value: f64) {
        if self.budget.exhausted() {
            return;
        }
        let Shared { regs, gmegabuf, room, .. } = &mut *self.shared;
        let grown = match place {
            Place::Variable(slot) => {
                self.vars[slot as usize] = value;
                false
            }
            Place::Register(number) => {
                regs[usize::from(number)] = value;
                false
            }
            Place::Mega(index) => self.megabuf.write(index, value, room),
            Place::GlobalMega(index) => gmegabuf.write(index, value, room),
            Place::Nowhere(_) => false,
        };
        if grown {
            self.budget.spend(BLOCK_COST);
        }
    }
}

/// Where a value is read from and written to.
#[derive(Clone, Copy)]
enum Place {
    Variable(u32),
    Register(u8),
    Mega(f64),
    GlobalMega(f64),
    /// Not a place; writing is lost, as in ns-eel2.
    Nowhere(f64),
}

#[cfg(test)]
mod tests {
    use super::super::{Scope, compile};
    use super::*;

    fn run_with(source: &str, budget: u64) -> (Outcome, f64) {
        let mut scope = Scope::new();
        let x = scope.var("x");
        let code = compile(source, &mut scope).unwrap_or_else(|e| panic!("{source}: {e}"));
        let mut vars = vec![0.0; scope.len()];
        let outcome = code.run(&mut Machine {
            vars: &mut vars,
            megabuf: &mut Memory::new(),
            shared: &mut Shared::new(),
            rng: &mut EelRandom::default(),
            budget: &mut Budget::new(budget),
        });
        (outcome, vars[x.slot()])
    }

    #[track_caller]
    fn check(source: &str, expected: f64) {
        let (outcome, x) = run_with(source, 10_000_000);
        assert!((x - expected).abs() < 1e-9, "{source}: x is {x}, expected {expected} ({outcome:?})");
    }

    #[test]
    fn operators_bind_as_presets_expect() {
        check("x = 1 + 2 * 3", 7.0);
        check("x = 2 ^ 3 * 2", 16.0);
        check("x = 7 % 4 + 1", 4.0);
        check("x = 1 < 2 && 3 > 2", 1.0);
        check("x = 5 & 3 | 8", 9.0);
        check("x = 2 * 7 % 4", 6.0);
        check("x = 10 / 7 % 4", 10.0 / 3.0);
        check("x = 7 & 3 == 3", 1.0);
        check("X = !0 + !1", 1.0);
        check("x = -2 * -3", 6.0);
        check("x = 1 ? 2 : 3", 2.0);
        check("x = 3; x += 2; x *= 4; x ^= 2", 400.0);
    }

    #[test]
    fn impossible_sums_give_zero() {
        check("x = 1 / 0", 0.0);
        check("x = 5 % 0", 0.0);
        check("x = pow(0, -1)", 0.0);
        check("x = log(0) + log(-1) + log10(0) + asin(2) + acos(-2)", 0.0);
    }

    #[test]
    fn memory_given_and_taken_back_without_end_costs_the_budget() {
        let (outcome, rounds) = run_with("loop(100000, megabuf(0) = 1; freembuf(0); x += 1)", 10_000_000);
        assert_eq!(outcome, Outcome::OutOfBudget);
        assert!(rounds < 1_000.0, "{rounds} rounds");
    }

    #[test]
    fn all_memories_together_have_one_limit() {
        let (_, x) = run_with(
            "n = 0; loop(128, megabuf(n * 65536) = 1; gmegabuf(n * 65536) = 1; n += 1); \
             freembuf(0); megabuf(9) = 5; n = 0; loop(128, x += gmegabuf(n * 65536); n += 1); x += megabuf(9)",
            10_000_000,
        );
        assert_eq!(x, 133.0);
    }

    #[test]
    fn only_the_branch_that_is_taken_runs() {
        check("if(1, x = 1, x = 2)", 1.0);
        check("0 && (x = 5)", 0.0);
        check("1 || (x = 5)", 0.0);
        check("if(0, x, x) = 3", 3.0);
    }

    #[test]
    fn memory_registers_and_loops_work() {
        check("megabuf(3) = 7; x = megabuf(3) + 3[0]", 14.0);
        check("gmegabuf(9) = 2; reg07 = 5; x = gmegabuf(9) * reg07", 10.0);
        check("loop(10, x += 1)", 10.0);
        check("i = 5; while(x += 1; i -= 1; i)", 5.0);
        check("x = exec2(a = 2, a + 1)", 3.0);
    }

    #[test]
    fn an_endless_loop_ends_with_the_budget() {
        let (outcome, _) = run_with("while(1)", 10_000);
        assert_eq!(outcome, Outcome::OutOfBudget);
    }

    #[test]
    fn nesting_is_bounded() {
        let deep = format!("x = {}1{}", "(".repeat(100_000), ")".repeat(100_000));
        assert!(compile(&deep, &mut Scope::new()).is_err());
        let long = format!("x = 1{}", "+x".repeat(100_000));
        assert!(compile(&long, &mut Scope::new()).is_err());
        let minus = format!("x = {}1", "-".repeat(100_000));
        assert!(compile(&minus, &mut Scope::new()).is_err());
    }
}
