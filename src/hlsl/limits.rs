//! Limits on shaders, all higher than real presets need.

pub use crate::preprocess::NESTING;

/// Maximum nesting depth of statements, expressions and calls together, with every call inlined.
pub const DEPTH: usize = 300;
/// Maximum nesting depth of branches and loops together, with every call inlined; beyond about 80 levels, some drivers
/// take the wrong branch without an error.
pub const BRANCH_DEPTH: usize = 72;
/// Maximum number of conditions in an `if` chain lowered as nested blocks.
pub const NESTED_ARMS: usize = 12;
/// Maximum depth of nested calls.
pub const CALL_DEPTH: usize = 24;
/// Maximum number of function estimates. A function whose estimate depends on the caller is estimated again at each
/// call.
pub const ESTIMATES: u32 = 10_000;
/// Maximum nesting depth of arrays and structs in a type.
pub const TYPE_DEPTH: usize = 32;
/// Maximum number of elements in an array. Real presets have up to 5.
pub const ELEMENTS: u32 = 256;
/// Maximum size of an array or struct, in bytes; lavapipe takes a second to compile an array of 1 KiB with computed
/// indices, 20 seconds for 4 KiB, and minutes for 16 KiB. Real presets have up to 80 bytes.
pub const TYPE_BYTES: u32 = 1 << 10;
/// Maximum total size of a shader's arrays, with every call inlined, in bytes. Real presets have up to 1,632.
pub const ARRAY_BYTES: u32 = 3 << 10;
/// Maximum total size of the arrays and structs that a shader declares and copies, with every call inlined, in bytes.
pub const COPIED_BYTES: u64 = 16 << 10;
/// Maximum number of statements, variables, operators and calls, with every call inlined. Real presets have up to
/// 1,040.
pub const OPERATIONS: u64 = 20_000;
/// Number of operands of one operator, or parameters of one function, that count as one operation.
pub const OPERANDS: u64 = 16;
/// Maximum number of texture lookups, with every call inlined; lavapipe takes nine seconds to compile 500, and minutes
/// for thousands. Real presets have up to 28.
pub const LOOKUPS: u64 = 128;
/// Maximum number of calls to expensive functions (powers, logarithms, trigonometry), with every call inlined. Real
/// presets have up to 37.
pub const EXPENSIVE: u64 = 400;
/// Maximum number of branches (conditions of `if`, cases of `switch`, calls to `clip`), with every call inlined;
/// lavapipe takes seven seconds to compile 900.
pub const ARMS: u64 = 300;
/// Number of additional bytes that a `?:` between structs or arrays counts as copying, because it is also a branch.
pub const CHOICE_BYTES: u64 = 64;
/// Maximum number of loops, with every call inlined. Real presets have up to 9.
pub const LOOPS: u64 = 48;
/// Maximum number of texture lookups per pixel; a loop with an unknown iteration count is counted once. Real
/// presets have up to 54.
pub const PIXEL_LOOKUPS: u64 = 4_096;
/// Work per pixel above which loops are cut short, in operations. Real presets need up to 8,000.
pub const PIXEL_WORK: u64 = 32_768;
/// Work of one texture lookup, in operations.
pub const LOOKUP_WORK: u64 = 128;
/// Work of one call to an expensive function, in operations.
pub const EXPENSIVE_WORK: u64 = 16;
/// Minimum and maximum of the iteration limit per pixel, for all counted loops together; the minimum is lower if that
/// many iterations would exceed [`LOOP_WORK`].
pub const ITERATIONS: [u64; 2] = [32, 4_096];
/// Maximum work per pixel of the minimum number of iterations, in operations: that of [`PIXEL_LOOKUPS`] lookups.
pub const LOOP_WORK: u64 = PIXEL_LOOKUPS * LOOKUP_WORK;
