//! Limits on the text of shaders, all higher than real presets need.

/// Maximum size of the source, in bytes.
pub const BYTES: usize = 256 << 10;
/// Maximum number of tokens, both before and after macro expansion.
pub const TOKENS: usize = 100_000;
/// Maximum number of tokens that macro expansion processes, in total.
pub const EXPANSION: usize = 300_000;
/// Maximum nesting depth of macro calls in macro arguments.
pub const MACRO_DEPTH: usize = 64;
/// Maximum number of macros in a chain in which each one expands to the next.
pub const MACRO_CHAIN: usize = 256;
/// Maximum number of macros.
pub const MACROS: usize = 1_024;
/// Maximum number of parameters of a macro.
pub const MACRO_PARAMETERS: usize = 128;
/// Maximum length of a name produced by `##`, in bytes.
pub const PASTED_BYTES: usize = 1_024;
/// Maximum nesting depth of brackets, blocks and prefix operators, and of `#if`.
pub const NESTING: usize = 150;
