//! Finds the images that presets use, and copies them into the pack.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::previous;
use crate::disk::{self, Folder, Walk};
use crate::milk::text::{Decoded, samplers};

/// Maximum number of folder levels searched for images, counting the texture folder itself.
const MAX_DEPTH: usize = 32;
/// File extensions that identify images, compared without regard to case.
const ENDINGS: [&str; 8] = ["jpg", "jpeg", "png", "bmp", "tga", "gif", "dds", "webp"];

/// Names of images used by presets.
#[derive(Debug, Default)]
pub struct UsedImages {
    names: BTreeSet<String>,
    /// Whether a sampler picks a random image, so that all images are needed.
    any: bool,
}

impl UsedImages {
    /// Adds the names of the images that a preset samples, without a prefix such as `fw_` in
    /// `sampler_fw_name`, which selects how `name` is sampled.
    pub fn read(&mut self, preset: &[u8]) {
        for name in samplers(&Decoded::new(preset).text) {
            self.any |= name.starts_with("rand") && name[4..].starts_with(|c: char| c.is_ascii_digit());
            self.names.insert(name);
        }
    }

    /// Copies the used images that are found in `folders` to `to`, and returns their file names. Unreadable
    /// files are skipped; of several files with the same name, regardless of case and extension, only the first is
    /// copied. Of the files already in `to`, only those in `own` are replaced.
    pub fn copy(
        &self,
        folders: &[PathBuf],
        to: &Folder,
        own: &BTreeSet<String>,
    ) -> std::io::Result<BTreeSet<String>> {
        let (mut stems, mut copied) = (BTreeSet::new(), BTreeSet::new());
        let lower = |part: Option<&std::ffi::OsStr>| {
            part.map(|part| part.to_string_lossy().to_lowercase()).unwrap_or_default()
        };
        let is_wanted = |path: &Path| {
            ENDINGS.contains(&lower(path.extension()).as_str())
                && (self.any || self.names.contains(&lower(path.file_stem())))
        };
        for found in folders.iter().flat_map(|folder| Walk::new(folder, MAX_DEPTH, is_wanted)) {
            let read = found.map_err(|skipped| skipped.to_string()).and_then(|path| {
                let bytes = disk::read(&path, disk::limit::IMAGE);
                bytes.map(|bytes| (bytes, path.clone())).map_err(|why| format!("{}: {why}", path.display()))
            });
            let (bytes, path) = match read {
                Ok(read) => read,
                Err(why) => {
                    log::warn!("excluding an image from the pack: {why}");
                    continue;
                }
            };
            if !stems.insert(lower(path.file_stem())) {
                continue;
            }
            let name = Path::new(path.file_name().unwrap_or_default());
            let label = name.to_string_lossy().into_owned();
            let is_free = || previous::is_free(to, name, disk::limit::IMAGE, |there| there == bytes);
            if !own.contains(&label) && !is_free() {
                let kept = to.path().join(name);
                log::warn!(
                    "keeping {}, which is not part of the pack; remove it to copy {}",
                    kept.display(),
                    path.display()
                );
                continue;
            }
            to.replace(name, |out| std::io::Write::write_all(out, &bytes))?;
            copied.insert(label);
        }
        Ok(copied)
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
        let to = Folder::create(&folder.path().join("to")).expect("made");
        let mut wanted = UsedImages::default();
        wanted.read(b"warp_1=`sampler sampler_fw_clouds2; tex2D(sampler_main, uv)");
        let none = BTreeSet::new();
        assert_eq!(wanted.copy(std::slice::from_ref(&from), &to, &none).expect("copied").len(), 1);
        assert!(to.path().join("Clouds2.JPG").exists());
        wanted.read(b"comp_1=`sampler sampler_rand00;");
        let own = wanted.copy(std::slice::from_ref(&from), &to, &none).expect("copied");
        assert!(own.iter().eq(["Clouds2.JPG", "moss.png"]), "{own:?}");
        // Changed images are copied again, but never over a file that was not copied.
        for name in &own {
            std::fs::write(from.join(name), "new").expect("written");
        }
        let own: BTreeSet<String> = ["moss.png".to_owned()].into();
        assert_eq!(wanted.copy(&[from], &to, &own).expect("copied"), own);
        let text = |name: &str| std::fs::read_to_string(to.path().join(name)).expect("there");
        assert_eq!((text("Clouds2.JPG"), text("moss.png")), ("x".to_owned(), "new".to_owned()));
    }
}
