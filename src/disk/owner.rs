//! Checks whether other users can replace or write to a file.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// Returns the file or folder through which a user other than root and the current one could replace the file
/// at `path`; `None` if there is none. Always `None` on Windows, where programs are installed in folders that
/// only administrators can write to.
///
/// # Errors
/// Fails if the file or one of its folders cannot be examined.
pub fn replaceable_by_others(path: &Path) -> io::Result<Option<PathBuf>> {
    let path = std::fs::canonicalize(path)?;
    for place in path.ancestors() {
        if writable_by_others(place)? {
            return Ok(Some(place.to_owned()));
        }
    }
    Ok(None)
}

/// Returns whether an open file belongs to the current user, and no other user can write to it. Always true on Windows,
/// where each user has their own temporary folder.
///
/// # Errors
/// Fails if the file cannot be examined.
pub fn is_own(file: &File) -> io::Result<bool> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let metadata = file.metadata()?;
        Ok(metadata.uid() == rustix::process::geteuid().as_raw() && metadata.mode() & 0o022 == 0)
    }
    #[cfg(not(unix))]
    {
        let _ = file;
        Ok(true)
    }
}

#[cfg(unix)]
fn writable_by_others(path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = std::fs::metadata(path)?;
    let (user, group) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    let foreign = metadata.uid() != 0 && metadata.uid() != user;
    // In a folder such as /tmp, only the owner of a file can replace it.
    let sticky = metadata.is_dir() && metadata.mode() & 0o1000 != 0;
    let by_others = metadata.mode() & 0o002 != 0;
    // The user's own group is harmless: with a umask of 002, it can write to all of the user's files.
    let by_group = metadata.mode() & 0o020 != 0 && metadata.gid() != 0 && metadata.gid() != group;
    Ok(foreign || (by_others || by_group) && !sticky)
}

#[cfg(not(unix))]
fn writable_by_others(_: &Path) -> io::Result<bool> {
    Ok(false)
}
