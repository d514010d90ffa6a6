//! From text to [`Code`], and the names that code knows.

use std::collections::HashMap;

use super::lex;
use super::parse::Parser;
use super::tree::{Node, NodeId};

/// A variable of one namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Var(u32);

impl Var {
    /// Its place among the variables of the namespace.
    pub fn slot(self) -> usize {
        self.0 as usize
    }
}

/// The names of one namespace; programs compiled with the same scope share variables.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    slots: HashMap<String, u32>,
}

impl Scope {
    /// A namespace without names.
    pub fn new() -> Self {
        Self::default()
    }

    /// The variable of this name, made if it is new. Case does not matter.
    pub fn var(&mut self, name: &str) -> Var {
        let next = self.slots.len() as u32;
        Var(*self.slots.entry(name.to_ascii_lowercase()).or_insert(next))
    }

    /// The variable of this name, if some code uses it.
    pub fn find(&self, name: &str) -> Option<Var> {
        self.slots.get(&name.to_ascii_lowercase()).map(|&slot| Var(slot))
    }

    /// All names, in the order of their slots.
    pub fn names(&self) -> Vec<String> {
        let mut names = vec![String::new(); self.slots.len()];
        for (name, &slot) in &self.slots {
            names[slot as usize].clone_from(name);
        }
        names
    }

    /// How many variables there are; a machine's `vars` must hold that many.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// True when no name is known.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }
}

/// Why code does not compile.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} (at character {at})")]
pub struct CompileError {
    /// Byte offset in the source.
    pub at: usize,
    /// What is wrong.
    pub what: String,
}

impl CompileError {
    pub(super) fn new(at: usize, what: impl Into<String>) -> Self {
        Self { at, what: what.into() }
    }
}

/// A compiled program: plain data, shared freely.
#[derive(Clone, Debug)]
pub struct Code {
    pub(super) nodes: Box<[Node]>,
    pub(super) root: NodeId,
}

/// Compiles `source`; names it uses are added to `scope`.
pub fn compile(source: &str, scope: &mut Scope) -> Result<Code, CompileError> {
    let tokens = lex::lex(source)?;
    let mut parser = Parser::new(&tokens, scope);
    let root = parser.program()?;
    Ok(Code { nodes: parser.nodes.into(), root })
}
