//! `aivj doctor`: checks this computer and explains how to fix what does not work.

use std::path::Path;
use std::process::ExitCode;

use crate::app;
use crate::archive::open_store;
use crate::audio::doctor;
use crate::library::{self, Settings};
use crate::midi;
use crate::stage::Gpu;
use crate::units::{Seconds, counted};

/// How long the input with a signal is analysed: long enough to find a beat.
const HEARD: Seconds = Seconds(10.0);

/// Check graphics, displays, audio, presets, the store, settings, MIDI and ffmpeg; exit with status 1 if
/// something essential is missing.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Listen to each input for SECONDS, from 0.1 to 10
    #[arg(long, value_name = "SECONDS", default_value_t = 1.0,
        value_parser = super::args::seconds(0.1..=10.0))]
    listen: f64,
}

/// Runs `aivj doctor`.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let mut essential = true;
    let mut warnings = Vec::new();
    println!("aivj {} on {} {}", env!("CARGO_PKG_VERSION"), std::env::consts::OS, std::env::consts::ARCH);
    match Gpu::headless() {
        Ok(gpu) if gpu.software() => {
            println!("graphics   {}: software rendering; a graphics card is many times faster", gpu.name());
        }
        Ok(gpu) => println!("graphics   {}", gpu.name()),
        Err(error) => {
            essential = false;
            println!("graphics   MISSING: {error}");
        }
    }
    match app::screens() {
        Ok(screens) => screens.iter().for_each(|screen| println!("display    {screen}")),
        Err(why) => {
            println!(
                "display    none ({why}): windows cannot open, but 'aivj perform' works without a display"
            );
        }
    }
    let reports = doctor::examine(Seconds(args.listen));
    for report in &reports {
        println!("audio      {report}");
    }
    let diagnosis = doctor::diagnose(&reports);
    println!("audio      {}", diagnosis.message);
    let heard = diagnosis.picked.and_then(|index| doctor::hear(&reports[index].input, HEARD));
    heard.iter().for_each(|hearing| println!("audio      {hearing}"));
    let built_in = library::built_in().count();
    essential &= built_in > 0;
    println!("presets    {built_in} built in");
    match open_store() {
        Ok((store, notice)) => {
            let place = store.path().map(|path| path.display().to_string());
            println!("store      {}", place.as_deref().unwrap_or("in memory only"));
            if store.is_on_network() {
                println!(
                    "store      on a network file system; a data folder on a local disk is faster and safer"
                );
            }
            notice.iter().for_each(|notice| println!("store      {notice}"));
        }
        Err(error) => {
            essential = false;
            println!("store      UNUSABLE: {error:#}; the show cannot start");
        }
    }
    if let Some(folder) = app::config_folder() {
        let note = if folder.is_dir() { "" } else { " (does not exist yet; using defaults)" };
        println!("settings   {}{note}", folder.display());
        warnings = problems(&folder);
        warnings.iter().for_each(|problem| println!("settings   WARNING: {problem}"));
    }
    match midi::ports() {
        Ok(ports) if ports.is_empty() => println!("midi       no controller connected"),
        Ok(ports) => ports.iter().for_each(|port| println!("midi       {port}")),
        Err(why) => println!("midi       not available: {why}"),
    }
    match crate::media::video::encoder(crate::media::video::Codec::Mpeg) {
        Ok((encoder, _)) => println!("ffmpeg     found with {encoder}: performances are written as MP4"),
        Err(why) => println!(
            "ffmpeg     {why}; performances are written as animated WebP without sound (install ffmpeg for MP4)"
        ),
    }
    match warnings.len() {
        _ if !essential => println!("something essential is missing; see above"),
        0 => println!("ready to perform"),
        count => println!("ready to perform, with {}; see above", counted(count, "warning")),
    }
    Ok(if essential { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Returns a message for each problem with the settings, keys and MIDI profiles in the settings folder. None of these
/// problems prevents a show from starting.
fn problems(folder: &Path) -> Vec<String> {
    let (settings, mut messages) = Settings::read(folder);
    messages.extend(settings.missing(folder));
    messages.extend(app::keys(Some(folder)).1);
    messages.extend(midi::profile_problems(&folder.join("midi")));
    messages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_settings_folder_is_checked() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(problems(folder.path()), Vec::<String>::new());
        std::fs::create_dir(folder.path().join("midi")).expect("made");
        for (file, text) in [
            ("settings.toml", "rate = 61\naudio = USB\npresets = '/no/presets'\n"),
            ("keys.toml", "[keys]\nbad line\n\"n\" = hold\n"),
            ("midi/pads.toml", "bad line\n"),
        ] {
            std::fs::write(folder.path().join(file), text).expect("written");
        }
        let problems = problems(folder.path());
        assert_eq!(problems.len(), 6, "{problems:?}");
    }
}
