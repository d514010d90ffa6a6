//! Converts between types, and from values to naga expressions.

use naga::{Expression, Handle, Literal, SwizzleComponent};

use super::context::{Lowering, scalar, size};
use super::value::{Components, Fact, Repr, Value};
use crate::hlsl::types::{Kind, Shape, Ty, number};
use crate::preprocess::{Error, Pos};

const COMPONENTS: [SwizzleComponent; 4] =
    [SwizzleComponent::X, SwizzleComponent::Y, SwizzleComponent::Z, SwizzleComponent::W];

fn literal(kind: Kind, value: f64) -> Literal {
    match kind {
        Kind::Bool => Literal::Bool(value != 0.0),
        Kind::Int => Literal::I32(value as i32),
        Kind::Uint => Literal::U32(value as u32),
        Kind::Float => Literal::F32(value as f32),
    }
}

/// Converts one component of a constant.
fn convert_component(value: f64, from: Kind, to: Kind) -> f64 {
    match (from, to) {
        (_, Kind::Bool) => f64::from(value != 0.0),
        (Kind::Float, Kind::Int) => f64::from(value.trunc() as i32),
        (Kind::Float, Kind::Uint) => f64::from(value.trunc() as u32),
        (Kind::Uint, Kind::Int) => f64::from(value as u32 as i32),
        (Kind::Int, Kind::Uint) => f64::from(value as i32 as u32),
        (_, Kind::Float) => f64::from(value as f32),
        _ => value,
    }
}

impl Lowering<'_> {
    /// Returns the expression of a value, materializing constants.
    pub fn expr(&mut self, value: &Value) -> Handle<Expression> {
        match value.repr {
            Repr::Expr(handle) => handle,
            Repr::Constant(components) => self.constant_expr(value, components),
            // Samplers are resolved at each call, so their value is never used.
            Repr::Sampler(_) => self.f.add(Expression::Literal(Literal::F32(0.0))),
        }
    }

    fn constant_expr(&mut self, value: &Value, components: Components) -> Handle<Expression> {
        let kind = value.kind();
        let Shape::Vector(count) = value.shape() else {
            return self.f.add(Expression::Literal(literal(kind, components[0])));
        };
        let used = &components[..usize::from(count)];
        if used.iter().all(|component| component.to_bits() == used[0].to_bits()) {
            let value = self.f.add(Expression::Literal(literal(kind, used[0])));
            return self.f.add(Expression::Splat { size: size(count), value });
        }
        let ty = self.naga_type(value.ty);
        let components =
            used.iter().map(|component| self.f.add(Expression::Literal(literal(kind, *component)))).collect();
        self.f.add(Expression::Compose { ty, components })
    }

    /// Converts `value` to `ty` as an assignment does.
    pub fn convert(&mut self, value: Value, ty: Ty, pos: Pos) -> Result<Value, Error> {
        if value.ty == ty {
            return Ok(value);
        }
        let (Ty::Number(_, from), Ty::Number(kind, to)) = (value.ty, ty) else {
            return self.cannot(pos, "convert", value.ty, ty);
        };
        let fits = match (from, to) {
            (Shape::Scalar, _) | (_, Shape::Scalar) => true,
            (Shape::Vector(own), Shape::Vector(wanted)) => own >= wanted,
            (Shape::Matrix(a, b), Shape::Matrix(c, d)) => a >= c && b >= d,
            (from, to) => from.count() == to.count(),
        };
        if !fits {
            return self.cannot(pos, "convert", value.ty, ty);
        }
        let value = self.reshape(value, to);
        Ok(self.with_kind(value, kind))
    }

    /// Converts a number to another kind; a matrix, whose elements are always floats, is returned unchanged.
    pub fn with_kind(&mut self, value: Value, kind: Kind) -> Value {
        let (from, shape) = (value.kind(), value.shape());
        if from == kind || matches!(shape, Shape::Matrix(..)) {
            return value;
        }
        if let Some(components) = value.as_constant() {
            let components = components.map(|component| convert_component(component, from, kind));
            return Value::constant(kind, shape, components);
        }
        let expr = self.expr(&value);
        let wanted = scalar(kind);
        let handle = self.f.add(Expression::As { expr, kind: wanted.kind, convert: Some(wanted.width) });
        let fact = match (from, kind) {
            (Kind::Bool, _) | (_, Kind::Bool) => Fact::within(1.0),
            (Kind::Int | Kind::Uint, Kind::Float) => {
                Fact { bound: value.fact.bound.min(4.3e9), ..value.fact }
            }
            _ => Fact::within(value.fact.bound.min(4.3e9)),
        };
        Value::new(number(kind, shape), handle, fact)
    }

    /// Broadcasts or truncates a number to `shape`.
    pub fn reshape(&mut self, value: Value, shape: Shape) -> Value {
        let from = value.shape();
        if from == shape {
            return value;
        }
        let ty = number(value.kind(), shape);
        if let (Some(components), false) = (value.as_constant(), matches!(shape, Shape::Matrix(..))) {
            let components = match from {
                Shape::Scalar => [components[0]; 4],
                _ => components,
            };
            return Value::constant(value.kind(), shape, components);
        }
        match (from, shape) {
            (Shape::Scalar, Shape::Vector(count)) => {
                let inner = self.expr(&value);
                let handle = self.f.add(Expression::Splat { size: size(count), value: inner });
                Value::new(ty, handle, value.fact)
            }
            (Shape::Vector(_), Shape::Vector(count)) => {
                let first: Vec<u8> = (0..count).collect();
                self.swizzle(&value, &first)
            }
            (Shape::Vector(_), Shape::Scalar) => self.component(&value, 0),
            (Shape::Matrix(..), Shape::Scalar) => {
                let row = self.row(&value, 0);
                self.component(&row, 0)
            }
            (Shape::Matrix(..), Shape::Matrix(rows, columns)) => {
                let rows = (0..rows)
                    .map(|row| {
                        let row = self.row(&value, row);
                        self.reshape(row, Shape::Vector(columns))
                    })
                    .collect();
                self.matrix(rows)
            }
            (Shape::Scalar, Shape::Matrix(rows, columns)) => {
                let value = self.with_kind(value, Kind::Float);
                let row = self.reshape(value, Shape::Vector(columns));
                self.matrix(vec![row; usize::from(rows)])
            }
            (from, _) => {
                let parts = self.scalars(&value);
                debug_assert!(from.count() >= shape.count());
                self.compose(value.kind(), shape, &parts[..usize::from(shape.count())])
            }
        }
    }

    /// Returns all elements of a number, in row-major order.
    pub fn scalars(&mut self, value: &Value) -> Vec<Value> {
        match value.shape() {
            Shape::Scalar => vec![value.clone()],
            Shape::Vector(count) => (0..count).map(|index| self.component(value, index)).collect(),
            Shape::Matrix(rows, columns) => {
                let mut all = Vec::new();
                for row in 0..rows {
                    let row = self.row(value, row);
                    all.extend((0..columns).map(|column| self.component(&row, column)));
                }
                all
            }
        }
    }

    /// Builds a scalar, vector or matrix from its elements, in row-major order.
    pub fn compose(&mut self, kind: Kind, shape: Shape, parts: &[Value]) -> Value {
        match shape {
            Shape::Scalar => parts[0].clone(),
            Shape::Matrix(_, columns) => {
                let rows = parts
                    .chunks(usize::from(columns))
                    .map(|row| self.compose(Kind::Float, Shape::Vector(columns), row))
                    .collect();
                self.matrix(rows)
            }
            Shape::Vector(_) => {
                let constants: Option<Vec<f64>> =
                    parts.iter().map(|part| part.as_constant().map(|components| components[0])).collect();
                if let Some(constants) = constants {
                    let mut components = [0.0; 4];
                    components[..constants.len()].copy_from_slice(&constants);
                    return Value::constant(kind, shape, components);
                }
                let fact = parts.iter().map(|part| part.fact).reduce(Fact::or).unwrap_or(Fact::UNKNOWN);
                let components = parts.iter().map(|part| self.expr(part)).collect();
                let ty = number(kind, shape);
                let handle = self.naga_type(ty);
                let handle = self.f.add(Expression::Compose { ty: handle, components });
                Value::new(ty, handle, fact)
            }
        }
    }

    /// Builds a matrix from its rows, which are float vectors.
    pub fn matrix(&mut self, rows: Vec<Value>) -> Value {
        let columns = rows[0].shape().count();
        let fact = rows.iter().map(|row| row.fact).reduce(Fact::or).unwrap_or(Fact::UNKNOWN);
        let ty = Ty::Number(Kind::Float, Shape::Matrix(rows.len() as u8, columns));
        let components = rows
            .into_iter()
            .map(|row| {
                let row = self.with_kind(row, Kind::Float);
                self.expr(&row)
            })
            .collect();
        let handle = self.naga_type(ty);
        let handle = self.f.add(Expression::Compose { ty: handle, components });
        Value::new(ty, handle, fact)
    }

    /// Returns one row of a matrix; any other value is returned unchanged.
    pub fn row(&mut self, value: &Value, row: u8) -> Value {
        let Shape::Matrix(_, columns) = value.shape() else { return value.clone() };
        let base = self.expr(value);
        let handle = self.f.add(Expression::AccessIndex { base, index: u32::from(row) });
        Value::new(Ty::vector(columns), handle, value.fact)
    }

    /// Returns one component of a vector; a scalar is returned unchanged.
    pub fn component(&mut self, value: &Value, index: u8) -> Value {
        if value.shape() == Shape::Scalar {
            return value.clone();
        }
        let kind = value.kind();
        if let Some(components) = value.as_constant() {
            return Value::constant(kind, Shape::Scalar, [components[usize::from(index)], 0.0, 0.0, 0.0]);
        }
        let base = self.expr(value);
        let handle = self.f.add(Expression::AccessIndex { base, index: u32::from(index) });
        Value::new(Ty::Number(kind, Shape::Scalar), handle, value.fact)
    }

    /// Selects components of a scalar or vector.
    pub fn swizzle(&mut self, value: &Value, pattern: &[u8]) -> Value {
        let (kind, shape) = (value.kind(), Shape::of(1, pattern.len() as u8));
        if let Some(components) = value.as_constant() {
            let mut chosen = [0.0; 4];
            for (to, from) in chosen.iter_mut().zip(pattern) {
                *to = components[usize::from(*from)];
            }
            return Value::constant(kind, shape, chosen);
        }
        if value.shape() == Shape::Scalar {
            return self.reshape(value.clone(), shape);
        }
        if let [index] = pattern {
            return self.component(value, *index);
        }
        let whole =
            value.shape() == shape && pattern.iter().enumerate().all(|(to, from)| to == usize::from(*from));
        if whole {
            return value.clone();
        }
        let vector = self.expr(value);
        let mut components = [SwizzleComponent::X; 4];
        for (to, from) in components.iter_mut().zip(pattern) {
            *to = COMPONENTS[usize::from(*from)];
        }
        let size = size(pattern.len() as u8);
        let handle = self.f.add(Expression::Swizzle { size, vector, pattern: components });
        Value::new(Ty::Number(kind, shape), handle, value.fact)
    }

    /// Returns a zero of type `ty`.
    pub fn zero(&mut self, ty: Ty) -> Value {
        if let Ty::Number(kind, shape @ (Shape::Scalar | Shape::Vector(_))) = ty {
            return Value::constant(kind, shape, [0.0; 4]);
        }
        let handle = self.naga_type(ty);
        let handle = self.f.add(Expression::ZeroValue(handle));
        Value::new(ty, handle, Fact::within(0.0))
    }
}
