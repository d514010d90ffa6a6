//! Fingerprints of what the results of a shard depend on besides its settings.

use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::disk::Walk;

/// Maximum number of folder levels, as in the search for textures.
const MAX_DEPTH: usize = 5;

/// Returns a fingerprint of the names and sizes of all files in these texture folders, in the order in which images are
/// looked up. Hidden files do not count.
pub(super) fn of_textures(folders: &[PathBuf]) -> String {
    let visible = |path: &Path| path.file_name().is_some_and(|name| !name.to_string_lossy().starts_with('.'));
    let mut digest = Sha256::new();
    for folder in folders {
        digest.update("\n");
        for found in Walk::new(folder, MAX_DEPTH, visible) {
            // A file that cannot be read is listed without a size.
            let (path, length) = match found {
                Ok(path) => {
                    let length = std::fs::metadata(&path).map(|metadata| metadata.len()).ok();
                    (path, length)
                }
                Err(skipped) => (skipped.path, None),
            };
            let below = path.strip_prefix(folder).unwrap_or(&path);
            digest.update(format!("{} {length:?}\n", below.display()));
        }
    }
    digest.finalize().iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texture_folders_with_different_files_have_different_fingerprints() {
        let folders = [tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder")];
        let of = |at: usize| of_textures(&[folders[at].path().to_owned()]);
        let write = |at: usize, name: &str, text: &str| {
            std::fs::write(folders[at].path().join(name), text).expect("written");
        };
        write(0, "clouds.jpg", "image");
        assert_ne!(of(0), of(1));
        write(1, "clouds.jpg", "image");
        write(1, ".DS_Store", "x");
        assert_eq!(of(0), of(1), "the path of the folder does not matter");
        write(1, "clouds.jpg", "larger");
        assert_ne!(of(0), of(1));
    }
}
