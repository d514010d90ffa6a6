//! Atomic file writes.

use std::io::Write as _;
use std::path::Path;

use crate::library::whole_file::{self, FileError};

/// Replaces `path` with `bytes`, creating missing folders. Readers never see a partial file.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    whole_file::replace(path, |out| out.write_all(bytes))
}
