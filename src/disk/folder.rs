//! Reads, writes and deletes files below a folder named by the user, and nowhere else.
//!
//! The folder is opened once, and everything below it is reached from its handle, one level at a time. Links below the
//! folder are never followed, even if they are created while it is open.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use cap_fs_ext::{DirExt as _, FollowSymlinks, OpenOptionsFollowExt as _};
use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions};
use serde::Serialize;

use super::input::read_open;

/// An open folder, accessed through its handle.
pub struct Folder {
    dir: Dir,
    path: PathBuf,
}

impl Folder {
    /// Opens a folder named by the user, which may itself be a link.
    ///
    /// # Errors
    /// Fails if it does not exist or is not a folder.
    pub fn open(path: &Path) -> io::Result<Self> {
        // The parent of a plain file name is an empty path.
        let named = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        Ok(Self { dir: Dir::open_ambient_dir(named, ambient_authority())?, path: path.to_owned() })
    }

    /// Opens a folder named by the user, after creating it and its parents if necessary.
    ///
    /// # Errors
    /// Fails if it cannot be created or is not a folder.
    pub fn create(path: &Path) -> io::Result<Self> {
        if !path.as_os_str().is_empty() {
            std::fs::create_dir_all(path)?;
        }
        Self::open(path)
    }

    /// Returns the path by which the folder was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens the folder at the relative path `below`, which must not contain `..`; creates missing folders.
    ///
    /// # Errors
    /// Fails if the path leaves the folder, or if a part of it is a link or not a folder.
    pub fn create_below(&self, below: &Path) -> io::Result<Self> {
        self.descend(below, true)
    }

    /// Opens the folder at the relative path `below`, which must not contain `..`.
    ///
    /// # Errors
    /// Fails if the path leaves the folder, or if a part of it is missing, a link or not a folder.
    pub fn below(&self, below: &Path) -> io::Result<Self> {
        self.descend(below, false)
    }

    fn descend(&self, below: &Path, create: bool) -> io::Result<Self> {
        let mut folder = Self { dir: self.dir.try_clone()?, path: self.path.clone() };
        for part in below.components() {
            let Component::Normal(name) = part else { return Err(leaves(below)) };
            let path = folder.path.join(name);
            let opened = match folder.dir.open_dir_nofollow(name) {
                Err(error) if create && error.kind() == io::ErrorKind::NotFound => {
                    match folder.dir.create_dir(name) {
                        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
                        _ => folder.dir.open_dir_nofollow(name), // Another process may have created it.
                    }
                }
                opened => opened,
            };
            let dir = opened.map_err(|error| folder.explain(Path::new(name), error))?;
            folder = Self { dir, path };
        }
        Ok(folder)
    }

    /// Atomically replaces the file at the relative path `below` with the output of `write`; creates its
    /// folders if necessary. If the file is a link, the link is replaced, not its target.
    ///
    /// # Errors
    /// Fails if the path leaves the folder, if one of its folders is a link, or if the file cannot be
    /// written; the old file is then untouched.
    pub fn replace(
        &self,
        below: &Path,
        write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
    ) -> io::Result<()> {
        let (folder, name) = self.place(below, true)?;
        let temporary = temporary(name);
        let written = folder.create_new(&temporary, &mut OpenOptions::new()).and_then(|file| {
            let mut out = BufWriter::new(file);
            write(&mut out)?;
            out.flush()?;
            out.get_ref().sync_all()?;
            folder.dir.rename(&temporary, &folder.dir, name)?;
            folder.sync();
            Ok(())
        });
        if written.is_err() {
            folder.dir.remove_file(&temporary).ok(); // The incomplete file.
        }
        written
    }

    /// Atomically replaces the file at the relative path `below` with `value` as JSON.
    ///
    /// # Errors
    /// Fails as [`Folder::replace`] does.
    pub fn write_json(&self, below: &Path, value: &impl Serialize) -> io::Result<()> {
        self.replace(below, |out| serde_json::to_writer(&mut *out, value).map_err(io::Error::from))
    }

    /// Reads the file at the relative path `below`, of at most `limit` bytes.
    ///
    /// # Errors
    /// Fails if the path leaves the folder, if it or one of its folders is a link, or as
    /// [`read`](super::read) does.
    pub fn read(&self, below: &Path, limit: u64) -> io::Result<Vec<u8>> {
        let (folder, name) = self.place(below, false)?;
        let mut options = OpenOptions::new();
        options.read(true).follow(FollowSymlinks::No);
        #[cfg(unix)]
        cap_std::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NONBLOCK | libc::O_NOCTTY);
        let file =
            folder.dir.open_with(name, &options).map_err(|error| folder.explain(Path::new(name), error))?;
        read_open(&folder.path.join(name), file.into_std(), limit)
    }

    /// Creates a file at the relative path `below`, where nothing may exist yet, not even a link.
    ///
    /// # Errors
    /// Fails if the path leaves the folder, if one of its folders is a link, or if something with that name
    /// exists.
    pub fn create_file(&self, below: &Path) -> io::Result<File> {
        let (folder, name) = self.place(below, true)?;
        folder.create_new(Path::new(name), &mut OpenOptions::new())
    }

    /// Creates a file for reading and writing that other users cannot open, at the relative path `below`.
    ///
    /// # Errors
    /// Fails as [`Folder::create_file`] does.
    pub fn create_private(&self, below: &Path) -> io::Result<File> {
        let (folder, name) = self.place(below, true)?;
        let mut options = OpenOptions::new();
        options.read(true);
        #[cfg(unix)]
        cap_std::fs::OpenOptionsExt::mode(&mut options, 0o600);
        folder.create_new(Path::new(name), &mut options)
    }

    /// Opens the file at the relative path `below` for appending; creates it if necessary.
    ///
    /// # Errors
    /// Fails if the path leaves the folder, if one of its folders is a link, or if the file is a link or not
    /// a regular file.
    pub fn append(&self, below: &Path) -> io::Result<File> {
        self.open_or_create(below, OpenOptions::new().append(true))
    }

    /// Opens the file at the relative path `below` for reading and writing, without truncating it; creates it if
    /// necessary.
    ///
    /// # Errors
    /// Fails as [`Folder::append`] does.
    pub fn update(&self, below: &Path) -> io::Result<File> {
        self.open_or_create(below, OpenOptions::new().read(true).write(true))
    }

    fn open_or_create(&self, below: &Path, options: &mut OpenOptions) -> io::Result<File> {
        let (folder, name) = self.place(below, true)?;
        let name = Path::new(name);
        let irregular =
            || folder.explain(name, io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        // Merely opening a device can have side effects, so check the name first; the open file is checked again.
        if folder.dir.symlink_metadata(name).is_ok_and(|metadata| !metadata.is_file()) {
            return Err(irregular());
        }
        options.create(true).follow(FollowSymlinks::No);
        #[cfg(unix)]
        cap_std::fs::OpenOptionsExt::custom_flags(options, libc::O_NONBLOCK | libc::O_NOCTTY);
        let file = folder.dir.open_with(name, options).map_err(|error| folder.explain(name, error))?;
        let file = file.into_std();
        if file.metadata()?.is_file() { Ok(file) } else { Err(irregular()) }
    }

    /// Returns whether there is a regular file at the relative path `below`, and neither it nor one of its folders is
    /// a link.
    pub fn has_file(&self, below: &Path) -> bool {
        let found = self.place(below, false).and_then(|(folder, name)| folder.dir.symlink_metadata(name));
        found.is_ok_and(|metadata| metadata.is_file())
    }

    /// Deletes the file at the relative path `below`; if it is a link, only the link is deleted.
    ///
    /// # Errors
    /// Fails if the path leaves the folder, if one of its folders is a link, or if there is no such file.
    pub fn remove_file(&self, below: &Path) -> io::Result<()> {
        let (folder, name) = self.place(below, false)?;
        folder.dir.remove_file_or_symlink(name)
    }

    /// Deletes the folder at the relative path `below` and its contents; targets of links are not deleted.
    ///
    /// # Errors
    /// Fails if the path leaves the folder, or if it or one of its folders is a link or missing.
    pub fn remove_tree(&self, below: &Path) -> io::Result<()> {
        self.below(below)?.dir.remove_open_dir_all()
    }

    /// Renames a file or folder within this folder; an existing file at `to` is replaced.
    ///
    /// # Errors
    /// Fails if one of the paths leaves the folder, or if one of their folders is a link.
    pub fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let (source, old) = self.place(from, false)?;
        let (target, new) = self.place(to, true)?;
        source.dir.rename(old, &target.dir, new)?;
        target.sync();
        Ok(())
    }

    /// Opens the parent folder of the relative path `below`, creating it if `create`; returns it and the file
    /// name.
    fn place<'a>(&self, below: &'a Path, create: bool) -> io::Result<(Self, &'a std::ffi::OsStr)> {
        let (Some(name), Some(parent)) = (below.file_name(), below.parent()) else {
            return Err(leaves(below));
        };
        Ok((self.descend(parent, create)?, name))
    }

    fn create_new(&self, name: &Path, options: &mut OpenOptions) -> io::Result<File> {
        options.write(true).create_new(true).follow(FollowSymlinks::No);
        let file = self.dir.open_with(name, options).map_err(|error| self.explain(name, error))?;
        Ok(file.into_std())
    }

    /// Flushes the folder to disk, so that a new name survives a power cut, if the file system supports it.
    fn sync(&self) {
        #[cfg(unix)]
        if let Ok(dir) = self.dir.try_clone() {
            dir.into_std_file().sync_all().ok(); // Not every file system supports this.
        }
    }

    /// Adds the path to an error; if the path is a link, the error states that instead.
    fn explain(&self, name: &Path, error: io::Error) -> io::Error {
        let path = self.path.join(name);
        if self.dir.symlink_metadata(name).is_ok_and(|metadata| metadata.is_symlink()) {
            let why = format!("{} is a link; nothing is written or deleted through links", path.display());
            return io::Error::new(io::ErrorKind::InvalidInput, why);
        }
        io::Error::new(error.kind(), format!("{}: {error}", path.display()))
    }
}

fn leaves(below: &Path) -> io::Error {
    let why = format!("{} is outside the folder", below.display());
    io::Error::new(io::ErrorKind::InvalidInput, why)
}

/// Returns the name of a temporary file next to `name`, unique to the process and the call.
pub(super) fn temporary(name: &std::ffi::OsStr) -> PathBuf {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    let mut name = name.to_owned();
    name.push(format!(".{}-{}.part", std::process::id(), CALLS.fetch_add(1, Ordering::Relaxed)));
    name.into()
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn write(folder: &Folder, below: &str, text: &str) -> io::Result<()> {
        folder.replace(Path::new(below), |out| out.write_all(text.as_bytes()))
    }

    #[test]
    fn files_are_replaced_renamed_and_deleted_below_the_folder() {
        let root = tempfile::tempdir().expect("a folder");
        let folder = Folder::create(&root.path().join("new/one")).expect("made");
        write(&folder, "a/b/file", "1").expect("written");
        write(&folder, "a/b/file", "22").expect("written");
        folder.append(Path::new("a/b/file")).expect("opens").write_all(b"3").expect("written");
        assert_eq!(std::fs::read_to_string(folder.path().join("a/b/file")).expect("there"), "223");
        let mut text = String::new();
        folder
            .update(Path::new("a/b/file"))
            .and_then(|mut file| file.read_to_string(&mut text))
            .expect("read");
        assert_eq!(text, "223", "it is not truncated");
        assert!(folder.has_file(Path::new("a/b/file")) && !folder.has_file(Path::new("a/b")));
        assert!(folder.create_file(Path::new("a/b/file")).is_err(), "it exists");
        let failed = folder.replace(Path::new("a/b/file"), |_| Err(io::Error::other("the disk is full")));
        assert!(failed.is_err());
        assert_eq!(std::fs::read_dir(folder.path().join("a/b")).expect("read").count(), 1, "no `.part` file");
        folder.rename(Path::new("a"), Path::new("c")).expect("renamed");
        folder.remove_file(Path::new("c/b/file")).expect("deleted");
        folder.remove_tree(Path::new("c")).expect("deleted");
        assert_eq!(std::fs::read_dir(folder.path()).expect("read").count(), 0);
    }

    #[test]
    fn paths_that_leave_the_folder_are_refused() {
        let root = tempfile::tempdir().expect("a folder");
        std::fs::write(root.path().join("precious"), "1").expect("written");
        let folder = Folder::create(&root.path().join("inside")).expect("made");
        for below in ["../precious", "a/../../precious", "/etc/aivj-test", "..", "", "."] {
            assert!(write(&folder, below, "2").is_err(), "{below}");
            assert!(folder.remove_file(Path::new(below)).is_err(), "{below}");
            assert!(folder.append(Path::new(below)).is_err(), "{below}");
        }
        assert_eq!(std::fs::read_to_string(root.path().join("precious")).expect("there"), "1");
        assert!(!Path::new("/etc/aivj-test").exists());
    }

    #[cfg(unix)]
    #[test]
    fn links_are_never_followed() {
        use std::os::unix::fs::symlink;
        let root = tempfile::tempdir().expect("a folder");
        let at = |name: &str| root.path().join(name);
        std::fs::create_dir_all(at("elsewhere")).expect("made");
        std::fs::write(at("elsewhere/precious"), "1").expect("written");
        let folder = Folder::create(&at("inside")).expect("made");
        symlink(at("elsewhere"), at("inside/linked")).expect("linked");
        symlink(at("elsewhere/precious"), at("inside/file")).expect("linked");
        symlink(at("elsewhere/new"), at("inside/dangling")).expect("linked");
        for error in [
            write(&folder, "linked/precious", "2"),
            write(&folder, "linked/deep/new", "2"),
            folder.remove_file(Path::new("linked/precious")),
            folder.remove_tree(Path::new("linked")),
            folder.append(Path::new("file")).map(|_| ()),
            folder.update(Path::new("file")).map(|_| ()),
        ] {
            let why = error.expect_err("refused").to_string();
            assert!(why.contains("is a link") && why.contains("inside"), "{why}");
        }
        for below in ["file", "linked/precious", "dangling"] {
            assert!(!folder.has_file(Path::new(below)), "{below}");
        }
        assert!(folder.create_file(Path::new("dangling")).is_err());
        write(&folder, "file", "3").expect("the link is replaced");
        assert_eq!(std::fs::read_to_string(at("elsewhere/precious")).expect("there"), "1");
        assert_eq!(std::fs::read_dir(at("elsewhere")).expect("read").count(), 1);
        // A folder that the user named may be a link.
        let named = Folder::open(&at("inside/linked")).expect("opens");
        write(&named, "new", "4").expect("written");
        assert!(at("elsewhere/new").exists());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_swapped_in_while_writing_is_not_followed() {
        use std::os::unix::fs::symlink;
        let root = tempfile::tempdir().expect("a folder");
        let at = |name: &str| root.path().join(name);
        std::fs::create_dir_all(at("elsewhere")).expect("made");
        let folder = Folder::create(&at("inside")).expect("made");
        folder
            .replace(Path::new("sub/file"), |out| {
                std::fs::rename(at("inside/sub"), at("inside/moved"))?;
                symlink(at("elsewhere"), at("inside/sub"))?;
                out.write_all(b"1")
            })
            .expect("written to the folder that was opened");
        assert_eq!(std::fs::read_dir(at("elsewhere")).expect("read").count(), 0);
        assert!(at("inside/moved/file").exists());
    }
}
