//! Arithmetic on constants, with the results that the shader would compute.

use super::ast::{Ast, Expr, ExprId, Operator, Prefix};
use super::types::Kind;

/// Rounds to `f32` precision.
fn float(value: f64) -> f64 {
    f64::from(value as f32)
}

/// Folds an arithmetic or bitwise operator on one component; `None` for other operators and non-finite results.
pub(super) fn fold(operator: Operator, kind: Kind, left: f64, right: f64) -> Option<f64> {
    if kind == Kind::Float {
        let value = match operator {
            Operator::Add => left + right,
            Operator::Subtract => left - right,
            Operator::Multiply => left * right,
            Operator::Divide if left == 0.0 => 0.0,
            Operator::Divide => float(left) / right,
            Operator::Modulo if right == 0.0 => 0.0,
            Operator::Modulo => left % right,
            _ => return None,
        };
        return Some(float(value)).filter(|value| value.is_finite());
    }
    let (a, b) = (left as i64, right as i64);
    let value = match operator {
        Operator::Add => a + b,
        Operator::Subtract => a - b,
        Operator::Multiply => a.wrapping_mul(b),
        Operator::Divide if b == 0 && kind == Kind::Uint => a.signum() * i64::from(u32::MAX),
        Operator::Divide if b == 0 => a.signum() * i64::from(i32::MAX),
        Operator::Divide => a / b,
        Operator::Modulo if b == 0 => 0,
        Operator::Modulo => a % b,
        Operator::BitAnd => a & b,
        Operator::BitOr => a | b,
        Operator::BitXor => a ^ b,
        Operator::ShiftLeft => a << (b & 31),
        Operator::ShiftRight => a >> (b & 31),
        _ => return None,
    };
    Some(if kind == Kind::Uint { f64::from(value as u32) } else { f64::from(value as i32) })
}

/// Returns the kind and the value of an expression of signed integers and floats; `None` for any other expression.
pub(super) fn evaluate(ast: &Ast, id: ExprId) -> Option<(Kind, f64)> {
    let (first, rest) = ast.chain(id);
    let first = match ast.expr(first) {
        Expr::Int(value, false) => (Kind::Int, f64::from(i32::try_from(*value).ok()?)),
        Expr::Float(value) => (Kind::Float, f64::from(*value)),
        Expr::Prefix(Prefix::Minus, inner) => match evaluate(ast, *inner)? {
            (Kind::Int, value) => (Kind::Int, f64::from((value as i32).wrapping_neg())),
            (kind, value) => (kind, -value),
        },
        _ => return None,
    };
    rest.into_iter().try_fold(first, |(left_kind, left), (operator, right, _)| {
        let (right_kind, right) = evaluate(ast, right)?;
        let kind = left_kind.max(right_kind);
        let [left, right] = [left, right].map(|value| if kind == Kind::Float { float(value) } else { value });
        Some((kind, fold(operator, kind, left, right)?))
    })
}
