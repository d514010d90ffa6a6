//! The parser's position in the token stream.

use std::collections::HashMap;

use crate::hlsl::ast::{Ast, Expr, ExprId, Stmt, StmtId};
use crate::hlsl::limits;
use crate::hlsl::types::Ty;
use crate::preprocess::{Error, Name, Pos, Token, TokenKind};

/// Parser state: the tokens and the tree built so far. The other files in this folder add the parsing methods.
pub(super) struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
    depth: usize,
    pub ast: Ast,
    /// Types by name, from `struct` and `typedef`.
    pub named: HashMap<Name, Ty>,
    /// Named integer constants, for array lengths.
    pub constants: HashMap<Name, i64>,
}

impl<'a> Parser<'a> {
    pub fn new(tokens: &'a [Token]) -> Self {
        let (named, constants) = Default::default();
        Self { tokens, at: 0, depth: 0, ast: Ast::default(), named, constants }
    }

    /// Returns the token `ahead` positions after the current one, or the last token.
    pub fn peek_at(&self, ahead: usize) -> &'a Token {
        &self.tokens[(self.at + ahead).min(self.tokens.len() - 1)]
    }

    pub fn peek(&self) -> &'a Token {
        self.peek_at(0)
    }

    pub fn next(&mut self) -> &'a Token {
        let token = self.peek();
        self.at = (self.at + 1).min(self.tokens.len() - 1);
        token
    }

    pub fn pos(&self) -> Pos {
        self.peek().pos
    }

    /// Consumes the next token if it is `mark`, and returns whether it was.
    pub fn accept(&mut self, mark: &str) -> bool {
        let found = self.peek().is(mark);
        if found {
            self.next();
        }
        found
    }

    /// Returns true if the previous token is a comma and the next one is the brace that ends the shader.
    pub fn ends_with_comma(&self) -> bool {
        let after_comma = self.at > 0 && self.tokens[self.at - 1].is(",");
        after_comma && self.peek().is("}") && self.peek_at(1).kind == TokenKind::End
    }

    pub fn expect(&mut self, mark: &str) -> Result<(), Error> {
        if self.accept(mark) {
            return Ok(());
        }
        Error::syntax(self.pos(), format!("expected `{mark}`, found {}", self.peek().describe()))
    }

    /// Returns true if the next token is the name `word`.
    pub fn at_word(&self, word: &str) -> bool {
        self.peek().name().is_some_and(|name| &**name == word)
    }

    pub fn expect_name(&mut self, what: &str) -> Result<Name, Error> {
        let token = self.next();
        match &token.kind {
            TokenKind::Name(name) => Ok(name.clone()),
            _ => Error::syntax(token.pos, format!("expected {what}, found {}", token.describe())),
        }
    }

    /// Runs `inner` one nesting level deeper.
    pub fn nested<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        if self.depth >= limits::NESTING {
            return Error::limit(self.pos(), format!("nested deeper than {}", limits::NESTING));
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }

    pub fn expr(&mut self, expr: Expr, pos: Pos) -> ExprId {
        self.ast.exprs.push((expr, pos));
        self.ast.exprs.len() as ExprId - 1
    }

    pub fn stmt(&mut self, stmt: Stmt, pos: Pos) -> StmtId {
        self.ast.stmts.push((stmt, pos));
        self.ast.stmts.len() as StmtId - 1
    }

    /// Skips from an opening bracket to the matching closing one.
    pub fn skip_brackets(&mut self, open: &str, close: &str) -> Result<(), Error> {
        let pos = self.pos();
        self.expect(open)?;
        let mut depth = 1_usize;
        loop {
            let token = self.next();
            if token.is(open) {
                depth += 1;
            } else if token.is(close) {
                depth -= 1;
                if depth == 0 {
                    return Ok(());
                }
            } else if token.kind == TokenKind::End {
                return Error::syntax(pos, format!("`{open}` without `{close}`"));
            }
        }
    }
}
