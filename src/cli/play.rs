//! `aivj` and `aivj play`: the show in its windows.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::app::{AppSettings, run as run_app, unix_now};
use crate::library::Settings;
use crate::mind::{Control, Profile};
use crate::show::Command;
use crate::units::Unipolar;

/// Opens the show: an output window for the crowd and a desk for the performer.
#[derive(Debug, Default, clap::Args)]
pub struct Args {
    /// Part of the name of the input to listen to; the one that carries sound without. `demo` plays the demo track.
    #[arg(long)]
    audio: Option<String>,
    /// A folder of presets; the built-in ones without.
    #[arg(long)]
    presets: Option<PathBuf>,
    /// Folders with images for presets.
    #[arg(long)]
    textures: Vec<PathBuf>,
    /// Screen the output fills at once, counted from 0.
    #[arg(long)]
    monitor: Option<usize>,
    /// Pixels of the picture; chosen for the device without.
    #[arg(long, value_parser = super::size)]
    size: Option<[u32; 2]>,
    /// Decides every choice; another one each night without, which the set log holds.
    #[arg(long)]
    seed: Option<u64>,
    /// Show presets of a folder without an audit before.
    #[arg(long)]
    unguarded: bool,
    /// Ends by itself after so many seconds.
    #[arg(long)]
    seconds: Option<f64>,
}

/// Runs the command. What an argument does not say, the settings say.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let Args { audio, presets, textures, monitor, size, seed, unguarded, seconds } = args;
    let (mut settings, mut troubles) = super::settings::read();
    settings.audio = audio.or(settings.audio);
    settings.presets = presets.or(settings.presets);
    settings.monitor = monitor.or(settings.monitor);
    settings.size = size.or(settings.size);
    if !textures.is_empty() {
        settings.textures = textures;
    }
    if unguarded {
        settings.guard = Some(false);
    }
    let first = first_commands(&settings, &mut troubles);
    troubles.iter().for_each(|trouble| eprintln!("aivj: {trouble}"));
    let seed = seed.unwrap_or_else(|| unix_now().unsigned_abs());
    run_app(AppSettings { settings, seed, first, troubles, seconds })?;
    Ok(ExitCode::SUCCESS)
}

/// What the settings ask of the show; names that are none are told.
fn first_commands(settings: &Settings, troubles: &mut Vec<String>) -> Vec<Command> {
    let mut commands = Vec::new();
    if let Some(name) = &settings.profile {
        match Profile::named(name) {
            Some(profile) => commands.push(Command::Profile(profile)),
            None => troubles.push(format!("settings: there is no profile {name:?}; the usual one is used")),
        }
    }
    commands.extend(settings.dwell.map(Command::Dwell));
    commands.extend(settings.adventure.map(|value| Command::Adventure(Unipolar::new(value))));
    for (name, value) in &settings.macros {
        match named::<Control>(name) {
            Some(control) => commands.push(Command::Macro { control, value: Unipolar::new(*value) }),
            None => troubles.push(format!("settings: there is no macro {name:?}")),
        }
    }
    commands
}

/// The thing of this name, as files write it.
fn named<T: serde::de::DeserializeOwned>(name: &str) -> Option<T> {
    serde_json::from_value(serde_json::Value::String(name.to_owned())).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_become_the_first_commands() {
        let (settings, problems) =
            Settings::parse("profile = \"peakRave\"\nadventure = 0.25\n[macros]\nm4 = 1\nnone = 0.5\n");
        assert!(problems.is_empty(), "{problems:?}");
        let mut troubles = Vec::new();
        let commands = first_commands(&settings, &mut troubles);
        assert!(troubles.len() == 1 && troubles[0].contains("none"), "{troubles:?}");
        let (control, value) = (Control::M4, Unipolar::ONE);
        assert_eq!(
            commands,
            [
                Command::Profile(Profile::PeakRave),
                Command::Adventure(Unipolar::new(0.25)),
                Command::Macro { control, value },
            ]
        );
    }
}
