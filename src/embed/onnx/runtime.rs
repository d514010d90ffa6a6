//! Which ONNX Runtime runs the model: a native library where one is found, the one built into the program otherwise.
//!
//! A process has one runtime for its whole life. Looked for beside the program, in the data folder, and at
//! `ORT_DYLIB_PATH`; the built-in one (tract, pure Rust) gives the same numbers to 3e-6 and takes about four times as
//! long. A native one may bring a graphics card along (CUDA, DirectML, CoreML), which is used where it starts;
//! `AIVJ_ONNX_PROVIDER` names one, or `cpu` for none.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use ort::environment::Environment;
use ort::ep::{self, ExecutionProvider as _, ExecutionProviderDispatch};

use crate::library::UserFolders;

/// A runtime, ready for sessions.
#[derive(Clone)]
pub(super) struct Runtime {
    pub environment: Environment,
    /// What it is, for people.
    pub name: String,
    native: bool,
}

/// Something other than the plain processor that can run a model.
pub(super) struct Provider {
    /// What it is, for people.
    pub name: &'static str,
    pub dispatch: ExecutionProviderDispatch,
}

impl Runtime {
    /// What may run a model besides the processor, the best first.
    pub fn providers(&self) -> Vec<Provider> {
        let wanted = std::env::var("AIVJ_ONNX_PROVIDER").unwrap_or_default();
        self.providers_named(&wanted)
    }

    fn providers_named(&self, wanted: &str) -> Vec<Provider> {
        if !self.native {
            return Vec::new();
        }
        let built_in = |available: ort::Result<bool>| available.unwrap_or(false);
        let all = [
            ("CUDA", built_in(ep::CUDA::is_available()), ep::CUDA::default().build()),
            ("DirectML", built_in(ep::DirectML::is_available()), ep::DirectML::default().build()),
            ("CoreML", built_in(ep::CoreML::is_available()), ep::CoreML::default().build()),
        ];
        let fits = |name: &str| wanted.is_empty() || wanted.eq_ignore_ascii_case(name);
        let found = all.into_iter().filter(|(name, available, _)| *available && fits(name));
        found.map(|(name, _, dispatch)| Provider { name, dispatch: dispatch.error_on_failure() }).collect()
    }
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
                return Ok(Runtime {
                    environment,
                    name: format!("native ({})", library.display()),
                    native: true,
                });
            }
            Err(error) => log::warn!("{} is no ONNX Runtime that fits: {error}", library.display()),
        }
    }
    ort::set_api(ort_tract::api());
    let environment = ort::init().build().map_err(told)?;
    Ok(Runtime { environment, name: "built-in (tract)".into(), native: false })
}

fn places() -> Vec<PathBuf> {
    let beside = std::env::current_exe().ok().and_then(|exe| exe.parent().map(Path::to_owned));
    let named = std::env::var_os("ORT_DYLIB_PATH").filter(|path| !path.is_empty()).map(PathBuf::from);
    beside.into_iter().chain(UserFolders::of_user().map(|places| places.data)).chain(named).collect()
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
