//! Parses statements.

use super::cursor::Parser;
use crate::hlsl::ast::{Stmt, StmtId};
use crate::preprocess::{Error, TokenKind};

impl Parser<'_> {
    /// Parses statements up to the closing brace; the opening one is already consumed.
    pub fn block(&mut self) -> Result<Vec<StmtId>, Error> {
        let mut found = Vec::new();
        while !self.accept("}") {
            if self.peek().kind == TokenKind::End {
                return Error::syntax(self.pos(), "`{` without `}`");
            }
            found.push(self.statement()?);
        }
        Ok(found)
    }

    /// Parses one statement.
    pub fn statement(&mut self) -> Result<StmtId, Error> {
        self.nested(Self::any_statement)
    }

    fn any_statement(&mut self) -> Result<StmtId, Error> {
        // Attributes such as `[unroll]` are compiler hints.
        while self.peek().is("[") {
            self.skip_brackets("[", "]")?;
        }
        let pos = self.pos();
        if self.accept(";") {
            return Ok(self.stmt(Stmt::Empty, pos));
        }
        if self.accept("{") {
            let block = self.block()?;
            return Ok(self.stmt(Stmt::Block(block), pos));
        }
        if self.at_declaration() {
            let variables = self.local_declaration()?;
            return Ok(self.stmt(Stmt::Declare(variables), pos));
        }
        let word = self.peek().name().map_or("", |name| &**name);
        // A variable may have the name of a keyword.
        let is_variable =
            matches!(self.peek_at(1).kind, TokenKind::Mark("=" | "." | "+=" | "*=" | "-=" | "/="));
        let stmt = match word {
            _ if is_variable => None,
            "if" => Some(self.if_statement()?),
            "for" => Some(self.for_statement()?),
            "while" => {
                self.next();
                let condition = self.bracketed()?;
                Some(Stmt::While(condition, self.statement()?))
            }
            "do" => {
                self.next();
                let body = self.statement()?;
                if !self.at_word("while") {
                    return Error::syntax(self.pos(), "`do` without `while`");
                }
                self.next();
                let condition = self.bracketed()?;
                self.accept(";");
                Some(Stmt::DoWhile(body, condition))
            }
            "switch" => Some(self.switch_statement()?),
            "return" => {
                self.next();
                let value = if self.peek().is(";") { None } else { Some(self.expression()?) };
                self.expect(";")?;
                Some(Stmt::Return(value))
            }
            "break" | "continue" | "discard" => {
                self.next();
                self.expect(";")?;
                Some(match word {
                    "break" => Stmt::Break,
                    "continue" => Stmt::Continue,
                    _ => Stmt::Discard,
                })
            }
            "else" => return Error::syntax(pos, "`else` without `if`"),
            _ => None,
        };
        let stmt = match stmt {
            Some(stmt) => stmt,
            None => {
                let value = self.expression()?;
                // MilkDrop inserts an assignment before the last brace, so a trailing comma is valid there.
                if !self.ends_with_comma() {
                    self.expect(";")?;
                }
                Stmt::Expr(value)
            }
        };
        Ok(self.stmt(stmt, pos))
    }

    fn bracketed(&mut self) -> Result<u32, Error> {
        self.expect("(")?;
        let condition = self.expression()?;
        self.expect(")")?;
        Ok(condition)
    }

    /// Parses `if` with all its `else if` branches, without recursing for each.
    fn if_statement(&mut self) -> Result<Stmt, Error> {
        let mut arms = Vec::new();
        loop {
            self.next();
            let condition = self.bracketed()?;
            arms.push((condition, self.statement()?));
            if !self.at_word("else") {
                return Ok(Stmt::If(arms, None));
            }
            self.next();
            if !self.at_word("if") {
                let otherwise = self.statement()?;
                // `else { if ... }` is flattened to `else if`, which needs no nesting.
                if let Stmt::Block(inner) = self.ast.stmt(otherwise)
                    && let [only] = inner[..]
                    && let Stmt::If(more, last) = self.ast.stmt(only)
                {
                    arms.extend(more);
                    return Ok(Stmt::If(arms, *last));
                }
                return Ok(Stmt::If(arms, Some(otherwise)));
            }
        }
    }

    fn for_statement(&mut self) -> Result<Stmt, Error> {
        self.next();
        self.expect("(")?;
        let init = if self.accept(";") {
            None
        } else {
            let pos = self.pos();
            Some(if self.at_declaration() {
                let variables = self.local_declaration()?;
                self.stmt(Stmt::Declare(variables), pos)
            } else {
                let value = self.expression()?;
                self.expect(";")?;
                self.stmt(Stmt::Expr(value), pos)
            })
        };
        let condition = if self.peek().is(";") { None } else { Some(self.expression()?) };
        self.expect(";")?;
        let step = if self.peek().is(")") { None } else { Some(self.expression()?) };
        self.expect(")")?;
        let body = self.statement()?;
        Ok(Stmt::For { init, condition, step, body })
    }

    fn switch_statement(&mut self) -> Result<Stmt, Error> {
        self.next();
        let selector = self.bracketed()?;
        self.expect("{")?;
        let mut cases: Vec<(Vec<Option<u32>>, Vec<StmtId>)> = Vec::new();
        while !self.accept("}") {
            let value = match self.peek().name().map(|name| &**name) {
                Some("case") => {
                    self.next();
                    Some(Some(self.assignment()?))
                }
                Some("default") => {
                    self.next();
                    Some(None)
                }
                _ => None,
            };
            let Some(value) = value else {
                let statement = self.statement()?;
                match cases.last_mut() {
                    Some((_, body)) => body.push(statement),
                    None => {
                        return Error::syntax(self.pos(), "statement in a `switch` before the first `case`");
                    }
                }
                continue;
            };
            self.expect(":")?;
            match cases.last_mut() {
                Some((values, body)) if body.is_empty() => values.push(value),
                _ => cases.push((vec![value], Vec::new())),
            }
        }
        Ok(Stmt::Switch(selector, cases))
    }
}
