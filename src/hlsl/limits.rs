//! Limits of shaders, above what any real preset needs.

/// Maximum size of the source, bytes.
pub const BYTES: usize = 256 << 10;
/// Maximum number of tokens after macros are expanded.
pub const TOKENS: usize = 100_000;
/// Maximum number of tokens that expanding macros moves, in total.
pub const EXPANSION: usize = 300_000;
/// Maximum depth of macros inside arguments of macros.
pub const MACRO_DEPTH: usize = 64;
/// Maximum number of macros.
pub const MACROS: usize = 1_024;
/// Maximum depth of brackets, blocks and prefix operators.
pub const NESTING: usize = 150;
/// Maximum depth of functions that call functions.
pub const CALL_DEPTH: usize = 24;
/// Maximum elements of one array.
pub const ELEMENTS: u32 = 4_096;
/// Maximum size of all arrays of a shader, bytes.
pub const ARRAY_BYTES: u32 = 64 << 10;
/// Maximum of statements and operators, where each call counts as the whole function. Real presets have up to 1,040.
pub const OPERATIONS: u64 = 20_000;
/// Maximum of texture lookups, counted likewise: drivers take minutes to compile thousands. Real presets have up to 28.
pub const LOOKUPS: u64 = 512;
/// Maximum of calls of expensive functions (powers, logarithms, trigonometry), counted likewise. Real presets have up to
/// 37.
pub const EXPENSIVE: u64 = 400;
/// Maximum of loops, counted likewise. Real presets have up to 9.
pub const LOOPS: u64 = 48;
/// Maximum of texture lookups of one pixel in loops whose number of rounds is known. Real presets have up to 54.
pub const PIXEL_LOOKUPS: u64 = 4_096;
/// Work that the loops of one pixel may do before they are cut short, in operations. Real presets do up to 8,000.
pub const PIXEL_WORK: u64 = 32_768;
/// What a texture lookup counts as.
pub const LOOKUP_WORK: u64 = 128;
/// Minimum and maximum rounds of all loops of one pixel that are counted.
pub const ROUNDS: [u64; 2] = [32, 4_096];
