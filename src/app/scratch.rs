//! A folder for files that live no longer than the work they are for.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// Gone, with all in it, when dropped.
pub(super) struct Scratch(PathBuf);

impl Scratch {
    /// A new folder beside `file`.
    pub fn beside(file: &Path) -> anyhow::Result<Self> {
        let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let folder = parent.join(format!(".aivj-{}", std::process::id()));
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("making the folder {}", folder.display()))?;
        Ok(Self(folder))
    }

    /// A file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok(); // A leftover folder does no harm.
    }
}
