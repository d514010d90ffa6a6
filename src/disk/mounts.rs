//! Which disk a path is on. Reads only the system's list of mount points, never the path itself.

use std::path::{Path, PathBuf};

/// Number of leading components that identify a disk where mount points are not listed, as in `/Volumes/NAME`.
const COMPONENTS: usize = 3;

/// Returns the mount points of the system; empty if it does not list them.
#[cfg(target_os = "linux")]
pub(super) fn mount_points() -> Vec<PathBuf> {
    std::fs::read("/proc/self/mountinfo").map(|list| parse(&list)).unwrap_or_default()
}

/// Returns the mount points of the system; empty if it does not list them.
#[cfg(not(target_os = "linux"))]
pub(super) fn mount_points() -> Vec<PathBuf> {
    Vec::new()
}

/// Returns the disk of an absolute path: the longest of the mount points that contain it, or its first components
/// if none does.
pub(super) fn disk_of(path: &Path, mounts: &[PathBuf]) -> PathBuf {
    let containing = mounts.iter().filter(|mount| path.starts_with(mount));
    let longest = containing.max_by_key(|mount| mount.components().count());
    longest.cloned().unwrap_or_else(|| path.components().take(COMPONENTS).collect())
}

/// Parses the mount points in `/proc/self/mountinfo` (see `proc_pid_mountinfo(5)`).
#[cfg(target_os = "linux")]
fn parse(list: &[u8]) -> Vec<PathBuf> {
    use std::os::unix::ffi::OsStringExt as _;
    let lines = list.split(|&byte| byte == b'\n');
    let points = lines.filter_map(|line| line.split(|&byte| byte == b' ').nth(4));
    points.map(|point| std::ffi::OsString::from_vec(unescape(point)).into()).collect()
}

/// Replaces escapes such as `\040` (a space) with the bytes they stand for.
#[cfg(target_os = "linux")]
fn unescape(mut text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    while let Some((&first, after)) = text.split_first() {
        match (first, after) {
            (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', after @ ..]) => {
                bytes.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
                text = after;
            }
            _ => {
                bytes.push(first);
                text = after;
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_disk_of_a_path_is_its_longest_mount_point_or_its_first_components() {
        let mounts = ["/", "/mnt/nas", "/mnt/nas/deep"].map(PathBuf::from);
        for (path, disk) in [
            ("/home/presets", "/"),
            ("/mnt/nas", "/mnt/nas"),
            ("/mnt/nas/a.milk", "/mnt/nas"),
            ("/mnt/nas/deep/a.milk", "/mnt/nas/deep"),
            ("/mnt/nas2/a.milk", "/"),
        ] {
            assert_eq!(disk_of(Path::new(path), &mounts), Path::new(disk), "{path}");
        }
        assert_eq!(disk_of(Path::new("/Volumes/nas/a/b"), &[]), Path::new("/Volumes/nas"));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn mount_points_may_contain_spaces() {
        let list = b"22 1 0:20 / / rw - ext4 /dev/sda1 rw\n40 22 0:35 / /mnt/my\\040disk rw - nfs nas:/a rw";
        assert_eq!(parse(list), ["/", "/mnt/my disk"].map(PathBuf::from));
        assert!(mount_points().contains(&PathBuf::from("/")));
    }
}
