//! Operands of expressions in naga's intermediate representation.

use naga::{Expression, Handle, SampleLevel};

/// Calls `visit` with each operand of `expression`, for all kinds of expressions that occur in preset shaders and
/// built-in shaders.
pub(super) fn operands(expression: &Expression, mut visit: impl FnMut(Handle<Expression>)) {
    operands_mut(&mut expression.clone(), |operand| visit(*operand));
}

/// Like [`operands`], but `visit` can replace each operand.
pub(super) fn operands_mut(expression: &mut Expression, mut visit: impl FnMut(&mut Handle<Expression>)) {
    match expression {
        Expression::Compose { components, .. } => components.iter_mut().for_each(visit),
        Expression::Access { base, index } => [base, index].into_iter().for_each(visit),
        Expression::AccessIndex { base: operand, .. }
        | Expression::Splat { value: operand, .. }
        | Expression::Swizzle { vector: operand, .. }
        | Expression::Load { pointer: operand }
        | Expression::Unary { expr: operand, .. }
        | Expression::Derivative { expr: operand, .. }
        | Expression::Relational { argument: operand, .. }
        | Expression::As { expr: operand, .. }
        | Expression::ArrayLength(operand)
        | Expression::ImageQuery { image: operand, .. } => visit(operand),
        Expression::Binary { left, right, .. } => [left, right].into_iter().for_each(visit),
        Expression::Select { condition, accept, reject } => {
            [condition, accept, reject].into_iter().for_each(visit);
        }
        Expression::Math { arg, arg1, arg2, arg3, .. } => {
            visit(arg);
            [arg1, arg2, arg3].into_iter().flatten().for_each(visit);
        }
        Expression::ImageSample {
            image, sampler, coordinate, array_index, offset, level, depth_ref, ..
        } => {
            [image, sampler, coordinate].into_iter().for_each(&mut visit);
            [array_index, offset, depth_ref].into_iter().flatten().for_each(&mut visit);
            match level {
                SampleLevel::Auto | SampleLevel::Zero => {}
                SampleLevel::Exact(level) | SampleLevel::Bias(level) => visit(level),
                SampleLevel::Gradient { x, y } => [x, y].into_iter().for_each(visit),
            }
        }
        Expression::ImageLoad { image, coordinate, array_index, sample, level } => {
            [image, coordinate].into_iter().for_each(&mut visit);
            [array_index, sample, level].into_iter().flatten().for_each(visit);
        }
        // Leaves, and expressions that neither preset shaders nor built-in shaders contain.
        _ => {}
    }
}
