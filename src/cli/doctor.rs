//! `aivj doctor`: checks this computer and explains how to fix what does not work.

use std::process::ExitCode;

use crate::app;
use crate::audio::doctor;
use crate::library;
use crate::stage::Gpu;
use crate::units::Seconds;

/// Check graphics, displays, audio, presets, the store, settings, MIDI and ffmpeg; exit with status 1 if something
/// essential is missing.
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
    println!("audio      {}", doctor::diagnose(&reports).message);
    let built_in = library::built_in().count();
    essential &= built_in > 0;
    println!("presets    {built_in} built in");
    match app::open_store() {
        Ok((store, notice)) => {
            let place = store.path().map(|path| path.display().to_string());
            println!("store      {}", place.as_deref().unwrap_or("in memory only"));
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
    }
    match crate::midi::ports() {
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
    println!("{}", if essential { "ready to perform" } else { "something essential is missing; see above" });
    Ok(if essential { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
