//! Opens an embedder by name.

use std::path::{Path, PathBuf};

use super::fusion::Fusion;
use super::model_process::VisionModel;
use super::{AUTO, BUILTIN, BakeItem, BuiltinEmbedder, EmbedError, Embedder, ModelHost};

/// Suffix of the folder of an incomplete model.
pub const PART: &str = ".part";

/// Returns the names of the models in a folder, sorted. Hidden folders are skipped.
pub fn installed_models(models: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(models).into_iter().flatten().flatten();
    let names = entries.filter(|entry| entry.path().is_dir());
    let mut names: Vec<String> =
        names.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.retain(|name| !name.ends_with(PART) && !name.starts_with('.'));
    names.sort();
    names
}

/// Returns whether the embedder `name` is fitted on the library, which must then be embedded as a whole rather than in
/// shards.
pub fn needs_whole_library(name: &str) -> bool {
    [BUILTIN, AUTO].contains(&name)
}

/// Opens the embedder `name`: `builtin`, `auto`, the name of a vision model in `models`, or the folder of a vision
/// model. `auto` joins the built-in embedder with the first model in `models`, if there is one. `on_note` receives a
/// description of the embedder.
pub fn open_embedder(
    name: &str,
    models: Option<&Path>,
    items: &[BakeItem],
    folder: &Path,
    seed: u64,
    host: ModelHost,
    on_note: &mut dyn FnMut(String),
) -> Result<Box<dyn Embedder>, EmbedError> {
    let encoder = match open_model(name, models, host, items)? {
        Some(model) if name != AUTO => {
            on_note(format!("using the embedder {name}: {}", model.description()));
            return Ok(model);
        }
        encoder => encoder,
    };
    let builtin = BuiltinEmbedder::prepare(items, folder, seed, host.threads()).map_err(EmbedError::Open)?;
    let Some(encoder) = encoder else {
        on_note(format!("using the built-in embedder with {}", builtin.description()));
        return Ok(Box::new(builtin));
    };
    let fusion = Fusion::prepare(builtin, encoder, items, folder, seed).map_err(EmbedError::Open)?;
    on_note(format!("using the built-in embedder with {}", fusion.description()));
    Ok(Box::new(fusion))
}

/// Opens and tests the vision model of the embedder `name`, and describes the embedder.
pub fn check_embedder(name: &str, models: Option<&Path>, host: ModelHost) -> Result<String, EmbedError> {
    Ok(match open_model(name, models, host, &[])? {
        Some(model) if name == AUTO => {
            format!("built-in embedder and {}: {}", model.id().embedder, model.description())
        }
        Some(model) => format!("{name}: {}", model.description()),
        None => "built-in embedder".into(),
    })
}

/// Opens the vision model that the embedder `name` uses, if it uses one.
fn open_model(
    name: &str,
    models: Option<&Path>,
    host: ModelHost,
    items: &[BakeItem],
) -> Result<Option<Box<dyn VisionModel>>, EmbedError> {
    let installed = |name: &str| models.map(|models| models.join(name)).filter(|folder| folder.is_dir());
    let folder = match name {
        BUILTIN => None,
        AUTO => models.and_then(|models| installed(installed_models(models).first()?)),
        name => Some(installed(name).unwrap_or_else(|| PathBuf::from(name))),
    };
    folder.map(|folder| host.open(&folder, items)).transpose().map_err(EmbedError::Open)
}
