//! Matrix products and functions. HLSL rows are naga columns, so the operands of products are swapped.

use naga::{BinaryOperator, Expression, MathFunction};

use super::context::Lowering;
use super::value::{Fact, Value};
use crate::hlsl::ast::{Expr, ExprId, Operator};
use crate::hlsl::header::{self, Builtin};
use crate::hlsl::types::{Kind, Shape, Ty, common_shape};
use crate::preprocess::{Error, Pos};

impl Lowering<'_> {
    /// Lowers `mul`: the product of two scalars, vectors or matrices.
    pub fn mul(&mut self, ids: [ExprId; 2], mut values: Vec<Value>, pos: Pos) -> Result<Value, Error> {
        let right = self.with_kind(values.remove(1), Kind::Float);
        let left = self.with_kind(values.remove(0), Kind::Float);
        // Rotations are stored transposed, so the operands are not swapped.
        if let (Some(index), Shape::Vector(4)) = (self.as_rotation(ids[1]), left.shape()) {
            let columns = self.rotation(index);
            return Ok(self.product_of(&left, &columns, Ty::vector(3)));
        }
        if let (Some(index), Shape::Vector(3)) = (self.as_rotation(ids[0]), right.shape()) {
            let columns = self.rotation(index);
            return Ok(self.product_of(&columns, &right, Ty::vector(4)));
        }
        match (left.shape(), right.shape()) {
            (Shape::Vector(_), Shape::Vector(_)) => {
                let shape = common_shape(left.shape(), right.shape());
                let (left, right) = (self.reshape(left, shape), self.reshape(right, shape));
                Ok(self.dot(&left, &right))
            }
            // If the sizes differ, the smaller one is used.
            (Shape::Matrix(rows, columns), Shape::Vector(size)) => {
                let inner = columns.min(size);
                let left = self.reshape(left, Shape::Matrix(rows, inner));
                let right = self.reshape(right, Shape::Vector(inner));
                Ok(self.product_of(&right, &left, Ty::vector(rows)))
            }
            (Shape::Vector(size), Shape::Matrix(rows, columns)) => {
                let inner = rows.min(size);
                let left = self.reshape(left, Shape::Vector(inner));
                let right = self.reshape(right, Shape::Matrix(inner, columns));
                Ok(self.product_of(&right, &left, Ty::vector(columns)))
            }
            (Shape::Matrix(rows, inner), Shape::Matrix(other, columns)) => {
                let inner = inner.min(other);
                let left = self.reshape(left, Shape::Matrix(rows, inner));
                let right = self.reshape(right, Shape::Matrix(inner, columns));
                let ty = Ty::Number(Kind::Float, Shape::Matrix(rows, columns));
                Ok(self.product_of(&right, &left, ty))
            }
            _ => self.binary(Operator::Multiply, left, right, pos),
        }
    }

    fn product_of(&mut self, left: &Value, right: &Value, ty: Ty) -> Value {
        let fact = Fact::within(4.0 * left.fact.bound * right.fact.bound);
        let (left, right) = (self.expr(left), self.expr(right));
        let handle = self.f.add(Expression::Binary { op: BinaryOperator::Multiply, left, right });
        Value::new(ty, handle, fact)
    }

    /// Returns the index of the rotation matrix that an expression names, if any.
    fn as_rotation(&self, id: ExprId) -> Option<u32> {
        let Expr::Name(name) = self.ast.expr(id) else { return None };
        if self.f.find(name).is_some() || self.globals.contains_key(name) {
            return None;
        }
        match header::builtin(name) {
            Some(Builtin::Rotation(index)) => Some(index),
            _ => None,
        }
    }

    /// Lowers `transpose` or `determinant`.
    pub fn lower_matrix_function(&mut self, name: &str, value: Value, pos: Pos) -> Result<Value, Error> {
        match (name, value.shape()) {
            ("transpose", Shape::Matrix(rows, columns)) => {
                let turned = self.math(MathFunction::Transpose, &[&value], value.fact);
                Ok(Value { ty: Ty::Number(Kind::Float, Shape::Matrix(columns, rows)), ..turned })
            }
            ("transpose", _) => Ok(value),
            (_, Shape::Matrix(rows, columns)) if rows == columns => {
                let value = self.math(MathFunction::Determinant, &[&value], Fact::UNKNOWN);
                Ok(Value { ty: Ty::FLOAT, ..value })
            }
            (_, Shape::Scalar) => Ok(value),
            _ => Error::semantic(pos, format!("`{name}` takes a square matrix")),
        }
    }
}
