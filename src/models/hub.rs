//! A model hub with the API of Hugging Face: lists the files of a repository with their hashes, and downloads them.
//!
//! The listing is `api/models/OWNER/NAME/revision/REVISION?blobs=true`; files come from
//! `OWNER/NAME/resolve/COMMIT/FILE` of the listed commit, so that a resumed download never mixes two revisions.

use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

use super::ModelError;
use super::fetch::{Expected, Hash, fetch, get};
use crate::disk;
use crate::embed::onnx::{CONFIG_FILES, MODEL_FILES, TEXT_FILES, TOKENIZER_FILES, is_model};
use crate::jobs::progress::OnProgress;

/// The default hub.
const HUGGING_FACE: &str = "https://huggingface.co";
/// Name of the file that records which commit a folder is downloaded from.
const COMMIT: &str = ".commit";
/// Time without data after which a connection counts as broken.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// Maximum size of a listing, in bytes; far larger than any real one.
const MAX_LISTING: u64 = 16 << 20;

/// A revision of a repository on a hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    owner_and_name: String,
    revision: String,
}

impl Repository {
    /// Parses `OWNER/NAME` or `OWNER/NAME@REVISION`; `None` if `text` has neither form.
    pub fn parse(text: &str) -> Option<Self> {
        let (path, revision) = text.split_once('@').unwrap_or((text, "main"));
        let (owner, name) = path.split_once('/')?;
        let plain = |part: &str| {
            !part.is_empty()
                && !part.starts_with('.')
                && part.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
        };
        (plain(owner) && plain(name) && plain(revision))
            .then(|| Self { owner_and_name: path.to_owned(), revision: revision.to_owned() })
    }

    /// Returns the name without the owner.
    pub fn short_name(&self) -> &str {
        self.owner_and_name.rsplit('/').next().unwrap_or_default()
    }
}

#[derive(Deserialize)]
struct Listing {
    sha: String,
    siblings: Vec<Sibling>,
}

#[derive(Deserialize)]
struct Sibling {
    rfilename: String,
    #[serde(default)]
    size: Option<u64>,
    #[serde(default, rename = "blobId")]
    blob_id: Option<String>,
    #[serde(default)]
    lfs: Option<Lfs>,
}

#[derive(Deserialize)]
struct Lfs {
    sha256: String,
}

impl Sibling {
    fn expected(&self) -> Expected {
        let hash = match (&self.lfs, &self.blob_id) {
            (Some(lfs), _) => Some(Hash::Sha256(lfs.sha256.clone())),
            (None, Some(id)) => Some(Hash::GitBlob(id.clone())),
            (None, None) => None,
        };
        Expected { size: self.size, hash }
    }
}

/// A client for a model hub.
pub struct Hub {
    address: String,
    agent: ureq::Agent,
}

impl Hub {
    /// Creates a client for the hub named by `HF_ENDPOINT`, which Hugging Face's tools also use, or for
    /// Hugging Face if the variable is unset or empty.
    pub fn of_user() -> Self {
        let named = std::env::var("HF_ENDPOINT").ok().filter(|address| !address.is_empty());
        Self::at(named.as_deref().unwrap_or(HUGGING_FACE))
    }

    /// Creates a client for the hub at `address`.
    pub fn at(address: &str) -> Self {
        Self::with_read_timeout(address, READ_TIMEOUT)
    }

    /// Creates a client for the hub at `address` that gives up on a connection after `timeout` without data;
    /// the total time is not limited.
    pub(super) fn with_read_timeout(address: &str, timeout: Duration) -> Self {
        let config = ureq::Agent::config_builder()
            .timeout_connect(Some(Duration::from_secs(30)))
            .timeout_recv_response(Some(Duration::from_secs(60)))
            .timeout_per_read(Some(timeout))
            .http_status_as_error(false)
            .max_redirects(0) // Followed by `get`, which checks them.
            .build();
        Self { address: address.trim_end_matches('/').to_owned(), agent: config.into() }
    }

    /// Downloads the towers of a repository and their configuration to `folder`. Resumes an earlier download of the
    /// same commit; deletes a download of any other commit.
    pub(super) fn fetch(
        &self,
        repository: &Repository,
        folder: &Path,
        on_progress: OnProgress,
    ) -> Result<(), ModelError> {
        let listing = self.list(repository)?;
        if listing.sha.is_empty() || !listing.sha.chars().all(|c| c.is_ascii_hexdigit()) {
            return Err(ModelError::Hub(format!(
                "{} returned an invalid commit: {:?}",
                self.address, listing.sha
            )));
        }
        let wanted = wanted(&listing.siblings).map_err(|why| {
            ModelError::Hub(format!("{} has no suitable vision tower: {why}", repository.owner_and_name))
        })?;
        let commit = folder.join(COMMIT);
        let saved = disk::read_if_exists(&commit, disk::limit::TEXT);
        let saved = saved.map_err(|error| super::unreadable(&commit, &error))?;
        if saved.is_some_and(|saved| saved != listing.sha.as_bytes()) {
            std::fs::remove_dir_all(folder).map_err(|error| super::unwritten(folder, &error))?;
        }
        disk::write(&commit, listing.sha.as_bytes())
            .map_err(|error| ModelError::Write { path: commit.clone(), why: error.why })?;
        for file in wanted {
            let Sibling { rfilename, .. } = file;
            let Self { address, .. } = self;
            let url = format!("{address}/{}/resolve/{}/{rfilename}", repository.owner_and_name, listing.sha);
            fetch(&self.agent, &url, &folder.join(rfilename), &file.expected(), on_progress)?;
        }
        Ok(())
    }

    fn list(&self, repository: &Repository) -> Result<Listing, ModelError> {
        let Repository { owner_and_name, revision } = repository;
        let url = format!("{}/api/models/{owner_and_name}/revision/{revision}?blobs=true", self.address);
        let failed = |why: String| ModelError::Hub(format!("cannot reach {}: {why}", self.address));
        let mut response = get(&self.agent, &url, 0).map_err(|error| failed(error.to_string()))?;
        match response.status().as_u16() {
            200 => {}
            401 | 403 | 404 => {
                return Err(ModelError::Hub(format!(
                    "{} has no public repository {owner_and_name} at {revision}",
                    self.address
                )));
            }
            other => return Err(failed(format!("HTTP status {other}"))),
        }
        let body = response.body_mut().with_config().limit(MAX_LISTING).read_to_vec();
        let body = body.map_err(|error| failed(error.to_string()))?;
        serde_json::from_slice(&body).map_err(|error| failed(format!("invalid listing: {error}")))
    }
}

/// Selects the files to download: the model and its configuration, the text tower and its tokenizer if there are both,
/// and their external data.
fn wanted(siblings: &[Sibling]) -> Result<Vec<&Sibling>, String> {
    let find = |name: &str| siblings.iter().find(|file| file.rfilename == name);
    let model =
        MODEL_FILES.iter().find_map(|name| find(name)).or_else(|| only_model(siblings)).ok_or_else(|| {
            let names: Vec<&str> = siblings.iter().map(|file| file.rfilename.as_str()).take(12).collect();
            format!("it needs one of {}, found {}", MODEL_FILES.join(", "), names.join(", "))
        })?;
    let configs: Vec<&Sibling> = CONFIG_FILES.iter().filter_map(|name| find(name)).collect();
    if configs.is_empty() {
        return Err(format!("it needs one of {}", CONFIG_FILES.join(", ")));
    }
    let mut tokenizer: Vec<&Sibling> = TOKENIZER_FILES.iter().filter_map(|name| find(name)).collect();
    let text = TEXT_FILES.iter().find_map(|name| find(name)).filter(|_| !tokenizer.is_empty());
    if text.is_none() {
        tokenizer.clear();
    }
    let is_data = |file: &Sibling, tower: &Sibling| {
        let rest = file.rfilename.strip_prefix(tower.rfilename.as_str());
        rest.is_some_and(|rest| {
            (rest.starts_with("_data") || rest.starts_with(".data"))
                && rest.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
        })
    };
    let towers: Vec<&Sibling> = text.into_iter().chain([model]).collect();
    let data = siblings.iter().filter(|file| towers.iter().any(|tower| is_data(file, tower)));
    let wanted: Vec<&Sibling> =
        configs.into_iter().chain(tokenizer).chain(data).chain(towers.iter().copied()).collect();
    let large = |file: &&&Sibling| file.size.is_some_and(|size| size > disk::limit::MODEL);
    match wanted.iter().find(large) {
        Some(file) => Err(format!("{} is too large", file.rfilename)),
        None => Ok(wanted),
    }
}

/// Returns the ONNX model at the top of the repository, if there is exactly one with a plain name.
fn only_model(siblings: &[Sibling]) -> Option<&Sibling> {
    let plain = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    let mut models =
        siblings.iter().filter(|file| is_model(Path::new(&file.rfilename)) && plain(&file.rfilename));
    models.next().filter(|_| models.next().is_none())
}
