//! `aivj doctor`: what works on this machine, what does not, and what to do about it.

use std::process::ExitCode;

use crate::app;
use crate::audio::doctor;
use crate::library;
use crate::stage::Gpu;
use crate::units::Seconds;

/// Checks graphics, sound, display, presets and helpers; ends with 1 when something essential is missing.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How long each input is listened to, seconds.
    #[arg(long, default_value_t = 1.0)]
    listen: f64,
}

/// Runs the command.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let mut essential = true;
    println!("aivj {} on {} {}", env!("CARGO_PKG_VERSION"), std::env::consts::OS, std::env::consts::ARCH);
    match Gpu::headless() {
        Ok(gpu) if gpu.software() => {
            println!("graphics   {}: the processor draws; a graphics card is many times faster", gpu.name());
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
            println!("display    none ({why}): windows cannot open; 'aivj perform' works without one");
        }
    }
    let reports = doctor::examine(Seconds(args.listen.clamp(0.1, 10.0)));
    for report in &reports {
        println!("sound      {report}");
    }
    println!("sound      {}", doctor::diagnose(&reports).line);
    let built_in = library::built_in().count();
    essential &= built_in > 0;
    println!("presets    {built_in} built in");
    match app::open_store() {
        Ok((_, notice)) => {
            let place = library::UserFolders::of_user().map(|places| places.data.display().to_string());
            println!("store      {}", place.as_deref().unwrap_or("in memory only"));
            notice.iter().for_each(|notice| println!("store      {notice}"));
        }
        Err(error) => {
            println!(
                "store      CANNOT BE USED: {error:#}; nothing is remembered until the folder can be written"
            );
        }
    }
    if let Some(folder) = app::config_folder() {
        let there = if folder.is_dir() { "" } else { " (not there yet: the usual settings are used)" };
        println!("settings   {}{there}", folder.display());
    }
    match app::midi_ports() {
        Ok(ports) if ports.is_empty() => println!("midi       no controller is connected"),
        Ok(ports) => ports.iter().for_each(|port| println!("midi       {port}")),
        Err(why) => println!("midi       not available: {why}"),
    }
    match crate::media::video::encoder() {
        Ok((encoder, _)) => println!("ffmpeg     found, with {encoder}: performances become MP4"),
        Err(why) => println!(
            "ffmpeg     {why}: performances become an animation without sound; install ffmpeg for MP4"
        ),
    }
    println!("{}", if essential { "ready to perform" } else { "something essential is missing, see above" });
    Ok(if essential { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
