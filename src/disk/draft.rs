//! A file that is written under a temporary name and replaces the final file once it is complete.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::folder::{Folder, temporary};
use super::whole::publish;

/// A file being written by another program, or over a long time. Unless it is published, it is deleted, and the final
/// file stays as it is.
pub struct Draft {
    written: PathBuf,
    path: PathBuf,
}

impl Draft {
    /// Creates an empty file next to `path`, and its folder if necessary. The file has a unique name with the same
    /// extension as `path`.
    ///
    /// # Errors
    /// Fails if the folder or the file cannot be created.
    pub fn create(path: &Path) -> io::Result<(Self, File)> {
        let folder = Folder::create(path.parent().unwrap_or(Path::new("")))?;
        loop {
            let mut name = temporary(path.file_name().unwrap_or_default()).into_os_string();
            if let Some(ending) = path.extension() {
                name.push(".");
                name.push(ending);
            }
            match folder.create_file(Path::new(&name)) {
                Ok(file) => {
                    return Ok((Self { written: folder.path().join(name), path: path.to_owned() }, file));
                }
                // Left by a killed process that had the same ID.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Returns the path of the file being written.
    pub fn written(&self) -> &Path {
        &self.written
    }

    /// Returns the path of the final file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Changes the path of the final file from `NAME.EXT` to `NAME.part.EXT`, in the same folder.
    pub fn into_part(mut self) -> Self {
        let mut name = self.path.file_stem().unwrap_or_default().to_owned();
        name.push(".part");
        if let Some(ending) = self.path.extension() {
            name.push(".");
            name.push(ending);
        }
        self.path.set_file_name(name);
        self
    }

    /// Replaces the final file with the one that was written, and returns its path.
    ///
    /// # Errors
    /// Fails if the file cannot be synced or renamed; the final file is then untouched.
    pub fn publish(self) -> io::Result<PathBuf> {
        publish(&self.written, &self.path)?;
        Ok(self.path.clone())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        std::fs::remove_file(&self.written).ok(); // Once published, there is no such file.
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn the_old_file_stays_until_the_new_one_is_published() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("show.mp4");
        std::fs::write(&path, "old").expect("written");
        let (draft, mut file) = Draft::create(&path).expect("created");
        assert!(draft.written().extension().is_some_and(|ending| ending == "mp4"));
        file.write_all(b"half").expect("written");
        drop((draft, file));
        assert_eq!(std::fs::read_to_string(&path).expect("there"), "old");
        assert_eq!(std::fs::read_dir(folder.path()).expect("read").count(), 1, "the draft is deleted");
        let (draft, mut file) = Draft::create(&path).expect("created");
        file.write_all(b"new").expect("written");
        drop(file);
        assert_eq!(draft.publish().expect("published"), path);
        assert_eq!(std::fs::read_to_string(&path).expect("there"), "new");
        assert_eq!(std::fs::read_dir(folder.path()).expect("read").count(), 1);
    }

    #[test]
    fn the_draft_of_a_killed_process_is_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("show.mp4");
        let (draft, _file) = Draft::create(&path).expect("created");
        let name = draft.written().file_name().unwrap_or_default().to_string_lossy().into_owned();
        let number: u32 = name.split(['-', '.']).rev().nth(2).and_then(|n| n.parse().ok()).expect("a number");
        // Other tests may take some of these numbers.
        let left = (number + 1..number + 1000).map(|next| {
            folder.path().join(name.replace(&format!("-{number}.part"), &format!("-{next}.part")))
        });
        left.for_each(|left| std::fs::write(left, "left").expect("written"));
        let (draft, _file) = Draft::create(&path).expect("created under a free name");
        assert_eq!(std::fs::read(draft.written()).expect("there"), b"");
    }
}
