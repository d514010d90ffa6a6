//! EEL2, the expression language of presets: compiler and machine with an instruction budget.
//!
//! [`compile()`] turns text into a flat tree of nodes; [`Code::run`] walks it on the variables of a [`Machine`]. Every
//! node walked costs one instruction of the [`Budget`], so no preset code can run forever; nesting is bounded when
//! compiling, so none can overflow the stack. Names are resolved to slots once: nothing is looked up while running.
//!
//! Semantics follow ns-eel2 as presets rely on it: names ignore case, `==` allows for 0.00001, `/` and `%` by zero
//! give 0, `if`, `?:`, `&&` and `||` evaluate only what they need.

mod compile;
mod functions;
mod lex;
mod machine;
mod memory;
mod parse;
mod random;
mod tree;

pub use compile::{Code, CompileError, Scope, Var, compile};
pub use machine::{Budget, Machine, Outcome, Shared};
pub use memory::Memory;
pub use random::EelRandom;
