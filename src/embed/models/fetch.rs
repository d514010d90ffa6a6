//! One file over HTTP: with progress, going on after a break where it broke off, and its hash checked at the end.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write as _};
use std::path::Path;

use sha1::{Digest, Sha1};
use sha2::Sha256;

use super::{ModelError, unwritten};
use crate::jobs::progress::{Progress, Watch};

/// Breaks of the connection in a row, with nothing gained between them, that are borne.
const TRIES: u32 = 4;
/// Bytes taken at once.
const BLOCK: usize = 1 << 16;

/// What a file has to be.
pub(super) struct Expected {
    /// Bytes, where they are told.
    pub size: Option<u64>,
    /// Its hash, where it is told.
    pub hash: Option<Hash>,
}

/// A hash in hexadecimal digits.
pub(super) enum Hash {
    /// Of the bytes.
    Sha256(String),
    /// Of the bytes as git keeps them: behind `blob SIZE` and a zero.
    GitBlob(String),
}

/// Fetches `url` to the file `to`, whose folder is made. A file that is there is taken as whole; half of one lies
/// beside it and is gone on with.
pub(super) fn fetch(
    agent: &ureq::Agent,
    url: &str,
    to: &Path,
    expected: &Expected,
    watch: Watch,
) -> Result<(), ModelError> {
    if to.is_file() {
        return Ok(());
    }
    let name = to.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let half = to.with_file_name(format!("{name}.part"));
    if let Some(parent) = to.parent() {
        std::fs::create_dir_all(parent).map_err(|error| unwritten(parent, &error))?;
    }
    let mut tries = 0;
    loop {
        let before = length(&half);
        match take(agent, url, &half, &name, expected.size, watch) {
            Ok(()) => break,
            Err(Broken::Final(error)) => return Err(error),
            Err(Broken::Connection(why)) => {
                tries = if length(&half) > before { 0 } else { tries + 1 };
                if tries >= TRIES {
                    return Err(ModelError::Hub(format!(
                        "{url} broke off: {why}; run the command again, it goes on from here"
                    )));
                }
                log::warn!("{url} broke off ({why}); going on");
            }
        }
    }
    let wrong = match &expected.hash {
        Some(Hash::Sha256(wanted)) => hash::<Sha256>(&half, None).map(|found| found != *wanted),
        Some(Hash::GitBlob(wanted)) => hash::<Sha1>(&half, Some(length(&half))).map(|found| found != *wanted),
        None => Ok(false),
    };
    if wrong.map_err(|error| unwritten(&half, &error))? {
        std::fs::remove_file(&half).map_err(|error| unwritten(&half, &error))?;
        return Err(ModelError::Hub(format!(
            "{url} is not what the hub says it is: its hash is another; it was thrown away, run the command again"
        )));
    }
    std::fs::rename(&half, to).map_err(|error| unwritten(to, &error))
}

/// Why a transfer ended before its end.
enum Broken {
    /// Another try may help.
    Connection(String),
    /// No other try helps.
    Final(ModelError),
}

/// Takes what `half` lacks.
fn take(
    agent: &ureq::Agent,
    url: &str,
    half: &Path,
    name: &str,
    size: Option<u64>,
    watch: Watch,
) -> Result<(), Broken> {
    let mut there = length(half);
    if size.is_some_and(|size| there > size) {
        // More than there is: it is of something else.
        std::fs::remove_file(half).map_err(|error| Broken::Final(unwritten(half, &error)))?;
        there = 0;
    }
    if size == Some(there) && there > 0 {
        return Ok(());
    }
    let broken = |error: &dyn std::fmt::Display| Broken::Connection(error.to_string());
    let mut request = agent.get(url);
    if there > 0 {
        request = request.header("Range", format!("bytes={there}-"));
    }
    let mut response = request.call().map_err(|error| broken(&error))?;
    let append = match response.status().as_u16() {
        206 => true,
        200 => false,
        // Nothing is left to be had from there on: begin anew.
        416 => {
            std::fs::remove_file(half).ok(); // If it stays, the next try is answered like this one.
            return Err(Broken::Connection("the rest of it is not to be had".into()));
        }
        status @ (500..=599 | 429) => return Err(Broken::Connection(format!("the answer was {status}"))),
        status => return Err(Broken::Final(ModelError::Hub(format!("{url} answered {status}")))),
    };
    let file = OpenOptions::new().create(true).write(true).append(append).truncate(!append).open(half);
    let mut file = file.map_err(|error| Broken::Final(unwritten(half, &error)))?;
    let mut done = if append { there } else { 0 };
    let told = response.headers().get("content-length").and_then(|length| length.to_str().ok());
    let whole = size.or_else(|| Some(done + told?.parse::<u64>().ok()?));
    let mut reader = response.body_mut().as_reader();
    let mut block = vec![0; BLOCK];
    loop {
        let count = reader.read(&mut block).map_err(|error| broken(&error))?;
        if count == 0 {
            break;
        }
        file.write_all(&block[..count]).map_err(|error| Broken::Final(unwritten(half, &error)))?;
        done += count as u64;
        if !watch(&Progress::at(name, done as usize, whole.unwrap_or(done) as usize)) {
            return Err(Broken::Final(ModelError::Stopped));
        }
    }
    match whole {
        Some(whole) if done < whole => Err(Broken::Connection(format!("{done} of {whole} bytes came"))),
        _ => Ok(()),
    }
}

fn length(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |facts| facts.len())
}

/// The hash of a file, of git's kind where `blob` tells its length.
fn hash<D: Digest>(path: &Path, blob: Option<u64>) -> std::io::Result<String> {
    let mut digest = D::new();
    if let Some(length) = blob {
        digest.update(format!("blob {length}\0"));
    }
    let mut file = File::open(path)?;
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
