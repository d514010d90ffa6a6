//! Checks the requirements of a bake before it starts.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::settings::BakeSettings;
use crate::embed::{self, BUILTIN, EXISTING, Table};
use crate::frames::CaptureSettings;
use crate::stage::Gpu;
use crate::units::counted;

/// Estimated size of a preset's copy, thumbnail and embedding, in bytes.
const BYTES_PER_PRESET: u64 = 64_000;

/// Result of one check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Subject of the check, such as `disk` or `graphics`.
    pub what: String,
    /// The result as a message.
    #[serde(rename = "said")]
    pub message: String,
    /// Whether this prevents the bake from starting.
    pub fatal: bool,
}

/// Runs all checks for a library of `presets` presets, of which `unrendered` have no frames yet, and returns their
/// results.
pub(super) fn run(settings: &BakeSettings, presets: usize, unrendered: usize) -> Vec<Check> {
    let needed = bytes_needed(presets, unrendered, &settings.capture);
    let check = |what: &str, found: Result<String, String>| {
        let fatal = found.is_err();
        Check { what: what.into(), message: found.unwrap_or_else(|why| why), fatal }
    };
    vec![
        check("library", Ok(format!("{} in {}", counted(presets, "preset"), settings.library.display()))),
        check("disk", disk(&settings.folder, needed)),
        check("graphics", graphics()),
        check("audio", audio(&settings.capture.audio)),
        check("textures", textures(&settings.capture.textures)),
        check("model", model(settings)),
        check("power", Ok(power())),
    ]
}

/// Estimates the size of what the bake will write, in bytes.
fn bytes_needed(presets: usize, unrendered: usize, capture: &CaptureSettings) -> u64 {
    presets as u64 * BYTES_PER_PRESET + unrendered as u64 * capture.bytes_about()
}

fn disk(folder: &Path, needed: u64) -> Result<String, String> {
    std::fs::create_dir_all(folder)
        .map_err(|error| format!("cannot create the folder {}: {error}", folder.display()))?;
    let probe = folder.join(".aivj-can-write");
    crate::disk::write(&probe, b"x").map_err(|error| error.to_string())?;
    std::fs::remove_file(&probe).ok(); // Leftovers are harmless.
    let gib = |bytes: u64| bytes as f64 / (1 << 30) as f64;
    match fs4::available_space(folder) {
        Ok(free) if free < needed => Err(format!(
            "{} has {:.1} GiB free, but the bake may need {:.1} GiB; free some space or choose another folder",
            folder.display(),
            gib(free),
            gib(needed)
        )),
        Ok(free) => Ok(format!("{:.1} GiB free, about {:.1} GiB needed", gib(free), gib(needed))),
        Err(_) => Ok(format!("about {:.1} GiB needed; free space unknown", gib(needed))),
    }
}

fn graphics() -> Result<String, String> {
    match Gpu::headless() {
        Ok(gpu) if gpu.software() => {
            Ok(format!("{}: software rendering; expect one to two seconds per preset", gpu.name()))
        }
        Ok(gpu) => Ok(gpu.name()),
        Err(error) => Err(format!("no usable graphics device: {error}")),
    }
}

fn audio(audio: &str) -> Result<String, String> {
    if audio == "demo" {
        return Ok("demo track".into());
    }
    let pcm = crate::audio::decode(Path::new(audio))
        .map_err(|error| format!("cannot open the audio file {audio}: {error}"))?;
    let loud = pcm.frames.iter().flatten().any(|sample| sample.abs() > 1e-3);
    if loud {
        Ok(audio.to_owned())
    } else {
        Err(format!("the audio file {audio} is silent; presets cannot be audited without music"))
    }
}

fn textures(folders: &[std::path::PathBuf]) -> Result<String, String> {
    if folders.is_empty() {
        return Ok("no texture folders; presets are rendered without their textures".into());
    }
    match folders.iter().find(|folder| !folder.is_dir()) {
        Some(folder) => Err(format!("{} is not a folder", folder.display())),
        None => Ok(counted(folders.len(), "texture folder")),
    }
}

/// Loads and tests the vision model, if the embedder uses one, or the existing embeddings.
fn model(settings: &BakeSettings) -> Result<String, String> {
    let name = settings.embedder.as_deref().unwrap_or(BUILTIN);
    if name == EXISTING {
        let table = Table::open(&settings.folder).map_err(|error| error.to_string())?;
        let table = table.ok_or_else(|| format!("{} contains no embeddings", settings.folder.display()))?;
        return Ok(format!("existing embeddings of {}", counted(table.ids.len(), "preset")));
    }
    let host = embed::ModelHost::Worker(settings.workers.threads());
    embed::check_embedder(name, settings.models.as_deref(), host).map_err(|error| error.to_string())
}

/// Describes the power source, where the platform reports it.
fn power() -> String {
    let supplies = std::fs::read_dir("/sys/class/power_supply").into_iter().flatten().flatten();
    let mut online: Vec<bool> = Vec::new();
    for supply in supplies {
        if let Ok(text) = std::fs::read_to_string(supply.path().join("online")) {
            online.push(text.trim() == "1");
        }
    }
    if online.is_empty() {
        "power source unknown".into()
    } else if online.contains(&true) {
        "on mains power".into()
    } else {
        "on battery; connect the power supply".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silent_audio_missing_textures_and_unwritable_folders_are_found() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(textures(&[folder.path().join("none")]).is_err());
        assert!(audio("/nowhere.ogg").is_err());
        let file = folder.path().join("file");
        std::fs::write(&file, b"x").expect("written");
        assert!(disk(&file.join("pack"), 1).is_err());
        assert!(disk(folder.path(), 1).is_ok());
        if cfg!(unix) {
            assert!(disk(folder.path(), 1 << 60).expect_err("too much").contains("GiB"));
        }
    }

    #[test]
    fn presets_with_frames_need_no_space_for_frames() {
        let capture = CaptureSettings::default();
        assert_eq!(bytes_needed(100, 0, &capture), 100 * BYTES_PER_PRESET);
        assert_eq!(bytes_needed(100, 1, &capture), 100 * BYTES_PER_PRESET + capture.bytes_about());
    }
}
