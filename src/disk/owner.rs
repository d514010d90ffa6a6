//! Checks who can replace a file.

use std::io;
use std::path::{Path, PathBuf};

/// Returns the file or folder through which a user other than root and the current one could replace the file
/// at `path`; `None` if there is none. Always `None` on Windows, where programs are installed in folders that
/// only administrators can write to.
///
/// # Errors
/// Fails if the file or one of its folders cannot be examined.
pub fn others_can_replace(path: &Path) -> io::Result<Option<PathBuf>> {
    let path = std::fs::canonicalize(path)?;
    for place in path.ancestors() {
        if others_can_write(place)? {
            return Ok(Some(place.to_owned()));
        }
    }
    Ok(None)
}

#[cfg(unix)]
fn others_can_write(place: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;
    let facts = std::fs::metadata(place)?;
    let (user, group) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    let foreign = facts.uid() != 0 && facts.uid() != user;
    // In a folder such as /tmp, only the owner of a file can replace it.
    let sticky = facts.is_dir() && facts.mode() & 0o1000 != 0;
    let by_others = facts.mode() & 0o002 != 0;
    // The user's own group is harmless: with a umask of 002, it can write to all of the user's files.
    let by_group = facts.mode() & 0o020 != 0 && facts.gid() != 0 && facts.gid() != group;
    Ok(foreign || (by_others || by_group) && !sticky)
}

#[cfg(not(unix))]
fn others_can_write(_: &Path) -> io::Result<bool> {
    Ok(false)
}
