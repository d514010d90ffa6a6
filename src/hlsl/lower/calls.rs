//! Calls to the preset's own functions, and to intrinsics with output parameters.

use naga::{
    AddressSpace, Expression, FunctionArgument, FunctionResult, MathFunction, Span, Statement, TypeInner,
};

use super::builder::{Builder, Place, State, Symbol};
use super::context::{LoweredFunction, Lowering};
use super::value::{Fact, Repr, Value};
use crate::hlsl::ast::{ExprId, Operator, Passing};
use crate::hlsl::limits;
use crate::hlsl::types::{Kind, Shape, Ty, common_shape};
use crate::preprocess::{Error, Name, Pos};

/// An argument of a call.
enum Argument {
    Value(Value),
    Place(Place, Ty),
    Sampler(Name),
}

impl Argument {
    fn ty(&self) -> Ty {
        match self {
            Self::Value(value) => value.ty,
            Self::Place(_, ty) => *ty,
            Self::Sampler(_) => Ty::Sampler,
        }
    }
}

/// Returns the cost of converting `from` to the parameter type `to`, for overload resolution; `None` if they are
/// incompatible.
fn conversion_cost(from: Ty, to: Ty) -> Option<u32> {
    let (Ty::Number(from_kind, from_shape), Ty::Number(with_kind, to_shape)) = (from, to) else {
        return (from == to).then_some(0);
    };
    let kind = if from_kind == with_kind { 0 } else { 1 + u32::from(from_kind > with_kind) };
    let shape = match (from_shape, to_shape) {
        (from, to) if from == to => 0,
        (Shape::Scalar, _) => 4,
        (_, Shape::Scalar) => 16,
        (Shape::Vector(from), Shape::Vector(to)) if from >= to => 8,
        (Shape::Matrix(a, b), Shape::Matrix(c, d)) if a >= c && b >= d => 8,
        (from, to) if from.count() == to.count() => 16,
        _ => return None,
    };
    Some(kind + shape)
}

impl Lowering<'_> {
    pub fn call(&mut self, name: &Name, arguments: &[ExprId], pos: Pos) -> Result<Value, Error> {
        let ast = self.ast;
        let candidates = ast.candidates(name, arguments.len());
        if candidates.is_empty() {
            if let Some(value) = self.intrinsic(name, arguments, pos)? {
                return Ok(value);
            }
            let message = match ast.overloads(name).first() {
                Some(index) => {
                    let wanted = ast.functions[*index].parameters.len();
                    format!(
                        "wrong number of arguments for `{name}`: expected {wanted}, found {}",
                        arguments.len()
                    )
                }
                None => format!("unknown function `{name}`"),
            };
            return Error::semantic(pos, message);
        }
        let mut lowered = Vec::with_capacity(arguments.len());
        for (position, id) in arguments.iter().enumerate() {
            let is_output = candidates
                .iter()
                .any(|index| ast.functions[*index].parameters[position].passing != Passing::In);
            lowered.push(self.argument(*id, is_output)?);
        }
        let score = |index: &usize| {
            let parameters = &ast.functions[*index].parameters;
            let costs =
                lowered.iter().zip(parameters).map(|(argument, own)| conversion_cost(argument.ty(), own.ty));
            costs.sum::<Option<u32>>()
        };
        let best = candidates.iter().filter_map(|index| score(index).map(|score| (score, *index))).min();
        let Some((_, index)) = best else {
            let types: Vec<_> = lowered.iter().map(|argument| self.type_name(argument.ty())).collect();
            return Error::semantic(pos, format!("no function `{name}` takes ({})", types.join(", ")));
        };
        self.call_function(index, lowered, pos)
    }

    /// Lowers an argument; if it may be an output, it must be assignable.
    fn argument(&mut self, id: ExprId, is_output: bool) -> Result<Argument, Error> {
        if let Some(sampler) = self.sampler(id) {
            return Ok(Argument::Sampler(sampler));
        }
        if is_output {
            let place = self.target(id)?;
            let ty = self.place_type(&place);
            return Ok(Argument::Place(place, ty));
        }
        self.value(id).map(Argument::Value)
    }

    /// Lowers a call to a function by index; arguments that have defaults may be missing.
    fn call_function(&mut self, index: usize, arguments: Vec<Argument>, pos: Pos) -> Result<Value, Error> {
        if self.calls.contains(&index) {
            let name = &self.ast.functions[index].name;
            return Error::semantic(pos, format!("function `{name}` calls itself"));
        }
        if self.calls.len() >= limits::CALL_DEPTH {
            return Error::limit(pos, format!("function calls nested deeper than {}", limits::CALL_DEPTH));
        }
        self.calls.push(index);
        let arguments = self.with_defaults(index, arguments);
        let value = arguments.and_then(|arguments| self.pass(index, arguments, pos));
        self.calls.pop();
        value
    }

    /// Adds the defaults of missing arguments. As in the body of the function, only global names are in scope.
    fn with_defaults(&mut self, index: usize, mut arguments: Vec<Argument>) -> Result<Vec<Argument>, Error> {
        let ast = self.ast;
        let function = &ast.functions[index];
        let names = self.f.hide_names();
        let outer = self.result.replace(function.result);
        let missing = function.parameters[arguments.len()..].iter();
        let defaults: Result<Vec<Argument>, Error> = missing
            .filter_map(|parameter| Some((parameter.default?, parameter.passing != Passing::In)))
            .map(|(default, is_output)| self.argument(default, is_output))
            .collect();
        self.result = outer;
        self.f.show_names(names);
        arguments.extend(defaults?);
        Ok(arguments)
    }

    /// Calls a function with all its arguments.
    fn pass(&mut self, index: usize, arguments: Vec<Argument>, pos: Pos) -> Result<Value, Error> {
        let ast = self.ast;
        let function = &ast.functions[index];
        let (mut handles, mut samplers, mut outputs) = (Vec::new(), Vec::new(), Vec::new());
        for (argument, parameter) in arguments.into_iter().zip(&function.parameters) {
            let value = match argument {
                Argument::Sampler(sampler) if parameter.ty == Ty::Sampler => {
                    samplers.push(sampler);
                    continue;
                }
                Argument::Sampler(_) => return self.cannot(pos, "convert", Ty::Sampler, parameter.ty),
                Argument::Value(value) => value,
                Argument::Place(place, _) if parameter.passing == Passing::In => self.read(&place),
                Argument::Place(place, ty) => {
                    // `out` and `inout` arguments are passed through a variable of the parameter's type.
                    let var = self.local(&parameter.name, parameter.ty);
                    let pointer = self.f.vars[var].pointer;
                    if parameter.passing == Passing::InOut {
                        let value = self.read(&place);
                        let value = self.convert(value, parameter.ty, pos)?;
                        let handle = self.expr(&value);
                        self.f.store(pointer, handle);
                    }
                    handles.push(pointer);
                    outputs.push((place, ty, pointer, parameter.ty));
                    continue;
                }
            };
            let value = self.convert(value, parameter.ty, pos)?;
            handles.push(self.expr(&value));
        }
        let LoweredFunction { handle: callee, bytes } = self.function(index, samplers)?;
        self.f.bytes = self.f.bytes.saturating_add(bytes);
        self.count_bytes(function.result);
        let result = (function.result != Ty::Void).then(|| self.f.add(Expression::CallResult(callee)));
        self.f.push(Statement::Call { function: callee, arguments: handles, result });
        for (place, ty, pointer, from) in outputs {
            self.count_bytes(from);
            let handle = self.f.add(Expression::Load { pointer });
            let value = self.convert(Value::new(from, handle, Fact::UNKNOWN), ty, pos)?;
            self.write(&place, &value);
        }
        Ok(match result {
            Some(handle) => Value::new(function.result, handle, Fact::UNKNOWN),
            None => Value { ty: Ty::Void, ..Value::float(0.0) },
        })
    }

    /// Returns a function specialized for its sampler arguments, lowering it on the first call.
    fn function(&mut self, index: usize, samplers: Vec<Name>) -> Result<LoweredFunction, Error> {
        let key = (index, samplers);
        if let Some(known) = self.functions.get(&key) {
            return Ok(*known);
        }
        let ast = self.ast;
        let function = &ast.functions[index];
        let caller = std::mem::replace(&mut self.f, Builder::new(&function.name));
        let outer = self.result.replace(function.result);
        let lowered = self.function_body(index, &key.1);
        let callee = std::mem::replace(&mut self.f, caller);
        self.result = outer;
        lowered?;
        let bytes = callee.bytes;
        let handle = self.module.functions.append(callee.finish(), Span::UNDEFINED);
        let known = LoweredFunction { handle, bytes };
        self.functions.insert(key, known);
        Ok(known)
    }

    fn function_body(&mut self, index: usize, samplers: &[Name]) -> Result<(), Error> {
        let function = &self.ast.functions[index];
        let mut samplers = samplers.iter();
        for parameter in &function.parameters {
            if parameter.ty == Ty::Sampler {
                let Some(sampler) = samplers.next() else { break };
                let repr = Repr::Sampler(sampler.clone());
                let value = Value { ty: Ty::Sampler, repr, fact: Fact::UNKNOWN };
                self.f.bind(parameter.name.clone(), Symbol::Value(value));
                continue;
            }
            let base = self.naga_type(parameter.ty);
            let number = self.f.function.arguments.len() as u32;
            let name = Some(parameter.name.to_string());
            let by_pointer = parameter.passing != Passing::In;
            let ty = if by_pointer {
                self.insert(TypeInner::Pointer { base, space: AddressSpace::Function })
            } else {
                base
            };
            self.f.function.arguments.push(FunctionArgument { name, ty, binding: None });
            let argument = self.f.add(Expression::FunctionArgument(number));
            let var = if by_pointer {
                self.f.variable(argument, parameter.ty, State::UNKNOWN)
            } else {
                let var = self.local(&parameter.name, parameter.ty);
                let pointer = self.f.vars[var].pointer;
                self.f.store(pointer, argument);
                self.f.set_state(var, State::UNKNOWN);
                var
            };
            self.f.bind(parameter.name.clone(), Symbol::Var(var));
        }
        if function.result != Ty::Void {
            let ty = self.naga_type(function.result);
            self.f.function.result = Some(FunctionResult { ty, binding: None });
        }
        self.f.open_scope();
        self.statements(&function.body)?;
        if !self.f.ended {
            // A function without a final `return` returns zero.
            let value = (function.result != Ty::Void).then(|| {
                let zero = self.zero(function.result);
                self.expr(&zero)
            });
            self.f.push(Statement::Return { value });
        }
        Ok(())
    }

    /// Lowers a call to `sincos`, `modf` or `frexp`; `None` for any other function.
    pub fn with_outputs(
        &mut self,
        name: &str,
        arguments: &[ExprId],
        pos: Pos,
    ) -> Result<Option<Value>, Error> {
        let wanted = match name {
            "sincos" => 3,
            "modf" | "frexp" => 2,
            _ => return Ok(None),
        };
        if arguments.len() != wanted {
            let message = format!(
                "wrong number of arguments for `{name}`: expected {wanted}, found {}",
                arguments.len()
            );
            return Error::semantic(pos, message);
        }
        let x = self.value(arguments[0])?;
        let Ty::Number(_, shape @ (Shape::Scalar | Shape::Vector(_))) = x.ty else {
            return Error::semantic(pos, format!("`{name}` takes numbers, not {}", self.type_name(x.ty)));
        };
        let x = self.with_kind(x, Kind::Float);
        let fact = if x.fact.finite() { Fact::within(1.0) } else { Fact::UNKNOWN };
        let mut outputs = Vec::new();
        let result = match name {
            "sincos" => {
                outputs.push(self.math(MathFunction::Sin, &[&x], fact));
                outputs.push(self.math(MathFunction::Cos, &[&x], fact));
                Value { ty: Ty::Void, ..Value::float(0.0) }
            }
            "modf" => {
                let whole = self.math(MathFunction::Trunc, &[&x], x.fact);
                outputs.push(whole.clone());
                self.arithmetic(Operator::Subtract, x, whole, shape)
            }
            _ => {
                // x = result * 2 ^ exponent, with abs(result) in [0.5, 1).
                let size = self.math(MathFunction::Abs, &[&x], x.fact);
                let tiny = self.reshape(Value::float(f32::MIN_POSITIVE), shape);
                let size = self.math(MathFunction::Max, &[&size, &tiny], Fact::UNKNOWN);
                let power = self.math(MathFunction::Log2, &[&size], Fact::within(150.0));
                let power = self.math(MathFunction::Floor, &[&power], Fact::within(150.0));
                let one = self.reshape(Value::float(1.0), shape);
                let exponent = self.arithmetic(Operator::Add, power, one, shape);
                let scale = self.math(MathFunction::Exp2, &[&exponent], Fact { bound: 3e38, nonzero: true });
                outputs.push(exponent);
                self.quotient(x, scale, shape)
            }
        };
        for (id, output) in arguments[1..].iter().zip(outputs) {
            let place = self.target(*id)?;
            let ty = self.place_type(&place);
            let shape = common_shape(output.shape(), output.shape());
            let output = self.reshape(output, shape);
            let output = self.convert(output, ty, pos)?;
            self.write(&place, &output);
        }
        Ok(Some(result))
    }
}
