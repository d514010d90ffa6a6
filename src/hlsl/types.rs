//! HLSL types, their names, and type conversions.

/// Kind of a number, in promotion order: the later kind wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Bool,
    Int,
    Uint,
    Float,
}

/// Shape of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    Scalar,
    /// Two to four components.
    Vector(u8),
    /// Two to four rows and columns of floats.
    Matrix(u8, u8),
}

impl Shape {
    /// Returns the shape of `rows` x `columns` numbers; a single row or column is a vector.
    pub fn of(rows: u8, columns: u8) -> Self {
        match (rows, columns) {
            (1, 1) => Self::Scalar,
            (1, n) | (n, 1) => Self::Vector(n),
            (rows, columns) => Self::Matrix(rows, columns),
        }
    }

    /// Returns the number of components.
    pub fn count(self) -> u8 {
        match self {
            Self::Scalar => 1,
            Self::Vector(n) => n,
            Self::Matrix(rows, columns) => rows * columns,
        }
    }
}

/// Type of a value or variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ty {
    Void,
    Number(Kind, Shape),
    /// Index in the table of array types.
    Array(u32),
    /// Index in the table of structs.
    Struct(u32),
    Sampler,
}

impl Ty {
    pub const FLOAT: Self = Self::Number(Kind::Float, Shape::Scalar);
    pub const INT: Self = Self::Number(Kind::Int, Shape::Scalar);
    pub const BOOL: Self = Self::Number(Kind::Bool, Shape::Scalar);

    pub fn vector(size: u8) -> Self {
        Self::Number(Kind::Float, Shape::of(1, size))
    }
}

/// Size and depth of a type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// Size of a value, in bytes; 0 for void and samplers.
    pub bytes: u64,
    /// Nesting depth of arrays and structs; 0 for a number.
    pub depth: usize,
}

/// An array type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArrayType {
    pub element: Ty,
    pub length: u32,
    pub extent: Extent,
}

/// Returns the numeric type called `name`, such as `float3` or `int2x2`; `None` if there is none.
pub(super) fn numeric(name: &str) -> Option<Ty> {
    // Only digits at the end are dimensions: `min16float` and `min12int` contain others.
    let word = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == 'x');
    let kind = match word {
        "float" | "half" | "double" | "fixed" | "min16float" | "min10float" => Kind::Float,
        "int" | "min16int" | "min12int" => Kind::Int,
        "uint" | "dword" | "min16uint" => Kind::Uint,
        "bool" => Kind::Bool,
        _ => return None,
    };
    let size = |byte: u8| (b'1'..=b'4').contains(&byte).then(|| byte - b'0');
    let shape = match &name.as_bytes()[word.len()..] {
        [] => Shape::Scalar,
        [n] => Shape::of(1, size(*n)?),
        [rows, b'x', columns] => Shape::of(size(*rows)?, size(*columns)?),
        _ => return None,
    };
    Some(number(kind, shape))
}

/// Returns a numeric type; matrices are always of floats.
pub(super) fn number(kind: Kind, shape: Shape) -> Ty {
    match shape {
        Shape::Matrix(..) => Ty::Number(Kind::Float, shape),
        _ => Ty::Number(kind, shape),
    }
}

/// Returns the shape of a binary operation: scalars broadcast, and larger vectors and matrices are truncated.
pub(super) fn common_shape(left: Shape, right: Shape) -> Shape {
    use Shape::{Matrix, Scalar, Vector};
    match (left, right) {
        (Scalar, other) | (other, Scalar) => other,
        (Vector(a), Vector(b)) => Vector(a.min(b)),
        (Matrix(a, b), Matrix(c, d)) => Shape::of(a.min(c), b.min(d)),
        (Matrix(..), Vector(n)) | (Vector(n), Matrix(..)) => Vector(n),
    }
}
