//! `aivj doctor`: what works on this machine, what does not, and what to do about it.

use std::process::ExitCode;

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
    let display = ["DISPLAY", "WAYLAND_DISPLAY"].into_iter().find(|name| std::env::var_os(name).is_some());
    match display {
        Some(name) => println!("display    {name} is set"),
        None if cfg!(target_os = "linux") => {
            println!("display    none: windows cannot open; 'aivj perform' works without one");
        }
        None => println!("display    the desktop's own"),
    }
    let reports = doctor::examine(Seconds(args.listen.clamp(0.1, 10.0)));
    for report in &reports {
        println!("sound      {report}");
    }
    println!("sound      {}", doctor::diagnose(&reports).line);
    let built_in = library::built_in().count();
    essential &= built_in > 0;
    println!("presets    {built_in} built in");
    match std::process::Command::new("ffmpeg").arg("-version").output() {
        Ok(output) if output.status.success() => println!("ffmpeg     found: performances become MP4"),
        _ => println!(
            "ffmpeg     missing: performances become an animation without sound; install ffmpeg for MP4"
        ),
    }
    println!("{}", if essential { "ready to perform" } else { "something essential is missing, see above" });
    Ok(if essential { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
