//! EEL2, the expression language of presets: compiler and tree-walking interpreter with an instruction budget.
//!
//! [`compile()`] turns source text into a flat tree of nodes; [`Code::run`] evaluates it on the variables of a
//! [`Machine`]. Each evaluated node costs one instruction of the [`Budget`], so code always terminates. Nesting is
//! limited at compile time, so evaluation cannot overflow the stack. Names are resolved to slots at compile time.
//!
//! Semantics follow ns-eel2: names are case-insensitive, `==` has a tolerance of 0.00001, `/` and `%` by zero give
//! 0, and `if`, `?:`, `&&` and `||` short-circuit.

mod compile;
mod error;
mod functions;
mod lex;
mod machine;
mod memory;
mod parse;
mod random;
mod scope;
mod tree;

pub use compile::{Code, compile};
pub use error::CompileError;
pub use machine::{Budget, Machine, Outcome, Shared};
pub use memory::Memory;
pub use random::EelRandom;
pub use scope::{Scope, Var};
