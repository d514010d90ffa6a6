//! `aivj calibrate`: measures the delay of the audio input.

use std::process::ExitCode;

use anyhow::Context as _;

use crate::audio::{CLICKS, DeviceChoice, measure_input_delay};
use crate::library::{INPUT_DELAY_MS, Setting, UserFolders, put_setting};

/// Measure the delay of the audio input with clicks from the loudspeakers.
///
/// Plays eight clicks through the system's default output. Place the microphone where it will be during the show.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Input whose name or ID contains NAME [default: the `audio` setting]
    #[arg(long, value_name = "NAME")]
    audio: Option<String>,
    /// Save the delay as the `input_delay_ms` setting
    #[arg(long)]
    save: bool,
}

/// Runs `aivj calibrate`.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let (settings, problems) = super::settings::read();
    problems.iter().for_each(|problem| eprintln!("aivj: {problem}"));
    let name = args.audio.or(settings.audio).filter(|name| name != "demo");
    let choice = name.map_or(DeviceChoice::Automatic, DeviceChoice::Named);
    let (input, delay) = measure_input_delay(&choice)?;
    println!("input      {input}");
    println!("delay      {:.1} ms", delay.median_ms);
    println!("spread     {:.1} ms ({} of {CLICKS} clicks)", delay.spread_ms, delay.heard);
    let milliseconds = (delay.median_ms as f32).clamp(INPUT_DELAY_MS.0, INPUT_DELAY_MS.1).round();
    if args.save {
        let places = UserFolders::of_user().context("no home folder found; set AIVJ_DATA to a folder")?;
        put_setting(&places.config, &Setting::InputDelay(milliseconds))?;
        println!("saved      input_delay_ms = {milliseconds}");
    } else {
        println!("not saved  to use it, add --save, or set input_delay_ms = {milliseconds}");
    }
    Ok(ExitCode::SUCCESS)
}
