//! Downloads one file over HTTP with progress, resumes after interruptions, and verifies its hash.

use std::fs::OpenOptions;
use std::io::{Read, Write as _};
use std::path::Path;

use sha1::{Digest, Sha1};
use sha2::Sha256;

use super::{ModelError, unreadable, unwritten};
use crate::disk;
use crate::jobs::progress::{OnProgress, Progress};

/// Maximum number of consecutive failed attempts without progress.
const TRIES: u32 = 4;
/// Number of bytes read at once.
const BLOCK: usize = 1 << 16;

/// Expected size and hash of a file.
pub(super) struct Expected {
    /// Size in bytes, if known.
    pub size: Option<u64>,
    /// Hash of the content, if known.
    pub hash: Option<Hash>,
}

/// A hash in hexadecimal.
pub(super) enum Hash {
    /// SHA-256 of the content.
    Sha256(String),
    /// Git blob hash: SHA-1 of `blob SIZE`, a zero byte and the content.
    GitBlob(String),
}

/// Downloads `url` to the file `to`, creating its folder. An existing file is kept; a partial download,
/// `NAME.part`, is resumed.
pub(super) fn fetch(
    agent: &ureq::Agent,
    url: &str,
    to: &Path,
    expected: &Expected,
    on_progress: OnProgress,
) -> Result<(), ModelError> {
    if to.is_file() {
        return Ok(());
    }
    let name = to.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let part = to.with_file_name(format!("{name}.part"));
    if let Some(parent) = to.parent() {
        std::fs::create_dir_all(parent).map_err(|error| unwritten(parent, &error))?;
    }
    let mut tries = 0;
    loop {
        let before = length(&part);
        match download(agent, url, &part, &name, expected.size, on_progress) {
            Ok(()) => break,
            Err(Interrupted::Final(error)) => return Err(error),
            Err(Interrupted::Retry(why)) => {
                tries = if length(&part) > before { 0 } else { tries + 1 };
                if tries >= TRIES {
                    return Err(ModelError::Hub(format!(
                        "downloading {url} failed: {why}; run the command again to resume"
                    )));
                }
                log::warn!("download of {url} interrupted ({why}); resuming");
            }
        }
    }
    let wrong = match &expected.hash {
        Some(Hash::Sha256(wanted)) => hash::<Sha256>(&part, None).map(|found| found != *wanted),
        Some(Hash::GitBlob(wanted)) => hash::<Sha1>(&part, Some(length(&part))).map(|found| found != *wanted),
        None => Ok(false),
    };
    if wrong.map_err(|error| unreadable(&part, &error))? {
        std::fs::remove_file(&part).map_err(|error| unwritten(&part, &error))?;
        return Err(ModelError::Hub(format!(
            "{url} does not match the hash given by the hub; the file was deleted; run the command again"
        )));
    }
    disk::publish(&part, to).map_err(|error| unwritten(to, &error))
}

/// Why a transfer was interrupted.
enum Interrupted {
    /// Retrying may help.
    Retry(String),
    /// Retrying does not help.
    Final(ModelError),
}

/// Downloads the rest of the file into `part`, or all of it if the server cannot resume.
fn download(
    agent: &ureq::Agent,
    url: &str,
    part: &Path,
    name: &str,
    size: Option<u64>,
    on_progress: OnProgress,
) -> Result<(), Interrupted> {
    let mut present = length(part);
    if size.is_some_and(|size| present > size) {
        // The partial file is larger than expected, so it belongs to another version.
        std::fs::remove_file(part).map_err(|error| Interrupted::Final(unwritten(part, &error)))?;
        present = 0;
    }
    if size == Some(present) && present > 0 {
        return Ok(());
    }
    let interrupted = |error: &dyn std::fmt::Display| Interrupted::Retry(error.to_string());
    let mut request = agent.get(url);
    if present > 0 {
        request = request.header("Range", format!("bytes={present}-"));
    }
    let mut response = request.call().map_err(|error| interrupted(&error))?;
    let append = match response.status().as_u16() {
        206 => true,
        200 => false,
        // The server cannot send the rest: start over.
        416 => {
            std::fs::remove_file(part).ok(); // If this fails, so will the next attempt.
            return Err(Interrupted::Retry(
                "the server does not support resuming; restarting the download".into(),
            ));
        }
        status @ (500..=599 | 429) => return Err(Interrupted::Retry(format!("HTTP status {status}"))),
        status => return Err(Interrupted::Final(ModelError::Hub(format!("{url}: HTTP status {status}")))),
    };
    let file = OpenOptions::new().create(true).write(true).append(append).truncate(!append).open(part);
    let mut file = file.map_err(|error| Interrupted::Final(unwritten(part, &error)))?;
    let mut done = if append { present } else { 0 };
    let header = response.headers().get("content-length").and_then(|length| length.to_str().ok());
    let whole = size.or_else(|| Some(done + header?.parse::<u64>().ok()?));
    let mut reader = response.body_mut().as_reader();
    let mut block = vec![0; BLOCK];
    loop {
        let count = reader.read(&mut block).map_err(|error| interrupted(&error))?;
        if count == 0 {
            break;
        }
        file.write_all(&block[..count]).map_err(|error| Interrupted::Final(unwritten(part, &error)))?;
        done += count as u64;
        if !on_progress(&Progress::at(name, done as usize, whole.unwrap_or(done) as usize)) {
            return Err(Interrupted::Final(ModelError::Stopped));
        }
    }
    match whole {
        Some(whole) if done < whole => Err(Interrupted::Retry(format!("received {done} of {whole} bytes"))),
        _ => Ok(()),
    }
}

fn length(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |metadata| metadata.len())
}

/// Returns the hash of a file or, given the file's length as `blob`, its git blob hash.
fn hash<D: Digest>(path: &Path, blob: Option<u64>) -> std::io::Result<String> {
    let mut digest = D::new();
    if let Some(length) = blob {
        digest.update(format!("blob {length}\0"));
    }
    let mut file = disk::Input::open(path, disk::limit::MODEL)?;
    let mut block = vec![0; BLOCK];
    loop {
        let count = file.read(&mut block)?;
        if count == 0 {
            break;
        }
        digest.update(&block[..count]);
    }
    Ok(digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}
