//! Parses types and array lengths.

use super::cursor::Parser;
use crate::hlsl::ast::{Expr, ExprId, Operator, Prefix};
use crate::hlsl::limits;
use crate::hlsl::types::{ArrayType, Extent, Kind, Shape, Ty, number, numeric};
use crate::preprocess::{Error, Pos, TokenKind};

/// Type modifiers; all except `const` are ignored.
const MODIFIERS: [&str; 16] = [
    "const",
    "static",
    "uniform",
    "extern",
    "volatile",
    "shared",
    "inline",
    "precise",
    "row_major",
    "column_major",
    "linear",
    "centroid",
    "nointerpolation",
    "noperspective",
    "sample",
    "export",
];

/// Returns true if a word is a sampler or texture type.
fn is_sampler(word: &str) -> bool {
    let rest = ["sampler", "texture", "Texture"].iter().find_map(|start| word.strip_prefix(start));
    rest.is_some_and(|rest| matches!(rest, "" | "1D" | "2D" | "3D" | "CUBE" | "Cube"))
}

/// Returns the extent of an array or struct; fails if it exceeds a limit.
pub(super) fn extent(bytes: u64, depth: usize, pos: Pos) -> Result<Extent, Error> {
    if bytes > u64::from(limits::TYPE_BYTES) {
        return Error::limit(pos, format!("a type of {bytes} bytes; the limit is {}", limits::TYPE_BYTES));
    }
    if depth > limits::TYPE_DEPTH {
        return Error::limit(pos, format!("arrays and structs nested deeper than {}", limits::TYPE_DEPTH));
    }
    Ok(Extent { bytes, depth })
}

impl Parser<'_> {
    /// Consumes type modifiers; returns true if one is `const`. A modifier that is not followed by another name is an
    /// ordinary name.
    pub fn modifiers(&mut self) -> bool {
        let mut is_const = false;
        while let Some(name) = self.peek().name() {
            if !MODIFIERS.contains(&&**name) || self.peek_at(1).name().is_none() {
                break;
            }
            is_const |= &**name == "const";
            self.next();
        }
        is_const
    }

    /// Returns true if a declaration starts here: modifiers, a type and a name.
    pub fn at_declaration(&self) -> bool {
        let Some(name) = self.peek().name() else { return false };
        let next_is_name = self.peek_at(1).name().is_some();
        match &**name {
            "struct" | "typedef" => next_is_name || self.peek_at(1).is("{"),
            word if MODIFIERS.contains(&word) || word == "unsigned" => next_is_name,
            _ if self.at_template() => true,
            _ => next_is_name && self.is_type(),
        }
    }

    /// Returns true if `vector<` or `matrix<` and a type follow.
    pub fn at_template(&self) -> bool {
        let is_numeric = self.peek_at(2).name().is_some_and(|name| numeric(name).is_some());
        is_numeric && self.peek_at(1).is("<") && (self.at_word("vector") || self.at_word("matrix"))
    }

    /// Returns true if the next token can be a type name.
    pub fn is_type(&self) -> bool {
        let Some(name) = self.peek().name() else { return false };
        numeric(name).is_some()
            || self.named.contains_key(name)
            || is_sampler(name)
            || matches!(&**name, "void" | "vector" | "matrix" | "string" | "unsigned")
    }

    /// Parses a type.
    pub fn ty(&mut self) -> Result<Ty, Error> {
        let pos = self.pos();
        let name = self.expect_name("a type")?;
        if let Some(ty) = self.named.get(&name) {
            return Ok(*ty);
        }
        if let Some(ty) = numeric(&name) {
            return Ok(ty);
        }
        match &*name {
            "void" => Ok(Ty::Void),
            "unsigned" => match self.nested(Self::ty)? {
                Ty::Number(_, shape) => Ok(number(Kind::Uint, shape)),
                _ => Error::syntax(pos, "`unsigned` needs a numeric type"),
            },
            "vector" => {
                let (kind, sizes) = self.template(&[4])?;
                Ok(number(kind, Shape::of(1, sizes[0])))
            }
            "matrix" => {
                let (kind, sizes) = self.template(&[4, 4])?;
                Ok(number(kind, Shape::of(sizes[0], sizes[1])))
            }
            word if is_sampler(word) || word == "string" => {
                if self.peek().is("<") {
                    self.skip_brackets("<", ">")?;
                }
                Ok(Ty::Sampler)
            }
            _ => Error::syntax(pos, format!("expected a type, found `{name}`")),
        }
    }

    /// Parses template arguments such as `<float, 3>` after `vector` or `matrix`; if there are none, returns float and
    /// the dimensions `default`.
    fn template(&mut self, default: &[u8]) -> Result<(Kind, Vec<u8>), Error> {
        let mut sizes = default.to_vec();
        if !self.accept("<") {
            return Ok((Kind::Float, sizes));
        }
        let pos = self.pos();
        let Ty::Number(kind, Shape::Scalar) = self.nested(Self::ty)? else {
            return Error::syntax(pos, "expected a scalar type");
        };
        for size in &mut sizes {
            self.expect(",")?;
            let token = self.next();
            match token.kind {
                TokenKind::Int(value @ 1..=4, _) => *size = value as u8,
                _ => return Error::syntax(token.pos, "expected a size from 1 to 4"),
            }
        }
        self.expect(">")?;
        Ok((kind, sizes))
    }

    /// Parses up to eight `[n]` after a name; a length is `None` if the initializer determines it.
    pub fn dimensions(&mut self) -> Result<Vec<Option<u32>>, Error> {
        let mut lengths = Vec::new();
        while self.peek().is("[") {
            self.next();
            let pos = self.pos();
            if lengths.len() == 8 {
                return Error::limit(pos, "an array with more than 8 dimensions");
            }
            if self.accept("]") {
                lengths.push(None);
                continue;
            }
            let length = self.assignment()?;
            self.expect("]")?;
            match self.constant(length) {
                Some(length) if (1..=i64::from(limits::ELEMENTS)).contains(&length) => {
                    lengths.push(Some(length as u32));
                }
                Some(length) => {
                    let message =
                        format!("an array of {length} elements; the range is 1 to {}", limits::ELEMENTS);
                    return Error::limit(pos, message);
                }
                None => return Error::semantic(pos, "the length of an array must be a constant"),
            }
        }
        Ok(lengths)
    }

    /// Returns the type of a nested array of `element`, with the last length innermost.
    pub fn array(&mut self, element: Ty, lengths: &[u32]) -> Result<Ty, Error> {
        let pos = self.pos();
        if !lengths.is_empty() && matches!(element, Ty::Sampler | Ty::Void) {
            return Error::semantic(pos, "an array can only contain numbers, arrays and structs");
        }
        let total = lengths.iter().fold(1_u64, |total, length| total.saturating_mul(u64::from(*length)));
        if total > u64::from(limits::ELEMENTS) {
            let message = format!("an array of {total} elements; the limit is {}", limits::ELEMENTS);
            return Error::limit(pos, message);
        }
        lengths.iter().rev().try_fold(element, |element, length| -> Result<Ty, Error> {
            let Extent { bytes, depth } = self.ast.extent(element);
            let extent = extent(u64::from(*length) * bytes, depth + 1, pos)?;
            let array = ArrayType { element, length: *length, extent };
            let known = self.ast.arrays.iter().position(|known| *known == array);
            Ok(Ty::Array(known.unwrap_or_else(|| {
                self.ast.arrays.push(array);
                self.ast.arrays.len() - 1
            }) as u32))
        })
    }

    /// Returns the value of a constant integer expression; `None` if the expression is not constant.
    pub fn constant(&self, id: ExprId) -> Option<i64> {
        match self.ast.expr(id) {
            Expr::Int(value, _) => Some(i64::from(*value)),
            Expr::Float(value) => Some(*value as i64),
            Expr::Name(name) => self.constants.get(name).copied(),
            Expr::Prefix(Prefix::Minus, inner) => self.constant(*inner)?.checked_neg(),
            Expr::Cast(_, inner) => self.constant(*inner),
            Expr::Construct(_, values) if values.len() == 1 => self.constant(values[0]),
            Expr::Binary(..) => {
                let (first, rest) = self.ast.chain(id);
                rest.into_iter().try_fold(self.constant(first)?, |left, (operator, right, _)| {
                    let right = self.constant(right)?;
                    match operator {
                        Operator::Add => left.checked_add(right),
                        Operator::Subtract => left.checked_sub(right),
                        Operator::Multiply => left.checked_mul(right),
                        Operator::Divide => left.checked_div(right),
                        _ => None,
                    }
                })
            }
            _ => None,
        }
    }
}
