//! Compiles source text to [`Code`] and [`BatchCode`], and runs them.

use super::error::CompileError;
use super::flat::Flat;
use super::lower::{self, BatchSlots};
use super::machine::{Budget, Machine, RunOutcome, Shared};
use super::memory::Memory;
use super::native::Native;
use super::parse::Parser;
use super::random::EelRandom;
use super::scope::{Scope, Var};
use super::tree::{Node, NodeId};
use super::{interpret, lex, rows};

/// Minimum number of operations per frame for which compiling to machine code pays off.
const WORTH_COMPILING: usize = 4_000;
/// Maximum number of operations in a program that is compiled to machine code. Longer programs can take
/// seconds to compile if they have many variables; the programs of real presets have up to about 3,000.
const MAX_NATIVE: usize = 8_000;

/// A compiled program: interpreted until [`Code::make_native`] or [`BatchCode::make_native`] adds machine
/// code, which gives bit-identical results.
#[derive(Debug)]
pub struct Code {
    flat: Flat,
    /// Position of each label in `flat.each`.
    labels: Vec<u32>,
    native: Option<Native>,
}

/// Compiles `source` and adds the names it uses to `scope`.
///
/// # Errors
///
/// Returns the first syntax error, or an error if the code exceeds a limit.
pub fn compile(source: &str, scope: &mut Scope) -> Result<Code, CompileError> {
    let (nodes, root) = parse(source, scope)?;
    Ok(Code::new(lower::program(&nodes, root)))
}

pub(super) fn parse(source: &str, scope: &mut Scope) -> Result<(Vec<Node>, NodeId), CompileError> {
    let tokens = lex::lex(source)?;
    let mut parser = Parser::new(&tokens, scope);
    let root = parser.program()?;
    Ok((parser.nodes, root))
}

impl Code {
    fn new(flat: Flat) -> Self {
        Self { labels: flat.label_positions(), flat, native: None }
    }

    /// Returns the number of operations, which determines how long compiling to machine code takes.
    pub fn operations(&self) -> usize {
        self.flat.once.len() + self.flat.each.len()
    }

    /// Returns whether compiling to machine code pays off, because the program loops or executes many
    /// operations in `runs` runs per frame.
    pub fn is_worth_compiling(&self, runs: usize) -> bool {
        self.flat.has_loops() || self.flat.each.len().saturating_mul(runs) >= WORTH_COMPILING
    }

    /// Compiles the program to machine code. Returns false, and leaves the program interpreted, if the
    /// platform does not allow machine code, compilation fails, or the program is too long.
    pub fn make_native(&mut self) -> bool {
        let short = self.operations() <= MAX_NATIVE;
        self.native = short.then(|| Native::new(&self.flat)).flatten();
        self.native.is_some()
    }

    /// Runs until the program ends or the budget is exhausted.
    pub fn run(&self, machine: &mut Machine) -> RunOutcome {
        let mut value = [0.0];
        self.run_items(machine, &[], &mut value, 1);
        if machine.budget.exhausted() { RunOutcome::OutOfBudget } else { RunOutcome::Done(value[0]) }
    }

    fn run_items(&self, machine: &mut Machine, inputs: &[f64], outputs: &mut [f64], items: usize) -> usize {
        match &self.native {
            Some(native) => native.run(&self.flat, machine, inputs, outputs, items),
            None => interpret::run(&self.flat, &self.labels, machine, inputs, outputs, items),
        }
    }
}

/// Variables whose values differ between the items of a batch.
#[derive(Clone, Copy, Debug)]
pub struct Columns<'a> {
    /// Set from the input row of each item.
    pub inputs: &'a [Var],
    /// Reset for each item to their values at the start of the batch.
    pub resets: &'a [Var],
    /// Inputs or resets to copy to the output row of each item.
    pub outputs: &'a [Var],
}

/// A compiled program for many items, such as the vertices of a mesh. Variables that are not in its
/// [`Columns`] keep their values from one item to the next.
#[derive(Debug)]
pub struct BatchCode {
    code: Code,
    /// Computes the columns that [`Self::keep_rows`] appended to each input row, if any.
    rows: Option<Code>,
    outputs: Vec<Option<usize>>,
}

/// Compiles `source` for batches and adds the names it uses to `scope`.
///
/// # Errors
///
/// Returns the first syntax error, or an error if the code exceeds a limit.
pub fn compile_batch(source: &str, scope: &mut Scope, columns: Columns) -> Result<BatchCode, CompileError> {
    let (nodes, root) = parse(source, scope)?;
    let slots = |vars: &[Var]| vars.iter().map(|var| var.slot() as u32).collect::<Vec<_>>();
    let (flat, outputs) = lower::batch(
        &nodes,
        root,
        BatchSlots {
            inputs: &slots(columns.inputs),
            resets: &slots(columns.resets),
            outputs: &slots(columns.outputs),
        },
    );
    let outputs = outputs.into_iter().map(|column| column.map(|column| column as usize)).collect();
    Ok(BatchCode { code: Code::new(flat), rows: None, outputs })
}

impl BatchCode {
    /// Returns the number of operations; see [`Code::operations`].
    pub fn operations(&self) -> usize {
        self.code.operations()
    }

    /// Compiles the program to machine code; see [`Code::make_native`].
    pub fn make_native(&mut self) -> bool {
        self.code.make_native()
    }

    /// Speeds up repeated runs on the same input rows: the results of slow functions that depend only on the
    /// row become columns of [`Self::rows`]. The output is bit-identical. Call this before
    /// [`Self::make_native`].
    pub fn keep_rows(&mut self) {
        if let Some(rows) = rows::split(&mut self.code.flat) {
            self.code.labels = self.code.flat.label_positions();
            self.rows = Some(Code::new(rows));
        }
    }

    /// Returns the input rows for [`Self::run`]: those of `inputs`, extended by any columns that
    /// [`Self::keep_rows`] added.
    pub fn rows(&self, inputs: &[f64]) -> Vec<f64> {
        let Some(rows) = &self.rows else { return inputs.to_vec() };
        let (given, added) = (rows.flat.inputs as usize, rows.flat.outputs as usize);
        let items = inputs.len() / given;
        let mut computed = vec![0.0; items * added];
        let mut machine = Machine {
            vars: &mut [],
            megabuf: &mut Memory::new(),
            shared: &mut Shared::new(),
            rng: &mut EelRandom::default(),
            budget: &mut Budget::new(u64::MAX),
        };
        rows.run_items(&mut machine, inputs, &mut computed, items);
        let rows = inputs.chunks_exact(given).zip(computed.chunks_exact(added));
        rows.flat_map(|(given, added)| given.iter().chain(added)).copied().collect()
    }

    #[cfg(test)]
    pub(super) fn flat(&self) -> &Flat {
        &self.code.flat
    }

    /// Returns the output column of [`Columns::outputs`]`[output]`, or `None` if the code does not assign
    /// that variable.
    pub fn output(&self, output: usize) -> Option<usize> {
        self.outputs[output]
    }

    /// Returns the number of columns in an output row.
    pub fn output_columns(&self) -> usize {
        self.code.flat.outputs as usize
    }

    /// Runs the program on `items` items, each of which has a row in `inputs` (see [`Self::rows`]) and one in
    /// `outputs`. Returns the number of items that finished, fewer than `items` if the budget was exhausted;
    /// the output rows of the others are not set.
    ///
    /// # Panics
    ///
    /// Panics if `inputs`, `outputs` or [`Machine::vars`] is too short.
    pub fn run(&self, machine: &mut Machine, items: usize, inputs: &[f64], outputs: &mut [f64]) -> usize {
        self.code.run_items(machine, inputs, outputs, items)
    }
}
