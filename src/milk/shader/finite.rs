//! Products without a guard where both factors are finite.
//!
//! In the shader model of presets 0 times anything is 0, so the translator writes every product as
//! `select(a * b, 0, a == 0 | b == 0)`. The guard matters only where a factor may be infinite or not a number. This pass
//! bounds the magnitude of every value along the statements and removes comparisons that make no difference.

use std::collections::HashMap;

use naga::{
    AddressSpace, BinaryOperator, Block, Expression, Function, GlobalVariable, Handle, Literal,
    LocalVariable, MathFunction, Module, Statement, UnaryOperator,
};

use super::operands;

/// Magnitude of a value that may be infinite or not a number.
const UNKNOWN: f32 = f32::INFINITY;
/// Largest magnitude of a product or sum that is certainly finite, with room for rounding.
const LARGEST: f32 = 1e38;
/// Largest magnitude in the uniform blocks of preset shaders.
pub const LARGEST_UNIFORM: f32 = 1e12;
/// Magnitude of texture coordinates, radii and angles.
const COORDINATE: f32 = 1e6;

/// Removes comparisons from `module`.
pub(super) fn drop_guards(module: &mut Module) {
    // Callers come after the functions they call, so that all calls of a function are known when its turn comes.
    let mut arguments: HashMap<Handle<Function>, Vec<f32>> = HashMap::new();
    for entry in &module.entry_points {
        let known = vec![COORDINATE; entry.function.arguments.len()];
        let mut walk = Walk::new(module, &entry.function, known);
        walk.block(&entry.function.body);
        merge_calls(&mut arguments, walk.calls);
    }
    let handles: Vec<_> = module.functions.iter().map(|(handle, _)| handle).collect();
    for handle in handles.into_iter().rev() {
        let function = &module.functions[handle];
        let unknown = || vec![UNKNOWN; function.arguments.len()];
        let mut walk = Walk::new(module, function, arguments.remove(&handle).unwrap_or_else(unknown));
        walk.block(&function.body);
        let Walk { bounds, calls, .. } = walk;
        merge_calls(&mut arguments, calls);
        simplify(module.functions.get_mut(handle), &bounds);
    }
}

fn merge_calls(
    arguments: &mut HashMap<Handle<Function>, Vec<f32>>,
    calls: Vec<(Handle<Function>, Vec<f32>)>,
) {
    for (function, bounds) in calls {
        let known = arguments.entry(function).or_insert_with(|| vec![0.0; bounds.len()]);
        known.iter_mut().zip(bounds).for_each(|(known, bound)| *known = known.max(bound));
    }
}

/// A variable.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Variable {
    Local(Handle<LocalVariable>),
    Global(Handle<GlobalVariable>),
}

/// Walks one function and bounds the magnitude of its values.
struct Walk<'a> {
    module: &'a Module,
    function: &'a Function,
    arguments: Vec<f32>,
    /// Bound of each expression; [`UNKNOWN`] where it was not evaluated.
    bounds: Vec<f32>,
    /// Bounds of variables at this point; missing ones are unknown.
    variables: HashMap<Variable, f32>,
    calls: Vec<(Handle<Function>, Vec<f32>)>,
}

impl<'a> Walk<'a> {
    fn new(module: &'a Module, function: &'a Function, arguments: Vec<f32>) -> Self {
        let mut walk = Self {
            module,
            function,
            arguments,
            bounds: vec![UNKNOWN; function.expressions.len()],
            variables: HashMap::new(),
            calls: Vec::new(),
        };
        for (handle, expression) in function.expressions.iter() {
            if expression.needs_pre_emit() {
                walk.bounds[handle.index()] = walk.leaf(expression);
            }
        }
        for (handle, variable) in function.local_variables.iter() {
            let bound = variable.init.map_or(0.0, |init| walk.initial(init));
            walk.variables.insert(Variable::Local(handle), bound);
        }
        walk
    }

    /// Bounds the initial value of a local variable, a constant expression that may consist of others.
    fn initial(&self, init: Handle<Expression>) -> f32 {
        let expression = &self.function.expressions[init];
        if expression.needs_pre_emit() {
            return self.bounds[init.index()];
        }
        let mut bound = 0.0_f32;
        operands(expression, |operand| bound = bound.max(self.initial(operand)));
        if matches!(expression, Expression::Compose { .. } | Expression::Splat { .. }) {
            bound
        } else {
            UNKNOWN
        }
    }

    fn leaf(&self, expression: &Expression) -> f32 {
        match expression {
            Expression::Literal(Literal::F32(value)) => value.abs(),
            Expression::Literal(_) | Expression::ZeroValue(_) => 0.0,
            Expression::FunctionArgument(number) => {
                self.arguments.get(*number as usize).copied().unwrap_or(UNKNOWN)
            }
            _ => UNKNOWN,
        }
    }

    fn of(&self, handle: Handle<Expression>) -> f32 {
        self.bounds[handle.index()]
    }

    fn block(&mut self, block: &Block) {
        for statement in block.iter() {
            match statement {
                Statement::Emit(range) => {
                    for handle in range.clone() {
                        self.bounds[handle.index()] = self.bound(handle);
                    }
                }
                Statement::Block(inner) => self.block(inner),
                Statement::If { accept, reject, .. } => {
                    let before = self.variables.clone();
                    self.block(accept);
                    let after = std::mem::replace(&mut self.variables, before);
                    self.block(reject);
                    self.join(&after);
                }
                Statement::Switch { cases, .. } => {
                    for case in cases {
                        self.forget(&case.body);
                    }
                    for case in cases {
                        self.block(&case.body);
                        self.forget(&case.body);
                    }
                }
                Statement::Loop { body, continuing, .. } => {
                    self.forget(body);
                    self.forget(continuing);
                    self.block(body);
                    // A `continue` may come from any point of the body.
                    self.forget(body);
                    self.forget(continuing);
                    self.block(continuing);
                    self.forget(continuing);
                }
                Statement::Store { pointer, value } => self.store(*pointer, self.of(*value)),
                Statement::Call { function, arguments, .. } => {
                    let bounds = arguments.iter().map(|argument| self.of(*argument)).collect();
                    self.calls.push((*function, bounds));
                    for argument in arguments {
                        self.store(*argument, UNKNOWN);
                    }
                    self.variables.retain(|variable, _| matches!(variable, Variable::Local(_)));
                }
                _ => {}
            }
        }
    }

    /// Keeps of each variable the larger of both bounds.
    fn join(&mut self, other: &HashMap<Variable, f32>) {
        self.variables.retain(|variable, bound| {
            other.get(variable).is_some_and(|other| {
                *bound = bound.max(*other);
                true
            })
        });
    }

    /// Forgets the bounds of all variables that `block` changes.
    fn forget(&mut self, block: &Block) {
        for statement in block.iter() {
            match statement {
                Statement::Block(inner) => self.forget(inner),
                Statement::If { accept, reject, .. } => {
                    self.forget(accept);
                    self.forget(reject);
                }
                Statement::Switch { cases, .. } => cases.iter().for_each(|case| self.forget(&case.body)),
                Statement::Loop { body, continuing, .. } => {
                    self.forget(body);
                    self.forget(continuing);
                }
                Statement::Store { pointer, .. } => self.store(*pointer, UNKNOWN),
                Statement::Call { arguments, .. } => {
                    arguments.iter().for_each(|argument| self.store(*argument, UNKNOWN));
                    self.variables.retain(|variable, _| matches!(variable, Variable::Local(_)));
                }
                _ => {}
            }
        }
    }

    /// Returns the variable that a pointer leads to, and whether it points to the whole of it.
    fn variable(&self, mut pointer: Handle<Expression>) -> Option<(Variable, bool)> {
        let mut whole = true;
        loop {
            match self.function.expressions[pointer] {
                Expression::Access { base, .. } | Expression::AccessIndex { base, .. } => {
                    (pointer, whole) = (base, false);
                }
                Expression::LocalVariable(local) => return Some((Variable::Local(local), whole)),
                Expression::GlobalVariable(global) => return Some((Variable::Global(global), whole)),
                _ => return None,
            }
        }
    }

    fn store(&mut self, pointer: Handle<Expression>, bound: f32) {
        let Some((variable, whole)) = self.variable(pointer) else { return };
        let known = self.variables.get(&variable).copied().unwrap_or(UNKNOWN);
        self.variables.insert(variable, if whole { bound } else { known.max(bound) });
    }

    fn load(&self, pointer: Handle<Expression>) -> f32 {
        match self.variable(pointer) {
            Some((Variable::Global(global), _))
                if self.module.global_variables[global].space == AddressSpace::Uniform =>
            {
                LARGEST_UNIFORM
            }
            Some((variable, _)) => self.variables.get(&variable).copied().unwrap_or(UNKNOWN),
            None => UNKNOWN,
        }
    }

    /// Bounds the magnitude of every component of an expression.
    fn bound(&self, handle: Handle<Expression>) -> f32 {
        match &self.function.expressions[handle] {
            Expression::Load { pointer } => self.load(*pointer),
            Expression::Compose { components, .. } => {
                components.iter().map(|component| self.of(*component)).fold(0.0, f32::max)
            }
            Expression::Splat { value: inner, .. }
            | Expression::Swizzle { vector: inner, .. }
            | Expression::AccessIndex { base: inner, .. }
            | Expression::Access { base: inner, .. }
            | Expression::Unary { op: UnaryOperator::Negate, expr: inner } => self.of(*inner),
            // Preset textures hold 8-bit channels, the images of coordinates what meshes hold.
            Expression::ImageSample { .. } => 1.0,
            Expression::ImageLoad { .. } => COORDINATE,
            Expression::Binary { op, left, right } => self.binary(*op, *left, *right),
            Expression::Select { accept, reject, .. } => self.of(*accept).max(self.of(*reject)),
            Expression::Math { fun, arg, arg1, arg2, .. } => {
                let args = [Some(*arg), *arg1, *arg2].map(|arg| arg.map_or(0.0, |arg| self.of(arg)));
                math(*fun, args)
            }
            _ => UNKNOWN,
        }
    }

    fn binary(&self, op: BinaryOperator, left: Handle<Expression>, right: Handle<Expression>) -> f32 {
        let (a, b) = (self.of(left), self.of(right));
        match op {
            BinaryOperator::Add | BinaryOperator::Subtract => finite(a + b),
            // A matrix adds up to four products.
            BinaryOperator::Multiply => finite(a * b * 4.0),
            BinaryOperator::Divide => match constant(self.function, right) {
                Some(divisor) if divisor.abs() > 1e-6 => finite(a / divisor.abs()),
                _ => UNKNOWN,
            },
            _ => UNKNOWN,
        }
    }
}

/// Returns a bound that is certainly finite, or [`UNKNOWN`].
fn finite(bound: f32) -> f32 {
    if bound < LARGEST { bound } else { UNKNOWN }
}

/// Bounds a function of finite arguments.
fn math(fun: MathFunction, [a, b, c]: [f32; 3]) -> f32 {
    if [a, b, c].contains(&UNKNOWN) {
        return UNKNOWN;
    }
    match fun {
        MathFunction::Abs | MathFunction::Trunc => a,
        MathFunction::Floor | MathFunction::Ceil | MathFunction::Round => finite(a + 1.0),
        MathFunction::Min | MathFunction::Max => a.max(b),
        MathFunction::Clamp => a.max(b).max(c),
        MathFunction::Saturate
        | MathFunction::Fract
        | MathFunction::Sign
        | MathFunction::Step
        | MathFunction::Tanh => 1.0,
        // Approximations of drivers may leave the range of -1 to 1.
        MathFunction::Sin | MathFunction::Cos => 4.0,
        MathFunction::Atan | MathFunction::Atan2 => 4.0,
        MathFunction::Sqrt => a + 1.0,
        MathFunction::Exp | MathFunction::Exp2 if a <= 60.0 => a.exp(),
        MathFunction::Mix => finite((a + b) * (c + 1.0)),
        MathFunction::Dot | MathFunction::Cross => finite(a * b * 4.0),
        MathFunction::Fma => finite(a * b + c),
        // The square of the largest component must not overflow.
        MathFunction::Length if a < 1e18 => a * 2.0,
        MathFunction::Distance if a.max(b) < 1e18 => (a + b) * 2.0,
        _ => UNKNOWN,
    }
}

/// Returns the value of a number or of a vector of equal ones, if it is a constant.
fn constant(function: &Function, handle: Handle<Expression>) -> Option<f32> {
    match &function.expressions[handle] {
        Expression::Literal(Literal::F32(value)) => Some(*value),
        Expression::Splat { value, .. } => constant(function, *value),
        Expression::Compose { components, .. } => {
            let first = constant(function, *components.first()?)?;
            components.iter().all(|component| constant(function, *component) == Some(first)).then_some(first)
        }
        _ => None,
    }
}

/// Whether an expression is a constant without a zero.
fn never_zero(function: &Function, handle: Handle<Expression>) -> bool {
    match &function.expressions[handle] {
        Expression::Literal(Literal::F32(value)) => *value != 0.0,
        Expression::Splat { value, .. } => never_zero(function, *value),
        Expression::Compose { components, .. } => components.iter().all(|&part| never_zero(function, part)),
        _ => false,
    }
}

fn is_constant(function: &Function, handle: Handle<Expression>) -> bool {
    match &function.expressions[handle] {
        Expression::Literal(_) | Expression::ZeroValue(_) => true,
        Expression::Splat { value, .. } => is_constant(function, *value),
        Expression::Compose { components, .. } => components.iter().all(|&part| is_constant(function, part)),
        _ => false,
    }
}

fn is_zero(function: &Function, handle: Handle<Expression>) -> bool {
    matches!(function.expressions[handle], Expression::ZeroValue(_))
        || constant(function, handle) == Some(0.0)
}

/// A guarded product: the factors and the comparisons of its `select`.
struct Guarded {
    product: Expression,
    either: Handle<Expression>,
    /// For each factor its comparison with 0, and whether the other factor makes it necessary.
    comparisons: [(Handle<Expression>, bool); 2],
}

/// Removes what `bounds` shows to be unnecessary.
fn simplify(function: &mut Function, bounds: &[f32]) {
    let handles: Vec<_> = function.expressions.iter().map(|(handle, _)| handle).collect();
    for handle in handles {
        let Some(Guarded { product, either, comparisons }) = guarded(function, bounds, handle) else {
            continue;
        };
        match comparisons {
            [(_, false), (_, false)] => *function.expressions.get_mut(handle) = product,
            [(only, true), (_, false)] | [(_, false), (only, true)]
                if matches!(function.expressions[only], Expression::Binary { .. }) =>
            {
                *function.expressions.get_mut(either) = function.expressions[only].clone();
            }
            _ => {}
        }
    }
}

fn guarded(function: &Function, bounds: &[f32], handle: Handle<Expression>) -> Option<Guarded> {
    let at = |handle: Handle<Expression>| &function.expressions[handle];
    let Expression::Select { condition, accept, reject } = *at(handle) else { return None };
    let Expression::Binary { op: BinaryOperator::InclusiveOr, left, right } = *at(condition) else {
        return None;
    };
    let product = at(reject);
    let Expression::Binary { op: BinaryOperator::Multiply, left: a, right: b } = *product else {
        return None;
    };
    if !is_zero(function, accept) {
        return None;
    }
    let necessary =
        |comparison: Handle<Expression>, factor: Handle<Expression>, other: Handle<Expression>| {
            let matches = match *at(comparison) {
                Expression::Binary { op: BinaryOperator::Equal, left, right } => {
                    same(function, left, factor) && is_zero(function, right)
                }
                // The comparison of a constant is one.
                _ => is_constant(function, comparison) && is_constant(function, factor),
            };
            matches.then(|| (comparison, bounds[other.index()] == UNKNOWN && !never_zero(function, factor)))
        };
    let comparisons = [necessary(left, a, b)?, necessary(right, b, a)?];
    Some(Guarded { product: product.clone(), either: condition, comparisons })
}

/// Whether two expressions of one statement have the same value.
fn same(function: &Function, a: Handle<Expression>, b: Handle<Expression>) -> bool {
    let (left, right) = (&function.expressions[a], &function.expressions[b]);
    if a == b {
        return true;
    }
    match (left, right) {
        (Expression::Load { pointer: a }, Expression::Load { pointer: b }) => same(function, *a, *b),
        (
            Expression::AccessIndex { base: a, index: first },
            Expression::AccessIndex { base: b, index: second },
        ) => first == second && same(function, *a, *b),
        (
            Expression::Swizzle { size, vector: a, pattern },
            Expression::Swizzle { size: other_size, vector: b, pattern: other },
        ) => {
            let count = *size as usize;
            size == other_size && pattern[..count] == other[..count] && same(function, *a, *b)
        }
        (Expression::Splat { value: a, .. }, Expression::Splat { value: b, .. }) => same(function, *a, *b),
        (Expression::LocalVariable(a), Expression::LocalVariable(b)) => a == b,
        (Expression::GlobalVariable(a), Expression::GlobalVariable(b)) => a == b,
        (Expression::Literal(a), Expression::Literal(b)) => a == b,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns how many comparisons with 0 are left in `body`, which reads uniforms `u`, a texture, and `x`, which may
    /// be infinite.
    fn comparisons(body: &str) -> usize {
        let wgsl = format!(
            "struct U {{ a: vec4<f32>, b: vec4<f32> }} \
             @group(0) @binding(0) var<uniform> u: U; \
             @group(0) @binding(1) var image: texture_2d<f32>; \
             @group(0) @binding(2) var image_sampler: sampler; \
             @fragment fn fs(@location(0) uv: vec2<f32>) -> @location(0) vec4<f32> {{ \
                 let x = 1.0 / u.b.x; \
                 let light = textureSample(image, image_sampler, uv); \
                 {body} }}"
        );
        let mut module = naga::front::wgsl::parse_str(&wgsl).expect("valid WGSL");
        drop_guards(&mut module);
        let used = |function: &Function| {
            let mut used = 0;
            for (_, expression) in function.expressions.iter() {
                let Expression::Select { condition, .. } = expression else { continue };
                used += match &function.expressions[*condition] {
                    Expression::Binary { op: BinaryOperator::InclusiveOr, .. } => 2,
                    _ => 1,
                };
            }
            used
        };
        naga::valid::Validator::new(naga::valid::ValidationFlags::all(), Default::default())
            .validate(&module)
            .expect("still valid");
        module.entry_points.iter().map(|entry| used(&entry.function)).sum()
    }

    #[test]
    fn products_of_finite_values_have_no_guard() {
        let product = "let p = select(light * u.a, vec4(0.0), (light == vec4(0.0)) | (u.a == vec4(0.0)));";
        assert_eq!(comparisons(&format!("{product} return p;")), 0);
        let again = "return select(p * u.b, vec4(0.0), (p == vec4(0.0)) | (u.b == vec4(0.0)));";
        assert_eq!(comparisons(&format!("{product} {again}")), 0);
    }

    #[test]
    fn a_quotient_keeps_the_comparison_of_the_other_factor() {
        let guard = "return vec4(select(x * light.x, 0.0, (x == 0.0) | (light.x == 0.0)));";
        assert_eq!(comparisons(guard), 1);
        assert_eq!(comparisons("return vec4(select(x * 2.0, 0.0, (x == 0.0) | (2.0 == 0.0)));"), 0);
        assert_eq!(comparisons("return vec4(select(x * x, 0.0, (x == 0.0) | (x == 0.0)));"), 2);
    }

    #[test]
    fn a_variable_that_grows_in_a_loop_is_not_finite() {
        let grown = |rounds: &str| {
            format!(
                "var v = light.x; {rounds} \
                 return vec4(select(v * light.y, 0.0, (v == 0.0) | (light.y == 0.0)));"
            )
        };
        assert_eq!(comparisons(&grown("v = v * 3.0;")), 0);
        assert_eq!(comparisons(&grown("for (var i = 0; i < 9; i++) { v = v * 1e9; }")), 1);
        assert_eq!(comparisons(&grown("if u.a.x > 0.0 { v = x; }")), 1);
    }

    #[test]
    fn other_selections_stay() {
        let other = "return vec4(select(light.x * light.z, 0.0, (light.x == 0.0) | (light.y == 0.0)));";
        assert_eq!(comparisons(other), 2);
    }
}
