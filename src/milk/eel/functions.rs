//! Operators and functions on plain numbers, and the names presets call them by.

/// Numbers closer than this count as equal, and as false when close to 0.
pub(super) const CLOSE: f64 = 0.00001;

/// True as ns-eel2 sees it.
pub(super) fn truth(value: f64) -> bool {
    value.abs() > CLOSE
}

fn number(truth: bool) -> f64 {
    if truth { 1.0 } else { 0.0 }
}

/// A whole number as C's cast gives it, without undefined cases.
fn whole(value: f64) -> i64 {
    value as i64
}

/// Two-sided operators that always evaluate both sides.
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
    /// The value of `a op b`.
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
            Self::Modulo => match whole(b) {
                0 => 0.0,
                divisor => whole(a).wrapping_rem(divisor) as f64,
            },
            Self::Power => power(a, b),
            Self::BitOr => (whole(a) | whole(b)) as f64,
            Self::BitAnd => (whole(a) & whole(b)) as f64,
            Self::BitXor => (whole(a) ^ whole(b)) as f64,
            Self::ShiftLeft => whole(a).wrapping_shl(whole(b) as u32) as f64,
            Self::ShiftRight => whole(a).wrapping_shr(whole(b) as u32) as f64,
            Self::Equal => number((a - b).abs() < CLOSE),
            Self::NotEqual => number((a - b).abs() >= CLOSE),
            Self::Less => number(a < b),
            Self::Greater => number(a > b),
            Self::LessEqual => number(a <= b),
            Self::GreaterEqual => number(a >= b),
        }
    }
}

fn power(base: f64, exponent: f64) -> f64 {
    let value = base.powf(exponent);
    if value.is_finite() { value } else { 0.0 }
}

/// Functions of one to three numbers.
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
    BothTrue,
    AnyTrue,
    NotTrue,
    Equal,
    Above,
    Below,
    /// Draws from the machine's random stream.
    Random,
    /// Frees the caller's memory above an index.
    FreeMemory,
    /// `memcpy(to, from, count)` in `megabuf`.
    MemoryCopy,
    /// `memset(to, value, count)` in `megabuf`.
    MemorySet,
}

/// Function and how many arguments it takes.
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
        "band" | "_and" => (Function::BothTrue, 2),
        "bor" | "_or" => (Function::AnyTrue, 2),
        "bnot" | "_not" => (Function::NotTrue, 1),
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
    /// The value of a pure function of one number.
    #[inline(always)]
    pub fn of_one(self, x: f64) -> f64 {
        match self {
            Self::Sin => x.sin(),
            Self::Cos => x.cos(),
            Self::Tan => x.tan(),
            // Outside their domain these give 0, as in the reference: one NaN would spoil a sum for good.
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
            Self::NotTrue => number(!truth(x)),
            _ => 0.0,
        }
    }

    /// The value of a pure function of two numbers.
    #[inline(always)]
    pub fn of_two(self, x: f64, y: f64) -> f64 {
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
                if t.abs() > CLOSE { 1.0 / t } else { 0.0 }
            }
            Self::BothTrue => number(truth(x) && truth(y)),
            Self::AnyTrue => number(truth(x) || truth(y)),
            Self::Equal => number((x - y).abs() < CLOSE),
            Self::Above => number(x > y),
            Self::Below => number(x < y),
            _ => 0.0,
        }
    }
}
