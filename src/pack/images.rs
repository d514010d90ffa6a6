//! Finds the images that presets name, and copies them into the pack.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::files::{self, FileError};
use crate::milk::text::{Decoded, samplers};

/// File extensions of images.
const ENDINGS: [&str; 8] = ["jpg", "jpeg", "png", "bmp", "tga", "gif", "dds", "webp"];

/// Names of images used by presets.
#[derive(Debug, Default)]
pub struct Wanted {
    names: BTreeSet<String>,
    /// At least one sampler picks a random image: all images are needed.
    any: bool,
}

impl Wanted {
    /// Adds the samplers declared by a preset. A prefix such as `fw_` in `sampler_fw_name` selects how `name` is
    /// sampled.
    pub fn read(&mut self, preset: &[u8]) {
        for name in samplers(&Decoded::new(preset).text) {
            self.any |= name.starts_with("rand") && name[4..].starts_with(|c: char| c.is_ascii_digit());
            self.names.insert(name);
        }
    }

    /// Copies the images found in `folders` to `to` and returns their number.
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
                log::warn!("cannot read the image {}; excluding it from the pack", path.display());
                continue;
            };
            let name = path.file_name().unwrap_or_default();
            files::write(&to.join(name), &bytes)?;
        }
        Ok(copied.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_named_images_are_copied() {
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
