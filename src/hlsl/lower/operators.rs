//! Operators with Direct3D 9 arithmetic: anything times zero is zero, even infinity and NaN.

use naga::{BinaryOperator, Expression, Handle, MathFunction, UnaryOperator};

use super::context::Lowering;
use super::value::{Components, Fact, Value};
use crate::hlsl::ast::{Operator, Prefix};
use crate::hlsl::constants::fold;
use crate::hlsl::types::{Kind, Shape, Ty, common_shape, number};
use crate::preprocess::{Error, Pos};

fn compare(operator: Operator, left: f64, right: f64) -> bool {
    match operator {
        Operator::Less => left < right,
        Operator::LessEqual => left <= right,
        Operator::Greater => left > right,
        Operator::GreaterEqual => left >= right,
        Operator::Equal => left == right,
        _ => left != right,
    }
}

impl Lowering<'_> {
    pub fn binary(
        &mut self,
        operator: Operator,
        left: Value,
        right: Value,
        pos: Pos,
    ) -> Result<Value, Error> {
        let (Ty::Number(left_kind, left_shape), Ty::Number(right_kind, right_shape)) = (left.ty, right.ty)
        else {
            let (left, right) = (self.type_name(left.ty), self.type_name(right.ty));
            return Error::semantic(pos, format!("operators take numbers, not {left} and {right}"));
        };
        let shape = common_shape(left_shape, right_shape);
        let kind = match operator {
            Operator::And | Operator::Or => Kind::Bool,
            _ => left_kind.max(right_kind),
        };
        match operator {
            Operator::And | Operator::Or => {
                let [left, right] = [left, right].map(|value| {
                    let value = self.with_kind(value, Kind::Bool);
                    self.reshape(value, shape)
                });
                return self.logical(operator, left, right, shape, pos);
            }
            Operator::BitAnd
            | Operator::BitOr
            | Operator::BitXor
            | Operator::ShiftLeft
            | Operator::ShiftRight
                if kind == Kind::Float =>
            {
                return Error::semantic(pos, "bitwise operators take integers");
            }
            Operator::Less
            | Operator::LessEqual
            | Operator::Greater
            | Operator::GreaterEqual
            | Operator::Equal
            | Operator::NotEqual => return self.comparison(operator, left, right, kind, shape, pos),
            _ => {}
        }
        // Operands of type bool are promoted to int.
        let kind = kind.max(Kind::Int);
        let left = self.with_kind(left, kind);
        let right = self.with_kind(right, kind);
        if let Shape::Matrix(rows, columns) = shape {
            let row_shape = Shape::Vector(columns);
            let rows = (0..rows)
                .map(|row| {
                    let [left, right] = [&left, &right].map(|value| {
                        let row = self.row(value, row);
                        self.reshape(row, row_shape)
                    });
                    self.arithmetic(operator, left, right, row_shape)
                })
                .collect();
            return Ok(self.matrix(rows));
        }
        Ok(self.arithmetic(operator, left, right, shape))
    }

    /// Lowers an arithmetic or bitwise operator on two numbers of the same kind, neither of them a matrix.
    pub fn arithmetic(&mut self, operator: Operator, left: Value, right: Value, shape: Shape) -> Value {
        let kind = left.kind();
        if let (Some(a), Some(b)) = (left.as_constant(), right.as_constant()) {
            let a = self.reshape(left.clone(), shape).as_constant().unwrap_or(a);
            let b = self.reshape(right.clone(), shape).as_constant().unwrap_or(b);
            if let Some(folded) = fold_all(operator, kind, a, b, shape) {
                return Value::constant(kind, shape, folded);
            }
        }
        if let Some(simple) = self.identity(operator, &left, &right, shape) {
            return simple;
        }
        match (operator, kind) {
            (Operator::Multiply, Kind::Float) => self.product(left, right, shape),
            (Operator::Divide, Kind::Float) => self.quotient(left, right, shape),
            (Operator::Modulo, Kind::Float) => self.remainder(left, right, shape),
            (Operator::Divide | Operator::Modulo, _) => self.whole_quotient(operator, left, right, shape),
            (Operator::ShiftLeft | Operator::ShiftRight, _) => {
                let left = self.reshape(left, shape);
                let right = self.reshape(right, shape);
                // Only the five lowest bits of the shift amount are used.
                let mask =
                    self.reshape(Value::constant(right.kind(), Shape::Scalar, [31.0, 0.0, 0.0, 0.0]), shape);
                let right = self.plain(BinaryOperator::And, &right, &mask, shape, Fact::within(31.0));
                let right = self.with_kind(right, Kind::Uint);
                let operator = match operator {
                    Operator::ShiftLeft => BinaryOperator::ShiftLeft,
                    _ => BinaryOperator::ShiftRight,
                };
                self.plain(operator, &left, &right, shape, Fact::within(4.3e9))
            }
            _ => {
                let left = self.reshape(left, shape);
                let right = self.reshape(right, shape);
                let fact = match operator {
                    Operator::Add | Operator::Subtract => Fact::within(left.fact.bound + right.fact.bound),
                    _ => Fact::within(4.3e9),
                };
                let operator = match operator {
                    Operator::Add => BinaryOperator::Add,
                    Operator::Subtract => BinaryOperator::Subtract,
                    Operator::Multiply => BinaryOperator::Multiply,
                    Operator::BitAnd => BinaryOperator::And,
                    Operator::BitOr => BinaryOperator::InclusiveOr,
                    _ => BinaryOperator::ExclusiveOr,
                };
                self.plain(operator, &left, &right, shape, fact)
            }
        }
    }

    /// Returns the result of an operation that needs no code, such as `x * 1` or `x * 0`; otherwise `None`.
    fn identity(&mut self, operator: Operator, left: &Value, right: &Value, shape: Shape) -> Option<Value> {
        let kept = match operator {
            Operator::Add if left.is_all(0.0) => right,
            Operator::Add | Operator::Subtract if right.is_all(0.0) => left,
            Operator::Multiply if left.is_all(1.0) => right,
            Operator::Multiply | Operator::Divide if right.is_all(1.0) => left,
            Operator::Multiply if left.is_all(0.0) => left,
            Operator::Multiply if right.is_all(0.0) => right,
            Operator::Divide if left.is_all(0.0) => left,
            _ => return None,
        };
        Some(self.reshape(kept.clone(), shape))
    }

    /// Adds a naga binary operation on two values of the same kind; the result has `shape`.
    fn plain(&mut self, op: BinaryOperator, left: &Value, right: &Value, shape: Shape, fact: Fact) -> Value {
        let (kind, left, right) = (left.kind(), self.expr(left), self.expr(right));
        let handle = self.f.add(Expression::Binary { op, left, right });
        Value::new(number(kind, shape), handle, fact)
    }

    /// Returns the product of two floats, which is 0 if either factor is 0.
    pub fn product(&mut self, left: Value, right: Value, shape: Shape) -> Value {
        let (a, b) = (left.fact, right.fact);
        let bound = Fact { bound: a.bound * b.bound, nonzero: false };
        let fact = Fact::within(bound.bound);
        let needs = |own: Fact, other: Fact| !(own.nonzero || other.finite());
        let guards = match (a.nonzero && a.finite(), b.nonzero && b.finite()) {
            (true, _) | (_, true) => [false, false],
            // A zero matters only if the other factor may be infinite or NaN.
            _ => [needs(a, b), needs(b, a)],
        };
        if guards == [false, false] {
            // A vector may be multiplied by a scalar directly.
            let [left, right] = [left, right].map(|value| match value.shape() {
                Shape::Scalar => value,
                _ => self.reshape(value, shape),
            });
            return self.plain(BinaryOperator::Multiply, &left, &right, shape, fact);
        }
        let left = self.reshape(left, shape);
        let right = self.reshape(right, shape);
        let product = self.plain(BinaryOperator::Multiply, &left, &right, shape, Fact::UNKNOWN);
        let zeros: Vec<_> = [(guards[0], &left), (guards[1], &right)]
            .into_iter()
            .filter(|(guard, _)| *guard)
            .map(|(_, value)| self.is_zero(value))
            .collect();
        let condition = match zeros[..] {
            [one] => one,
            [left, right, ..] => {
                self.f.add(Expression::Binary { op: BinaryOperator::InclusiveOr, left, right })
            }
            [] => return product,
        };
        let zero = self.reshape(Value::float(0.0), shape);
        self.select(condition, &zero, &product, fact)
    }

    fn is_zero(&mut self, value: &Value) -> Handle<Expression> {
        let zero = self.reshape(Value::constant(value.kind(), Shape::Scalar, [0.0; 4]), value.shape());
        let (left, right) = (self.expr(value), self.expr(&zero));
        self.f.add(Expression::Binary { op: BinaryOperator::Equal, left, right })
    }

    /// Adds a selection between two values, with one condition per component or a single condition.
    pub fn select(
        &mut self,
        condition: Handle<Expression>,
        accept: &Value,
        reject: &Value,
        fact: Fact,
    ) -> Value {
        let ty = reject.ty;
        let (accept, reject) = (self.expr(accept), self.expr(reject));
        let handle = self.f.add(Expression::Select { condition, accept, reject });
        Value::new(ty, handle, fact)
    }

    /// Returns the quotient of two floats, which is 0 if the dividend is 0.
    pub fn quotient(&mut self, left: Value, right: Value, shape: Shape) -> Value {
        let guard = !(left.fact.nonzero || right.fact.nonzero);
        let fact = match right.as_constant() {
            Some(components) if right.fact.nonzero => {
                let count = usize::from(right.shape().count());
                let least =
                    components[..count].iter().fold(f64::INFINITY, |least, c| least.min(c.abs())) as f32;
                Fact::within(left.fact.bound / least)
            }
            _ => Fact::UNKNOWN,
        };
        let left = self.reshape(left, shape);
        let right = self.reshape(right, shape);
        let quotient = self.plain(BinaryOperator::Divide, &left, &right, shape, fact);
        if !guard {
            return quotient;
        }
        let condition = self.is_zero(&left);
        let zero = self.reshape(Value::float(0.0), shape);
        self.select(condition, &zero, &quotient, fact)
    }

    /// Returns the remainder with the sign of the dividend, like `fmod`, but 0 if the divisor is 0.
    pub fn remainder(&mut self, left: Value, right: Value, shape: Shape) -> Value {
        let nonzero = right.fact.nonzero;
        let fact = if nonzero { Fact::within(right.fact.bound) } else { Fact::UNKNOWN };
        let left = self.reshape(left, shape);
        let right = self.reshape(right, shape);
        let quotient = self.plain(BinaryOperator::Divide, &left, &right, shape, Fact::UNKNOWN);
        let whole = self.math(MathFunction::Trunc, &[&quotient], Fact::UNKNOWN);
        let product = self.plain(BinaryOperator::Multiply, &right, &whole, shape, Fact::UNKNOWN);
        let rest = self.plain(BinaryOperator::Subtract, &left, &product, shape, fact);
        if nonzero {
            return rest;
        }
        let condition = self.is_zero(&right);
        let zero = self.reshape(Value::float(0.0), shape);
        self.select(condition, &zero, &rest, fact)
    }

    /// Lowers `/` or `%` on integers, truncating towards 0. If the divisor is 0, the quotient is the largest value with
    /// the sign of the dividend (0 for a dividend of 0), and the remainder is 0.
    fn whole_quotient(&mut self, operator: Operator, left: Value, right: Value, shape: Shape) -> Value {
        let left = self.reshape(left, shape);
        let right = self.reshape(right, shape);
        let kind = left.kind();
        let op = if operator == Operator::Divide { BinaryOperator::Divide } else { BinaryOperator::Modulo };
        let fact = Fact::within(4.3e9);
        if right.fact.nonzero && right.as_constant().is_some() && !right.is_all(-1.0) {
            return self.plain(op, &left, &right, shape, fact);
        }
        let whole = |this: &mut Self, value: f64| {
            this.reshape(Value::constant(kind, Shape::Scalar, [value, 0.0, 0.0, 0.0]), shape)
        };
        let one = whole(self, 1.0);
        let by_zero = self.is_zero(&right);
        let mut unsafe_divisor = by_zero;
        if kind == Kind::Int {
            // The minimum divided by -1 overflows, which traps on some processors.
            let limits = [(&left, whole(self, f64::from(i32::MIN))), (&right, whole(self, -1.0))];
            let [left, right] = limits.map(|(value, limit)| {
                let (left, right) = (self.expr(value), self.expr(&limit));
                self.f.add(Expression::Binary { op: BinaryOperator::Equal, left, right })
            });
            let right = self.f.add(Expression::Binary { op: BinaryOperator::And, left, right });
            let op = BinaryOperator::InclusiveOr;
            unsafe_divisor = self.f.add(Expression::Binary { op, left: by_zero, right });
        }
        let divisor = self.select(unsafe_divisor, &one, &right, Fact::UNKNOWN);
        let result = self.plain(op, &left, &divisor, shape, fact);
        if operator == Operator::Modulo {
            return result;
        }
        let (least, most) = match kind {
            Kind::Uint => (0.0, f64::from(u32::MAX)),
            _ => (-1.0, f64::from(i32::MAX)),
        };
        let (least, most) = (whole(self, least), whole(self, most));
        let sign = self.math(MathFunction::Max, &[&left, &least], fact);
        let sign = self.math(MathFunction::Min, &[&sign, &one], fact);
        let largest = self.plain(BinaryOperator::Multiply, &sign, &most, shape, fact);
        self.select(by_zero, &largest, &result, fact)
    }

    fn comparison(
        &mut self,
        operator: Operator,
        left: Value,
        right: Value,
        kind: Kind,
        shape: Shape,
        pos: Pos,
    ) -> Result<Value, Error> {
        let kind =
            if matches!(operator, Operator::Equal | Operator::NotEqual) { kind } else { kind.max(Kind::Int) };
        let (Shape::Scalar | Shape::Vector(_)) = shape else {
            return Error::semantic(pos, "matrices cannot be compared");
        };
        let [left, right] = [left, right].map(|value| {
            let value = self.with_kind(value, kind);
            self.reshape(value, shape)
        });
        if let (Some(a), Some(b)) = (left.as_constant(), right.as_constant()) {
            let truth = std::array::from_fn(|i| f64::from(compare(operator, a[i], b[i])));
            return Ok(Value::constant(Kind::Bool, shape, truth));
        }
        let op = match operator {
            Operator::Less => BinaryOperator::Less,
            Operator::LessEqual => BinaryOperator::LessEqual,
            Operator::Greater => BinaryOperator::Greater,
            Operator::GreaterEqual => BinaryOperator::GreaterEqual,
            // `!=` negates `==`, so that NaN differs from everything.
            _ => BinaryOperator::Equal,
        };
        let (left, right) = (self.expr(&left), self.expr(&right));
        let mut handle = self.f.add(Expression::Binary { op, left, right });
        if operator == Operator::NotEqual {
            handle = self.f.add(Expression::Unary { op: UnaryOperator::LogicalNot, expr: handle });
        }
        Ok(Value::new(number(Kind::Bool, shape), handle, Fact::within(1.0)))
    }

    fn logical(
        &mut self,
        operator: Operator,
        left: Value,
        right: Value,
        shape: Shape,
        pos: Pos,
    ) -> Result<Value, Error> {
        if matches!(shape, Shape::Matrix(..)) {
            return Error::semantic(pos, "a matrix cannot be used as a condition");
        }
        let and = operator == Operator::And;
        // A constant operand either decides the result or has no effect.
        for (value, other) in [(&left, &right), (&right, &left)] {
            if value.is_all(f64::from(!and)) {
                return Ok(value.clone());
            }
            if value.is_all(f64::from(and)) {
                return Ok(other.clone());
            }
        }
        let op = if and { BinaryOperator::And } else { BinaryOperator::InclusiveOr };
        Ok(self.plain(op, &left, &right, shape, Fact::within(1.0)))
    }

    pub fn prefix(&mut self, prefix: Prefix, value: Value, pos: Pos) -> Result<Value, Error> {
        let Ty::Number(kind, shape) = value.ty else {
            let name = self.type_name(value.ty);
            return Error::semantic(pos, format!("operators take numbers, not {name}"));
        };
        match prefix {
            Prefix::Not => {
                if matches!(shape, Shape::Matrix(..)) {
                    return Error::semantic(pos, "a matrix cannot be used as a condition");
                }
                let value = self.with_kind(value, Kind::Bool);
                if let Some(components) = value.as_constant() {
                    let truth = components.map(|component| f64::from(component == 0.0));
                    return Ok(Value::constant(Kind::Bool, shape, truth));
                }
                let expr = self.expr(&value);
                let handle = self.f.add(Expression::Unary { op: UnaryOperator::LogicalNot, expr });
                Ok(Value::new(value.ty, handle, Fact::within(1.0)))
            }
            Prefix::Minus => {
                if let Shape::Matrix(rows, _) = shape {
                    let rows = (0..rows)
                        .map(|row| {
                            let row = self.row(&value, row);
                            self.prefix(prefix, row, pos)
                        })
                        .collect::<Result<_, _>>()?;
                    return Ok(self.matrix(rows));
                }
                let value = self.with_kind(value, kind.max(Kind::Int));
                if let Some(components) = value.as_constant() {
                    let kind = value.kind();
                    let minus = components.map(|component| match kind {
                        Kind::Uint => f64::from((component as u32).wrapping_neg()),
                        Kind::Int => f64::from((component as i32).wrapping_neg()),
                        _ => -component,
                    });
                    return Ok(Value::constant(kind, shape, minus));
                }
                if value.kind() == Kind::Uint {
                    let zero = self.zero(value.ty);
                    return Ok(self.plain(
                        BinaryOperator::Subtract,
                        &zero,
                        &value,
                        shape,
                        Fact::within(4.3e9),
                    ));
                }
                let expr = self.expr(&value);
                let handle = self.f.add(Expression::Unary { op: UnaryOperator::Negate, expr });
                Ok(Value::new(value.ty, handle, value.fact))
            }
            Prefix::BitNot => {
                let kind = kind.max(Kind::Int);
                if kind == Kind::Float {
                    return Error::semantic(pos, "bitwise operators take integers");
                }
                let value = self.with_kind(value, kind);
                if let Some(components) = value.as_constant() {
                    let bits = components.map(|component| match kind {
                        Kind::Uint => f64::from(!(component as u32)),
                        _ => f64::from(!(component as i32)),
                    });
                    return Ok(Value::constant(kind, shape, bits));
                }
                let expr = self.expr(&value);
                let handle = self.f.add(Expression::Unary { op: UnaryOperator::BitwiseNot, expr });
                Ok(Value::new(value.ty, handle, Fact::within(4.3e9)))
            }
        }
    }

    /// Adds a call to a naga math function whose result has the type of its first argument.
    pub fn math(&mut self, fun: MathFunction, arguments: &[&Value], fact: Fact) -> Value {
        let handles: Vec<_> = arguments.iter().map(|argument| self.expr(argument)).collect();
        let at = |index: usize| handles.get(index).copied();
        let handle =
            self.f.add(Expression::Math { fun, arg: handles[0], arg1: at(1), arg2: at(2), arg3: at(3) });
        Value::new(arguments[0].ty, handle, fact)
    }
}

fn fold_all(
    operator: Operator,
    kind: Kind,
    left: Components,
    right: Components,
    shape: Shape,
) -> Option<Components> {
    let mut folded = [0.0; 4];
    for index in 0..usize::from(shape.count()) {
        folded[index] = fold(operator, kind, left[index], right[index])?;
    }
    Some(folded)
}
