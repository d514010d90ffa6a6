//! Compiles source text to [`Code`].

use super::error::CompileError;
use super::lex;
use super::parse::Parser;
use super::scope::Scope;
use super::tree::{Node, NodeId};

/// A compiled program.
#[derive(Clone, Debug)]
pub struct Code {
    pub(super) nodes: Box<[Node]>,
    pub(super) root: NodeId,
}

/// Compiles `source` and adds the names it uses to `scope`.
pub fn compile(source: &str, scope: &mut Scope) -> Result<Code, CompileError> {
    let tokens = lex::lex(source)?;
    let mut parser = Parser::new(&tokens, scope);
    let root = parser.program()?;
    Ok(Code { nodes: parser.nodes.into(), root })
}
