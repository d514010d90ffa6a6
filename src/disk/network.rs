//! Recognises network file systems, on which other computers may have the same file open.

use std::path::Path;

/// Magic numbers of network file systems (statfs(2)).
#[cfg(target_os = "linux")]
const NETWORK: [u32; 11] = [
    0x0000_6969, // NFS
    0x0000_517b, // SMB
    0xff53_4d42, // CIFS
    0xfe53_4d42, // SMB 2 and later
    0x0102_1997, // 9P
    0x00c3_6400, // Ceph
    0x0bd0_0bd0, // Lustre
    0x1983_0326, // BeeGFS
    0x4750_4653, // GPFS
    0x5346_414f, // AFS
    0x7375_7245, // Coda
];
/// Magic number of all file systems in user space, local or not.
#[cfg(target_os = "linux")]
const FUSE: u32 = 0x6573_5546;
/// Types of network file systems in user space.
#[cfg(target_os = "linux")]
const NETWORK_FUSE: [&str; 6] =
    ["fuse.sshfs", "fuse.rclone", "fuse.glusterfs", "fuse.s3fs", "fuse.curlftpfs", "fuse.gvfsd-fuse"];

/// Returns whether a file or folder is on a network file system. False if it cannot be examined, and on systems other
/// than Linux.
#[cfg(target_os = "linux")]
pub fn is_network(path: &Path) -> bool {
    let Ok(found) = rustix::fs::statfs(path) else { return false };
    let kind = found.f_type as u32;
    NETWORK.contains(&kind) || kind == FUSE && is_network_fuse(path)
}

/// Returns whether a file or folder is on a network file system. False if it cannot be examined, and on systems other
/// than Linux.
#[cfg(not(target_os = "linux"))]
pub fn is_network(_: &Path) -> bool {
    false
}

#[cfg(target_os = "linux")]
fn is_network_fuse(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let (Ok(metadata), Ok(mounts)) = (std::fs::metadata(path), std::fs::read("/proc/self/mountinfo")) else {
        return false;
    };
    let device = metadata.dev();
    let device = format!("{}:{}", rustix::fs::major(device), rustix::fs::minor(device));
    type_of(&String::from_utf8_lossy(&mounts), &device).is_some_and(|kind| NETWORK_FUSE.contains(&kind))
}

/// Returns the type of the file system on a device, given the contents of `/proc/self/mountinfo`
/// (proc_pid_mountinfo(5)).
#[cfg(target_os = "linux")]
fn type_of<'a>(mounts: &'a str, device: &str) -> Option<&'a str> {
    mounts.lines().find_map(|line| {
        let (mount, file_system) = line.split_once(" - ")?;
        let is_there = mount.split(' ').nth(2) == Some(device);
        file_system.split(' ').next().filter(|_| is_there)
    })
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn local_folders_are_not_on_a_network() {
        assert!(!is_network(Path::new("/proc")) && !is_network(Path::new("/no/such/folder")));
    }

    #[test]
    fn the_type_of_a_file_system_in_user_space_is_found_by_its_device() {
        let mounts = "36 35 98:0 / /home rw,noatime master:1 - ext4 /dev/root rw\n\
                      52 36 0:45 / /home/me/share\\040dj rw,nosuid shared:3 - fuse.sshfs me@host: rw,user_id=0\n";
        assert_eq!(type_of(mounts, "0:45"), Some("fuse.sshfs"));
        assert_eq!(type_of(mounts, "98:0"), Some("ext4"));
        assert_eq!(type_of(mounts, "0:4"), None);
    }
}
