//! Which ONNX Runtime runs the model: a native library where one is found, the one built into the program otherwise.
//!
//! A process has one runtime for its whole life. Looked for beside the program, in the data folder, and at
//! `ORT_DYLIB_PATH`; the built-in one (tract, pure Rust) gives the same numbers to 3e-6 and takes about four times as
//! long.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use ort::environment::Environment;

use crate::library::Places;

/// A runtime, ready for sessions.
#[derive(Clone)]
pub(super) struct Runtime {
    pub environment: Environment,
    /// What it is, for people.
    pub name: String,
}

/// The runtime of this process.
pub(super) fn runtime() -> Result<Runtime, String> {
    static RUNTIME: OnceLock<Result<Runtime, String>> = OnceLock::new();
    RUNTIME.get_or_init(start).clone()
}

fn start() -> Result<Runtime, String> {
    let told = |error: ort::Error| format!("no ONNX runtime could be started: {error}");
    for library in places().into_iter().flat_map(|place| libraries_in(&place)) {
        match ort::init_from(&library) {
            Ok(builder) => {
                let environment = builder.build().map_err(told)?;
                return Ok(Runtime { environment, name: format!("native ({})", library.display()) });
            }
            Err(error) => log::warn!("{} is no ONNX Runtime that fits: {error}", library.display()),
        }
    }
    ort::set_api(ort_tract::api());
    let environment = ort::init().build().map_err(told)?;
    Ok(Runtime { environment, name: "built-in (tract)".into() })
}

fn places() -> Vec<PathBuf> {
    let beside = std::env::current_exe().ok().and_then(|exe| exe.parent().map(Path::to_owned));
    let named = std::env::var_os("ORT_DYLIB_PATH").filter(|path| !path.is_empty()).map(PathBuf::from);
    beside.into_iter().chain(Places::of_user().map(|places| places.data)).chain(named).collect()
}

/// The runtime's library in a folder, or the file itself.
fn libraries_in(place: &Path) -> Vec<PathBuf> {
    if place.is_file() {
        return vec![place.to_owned()];
    }
    let wanted = |name: &str| {
        name == "onnxruntime.dll"
            || name.starts_with("libonnxruntime")
                && (name.ends_with(".dylib") || name.contains(".so"))
                && !name.contains("providers")
    };
    let entries = std::fs::read_dir(place).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries
        .filter(|entry| entry.file_name().to_str().is_some_and(wanted))
        .map(|entry| entry.path())
        .collect();
    found.sort();
    found
}
