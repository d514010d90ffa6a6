//! Vision models for the embedder: taken from a folder or fetched from a hub, checked, kept under a name.

mod fetch;
mod hub;

use std::path::{Path, PathBuf};

pub use hub::{Hub, Repository};

use crate::embed::Onnx;
use crate::jobs::progress::Watch;

/// Deepest folder of a model that is copied.
const MAX_DEPTH: usize = 3;
/// Added to the name of a model that is not whole yet.
const PART: &str = ".part";

/// Why a model was not added. Every one is a sentence for people.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// Neither a folder nor the name of a repository.
    #[error("{0} is neither a folder nor a repository; write OWNER/NAME, or OWNER/NAME@REVISION")]
    NoSource(String),
    /// A name that is none.
    #[error(
        "{0:?} cannot be the name of a model: builtin is the program's own embedder, and others must be plain names of \
         files; give another one with --name"
    )]
    Name(String),
    /// The model does not fit.
    #[error("{0}")]
    Unfit(String),
    /// The hub cannot be asked, or has not what is needed.
    #[error("{0}")]
    Hub(String),
    /// Somebody stopped it.
    #[error("stopped; the same command goes on from here")]
    Stopped,
    /// A file cannot be written.
    #[error("{path} cannot be written: {why}; make room and run the command again, it goes on from here")]
    Write {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
}

/// A model that was added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Added {
    /// What it is called from now on.
    pub name: String,
    /// What it is and what runs it, for people.
    pub told: String,
}

/// Adds the model of a folder or of a repository of `hub` to the folder `models`; it has its name there only once all
/// of it is there and it has been tried. `watch` hears of bytes.
pub fn add(
    from: &str,
    name: Option<String>,
    models: &Path,
    hub: &Hub,
    threads: usize,
    watch: Watch,
) -> Result<Added, ModelError> {
    let folder = Path::new(from);
    let is_folder = folder.is_dir();
    let repository = if is_folder { None } else { Repository::parse(from) };
    let own = match &repository {
        Some(repository) => Some(repository.short_name().to_owned()),
        None => folder.file_name().map(|name| name.to_string_lossy().into_owned()),
    };
    if !is_folder && repository.is_none() {
        return Err(ModelError::NoSource(from.to_owned()));
    }
    let name = name.or(own).unwrap_or_default();
    if !can_be_named(&name) {
        return Err(ModelError::Name(name));
    }
    let part = models.join(format!("{name}{PART}"));
    match &repository {
        Some(repository) => hub.fetch(repository, &part, watch)?,
        None => copy(folder, &part)?,
    }
    let told = Onnx::open(&part, threads).map_err(ModelError::Unfit)?.told();
    let place = models.join(&name);
    if place.exists() {
        std::fs::remove_dir_all(&place).map_err(|error| unwritten(&place, &error))?;
    }
    std::fs::rename(&part, &place).map_err(|error| unwritten(&place, &error))?;
    Ok(Added { name, told })
}

/// Whether a model can be kept, listed and asked for under this name, on any system.
fn can_be_named(name: &str) -> bool {
    let plain = |c: char| !c.is_control() && !r#"/\:*?"<>|"#.contains(c);
    !name.eq_ignore_ascii_case("builtin")
        && !name.is_empty()
        && name.chars().all(plain)
        && !name.starts_with(['.', ' ', '-'])
        && !name.ends_with(['.', ' '])
        && !name.ends_with(PART)
}

/// The models of a folder, by name.
pub fn list(models: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(models).into_iter().flatten().flatten();
    let names = entries.filter(|entry| entry.path().is_dir());
    let mut names: Vec<String> =
        names.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.retain(|name| !name.ends_with(PART));
    names.sort();
    names
}

fn unwritten(path: &Path, error: &std::io::Error) -> ModelError {
    ModelError::Write { path: path.to_owned(), why: error.to_string() }
}

/// Copies every file below a folder.
fn copy(from: &Path, to: &Path) -> Result<(), ModelError> {
    if to.exists() {
        std::fs::remove_dir_all(to).map_err(|error| unwritten(to, &error))?;
    }
    for entry in walkdir::WalkDir::new(from).max_depth(MAX_DEPTH) {
        let entry = entry.map_err(|error| ModelError::Unfit(format!("the model cannot be read: {error}")))?;
        let target = to.join(entry.path().strip_prefix(from).unwrap_or(entry.path()));
        let copied = if entry.file_type().is_dir() {
            std::fs::create_dir_all(&target)
        } else {
            std::fs::copy(entry.path(), &target).map(|_| ())
        };
        copied.map_err(|error| unwritten(&target, &error))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
