//! Estimates the cost of a shader from its syntax tree, before it is lowered.
//!
//! Drivers inline every call, so a call costs as much as the function it calls.

use std::collections::{HashMap, HashSet};

use super::ast::{Ast, Expr, ExprId, Stmt, StmtId};
use super::limits;
use super::loops::Loops;
use super::scan::children;
use super::types::Ty;
use crate::preprocess::{Error, Name, Pos};

/// Functions that compile to many instructions.
const EXPENSIVE: [&str; 29] = [
    "sin",
    "cos",
    "tan",
    "pow",
    "exp",
    "exp2",
    "log",
    "log2",
    "log10",
    "atan",
    "atan2",
    "asin",
    "acos",
    "sinh",
    "cosh",
    "tanh",
    "sincos",
    "lit",
    "fmod",
    "determinant",
    "frexp",
    "ldexp",
    "get_fft",
    "get_fft_hz",
    "get_fft_peak",
    "get_fft_peak_hz",
    "get_wave",
    "get_wave_left",
    "get_wave_right",
];

/// Limits on the loops of a shader.
#[derive(Debug)]
pub struct LoopBounds {
    /// Maximum number of iterations per pixel, for all counted loops together.
    pub iterations: u32,
    /// The loops with a known number of iterations.
    pub known: HashSet<StmtId>,
    /// Whether loops with a known number of iterations are counted too.
    pub count_known: bool,
}

/// The estimated cost of a statement, an expression, a function or the whole shader.
#[derive(Clone, Copy, Debug, Default)]
struct Cost {
    /// Number of statements, variables, operators and calls, with every call inlined.
    operations: u64,
    lookups: u64,
    expensive: u64,
    /// Number of conditions of `if`, cases of `switch` and calls to `clip`.
    arms: u64,
    loops: u64,
    array_bytes: u64,
    /// Depth of nested calls.
    calls: usize,
    /// Depth of nested statements, expressions and calls.
    depth: usize,
    /// Depth of nested branches and loops.
    branches: usize,
    /// Work per pixel, in operations; a loop with an unknown iteration count is counted once.
    pixel_work: u64,
    pixel_lookups: u64,
    /// Total work of one iteration of each loop with an unknown iteration count, in operations.
    open_work: u64,
    open_lookups: u64,
}

impl Cost {
    /// Combines every amount with that of `other`, and keeps the greater of each depth.
    fn combine(&mut self, other: Self, with: fn(u64, u64) -> u64) {
        let amounts = [
            (&mut self.operations, other.operations),
            (&mut self.lookups, other.lookups),
            (&mut self.expensive, other.expensive),
            (&mut self.arms, other.arms),
            (&mut self.loops, other.loops),
            (&mut self.array_bytes, other.array_bytes),
            (&mut self.pixel_work, other.pixel_work),
            (&mut self.pixel_lookups, other.pixel_lookups),
            (&mut self.open_work, other.open_work),
            (&mut self.open_lookups, other.open_lookups),
        ];
        for (own, other) in amounts {
            *own = with(*own, other);
        }
        self.calls = self.calls.max(other.calls);
        self.depth = self.depth.max(other.depth);
        self.branches = self.branches.max(other.branches);
    }

    fn add(&mut self, other: Self) {
        self.combine(other, u64::saturating_add);
    }

    fn array(&mut self, bytes: u64) {
        self.array_bytes = self.array_bytes.saturating_add(bytes);
    }

    fn work(&mut self, operations: u64) {
        self.operations = self.operations.saturating_add(operations);
        self.pixel_work = self.pixel_work.saturating_add(operations);
    }
}

/// Estimates the cost of the shader and returns the limits on its loops.
///
/// # Errors
/// Returns an error if the shader exceeds a limit.
pub(super) fn check(ast: &Ast) -> Result<LoopBounds, Error> {
    let mut estimate = Estimate {
        ast,
        loops: Loops::new(ast),
        known: HashSet::new(),
        functions: HashMap::new(),
        open: Vec::new(),
        skipped: Vec::new(),
        visits: 0,
        depth: 0,
        branches: 0,
    };
    let mut cost = Cost::default();
    for global in &ast.globals {
        cost.array(array_bytes(ast, global.ty));
        if let Some(init) = global.init {
            cost.add(estimate.expr(init)?);
        }
    }
    for stmt in &ast.body {
        cost.add(estimate.stmt(*stmt)?);
    }
    for (what, amount, limit) in [
        ("texture lookups", cost.lookups, limits::LOOKUPS),
        ("calls to expensive functions", cost.expensive, limits::EXPENSIVE),
        ("branches", cost.arms, limits::ARMS),
        ("loops", cost.loops, limits::LOOPS),
        ("operations", cost.operations, limits::OPERATIONS),
        ("bytes of arrays", cost.array_bytes, u64::from(limits::ARRAY_BYTES)),
        ("levels of calls", cost.calls as u64, limits::CALL_DEPTH as u64),
        ("texture lookups per pixel", cost.pixel_lookups, limits::PIXEL_LOOKUPS),
    ] {
        if amount > limit {
            let amount = if amount == u64::MAX { "too many".to_owned() } else { amount.to_string() };
            return Error::limit(Pos::default(), format!("{amount} {what}; the limit is {limit}"));
        }
    }
    let work = |operations: u64, lookups: u64| {
        operations.saturating_add(lookups.saturating_mul(limits::LOOKUP_WORK)).max(1)
    };
    let count_known = work(cost.pixel_work, cost.pixel_lookups) > limits::PIXEL_WORK;
    let iteration = if count_known {
        work(cost.operations.saturating_add(expensive_work(cost.expensive)), cost.lookups)
    } else {
        work(cost.open_work, cost.open_lookups)
    };
    let [least, most] = limits::ITERATIONS;
    let least = (limits::LOOP_WORK / iteration).clamp(1, least);
    let iterations = (limits::PIXEL_WORK / iteration).clamp(least, most);
    Ok(LoopBounds { iterations: iterations as u32, known: estimate.known, count_known })
}

struct Estimate<'a> {
    ast: &'a Ast,
    loops: Loops<'a>,
    /// The loops with a known number of iterations found so far.
    known: HashSet<StmtId>,
    /// Cost of each function estimated so far, by index.
    functions: HashMap<usize, Cost>,
    /// Indices of the functions whose cost is being computed, to detect recursion.
    open: Vec<usize>,
    /// Indices of the functions omitted from the current estimate because their cost is still being computed.
    skipped: Vec<usize>,
    /// Number of function estimates so far.
    visits: u32,
    /// Number of nesting levels around the code being estimated.
    depth: usize,
    /// Number of branches and loops around the code being estimated.
    branches: usize,
}

impl Estimate<'_> {
    /// Returns an error if `levels` more nesting levels would exceed the limit.
    fn check_depth(&self, levels: usize, pos: Pos) -> Result<(), Error> {
        if self.depth + levels > limits::DEPTH {
            let message = format!("statements, expressions and calls nested deeper than {}", limits::DEPTH);
            return Error::limit(pos, message);
        }
        Ok(())
    }

    /// Returns an error if `levels` more levels of branches and loops would exceed the limit.
    fn check_branches(&self, levels: usize, pos: Pos) -> Result<(), Error> {
        if self.branches + levels > limits::BRANCH_DEPTH {
            let message = format!("branches and loops nested deeper than {}", limits::BRANCH_DEPTH);
            return Error::limit(pos, message);
        }
        Ok(())
    }

    fn function(&mut self, index: usize, pos: Pos) -> Result<Cost, Error> {
        if let Some(known) = self.functions.get(&index) {
            self.check_depth(known.depth, pos)?;
            self.check_branches(known.branches, pos)?;
            return Ok(*known);
        }
        let ast = self.ast;
        let function = &ast.functions[index];
        if self.open.contains(&index) {
            return Error::semantic(pos, format!("function `{}` calls itself", function.name));
        }
        if self.open.len() >= limits::CALL_DEPTH {
            return Error::limit(pos, format!("function calls nested deeper than {}", limits::CALL_DEPTH));
        }
        self.visits += 1;
        if self.visits > limits::ESTIMATES {
            return Error::limit(pos, "too many overloads that may call each other");
        }
        self.open.push(index);
        let outer = std::mem::take(&mut self.skipped);
        let mut cost = Cost::default();
        cost.work(function.parameters.len() as u64 / limits::OPERANDS);
        for parameter in &function.parameters {
            cost.array(array_bytes(ast, parameter.ty));
            // Any call may need the default.
            if let Some(default) = parameter.default {
                cost.add(self.expr(default)?);
            }
        }
        for stmt in &function.body {
            cost.add(self.stmt(*stmt)?);
        }
        self.open.pop();
        cost.calls += 1;
        self.skipped.retain(|skipped| *skipped != index);
        if self.skipped.is_empty() {
            self.functions.insert(index, cost);
        }
        self.skipped.extend(outer);
        Ok(cost)
    }

    /// Returns the maximum cost of the functions that a call may refer to; the argument types determine which one it
    /// calls.
    fn call(&mut self, name: &Name, arguments: usize, pos: Pos) -> Result<Cost, Error> {
        let candidates = self.ast.candidates(name, arguments);
        if candidates.is_empty() {
            return Ok(intrinsic(name));
        }
        // An overload may call another one. Recursion that depends on the types is found during lowering.
        let recursive = candidates.iter().all(|index| self.open.contains(index));
        let mut cost = Cost::default();
        for index in candidates {
            if !recursive && self.open.contains(&index) {
                self.skipped.push(index);
            } else {
                cost.combine(self.function(index, pos)?, u64::max);
            }
        }
        Ok(cost)
    }

    fn expr(&mut self, id: ExprId) -> Result<Cost, Error> {
        let ast = self.ast;
        let mut cost = Cost::default();
        let (mut open, mut operands) = (vec![(id, 1)], Vec::new());
        while let Some((id, level)) = open.pop() {
            self.check_depth(level, ast.pos(id))?;
            cost.depth = cost.depth.max(level);
            let expr = ast.expr(id);
            children(expr, &mut operands);
            cost.work(operands.len() as u64 / limits::OPERANDS);
            for (position, operand) in operands.drain(..).enumerate() {
                // A chain of binary operators is lowered without recursion.
                let same_level = position == 0 && matches!(expr, Expr::Binary(..));
                open.push((operand, level + usize::from(!same_level)));
            }
            match expr {
                Expr::Int(..) | Expr::Float(_) | Expr::Bool(_) | Expr::Name(_) => {}
                Expr::Call(name, arguments) => {
                    cost.work(1);
                    self.depth += level;
                    let called = self.call(name, arguments.len(), ast.pos(id))?;
                    self.depth -= level;
                    cost.add(Cost { depth: called.depth + level, ..called });
                }
                _ => cost.work(1),
            }
        }
        Ok(cost)
    }

    fn stmt(&mut self, id: StmtId) -> Result<Cost, Error> {
        let (stmt, pos) = &self.ast.stmts[id as usize];
        let (levels, branches) = match stmt {
            // Each `else if` is nested in the previous `else`, unless the chain is long.
            Stmt::If(arms, _) if arms.len() > limits::NESTED_ARMS => (2, 2),
            Stmt::If(arms, _) => (arms.len(), arms.len()),
            Stmt::For { .. } | Stmt::While(..) | Stmt::DoWhile(..) | Stmt::Switch(..) => (1, 1),
            _ => (1, 0),
        };
        self.check_depth(levels, *pos)?;
        self.check_branches(branches, *pos)?;
        self.depth += levels;
        self.branches += branches;
        let mut cost = self.any_stmt(id)?;
        self.depth -= levels;
        self.branches -= branches;
        cost.depth += levels;
        cost.branches += branches;
        Ok(cost)
    }

    fn any_stmt(&mut self, id: StmtId) -> Result<Cost, Error> {
        let ast = self.ast;
        let mut cost = Cost::default();
        cost.work(1);
        match ast.stmt(id) {
            Stmt::Expr(expr) => cost.add(self.expr(*expr)?),
            Stmt::Declare(variables) => {
                cost.work(variables.len().saturating_sub(1) as u64);
                for variable in variables {
                    cost.array(array_bytes(ast, variable.ty));
                    if let Some(init) = variable.init {
                        cost.add(self.expr(init)?);
                    }
                }
            }
            Stmt::Block(inner) => {
                for stmt in inner {
                    cost.add(self.stmt(*stmt)?);
                }
            }
            Stmt::If(arms, otherwise) => {
                cost.arms = cost.arms.saturating_add(arms.len() as u64);
                for (condition, body) in arms {
                    cost.add(self.expr(*condition)?);
                    cost.add(self.stmt(*body)?);
                }
                if let Some(otherwise) = otherwise {
                    cost.add(self.stmt(*otherwise)?);
                }
            }
            Stmt::For { init, condition, step, body } => {
                if let Some(init) = init {
                    cost.add(self.stmt(*init)?);
                }
                let mut iteration = self.stmt(*body)?;
                for expr in condition.iter().chain(step) {
                    iteration.add(self.expr(*expr)?);
                }
                let iterations = self.loops.iterations(id);
                if iterations.is_some() {
                    self.known.insert(id);
                }
                cost.add(loop_cost(iteration, iterations));
            }
            Stmt::While(condition, body) | Stmt::DoWhile(body, condition) => {
                let mut iteration = self.stmt(*body)?;
                iteration.add(self.expr(*condition)?);
                cost.add(loop_cost(iteration, None));
            }
            Stmt::Switch(selector, cases) => {
                cost.add(self.expr(*selector)?);
                for (values, body) in cases {
                    cost.arms = cost.arms.saturating_add(values.len() as u64);
                    cost.work(values.len() as u64);
                    for value in values.iter().flatten() {
                        cost.add(self.expr(*value)?);
                    }
                    for stmt in body {
                        cost.add(self.stmt(*stmt)?);
                    }
                }
            }
            Stmt::Return(Some(value)) => cost.add(self.expr(*value)?),
            Stmt::Return(None) | Stmt::Break | Stmt::Continue | Stmt::Discard | Stmt::Empty => {}
        }
        Ok(cost)
    }
}

/// Returns the size of an array or struct in bytes, and 0 for other types.
fn array_bytes(ast: &Ast, ty: Ty) -> u64 {
    if matches!(ty, Ty::Array(_) | Ty::Struct(_)) { ast.extent(ty).bytes } else { 0 }
}

/// Returns the cost of a call to an intrinsic, apart from the call itself.
fn intrinsic(name: &str) -> Cost {
    let lookups = u64::from(name.starts_with("tex") || name.starts_with("Get"));
    let expensive = u64::from(EXPENSIVE.contains(&name));
    let pixel_work = expensive_work(expensive);
    let arms = u64::from(name == "clip");
    Cost { lookups, pixel_lookups: lookups, expensive, pixel_work, arms, ..Cost::default() }
}

/// Returns the work of `calls` calls to expensive functions, in operations, apart from the calls themselves.
fn expensive_work(calls: u64) -> u64 {
    calls.saturating_mul(limits::EXPENSIVE_WORK)
}

/// Returns the cost of a loop from that of one iteration; `iterations` is `None` if the count is unknown.
fn loop_cost(iteration: Cost, iterations: Option<u64>) -> Cost {
    let mut cost = iteration;
    cost.loops = cost.loops.saturating_add(1);
    match iterations {
        Some(iterations) => {
            for amount in
                [&mut cost.pixel_work, &mut cost.pixel_lookups, &mut cost.open_work, &mut cost.open_lookups]
            {
                *amount = amount.saturating_mul(iterations);
            }
        }
        None => {
            cost.open_work = cost.open_work.saturating_add(iteration.pixel_work);
            cost.open_lookups = cost.open_lookups.saturating_add(iteration.pixel_lookups);
        }
    }
    cost
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hlsl::parser;
    use crate::preprocess::tokens;

    /// Returns the limits on the loops of a shader with this body.
    fn bounds(body: &str) -> LoopBounds {
        let tokens = tokens(&format!("shader_body {{ {body} }}")).expect("tokens");
        check(&parser::parse(&tokens).expect("a tree")).expect("within the limits")
    }

    #[test]
    fn a_loop_that_may_never_end_stays_within_the_lookup_limit() {
        for lookups in [100, limits::LOOKUPS] {
            let text = "ret += tex2D(sampler_main, uv).xyz;".repeat(lookups as usize);
            for repeated in
                [format!("while (q1 > -1) {{ {text} }}"), format!("do {{ {text} }} while (q1 > -1);")]
            {
                let iterations = u64::from(bounds(&repeated).iterations);
                assert!(iterations >= 1 && iterations * lookups <= limits::PIXEL_LOOKUPS, "{iterations}");
            }
        }
        let usual = "ret += tex2D(sampler_main, ret.xy).xyz;".repeat(50);
        let [least, _] = limits::ITERATIONS;
        assert_eq!(u64::from(bounds(&format!("while (q1 > -1) {{ {usual} }}")).iterations), least);
    }

    #[test]
    fn expensive_functions_weigh_more_than_operators() {
        let iterations = |value: &str| bounds(&format!("while (q1 > -1) {{ ret = {value}; }}")).iterations;
        let [cheap, expensive] = [iterations("abs(ret)"), iterations("sin(ret)")];
        assert!(expensive * 2 < cheap, "{cheap} and {expensive}");
        let counted =
            |value: &str| bounds(&format!("for (int i = 0; i < 900; i++) ret = {value};")).count_known;
        let [cheap, expensive] = ["abs(abs(abs(ret)))", "sin(sin(sin(ret)))"].map(counted);
        assert!(!cheap && expensive);
    }
}
