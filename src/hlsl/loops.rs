//! Finds the loops whose number of iterations is known.

use std::collections::HashSet;

use super::ast::{Ast, Expr, ExprId, Operator, Stmt, StmtId};
use super::constants;
use super::header;
use super::scan::Changes;
use super::types::Ty;
use crate::preprocess::Name;

/// What is known about the variables of a shader, to decide which can serve as loop counters.
pub(super) struct Loops<'a> {
    ast: &'a Ast,
    /// Names that some declaration gives to an integer.
    integers: HashSet<&'a str>,
    /// Names that some declaration gives to anything other than an integer or a float.
    others: HashSet<&'a str>,
    /// Names of the global variables and built-ins that functions change.
    shared: HashSet<Name>,
}

impl<'a> Loops<'a> {
    pub fn new(ast: &'a Ast) -> Self {
        let locals = ast.stmts.iter().filter_map(|(stmt, _)| match stmt {
            Stmt::Declare(variables) => Some(variables),
            _ => None,
        });
        let variables = ast.globals.iter().chain(locals.flatten()).map(|own| (&*own.name, own.ty));
        let parameters = ast.functions.iter().flat_map(|function| &function.parameters);
        let (mut integers, mut others) = (HashSet::new(), HashSet::new());
        for (name, ty) in variables.chain(parameters.map(|own| (&*own.name, own.ty))) {
            if ty == Ty::INT {
                integers.insert(name);
            } else if ty != Ty::FLOAT {
                others.insert(name);
            }
        }
        let mut changes = Changes::new(ast);
        for function in &ast.functions {
            function.body.iter().for_each(|stmt| changes.stmt(*stmt));
            function.parameters.iter().filter_map(|own| own.default).for_each(|expr| changes.expr(expr));
        }
        let globals: HashSet<&str> = ast.globals.iter().map(|own| &*own.name).collect();
        let mut shared = changes.names;
        shared.retain(|name| globals.contains(&**name) || header::builtin(name).is_some());
        Self { ast, integers, others, shared }
    }

    /// Returns an upper bound on a loop's iterations; `None` unless the loop counts in constant steps from one constant
    /// towards another, and its body does not change the counter.
    pub fn iterations(&self, id: StmtId) -> Option<u64> {
        let ast = self.ast;
        let constant = |id: ExprId| Some(constants::evaluate(ast, id)?.1);
        let Stmt::For { init: Some(init), condition: Some(condition), step: Some(step), body } = ast.stmt(id)
        else {
            return None;
        };
        let (name, declared, first) = match ast.stmt(*init) {
            Stmt::Declare(variables) => {
                let [variable] = &variables[..] else { return None };
                (&variable.name, Some(variable.ty), constant(variable.init?)?)
            }
            Stmt::Expr(expr) => match ast.expr(*expr) {
                Expr::Assign(None, target, value) => match ast.expr(*target) {
                    Expr::Name(name) => (name, None, constant(*value)?),
                    _ => return None,
                },
                _ => return None,
            },
            _ => return None,
        };
        let is_integer = match declared {
            Some(ty) if ty == Ty::INT || ty == Ty::FLOAT => ty == Ty::INT,
            None if !self.others.contains(&**name) => self.integers.contains(&**name),
            _ => return None,
        };
        let Expr::Binary(operator, left, right) = ast.expr(*condition) else { return None };
        let is_counter = |id: ExprId| matches!(ast.expr(id), Expr::Name(own) if own == name);
        if !is_counter(*left) {
            return None;
        }
        let last = constant(*right)?;
        let step = match ast.expr(*step) {
            Expr::Step { target, increment, .. } if is_counter(*target) => {
                if *increment {
                    1.0
                } else {
                    -1.0
                }
            }
            Expr::Assign(Some(Operator::Add), target, by) if is_counter(*target) => constant(*by)?,
            Expr::Assign(Some(Operator::Subtract), target, by) if is_counter(*target) => -constant(*by)?,
            Expr::Assign(None, target, value) if is_counter(*target) => match ast.expr(*value) {
                Expr::Binary(Operator::Add, own, by) if is_counter(*own) => constant(*by)?,
                Expr::Binary(Operator::Subtract, own, by) if is_counter(*own) => -constant(*by)?,
                _ => return None,
            },
            _ => return None,
        };
        let reach = first.abs().max(last.abs());
        // An integer counter would drop the fraction of a step, and overflow at large values.
        if is_integer && (step.fract() != 0.0 || reach + step.abs() > 1e9) {
            return None;
        }
        // Adding a small step to a large float may not change it, and devices may treat a tiny step as zero.
        if reach >= 1e7 * step.abs() || step.abs() < f64::from(f32::MIN_POSITIVE) {
            return None;
        }
        let distance = match operator {
            Operator::Less | Operator::LessEqual if step > 0.0 => last - first,
            Operator::Greater | Operator::GreaterEqual if step < 0.0 => first - last,
            _ => return None,
        };
        // One extra iteration for rounding, and for `<=` and `>=`, which include the limit.
        let iterations = (distance / step.abs()).max(0.0) + 1.0;
        let mut changes = Changes::new(ast);
        changes.stmt(*body);
        let is_shared = declared.is_none() && changes.calls && self.shared.contains(name);
        let changed = is_shared || changes.names.contains(name);
        (!changed && iterations < 1e7).then_some(iterations as u64)
    }
}
