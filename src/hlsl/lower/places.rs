//! Reads and assigns variables and parts of them.

use naga::{Expression, Handle};

use super::builder::{Part, Place, State, Symbol, VarId};
use super::context::{Global, Lowering};
use super::value::{Fact, Value};
use crate::hlsl::ast::{Expr, ExprId};
use crate::hlsl::header::{self, Builtin, Input};
use crate::hlsl::types::{Kind, Shape, Ty};
use crate::preprocess::{Error, Pos};

/// Returns the components that a swizzle such as `xy` or `rgb` selects from a vector; `None` if invalid.
pub(super) fn components(name: &str, size: u8) -> Option<Vec<u8>> {
    if name.is_empty() || name.len() > 4 {
        return None;
    }
    ["xyzw", "rgba"].iter().find_map(|set| {
        name.chars().map(|letter| set.find(letter).map(|at| at as u8).filter(|at| *at < size)).collect()
    })
}

/// Returns the elements that a swizzle such as `_m00` or `_11_22` selects from a matrix; `None` if invalid.
pub(super) fn elements(name: &str, rows: u8, columns: u8) -> Option<Vec<(u8, u8)>> {
    let mut found = Vec::new();
    for part in name.strip_prefix('_')?.split('_') {
        let (digits, base) = match part.strip_prefix('m') {
            Some(digits) => (digits, 0),
            None => (part, 1),
        };
        let [row, column] = digits.as_bytes() else { return None };
        let index = |byte: u8, limit: u8| byte.checked_sub(b'0' + base).filter(|index| *index < limit);
        found.push((index(*row, rows)?, index(*column, columns)?));
    }
    (!found.is_empty() && found.len() <= 4).then_some(found)
}

impl Lowering<'_> {
    /// Returns the place that an expression refers to; `None` if the expression is only a value.
    pub fn place(&mut self, id: ExprId) -> Result<Option<Place>, Error> {
        let pos = self.ast.pos(id);
        match self.ast.expr(id) {
            Expr::Name(name) => self.named_place(name),
            Expr::Member(base, member) => {
                let member = member.clone();
                let Some(base) = self.place(*base)? else { return Ok(None) };
                self.member_place(base, &member, pos).map(Some)
            }
            Expr::Index(base, index) => {
                let index = *index;
                let Some(base) = self.place(*base)? else { return Ok(None) };
                self.index_place(base, index, pos).map(Some)
            }
            _ => Ok(None),
        }
    }

    fn named_place(&mut self, name: &str) -> Result<Option<Place>, Error> {
        let var = match self.f.find(name) {
            Some(Symbol::Var(var)) => Some(*var),
            Some(Symbol::Value(_)) => return Ok(None),
            None => match self.globals.get(name) {
                Some(Global::Variable(handle, ty)) => {
                    let (handle, ty) = (*handle, *ty);
                    let pointer = self.f.add(Expression::GlobalVariable(handle));
                    return Ok(Some(Place { pointer, ty, var: None, part: Part::All }));
                }
                Some(_) => None,
                None => match header::builtin(name) {
                    Some(Builtin::Input(input)) => self.input(input),
                    _ => None,
                },
            },
        };
        Ok(var.map(|var| {
            let known = &self.f.vars[var];
            Place { pointer: known.pointer, ty: known.ty, var: Some(var), part: Part::All }
        }))
    }

    /// Returns the variable of an input and records that it is read; `None` outside the shader body.
    fn input(&mut self, input: Input) -> Option<VarId> {
        if self.result.is_some() {
            return None;
        }
        match input {
            Input::Hue => self.reads_diffuse = true,
            Input::Radius | Input::Angle => self.reads_polar = true,
            Input::Uv => self.reads_source = true,
            Input::UvOrig => {}
        }
        self.inputs.get(&input).copied()
    }

    fn member_place(&mut self, base: Place, member: &str, pos: Pos) -> Result<Place, Error> {
        match (base.ty, &base.part) {
            (Ty::Struct(index), Part::All) => {
                let fields = &self.ast.structs[index as usize].fields;
                let Some(field) = fields.iter().position(|(name, _)| &**name == member) else {
                    return self.no_member(base.ty, member, pos);
                };
                let ty = fields[field].1;
                let pointer = self.f.add(Expression::AccessIndex { base: base.pointer, index: field as u32 });
                Ok(Place { pointer, ty, ..base })
            }
            (Ty::Number(_, Shape::Matrix(rows, columns)), Part::All) => match elements(member, rows, columns)
            {
                Some(list) => Ok(Place { part: Part::Elements(list), ..base }),
                None => self.no_member(base.ty, member, pos),
            },
            (Ty::Number(_, shape), Part::All) => match components(member, shape.count()) {
                // A one-component swizzle of a scalar is the scalar itself.
                Some(list) if shape == Shape::Scalar && list.len() == 1 => Ok(base),
                Some(list) => Ok(Place { part: Part::Components(list), ..base }),
                None => self.no_member(base.ty, member, pos),
            },
            (_, Part::Components(list)) => match components(member, list.len() as u8) {
                Some(chosen) => {
                    let part =
                        Part::Components(chosen.iter().map(|index| list[usize::from(*index)]).collect());
                    Ok(Place { part, ..base })
                }
                None => self.no_member(self.place_type(&base), member, pos),
            },
            (_, Part::Elements(list)) => match components(member, list.len() as u8) {
                Some(chosen) => {
                    let part = Part::Elements(chosen.iter().map(|index| list[usize::from(*index)]).collect());
                    Ok(Place { part, ..base })
                }
                None => self.no_member(self.place_type(&base), member, pos),
            },
            _ => self.no_member(base.ty, member, pos),
        }
    }

    pub fn no_member<T>(&self, ty: Ty, member: &str, pos: Pos) -> Result<T, Error> {
        Error::semantic(pos, format!("{} has no member `{member}`", self.type_name(ty)))
    }

    fn index_place(&mut self, base: Place, index: ExprId, pos: Pos) -> Result<Place, Error> {
        if let Part::Components(list) = &base.part {
            // A constant index into swizzled components selects one of them.
            let index = self.index(index)?;
            let Some(constant) = index.as_constant() else {
                return Error::semantic(pos, "a swizzle can only be indexed by a constant");
            };
            let at = (constant[0].max(0.0) as usize).min(list.len() - 1);
            return Ok(Place { part: Part::Components(vec![list[at]]), ..base });
        }
        let (ty, length) = match (base.ty, &base.part) {
            (Ty::Array(array), Part::All) => {
                let array = self.ast.arrays[array as usize];
                (array.element, array.length)
            }
            (Ty::Number(_, Shape::Matrix(rows, columns)), Part::All) => {
                (Ty::vector(columns), u32::from(rows))
            }
            (Ty::Number(kind, Shape::Vector(size)), Part::All) => {
                (Ty::Number(kind, Shape::Scalar), u32::from(size))
            }
            (Ty::Number(_, Shape::Scalar), Part::All) => {
                self.index(index)?;
                return Ok(base);
            }
            _ => return Error::semantic(pos, format!("{} has no elements", self.type_name(base.ty))),
        };
        let index = self.index(index)?;
        let pointer = match index.as_constant() {
            Some(constant) => {
                let index = (constant[0].max(0.0) as u32).min(length - 1);
                self.f.add(Expression::AccessIndex { base: base.pointer, index })
            }
            None => {
                let index = self.clamped(&index, length);
                self.f.add(Expression::Access { base: base.pointer, index })
            }
        };
        Ok(Place { pointer, ty, ..base })
    }

    /// Lowers an index to an integer.
    pub fn index(&mut self, id: ExprId) -> Result<Value, Error> {
        let pos = self.ast.pos(id);
        let value = self.value(id)?;
        self.convert(value, Ty::INT, pos)
    }

    /// Clamps an index to the range from 0 to `length - 1`.
    pub fn clamped(&mut self, index: &Value, length: u32) -> Handle<Expression> {
        let whole = |value: u32| Value::constant(Kind::Int, Shape::Scalar, [f64::from(value), 0.0, 0.0, 0.0]);
        let (first, last) = (whole(0), whole(length - 1));
        let inside =
            self.math(naga::MathFunction::Clamp, &[index, &first, &last], Fact::within(length as f32));
        self.expr(&inside)
    }

    /// Returns the type of a place's value.
    pub fn place_type(&self, place: &Place) -> Ty {
        match (&place.part, place.ty) {
            (Part::Components(list), Ty::Number(kind, _)) => Ty::Number(kind, Shape::of(1, list.len() as u8)),
            (Part::Elements(list), _) => Ty::vector(list.len() as u8),
            (_, ty) => ty,
        }
    }

    pub fn read(&mut self, place: &Place) -> Value {
        let state = place.var.map_or(State::UNKNOWN, |var| self.f.state(var));
        let whole_var = place.var.is_some_and(|var| self.f.vars[var].pointer == place.pointer);
        if let (Part::Elements(list), Ty::Number(_, Shape::Matrix(..))) = (&place.part, place.ty) {
            let parts: Vec<_> = list.iter().map(|at| self.read_element(place.pointer, *at)).collect();
            return self.compose(Kind::Float, Shape::of(1, list.len() as u8), &parts);
        }
        let value = match (place.ty, state.constant.filter(|_| whole_var)) {
            (Ty::Number(kind, shape @ (Shape::Scalar | Shape::Vector(_))), Some(constant)) => {
                Value::constant(kind, shape, constant)
            }
            (ty, _) => {
                // Facts are only tracked for whole variables.
                let fact = if whole_var { state.fact } else { Fact::UNKNOWN };
                self.count_bytes(ty);
                let handle = self.f.add(Expression::Load { pointer: place.pointer });
                Value::new(ty, handle, fact)
            }
        };
        match &place.part {
            Part::Components(list) => self.swizzle(&value, &list.clone()),
            _ => value,
        }
    }

    fn read_element(&mut self, matrix: Handle<Expression>, (row, column): (u8, u8)) -> Value {
        let pointer = self.element(matrix, row, column);
        let handle = self.f.add(Expression::Load { pointer });
        Value::new(Ty::FLOAT, handle, Fact::UNKNOWN)
    }

    fn element(&mut self, matrix: Handle<Expression>, row: u8, column: u8) -> Handle<Expression> {
        let base = self.f.add(Expression::AccessIndex { base: matrix, index: u32::from(row) });
        self.f.add(Expression::AccessIndex { base, index: u32::from(column) })
    }

    /// Assigns a value that already has the place's type.
    pub fn write(&mut self, place: &Place, value: &Value) {
        let whole_var = place.var.filter(|var| self.f.vars[*var].pointer == place.pointer);
        match &place.part {
            Part::All => {
                let handle = self.expr(value);
                self.f.store(place.pointer, handle);
            }
            Part::Components(list) => {
                for (from, to) in (0..).zip(list.clone()) {
                    let component = self.component(value, from);
                    let handle = self.expr(&component);
                    let pointer = match place.ty {
                        Ty::Number(_, Shape::Scalar) => place.pointer,
                        _ => {
                            self.f.add(Expression::AccessIndex { base: place.pointer, index: u32::from(to) })
                        }
                    };
                    self.f.store(pointer, handle);
                }
            }
            Part::Elements(list) => {
                for (from, (row, column)) in (0..).zip(list.clone()) {
                    let component = self.component(value, from);
                    let handle = self.expr(&component);
                    let pointer = self.element(place.pointer, row, column);
                    self.f.store(pointer, handle);
                }
            }
        }
        let Some(var) = place.var else { return };
        let state = match (whole_var, &place.part) {
            (Some(_), Part::All) => State { fact: value.fact, constant: value.as_constant() },
            (Some(_), Part::Components(_)) => {
                let before = self.f.state(var);
                State { fact: before.fact.or(value.fact), constant: None }
            }
            _ => State::UNKNOWN,
        };
        self.f.set_state(var, state);
    }
}
