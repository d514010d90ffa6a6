//! Finds the variables that statements may modify.

use std::collections::HashSet;

use super::ast::{Ast, Expr, ExprId, Stmt, StmtId};
use crate::preprocess::Name;

/// Names that the visited code assigns to, or passes to a function that may assign to them.
pub(super) struct Changes<'a> {
    ast: &'a Ast,
    pub names: HashSet<Name>,
    /// Whether the visited code calls functions of the preset, which may change global variables.
    pub calls: bool,
}

impl<'a> Changes<'a> {
    pub fn new(ast: &'a Ast) -> Self {
        Self { ast, names: HashSet::new(), calls: false }
    }

    /// Returns the names modified anywhere in the shader.
    pub fn all(ast: &'a Ast) -> HashSet<Name> {
        let mut changes = Self::new(ast);
        for id in 0..ast.exprs.len() as ExprId {
            changes.own(id);
        }
        changes.names
    }

    pub fn stmt(&mut self, id: StmtId) {
        let mut exprs = Vec::new();
        stmt_exprs(self.ast, id, &mut exprs);
        for id in exprs {
            self.expr(id);
        }
    }

    pub fn expr(&mut self, id: ExprId) {
        let mut open = vec![id];
        while let Some(id) = open.pop() {
            self.own(id);
            children(self.ast.expr(id), &mut open);
        }
    }

    /// Adds the names that the expression itself modifies, excluding those that its operands modify.
    fn own(&mut self, id: ExprId) {
        match self.ast.expr(id) {
            Expr::Assign(_, target, _) | Expr::Step { target, .. } => self.root(*target),
            Expr::Call(name, arguments) => {
                self.calls |= !self.ast.overloads(name).is_empty();
                for (index, argument) in arguments.iter().enumerate() {
                    if self.is_output(name, index) {
                        self.root(*argument);
                    }
                }
            }
            _ => {}
        }
    }

    /// Returns true if argument `index` of a function called `name` may be an output.
    fn is_output(&self, name: &Name, index: usize) -> bool {
        self.ast.is_output(name, index) || index > 0 && matches!(&**name, "sincos" | "modf" | "frexp")
    }

    fn root(&mut self, mut id: ExprId) {
        while let Expr::Member(base, _) | Expr::Index(base, _) = self.ast.expr(id) {
            id = *base;
        }
        if let Expr::Name(name) = self.ast.expr(id) {
            self.names.insert(name.clone());
        }
    }
}

/// Appends the direct operands of `expr` to `out`.
pub(super) fn children(expr: &Expr, out: &mut Vec<ExprId>) {
    match expr {
        Expr::Int(..) | Expr::Float(_) | Expr::Bool(_) | Expr::Name(_) => {}
        Expr::Prefix(_, inner) | Expr::Cast(_, inner) | Expr::Member(inner, _) => out.push(*inner),
        Expr::Step { target, .. } => out.push(*target),
        Expr::Binary(_, left, right) | Expr::Assign(_, left, right) | Expr::Comma(left, right) => {
            out.extend([*left, *right]);
        }
        Expr::Index(base, index) => out.extend([*base, *index]),
        Expr::Conditional(condition, accept, reject) => out.extend([*condition, *accept, *reject]),
        Expr::Call(_, values) | Expr::Construct(_, values) | Expr::List(values) => out.extend(values),
    }
}

/// Appends the expressions of a statement, including those of nested statements, to `out`.
fn stmt_exprs(ast: &Ast, id: StmtId, out: &mut Vec<ExprId>) {
    let mut open = vec![id];
    while let Some(id) = open.pop() {
        match ast.stmt(id) {
            Stmt::Expr(expr) => out.push(*expr),
            Stmt::Declare(variables) => out.extend(variables.iter().filter_map(|variable| variable.init)),
            Stmt::Block(inner) => open.extend(inner),
            Stmt::If(arms, otherwise) => {
                out.extend(arms.iter().map(|(condition, _)| *condition));
                open.extend(arms.iter().map(|(_, body)| *body));
                open.extend(otherwise);
            }
            Stmt::For { init, condition, step, body } => {
                open.extend(init);
                open.push(*body);
                out.extend(condition.iter().chain(step));
            }
            Stmt::While(condition, body) | Stmt::DoWhile(body, condition) => {
                out.push(*condition);
                open.push(*body);
            }
            Stmt::Switch(selector, cases) => {
                out.push(*selector);
                for (values, body) in cases {
                    out.extend(values.iter().flatten());
                    open.extend(body);
                }
            }
            Stmt::Return(value) => out.extend(value),
            Stmt::Break | Stmt::Continue | Stmt::Discard | Stmt::Empty => {}
        }
    }
}
