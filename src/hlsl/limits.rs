//! Limits of shaders, above what any real preset needs.

/// Maximum size of the source, bytes.
pub const BYTES: usize = 256 << 10;
/// Maximum number of tokens after macros are expanded.
pub const TOKENS: usize = 100_000;
/// Maximum number of tokens that expanding macros moves, in total.
pub const EXPANSION: usize = 1_000_000;
/// Maximum depth of macros inside arguments of macros.
pub const MACRO_DEPTH: usize = 64;
/// Maximum number of macros.
pub const MACROS: usize = 1_024;
/// Maximum depth of brackets, blocks and prefix operators.
pub const NESTING: usize = 200;
/// Maximum depth of functions that call functions.
pub const CALL_DEPTH: usize = 24;
/// Maximum elements of one array.
pub const ELEMENTS: u32 = 4_096;
/// Maximum size of all arrays of a shader, bytes.
pub const ARRAY_BYTES: u32 = 64 << 10;
/// Maximum of statements and operators, where each call counts as the whole function.
pub const OPERATIONS: u64 = 60_000;
/// Maximum of texture lookups, counted likewise: drivers take minutes to compile thousands.
pub const LOOKUPS: u64 = 1_024;
/// Maximum of calls of expensive functions (powers, logarithms, trigonometry), counted likewise.
pub const EXPENSIVE: u64 = 1_000;
/// Maximum of loops, counted likewise.
pub const LOOPS: u64 = 96;
/// Maximum of texture lookups of one pixel in loops whose number of rounds is known.
pub const PIXEL_LOOKUPS: u64 = 16_384;
/// Work that the loops of one pixel may do, in operations; a texture lookup counts as [`LOOKUP_WORK`].
pub const PIXEL_WORK: u64 = 1 << 21;
/// What a texture lookup counts as.
pub const LOOKUP_WORK: u64 = 64;
/// Minimum and maximum rounds of all loops of one pixel whose number is not known.
pub const ROUNDS: [u64; 2] = [64, 4_096];
