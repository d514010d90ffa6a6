//! The intrinsic functions of HLSL, and those added by MilkDrop.

use naga::{Expression, MathFunction, RelationalFunction, UnaryOperator};

use super::context::Lowering;
use super::fold;
use super::value::{Fact, Value};
use crate::hlsl::ast::{ExprId, Operator};
use crate::hlsl::header;
use crate::hlsl::types::{Kind, Shape, Ty, common_shape, number};
use crate::preprocess::{Error, Pos};

impl Lowering<'_> {
    /// Lowers a call to an intrinsic; `None` if there is none called `name`.
    pub fn intrinsic(&mut self, name: &str, arguments: &[ExprId], pos: Pos) -> Result<Option<Value>, Error> {
        if let Some(value) = self.lookup(name, arguments, pos)? {
            return Ok(Some(value));
        }
        if let Some(value) = self.with_outputs(name, arguments, pos)? {
            return Ok(Some(value));
        }
        let Some(wanted) = arity(name) else { return Ok(None) };
        if wanted != arguments.len() {
            let message = format!(
                "wrong number of arguments for `{name}`: expected {wanted}, found {}",
                arguments.len()
            );
            return Error::semantic(pos, message);
        }
        let mut values = Vec::with_capacity(wanted);
        for id in arguments {
            let value = self.value(*id)?;
            if !matches!(value.ty, Ty::Number(..)) {
                let message = format!("`{name}` takes numbers, not {}", self.type_name(value.ty));
                return Error::semantic(self.ast.pos(*id), message);
            }
            values.push(value);
        }
        match name {
            "GetMain" | "GetPixel" => {
                let color = self.sample(&"sampler_main".into(), values.remove(0), false, pos)?;
                return Ok(Some(self.reshape(color, Shape::Vector(3))));
            }
            "GetBlur1" | "GetBlur2" | "GetBlur3" => {
                let level = usize::from(name.as_bytes()[7] - b'0');
                return self.blurred(level, values.remove(0), pos).map(Some);
            }
            _ if name.starts_with("get_") => return self.sound(name, values.remove(0), pos).map(Some),
            "mul" => {
                let [left, right] = [arguments[0], arguments[1]];
                return self.mul([left, right], values, pos).map(Some);
            }
            "transpose" | "determinant" => {
                return self.lower_matrix_function(name, values.remove(0), pos).map(Some);
            }
            "asint" | "asuint" | "asfloat" => return Ok(Some(self.bits(name, values.remove(0)))),
            "abs" | "sign" | "min" | "max" | "clamp" | "mad"
                if values.iter().all(|value| value.kind() != Kind::Float) =>
            {
                return Ok(Some(self.whole(name, values)));
            }
            "countbits" | "reversebits" | "firstbithigh" | "firstbitlow" => {
                return Ok(Some(self.bit_count(name, values.remove(0))));
            }
            "all" | "any" => return self.truth(name, values.remove(0), pos).map(Some),
            _ => {}
        }
        // Functions that accept matrices work row by row.
        let shape = values.iter().map(Value::shape).reduce(common_shape).unwrap_or(Shape::Scalar);
        let values: Vec<_> = values.into_iter().map(|value| self.with_kind(value, Kind::Float)).collect();
        if let Shape::Matrix(rows, columns) = shape {
            let mut all = Vec::new();
            for row in 0..rows {
                let parts: Vec<_> = values
                    .iter()
                    .map(|value| {
                        let row = self.row(value, row);
                        self.reshape(row, Shape::Vector(columns))
                    })
                    .collect();
                all.push(self.float_function(name, parts, Shape::Vector(columns), pos)?);
            }
            if all.iter().any(|row| row.shape() == Shape::Scalar || row.kind() != Kind::Float) {
                return Error::semantic(pos, format!("`{name}` does not take a matrix"));
            }
            return Ok(Some(self.matrix(all)));
        }
        self.float_function(name, values, shape, pos).map(Some)
    }

    /// Lowers a call to a floating-point intrinsic. With a few exceptions, arguments are converted to their common
    /// `shape`.
    fn float_function(
        &mut self,
        name: &str,
        mut values: Vec<Value>,
        shape: Shape,
        pos: Pos,
    ) -> Result<Value, Error> {
        use MathFunction as M;
        let directions = if name == "refract" { 2 } else { 3 };
        let numbers = values.iter().take(directions).all(|value| value.shape() == Shape::Scalar);
        match name {
            "reflect" | "refract" | "faceforward" if numbers => {
                // Scalars are treated as vectors whose other component is 0.
                for value in values.iter_mut().take(directions) {
                    *value = self.compose(Kind::Float, Shape::Vector(2), &[value.clone(), Value::float(0.0)]);
                }
                let bent = self.float_function(name, values, Shape::Vector(2), pos)?;
                return Ok(self.component(&bent, 0));
            }
            "refract" => {
                let eta = self.reshape(values.remove(2), Shape::Scalar);
                let shape = common_shape(values[0].shape(), values[1].shape());
                let [i, n] = [0, 1].map(|k: usize| self.reshape(values[k].clone(), shape));
                return Ok(self.math(M::Refract, &[&i, &n, &eta], Fact::UNKNOWN));
            }
            "lit" => return Ok(self.lit(&values)),
            "lum" => {
                let weights = header::LUMINANCE.map(f64::from);
                let weights =
                    Value::constant(Kind::Float, Shape::Vector(3), [weights[0], weights[1], weights[2], 0.0]);
                let color = match shape {
                    Shape::Vector(4) => self.reshape(values.remove(0), Shape::Vector(3)),
                    Shape::Scalar => self.reshape(values.remove(0), Shape::Vector(3)),
                    _ => values.remove(0),
                };
                let weights = self.reshape(weights, color.shape());
                return Ok(self.dot(&color, &weights));
            }
            _ => {}
        }
        for value in &mut values {
            *value = self.reshape(value.clone(), shape);
        }
        if let Some(folded) = fold::function(name, &values, shape) {
            return Ok(folded);
        }
        let x = values[0].clone();
        let b = x.fact.bound;
        let bound = |index: usize| values[index].fact.bound;
        let all: Vec<&Value> = values.iter().collect();
        let value = match name {
            "abs" => self.math(M::Abs, &[&x], x.fact),
            "sign" => self.math(M::Sign, &[&x], Fact::within(1.0)),
            "ceil" => self.math(M::Ceil, &[&x], Fact::within(b + 1.0)),
            "floor" => self.math(M::Floor, &[&x], Fact::within(b + 1.0)),
            "trunc" => self.math(M::Trunc, &[&x], Fact::within(b)),
            "frac" => {
                let fact = if x.fact.finite() { Fact::within(1.0) } else { Fact::UNKNOWN };
                self.math(M::Fract, &[&x], fact)
            }
            "round" => {
                let half = self.reshape(Value::float(0.5), shape);
                let raised = self.arithmetic(Operator::Add, x, half, shape);
                self.math(M::Floor, &[&raised], Fact::within(b + 1.0))
            }
            "saturate" => self.math(M::Saturate, &[&x], Fact::within(1.0)),
            "cos" | "sin" | "tanh" | "atan" => {
                let fun = match name {
                    "cos" => M::Cos,
                    "sin" => M::Sin,
                    "tanh" => M::Tanh,
                    _ => M::Atan,
                };
                let fact = if x.fact.finite() { Fact::within(2.0) } else { Fact::UNKNOWN };
                self.math(fun, &[&x], fact)
            }
            "tan" => self.math(M::Tan, &[&x], Fact::UNKNOWN),
            "cosh" => self.math(M::Cosh, &[&x], Fact::UNKNOWN),
            "sinh" => self.math(M::Sinh, &[&x], Fact::UNKNOWN),
            "acos" => self.arc_cosine(&x, shape),
            "asin" => {
                let cosine = self.arc_cosine(&x, shape);
                let quarter = self.reshape(Value::float(std::f32::consts::FRAC_PI_2), shape);
                self.arithmetic(Operator::Subtract, quarter, cosine, shape)
            }
            "atan2" => self.math(M::Atan2, &all, Fact::within(4.0)),
            "degrees" | "radians" => {
                let factor = if name == "degrees" { 1_f32.to_degrees() } else { 1_f32.to_radians() };
                self.product(x, Value::float(factor), shape)
            }
            "exp" => self.math(M::Exp, &[&x], Fact { bound: b.exp(), nonzero: b < 30.0 }),
            "exp2" => self.math(M::Exp2, &[&x], Fact { bound: b.exp2(), nonzero: b < 40.0 }),
            "log" | "log2" | "log10" => {
                let size = self.math(M::Abs, &[&x], x.fact);
                let fun = if name == "log" { M::Log } else { M::Log2 };
                let fact =
                    if x.fact.nonzero && x.fact.finite() { Fact::within(150.0) } else { Fact::UNKNOWN };
                let value = self.math(fun, &[&size], fact);
                if name == "log10" {
                    self.product(value, Value::float(std::f32::consts::LOG10_2), shape)
                } else {
                    value
                }
            }
            "sqrt" | "rsqrt" => {
                let size = self.math(M::Abs, &[&x], x.fact);
                if name == "sqrt" {
                    self.math(M::Sqrt, &[&size], Fact { bound: b.sqrt(), nonzero: x.fact.nonzero })
                } else {
                    self.math(
                        M::InverseSqrt,
                        &[&size],
                        if x.fact.nonzero { Fact::within(1e9) } else { Fact::UNKNOWN },
                    )
                }
            }
            "rcp" => {
                let one = self.reshape(Value::float(1.0), shape);
                self.quotient(one, x, shape)
            }
            "pow" => self.power(&x, &values[1].clone(), shape),
            "min" | "max" => {
                let fun = if name == "min" { M::Min } else { M::Max };
                let floor = values.iter().any(|value| value.is_at_least(1e-15)) && name == "max";
                self.math(fun, &all, Fact { bound: b.max(bound(1)), nonzero: floor })
            }
            "clamp" => {
                let nonzero = values[1].is_at_least(1e-15) && values[2].is_at_least(1e-15);
                let raised = self.math(M::Max, &[&x, &values[1]], Fact::UNKNOWN);
                let fact = Fact { bound: bound(1).max(bound(2)), nonzero };
                self.math(M::Min, &[&raised, &values[2]], fact)
            }
            "fmod" => self.remainder(x, values.remove(1), shape),
            "ldexp" => {
                let power = self.math(M::Exp2, &[&values[1]], Fact::UNKNOWN);
                self.product(x, power, shape)
            }
            "lerp" => {
                let bound = b + (b + bound(1)) * bound(2);
                self.math(M::Mix, &all, Fact::within(bound))
            }
            "mad" => {
                let product = self.product(x, values[1].clone(), shape);
                self.arithmetic(Operator::Add, product, values[2].clone(), shape)
            }
            "step" => self.math(M::Step, &all, Fact::within(1.0)),
            "smoothstep" => self.smooth_step(values, shape),
            "dot" => self.dot(&x, &values[1].clone()),
            "length" => self.length(&x),
            "distance" => {
                let difference = self.arithmetic(Operator::Subtract, x, values[1].clone(), shape);
                self.length(&difference)
            }
            "normalize" => self.normalize(&x, shape),
            "cross" => {
                let left = self.convert(x, Ty::vector(3), pos)?;
                let right = self.convert(values[1].clone(), Ty::vector(3), pos)?;
                self.math(M::Cross, &[&left, &right], Fact::UNKNOWN)
            }
            "reflect" => self.math(M::Reflect, &all, Fact::UNKNOWN),
            "faceforward" => self.math(M::FaceForward, &all, x.fact),
            "ddx" | "ddy" | "fwidth" => {
                let axis = match name {
                    "ddx" => naga::DerivativeAxis::X,
                    "ddy" => naga::DerivativeAxis::Y,
                    _ => naga::DerivativeAxis::Width,
                };
                let expr = self.expr(&x);
                let ctrl = naga::DerivativeControl::None;
                let handle = self.f.add(Expression::Derivative { axis, ctrl, expr });
                Value::new(x.ty, handle, Fact::within(b * 2.0))
            }
            "isnan" | "isinf" | "isfinite" => self.classify(name, &x),
            "clip" => {
                let zero = self.reshape(Value::float(0.0), shape);
                let below = self.binary(Operator::Less, x, zero, pos)?;
                let below = self.truth("any", below, pos)?;
                self.discard_if(&below);
                Value { ty: Ty::Void, ..Value::float(0.0) }
            }
            "D3DCOLORtoUBYTE4" => {
                let color = self.convert(x, Ty::vector(4), pos)?;
                let swapped = self.swizzle(&color, &[2, 1, 0, 3]);
                self.product(swapped, Value::float(255.001_95), Shape::Vector(4))
            }
            _ => return Error::semantic(pos, format!("`{name}` is not supported")),
        };
        Ok(value)
    }

    pub fn dot(&mut self, left: &Value, right: &Value) -> Value {
        if left.shape() == Shape::Scalar {
            return self.product(left.clone(), right.clone(), Shape::Scalar);
        }
        let count = f32::from(left.shape().count());
        let fact = Fact::within(count * left.fact.bound * right.fact.bound);
        let handle = self.math(MathFunction::Dot, &[left, right], fact);
        Value { ty: Ty::FLOAT, ..handle }
    }

    fn length(&mut self, x: &Value) -> Value {
        if x.shape() == Shape::Scalar {
            return self.math(MathFunction::Abs, &[x], x.fact);
        }
        let value = self.math(MathFunction::Length, &[x], Fact::within(x.fact.bound * 2.0));
        Value { ty: Ty::FLOAT, ..value }
    }

    /// Scales a vector to length 1; a zero vector stays zero.
    fn normalize(&mut self, x: &Value, shape: Shape) -> Value {
        if shape == Shape::Scalar {
            return self.math(MathFunction::Sign, &[x], Fact::within(1.0));
        }
        let square = self.dot(x, x);
        let least = Value::float(f32::MIN_POSITIVE);
        let square = self.math(
            MathFunction::Max,
            &[&square, &least],
            Fact { bound: square.fact.bound, nonzero: true },
        );
        let scale = self.math(MathFunction::InverseSqrt, &[&square], Fact { bound: 1.0, nonzero: true });
        let value = self.product(x.clone(), scale, shape);
        Value { fact: if x.fact.finite() { Fact::within(1.0) } else { Fact::UNKNOWN }, ..value }
    }

    /// Returns `abs(x)` to the power of `y`; anything to the power of 0 is 1.
    fn power(&mut self, x: &Value, y: &Value, shape: Shape) -> Value {
        let size = self.math(MathFunction::Abs, &[x], x.fact);
        if y.is_all(1.0) {
            return size;
        }
        if y.is_all(2.0) {
            return self.product(size.clone(), size, shape);
        }
        let fact = match y.as_constant() {
            Some(power) if y.is_at_least(0.0) && x.fact.finite() => {
                let most =
                    power[..usize::from(shape.count())].iter().fold(0.0_f64, |most, p| most.max(*p)) as f32;
                Fact::within(x.fact.bound.max(1.0).powf(most))
            }
            _ => Fact::UNKNOWN,
        };
        let power = self.math(MathFunction::Pow, &[&size, y], fact);
        if y.fact.nonzero {
            return power;
        }
        let zero = self.reshape(Value::float(0.0), shape);
        let (left, right) = (self.expr(y), self.expr(&zero));
        let condition = self.f.add(Expression::Binary { op: naga::BinaryOperator::Equal, left, right });
        let one = self.reshape(Value::float(1.0), shape);
        self.select(condition, &one, &power, fact)
    }

    /// Returns the arc cosine, from the polynomial approximation by Abramowitz and Stegun (4.4.45) that
    /// Direct3D 9 also uses; extrapolates outside -1 to 1.
    fn arc_cosine(&mut self, x: &Value, shape: Shape) -> Value {
        let float = |this: &mut Self, value: f32| this.reshape(Value::float(value), shape);
        let size = self.math(MathFunction::Abs, &[x], x.fact);
        let mut sum = float(self, fold::ARC[0]);
        for coefficient in &fold::ARC[1..] {
            let product = self.product(sum, size.clone(), shape);
            let coefficient = float(self, *coefficient);
            sum = self.arithmetic(Operator::Add, product, coefficient, shape);
        }
        let one = float(self, 1.0);
        let rest = self.arithmetic(Operator::Subtract, one, size, shape);
        let rest = self.math(MathFunction::Abs, &[&rest], rest.fact);
        let root = self.math(MathFunction::Sqrt, &[&rest], Fact::within(rest.fact.bound.sqrt()));
        let right = self.product(sum, root, shape);
        let half = float(self, std::f32::consts::PI);
        let left = self.arithmetic(Operator::Subtract, half, right.clone(), shape);
        let zero = float(self, 0.0);
        let (a, b) = (self.expr(x), self.expr(&zero));
        let condition = self.f.add(Expression::Binary { op: naga::BinaryOperator::Less, left: a, right: b });
        let fact = left.fact.or(right.fact);
        self.select(condition, &left, &right, fact)
    }

    fn smooth_step(&mut self, values: Vec<Value>, shape: Shape) -> Value {
        let [low, high, x] = [0, 1, 2].map(|index: usize| values[index].clone());
        let over = self.arithmetic(Operator::Subtract, x, low.clone(), shape);
        let span = self.arithmetic(Operator::Subtract, high, low, shape);
        let t = self.quotient(over, span, shape);
        let t = self.math(MathFunction::Saturate, &[&t], Fact::within(1.0));
        let [two, three] = [2.0, 3.0].map(|value| self.reshape(Value::float(value), shape));
        let twice = self.product(two, t.clone(), shape);
        let rest = self.arithmetic(Operator::Subtract, three, twice, shape);
        let square = self.product(t.clone(), t, shape);
        let value = self.product(square, rest, shape);
        Value { fact: Fact::within(1.0), ..value }
    }

    /// Lowers `lit`: the ambient, diffuse and specular coefficients, and 1.
    fn lit(&mut self, values: &[Value]) -> Value {
        let [diffuse, specular, shine] =
            [0, 1, 2].map(|index: usize| self.reshape(values[index].clone(), Shape::Scalar));
        let (zero, one) = (Value::float(0.0), Value::float(1.0));
        let lit = self.math(MathFunction::Max, &[&diffuse, &zero], Fact::within(diffuse.fact.bound));
        let least = self.math(MathFunction::Min, &[&diffuse, &specular], Fact::UNKNOWN);
        let power = self.power(&specular, &shine, Shape::Scalar);
        let (left, right) = (self.expr(&least), self.expr(&zero));
        let dark = self.f.add(Expression::Binary { op: naga::BinaryOperator::Less, left, right });
        let power = self.select(dark, &zero, &power, Fact::UNKNOWN);
        self.compose(Kind::Float, Shape::Vector(4), &[one.clone(), lit, power, one])
    }

    fn classify(&mut self, name: &str, x: &Value) -> Value {
        let argument = self.expr(x);
        let relational = |this: &mut Self, fun| this.f.add(Expression::Relational { fun, argument });
        let handle = match name {
            "isnan" => relational(self, RelationalFunction::IsNan),
            "isinf" => relational(self, RelationalFunction::IsInf),
            _ => {
                let left = relational(self, RelationalFunction::IsNan);
                let right = relational(self, RelationalFunction::IsInf);
                let op = naga::BinaryOperator::InclusiveOr;
                let expr = self.f.add(Expression::Binary { op, left, right });
                self.f.add(Expression::Unary { op: UnaryOperator::LogicalNot, expr })
            }
        };
        Value::new(number(Kind::Bool, x.shape()), handle, Fact::within(1.0))
    }

    /// Lowers `all` or `any`.
    pub fn truth(&mut self, name: &str, value: Value, pos: Pos) -> Result<Value, Error> {
        let value = if let Shape::Matrix(..) = value.shape() {
            let parts = self.scalars(&value);
            let (mut sum, rest) = (parts[0].clone(), &parts[1..]);
            let operator = if name == "all" { Operator::And } else { Operator::Or };
            for part in rest {
                sum = self.binary(operator, sum, part.clone(), pos)?;
            }
            sum
        } else {
            self.with_kind(value, Kind::Bool)
        };
        let value = self.with_kind(value, Kind::Bool);
        if value.shape() == Shape::Scalar {
            return Ok(value);
        }
        if let Some(components) = value.as_constant() {
            let mut used = components[..usize::from(value.shape().count())].iter();
            let truth = if name == "all" { used.all(|c| *c != 0.0) } else { used.any(|c| *c != 0.0) };
            return Ok(Value::constant(Kind::Bool, Shape::Scalar, [f64::from(truth), 0.0, 0.0, 0.0]));
        }
        let fun = if name == "all" { RelationalFunction::All } else { RelationalFunction::Any };
        let argument = self.expr(&value);
        let handle = self.f.add(Expression::Relational { fun, argument });
        Ok(Value::new(Ty::BOOL, handle, Fact::within(1.0)))
    }

    /// Adds code that discards the pixel if `condition` is true.
    fn discard_if(&mut self, condition: &Value) {
        let condition = self.expr(condition);
        let outer = self.f.enter();
        self.f.push(naga::Statement::Kill);
        let accept = self.f.leave(outer);
        self.f.push(naga::Statement::If { condition, accept, reject: naga::Block::new() });
    }

    /// Lowers a call to an integer intrinsic.
    fn whole(&mut self, name: &str, values: Vec<Value>) -> Value {
        let kind = values.iter().map(Value::kind).fold(Kind::Int, Kind::max);
        let shape = values.iter().map(Value::shape).reduce(common_shape).unwrap_or(Shape::Scalar);
        let values: Vec<_> = values
            .into_iter()
            .map(|value| {
                let value = self.with_kind(value, kind);
                self.reshape(value, shape)
            })
            .collect();
        let fact = values.iter().map(|value| value.fact).fold(Fact::within(1.0), Fact::or);
        let all: Vec<&Value> = values.iter().collect();
        match name {
            // The absolute value of an unsigned number is the number itself.
            "abs" if kind == Kind::Uint => values[0].clone(),
            "abs" => self.math(MathFunction::Abs, &all, fact),
            "sign" if kind == Kind::Uint => {
                let one = self.reshape(Value::constant(kind, Shape::Scalar, [1.0, 0.0, 0.0, 0.0]), shape);
                self.math(MathFunction::Min, &[&values[0], &one], Fact::within(1.0))
            }
            "sign" => self.math(MathFunction::Sign, &all, Fact::within(1.0)),
            "min" => self.math(MathFunction::Min, &all, fact),
            "max" => self.math(MathFunction::Max, &all, fact),
            "clamp" => {
                let raised = self.math(MathFunction::Max, &all[..2], fact);
                self.math(MathFunction::Min, &[&raised, &values[2]], fact)
            }
            _ => {
                let product =
                    self.arithmetic(Operator::Multiply, values[0].clone(), values[1].clone(), shape);
                self.arithmetic(Operator::Add, product, values[2].clone(), shape)
            }
        }
    }

    fn bit_count(&mut self, name: &str, value: Value) -> Value {
        let value = if value.kind() == Kind::Uint { value } else { self.with_kind(value, Kind::Uint) };
        let fun = match name {
            "countbits" => MathFunction::CountOneBits,
            "reversebits" => MathFunction::ReverseBits,
            "firstbithigh" => MathFunction::FirstLeadingBit,
            _ => MathFunction::FirstTrailingBit,
        };
        self.math(fun, &[&value], Fact::UNKNOWN)
    }

    /// Reinterprets the bits of a value as another kind of number.
    fn bits(&mut self, name: &str, value: Value) -> Value {
        let kind = match name {
            "asint" => Kind::Int,
            "asuint" => Kind::Uint,
            _ => Kind::Float,
        };
        let value = if value.kind() == Kind::Bool { self.with_kind(value, Kind::Int) } else { value };
        let expr = self.expr(&value);
        let handle =
            self.f.add(Expression::As { expr, kind: super::context::scalar(kind).kind, convert: None });
        Value::new(number(kind, value.shape()), handle, Fact::UNKNOWN)
    }
}

/// Returns the number of arguments of an intrinsic; `None` if there is none called `name`.
fn arity(name: &str) -> Option<usize> {
    Some(match name {
        "abs" | "acos" | "all" | "any" | "asfloat" | "asin" | "asint" | "asuint" | "atan" | "ceil"
        | "clip" | "cos" | "cosh" | "countbits" | "D3DCOLORtoUBYTE4" | "ddx" | "ddy" | "degrees"
        | "determinant" | "exp" | "exp2" | "firstbithigh" | "firstbitlow" | "floor" | "frac" | "fwidth"
        | "isfinite" | "isinf" | "isnan" | "length" | "log" | "log10" | "log2" | "normalize" | "radians"
        | "rcp" | "reversebits" | "round" | "rsqrt" | "saturate" | "sign" | "sin" | "sinh" | "sqrt"
        | "tan" | "tanh" | "transpose" | "trunc" | "lum" | "GetMain" | "GetPixel" | "GetBlur1"
        | "GetBlur2" | "GetBlur3" | "get_fft" | "get_fft_hz" | "get_fft_peak" | "get_fft_peak_hz"
        | "get_wave" | "get_wave_left" | "get_wave_right" => 1,
        "atan2" | "cross" | "distance" | "dot" | "fmod" | "ldexp" | "max" | "min" | "mul" | "pow"
        | "reflect" | "step" => 2,
        "clamp" | "faceforward" | "lerp" | "lit" | "mad" | "refract" | "smoothstep" => 3,
        _ => return None,
    })
}
