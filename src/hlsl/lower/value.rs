//! Values during lowering: constants where they are known, and facts about all other values.

use naga::{Expression, Handle};

use crate::hlsl::types::{Kind, Shape, Ty};
use crate::preprocess::Name;

/// What is known about a number at translation time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Fact {
    /// Upper bound of every component's magnitude; infinite if unknown, in which case a component may be NaN.
    pub bound: f32,
    /// Whether no component is 0 or nearly 0.
    pub nonzero: bool,
}

impl Fact {
    pub const UNKNOWN: Self = Self { bound: f32::INFINITY, nonzero: false };

    pub fn within(bound: f32) -> Self {
        Self { bound: if bound.is_nan() { f32::INFINITY } else { bound }, nonzero: false }
    }

    /// Returns true if the value is known to be neither infinite nor NaN.
    pub fn finite(self) -> bool {
        self.bound.is_finite()
    }

    /// Returns the facts that hold for both values.
    pub fn or(self, other: Self) -> Self {
        Self { bound: self.bound.max(other.bound), nonzero: self.nonzero && other.nonzero }
    }
}

/// The components of a constant; those beyond its shape are ignored.
pub(super) type Components = [f64; 4];

/// A value of a shader expression while it is lowered: its type, its representation, and what is known about it.
#[derive(Clone, Debug)]
pub(super) struct Value {
    pub ty: Ty,
    pub repr: Repr,
    pub fact: Fact,
}

/// The representation of a value.
#[derive(Clone, Debug)]
pub(super) enum Repr {
    /// A constant scalar or vector. Floats are finite and exact in `f32`; booleans are 0 or 1.
    Constant(Components),
    Expr(Handle<Expression>),
    Sampler(Name),
}

impl Value {
    pub fn new(ty: Ty, handle: Handle<Expression>, fact: Fact) -> Self {
        Self { ty, repr: Repr::Expr(handle), fact }
    }

    /// Creates a constant of a numeric type other than a matrix.
    pub fn constant(kind: Kind, shape: Shape, components: Components) -> Self {
        let used = &components[..usize::from(shape.count()).min(4)];
        let bound = used.iter().fold(0.0_f64, |most, component| most.max(component.abs())) as f32;
        let nonzero = used.iter().all(|component| component.abs() > 1e-18);
        Self { ty: Ty::Number(kind, shape), repr: Repr::Constant(components), fact: Fact { bound, nonzero } }
    }

    pub fn float(value: f32) -> Self {
        Self::constant(Kind::Float, Shape::Scalar, [f64::from(value), 0.0, 0.0, 0.0])
    }

    pub fn as_constant(&self) -> Option<Components> {
        match self.repr {
            Repr::Constant(components) => Some(components),
            _ => None,
        }
    }

    /// Returns true if every component is the constant `value`.
    pub fn is_all(&self, value: f64) -> bool {
        let count = usize::from(self.shape().count()).min(4);
        self.as_constant().is_some_and(|components| components[..count].iter().all(|own| *own == value))
    }

    /// Returns the kind of a number; float for any other type.
    pub fn kind(&self) -> Kind {
        match self.ty {
            Ty::Number(kind, _) => kind,
            _ => Kind::Float,
        }
    }

    /// Returns the shape of a number; a scalar for any other type.
    pub fn shape(&self) -> Shape {
        match self.ty {
            Ty::Number(_, shape) => shape,
            _ => Shape::Scalar,
        }
    }

    /// Returns true if this is a constant whose components are all at least `least`.
    pub fn is_at_least(&self, least: f64) -> bool {
        let count = usize::from(self.shape().count()).min(4);
        self.as_constant().is_some_and(|components| components[..count].iter().all(|own| *own >= least))
    }
}
