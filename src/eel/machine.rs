//! The state that programs run on: variables, memory, random numbers and the budget.

use super::functions::Move;
use super::memory::{Memory, MemoryQuota};
use super::random::EelRandom;
use super::tree::Space;

/// Maximum number of values that one `memcpy` or `memset` writes.
const MAX_MOVED: f64 = 65_536.0;
/// Instructions charged for allocating or freeing a block of memory.
const BLOCK_COST: u64 = 8_192;

/// State shared by all programs of a preset: `reg00` to `reg99`, `gmegabuf` and the memory quota.
#[derive(Clone, Debug)]
pub struct Shared {
    /// Registers `reg00` to `reg99`.
    pub regs: [f64; 100],
    /// The memory `gmegabuf`.
    pub gmegabuf: Memory,
    /// Memory the preset may still allocate.
    pub quota: MemoryQuota,
    /// Scratch buffer for `memcpy`.
    copied: Vec<f64>,
    /// Scratch buffer of the interpreter.
    pub(super) scratch: Vec<f64>,
}

impl Default for Shared {
    fn default() -> Self {
        Self::new()
    }
}

impl Shared {
    /// Creates state with all registers and memories set to 0.
    pub fn new() -> Self {
        Self {
            regs: [0.0; 100],
            gmegabuf: Memory::new(),
            quota: MemoryQuota::default(),
            copied: Vec::new(),
            scratch: Vec::new(),
        }
    }

    /// Creates the same state as [`Self::new`], with a quota of `blocks` memory blocks of 512 KiB each.
    pub fn with_blocks(blocks: u32) -> Self {
        Self { quota: MemoryQuota::of_blocks(blocks), ..Self::new() }
    }
}

/// The instructions that remain. A program can overspend by one straight-line section; it stops at the next
/// loop iteration, item or run.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    pub(super) remaining: i64,
}

impl Budget {
    /// Creates a budget of `instructions`.
    pub fn new(instructions: u64) -> Self {
        Self { remaining: i64::try_from(instructions).unwrap_or(i64::MAX) }
    }

    /// Returns true if no instructions remain.
    pub fn exhausted(&self) -> bool {
        self.remaining <= 0
    }

    /// Spends `instructions`; returns false once the budget is exhausted.
    pub(super) fn spend(&mut self, instructions: u64) -> bool {
        self.remaining = self.remaining.saturating_sub(instructions as i64);
        self.remaining > 0
    }
}

/// Result of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RunOutcome {
    /// Finished, with the value of the last statement.
    Done(f64),
    /// Stopped because the budget was exhausted; earlier assignments remain in effect.
    OutOfBudget,
}

/// State that code operates on.
pub struct Machine<'a> {
    /// Variables of the namespace by slot; at least [`super::Scope::len`] of them.
    pub vars: &'a mut [f64],
    /// The memory `megabuf` of the namespace.
    pub megabuf: &'a mut Memory,
    /// State shared by the namespaces of the preset.
    pub shared: &'a mut Shared,
    /// Random stream that `rand` draws from.
    pub rng: &'a mut EelRandom,
    /// The instructions that remain.
    pub budget: &'a mut Budget,
}

impl Machine<'_> {
    pub(super) fn load(&self, space: Space, index: f64) -> f64 {
        match space {
            Space::Local => self.megabuf.read(index),
            Space::Global => self.shared.gmegabuf.read(index),
        }
    }

    pub(super) fn store(&mut self, space: Space, index: f64, value: f64) {
        let Shared { gmegabuf, quota, .. } = &mut *self.shared;
        let memory = match space {
            Space::Local => &mut *self.megabuf,
            Space::Global => gmegabuf,
        };
        if memory.write(index, value, quota) {
            self.budget.spend(BLOCK_COST);
        }
    }

    /// Runs `freembuf(index)` and returns `index`.
    pub(super) fn free(&mut self, index: f64) -> f64 {
        let freed = self.megabuf.free_from(index, &mut self.shared.quota);
        self.budget.spend(u64::from(freed) * BLOCK_COST);
        index
    }

    /// Runs `memcpy(to, from, count)` or `memset(to, value, count)`, whose value is passed as `from`. Returns
    /// `to`, or 0 if the budget ran out.
    pub(super) fn move_memory(&mut self, function: Move, to: f64, from: f64, count: f64) -> f64 {
        let count = count.max(0.0).min(MAX_MOVED) as u32;
        if !self.budget.spend(u64::from(count)) {
            return 0.0;
        }
        match function {
            Move::Copy => {
                let mut copied = std::mem::take(&mut self.shared.copied);
                copied.clear();
                copied.extend((0..count).map(|i| self.megabuf.read(from + f64::from(i))));
                for (i, &value) in copied.iter().enumerate() {
                    self.store(Space::Local, to + i as f64, value);
                }
                self.shared.copied = copied;
            }
            Move::Set => {
                for i in 0..count {
                    self.store(Space::Local, to + f64::from(i), from);
                }
            }
        }
        to
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Scope, compile};
    use super::*;

    fn run_with(source: &str, budget: u64) -> (RunOutcome, f64) {
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
    fn operator_precedence() {
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
    fn undefined_results_are_zero() {
        check("x = 1 / 0", 0.0);
        check("x = 5 % 0", 0.0);
        check("x = pow(0, -1)", 0.0);
        check("x = log(0) + log(-1) + log10(0) + asin(2) + acos(-2)", 0.0);
    }

    #[test]
    fn repeated_allocation_exhausts_the_budget() {
        let (outcome, iterations) = run_with("loop(100000, megabuf(0) = 1; freembuf(0); x += 1)", 10_000_000);
        assert_eq!(outcome, RunOutcome::OutOfBudget);
        assert!(iterations < 1_000.0, "{iterations} iterations");
    }

    #[test]
    fn all_memory_of_a_preset_shares_one_limit() {
        let (_, x) = run_with(
            "n = 0; loop(128, megabuf(n * 65536) = 1; gmegabuf(n * 65536) = 1; n += 1); \
             freembuf(0); megabuf(9) = 5; n = 0; loop(128, x += gmegabuf(n * 65536); n += 1); x += megabuf(9)",
            10_000_000,
        );
        assert_eq!(x, 133.0);
    }

    #[test]
    fn only_the_taken_branch_is_evaluated() {
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
    fn an_endless_loop_stops_at_the_budget() {
        let (outcome, _) = run_with("while(1)", 10_000);
        assert_eq!(outcome, RunOutcome::OutOfBudget);
    }

    #[test]
    fn deep_nesting_is_an_error() {
        let deep = format!("x = {}1{}", "(".repeat(100_000), ")".repeat(100_000));
        assert!(compile(&deep, &mut Scope::new()).is_err());
        let long = format!("x = 1{}", "+x".repeat(100_000));
        assert!(compile(&long, &mut Scope::new()).is_err());
        let minus = format!("x = {}1", "-".repeat(100_000));
        assert!(compile(&minus, &mut Scope::new()).is_err());
    }
}
