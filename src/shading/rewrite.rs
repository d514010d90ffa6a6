//! Replaces expressions in the fragment shader with the values that the vertex shader computes.

use std::collections::HashMap;

use naga::{
    AddressSpace, Arena, Block, Expression, Function, FunctionArgument, GlobalVariable, Handle, Literal,
    Module, Range, Scalar, Span, Statement, Type, TypeInner, UniqueArena, VectorSize,
};

use super::operands::operands_mut;
use super::vertex::{Vertex, flat};

/// The private variables that hold the values from the vertex shader, in the order of [`Vertex::values`].
pub(super) struct Replacements {
    variables: Vec<Handle<GlobalVariable>>,
}

impl Replacements {
    /// Declares one variable for each value of `vertex`.
    pub fn declare(module: &mut Module, vertex: &Vertex) -> Self {
        let variables = vertex.values().iter().map(|value| {
            let variable = GlobalVariable {
                name: Some("uniform_value".to_owned()),
                space: AddressSpace::Private,
                binding: None,
                ty: value.ty,
                init: None,
                memory_decorations: Default::default(),
            };
            module.global_variables.append(variable, Span::UNDEFINED)
        });
        Self { variables: variables.collect() }
    }

    /// Replaces each expression in `replaced` with a load of the variable whose index it maps to.
    pub fn apply(&self, function: &mut Function, replaced: &HashMap<Handle<Expression>, usize>) {
        if replaced.is_empty() {
            return;
        }
        let mut expressions = Arena::new();
        // An expression may only use earlier ones, so the pointers come first.
        let mut numbers: Vec<_> = replaced.values().copied().collect();
        numbers.sort_unstable();
        numbers.dedup();
        let pointers: HashMap<usize, Handle<Expression>> = numbers
            .into_iter()
            .map(|number| {
                let variable = Expression::GlobalVariable(self.variables[number]);
                (number, expressions.append(variable, Span::UNDEFINED))
            })
            .collect();
        let mut moved = Vec::with_capacity(function.expressions.len());
        for (handle, mut expression, span) in function.expressions.drain() {
            match replaced.get(&handle) {
                Some(number) => expression = Expression::Load { pointer: pointers[number] },
                None => operands_mut(&mut expression, |operand| *operand = moved[operand.index()]),
            }
            moved.push(expressions.append(expression, span));
        }
        function.expressions = expressions;
        function.named_expressions.clear();
        for (_, local) in function.local_variables.iter_mut() {
            local.init.iter_mut().for_each(|init| *init = moved[init.index()]);
        }
        renumber(&mut function.body, &moved);
    }

    /// Adds flat inputs to a fragment entry point, and code at its start that sets the variables from them.
    pub fn set(&self, types: &mut UniqueArena<Type>, function: &mut Function, vertex: &Vertex) {
        let inner = TypeInner::Vector { size: VectorSize::Quad, scalar: Scalar::F32 };
        let ty = types.insert(Type { name: None, inner }, Span::UNDEFINED);
        let first = function.arguments.len() as u32;
        let inputs = 0..vertex.vectors() as u32;
        let arguments = inputs.clone().map(|location| Some(flat(location)));
        function.arguments.extend(arguments.map(|binding| FunctionArgument { name: None, ty, binding }));
        let mut start = Start { expressions: &mut function.expressions, block: Block::new() };
        let inputs: Vec<_> =
            inputs.map(|input| start.add(Expression::FunctionArgument(first + input))).collect();
        let zero = start.add(Expression::Literal(Literal::F32(0.0)));
        for (value, variable) in vertex.values().iter().zip(&self.variables) {
            let mut numbers: Vec<_> = value
                .places
                .iter()
                .map(|place| match *place {
                    Some(place) => {
                        let (base, index) = (inputs[place / 4], (place % 4) as u32);
                        start.add(Expression::AccessIndex { base, index })
                    }
                    None => zero,
                })
                .collect();
            let number = match types[value.ty].inner {
                TypeInner::Vector { size, .. } => {
                    numbers.truncate(size as usize);
                    start.add(Expression::Compose { ty: value.ty, components: numbers })
                }
                _ => numbers[0],
            };
            let pointer = start.add(Expression::GlobalVariable(*variable));
            start.block.push(Statement::Store { pointer, value: number }, Span::UNDEFINED);
        }
        let start = start.block;
        function.body.splice(0..0, start);
    }
}

/// Builds statements for the start of a function.
struct Start<'a> {
    expressions: &'a mut Arena<Expression>,
    block: Block,
}

impl Start<'_> {
    fn add(&mut self, expression: Expression) -> Handle<Expression> {
        let early = expression.needs_pre_emit();
        let handle = self.expressions.append(expression, Span::UNDEFINED);
        if !early {
            let emit = Statement::Emit(Range::new_from_bounds(handle, handle));
            self.block.push(emit, Span::UNDEFINED);
        }
        handle
    }
}

/// Updates the expression handles in a block; `moved` maps each old index to the new handle.
fn renumber(block: &mut Block, moved: &[Handle<Expression>]) {
    let renumbered = |handle: &mut Handle<Expression>| *handle = moved[handle.index()];
    for statement in block.iter_mut() {
        match statement {
            Statement::Emit(range) => {
                if let Some((first, last)) = range.first_and_last() {
                    *range = Range::new_from_bounds(moved[first.index()], moved[last.index()]);
                }
            }
            Statement::Block(inner) => renumber(inner, moved),
            Statement::If { condition, accept, reject } => {
                renumbered(condition);
                renumber(accept, moved);
                renumber(reject, moved);
            }
            Statement::Switch { selector, cases } => {
                renumbered(selector);
                cases.iter_mut().for_each(|case| renumber(&mut case.body, moved));
            }
            Statement::Loop { body, continuing, break_if } => {
                renumber(body, moved);
                renumber(continuing, moved);
                break_if.iter_mut().for_each(renumbered);
            }
            Statement::Return { value } => value.iter_mut().for_each(renumbered),
            Statement::Store { pointer, value } => [pointer, value].into_iter().for_each(renumbered),
            Statement::Call { arguments, result, .. } => {
                arguments.iter_mut().chain(result).for_each(renumbered);
            }
            // Statements that contain no expressions, or do not occur in preset shaders.
            _ => {}
        }
    }
}
