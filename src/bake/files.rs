//! Files written as a whole or not at all: a reader never sees half of one, however the program ends.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// Replaces `path` with `bytes`; folders are made as needed. Says in words what failed.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), String> {
    replace(path, |out| out.write_all(bytes))
}

/// Replaces `path` with what `write` writes.
pub fn replace(path: &Path, write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> Result<(), String> {
    let told = |error: std::io::Error| format!("{} could not be written: {error}", path.display());
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(told)?;
    }
    let beside = beside(path);
    let written = std::fs::File::create(&beside).and_then(|file| {
        let mut out = BufWriter::new(file);
        write(&mut out)?;
        out.flush()?;
        drop(out);
        std::fs::rename(&beside, path)
    });
    written.map_err(|error| {
        std::fs::remove_file(&beside).ok(); // The half of a file that never was.
        told(error)
    })
}

/// The name a file has until it is complete; one per process.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    path.with_file_name(name)
}
