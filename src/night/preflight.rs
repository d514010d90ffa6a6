//! What the night needs, looked at before it begins.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::NightSettings;
use crate::embed;
use crate::frames::CaptureSettings;
use crate::stage::Gpu;

/// Bytes a preset takes besides its frames: itself, its thumbnail, its rows.
const BYTES_PER_PRESET: u64 = 64_000;

/// One thing looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What: `disk`, `graphics`...
    pub what: String,
    /// What was found, in words.
    pub said: String,
    /// The night cannot begin like this.
    pub fatal: bool,
}

/// Looks at everything.
pub(super) fn run(settings: &NightSettings, presets: usize) -> Vec<Check> {
    let check = |what: &str, found: Result<String, String>| {
        let fatal = found.is_err();
        Check { what: what.into(), said: found.unwrap_or_else(|why| why), fatal }
    };
    vec![
        check("library", Ok(format!("{presets} presets in {}", settings.library.display()))),
        check("disk", disk(&settings.folder, presets, &settings.capture)),
        check("graphics", graphics()),
        check("sound", sound(&settings.capture.audio)),
        check("images", images(&settings.capture.textures)),
        check("model", model(settings)),
        check("power", Ok(power())),
    ]
}

fn disk(folder: &Path, presets: usize, capture: &CaptureSettings) -> Result<String, String> {
    std::fs::create_dir_all(folder)
        .map_err(|error| format!("the folder {} cannot be made: {error}", folder.display()))?;
    let probe = folder.join(".aivj-can-write");
    crate::jobs::files::write_whole(&probe, b"x")?;
    std::fs::remove_file(&probe).ok(); // Left behind it harms nobody.
    let needed = presets as u64 * (BYTES_PER_PRESET + capture.bytes_about());
    let gib = |bytes: u64| bytes as f64 / (1 << 30) as f64;
    match fs4::available_space(folder) {
        Ok(free) if free < needed => Err(format!(
            "the disk of {} has {:.1} GiB left, the night may need {:.1}; free some or choose another place",
            folder.display(),
            gib(free),
            gib(needed)
        )),
        Ok(free) => Ok(format!("{:.1} GiB free, at most {:.1} needed", gib(free), gib(needed))),
        Err(_) => Ok(format!("at most {:.1} GiB needed; how much is free is not known here", gib(needed))),
    }
}

fn graphics() -> Result<String, String> {
    match Gpu::headless() {
        Ok(gpu) if gpu.software() => {
            Ok(format!("{}: no graphics card; expect two to five seconds a preset", gpu.name()))
        }
        Ok(gpu) => Ok(gpu.name()),
        Err(error) => Err(format!("nothing can be drawn: {error}")),
    }
}

fn sound(audio: &str) -> Result<String, String> {
    if audio == "demo" {
        return Ok("the demo track".into());
    }
    let pcm = crate::audio::decode(Path::new(audio))
        .map_err(|error| format!("the sound {audio} cannot be opened: {error}"))?;
    let loud = pcm.frames.iter().flatten().any(|sample| sample.abs() > 1e-3);
    if loud {
        Ok(audio.to_owned())
    } else {
        Err(format!("the sound {audio} is silent; presets would be judged without music"))
    }
}

fn images(folders: &[std::path::PathBuf]) -> Result<String, String> {
    if folders.is_empty() {
        return Ok("no folder of images was named; presets that ask for one are drawn without".into());
    }
    match folders.iter().find(|folder| !folder.is_dir()) {
        Some(folder) => Err(format!("{} is no folder of images", folder.display())),
        None => Ok(format!("{} folders of images", folders.len())),
    }
}

/// Opens a vision model and tries it.
fn model(settings: &NightSettings) -> Result<String, String> {
    let mut said = String::new();
    if settings.embedder == "builtin" {
        return Ok("builtin, no model needed".into());
    }
    embed::open_embedder(
        &settings.embedder,
        settings.models.as_deref(),
        &[],
        &settings.folder,
        settings.seed,
        settings.workers,
        &mut |text| said = text,
    )?;
    Ok(said)
}

/// Whether the machine hangs on a wire, where the platform tells.
fn power() -> String {
    let supplies = std::fs::read_dir("/sys/class/power_supply").into_iter().flatten().flatten();
    let mut online: Vec<bool> = Vec::new();
    for supply in supplies {
        if let Ok(text) = std::fs::read_to_string(supply.path().join("online")) {
            online.push(text.trim() == "1");
        }
    }
    if online.is_empty() || online.contains(&true) {
        "on mains, as far as can be told".into()
    } else {
        "on battery: plug the machine in, or the night will be short".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_missing_images_and_a_place_that_cannot_be_written_are_found() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(images(&[folder.path().join("none")]).is_err());
        assert!(sound("/nowhere.ogg").is_err());
        let file = folder.path().join("file");
        std::fs::write(&file, b"x").expect("written");
        let capture = CaptureSettings::default();
        assert!(disk(&file.join("pack"), 1, &capture).is_err());
        assert!(disk(folder.path(), 1, &capture).is_ok());
        if cfg!(unix) {
            assert!(disk(folder.path(), 1 << 40, &capture).expect_err("too much").contains("GiB"));
        }
    }
}
