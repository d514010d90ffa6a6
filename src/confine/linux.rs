//! Confinement on Linux: Landlock restricts access to files, and seccomp denies system calls.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, PathBeneath, PathFd, Ruleset, RulesetAttr as _,
    RulesetCreated, RulesetCreatedAttr as _, RulesetError, RulesetStatus, Scope,
};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};

use super::rights::{Enforced, Rights};

/// Newest Landlock ABI that is used; older kernels enforce only what they support.
const INTERFACE: ABI = ABI::V6;

/// System folders with programs, libraries, drivers, fonts and their settings.
const SYSTEM: [&str; 16] = [
    "/usr",
    "/lib",
    "/lib32",
    "/lib64",
    "/bin",
    "/sbin",
    "/etc",
    "/opt",
    "/nix",
    "/gnu",
    "/snap",
    "/home/linuxbrew/.linuxbrew",
    "/run/opengl-driver",
    "/run/current-system",
    "/proc",
    "/sys",
];
/// Devices, including the graphics card, and the shared memory of drivers.
const DEVICES: [&str; 1] = ["/dev"];
/// Folders with the user's drivers and fonts, below the home folder.
const USER_FOLDERS: [&str; 5] =
    [".config/vulkan", ".local/share/vulkan", ".local/share/fonts", ".fonts", ".config/fontconfig"];
/// Shader caches, below the user's cache folder.
const CACHES: [&str; 5] =
    ["mesa_shader_cache", "mesa_shader_cache_db", "mesa_shader_cache_sf", "nvidia", "radv_builtin_shaders"];
/// Environment variables that name additional files and folders of drivers.
const DRIVER_VARIABLES: [&str; 8] = [
    "VK_DRIVER_FILES",
    "VK_ADD_DRIVER_FILES",
    "VK_ICD_FILENAMES",
    "VK_LAYER_PATH",
    "VK_ADD_LAYER_PATH",
    "LD_LIBRARY_PATH",
    "LIBGL_DRIVERS_PATH",
    "XDG_DATA_DIRS",
];
/// Environment variables that set the shader cache folder.
const CACHE_VARIABLES: [&str; 3] =
    ["MESA_SHADER_CACHE_DIR", "MESA_GLSL_CACHE_DIR", "__GL_SHADER_DISK_CACHE_PATH"];

/// System calls that are denied: those that create sockets, directly or through io_uring, and those that
/// access the memory of other processes.
const DENIED_CALLS: [libc::c_long; 5] = [
    libc::SYS_socket,
    libc::SYS_io_uring_setup,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
];

pub(super) fn confine(rights: &Rights) -> Enforced {
    let files = restrict_files(rights).unwrap_or_else(|error| {
        log::debug!("Landlock is unavailable: {error}");
        false
    });
    let network = deny_calls().unwrap_or_else(|error| {
        log::debug!("seccomp is unavailable: {error}");
        false
    });
    Enforced { files, network }
}

/// Restricts the calling thread to the folders in `rights` and those of the system; returns whether the
/// kernel enforces at least some of these restrictions.
fn restrict_files(rights: &Rights) -> Result<bool, RulesetError> {
    let all = AccessFs::from_all(INTERFACE);
    let run = AccessFs::from_read(INTERFACE);
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let rules = Ruleset::default()
        .handle_access(all)?
        .handle_access(AccessNet::from_all(INTERFACE))?
        .scope(Scope::from_all(INTERFACE))?
        .create()?;
    let rules = allow(rules, SYSTEM.iter().map(PathBuf::from).chain(driver_paths()), run)?;
    let devices = read | AccessFs::WriteFile | AccessFs::IoctlDev;
    let rules = allow(rules, DEVICES.iter().map(PathBuf::from), devices)?;
    let shared = read | AccessFs::WriteFile | AccessFs::MakeReg | AccessFs::RemoveFile | AccessFs::Truncate;
    let rules = allow(rules, ["/dev/shm".into()], shared)?;
    let rules = allow(rules, caches(), all & !BitFlags::from(AccessFs::Execute))?;
    let rules = allow(rules, rights.read.iter().cloned(), read)?;
    let rules = allow(rules, rights.write.iter().cloned(), all & !BitFlags::from(AccessFs::Execute))?;
    Ok(rules.restrict_self()?.ruleset != RulesetStatus::NotEnforced)
}

/// Allows access to `paths` and everything below them. Paths that do not exist are ignored.
fn allow(
    mut rules: RulesetCreated,
    paths: impl IntoIterator<Item = PathBuf>,
    access: BitFlags<AccessFs>,
) -> Result<RulesetCreated, RulesetError> {
    for path in paths {
        let Ok(metadata) = std::fs::metadata(&path) else { continue };
        let Ok(handle) = PathFd::new(&path) else { continue };
        let access = if metadata.is_dir() { access } else { access & AccessFs::from_file(INTERFACE) };
        rules = rules.add_rule(PathBeneath::new(handle, access))?;
    }
    Ok(rules)
}

/// Returns the folders with the user's drivers and fonts, the paths in [`DRIVER_VARIABLES`], this program,
/// and the folders in `PATH` with the `lib` folder next to each.
fn driver_paths() -> impl Iterator<Item = PathBuf> {
    let home = std::env::home_dir().unwrap_or_default();
    let user_folders = USER_FOLDERS.iter().map(move |below| home.join(below));
    let named = DRIVER_VARIABLES.iter().filter_map(std::env::var_os);
    let named = named.flat_map(|paths| std::env::split_paths(&paths).collect::<Vec<_>>());
    let program = std::env::current_exe().ok();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path: Vec<PathBuf> =
        std::env::split_paths(&path).flat_map(|bin| [bin.with_file_name("lib"), bin]).collect();
    user_folders.chain(named).chain(program).chain(path).filter(|path| path.is_absolute())
}

/// Returns the shader cache folders. Creates the first two of [`CACHES`], which Mesa uses, if they are missing and the
/// user's cache folder exists.
fn caches() -> Vec<PathBuf> {
    let home = std::env::home_dir().unwrap_or_default();
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = cache.unwrap_or_else(|| home.join(".cache"));
    if cache.is_dir() {
        for name in CACHES.iter().take(2) {
            std::fs::create_dir(cache.join(name)).ok(); // Fails if the folder exists already.
        }
    }
    let named = CACHE_VARIABLES.iter().filter_map(std::env::var_os).map(PathBuf::from);
    let own = CACHES.iter().map(|name| cache.join(name)).chain([home.join(".nv")]);
    own.chain(named).filter(|path: &PathBuf| Path::is_absolute(path)).collect()
}

/// Denies the system calls in [`DENIED_CALLS`] to the calling thread.
fn deny_calls() -> Result<bool, seccompiler::Error> {
    let rules: BTreeMap<_, _> = DENIED_CALLS.iter().map(|call| (*call, Vec::new())).collect();
    let refusal = SeccompAction::Errno(libc::EACCES as u32);
    let architecture = std::env::consts::ARCH.try_into().map_err(seccompiler::Error::Backend)?;
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, refusal, architecture);
    let program: BpfProgram = filter.and_then(TryInto::try_into).map_err(seccompiler::Error::Backend)?;
    seccompiler::apply_filter(&program)?;
    Ok(true)
}
