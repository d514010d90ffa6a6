//! Vision models: added from a folder or file, or downloaded from a hub, verified, and stored under a name.

mod fetch;
mod hub;

use std::path::{Path, PathBuf};

pub use hub::{Hub, Repository};

use crate::disk::{self, Input, Walk};
use crate::embed::onnx::{CONFIG_FILES, is_model, weight_files};
use crate::embed::{Onnx, RESERVED, check_model};
use crate::jobs::progress::OnProgress;

/// Maximum folder depth when copying a model.
const MAX_DEPTH: usize = 4;
/// Suffix of the folder of an incomplete model.
const PART: &str = ".part";

/// Why a model was not added.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The source is neither a folder, a model file nor the name of a repository.
    #[error(
        "{0} is neither a folder, an ONNX file nor a repository; write OWNER/NAME, or OWNER/NAME@REVISION"
    )]
    NoSource(String),
    /// The name is invalid.
    #[error(
        "{0:?} is not a valid model name: it must be a valid file name, and builtin and auto are reserved; choose another \
        name with --name"
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

/// Where a model comes from.
enum Source {
    Folder(PathBuf),
    File(PathBuf),
    Repository(Repository),
}

impl Source {
    /// Parses a path or the name of a repository; `None` if `text` is neither.
    fn parse(text: &str) -> Option<Self> {
        let path = PathBuf::from(text);
        if path.is_dir() {
            return Some(Self::Folder(path));
        }
        if is_model(&path) && path.is_file() {
            return Some(Self::File(path));
        }
        Repository::parse(text).map(Self::Repository)
    }

    /// Returns the default name of the model.
    fn name(&self) -> String {
        let name = match self {
            Self::Folder(path) => path.file_name(),
            Self::File(path) => path.file_stem(),
            Self::Repository(repository) => return repository.short_name().to_owned(),
        };
        name.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }
}

/// Adds a model to the folder `models`, from a folder, a file or a repository on `hub`. Its folder gets its final name,
/// replacing any model of that name, only once it is complete and tested. `on_progress` receives byte counts.
pub fn add(
    from: &str,
    name: Option<String>,
    models: &Path,
    hub: &Hub,
    threads: usize,
    on_progress: OnProgress,
) -> Result<Added, ModelError> {
    let source = Source::parse(from).ok_or_else(|| ModelError::NoSource(from.to_owned()))?;
    let name = name.unwrap_or_else(|| source.name());
    if !is_valid_name(&name) {
        return Err(ModelError::Name(name));
    }
    let part = models.join(format!("{name}{PART}"));
    let got = match &source {
        Source::Folder(folder) => copy(folder, &part),
        Source::File(file) => copy_model(file, &part),
        Source::Repository(repository) => hub.fetch(repository, &part, on_progress),
    };
    let tested = got.and_then(|()| match Onnx::open(&part, threads) {
        Ok(model) => Ok(model.description()),
        Err(why) => Err(ModelError::Unfit(why.replace(&*part.to_string_lossy(), from))),
    });
    if tested.is_err() && !matches!(source, Source::Repository(_)) {
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
    !RESERVED.iter().any(|reserved| name.eq_ignore_ascii_case(reserved))
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
    clear(to)?;
    for found in Walk::new(from, MAX_DEPTH, |_| true) {
        let path = found.map_err(|skipped| unread(&skipped))?;
        copy_file(&path, &to.join(path.strip_prefix(from).unwrap_or(&path)))?;
    }
    Ok(())
}

/// Copies a model file, its external data and its configuration to `to`, which is deleted first if it exists. The
/// configuration is next to the model or, if that is in one of the usual folders of a repository, one folder up.
fn copy_model(model: &Path, to: &Path) -> Result<(), ModelError> {
    clear(to)?;
    let name = Path::new(model.file_name().unwrap_or_default());
    copy_file(model, &to.join(name))?;
    for weights in weight_files(model).map_err(ModelError::Unfit)? {
        copy_file(&model.with_file_name(&weights), &to.join(&weights))?;
    }
    let folder = model.parent().unwrap_or(Path::new(""));
    let above = folder.parent().filter(|_| folder.ends_with("onnx") || folder.ends_with("visual"));
    for config in CONFIG_FILES {
        let mut places = [Some(folder), above].into_iter().flatten().map(|place| place.join(config));
        if let Some(found) = places.find(|path| path.is_file()) {
            copy_file(&found, &to.join(config))?;
        }
    }
    Ok(())
}

fn clear(folder: &Path) -> Result<(), ModelError> {
    match folder.exists() {
        true => std::fs::remove_dir_all(folder).map_err(|error| unwritten(folder, &error)),
        false => Ok(()),
    }
}

fn unread(why: &dyn std::fmt::Display) -> ModelError {
    ModelError::Unfit(format!("cannot read the model: {why}"))
}

/// Copies a file, creating the folder of the target if needed; the target must not exist.
fn copy_file(from: &Path, to: &Path) -> Result<(), ModelError> {
    let failed = |why: std::io::Error| unread(&format!("{}: {why}", from.display()));
    if is_model(from) {
        check_model(from).map_err(failed)?;
    }
    let mut input = Input::open(from, disk::limit::MODEL).map_err(failed)?;
    let copied = to.parent().map_or(Ok(()), std::fs::create_dir_all);
    let copied = copied.and_then(|()| std::io::copy(&mut input, &mut std::fs::File::create_new(to)?));
    copied.map(|_| ()).map_err(|error| unwritten(to, &error))
}

#[cfg(test)]
mod tests;
