//! Operators and functions on numbers: the semantics that every back end reproduces bit for bit.

/// Tolerance of `==` and `!=`; numbers no farther than this from 0 are false.
pub(super) const EPSILON: f64 = 0.00001;
/// Minimum magnitude of a divisor; dividing by anything smaller gives 0.
pub(super) const MIN_DIVISOR: f64 = 1e-300;
/// Smallest square root that `invsqrt` divides by.
pub(super) const MIN_ROOT: f64 = 1e-12;
/// Maximum number of iterations of one `loop` or `while`, as in ns-eel2.
pub(super) const MAX_ITERATIONS: u32 = 1_048_576;
/// Number of instructions that a function costs if it takes many times as long as an addition.
const EXPENSIVE: u32 = 8;

/// Returns whether a number counts as true, as in ns-eel2.
pub(super) fn is_true(value: f64) -> bool {
    value.abs() > EPSILON
}

pub(super) fn from_bool(value: bool) -> f64 {
    if value { 1.0 } else { 0.0 }
}

/// Truncates to an integer, saturating; NaN becomes 0.
fn to_int(value: f64) -> i64 {
    value as i64
}

/// Returns the number of iterations of `loop(count, ...)`.
pub(super) fn iterations(count: f64) -> f64 {
    to_int(count).clamp(0, i64::from(MAX_ITERATIONS)) as f64
}

/// Comparisons; all are false if an operand is NaN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Comparison {
    /// Equal within [`EPSILON`].
    Equal,
    NotEqual,
    Less,
    Greater,
    LessEqual,
    GreaterEqual,
}

impl Comparison {
    /// Returns the result of comparing `a` with `b`.
    #[inline(always)]
    pub fn holds(self, a: f64, b: f64) -> bool {
        match self {
            Self::Equal => (a - b).abs() < EPSILON,
            Self::NotEqual => (a - b).abs() >= EPSILON,
            Self::Less => a < b,
            Self::Greater => a > b,
            Self::LessEqual => a <= b,
            Self::GreaterEqual => a >= b,
        }
    }
}

/// Pure operators and functions of two numbers; both operands are always evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Binary {
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
    Compare(Comparison),
    /// `band`: both are true.
    Both,
    /// `bor`: at least one is true.
    Either,
    Atan2,
    Min,
    Max,
    Sigmoid,
}

impl Binary {
    /// Applies the operator or function to `a` and `b`.
    #[inline(always)]
    pub fn apply(self, a: f64, b: f64) -> f64 {
        match self {
            Self::Add => a + b,
            Self::Subtract => a - b,
            Self::Multiply => a * b,
            Self::Divide => {
                if b.abs() < MIN_DIVISOR {
                    0.0
                } else {
                    a / b
                }
            }
            Self::Modulo => match to_int(b) {
                0 => 0.0,
                divisor => to_int(a).wrapping_rem(divisor) as f64,
            },
            Self::Power => {
                let value = a.powf(b);
                if value.is_finite() { value } else { 0.0 }
            }
            Self::BitOr => (to_int(a) | to_int(b)) as f64,
            Self::BitAnd => (to_int(a) & to_int(b)) as f64,
            Self::BitXor => (to_int(a) ^ to_int(b)) as f64,
            Self::ShiftLeft => to_int(a).wrapping_shl(to_int(b) as u32) as f64,
            Self::ShiftRight => to_int(a).wrapping_shr(to_int(b) as u32) as f64,
            Self::Compare(comparison) => from_bool(comparison.holds(a, b)),
            Self::Both => from_bool(is_true(a) && is_true(b)),
            Self::Either => from_bool(is_true(a) || is_true(b)),
            Self::Atan2 => a.atan2(b),
            Self::Min => {
                if a < b {
                    a
                } else {
                    b
                }
            }
            Self::Max => {
                if a > b {
                    a
                } else {
                    b
                }
            }
            Self::Sigmoid => {
                let t = 1.0 + (-a * b).exp();
                if t.abs() > EPSILON { 1.0 / t } else { 0.0 }
            }
        }
    }

    /// Returns the number of instructions that the operation costs.
    pub fn cost(self) -> u32 {
        match self {
            Self::Power | Self::Atan2 | Self::Sigmoid => EXPENSIVE,
            _ => 1,
        }
    }

    /// Returns true if the operation is so cheap that computing it speculatively beats a branch.
    pub fn is_cheap(self) -> bool {
        !matches!(self, Self::Divide | Self::Modulo | Self::Power | Self::Atan2 | Self::Sigmoid)
    }
}

/// Pure functions of one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Unary {
    Negate,
    Sin,
    Cos,
    Tan,
    Asin,
    Acos,
    Atan,
    Square,
    SquareRoot,
    InverseSquareRoot,
    Exp,
    Log,
    Log10,
    Abs,
    Sign,
    Floor,
    Ceil,
}

impl Unary {
    /// Applies the function to `x`.
    #[inline(always)]
    pub fn apply(self, x: f64) -> f64 {
        match self {
            // Outside their domain, these return 0, as in projectM; a NaN would persist in any running sum.
            Self::Asin if x.abs() > 1.0 => 0.0,
            Self::Acos if x.abs() > 1.0 => 0.0,
            Self::Log | Self::Log10 if x <= 0.0 => 0.0,
            Self::Negate => -x,
            Self::Sin => x.sin(),
            Self::Cos => x.cos(),
            Self::Tan => x.tan(),
            Self::Asin => x.asin(),
            Self::Acos => x.acos(),
            Self::Atan => x.atan(),
            Self::Square => x * x,
            Self::SquareRoot => x.abs().sqrt(),
            Self::InverseSquareRoot => 1.0 / x.abs().sqrt().max(MIN_ROOT),
            Self::Exp => x.exp(),
            Self::Log => x.ln(),
            Self::Log10 => x.log10(),
            Self::Abs => x.abs(),
            Self::Sign => from_bool(x > 0.0) - from_bool(x < 0.0),
            Self::Floor => x.floor(),
            Self::Ceil => x.ceil(),
        }
    }

    /// Returns the number of instructions that the function costs.
    pub fn cost(self) -> u32 {
        match self {
            Self::Sin
            | Self::Cos
            | Self::Tan
            | Self::Asin
            | Self::Acos
            | Self::Atan
            | Self::Exp
            | Self::Log
            | Self::Log10 => EXPENSIVE,
            _ => 1,
        }
    }

    /// Returns true if the operation is so cheap that computing it speculatively beats a branch.
    pub fn is_cheap(self) -> bool {
        matches!(self, Self::Negate | Self::Square | Self::Abs | Self::Sign | Self::Floor | Self::Ceil)
    }
}

/// Functions that copy or fill ranges of `megabuf`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Move {
    /// `memcpy(to, from, count)`.
    Copy,
    /// `memset(to, value, count)`.
    Set,
}

/// The function that a name refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Unary(Unary),
    Binary(Binary),
    /// `bnot`.
    Not,
    /// `rand`: draws from the random stream of the machine.
    Random,
    /// `freembuf`: frees `megabuf` from an index onwards.
    Free,
    Move(Move),
    /// `_addop`, `_subop` and so on: `target op= value`.
    Assign(Binary),
}

impl Function {
    /// Returns the number of arguments.
    pub fn arguments(self) -> usize {
        match self {
            Self::Unary(_) | Self::Not | Self::Random | Self::Free => 1,
            Self::Binary(_) | Self::Assign(_) => 2,
            Self::Move(_) => 3,
        }
    }
}

/// Returns the function called `name`, if there is one. Operators also have names, such as `_add`, by which
/// presets may call them.
pub(super) fn find(name: &str) -> Option<Function> {
    use Function::{Assign, Free, Move as Moved, Not, Random};
    let unary = Function::Unary;
    let binary = Function::Binary;
    let compare = |comparison| Function::Binary(Binary::Compare(comparison));
    Some(match name {
        "sin" => unary(Unary::Sin),
        "cos" => unary(Unary::Cos),
        "tan" => unary(Unary::Tan),
        "asin" => unary(Unary::Asin),
        "acos" => unary(Unary::Acos),
        "atan" => unary(Unary::Atan),
        "sqr" => unary(Unary::Square),
        "sqrt" => unary(Unary::SquareRoot),
        "invsqrt" => unary(Unary::InverseSquareRoot),
        "exp" => unary(Unary::Exp),
        "log" => unary(Unary::Log),
        "log10" => unary(Unary::Log10),
        "abs" => unary(Unary::Abs),
        "sign" => unary(Unary::Sign),
        "floor" | "int" => unary(Unary::Floor),
        "ceil" => unary(Unary::Ceil),
        "_neg" => unary(Unary::Negate),
        "_add" => binary(Binary::Add),
        "_sub" => binary(Binary::Subtract),
        "_mul" => binary(Binary::Multiply),
        "_div" => binary(Binary::Divide),
        "_mod" => binary(Binary::Modulo),
        "pow" | "_pow" | "_powc" => binary(Binary::Power),
        "_xor" => binary(Binary::BitXor),
        "_shl" => binary(Binary::ShiftLeft),
        "_shr" => binary(Binary::ShiftRight),
        "atan2" => binary(Binary::Atan2),
        "min" => binary(Binary::Min),
        "max" => binary(Binary::Max),
        "sigmoid" => binary(Binary::Sigmoid),
        "band" => binary(Binary::Both),
        "bor" => binary(Binary::Either),
        "equal" | "_equal" => compare(Comparison::Equal),
        "_noteq" => compare(Comparison::NotEqual),
        "above" | "_above" => compare(Comparison::Greater),
        "below" | "_below" => compare(Comparison::Less),
        "_aboeq" => compare(Comparison::GreaterEqual),
        "_beleq" => compare(Comparison::LessEqual),
        "_addop" => Assign(Binary::Add),
        "_subop" => Assign(Binary::Subtract),
        "_mulop" => Assign(Binary::Multiply),
        "_divop" => Assign(Binary::Divide),
        "_modop" => Assign(Binary::Modulo),
        "_powop" => Assign(Binary::Power),
        "_orop" => Assign(Binary::BitOr),
        "_andop" => Assign(Binary::BitAnd),
        "_xorop" => Assign(Binary::BitXor),
        "bnot" | "_not" => Not,
        "rand" => Random,
        "freembuf" | "_mem_free" => Free,
        "memcpy" => Moved(Move::Copy),
        "memset" => Moved(Move::Set),
        _ => return None,
    })
}
