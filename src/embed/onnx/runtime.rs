//! Selects the ONNX Runtime: a native library if one is found, otherwise the built-in one.
//!
//! A process has one runtime. A native library is executable code, so it is only loaded from two places: the absolute
//! path in `ORT_DYLIB_PATH` or, if that is not set, the program's own folder; and only if no other user could have
//! replaced it. The built-in runtime (tract, pure Rust) returns the same values to within 3e-6 and takes about four
//! times as long. A native one may support a GPU (CUDA, DirectML, CoreML), which is used if it initialises;
//! `AIVJ_ONNX_PROVIDER` selects one, or `cpu` for none.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use ort::environment::Environment;
use ort::ep::{self, ExecutionProvider as _, ExecutionProviderDispatch};

use crate::disk;

/// Environment variable with the absolute path of the library to load.
const VARIABLE: &str = "ORT_DYLIB_PATH";

/// An initialised runtime.
#[derive(Clone)]
pub(super) struct Runtime {
    pub environment: Environment,
    /// Description of the runtime.
    pub name: String,
    native: bool,
}

/// An accelerator that can run a model.
pub(super) struct Provider {
    /// Name of the accelerator.
    pub name: &'static str,
    pub dispatch: ExecutionProviderDispatch,
}

impl Runtime {
    /// Returns the available accelerators in order of preference; if `AIVJ_ONNX_PROVIDER` is set, only the
    /// one it names.
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
    if let Some(library) = find_library() {
        match ort::init_from(&library) {
            Ok(builder) => {
                let environment = builder.build().map_err(failed)?;
                return Ok(Runtime {
                    environment,
                    name: format!("native ({})", library.display()),
                    native: true,
                });
            }
            Err(error) => log::warn!(
                "{} is not a compatible ONNX Runtime ({error}); using the built-in one",
                library.display()
            ),
        }
    }
    ort::set_api(ort_tract::api());
    let environment = ort::init().build().map_err(failed)?;
    Ok(Runtime { environment, name: "built-in (tract)".into(), native: false })
}

/// Returns the folders that a process must be able to read to load the native library, if there is one.
pub(in crate::embed) fn library_folders() -> Vec<PathBuf> {
    let library = find_library();
    let target = library.as_ref().and_then(|library| library.canonicalize().ok());
    [library, target].iter().flatten().filter_map(|path| path.parent()).map(Path::to_owned).collect()
}

/// Returns the native library to load, if there is one.
fn find_library() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os(VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from) {
        return match check_library(&named) {
            Ok(()) => Some(named),
            Err(why) => {
                log::warn!("{VARIABLE}: {why}; using the built-in ONNX runtime");
                None
            }
        };
    }
    let program = std::env::current_exe().and_then(std::fs::canonicalize).ok()?;
    let library = library_in(program.parent()?)?;
    match check_library(&library) {
        Ok(()) => Some(library),
        Err(why) => {
            log::warn!("not loading an ONNX Runtime: {why}; using the built-in one");
            None
        }
    }
}

/// Returns the runtime library in `folder`, the program's folder, if it contains one.
fn library_in(folder: &Path) -> Option<PathBuf> {
    let found =
        disk::list(folder).ok()?.into_iter().filter(|item| item.name.to_str().is_some_and(is_library));
    found.map(|item| folder.join(item.name)).next()
}

/// Returns whether a file name is that of the runtime itself, not of one of its providers or any other file.
fn is_library(name: &str) -> bool {
    let version = |text: &str| {
        text.strip_prefix('.').is_some_and(|text| text.chars().all(|c| c.is_ascii_digit() || c == '.'))
    };
    if name == "onnxruntime.dll" {
        return true;
    }
    let Some(rest) = name.strip_prefix("libonnxruntime") else { return false };
    let linux = rest.strip_prefix(".so").is_some_and(|rest| rest.is_empty() || version(rest));
    let mac = rest.strip_suffix(".dylib").is_some_and(|rest| rest.is_empty() || version(rest));
    linux || mac
}

/// Returns an error if a library must not be loaded: it must be a file at an absolute path that no other user can
/// replace.
fn check_library(library: &Path) -> Result<(), String> {
    if !library.is_absolute() {
        return Err(format!("{} is not an absolute path", library.display()));
    }
    disk::kind(library)
        .and_then(disk::FileKind::regular)
        .map_err(|why| format!("{}: {why}", library.display()))?;
    match disk::replaceable_by_others(library) {
        Ok(None) => Ok(()),
        Ok(Some(path)) => Err(format!("other users can write {}", path.display())),
        Err(why) => Err(format!("{}: {why}", library.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_runtime_itself_is_recognised() {
        for name in [
            "libonnxruntime.so",
            "libonnxruntime.so.1.22.0",
            "libonnxruntime.1.22.0.dylib",
            "onnxruntime.dll",
        ] {
            assert!(is_library(name), "{name}");
        }
        for name in [
            "libonnxruntime-readme.so.txt",
            "libonnxruntime.so.txt",
            "libonnxruntime_providers_cuda.so",
            "libonnxruntimeX.dylib",
            "onnxruntime.dll.bak",
        ] {
            assert!(!is_library(name), "{name}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_library_that_others_can_replace_is_rejected() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a folder");
        let library = folder.path().join("libonnxruntime.so");
        std::fs::write(&library, "x").expect("written");
        assert_eq!(library_in(folder.path()), Some(library.clone()));
        let allow = |path: &Path, mode| {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("changed");
        };
        allow(&library, 0o644);
        assert_eq!(check_library(&library), Ok(()));
        allow(&library, 0o666);
        assert!(check_library(&library).is_err_and(|why| why.contains("other users can write")));
        allow(&library, 0o644);
        allow(folder.path(), 0o777);
        assert!(check_library(&library).is_err_and(|why| why.contains("other users can write")));
        allow(folder.path(), 0o700);
        assert!(check_library(Path::new("libonnxruntime.so")).is_err_and(|why| why.contains("absolute")));
        assert!(check_library(folder.path()).is_err_and(|why| why.contains("folder")));
    }
}
