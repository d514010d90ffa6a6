//! Compiles EEL2, the expression language of presets, to machine code and runs it within an instruction
//! budget.
//!
//! Source text is parsed into a tree, and the tree is lowered to a flat list of typed operations. These run
//! as machine code, or in an interpreter where the platform forbids machine code or compiling the program
//! would not pay off; the results are identical bit for bit. [`compile()`] compiles a program that runs once
//! per call, [`compile_batch`] one that runs on many items, such as the vertices of a mesh.
//!
//! Each node of the tree costs one instruction of the [`Budget`], or eight if it is a slow function. The budget is
//! checked at every loop iteration and before every item, so code always terminates. At compile time, nesting is
//! limited and names are resolved to slots.
//!
//! Semantics follow ns-eel2: names are case-insensitive, `==` has a tolerance of 0.00001, `/` and `%` by zero give
//! 0, and `if`, `?:`, `&&` and `||` short-circuit.

mod compile;
mod error;
mod flat;
mod functions;
mod interpret;
mod lex;
mod lower;
mod machine;
mod memory;
mod native;
mod parse;
mod random;
mod rows;
mod scope;
mod tree;
#[cfg(test)]
mod walk;

pub use compile::{BatchCode, Code, Columns, compile, compile_batch};
pub use error::CompileError;
pub use machine::{Budget, Machine, RunOutcome, Shared};
pub use memory::{MAX_BLOCKS, Memory};
pub use random::EelRandom;
pub use scope::{Scope, Var};
