//! Builds the vertex shader, which computes the hoisted values and emits a full-screen triangle.

use std::collections::HashMap;

use naga::{
    BinaryOperator, Binding, BuiltIn, EntryPoint, Expression, Function, FunctionArgument, FunctionResult,
    Handle, Interpolation, Literal, Module, Range, Scalar, ScalarKind, ShaderStage, Span, Statement,
    StructMember, Type, TypeInner, UniqueArena, VectorSize,
};

use super::operands::operands_mut;
use super::uniform_values::{Source, UniformValues, Wanted};

/// Name of the vertex entry point that [`hoist`](super::hoist()) adds.
pub const VERTEX_ENTRY: &str = "vs_same";

/// Maximum number of scalars that a vertex shader passes on: 16 vectors of four.
const MAX_NUMBERS: usize = 64;

/// A value that the vertex shader computes.
pub(super) struct Value {
    expression: Handle<Expression>,
    pub ty: Handle<Type>,
    /// Index of each component among the scalar outputs; `None` for components that are not read.
    pub places: [Option<usize>; 4],
}

/// A vertex shader under construction.
pub(super) struct Vertex {
    function: Function,
    /// The expressions of the function, by their debug text, which unlike `==` distinguishes 0 from -0.
    known: HashMap<String, Handle<Expression>>,
    /// The scalar outputs, each an expression and, if that is a vector, the component to pass on.
    outputs: Vec<(Handle<Expression>, Option<u32>)>,
    values: Vec<Value>,
    types: Types,
}

/// Handles of the value types and of the vertex index type.
#[derive(Clone, Copy)]
struct Types {
    number: Handle<Type>,
    vectors: [Handle<Type>; 3],
    index: Handle<Type>,
}

impl Types {
    fn of(types: &mut UniqueArena<Type>) -> Self {
        let mut add = |inner| types.insert(Type { name: None, inner }, Span::UNDEFINED);
        let sizes = [VectorSize::Bi, VectorSize::Tri, VectorSize::Quad];
        Self {
            number: add(TypeInner::Scalar(Scalar::F32)),
            vectors: sizes.map(|size| add(TypeInner::Vector { size, scalar: Scalar::F32 })),
            index: add(TypeInner::Scalar(Scalar::U32)),
        }
    }
}

impl Vertex {
    pub fn new(module: &mut Module) -> Self {
        Self {
            function: Function { name: Some(VERTEX_ENTRY.to_owned()), ..Function::default() },
            known: HashMap::new(),
            outputs: Vec::new(),
            values: Vec::new(),
            types: Types::of(&mut module.types),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    pub fn values(&self) -> &[Value] {
        &self.values
    }

    /// Returns the number of vectors that the vertex shader passes on.
    pub fn vectors(&self) -> usize {
        self.outputs.len().div_ceil(4)
    }

    /// Adds the value of an expression of `function` and returns the index of the value, or `None` if its outputs would
    /// exceed the limit.
    pub fn add(
        &mut self,
        function: &Function,
        uniform_values: &UniformValues,
        wanted: &Wanted,
        copied: &mut HashMap<Handle<Expression>, Handle<Expression>>,
    ) -> Option<usize> {
        let Wanted { expression, count, ref components } = *wanted;
        let copied = self.copy(function, uniform_values, expression, copied);
        let number = self.values.iter().position(|value| value.expression == copied);
        let mut places = number.map_or([None; 4], |number| self.values[number].places);
        let before = self.outputs.len();
        for &component in components {
            let output = (copied, (count > 1).then_some(component));
            let known = self.outputs.iter().position(|known| *known == output);
            places[component as usize] = Some(known.unwrap_or_else(|| {
                self.outputs.push(output);
                self.outputs.len() - 1
            }));
        }
        if self.outputs.len() > MAX_NUMBERS {
            self.outputs.truncate(before);
            return None;
        }
        if let Some(number) = number {
            self.values[number].places = places;
            return Some(number);
        }
        let ty = if count == 1 { self.types.number } else { self.types.vectors[count as usize - 2] };
        self.values.push(Value { expression: copied, ty, places });
        Some(self.values.len() - 1)
    }

    /// Copies an expression and its operands; `copied` maps the expressions of `function` that have been copied to
    /// their copies. Not recursive, because a preset may nest expressions deeply.
    fn copy(
        &mut self,
        function: &Function,
        uniform_values: &UniformValues,
        from: Handle<Expression>,
        copied: &mut HashMap<Handle<Expression>, Handle<Expression>>,
    ) -> Handle<Expression> {
        let mut open = vec![from];
        while let Some(&next) = open.last() {
            let mut expression = function.expressions[next].clone();
            let waiting = open.len();
            match uniform_values.source(next) {
                Source::Copy(value) | Source::Part(value, _) if !copied.contains_key(&value) => {
                    open.push(value);
                }
                Source::Copy(_) | Source::Part(..) => {}
                Source::Operands | Source::Varies => {
                    operands_mut(&mut expression, |operand| match copied.get(operand) {
                        Some(copy) => *operand = *copy,
                        None => open.push(*operand),
                    });
                }
            }
            if open.len() > waiting {
                continue;
            }
            open.pop();
            let copy = match uniform_values.source(next) {
                Source::Copy(value) => copied[&value],
                Source::Part(value, index) => {
                    self.expression(Expression::AccessIndex { base: copied[&value], index })
                }
                Source::Operands | Source::Varies => self.expression(expression),
            };
            copied.insert(next, copy);
        }
        copied[&from]
    }

    /// Adds an expression and returns its handle, or returns the handle of an equal one.
    fn expression(&mut self, expression: Expression) -> Handle<Expression> {
        let key = format!("{expression:?}");
        if let Some(&known) = self.known.get(&key) {
            return known;
        }
        let handle = self.function.expressions.append(expression, Span::UNDEFINED);
        self.known.insert(key, handle);
        handle
    }

    /// Adds the position and the outputs, and returns the finished entry point.
    pub fn finish(mut self, types: &mut UniqueArena<Type>) -> EntryPoint {
        let Types { vectors: [_, _, vector], index, .. } = self.types;
        let mut components = vec![self.position(vector)];
        let binding = Some(Binding::BuiltIn(BuiltIn::Position { invariant: false }));
        let mut members = vec![StructMember { name: None, ty: vector, binding, offset: 0 }];
        let zero = self.expression(Expression::Literal(Literal::F32(0.0)));
        let outputs = std::mem::take(&mut self.outputs);
        let outputs: Vec<_> = outputs
            .into_iter()
            .map(|(base, component)| match component {
                Some(index) => self.expression(Expression::AccessIndex { base, index }),
                None => base,
            })
            .collect();
        for (location, numbers) in (0..).zip(outputs.chunks(4)) {
            let mut numbers = numbers.to_vec();
            numbers.resize(4, zero);
            components.push(self.expression(Expression::Compose { ty: vector, components: numbers }));
            let binding = Some(flat(location));
            members.push(StructMember { name: None, ty: vector, binding, offset: 16 * (location + 1) });
        }
        let span = 16 * members.len() as u32;
        let inner = TypeInner::Struct { members, span };
        let ty = types.insert(Type { name: Some("UniformValues".to_owned()), inner }, Span::UNDEFINED);
        let value = self.expression(Expression::Compose { ty, components });
        let binding = Some(Binding::BuiltIn(BuiltIn::VertexIndex));
        self.function.arguments.push(FunctionArgument { name: None, ty: index, binding });
        self.function.result = Some(FunctionResult { ty, binding: None });
        for (handle, expression) in self.function.expressions.iter() {
            if !expression.needs_pre_emit() {
                let emit = Statement::Emit(Range::new_from_bounds(handle, handle));
                self.function.body.push(emit, Span::UNDEFINED);
            }
        }
        self.function.body.push(Statement::Return { value: Some(value) }, Span::UNDEFINED);
        EntryPoint {
            name: VERTEX_ENTRY.to_owned(),
            stage: ShaderStage::Vertex,
            early_depth_test: None,
            workgroup_size: [0; 3],
            workgroup_size_overrides: None,
            function: self.function,
            mesh_info: None,
            task_payload: None,
            incoming_ray_payload: None,
        }
    }

    /// Computes the position as `vs_image` in `shaders/mesh.wgsl` does: `index & 1` and `index >> 1`, times 4, minus 1.
    fn position(&mut self, vector: Handle<Type>) -> Handle<Expression> {
        let index = self.expression(Expression::FunctionArgument(0));
        let bit = self.expression(Expression::Literal(Literal::U32(1)));
        let [four, one] = [4.0, 1.0].map(|value| self.expression(Expression::Literal(Literal::F32(value))));
        let zero = self.expression(Expression::Literal(Literal::F32(0.0)));
        let [x, y] = [BinaryOperator::And, BinaryOperator::ShiftRight].map(|op| {
            let expr = self.expression(Expression::Binary { op, left: index, right: bit });
            let left = self.expression(Expression::As { expr, kind: ScalarKind::Float, convert: Some(4) });
            let left =
                self.expression(Expression::Binary { op: BinaryOperator::Multiply, left, right: four });
            self.expression(Expression::Binary { op: BinaryOperator::Subtract, left, right: one })
        });
        self.expression(Expression::Compose { ty: vector, components: vec![x, y, zero, one] })
    }
}

/// Returns the binding of a flat (not interpolated) output or input.
pub(super) fn flat(location: u32) -> Binding {
    Binding::Location {
        location,
        interpolation: Some(Interpolation::Flat),
        sampling: None,
        blend_src: None,
        per_primitive: false,
    }
}
