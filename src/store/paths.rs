//! Conversion of paths to and from the bytes that are stored.

use std::path::{Path, PathBuf};

/// Returns a path in the platform's encoding, which preserves names that are not UTF-8.
#[cfg(unix)]
pub fn bytes_of(path: &Path) -> Vec<u8> {
    use std::os::unix::ffi::OsStrExt as _;
    path.as_os_str().as_bytes().to_vec()
}

/// Returns a path as UTF-8; unpaired surrogates are replaced.
#[cfg(not(unix))]
pub fn bytes_of(path: &Path) -> Vec<u8> {
    path.to_string_lossy().into_owned().into_bytes()
}

/// Converts the result of [`bytes_of`] back to a path.
#[cfg(unix)]
pub fn path_of(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt as _;
    PathBuf::from(std::ffi::OsStr::from_bytes(bytes))
}

/// Converts the result of [`bytes_of`] back to a path.
#[cfg(not(unix))]
pub fn path_of(bytes: &[u8]) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(bytes).into_owned())
}

/// Returns a path as text for display and files, with forward slashes and with invalid UTF-8 replaced.
pub fn text_of(path: &[u8]) -> String {
    let text = String::from_utf8_lossy(path).into_owned();
    if cfg!(windows) { text.replace('\\', "/") } else { text }
}
