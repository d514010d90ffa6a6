//! Bytes to files, whole or not at all; failures in words.

use std::io::Write as _;
use std::path::Path;

use crate::library::whole_file;

/// Replaces `path` with `bytes`; folders are made as needed.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), String> {
    whole_file::replace(path, |out| out.write_all(bytes))
        .map_err(|error| format!("{} could not be written: {}", error.path, error.why))
}
