//! The images presets name, found in folders and copied beside them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::library::whole_file::{self, FileError};
use crate::milk::text::{Decoded, samplers};

/// Endings of image files.
const ENDINGS: [&str; 8] = ["jpg", "jpeg", "png", "bmp", "tga", "gif", "dds", "webp"];

/// Names of images that presets ask for.
#[derive(Debug, Default)]
pub struct Wanted {
    names: BTreeSet<String>,
    /// One of them takes any image: all are needed.
    any: bool,
}

impl Wanted {
    /// Reads the samplers a preset declares. `sampler_fw_name` and its like choose how `name` is sampled.
    pub fn read(&mut self, preset: &[u8]) {
        for name in samplers(&Decoded::new(preset).text) {
            self.any |= name.starts_with("rand") && name[4..].starts_with(|c: char| c.is_ascii_digit());
            self.names.insert(name);
        }
    }

    /// Copies those that lie in `folders`; returns how many.
    pub fn copy(&self, folders: &[PathBuf], to: &Path) -> Result<usize, FileError> {
        let mut copied = BTreeSet::new();
        let entries = folders.iter().flat_map(|folder| walkdir::WalkDir::new(folder).sort_by_file_name());
        for entry in entries.flatten().filter(|entry| entry.file_type().is_file()) {
            let path = entry.path();
            let lower = |part: Option<&std::ffi::OsStr>| {
                part.map(|part| part.to_string_lossy().to_lowercase()).unwrap_or_default()
            };
            let (stem, ending) = (lower(path.file_stem()), lower(path.extension()));
            let wanted = self.any || self.names.contains(&stem);
            if !ENDINGS.contains(&ending.as_str()) || !wanted || !copied.insert(stem) {
                continue;
            }
            let Ok(bytes) = std::fs::read(path) else {
                log::warn!("the image {} cannot be read; the pack goes without it", path.display());
                continue;
            };
            let name = path.file_name().unwrap_or_default();
            whole_file::replace(&to.join(name), |out| std::io::Write::write_all(out, &bytes))?;
        }
        Ok(copied.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_images_are_copied_and_others_are_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let from = folder.path().join("from");
        std::fs::create_dir(&from).expect("made");
        for name in ["Clouds2.JPG", "moss.png", "notes.txt"] {
            std::fs::write(from.join(name), "x").expect("written");
        }
        let to = folder.path().join("to");
        let mut wanted = Wanted::default();
        wanted.read(b"warp_1=`sampler sampler_fw_clouds2; tex2D(sampler_main, uv)");
        assert_eq!(wanted.copy(std::slice::from_ref(&from), &to).expect("copied"), 1);
        assert!(to.join("Clouds2.JPG").exists());
        wanted.read(b"comp_1=`sampler sampler_rand00;");
        assert_eq!(wanted.copy(&[from], &to).expect("copied"), 2);
    }
}
