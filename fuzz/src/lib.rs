//! Shared code of the fuzz targets: [`entries`] contains the entry points, this file what only fuzzing needs.

pub mod entries;

/// Replaces libFuzzer's panic hook, which aborts on every panic, even those that the program catches (from a shader
/// translator or a decoder that fails on its input). With the default hook, only panics that reach the target abort.
pub fn let_caught_panics_pass() {
    drop(std::panic::take_hook());
}
