//! Vision models, with their text towers if they have any: added from a folder or file, or downloaded from a hub,
//! verified, and stored under a name.

mod fetch;
mod hub;

use std::path::{Path, PathBuf};

pub use hub::{Hub, Repository};

use crate::disk::{self, Input, Walk};
use crate::embed::onnx::{CONFIG_FILES, TEXT_FILES, TOKENIZER_FILES, TextTower, is_model, weight_files};
use crate::embed::{Onnx, PART, RESERVED, check_model};
use crate::jobs::progress::OnProgress;

/// Maximum folder depth when copying a model.
const MAX_DEPTH: usize = 4;

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
    let named = |why: String| why.replace(&*part.to_string_lossy(), from);
    let tested = got.and_then(|()| match Onnx::open(&part, threads) {
        Ok(model) => Ok((model.description(), model.width())),
        Err(why) => Err(ModelError::Unfit(named(why))),
    });
    let tested = tested.map(|(description, width)| match TextTower::open(&part, width, threads) {
        Ok(Some(_)) => description + ", with text search",
        Ok(None) => description,
        Err(why) => format!("{description}; text search is unavailable: {}", named(why)),
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
pub fn is_valid_name(name: &str) -> bool {
    let plain = |c: char| !c.is_control() && !r#"/\:*?"<>|"#.contains(c);
    !RESERVED.iter().any(|reserved| name.eq_ignore_ascii_case(reserved))
        && !name.is_empty()
        && name.chars().all(plain)
        && !name.starts_with(['.', ' ', '-'])
        && !name.ends_with(['.', ' '])
        && !name.ends_with(PART)
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

/// Copies a model file, its configuration, its text tower and the external data to `to`, which is deleted first if it
/// exists. The other files are next to the model or, if that is in one of the usual folders of a repository, one folder
/// up.
fn copy_model(model: &Path, to: &Path) -> Result<(), ModelError> {
    clear(to)?;
    copy_tower(model, &to.join(model.file_name().unwrap_or_default()))?;
    let folder = model.parent().unwrap_or(Path::new(""));
    let above = folder.parent().filter(|_| folder.ends_with("onnx") || folder.ends_with("visual"));
    let find = |name: &str| {
        let mut places = [Some(folder), above].into_iter().flatten().map(|place| place.join(name));
        places.find(|path| path.is_file())
    };
    let copy_found = |names: &[&str]| {
        let copy = |name: &&str| find(name).map_or(Ok(()), |found| copy_file(&found, &to.join(name)));
        names.iter().try_for_each(copy)
    };
    copy_found(&CONFIG_FILES)?;
    match TEXT_FILES.into_iter().find_map(|name| Some((find(name)?, name))) {
        Some((text, name)) if TOKENIZER_FILES.into_iter().any(|name| find(name).is_some()) => {
            copy_found(&TOKENIZER_FILES)?;
            copy_tower(&text, &to.join(name))
        }
        _ => Ok(()),
    }
}

/// Copies an ONNX file and its external data.
fn copy_tower(from: &Path, to: &Path) -> Result<(), ModelError> {
    copy_file(from, to)?;
    for weights in weight_files(from).map_err(ModelError::Unfit)? {
        copy_file(&from.with_file_name(&weights), &to.with_file_name(&weights))?;
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
