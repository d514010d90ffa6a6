//! Determines which expressions of a function have the same value for every pixel.

use std::collections::{HashMap, HashSet};

use naga::front::Typifier;
use naga::proc::ResolveContext;
use naga::{
    AddressSpace, Block, Expression, Function, GlobalVariable, Handle, Module, Scalar, Statement, TypeInner,
    VectorSize,
};

use super::operands::operands;

/// Components of a vector, one bit each.
type Components = u8;

const ALL: Components = 0b1111;

/// Uniform blocks: global variables that are the same for every pixel.
pub(super) struct Uniforms {
    blocks: HashSet<Handle<GlobalVariable>>,
}

impl Uniforms {
    pub fn of(module: &Module) -> Self {
        let blocks = module.global_variables.iter().filter(|(_, v)| v.space == AddressSpace::Uniform);
        Self { blocks: blocks.map(|(handle, _)| handle).collect() }
    }
}

/// How to compute an expression in the vertex shader.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Source {
    /// Not possible: the expression may differ between pixels, or is not a value.
    Varies,
    /// From its operands, like the original.
    Operands,
    /// As a copy of this expression: the original loads a variable that holds the expression's value.
    Copy(Handle<Expression>),
    /// As this component of this expression: the original loads one component of a variable that holds the
    /// expression's value.
    Part(Handle<Expression>, u32),
}

/// An expression to compute in the vertex shader.
pub(super) struct Wanted {
    pub expression: Handle<Expression>,
    /// Number of components: 1 for a scalar, 2 to 4 for a vector.
    pub count: u32,
    /// The components that are read.
    pub components: Vec<u32>,
}

/// Which expressions of one function have the same value for every pixel.
pub(super) struct UniformValues<'a> {
    function: &'a Function,
    sources: Vec<Source>,
    /// For each expression, whether it is the same for every pixel and reads a uniform, directly or through
    /// its operands.
    reads_uniform: Vec<bool>,
    /// For each expression, its components if it is a float or a vector of floats.
    floats: Vec<Option<Components>>,
    /// For each expression, the components that varying expressions or statements read.
    seen: Vec<Components>,
    /// For each expression, the components to compute in the vertex shader.
    wanted: Vec<Components>,
}

/// Maps each variable whose value is known at the current point of a function to the expression stored in it.
type Known = HashMap<Handle<Expression>, Handle<Expression>>;

impl<'a> UniformValues<'a> {
    pub fn of(module: &Module, function: &'a Function, uniforms: &Uniforms) -> Self {
        let count = function.expressions.len();
        let mut values = Self {
            function,
            sources: vec![Source::Varies; count],
            reads_uniform: vec![false; count],
            floats: floats(module, function),
            seen: vec![0; count],
            wanted: vec![0; count],
        };
        for (handle, expression) in function.expressions.iter() {
            if matches!(
                expression,
                Expression::Literal(_) | Expression::Constant(_) | Expression::ZeroValue(_)
            ) {
                values.sources[handle.index()] = Source::Operands;
            }
        }
        let mut walk =
            Walk { values: &mut values, uniforms, variables: variables(function), emitted: Vec::new() };
        walk.block(&function.body, &mut Known::new());
        let emitted = std::mem::take(&mut walk.emitted);
        values.want_all(&emitted);
        values
    }

    pub fn source(&self, expression: Handle<Expression>) -> Source {
        self.sources[expression.index()]
    }

    /// Returns the expressions to compute in the vertex shader.
    pub fn wanted(&self) -> Vec<Wanted> {
        let wanted = self.function.expressions.iter().filter_map(|(expression, _)| {
            let mask = self.wanted[expression.index()];
            let components: Vec<u32> = (0..4).filter(|component| mask & (1 << component) != 0).collect();
            let count = self.floats[expression.index()]?.count_ones();
            (!components.is_empty()).then_some(Wanted { expression, count, components })
        });
        wanted.collect()
    }

    /// Marks as wanted all components that varying expressions and statements read.
    fn want_all(&mut self, emitted: &[Handle<Expression>]) {
        let function = self.function;
        let mut read = HashSet::new();
        add_passed(&function.body, function, &mut read);
        for &handle in emitted {
            if self.sources[handle.index()] != Source::Varies {
                continue;
            }
            match function.expressions[handle] {
                Expression::Load { pointer } => {
                    read.insert(root(function, pointer));
                }
                Expression::AccessIndex { base, index } => self.want(base, 1 << index),
                ref expression => operands(expression, |operand| self.want(operand, ALL)),
            }
        }
        self.want_in(&function.body, &read);
    }

    fn want_in(&mut self, block: &Block, read: &HashSet<Handle<Expression>>) {
        let function = self.function;
        for statement in block {
            match statement {
                Statement::Block(inner) => self.want_in(inner, read),
                Statement::If { condition, accept, reject } => {
                    self.want(*condition, ALL);
                    self.want_in(accept, read);
                    self.want_in(reject, read);
                }
                Statement::Switch { selector, cases } => {
                    self.want(*selector, ALL);
                    cases.iter().for_each(|case| self.want_in(&case.body, read));
                }
                Statement::Loop { body, continuing, break_if } => {
                    self.want_in(body, read);
                    self.want_in(continuing, read);
                    break_if.iter().for_each(|end| self.want(*end, ALL));
                }
                Statement::Store { pointer, value } => {
                    // If the values of all loads of a local variable are known, nothing reads the variable.
                    let variable = root(function, *pointer);
                    let local = matches!(function.expressions[variable], Expression::LocalVariable(_));
                    if !local || read.contains(&variable) {
                        self.want(*value, ALL);
                    }
                }
                Statement::Return { value: Some(value) } => self.want(*value, ALL),
                Statement::Call { arguments, .. } => {
                    arguments.iter().for_each(|argument| self.want(*argument, ALL));
                }
                _ => {}
            }
        }
    }

    /// Marks as wanted the given components of an expression, or of the expressions that it takes them from. Not
    /// recursive, because a preset may nest expressions deeply.
    fn want(&mut self, handle: Handle<Expression>, components: Components) {
        let mut open = vec![(handle, components)];
        while let Some((handle, components)) = open.pop() {
            let at = handle.index();
            let news = components & !self.seen[at];
            if !self.reads_uniform[at] || news == 0 {
                continue;
            }
            self.seen[at] |= components;
            match (self.sources[at], &self.function.expressions[handle]) {
                (Source::Varies, _) => {}
                (Source::Copy(value), _) => open.push((value, components)),
                (Source::Part(value, index), _) => open.push((value, 1 << index)),
                (Source::Operands, Expression::AccessIndex { base, index })
                    if self.floats[base.index()].is_some() =>
                {
                    open.push((*base, 1 << index));
                }
                (Source::Operands, Expression::Swizzle { size, vector, pattern }) => {
                    let chosen = pattern[..*size as usize].iter().zip(0..);
                    let chosen = chosen.filter(|(_, place)| components & (1 << place) != 0);
                    let from = chosen.fold(0, |from, (component, _)| from | 1 << (*component as u8));
                    open.push((*vector, from));
                }
                (Source::Operands, expression) => {
                    let moves = matches!(expression, Expression::Compose { .. } | Expression::Splat { .. });
                    match self.floats[at].filter(|_| !moves) {
                        Some(own) => self.wanted[at] |= components & own,
                        None => operands(expression, |operand| open.push((operand, ALL))),
                    }
                }
            }
        }
    }
}

/// Returns, for each expression, its components if it is a float or a vector of floats.
fn floats(module: &Module, function: &Function) -> Vec<Option<Components>> {
    let context = ResolveContext::with_locals(module, &function.local_variables, &function.arguments);
    let mut types = Typifier::new();
    let expressions = function.expressions.iter();
    let float = |handle| {
        types.grow(handle, &function.expressions, &context).ok()?;
        match *types.get(handle, &module.types) {
            TypeInner::Scalar(Scalar::F32) => Some(0b1),
            TypeInner::Vector { size: VectorSize::Bi, scalar: Scalar::F32 } => Some(0b11),
            TypeInner::Vector { size: VectorSize::Tri, scalar: Scalar::F32 } => Some(0b111),
            TypeInner::Vector { size: VectorSize::Quad, scalar: Scalar::F32 } => Some(0b1111),
            _ => None,
        }
    };
    expressions.map(|(handle, _)| handle).map(float).collect()
}

/// Returns the variable that a pointer points into.
fn root(function: &Function, mut pointer: Handle<Expression>) -> Handle<Expression> {
    while let Expression::Access { base, .. } | Expression::AccessIndex { base, .. } =
        function.expressions[pointer]
    {
        pointer = base;
    }
    pointer
}

/// Adds to `passed` the roots of all call arguments; these include the variables passed by pointer.
fn add_passed(block: &Block, function: &Function, passed: &mut HashSet<Handle<Expression>>) {
    for statement in block {
        match statement {
            Statement::Call { arguments, .. } => {
                passed.extend(arguments.iter().map(|argument| root(function, *argument)));
            }
            Statement::Block(inner) => add_passed(inner, function, passed),
            Statement::If { accept, reject, .. } => {
                [accept, reject].into_iter().for_each(|inner| add_passed(inner, function, passed));
            }
            Statement::Switch { cases, .. } => {
                cases.iter().for_each(|case| add_passed(&case.body, function, passed));
            }
            Statement::Loop { body, continuing, .. } => {
                [body, continuing].into_iter().for_each(|inner| add_passed(inner, function, passed));
            }
            _ => {}
        }
    }
}

/// Maps each expression for a variable to the first one for the same variable, so that two pointers to one
/// variable compare equal.
fn variables(function: &Function) -> HashMap<Handle<Expression>, Handle<Expression>> {
    let mut first = HashMap::new();
    let mut all = HashMap::new();
    for (handle, expression) in function.expressions.iter() {
        let key = match expression {
            Expression::LocalVariable(local) => (0, local.index()),
            Expression::GlobalVariable(global) => (1, global.index()),
            _ => continue,
        };
        all.insert(handle, *first.entry(key).or_insert(handle));
    }
    all
}

/// Follows the statements of a function in order.
struct Walk<'s, 'a> {
    values: &'s mut UniformValues<'a>,
    uniforms: &'s Uniforms,
    variables: HashMap<Handle<Expression>, Handle<Expression>>,
    emitted: Vec<Handle<Expression>>,
}

impl Walk<'_, '_> {
    fn block(&mut self, block: &Block, known: &mut Known) {
        for statement in block {
            match statement {
                Statement::Emit(range) => range.clone().for_each(|handle| self.expression(handle, known)),
                Statement::Store { pointer, value } => self.store(*pointer, *value, known),
                Statement::Block(inner) => self.block(inner, known),
                Statement::If { accept, reject, .. } => self.branches([accept, reject], known),
                // A case may run after the previous one, if that falls through.
                Statement::Switch { cases, .. } => {
                    self.forget(cases.iter().map(|case| &case.body), known);
                    self.branches(cases.iter().map(|case| &case.body), known);
                }
                Statement::Loop { body, continuing, .. } => {
                    self.forget([body, continuing], known);
                    self.branches([body, continuing], known);
                }
                Statement::Call { .. } => self.forget_in_statement(statement, known),
                _ => {}
            }
        }
    }

    /// Follows blocks that may or may not run.
    fn branches<'b>(&mut self, blocks: impl IntoIterator<Item = &'b Block> + Clone, known: &mut Known) {
        for block in blocks.clone() {
            self.block(block, &mut known.clone());
        }
        self.forget(blocks, known);
    }

    /// Forgets the values of variables that these blocks may change.
    fn forget<'b>(&self, blocks: impl IntoIterator<Item = &'b Block>, known: &mut Known) {
        for block in blocks {
            block.iter().for_each(|statement| self.forget_in_statement(statement, known));
        }
    }

    fn forget_in_statement(&self, statement: &Statement, known: &mut Known) {
        let function = self.values.function;
        match statement {
            Statement::Store { pointer, .. } => {
                known.remove(&self.variable(root(function, *pointer)));
            }
            Statement::Call { arguments, .. } => {
                for argument in arguments {
                    known.remove(&self.variable(root(function, *argument)));
                }
                // The function may change any global variable.
                known.retain(|variable, _| {
                    matches!(function.expressions[*variable], Expression::LocalVariable(_))
                });
            }
            Statement::Block(inner) => self.forget([inner], known),
            Statement::If { accept, reject, .. } => self.forget([accept, reject], known),
            Statement::Switch { cases, .. } => self.forget(cases.iter().map(|case| &case.body), known),
            Statement::Loop { body, continuing, .. } => self.forget([body, continuing], known),
            _ => {}
        }
    }

    fn variable(&self, pointer: Handle<Expression>) -> Handle<Expression> {
        self.variables.get(&pointer).copied().unwrap_or(pointer)
    }

    fn store(&mut self, pointer: Handle<Expression>, value: Handle<Expression>, known: &mut Known) {
        let variable = self.variable(root(self.values.function, pointer));
        let whole = self.variables.contains_key(&pointer);
        if whole && self.values.source(value) != Source::Varies {
            known.insert(variable, value);
        } else {
            known.remove(&variable);
        }
    }

    fn expression(&mut self, handle: Handle<Expression>, known: &Known) {
        self.emitted.push(handle);
        let expression = &self.values.function.expressions[handle];
        let (source, reads_uniform) = match *expression {
            Expression::Load { pointer } => self.load(pointer, known),
            Expression::Compose { .. }
            | Expression::AccessIndex { .. }
            | Expression::Splat { .. }
            | Expression::Swizzle { .. }
            | Expression::Unary { .. }
            | Expression::Binary { .. }
            | Expression::Select { .. }
            | Expression::Relational { .. }
            | Expression::Math { .. }
            | Expression::As { .. } => {
                let (mut uniform, mut reads_uniform) = (true, false);
                operands(expression, |operand| {
                    uniform &= self.values.sources[operand.index()] != Source::Varies;
                    reads_uniform |= self.values.reads_uniform[operand.index()];
                });
                (if uniform { Source::Operands } else { Source::Varies }, reads_uniform)
            }
            _ => (Source::Varies, false),
        };
        self.values.sources[handle.index()] = source;
        self.values.reads_uniform[handle.index()] = reads_uniform && source != Source::Varies;
    }

    fn load(&self, pointer: Handle<Expression>, known: &Known) -> (Source, bool) {
        let function = self.values.function;
        let variable = root(function, pointer);
        if let Expression::GlobalVariable(global) = function.expressions[variable]
            && self.uniforms.blocks.contains(&global)
        {
            let source = if is_constant_path(function, pointer) { Source::Operands } else { Source::Varies };
            return (source, source == Source::Operands);
        }
        let Some(&value) = known.get(&self.variable(variable)) else { return (Source::Varies, false) };
        let reads_uniform = self.values.reads_uniform[value.index()];
        match function.expressions[pointer] {
            _ if pointer == variable => (Source::Copy(value), reads_uniform),
            Expression::AccessIndex { base, index } if base == variable => {
                (Source::Part(value, index), reads_uniform)
            }
            _ => (Source::Varies, false),
        }
    }
}

/// Returns true if a pointer leads into a global variable through constant indices only.
fn is_constant_path(function: &Function, mut pointer: Handle<Expression>) -> bool {
    while let Expression::AccessIndex { base, .. } = function.expressions[pointer] {
        pointer = base;
    }
    matches!(function.expressions[pointer], Expression::GlobalVariable(_))
}
