//! Parses expressions.

use super::cursor::Parser;
use crate::hlsl::ast::{Expr, ExprId, Operator, Prefix};
use crate::hlsl::limits;
use crate::hlsl::types::{Ty, numeric};
use crate::preprocess::{Error, Token, TokenKind};

/// Returns the binary operator of a token and its precedence; `None` for any other token.
fn binary(token: &Token) -> Option<(Operator, u8)> {
    let TokenKind::Mark(mark) = token.kind else { return None };
    Some(match mark {
        "||" => (Operator::Or, 1),
        "&&" => (Operator::And, 2),
        "|" => (Operator::BitOr, 3),
        "^" => (Operator::BitXor, 4),
        "&" => (Operator::BitAnd, 5),
        "==" => (Operator::Equal, 6),
        "!=" => (Operator::NotEqual, 6),
        "<" => (Operator::Less, 7),
        "<=" => (Operator::LessEqual, 7),
        ">" => (Operator::Greater, 7),
        ">=" => (Operator::GreaterEqual, 7),
        "<<" => (Operator::ShiftLeft, 8),
        ">>" => (Operator::ShiftRight, 8),
        "+" => (Operator::Add, 9),
        "-" => (Operator::Subtract, 9),
        "*" => (Operator::Multiply, 10),
        "/" => (Operator::Divide, 10),
        "%" => (Operator::Modulo, 10),
        _ => return None,
    })
}

/// Returns the operator of an assignment token: `Some(None)` for a plain `=`, `None` for any other token.
fn assignment(token: &Token) -> Option<Option<Operator>> {
    let TokenKind::Mark(mark) = token.kind else { return None };
    Some(match mark {
        "=" => None,
        "+=" => Some(Operator::Add),
        "-=" => Some(Operator::Subtract),
        "*=" => Some(Operator::Multiply),
        "/=" => Some(Operator::Divide),
        "%=" => Some(Operator::Modulo),
        "&=" => Some(Operator::BitAnd),
        "|=" => Some(Operator::BitOr),
        "^=" => Some(Operator::BitXor),
        "<<=" => Some(Operator::ShiftLeft),
        ">>=" => Some(Operator::ShiftRight),
        _ => return None,
    })
}

impl Parser<'_> {
    /// Parses an expression that may contain comma operators.
    pub fn expression(&mut self) -> Result<ExprId, Error> {
        let mut left = self.assignment()?;
        let mut commas = 0;
        while self.peek().is(",") {
            let pos = self.next().pos;
            if self.ends_with_comma() {
                break;
            }
            commas += 1;
            if commas > limits::NESTING {
                return Error::limit(pos, format!("more than {} commas", limits::NESTING));
            }
            let right = self.assignment()?;
            left = self.expr(Expr::Comma(left, right), pos);
        }
        Ok(left)
    }

    /// Parses an expression without comma operators.
    pub fn assignment(&mut self) -> Result<ExprId, Error> {
        self.nested(|this| {
            let left = this.choice()?;
            let Some(operator) = assignment(this.peek()) else { return Ok(left) };
            let pos = this.next().pos;
            let right = this.assignment()?;
            Ok(this.expr(Expr::Assign(operator, left, right), pos))
        })
    }

    fn choice(&mut self) -> Result<ExprId, Error> {
        let condition = self.binary(0)?;
        if !self.peek().is("?") {
            return Ok(condition);
        }
        let pos = self.next().pos;
        let accept = self.assignment()?;
        self.expect(":")?;
        let reject = self.assignment()?;
        Ok(self.expr(Expr::Conditional(condition, accept, reject), pos))
    }

    fn binary(&mut self, weakest: u8) -> Result<ExprId, Error> {
        let mut left = self.unary()?;
        while let Some((operator, precedence)) = binary(self.peek()) {
            if precedence <= weakest {
                break;
            }
            let pos = self.next().pos;
            let right = self.binary(precedence)?;
            left = self.expr(Expr::Binary(operator, left, right), pos);
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<ExprId, Error> {
        let token = self.peek();
        let TokenKind::Mark(mark) = token.kind else { return self.postfix() };
        let pos = token.pos;
        let prefix = match mark {
            "-" => Some(Prefix::Minus),
            "!" => Some(Prefix::Not),
            "~" => Some(Prefix::BitNot),
            _ => None,
        };
        if let Some(prefix) = prefix {
            self.next();
            let inner = self.nested(Self::unary)?;
            return Ok(self.expr(Expr::Prefix(prefix, inner), pos));
        }
        match mark {
            "+" => {
                self.next();
                self.nested(Self::unary)
            }
            "++" | "--" => {
                self.next();
                let target = self.nested(Self::unary)?;
                Ok(self.expr(Expr::Step { target, increment: mark == "++", prefix: true }, pos))
            }
            "(" if self.at_cast() => {
                self.next();
                self.modifiers();
                let element = self.ty()?;
                let lengths: Vec<u32> = self.dimensions()?.into_iter().flatten().collect();
                let ty = self.array(element, &lengths)?;
                self.expect(")")?;
                let inner = self.nested(Self::unary)?;
                Ok(self.expr(Expr::Cast(ty, inner), pos))
            }
            _ => self.postfix(),
        }
    }

    /// Returns true if the parenthesis at this position opens a cast, because it contains only a type.
    fn at_cast(&self) -> bool {
        let Some(name) = self.peek_at(1).name() else { return false };
        let ends = |ahead: usize| self.peek_at(ahead).is(")") || self.peek_at(ahead).is("[");
        match &**name {
            "const" | "unsigned" => self.peek_at(2).name().is_some(),
            "vector" | "matrix" => {
                self.peek_at(2).is("<") && self.peek_at(3).name().is_some_and(|name| numeric(name).is_some())
            }
            _ => (numeric(name).is_some() || self.named.contains_key(name)) && ends(2),
        }
    }

    fn postfix(&mut self) -> Result<ExprId, Error> {
        let mut value = self.primary()?;
        let mut links = 0;
        loop {
            let pos = self.pos();
            links += 1;
            if links > limits::NESTING {
                return Error::limit(pos, format!("more than {} members in a row", limits::NESTING));
            }
            if self.accept(".") {
                let member = self.expect_name("the name of a member")?;
                value = self.expr(Expr::Member(value, member), pos);
            } else if self.accept("[") {
                let index = self.expression()?;
                self.expect("]")?;
                value = self.expr(Expr::Index(value, index), pos);
            } else if self.accept("++") {
                value = self.expr(Expr::Step { target: value, increment: true, prefix: false }, pos);
            } else if self.accept("--") {
                value = self.expr(Expr::Step { target: value, increment: false, prefix: false }, pos);
            } else {
                return Ok(value);
            }
        }
    }

    fn primary(&mut self) -> Result<ExprId, Error> {
        let pos = self.pos();
        let numbers = self.peek().name().is_some_and(|name| match self.named.get(name) {
            Some(ty) => matches!(ty, Ty::Number(..)),
            None => numeric(name).is_some(),
        });
        if numbers && self.peek_at(1).is("(") || self.at_template() {
            let ty = self.ty()?;
            self.expect("(")?;
            let values = self.list(")")?;
            return Ok(self.expr(Expr::Construct(ty, values), pos));
        }
        let token = self.next();
        let expr = match &token.kind {
            TokenKind::Int(value, unsigned) => Expr::Int(*value, *unsigned),
            TokenKind::Float(value) => Expr::Float(*value),
            TokenKind::Name(name) if matches!(&**name, "true" | "TRUE") => Expr::Bool(true),
            TokenKind::Name(name) if matches!(&**name, "false" | "FALSE") => Expr::Bool(false),
            TokenKind::Name(name) if self.peek().is("(") => {
                self.next();
                Expr::Call(name.clone(), self.list(")")?)
            }
            TokenKind::Name(name) => Expr::Name(name.clone()),
            TokenKind::Mark("(") => {
                let inner = self.nested(Self::expression)?;
                self.expect(")")?;
                return Ok(inner);
            }
            _ => return Error::syntax(pos, format!("expected a value, found {}", token.describe())),
        };
        Ok(self.expr(expr, pos))
    }

    /// Parses comma-separated values up to `close`.
    pub fn list(&mut self, close: &str) -> Result<Vec<ExprId>, Error> {
        let mut values = Vec::new();
        while !self.accept(close) {
            values.push(self.initializer()?);
            if !self.peek().is(close) {
                self.expect(",")?;
            }
        }
        Ok(values)
    }

    /// Parses an initializer: an expression or a braced list.
    pub fn initializer(&mut self) -> Result<ExprId, Error> {
        let pos = self.pos();
        if !self.accept("{") {
            return self.assignment();
        }
        let values = self.nested(|this| this.list("}"))?;
        Ok(self.expr(Expr::List(values), pos))
    }
}
