//! Vision models: added from a folder or downloaded from a hub, verified, and stored under a name.

mod fetch;
mod hub;

use std::path::{Path, PathBuf};

pub use hub::{Hub, Repository};

use crate::disk::{self, Input, Walk};
use crate::embed::Onnx;
use crate::jobs::progress::OnProgress;

/// Maximum folder depth when copying a model.
const MAX_DEPTH: usize = 4;
/// Suffix of the folder of an incomplete model.
const PART: &str = ".part";

/// Why a model was not added.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The source is neither a folder nor the name of a repository.
    #[error("{0} is neither a folder nor a repository; write OWNER/NAME, or OWNER/NAME@REVISION")]
    NoSource(String),
    /// The name is invalid.
    #[error(
        "{0:?} is not a valid model name: it must be a valid file name, and builtin is reserved for the built-in \
        embedder; choose another name with --name"
    )]
    Name(String),
    /// The model cannot be used.
    #[error("{0}")]
    Unfit(String),
    /// The hub is unreachable or does not have the model, or a download failed.
    #[error("{0}")]
    Hub(String),
    /// The download was cancelled.
    #[error("stopped; run the same command to resume")]
    Stopped,
    /// A file of an earlier download cannot be read.
    #[error("cannot read {path}: {why}; run the command again to resume")]
    Read {
        /// Path of the file.
        path: PathBuf,
        /// Why it cannot be read.
        why: String,
    },
    /// A file cannot be written.
    #[error("cannot write {path}: {why}; free some space and run the command again to resume")]
    Write {
        /// Path of the file.
        path: PathBuf,
        /// Why it cannot be written.
        why: String,
    },
}

/// A model that was added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Added {
    /// Name under which the model is stored.
    pub name: String,
    /// Description of the model and its runtime.
    pub description: String,
}

/// Adds a model to the folder `models`, from a folder or from a repository on `hub`. Its folder gets its final name,
/// replacing any model of that name, only once it is complete and tested. `on_progress` receives byte counts.
pub fn add(
    from: &str,
    name: Option<String>,
    models: &Path,
    hub: &Hub,
    threads: usize,
    on_progress: OnProgress,
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
    if !is_valid_name(&name) {
        return Err(ModelError::Name(name));
    }
    let part = models.join(format!("{name}{PART}"));
    let got = match &repository {
        Some(repository) => hub.fetch(repository, &part, on_progress),
        None => copy(folder, &part),
    };
    let tested = got.and_then(|()| match Onnx::open(&part, threads) {
        Ok(model) => Ok(model.description()),
        Err(why) => Err(ModelError::Unfit(why.replace(&*part.to_string_lossy(), from))),
    });
    if tested.is_err() && is_folder {
        std::fs::remove_dir_all(&part).ok(); // A download is kept so that it can be resumed.
    }
    let description = tested?;
    let place = models.join(&name);
    if place.exists() {
        std::fs::remove_dir_all(&place).map_err(|error| unwritten(&place, &error))?;
    }
    std::fs::rename(&part, &place).map_err(|error| unwritten(&place, &error))?;
    Ok(Added { name, description })
}

/// Returns whether a model may have this name: it must be a valid file name on every platform, and not reserved.
fn is_valid_name(name: &str) -> bool {
    let plain = |c: char| !c.is_control() && !r#"/\:*?"<>|"#.contains(c);
    !name.eq_ignore_ascii_case("builtin")
        && !name.is_empty()
        && name.chars().all(plain)
        && !name.starts_with(['.', ' ', '-'])
        && !name.ends_with(['.', ' '])
        && !name.ends_with(PART)
}

/// Returns the names of the models in a folder, sorted.
pub fn list(models: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(models).into_iter().flatten().flatten();
    let names = entries.filter(|entry| entry.path().is_dir());
    let mut names: Vec<String> =
        names.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.retain(|name| !name.ends_with(PART));
    names.sort();
    names
}

fn unreadable(path: &Path, error: &std::io::Error) -> ModelError {
    ModelError::Read { path: path.to_owned(), why: error.to_string() }
}

fn unwritten(path: &Path, error: &std::io::Error) -> ModelError {
    ModelError::Write { path: path.to_owned(), why: error.to_string() }
}

/// Copies all files below `from` to `to`, which is deleted first if it exists.
fn copy(from: &Path, to: &Path) -> Result<(), ModelError> {
    if to.exists() {
        std::fs::remove_dir_all(to).map_err(|error| unwritten(to, &error))?;
    }
    let unread = |why: &dyn std::fmt::Display| ModelError::Unfit(format!("cannot read the model: {why}"));
    for found in Walk::new(from, MAX_DEPTH, |_| true) {
        let path = found.map_err(|skipped| unread(&skipped))?;
        let failed = |why: std::io::Error| unread(&format!("{}: {why}", path.display()));
        if path.extension().is_some_and(|ending| ending == "onnx") {
            crate::embed::check_model(&path).map_err(failed)?;
        }
        let mut input = Input::open(&path, disk::limit::MODEL).map_err(failed)?;
        let target = to.join(path.strip_prefix(from).unwrap_or(&path));
        let copied = target.parent().map_or(Ok(()), std::fs::create_dir_all);
        let copied =
            copied.and_then(|()| std::io::copy(&mut input, &mut std::fs::File::create_new(&target)?));
        copied.map_err(|error| unwritten(&target, &error))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
