//! Operators and functions on numbers.

/// Tolerance of comparisons; a value within it of 0 is false.
pub(super) const EPSILON: f64 = 0.00001;

/// Returns the truth value of a number, as in ns-eel2.
pub(super) fn is_true(value: f64) -> bool {
    value.abs() > EPSILON
}

fn from_bool(value: bool) -> f64 {
    if value { 1.0 } else { 0.0 }
}

/// Truncates to an integer, saturating; NaN becomes 0.
fn to_int(value: f64) -> i64 {
    value as i64
}

/// Binary operators that evaluate both operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Power,
    BitOr,
    BitAnd,
    BitXor,
    ShiftLeft,
    ShiftRight,
    Equal,
    NotEqual,
    Less,
    Greater,
    LessEqual,
    GreaterEqual,
}

impl Operator {
    /// Returns `a op b`.
    #[inline(always)]
    pub fn apply(self, a: f64, b: f64) -> f64 {
        match self {
            Self::Add => a + b,
            Self::Subtract => a - b,
            Self::Multiply => a * b,
            Self::Divide => {
                if b.abs() < 1e-300 {
                    0.0
                } else {
                    a / b
                }
            }
            Self::Modulo => match to_int(b) {
                0 => 0.0,
                divisor => to_int(a).wrapping_rem(divisor) as f64,
            },
            Self::Power => power(a, b),
            Self::BitOr => (to_int(a) | to_int(b)) as f64,
            Self::BitAnd => (to_int(a) & to_int(b)) as f64,
            Self::BitXor => (to_int(a) ^ to_int(b)) as f64,
            Self::ShiftLeft => to_int(a).wrapping_shl(to_int(b) as u32) as f64,
            Self::ShiftRight => to_int(a).wrapping_shr(to_int(b) as u32) as f64,
            Self::Equal => from_bool((a - b).abs() < EPSILON),
            Self::NotEqual => from_bool((a - b).abs() >= EPSILON),
            Self::Less => from_bool(a < b),
            Self::Greater => from_bool(a > b),
            Self::LessEqual => from_bool(a <= b),
            Self::GreaterEqual => from_bool(a >= b),
        }
    }
}

fn power(base: f64, exponent: f64) -> f64 {
    let value = base.powf(exponent);
    if value.is_finite() { value } else { 0.0 }
}

/// Functions of one to three arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Sin,
    Cos,
    Tan,
    Asin,
    Acos,
    Atan,
    Atan2,
    Square,
    SquareRoot,
    InverseSquareRoot,
    Power,
    Exp,
    Log,
    Log10,
    Abs,
    Min,
    Max,
    Sign,
    Floor,
    Ceil,
    Int,
    Sigmoid,
    LogicalAnd,
    LogicalOr,
    LogicalNot,
    Equal,
    Above,
    Below,
    /// Draws from the random stream of the machine.
    Random,
    /// Frees `megabuf` from an index on.
    FreeMemory,
    /// `memcpy(to, from, count)` in `megabuf`.
    MemoryCopy,
    /// `memset(to, value, count)` in `megabuf`.
    MemorySet,
}

/// Returns the function called `name`, and its number of arguments.
pub(super) fn find(name: &str) -> Option<(Function, usize)> {
    Some(match name {
        "sin" => (Function::Sin, 1),
        "cos" => (Function::Cos, 1),
        "tan" => (Function::Tan, 1),
        "asin" => (Function::Asin, 1),
        "acos" => (Function::Acos, 1),
        "atan" => (Function::Atan, 1),
        "atan2" => (Function::Atan2, 2),
        "sqr" => (Function::Square, 1),
        "sqrt" => (Function::SquareRoot, 1),
        "invsqrt" => (Function::InverseSquareRoot, 1),
        "pow" | "_powc" => (Function::Power, 2),
        "exp" => (Function::Exp, 1),
        "log" => (Function::Log, 1),
        "log10" => (Function::Log10, 1),
        "abs" => (Function::Abs, 1),
        "min" => (Function::Min, 2),
        "max" => (Function::Max, 2),
        "sign" => (Function::Sign, 1),
        "floor" => (Function::Floor, 1),
        "ceil" => (Function::Ceil, 1),
        "int" => (Function::Int, 1),
        "sigmoid" => (Function::Sigmoid, 2),
        "band" | "_and" => (Function::LogicalAnd, 2),
        "bor" | "_or" => (Function::LogicalOr, 2),
        "bnot" | "_not" => (Function::LogicalNot, 1),
        "equal" | "_equal" => (Function::Equal, 2),
        "above" | "_above" => (Function::Above, 2),
        "below" | "_below" => (Function::Below, 2),
        "rand" => (Function::Random, 1),
        "freembuf" | "_mem_free" => (Function::FreeMemory, 1),
        "memcpy" => (Function::MemoryCopy, 3),
        "memset" => (Function::MemorySet, 3),
        _ => return None,
    })
}

impl Function {
    /// Returns the value of a pure unary function.
    #[inline(always)]
    pub fn call1(self, x: f64) -> f64 {
        match self {
            Self::Sin => x.sin(),
            Self::Cos => x.cos(),
            Self::Tan => x.tan(),
            // Outside their domain these return 0, as in projectM: a NaN would stay in every running sum.
            Self::Asin if x.abs() > 1.0 => 0.0,
            Self::Acos if x.abs() > 1.0 => 0.0,
            Self::Log | Self::Log10 if x <= 0.0 => 0.0,
            Self::Asin => x.asin(),
            Self::Acos => x.acos(),
            Self::Atan => x.atan(),
            Self::Square => x * x,
            Self::SquareRoot => x.abs().sqrt(),
            Self::InverseSquareRoot => 1.0 / x.abs().sqrt().max(1e-12),
            Self::Exp => x.exp(),
            Self::Log => x.ln(),
            Self::Log10 => x.log10(),
            Self::Abs => x.abs(),
            Self::Sign => {
                if x > 0.0 {
                    1.0
                } else if x < 0.0 {
                    -1.0
                } else {
                    0.0
                }
            }
            Self::Floor => x.floor(),
            Self::Ceil => x.ceil(),
            Self::Int => x.trunc(),
            Self::LogicalNot => from_bool(!is_true(x)),
            _ => 0.0,
        }
    }

    /// Returns the value of a pure binary function.
    #[inline(always)]
    pub fn call2(self, x: f64, y: f64) -> f64 {
        match self {
            Self::Atan2 => x.atan2(y),
            Self::Power => power(x, y),
            Self::Min => {
                if x < y {
                    x
                } else {
                    y
                }
            }
            Self::Max => {
                if x > y {
                    x
                } else {
                    y
                }
            }
            Self::Sigmoid => {
                let t = 1.0 + (-x * y).exp();
                if t.abs() > EPSILON { 1.0 / t } else { 0.0 }
            }
            Self::LogicalAnd => from_bool(is_true(x) && is_true(y)),
            Self::LogicalOr => from_bool(is_true(x) || is_true(y)),
            Self::Equal => from_bool((x - y).abs() < EPSILON),
            Self::Above => from_bool(x > y),
            Self::Below => from_bool(x < y),
            _ => 0.0,
        }
    }
}
