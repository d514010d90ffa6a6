//! Golden pictures: every folder below `tests/golden` with a `scene.toml` is a test, named after its path.
//!
//! `cargo test --release --test golden -- milk/wave` runs the scenes whose names contain `milk/wave`. A failing scene
//! leaves `actual.png` and `difference.png` in a folder that the message names. `AIVJ_UPDATE_GOLDEN=1` rewrites every
//! `expected.png` that no longer matches; review each of them before committing.

mod compare;
mod draw;
mod scene;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::LazyLock;

use aivj::library;
use image::RgbImage;
use libtest_mimic::{Arguments, Failed, Trial};

use compare::Comparison;
use draw::Studio;
use scene::Scene;

/// Maximum total size of `tests/golden`, in bytes.
const MAX_BYTES: u64 = 4 << 20;

/// `None` if `AIVJ_NO_GPU=1` declares that there is no graphics device.
static STUDIO: LazyLock<Option<Studio>> =
    LazyLock::new(|| Studio::open(&root().join("images"), &root().join("layers/files")));

fn root() -> PathBuf {
    PathBuf::from("tests/golden")
}

fn main() -> ExitCode {
    let folders = scene_folders(&root());
    let mut trials: Vec<Trial> = folders
        .iter()
        .map(|folder| {
            let (folder, name) = (folder.clone(), name_of(folder));
            Trial::test(name.clone(), move || check_scene(&folder, &name))
        })
        .collect();
    trials.push(Trial::test("all_folders_fit_into_4_mib", folders_are_small));
    trials.push(Trial::test("every_built_in_preset_has_a_scene", move || built_ins_have_scenes(&folders)));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// Returns every folder with a `scene.toml`, sorted by path.
fn scene_folders(root: &Path) -> Vec<PathBuf> {
    let walk = walkdir::WalkDir::new(root).sort_by_file_name().into_iter().filter_map(Result::ok);
    let scenes = walk.filter(|entry| entry.file_name() == "scene.toml");
    scenes.filter_map(|entry| entry.path().parent().map(Path::to_owned)).collect()
}

/// Returns the test's name: the folder's path with forward slashes.
fn name_of(folder: &Path) -> String {
    let path = folder.strip_prefix(root()).unwrap_or(folder);
    path.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

fn check_scene(folder: &Path, name: &str) -> Result<(), Failed> {
    let scene = Scene::read(folder)?;
    let Some(studio) = STUDIO.as_ref() else { return Ok(()) };
    let actual = studio.sheet(&scene, folder)?;
    let expected_path = folder.join("expected.png");
    let expected = image::open(&expected_path).ok().map(|picture| picture.to_rgb8());
    let comparison = match &expected {
        Some(expected) => compare::compare(expected, &actual, &scene),
        None => Comparison::mismatch("there is no expected.png"),
    };
    if std::env::var("AIVJ_UPDATE_GOLDEN").is_ok_and(|value| value == "1") {
        if comparison.failure.is_some() && !scene.known_failure {
            compare::save(&actual, &expected_path)?;
        }
        return Ok(());
    }
    match (comparison.failure, scene.known_failure) {
        (None, true) => Err("this known failure passes now: remove known_failure from scene.toml".into()),
        (None, false) => compare::has_content(&actual).map_err(Failed::from),
        (Some(_), true) => Ok(()),
        (Some(what), false) => {
            let kept = keep(name, &actual, comparison.difference.as_ref())?;
            Err(format!("{what}\nactual.png and difference.png are in {}", kept.display()).into())
        }
    }
}

/// Saves the picture of a failing scene and its difference from the expected one; returns the folder.
fn keep(name: &str, actual: &RgbImage, difference: Option<&RgbImage>) -> Result<PathBuf, String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("golden").join(name);
    std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    compare::save(actual, &folder.join("actual.png"))?;
    if let Some(difference) = difference {
        compare::save(difference, &folder.join("difference.png"))?;
    }
    Ok(folder)
}

fn folders_are_small() -> Result<(), Failed> {
    let files = walkdir::WalkDir::new(root()).into_iter().filter_map(Result::ok);
    let bytes: u64 =
        files.filter_map(|file| file.metadata().ok()).filter(|m| m.is_file()).map(|m| m.len()).sum();
    if bytes > MAX_BYTES {
        return Err(format!("tests/golden takes {bytes} bytes; the maximum is {MAX_BYTES}").into());
    }
    Ok(())
}

fn built_ins_have_scenes(folders: &[PathBuf]) -> Result<(), Failed> {
    let scenes = folders.iter().map(|folder| Scene::read(folder)).collect::<Result<Vec<_>, _>>()?;
    for preset in library::built_in() {
        if !scenes.iter().any(|scene| scene.built_in.as_deref() == Some(preset.path)) {
            return Err(format!("no scene shows the built-in preset {}", preset.path).into());
        }
    }
    Ok(())
}
