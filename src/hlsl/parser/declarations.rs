//! Declarations: variables, functions, structs and the body of the shader.

use super::cursor::Parser;
use super::types::extent;
use crate::hlsl::ast::{Ast, Expr, Function, Parameter, Passing, Struct, Variable};
use crate::hlsl::types::Ty;
use crate::preprocess::{Error, Name, TokenKind};

impl Parser<'_> {
    /// Parses a whole shader. Like MilkDrop, ignores everything after the body.
    pub fn file(mut self) -> Result<Ast, Error> {
        loop {
            if self.accept(";") {
                continue;
            }
            if self.at_word("shader_body") {
                self.next();
                self.expect("{")?;
                self.ast.body = self.block()?;
                return Ok(self.ast);
            }
            if self.peek().kind == TokenKind::End {
                return Error::syntax(self.pos(), "missing `shader_body`");
            }
            self.global()?;
        }
    }

    fn global(&mut self) -> Result<(), Error> {
        if self.at_word("typedef") {
            return self.typedef();
        }
        let is_const = self.modifiers();
        let ty = match self.struct_definition()? {
            Some(ty) => ty,
            None => self.ty()?,
        };
        if self.accept(";") {
            return Ok(());
        }
        if self.peek_at(1).is("(") {
            return self.function(ty);
        }
        let variables = self.variables(is_const, ty)?;
        self.ast.globals.extend(variables);
        Ok(())
    }

    fn typedef(&mut self) -> Result<(), Error> {
        self.next();
        self.modifiers();
        let element = self.ty()?;
        let name = self.expect_name("a name for the type")?;
        let lengths: Vec<u32> = self.dimensions()?.into_iter().flatten().collect();
        let ty = self.array(element, &lengths)?;
        self.named.insert(name, ty);
        self.expect(";")
    }

    /// Parses `struct NAME { ... }` or a known `struct NAME`; `None` if the next token is not `struct`.
    fn struct_definition(&mut self) -> Result<Option<Ty>, Error> {
        if !self.at_word("struct") {
            return Ok(None);
        }
        self.next();
        let name = if self.peek().is("{") { Name::from("struct") } else { self.expect_name("a name")? };
        if !self.accept("{") {
            return match self.named.get(&name) {
                Some(ty) => Ok(Some(*ty)),
                None => Error::semantic(self.pos(), format!("unknown struct `{name}`")),
            };
        }
        let mut fields = Vec::new();
        while !self.accept("}") {
            self.modifiers();
            let element = self.ty()?;
            loop {
                let pos = self.pos();
                let field = self.expect_name("the name of a field")?;
                let lengths: Vec<u32> = self.dimensions()?.into_iter().flatten().collect();
                let ty = self.array(element, &lengths)?;
                if matches!(ty, Ty::Sampler | Ty::Void) {
                    return Error::semantic(pos, "a struct can only contain numbers, arrays and structs");
                }
                self.semantic()?;
                fields.push((field, ty));
                if !self.accept(",") {
                    break;
                }
            }
            self.expect(";")?;
        }
        if fields.is_empty() {
            return Error::semantic(self.pos(), format!("struct `{name}` has no fields"));
        }
        let inner = |field: &(Name, Ty)| self.ast.extent(field.1);
        let bytes: u64 = fields.iter().map(|field| inner(field).bytes).sum();
        let depth = fields.iter().map(|field| inner(field).depth).max().unwrap_or(0);
        let extent = extent(bytes, depth + 1, self.pos())?;
        self.ast.structs.push(Struct { name: name.clone(), fields, extent });
        let ty = Ty::Struct(self.ast.structs.len() as u32 - 1);
        self.named.insert(name, ty);
        Ok(Some(ty))
    }

    /// Parses a declaration inside a function.
    pub fn local_declaration(&mut self) -> Result<Vec<Variable>, Error> {
        if self.at_word("typedef") {
            self.typedef()?;
            return Ok(Vec::new());
        }
        let is_const = self.modifiers();
        let ty = match self.struct_definition()? {
            Some(ty) => ty,
            None => self.ty()?,
        };
        if self.accept(";") {
            return Ok(Vec::new());
        }
        self.variables(is_const, ty)
    }

    /// Parses declarators with initializers, up to the semicolon.
    fn variables(&mut self, is_const: bool, element: Ty) -> Result<Vec<Variable>, Error> {
        let mut found = Vec::new();
        loop {
            let pos = self.pos();
            let name = self.expect_name("the name of a variable")?;
            if element == Ty::Void {
                return Error::semantic(pos, format!("variable `{name}` cannot be void"));
            }
            let lengths = self.dimensions()?;
            self.semantic()?;
            let mut init = None;
            if self.accept("=") {
                if self.at_word("sampler_state") {
                    self.next();
                    self.skip_brackets("{", "}")?;
                } else {
                    init = Some(self.initializer()?);
                }
            } else if element == Ty::Sampler && self.peek().is("{") {
                self.skip_brackets("{", "}")?;
            }
            let elements = init.map_or(0, |init| match self.ast.expr(init) {
                Expr::List(values) => values.len() as u32,
                _ => 0,
            });
            // An omitted length follows from the number of initializers; a flat list also initializes inner arrays.
            let inner = lengths.iter().flatten().fold(1_u32, |inner, length| inner.saturating_mul(*length));
            let open = lengths.iter().filter(|length| length.is_none()).count();
            if open > 1 || open == 1 && elements == 0 {
                return Error::semantic(pos, format!("array `{name}` needs a length"));
            }
            let nested = init.is_some_and(|init| match self.ast.expr(init) {
                Expr::List(values) => values.iter().any(|id| matches!(self.ast.expr(*id), Expr::List(_))),
                _ => false,
            });
            let missing = if nested { elements } else { elements.div_ceil(inner.max(1)) };
            let lengths: Vec<u32> = lengths.iter().map(|length| length.unwrap_or(missing)).collect();
            let ty = self.array(element, &lengths)?;
            if is_const && let Some(value) = init.and_then(|init| self.constant(init)) {
                self.constants.insert(name.clone(), value);
            }
            found.push(Variable { name, ty, pos, is_const, init });
            if !self.accept(",") {
                break;
            }
        }
        self.expect(";")?;
        Ok(found)
    }

    /// Skips semantics (`: NAME`), `: register(...)` and annotations.
    fn semantic(&mut self) -> Result<(), Error> {
        while self.accept(":") {
            self.expect_name("the name of a semantic")?;
            if self.peek().is("(") {
                self.skip_brackets("(", ")")?;
            }
        }
        if self.peek().is("<") {
            self.skip_brackets("<", ">")?;
        }
        Ok(())
    }

    fn function(&mut self, result: Ty) -> Result<(), Error> {
        let name = self.expect_name("the name of a function")?;
        self.expect("(")?;
        let mut parameters = Vec::new();
        if self.at_word("void") && self.peek_at(1).is(")") {
            self.next();
        }
        while !self.accept(")") {
            parameters.push(self.parameter()?);
            if !self.peek().is(")") {
                self.expect(",")?;
            }
        }
        self.semantic()?;
        if self.accept(";") {
            return Ok(());
        }
        self.expect("{")?;
        let body = self.block()?;
        self.ast.define(Function { name, result, parameters, body });
        Ok(())
    }

    fn parameter(&mut self) -> Result<Parameter, Error> {
        let (mut read, mut written) = (false, false);
        while self.peek_at(1).name().is_some() {
            match self.peek().name().map_or("", |name| &**name) {
                "in" => read = true,
                "out" => written = true,
                "inout" => (read, written) = (true, true),
                _ => break,
            }
            self.next();
        }
        let passing = match (read, written) {
            (true, true) => Passing::InOut,
            (false, true) => Passing::Out,
            _ => Passing::In,
        };
        self.modifiers();
        let pos = self.pos();
        let element = self.ty()?;
        if element == Ty::Void {
            return Error::semantic(pos, "a parameter cannot be void");
        }
        let name = self.expect_name("the name of a parameter")?;
        let lengths: Vec<u32> = self.dimensions()?.into_iter().flatten().collect();
        let ty = self.array(element, &lengths)?;
        self.semantic()?;
        let default = if self.accept("=") { Some(self.assignment()?) } else { None };
        Ok(Parameter { name, ty, passing, default })
    }
}
