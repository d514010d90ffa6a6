//! Lowers expressions.

use lactea_abi::{MAX_PASS_TEXTURES, TexSource};
use naga::{Expression, MathFunction};

use super::blocks;
use super::builder::{Place, Symbol};
use super::context::{Global, Lowering};
use super::places::{components, elements};
use super::value::{Fact, Repr, Value};
use crate::hlsl::ast::{Expr, ExprId, Operator};
use crate::hlsl::header::{self, Builtin, Register};
use crate::hlsl::limits;
use crate::hlsl::types::{Kind, Shape, Ty, common_shape, number};
use crate::preprocess::{Error, Name, Pos};

impl Lowering<'_> {
    /// Lowers an expression.
    pub fn value(&mut self, id: ExprId) -> Result<Value, Error> {
        let ast = self.ast;
        let pos = ast.pos(id);
        match ast.expr(id) {
            Expr::Int(value, unsigned) => {
                let kind = if *unsigned || *value > i32::MAX as u32 { Kind::Uint } else { Kind::Int };
                Ok(Value::constant(kind, Shape::Scalar, [f64::from(*value), 0.0, 0.0, 0.0]))
            }
            Expr::Float(value) => Ok(Value::float(*value)),
            Expr::Bool(value) => {
                Ok(Value::constant(Kind::Bool, Shape::Scalar, [f64::from(*value), 0.0, 0.0, 0.0]))
            }
            Expr::Name(name) => self.name(id, name),
            Expr::Prefix(prefix, inner) => {
                let value = self.value(*inner)?;
                self.prefix(*prefix, value, pos)
            }
            Expr::Step { target, increment, prefix } => {
                let place = self.target(*target)?;
                let old = self.read(&place);
                let one = Value::constant(Kind::Int, Shape::Scalar, [1.0, 0.0, 0.0, 0.0]);
                let operator = if *increment { Operator::Add } else { Operator::Subtract };
                let new = self.binary(operator, old.clone(), one, pos)?;
                let new = self.convert(new, old.ty, pos)?;
                self.write(&place, &new);
                Ok(if *prefix { new } else { old })
            }
            Expr::Binary(..) => self.operators(id),
            Expr::Assign(operator, target, value) => self.assign(*operator, *target, *value, pos),
            Expr::Conditional(condition, accept, reject) => self.choose([*condition, *accept, *reject], pos),
            Expr::Comma(first, second) => {
                self.value(*first)?;
                self.value(*second)
            }
            Expr::Call(name, arguments) => self.call(name, arguments, pos),
            Expr::Construct(ty, values) => self.construct(*ty, values, pos),
            Expr::Cast(ty, inner) => {
                let value = self.value(*inner)?;
                match (value.ty, *ty) {
                    (Ty::Number(..), Ty::Struct(_) | Ty::Array(_)) if value.is_all(0.0) => {
                        self.count_bytes(*ty);
                        Ok(self.zero(*ty))
                    }
                    _ => self.convert(value, *ty, pos),
                }
            }
            Expr::Member(base, member) => match self.place(id)? {
                Some(place) => Ok(self.read(&place)),
                None => {
                    let base = self.value(*base)?;
                    self.member(base, member, pos)
                }
            },
            Expr::Index(base, index) => match self.place(id)? {
                Some(place) => Ok(self.read(&place)),
                None => {
                    let base = self.value(*base)?;
                    self.indexed(base, *index, pos)
                }
            },
            Expr::List(_) => Error::semantic(pos, "a braced list is only allowed as an initializer"),
        }
    }

    /// Lowers a chain of binary operators from left to right, iteratively, so that a long one cannot overflow
    /// the stack.
    fn operators(&mut self, id: ExprId) -> Result<Value, Error> {
        let (first, rest) = self.ast.chain(id);
        let mut left = self.value(first)?;
        for (operator, right, pos) in rest {
            let right = self.value(right)?;
            left = self.binary(operator, left, right, pos)?;
        }
        Ok(left)
    }

    fn name(&mut self, id: ExprId, name: &Name) -> Result<Value, Error> {
        if let Some(Symbol::Value(value)) = self.f.find(name) {
            return Ok(value.clone());
        }
        if let Some(place) = self.place(id)? {
            return Ok(self.read(&place));
        }
        if let Some(Global::Constant(value)) = self.globals.get(name) {
            return Ok(value.clone());
        }
        if let Some(sampler) = self.sampler(id) {
            return Ok(Value { ty: Ty::Sampler, repr: Repr::Sampler(sampler), fact: Fact::UNKNOWN });
        }
        match header::builtin(name) {
            Some(Builtin::Uniform(register, first, count)) => {
                return Ok(self.register(register, first, count));
            }
            Some(Builtin::Rotation(index)) => {
                let columns = self.rotation(index);
                let matrix = self.expr(&columns);
                let handle = self.f.add(Expression::Math {
                    fun: MathFunction::Transpose,
                    arg: matrix,
                    arg1: None,
                    arg2: None,
                    arg3: None,
                });
                return Ok(Value::new(
                    Ty::Number(Kind::Float, Shape::Matrix(4, 3)),
                    handle,
                    Fact::within(8.0),
                ));
            }
            Some(Builtin::Constant(value)) => return Ok(Value::float(value)),
            Some(Builtin::Input(_)) => {
                let message =
                    format!("`{name}` is only available inside `shader_body`; pass it to the function");
                return Error::semantic(self.ast.pos(id), message);
            }
            None => {}
        }
        if let Some(root) = name.strip_prefix("texsize_") {
            return self.texture_size(root, self.ast.pos(id));
        }
        Error::semantic(self.ast.pos(id), format!("unknown name `{name}`"))
    }

    fn texture_size(&mut self, root: &str, pos: Pos) -> Result<Value, Error> {
        let root = root.to_ascii_lowercase();
        if let TexSource::Noise(noise) = header::source(&root) {
            return Ok(self.register(Register::NoiseSize(noise.index() as u32), 0, 4));
        }
        let slot = self.size_slot(&root);
        if slot as usize >= MAX_PASS_TEXTURES {
            return Error::limit(pos, format!("more than {MAX_PASS_TEXTURES} texture sizes"));
        }
        let block = self.f.add(Expression::GlobalVariable(self.blocks.pass));
        let array = self.f.add(Expression::AccessIndex { base: block, index: 0 });
        let pointer = self.f.add(Expression::AccessIndex { base: array, index: slot });
        let handle = self.f.add(Expression::Load { pointer });
        Ok(Value::new(Ty::vector(4), handle, Fact { bound: 1e6, nonzero: true }))
    }

    /// Reads components of a uniform register.
    pub fn register(&mut self, register: Register, first: u8, count: u8) -> Value {
        let sized = Fact { bound: 1e6, nonzero: true };
        let (block, member, index, fact) = match register {
            Register::RandFrame => (self.blocks.frame, blocks::RAND_FRAME, None, Fact::within(1.0)),
            Register::RandPreset => (self.blocks.frame, blocks::RAND_PRESET, None, Fact::within(1.0)),
            // Sizes and aspect ratios are never 0.
            Register::C(index @ (0 | 7)) => (self.blocks.frame, blocks::C, Some(index), sized),
            Register::C(index) => (self.blocks.frame, blocks::C, Some(index), Fact::within(1e8)),
            Register::Q(index) => (self.blocks.frame, blocks::Q, Some(index), Fact::within(f32::MAX)),
            Register::NoiseSize(index) => (self.blocks.frame, blocks::NOISE_SIZES, Some(index), sized),
            Register::QHigh(index) => {
                (self.blocks.extra, blocks::Q_HIGH, Some(index), Fact::within(f32::MAX))
            }
            Register::Mouse => (self.blocks.extra, blocks::MOUSE, None, Fact::within(1e4)),
            Register::Smooth => (self.blocks.extra, blocks::SMOOTH, None, Fact::within(1e8)),
            Register::Clock => (self.blocks.extra, blocks::CLOCK, None, Fact::within(1e5)),
            Register::Date => (self.blocks.extra, blocks::DATE, None, Fact::within(1e4)),
            Register::Vis => (self.blocks.extra, blocks::VIS, None, Fact::within(1e4)),
            Register::ColorShift => (self.blocks.extra, blocks::COLOR_SHIFT, None, Fact::within(1e4)),
        };
        let base = self.f.add(Expression::GlobalVariable(block));
        let mut pointer = self.f.add(Expression::AccessIndex { base, index: member });
        if let Some(index) = index {
            pointer = self.f.add(Expression::AccessIndex { base: pointer, index });
        }
        if count == 1 {
            pointer = self.f.add(Expression::AccessIndex { base: pointer, index: u32::from(first) });
        }
        let handle = self.f.add(Expression::Load { pointer });
        if count == 1 {
            return Value::new(Ty::FLOAT, handle, fact);
        }
        let whole = Value::new(Ty::vector(4), handle, fact);
        let chosen: Vec<u8> = (first..first + count).collect();
        self.swizzle(&whole, &chosen)
    }

    /// Returns a rotation matrix as stored, which is the transpose of the `float4x3` that HLSL sees.
    pub fn rotation(&mut self, index: u32) -> Value {
        let base = self.f.add(Expression::GlobalVariable(self.blocks.frame));
        let array = self.f.add(Expression::AccessIndex { base, index: blocks::ROTATIONS });
        let pointer = self.f.add(Expression::AccessIndex { base: array, index });
        let handle = self.f.add(Expression::Load { pointer });
        Value::new(Ty::Number(Kind::Float, Shape::Matrix(3, 4)), handle, Fact::within(8.0))
    }

    /// Returns the place that an assignment to this expression writes to.
    pub fn target(&mut self, id: ExprId) -> Result<Place, Error> {
        match self.place(id)? {
            Some(place) => Ok(place),
            None => match self.ast.expr(id) {
                Expr::Name(name) => {
                    let message = format!("cannot assign to `{name}`: it is not a variable");
                    Error::semantic(self.ast.pos(id), message)
                }
                _ => Error::semantic(self.ast.pos(id), "cannot assign to this expression"),
            },
        }
    }

    fn assign(
        &mut self,
        operator: Option<Operator>,
        target: ExprId,
        value: ExprId,
        pos: Pos,
    ) -> Result<Value, Error> {
        let mut value = self.value(value)?;
        let place = self.target(target)?;
        let ty = self.place_type(&place);
        if let Some(operator) = operator {
            let old = self.read(&place);
            value = self.binary(operator, old, value, pos)?;
        }
        let value = self.convert(value, ty, pos)?;
        self.write(&place, &value);
        Ok(value)
    }

    fn choose(&mut self, [condition, accept, reject]: [ExprId; 3], pos: Pos) -> Result<Value, Error> {
        let condition = self.value(condition)?;
        let condition = self.with_kind(condition, Kind::Bool);
        let (accept, reject) = (self.value(accept)?, self.value(reject)?);
        let (Ty::Number(accept_kind, accept_shape), Ty::Number(reject_kind, reject_shape)) =
            (accept.ty, reject.ty)
        else {
            return self.select_aggregate(condition, accept, reject, pos);
        };
        let kind = accept_kind.max(reject_kind);
        let shape = common_shape(accept_shape, reject_shape);
        let (condition, shape) = match (condition.shape(), shape) {
            (Shape::Vector(_), Shape::Scalar | Shape::Vector(_)) => {
                let shape = common_shape(condition.shape(), shape);
                (self.reshape(condition, shape), shape)
            }
            (_, shape) => (self.reshape(condition, Shape::Scalar), shape),
        };
        let [accept, reject] = [accept, reject].map(|value| {
            let value = self.with_kind(value, kind);
            self.reshape(value, shape)
        });
        if condition.is_all(1.0) {
            return Ok(accept);
        }
        if condition.is_all(0.0) {
            return Ok(reject);
        }
        let fact = accept.fact.or(reject.fact);
        if let Shape::Matrix(rows, _) = shape {
            let condition = self.expr(&condition);
            let rows = (0..rows)
                .map(|row| {
                    let (accept, reject) = (self.row(&accept, row), self.row(&reject, row));
                    self.select(condition, &accept, &reject, fact)
                })
                .collect();
            return Ok(self.matrix(rows));
        }
        let condition = self.expr(&condition);
        Ok(self.select(condition, &accept, &reject, fact))
    }

    /// Lowers `?:` for structs or arrays, using a variable.
    fn select_aggregate(
        &mut self,
        condition: Value,
        accept: Value,
        reject: Value,
        pos: Pos,
    ) -> Result<Value, Error> {
        let ty = accept.ty;
        let reject = self.convert(reject, ty, pos)?;
        if matches!(ty, Ty::Sampler | Ty::Void) {
            return Error::semantic(
                pos,
                format!("cannot use `?:` with values of type {}", self.type_name(ty)),
            );
        }
        let condition = self.reshape(condition, Shape::Scalar);
        let (condition, accept, reject) = (self.expr(&condition), self.expr(&accept), self.expr(&reject));
        let var = self.local("choice", ty);
        self.f.bytes = self.f.bytes.saturating_add(limits::CHOICE_BYTES);
        let pointer = self.f.vars[var].pointer;
        self.f.store(pointer, reject);
        let outer = self.f.enter();
        self.f.store(pointer, accept);
        let accept = self.f.leave(outer);
        self.f.push(naga::Statement::If { condition, accept, reject: naga::Block::new() });
        let handle = self.f.add(Expression::Load { pointer });
        Ok(Value::new(ty, handle, Fact::UNKNOWN))
    }

    /// Lowers a constructor call such as `float3(uv, 1)`.
    fn construct(&mut self, ty: Ty, values: &[ExprId], pos: Pos) -> Result<Value, Error> {
        let Ty::Number(kind, shape) = ty else {
            return Error::semantic(pos, "only numeric types have constructors");
        };
        let mut parts = Vec::new();
        for id in values {
            let value = self.value(*id)?;
            if !matches!(value.ty, Ty::Number(..)) {
                return self.cannot(self.ast.pos(*id), "convert", value.ty, ty);
            }
            let value = self.with_kind(value, kind);
            parts.push(value);
        }
        if let [value] = &parts[..]
            && (value.shape() == Shape::Scalar || value.shape().count() >= shape.count())
        {
            let value = value.clone();
            return self.convert(value, ty, pos);
        }
        let wanted = usize::from(shape.count());
        let found: usize = parts.iter().map(|part| usize::from(part.shape().count())).sum();
        if found < wanted {
            let message = format!("{} needs {wanted} components, not {found}", self.type_name(ty));
            return Error::semantic(pos, message);
        }
        // A matrix given row by row is composed directly.
        if let (Shape::Matrix(rows, columns), true) = (
            shape,
            parts.len()
                == usize::from(match shape {
                    Shape::Matrix(rows, _) => rows,
                    _ => 0,
                }),
        ) && parts.iter().all(|part| part.shape() == Shape::Vector(columns))
        {
            debug_assert_eq!(usize::from(rows), parts.len());
            return Ok(self.matrix(parts));
        }
        let mut scalars = Vec::new();
        for part in &parts {
            // Excess components are evaluated, but not used.
            if scalars.len() >= wanted {
                break;
            }
            scalars.extend(self.scalars(part));
        }
        Ok(self.compose(kind, shape, &scalars[..wanted]))
    }

    /// Returns a member of a value that is not stored in a variable.
    fn member(&mut self, base: Value, member: &str, pos: Pos) -> Result<Value, Error> {
        match base.ty {
            Ty::Struct(index) => {
                let fields = &self.ast.structs[index as usize].fields;
                let Some(field) = fields.iter().position(|(name, _)| &**name == member) else {
                    return self.no_member(base.ty, member, pos);
                };
                let ty = fields[field].1;
                let base = self.expr(&base);
                let handle = self.f.add(Expression::AccessIndex { base, index: field as u32 });
                Ok(Value::new(ty, handle, Fact::UNKNOWN))
            }
            Ty::Number(_, Shape::Matrix(rows, columns)) => match elements(member, rows, columns) {
                Some(list) => {
                    let parts: Vec<_> = list
                        .into_iter()
                        .map(|(row, column)| {
                            let row = self.row(&base, row);
                            self.component(&row, column)
                        })
                        .collect();
                    Ok(self.compose(Kind::Float, Shape::of(1, parts.len() as u8), &parts))
                }
                None => self.no_member(base.ty, member, pos),
            },
            Ty::Number(_, shape) => match components(member, shape.count()) {
                Some(list) => Ok(self.swizzle(&base, &list)),
                None => self.no_member(base.ty, member, pos),
            },
            _ => self.no_member(base.ty, member, pos),
        }
    }

    /// Returns an element of a value that is not stored in a variable.
    fn indexed(&mut self, base: Value, index: ExprId, pos: Pos) -> Result<Value, Error> {
        let (ty, length) = match base.ty {
            Ty::Array(array) => {
                let array = self.ast.arrays[array as usize];
                (array.element, array.length)
            }
            Ty::Number(_, Shape::Matrix(rows, columns)) => (Ty::vector(columns), u32::from(rows)),
            Ty::Number(kind, Shape::Vector(size)) => (number(kind, Shape::Scalar), u32::from(size)),
            _ => return Error::semantic(pos, format!("{} has no elements", self.type_name(base.ty))),
        };
        let index = self.index(index)?;
        if let Some(constant) = index.as_constant() {
            let index = (constant[0].max(0.0) as u32).min(length - 1);
            if base.as_constant().is_some() {
                return Ok(self.component(&base, index as u8));
            }
            let fact = base.fact;
            let base = self.expr(&base);
            let handle = self.f.add(Expression::AccessIndex { base, index });
            return Ok(Value::new(ty, handle, fact));
        }
        // Only variables support a dynamic index.
        let var = self.local("indexed", base.ty);
        let fact = base.fact;
        let (base, pointer) = (self.expr(&base), self.f.vars[var].pointer);
        self.f.store(pointer, base);
        let index = self.clamped(&index, length);
        let pointer = self.f.add(Expression::Access { base: pointer, index });
        let handle = self.f.add(Expression::Load { pointer });
        Ok(Value::new(ty, handle, fact))
    }

    /// Lowers the initializer of a variable of type `ty`.
    pub fn initial(&mut self, ty: Ty, id: ExprId) -> Result<Value, Error> {
        let pos = self.ast.pos(id);
        let Expr::List(_) = self.ast.expr(id) else {
            let value = self.value(id)?;
            return self.convert(value, ty, pos);
        };
        self.count_bytes(ty);
        let mut leaves = Vec::new();
        self.leaves(id, &mut leaves)?;
        leaves.reverse();
        let value = self.filled(ty, &mut leaves, pos)?;
        Ok(value)
    }

    /// Appends the values of a braced list to `out`, flattening nested lists.
    fn leaves(&mut self, id: ExprId, out: &mut Vec<Value>) -> Result<(), Error> {
        let ast = self.ast;
        let Expr::List(values) = ast.expr(id) else {
            let value = self.value(id)?;
            out.push(value);
            return Ok(());
        };
        values.iter().try_for_each(|value| self.leaves(*value, out))
    }

    /// Builds a value of type `ty` from values popped from the end of `leaves`.
    fn filled(&mut self, ty: Ty, leaves: &mut Vec<Value>, pos: Pos) -> Result<Value, Error> {
        let ast = self.ast;
        let parts = match ty {
            Ty::Array(array) => {
                let array = ast.arrays[array as usize];
                vec![array.element; array.length as usize]
            }
            Ty::Struct(index) => ast.structs[index as usize].fields.iter().map(|(_, ty)| *ty).collect(),
            Ty::Number(kind, shape) => {
                let mut scalars = Vec::new();
                while scalars.len() < usize::from(shape.count()) {
                    let Some(leaf) = leaves.pop() else {
                        return Error::semantic(pos, format!("too few values for {}", self.type_name(ty)));
                    };
                    if leaf.ty == ty && scalars.is_empty() {
                        return Ok(leaf);
                    }
                    if !matches!(leaf.ty, Ty::Number(..)) {
                        return self.cannot(pos, "convert", leaf.ty, ty);
                    }
                    let leaf = self.with_kind(leaf, kind);
                    scalars.extend(self.scalars(&leaf));
                }
                // Excess components of a vector go to the next element.
                let rest = scalars.split_off(usize::from(shape.count()));
                leaves.extend(rest.into_iter().rev());
                return Ok(self.compose(kind, shape, &scalars));
            }
            Ty::Void | Ty::Sampler => return Error::semantic(pos, "a sampler has no components"),
        };
        let mut components = Vec::with_capacity(parts.len());
        for part in parts {
            if leaves.last().is_some_and(|leaf| leaf.ty == part)
                && let Some(leaf) = leaves.pop()
            {
                components.push(self.expr(&leaf));
                continue;
            }
            let value = self.filled(part, leaves, pos)?;
            components.push(self.expr(&value));
        }
        let handle = self.naga_type(ty);
        let handle = self.f.add(Expression::Compose { ty: handle, components });
        Ok(Value::new(ty, handle, Fact::UNKNOWN))
    }
}
