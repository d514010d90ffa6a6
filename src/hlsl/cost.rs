//! Estimates the cost of a shader from its syntax tree, before it is lowered.
//!
//! Drivers inline every call, so a call costs as much as the function it calls.

use std::collections::HashMap;

use super::ast::{Ast, Expr, ExprId, Operator, Stmt, StmtId};
use super::error::{Error, Pos};
use super::limits;
use super::scan::{Changes, children};
use super::token::Name;
use super::types::{Shape, Ty};

/// Functions that compile to many instructions.
const EXPENSIVE: [&str; 20] = [
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
];

/// Limits on the loops of a shader.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LoopBounds {
    /// Maximum number of iterations per pixel, for all counted loops together.
    pub iterations: u32,
    /// Whether loops with a known number of iterations are counted too.
    pub count_known: bool,
}

/// The estimated cost of a statement, an expression, a function or the whole shader.
#[derive(Clone, Copy, Debug, Default)]
struct Cost {
    /// Number of statements and operators, with every call inlined.
    operations: u64,
    lookups: u64,
    expensive: u64,
    loops: u64,
    array_bytes: u64,
    /// Depth of nested calls.
    depth: usize,
    /// Work per pixel, in operations; a loop with an unknown iteration count is counted once.
    pixel_work: u64,
    pixel_lookups: u64,
    /// Total work of one iteration of each loop with an unknown iteration count, in operations.
    open_work: u64,
    open_lookups: u64,
}

impl Cost {
    fn add(&mut self, other: Self) {
        let sums = [
            (&mut self.operations, other.operations),
            (&mut self.lookups, other.lookups),
            (&mut self.expensive, other.expensive),
            (&mut self.loops, other.loops),
            (&mut self.array_bytes, other.array_bytes),
            (&mut self.pixel_work, other.pixel_work),
            (&mut self.pixel_lookups, other.pixel_lookups),
            (&mut self.open_work, other.open_work),
            (&mut self.open_lookups, other.open_lookups),
        ];
        for (own, other) in sums {
            *own = own.saturating_add(other);
        }
        self.depth = self.depth.max(other.depth);
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
    let mut estimate = Estimate { ast, functions: HashMap::new(), open: Vec::new() };
    let mut cost = Cost::default();
    for global in &ast.globals {
        cost.array_bytes = cost.array_bytes.saturating_add(size(ast, global.ty));
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
        ("loops", cost.loops, limits::LOOPS),
        ("operations", cost.operations, limits::OPERATIONS),
        ("bytes of arrays", cost.array_bytes, u64::from(limits::ARRAY_BYTES)),
        ("levels of calls", cost.depth as u64, limits::CALL_DEPTH as u64),
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
        work(cost.operations, cost.lookups)
    } else {
        work(cost.open_work, cost.open_lookups)
    };
    let [least, most] = limits::ITERATIONS;
    let iterations = (limits::PIXEL_WORK / iteration).clamp(least, most);
    Ok(LoopBounds { iterations: iterations as u32, count_known })
}

/// Returns the size of a value, in bytes.
fn size(ast: &Ast, ty: Ty) -> u64 {
    match ty {
        Ty::Number(_, Shape::Matrix(rows, _)) => u64::from(rows) * 16,
        Ty::Number(_, shape) => u64::from(shape.count()) * 4,
        Ty::Array(array) => {
            let array = ast.arrays[array as usize];
            u64::from(array.length).saturating_mul(size(ast, array.element))
        }
        Ty::Struct(index) => {
            let fields = &ast.structs[index as usize].fields;
            fields.iter().fold(0, |sum: u64, (_, ty)| sum.saturating_add(size(ast, *ty)))
        }
        Ty::Void | Ty::Sampler => 0,
    }
}

struct Estimate<'a> {
    ast: &'a Ast,
    /// Cost of each function: that of the overload with the most operations.
    functions: HashMap<Name, Cost>,
    /// Functions whose cost is being computed, to detect recursion.
    open: Vec<Name>,
}

impl Estimate<'_> {
    fn function(&mut self, name: &Name, pos: Pos) -> Result<Option<Cost>, Error> {
        if let Some(known) = self.functions.get(name) {
            return Ok(Some(*known));
        }
        let ast = self.ast;
        let mut found = ast.functions.iter().filter(|function| function.name == *name).peekable();
        if found.peek().is_none() {
            return Ok(None);
        }
        if self.open.contains(name) {
            return Error::semantic(pos, format!("function `{name}` calls itself"));
        }
        if self.open.len() > limits::CALL_DEPTH {
            return Error::limit(pos, format!("function calls nested deeper than {}", limits::CALL_DEPTH));
        }
        self.open.push(name.clone());
        let mut most = Cost::default();
        for function in found {
            let mut cost = Cost::default();
            for parameter in &function.parameters {
                cost.array_bytes += size(ast, parameter.ty);
            }
            for stmt in &function.body {
                cost.add(self.stmt(*stmt)?);
            }
            if cost.operations >= most.operations {
                most = cost;
            }
        }
        self.open.pop();
        most.depth += 1;
        self.functions.insert(name.clone(), most);
        Ok(Some(most))
    }

    fn expr(&mut self, id: ExprId) -> Result<Cost, Error> {
        let mut cost = Cost::default();
        let mut open = vec![id];
        while let Some(id) = open.pop() {
            let ast = self.ast;
            let expr = ast.expr(id);
            children(expr, &mut open);
            let Expr::Call(name, _) = expr else {
                cost.work(u64::from(!matches!(
                    expr,
                    Expr::Int(..) | Expr::Float(_) | Expr::Bool(_) | Expr::Name(_)
                )));
                continue;
            };
            if let Some(function) = self.function(name, ast.pos(id))? {
                cost.add(function);
            } else if name.starts_with("tex") || name.starts_with("Get") {
                cost.work(1);
                cost.lookups += 1;
                cost.pixel_lookups += 1;
            } else {
                cost.work(1);
                cost.expensive += u64::from(EXPENSIVE.contains(&&**name));
            }
        }
        Ok(cost)
    }

    fn stmt(&mut self, id: StmtId) -> Result<Cost, Error> {
        let ast = self.ast;
        let mut cost = Cost::default();
        cost.work(1);
        match ast.stmt(id) {
            Stmt::Expr(expr) => cost.add(self.expr(*expr)?),
            Stmt::Declare(variables) => {
                for variable in variables {
                    if matches!(variable.ty, Ty::Array(_) | Ty::Struct(_)) {
                        cost.array_bytes = cost.array_bytes.saturating_add(size(ast, variable.ty));
                    }
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
                cost.add(loop_cost(iteration, iterations(ast, id)));
            }
            Stmt::While(condition, body) | Stmt::DoWhile(body, condition) => {
                let mut iteration = self.stmt(*body)?;
                iteration.add(self.expr(*condition)?);
                cost.add(loop_cost(iteration, None));
            }
            Stmt::Switch(selector, cases) => {
                cost.add(self.expr(*selector)?);
                for (_, body) in cases {
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

/// Returns an upper bound on a loop's iterations; `None` unless the loop counts in constant steps between two
/// constants and its body does not change the counter.
pub(super) fn iterations(ast: &Ast, id: StmtId) -> Option<u64> {
    let Stmt::For { init: Some(init), condition: Some(condition), step: Some(step), body } = ast.stmt(id)
    else {
        return None;
    };
    let (name, first) = match ast.stmt(*init) {
        Stmt::Declare(variables) => {
            let [variable] = &variables[..] else { return None };
            (&variable.name, constant(ast, variable.init?)?)
        }
        Stmt::Expr(expr) => match ast.expr(*expr) {
            Expr::Assign(None, target, value) => match ast.expr(*target) {
                Expr::Name(name) => (name, constant(ast, *value)?),
                _ => return None,
            },
            _ => return None,
        },
        _ => return None,
    };
    let Expr::Binary(operator, left, right) = ast.expr(*condition) else { return None };
    let is_counter = |id: ExprId| matches!(ast.expr(id), Expr::Name(own) if own == name);
    if !is_counter(*left) {
        return None;
    }
    let last = constant(ast, *right)?;
    let step = match ast.expr(*step) {
        Expr::Step { target, increment, .. } if is_counter(*target) => {
            if *increment {
                1.0
            } else {
                -1.0
            }
        }
        Expr::Assign(Some(Operator::Add), target, by) if is_counter(*target) => constant(ast, *by)?,
        Expr::Assign(Some(Operator::Subtract), target, by) if is_counter(*target) => -constant(ast, *by)?,
        Expr::Assign(None, target, value) if is_counter(*target) => match ast.expr(*value) {
            Expr::Binary(Operator::Add, own, by) if is_counter(*own) => constant(ast, *by)?,
            Expr::Binary(Operator::Subtract, own, by) if is_counter(*own) => -constant(ast, *by)?,
            _ => return None,
        },
        _ => return None,
    };
    let mut changes = Changes::new(ast);
    changes.stmt(*body);
    if changes.names.contains(name) {
        return None;
    }
    let distance = match operator {
        Operator::Less | Operator::LessEqual if step > 0.0 => last - first,
        Operator::Greater | Operator::GreaterEqual if step < 0.0 => first - last,
        _ => return None,
    };
    // One extra iteration for rounding, and for `<=` and `>=`, which include the limit.
    let iterations = (distance / step.abs()).max(0.0) + 1.0;
    // Adding a small step to a large float may not change it, so the loop would not end.
    (iterations.is_finite() && iterations < 1e7 && last.abs().max(first.abs()) < 1e7 * step.abs())
        .then_some(iterations as u64)
}

/// Returns the value of a numeric constant expression; `None` for any other expression.
fn constant(ast: &Ast, id: ExprId) -> Option<f64> {
    match ast.expr(id) {
        Expr::Int(value, _) => Some(f64::from(*value)),
        Expr::Float(value) => Some(f64::from(*value)),
        Expr::Prefix(super::ast::Prefix::Minus, inner) => Some(-constant(ast, *inner)?),
        Expr::Binary(operator, left, right) => {
            let (left, right) = (constant(ast, *left)?, constant(ast, *right)?);
            match operator {
                Operator::Add => Some(left + right),
                Operator::Subtract => Some(left - right),
                Operator::Multiply => Some(left * right),
                Operator::Divide if right != 0.0 => Some(left / right),
                _ => None,
            }
        }
        _ => None,
    }
}
