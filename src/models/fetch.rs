//! Downloads one file over HTTP with progress, resumes after interruptions, and verifies its size and hash.
//!
//! The server is not trusted: only redirects to its own host or the storage of Hugging Face are followed, never from
//! https to http, and a body ends at the expected size.

use std::fs::OpenOptions;
use std::io::{Read, Write as _};
use std::path::Path;

use sha1::{Digest, Sha1};
use sha2::Sha256;
use ureq::Body;
use ureq::http::{Response, Uri};

use super::{ModelError, unreadable, unwritten};
use crate::disk;
use crate::jobs::progress::{OnProgress, Progress};

/// Maximum number of consecutive failed attempts without progress.
const TRIES: u32 = 4;
/// Number of bytes read at once.
const BLOCK: usize = 1 << 16;
/// Maximum number of consecutive redirects.
const REDIRECTS: usize = 5;
/// Domains of the servers on which Hugging Face, and hubs that mirror it, store files.
const STORAGE: [&str; 2] = ["hf.co", "huggingface.co"];

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
        // The partial file is larger than expected, so it belongs to a different version.
        std::fs::remove_file(part).map_err(|error| Interrupted::Final(unwritten(part, &error)))?;
        present = 0;
    }
    if size == Some(present) && present > 0 {
        return Ok(());
    }
    let interrupted = |error: &dyn std::fmt::Display| Interrupted::Retry(error.to_string());
    let mut response = get(agent, url, present).map_err(|failure| match failure {
        Failure::Redirect(why) => Interrupted::Final(ModelError::Hub(why)),
        Failure::Connection(error) => interrupted(&error),
    })?;
    let append = match response.status().as_u16() {
        206 if starts_at(&response, present) => true,
        206 => {
            return Err(Interrupted::Final(ModelError::Hub(format!(
                "{url}: the server sent a different part of the file"
            ))));
        }
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
    let most = whole.unwrap_or(disk::limit::MODEL).min(disk::limit::MODEL);
    let mut reader = response.body_mut().as_reader();
    let mut block = vec![0; BLOCK];
    loop {
        let count = reader.read(&mut block).map_err(|error| interrupted(&error))?;
        if count == 0 {
            break;
        }
        if done + count as u64 > most {
            std::fs::remove_file(part).ok(); // It is not the expected file.
            return Err(Interrupted::Final(ModelError::Hub(format!(
                "{url} is larger than the expected {most} bytes; the download was deleted"
            ))));
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

/// Why there is no response.
pub(super) enum Failure {
    /// The server redirects to a URL that is not allowed, or too often.
    Redirect(String),
    Connection(ureq::Error),
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Redirect(why) => f.write_str(why),
            Self::Connection(error) => error.fmt(f),
        }
    }
}

/// Requests `url` from byte `from` on, and follows the redirects that [`is_allowed`] accepts.
pub(super) fn get(agent: &ureq::Agent, url: &str, from: u64) -> Result<Response<Body>, Failure> {
    let mut url = url.to_owned();
    for _ in 0..=REDIRECTS {
        let mut request = agent.get(&url);
        if from > 0 {
            request = request.header("Range", format!("bytes={from}-"));
        }
        let response = request.call().map_err(Failure::Connection)?;
        if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
            return Ok(response);
        }
        let target = response.headers().get("location").and_then(|target| target.to_str().ok());
        let target = target.unwrap_or_default();
        url = resolve(&url, target).filter(|next| is_allowed(&url, next)).ok_or_else(|| {
            Failure::Redirect(format!("{url} redirects to {target:?}, which is not allowed"))
        })?;
    }
    Err(Failure::Redirect(format!("{url}: too many redirects")))
}

/// Returns the address that the target of a redirect from `url` refers to.
fn resolve(url: &str, target: &str) -> Option<String> {
    if target.contains("://") {
        return Some(target.to_owned());
    }
    let uri: Uri = url.parse().ok()?;
    let path = target.strip_prefix('/').filter(|rest| !rest.starts_with('/'))?;
    Some(format!("{}://{}/{path}", uri.scheme_str()?, uri.authority()?))
}

/// Returns whether a redirect may be followed: to the same scheme and the same host, or over https to a server on
/// which Hugging Face stores files.
fn is_allowed(from: &str, to: &str) -> bool {
    let (Ok(from), Ok(to)) = (from.parse::<Uri>(), to.parse::<Uri>()) else { return false };
    let (Some(host), Some(authority)) = (to.host(), to.authority()) else { return false };
    let of =
        |domain: &&str| host.strip_suffix(*domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    let same = from.authority() == Some(authority) && from.scheme() == to.scheme();
    let storage = to.scheme_str() == Some("https") && to.port().is_none() && STORAGE.iter().any(of);
    !authority.as_str().contains('@') && (same || storage)
}

/// Returns whether a partial response starts at byte `from`.
fn starts_at(response: &Response<Body>, from: u64) -> bool {
    let range = response.headers().get("content-range").and_then(|range| range.to_str().ok());
    let start = range.and_then(|range| range.strip_prefix("bytes ")?.split('-').next()?.trim().parse().ok());
    start.is_none_or(|start: u64| start == from)
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
