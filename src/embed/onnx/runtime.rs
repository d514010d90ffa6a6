//! Selects the ONNX Runtime: a native library if one is found, otherwise the built-in one.
//!
//! A process has one runtime. A native library is searched for next to the program, in the data folder, and at
//! `ORT_DYLIB_PATH`. The built-in runtime (tract, pure Rust) gives the same values to 3e-6 and takes about four times
//! as long. A native one may support a GPU (CUDA, DirectML, CoreML), which is used if it initialises;
//! `AIVJ_ONNX_PROVIDER` selects one, or `cpu` for none.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use ort::environment::Environment;
use ort::ep::{self, ExecutionProvider as _, ExecutionProviderDispatch};

use crate::library::UserFolders;

/// An initialised runtime.
#[derive(Clone)]
pub(super) struct Runtime {
    pub environment: Environment,
    /// Description.
    pub name: String,
    native: bool,
}

/// An accelerator that can run a model.
pub(super) struct Provider {
    /// Description.
    pub name: &'static str,
    pub dispatch: ExecutionProviderDispatch,
}

impl Runtime {
    /// Returns the available accelerators in order of preference.
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

/// Returns the runtime of this process.
pub(super) fn runtime() -> Result<Runtime, String> {
    static RUNTIME: OnceLock<Result<Runtime, String>> = OnceLock::new();
    RUNTIME.get_or_init(start).clone()
}

fn start() -> Result<Runtime, String> {
    let failed = |error: ort::Error| format!("cannot start an ONNX runtime: {error}");
    for library in search_paths().into_iter().flat_map(|path| libraries_in(&path)) {
        match ort::init_from(&library) {
            Ok(builder) => {
                let environment = builder.build().map_err(failed)?;
                return Ok(Runtime {
                    environment,
                    name: format!("native ({})", library.display()),
                    native: true,
                });
            }
            Err(error) => log::warn!("{} is not a compatible ONNX Runtime: {error}", library.display()),
        }
    }
    ort::set_api(ort_tract::api());
    let environment = ort::init().build().map_err(failed)?;
    Ok(Runtime { environment, name: "built-in (tract)".into(), native: false })
}

fn search_paths() -> Vec<PathBuf> {
    let next_to_program = std::env::current_exe().ok().and_then(|exe| exe.parent().map(Path::to_owned));
    let named = std::env::var_os("ORT_DYLIB_PATH").filter(|path| !path.is_empty()).map(PathBuf::from);
    next_to_program
        .into_iter()
        .chain(UserFolders::of_user().map(|folders| folders.data))
        .chain(named)
        .collect()
}

/// Returns the runtime libraries in a folder, or the file itself.
fn libraries_in(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let wanted = |name: &str| {
        name == "onnxruntime.dll"
            || name.starts_with("libonnxruntime")
                && (name.ends_with(".dylib") || name.contains(".so"))
                && !name.contains("providers")
    };
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries
        .filter(|entry| entry.file_name().to_str().is_some_and(wanted))
        .map(|entry| entry.path())
        .collect();
    found.sort();
    found
}
