//! Builds the syntax tree.

mod cursor;
mod declarations;
mod expressions;
mod statements;
mod types;

use super::ast::Ast;
use crate::preprocess::{Error, Token};

/// Parses the tokens of a shader, the last of which must be `TokenKind::End`.
pub(super) fn parse(tokens: &[Token]) -> Result<Ast, Error> {
    cursor::Parser::new(tokens).file()
}
