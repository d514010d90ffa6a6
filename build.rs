//! Embeds the built-in presets in the program, and sets the stack size of its main thread on Windows.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn presets(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            presets(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "milk") {
            found.push(path);
        }
    }
}

/// Stack size of the main thread on Windows, in bytes. Workers compile presets on that thread; Linux gives it 8 MiB by
/// default, but Windows only 1 MiB.
const STACK_BYTES: u32 = 8 << 20;

fn main() {
    let target = |what: &str| std::env::var(format!("CARGO_CFG_TARGET_{what}")).unwrap_or_default();
    if target("OS") == "windows" {
        let option = if target("ENV") == "msvc" { "/STACK:" } else { "-Wl,--stack," };
        println!("cargo::rustc-link-arg-bins={option}{STACK_BYTES}");
    }
    println!("cargo::rerun-if-changed=presets");
    let root = Path::new(&std::env::var("CARGO_MANIFEST_DIR").expect("set by cargo")).join("presets");
    let mut found = Vec::new();
    presets(&root, &mut found);
    found.sort();
    let mut table = String::from("&[\n");
    for path in &found {
        let relative = path.strip_prefix(&root).expect("below presets").to_string_lossy().replace('\\', "/");
        // `env!` is expanded when the crate is compiled, so that the path is right even if checkouts share a build
        // folder.
        let file = format!("concat!(env!(\"CARGO_MANIFEST_DIR\"), {:?})", format!("/presets/{relative}"));
        writeln!(table, "({relative:?}, include_str!({file})),").expect("a string");
    }
    table.push(']');
    let out = Path::new(&std::env::var("OUT_DIR").expect("set by cargo")).join("built_in_presets.rs");
    std::fs::write(out, table).expect("OUT_DIR is writable");
}
