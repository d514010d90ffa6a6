//! The fuzz targets' common part: [`entries`] holds what each does, here is what only fuzzing needs.

pub mod entries;

/// libFuzzer's hook ends the process at every panic, also at those the program catches (a shader translator or a
/// decoder that fails on its input). The usual hook lets those pass; a panic that reaches the target still ends it.
pub fn let_caught_panics_pass() {
    drop(std::panic::take_hook());
}
