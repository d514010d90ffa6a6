//! Constant folding of intrinsic functions.

use super::value::Value;
use crate::hlsl::types::{Kind, Shape};

/// Coefficients of the arc cosine polynomial, highest power first.
pub(super) const ARC: [f32; 4] = [-0.018_729_3, 0.074_261, -0.212_114_4, 1.570_728_8];

fn arc_cosine(x: f32) -> f32 {
    let size = x.abs();
    let sum = ARC[1..].iter().fold(ARC[0], |sum, coefficient| sum * size + coefficient);
    let right = sum * (1.0 - size).abs().sqrt();
    if x < 0.0 { std::f32::consts::PI - right } else { right }
}

fn one(name: &str, x: f32) -> Option<f32> {
    Some(match name {
        "abs" => x.abs(),
        "sign" if x == 0.0 => 0.0,
        "sign" => x.signum(),
        "ceil" => x.ceil(),
        "floor" => x.floor(),
        "trunc" => x.trunc(),
        "frac" => x - x.floor(),
        "round" => (x + 0.5).floor(),
        "saturate" => x.clamp(0.0, 1.0),
        "cos" => x.cos(),
        "sin" => x.sin(),
        "tan" => x.tan(),
        "cosh" => x.cosh(),
        "sinh" => x.sinh(),
        "tanh" => x.tanh(),
        "atan" => x.atan(),
        "acos" => arc_cosine(x),
        "asin" => std::f32::consts::FRAC_PI_2 - arc_cosine(x),
        "degrees" => x.to_degrees(),
        "radians" => x.to_radians(),
        "exp" => x.exp(),
        "exp2" => x.exp2(),
        "log" => x.abs().ln(),
        "log2" => x.abs().log2(),
        "log10" => x.abs().log10(),
        "sqrt" => x.abs().sqrt(),
        "rsqrt" => 1.0 / x.abs().sqrt(),
        "rcp" => 1.0 / x,
        _ => return None,
    })
}

fn two(name: &str, x: f32, y: f32) -> Option<f32> {
    Some(match name {
        "min" => x.min(y),
        "max" => x.max(y),
        "pow" => x.abs().powf(y),
        "atan2" => x.atan2(y),
        "step" => f32::from(y >= x),
        "fmod" if y == 0.0 => 0.0,
        "fmod" => x % y,
        _ => return None,
    })
}

fn three(name: &str, x: f32, y: f32, z: f32) -> Option<f32> {
    Some(match name {
        "clamp" => x.max(y).min(z),
        "lerp" => x + (y - x) * z,
        _ => return None,
    })
}

/// Folds a function component-wise; `None` for unsupported functions, non-constant arguments or non-finite results.
pub(super) fn function(name: &str, values: &[Value], shape: Shape) -> Option<Value> {
    let mut components = [0.0; 4];
    for (index, component) in components.iter_mut().enumerate().take(usize::from(shape.count())) {
        let at = |value: usize| values[value].as_constant().map(|components| components[index] as f32);
        let folded = match values.len() {
            1 => one(name, at(0)?),
            2 => two(name, at(0)?, at(1)?),
            3 => three(name, at(0)?, at(1)?, at(2)?),
            _ => None,
        };
        *component = f64::from(folded.filter(|value| value.is_finite())?);
    }
    Some(Value::constant(Kind::Float, shape, components))
}
