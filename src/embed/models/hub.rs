//! A hub of models as Hugging Face runs it: which files a repository holds, with their hashes, and the files.
//!
//! The listing is `api/models/OWNER/NAME/revision/REVISION?blobs=true`; files come from `OWNER/NAME/resolve/COMMIT/FILE`
//! of the very commit that was listed, so that a fetch that goes on after a break never mixes two revisions.

use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

use super::ModelError;
use super::fetch::{Expected, Hash, fetch};
use crate::embed::MODEL_FILES;
use crate::jobs::files;
use crate::jobs::progress::Watch;

/// The hub where nobody names another.
const HUGGING_FACE: &str = "https://huggingface.co";
/// What a picture is prepared by.
const CONFIG: &str = "preprocessor_config.json";
/// Names the commit that a half fetched folder is of.
const COMMIT: &str = ".commit";
/// How long a connection may bring nothing before it counts as broken.
const PATIENCE: Duration = Duration::from_secs(30);
/// Files that a repository can be told to hold in one listing, bytes: far more than any has.
const LARGEST_LISTING: u64 = 16 << 20;

/// A repository of a hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    owner_and_name: String,
    revision: String,
}

impl Repository {
    /// Reads `OWNER/NAME` or `OWNER/NAME@REVISION`; nothing where it is neither.
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

    /// The name without its owner.
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

/// A hub.
pub struct Hub {
    address: String,
    agent: ureq::Agent,
}

impl Hub {
    /// The hub that `HF_ENDPOINT` names, as Hugging Face's own tools have it, or Hugging Face.
    pub fn of_user() -> Self {
        let named = std::env::var("HF_ENDPOINT").ok().filter(|address| !address.is_empty());
        Self::at(named.as_deref().unwrap_or(HUGGING_FACE))
    }

    /// The hub at this address.
    pub fn at(address: &str) -> Self {
        Self::with_patience(address, PATIENCE)
    }

    /// The same, where a connection that brings nothing for so long counts as broken, however long the whole takes.
    pub(super) fn with_patience(address: &str, patience: Duration) -> Self {
        let config = ureq::Agent::config_builder()
            .timeout_connect(Some(Duration::from_secs(30)))
            .timeout_recv_response(Some(Duration::from_secs(60)))
            .timeout_per_read(Some(patience))
            .http_status_as_error(false)
            .build();
        Self { address: address.trim_end_matches('/').to_owned(), agent: config.into() }
    }

    /// Fetches a repository's vision tower and its configuration into `folder`. What an earlier try has left there is
    /// gone on with.
    pub(super) fn fetch(
        &self,
        repository: &Repository,
        folder: &Path,
        watch: Watch,
    ) -> Result<(), ModelError> {
        let listing = self.list(repository)?;
        let wanted = wanted(&listing.siblings).map_err(|why| {
            ModelError::Hub(format!("{} holds no vision tower that fits: {why}", repository.owner_and_name))
        })?;
        let commit = folder.join(COMMIT);
        if std::fs::read_to_string(&commit).is_ok_and(|of| of != listing.sha) {
            std::fs::remove_dir_all(folder).map_err(|error| super::unwritten(folder, &error))?;
        }
        files::write_whole(&commit, listing.sha.as_bytes())
            .map_err(|why| ModelError::Write { path: commit.clone(), why })?;
        for file in wanted {
            let Sibling { rfilename, .. } = file;
            let Self { address, .. } = self;
            let url = format!("{address}/{}/resolve/{}/{rfilename}", repository.owner_and_name, listing.sha);
            fetch(&self.agent, &url, &folder.join(rfilename), &file.expected(), watch)?;
        }
        Ok(())
    }

    fn list(&self, repository: &Repository) -> Result<Listing, ModelError> {
        let Repository { owner_and_name, revision } = repository;
        let url = format!("{}/api/models/{owner_and_name}/revision/{revision}?blobs=true", self.address);
        let failed = |why: String| ModelError::Hub(format!("{} could not be asked: {why}", self.address));
        let mut response = self.agent.get(&url).call().map_err(|error| failed(error.to_string()))?;
        match response.status().as_u16() {
            200 => {}
            401 | 403 | 404 => {
                return Err(ModelError::Hub(format!(
                    "{} has no repository {owner_and_name} at {revision} that may be read without an account",
                    self.address
                )));
            }
            other => return Err(failed(format!("it answered {other}"))),
        }
        let body = response.body_mut().with_config().limit(LARGEST_LISTING).read_to_vec();
        let body = body.map_err(|error| failed(error.to_string()))?;
        serde_json::from_slice(&body).map_err(|error| failed(format!("its listing is none: {error}")))
    }
}

/// The files that make the tower: the model, what lies beside it because it is large, and the configuration.
fn wanted(siblings: &[Sibling]) -> Result<Vec<&Sibling>, String> {
    let find = |name: &str| siblings.iter().find(|file| file.rfilename == name);
    let model = MODEL_FILES.iter().find_map(|name| find(name)).ok_or_else(|| {
        let names: Vec<&str> = siblings.iter().map(|file| file.rfilename.as_str()).take(12).collect();
        format!("one of {} is needed; it holds {}", MODEL_FILES.join(", "), names.join(", "))
    })?;
    let config = find(CONFIG).ok_or_else(|| format!("{CONFIG} is missing"))?;
    let beside = |file: &&Sibling| {
        let rest = file.rfilename.strip_prefix(model.rfilename.as_str());
        rest.is_some_and(|rest| {
            (rest.starts_with("_data") || rest.starts_with(".data")) && !rest.contains('/')
        })
    };
    Ok([config].into_iter().chain(siblings.iter().filter(beside)).chain([model]).collect())
}
