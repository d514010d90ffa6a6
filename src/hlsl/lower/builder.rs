//! Builds one function of naga's intermediate representation, statement by statement.

use std::collections::HashMap;

use naga::{Block, Expression, Function, Handle, Literal, LocalVariable, Range, Span, Statement, Type};

use super::value::{Components, Fact, Value};
use crate::hlsl::types::Ty;
use crate::preprocess::Name;

/// Index of a variable in [`Builder::vars`].
pub(super) type VarId = usize;

/// A variable of the function.
#[derive(Clone, Debug)]
pub(super) struct Var {
    pub pointer: Handle<Expression>,
    pub ty: Ty,
}

/// Something that can be assigned to: a pointee, or part of it.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub pointer: Handle<Expression>,
    /// Type of the pointee.
    pub ty: Ty,
    /// The local variable that contains the place, if any.
    pub var: Option<VarId>,
    pub part: Part,
}

/// The part of its pointee that a place refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    All,
    /// Components of a vector, by index.
    Components(Vec<u8>),
    /// Elements of a matrix, by row and column.
    Elements(Vec<(u8, u8)>),
}

/// What is known about a variable at the current position.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct State {
    pub fact: Fact,
    pub constant: Option<Components>,
}

impl State {
    pub const UNKNOWN: Self = Self { fact: Fact::UNKNOWN, constant: None };

    fn or(self, other: Self) -> Self {
        let constant = if self.constant == other.constant { self.constant } else { None };
        Self { fact: self.fact.or(other.fact), constant }
    }
}

/// What a name refers to.
#[derive(Clone, Debug)]
pub(super) enum Symbol {
    Var(VarId),
    /// A constant, or a sampler.
    Value(Value),
}

/// The function being built.
#[derive(Default)]
pub(super) struct Builder {
    pub function: Function,
    block: Block,
    /// First and last expression that the next `Emit` statement must cover.
    pending: Option<(Handle<Expression>, Handle<Expression>)>,
    literals: HashMap<(u8, u64), Handle<Expression>>,
    pub vars: Vec<Var>,
    states: Vec<State>,
    scopes: Vec<HashMap<Name, Symbol>>,
    /// Whether the current block has ended, so that later code is unreachable.
    pub ended: bool,
    /// Number of loops around the current position.
    pub loops: usize,
    /// Number of `switch` statements around the current position.
    pub switches: usize,
    /// Total size of the arrays and structs that are declared and copied, with every call inlined, in bytes.
    pub bytes: u64,
}

impl Builder {
    pub fn new(name: &str) -> Self {
        let function = Function { name: Some(name.to_owned()), ..Function::default() };
        Self { function, scopes: vec![HashMap::new()], ..Self::default() }
    }

    /// Adds an expression, and schedules it for emission if necessary.
    pub fn add(&mut self, expression: Expression) -> Handle<Expression> {
        if let Expression::Literal(literal) = expression {
            return self.literal(literal);
        }
        if expression.needs_pre_emit() || matches!(expression, Expression::CallResult(_)) {
            self.flush();
            return self.function.expressions.append(expression, Span::UNDEFINED);
        }
        let handle = self.function.expressions.append(expression, Span::UNDEFINED);
        self.pending = Some((self.pending.map_or(handle, |(first, _)| first), handle));
        handle
    }

    fn literal(&mut self, literal: Literal) -> Handle<Expression> {
        let key = match literal {
            Literal::F32(value) => (0, u64::from(value.to_bits())),
            Literal::I32(value) => (1, u64::from(value as u32)),
            Literal::U32(value) => (2, u64::from(value)),
            Literal::Bool(value) => (3, u64::from(value)),
            _ => (4, 0),
        };
        if let Some(known) = self.literals.get(&key) {
            return *known;
        }
        self.flush();
        let handle = self.function.expressions.append(Expression::Literal(literal), Span::UNDEFINED);
        self.literals.insert(key, handle);
        handle
    }

    fn flush(&mut self) {
        if let Some((first, last)) = self.pending.take().filter(|_| !self.ended) {
            self.block.push(Statement::Emit(Range::new_from_bounds(first, last)), Span::UNDEFINED);
        }
    }

    /// Adds a statement to the current block.
    pub fn push(&mut self, statement: Statement) {
        self.flush();
        if self.ended {
            return;
        }
        self.ended = matches!(
            statement,
            Statement::Return { .. } | Statement::Break | Statement::Continue | Statement::Kill
        );
        self.block.push(statement, Span::UNDEFINED);
    }

    pub fn store(&mut self, pointer: Handle<Expression>, value: Handle<Expression>) {
        self.push(Statement::Store { pointer, value });
    }

    /// Starts a nested block; returns the outer one, to pass to [`Self::leave`].
    pub fn enter(&mut self) -> (Block, bool) {
        self.flush();
        self.scopes.push(HashMap::new());
        (std::mem::take(&mut self.block), std::mem::take(&mut self.ended))
    }

    /// Ends a nested block and returns it.
    pub fn leave(&mut self, outer: (Block, bool)) -> Block {
        self.flush();
        self.scopes.pop();
        let inner = std::mem::replace(&mut self.block, outer.0);
        self.ended = outer.1;
        inner
    }

    /// Opens a scope for names.
    pub fn open_scope(&mut self) {
        self.scopes.push(HashMap::new());
    }

    pub fn close_scope(&mut self) {
        self.scopes.pop();
    }

    /// Hides all names; returns them, to pass to [`Self::show_names`].
    pub fn hide_names(&mut self) -> Vec<HashMap<Name, Symbol>> {
        std::mem::take(&mut self.scopes)
    }

    /// Shows names that were hidden.
    pub fn show_names(&mut self, names: Vec<HashMap<Name, Symbol>>) {
        self.scopes = names;
    }

    pub fn bind(&mut self, name: Name, binding: Symbol) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.insert(name, binding);
        }
    }

    pub fn find(&self, name: &str) -> Option<&Symbol> {
        self.scopes.iter().rev().find_map(|scope| scope.get(name))
    }

    /// Adds a local variable initialized to zero.
    pub fn local(&mut self, name: &str, ty: Ty, handle: Handle<Type>) -> VarId {
        let local = LocalVariable { name: Some(name.to_owned()), ty: handle, init: None };
        let local = self.function.local_variables.append(local, Span::UNDEFINED);
        let pointer = self.add(Expression::LocalVariable(local));
        self.variable(pointer, ty, State::UNKNOWN)
    }

    /// Adds a variable for an existing pointer, with what is known about it.
    pub fn variable(&mut self, pointer: Handle<Expression>, ty: Ty, state: State) -> VarId {
        self.vars.push(Var { pointer, ty });
        self.states.push(state);
        self.vars.len() - 1
    }

    pub fn state(&self, var: VarId) -> State {
        self.states[var]
    }

    pub fn set_state(&mut self, var: VarId, state: State) {
        self.states[var] = state;
    }

    /// Returns what is known about all variables.
    pub fn states(&self) -> Vec<State> {
        self.states.clone()
    }

    pub fn restore(&mut self, states: &[State]) {
        self.states[..states.len()].copy_from_slice(states);
    }

    /// Keeps only the facts that hold both here and in `other`.
    pub fn merge(&mut self, other: &[State]) {
        for (own, other) in self.states.iter_mut().zip(other) {
            *own = own.or(*other);
        }
    }

    /// Forgets what is known about the variable called `name`.
    pub fn forget(&mut self, name: &str) {
        if let Some(Symbol::Var(var)) = self.find(name) {
            let var = *var;
            self.states[var] = State::UNKNOWN;
        }
    }

    /// Finishes and returns the function.
    pub fn finish(mut self) -> Function {
        self.flush();
        self.function.body = self.block;
        self.function
    }
}
