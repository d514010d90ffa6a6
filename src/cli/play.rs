//! `aivj` and `aivj play`: opens the show.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::app::{AppSettings, run as run_app, saved_show};
use crate::archive::{expand_theme, open_store, unix_now};
use crate::jobs::single_instance::{Claim, claim_show};
use crate::library::{OutputDisplay, Settings};
use crate::mind::{Control, Profile};
use crate::show::Command;
use crate::units::Unipolar;
use crate::watchdog::{Link, supervise};

/// Open the show: an output window for the audience and a desk for the performer.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(after_help = "Options override settings.toml; defaults apply where neither sets a value.")]
pub struct Args {
    /// Input whose name or ID contains NAME, or `demo` for the demo track [default: the system's default
    /// input or, if that is silent, another input with a signal]
    #[arg(long, value_name = "NAME")]
    audio: Option<String>,
    /// Preset folder or pack manifest [default: built-in presets]
    #[arg(long, value_name = "PATH")]
    presets: Option<PathBuf>,
    /// Texture folder; repeatable
    #[arg(long, value_name = "DIR")]
    textures: Vec<PathBuf>,
    /// Folder with sprites (MILK_IMG.INI) and messages (MILK_MSG.INI) to launch
    #[arg(long, value_name = "DIR")]
    layers: Option<PathBuf>,
    /// Title shown by the `launch_title` action
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    /// Display that the output fills, numbered from 0; `window` for a window; `automatic` for a display other than the
    /// desk's [default: automatic, unless set in the settings]
    #[arg(long, value_name = "DISPLAY")]
    monitor: Option<OutputDisplay>,
    /// Render size in pixels [default: 1920x1080, or 480x270 without a graphics card]
    #[arg(long, value_name = "WIDTHxHEIGHT", value_parser = crate::cli::args::size)]
    size: Option<[u32; 2]>,
    /// Warp mesh size in cells [default: 48x36; with a graphics card, up to one vertex every eight pixels]
    #[arg(long, value_name = "COLUMNSxROWS", value_parser = crate::cli::args::mesh)]
    mesh: Option<[u32; 2]>,
    /// Keep 16 bits per colour channel between frames: no banding, but more graphics memory
    #[arg(long)]
    deep_color: bool,
    /// Random seed [default: random, recorded in the set log]
    #[arg(long)]
    seed: Option<u64>,
    /// Theme: prefer looks that fit a description, such as `deep sea, no faces, nothing white`, or `@NAME` for a
    /// saved theme; an empty string clears the theme [default: theme of the last show]
    #[arg(long, value_name = "TEXT|@NAME")]
    theme: Option<String>,
    /// Show new presets without auditing them first
    #[arg(long, alias = "unguarded")]
    no_audit: bool,
    /// Exit after SECONDS
    #[arg(long, value_name = "SECONDS", value_parser = super::args::seconds(super::args::ANY_SECONDS))]
    seconds: Option<f64>,
    /// Run the show in this process, and do not restart it after a crash or hang
    #[arg(long)]
    no_supervisor: bool,
}

/// Runs `aivj play`. Arguments override the settings file.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let _claim = match Link::of_process().start() {
        Some(_) => None, // In a child process: its supervisor holds the claim.
        None => match claim_show() {
            Claim::Granted(claim) => Some(claim),
            Claim::Raised => {
                eprintln!("aivj: already running; its windows were brought to the front");
                return Ok(ExitCode::SUCCESS);
            }
            Claim::Starting => {
                eprintln!("aivj: already starting; its windows will come to the front");
                return Ok(ExitCode::SUCCESS);
            }
            Claim::Silent => anyhow::bail!(
                "a show is already running but is not responding; quit it first, or set AIVJ_DATA to another folder"
            ),
        },
    };
    if !args.no_supervisor
        && let Some(code) = supervise()?
    {
        return Ok(code);
    }
    run_app(Link::of_process(), |link| app_settings(&args, link))?;
    Ok(ExitCode::SUCCESS)
}

/// Combines the settings file, the arguments and, after a restart, the saved state of the show.
fn app_settings(args: &Args, link: &Link) -> AppSettings {
    let args = args.clone();
    let (mut settings, mut problems) = super::settings::read();
    settings.audio = args.audio.or(settings.audio);
    settings.presets = args.presets.or(settings.presets);
    settings.layers = args.layers.or(settings.layers);
    settings.title = args.title.or(settings.title);
    settings.monitor = args.monitor.unwrap_or(settings.monitor);
    settings.size = args.size.or(settings.size);
    settings.mesh = args.mesh.or(settings.mesh);
    if args.deep_color {
        settings.deep_color = Some(true);
    }
    if !args.textures.is_empty() {
        settings.textures = args.textures;
    }
    if args.no_audit {
        settings.guard = Some(false);
    }
    let mut first = first_commands(&settings);
    match args.theme.map(saved_theme).transpose() {
        Ok(theme) => first.extend(theme.map(Command::Theme)),
        Err(error) => problems.push(format!("--theme: {error:#}")),
    }
    if !link.is_standby() {
        problems.iter().for_each(|problem| eprintln!("aivj: {problem}"));
    }
    let mut seed = args.seed.unwrap_or_else(|| unix_now().unsigned_abs());
    let mut resumed = saved_show(link.start());
    if let Some(saved) = &resumed {
        settings = saved.surroundings.settings.clone();
        seed = saved.seed.wrapping_add(1); // Avoids the choices that led to the crash.
        first.clear(); // The saved state includes their effects.
    }
    if let (Some(saved), Some(start)) = (&mut resumed, link.start()) {
        saved.show.crashed = start.crash.is_some() && !start.killed;
    }
    // From the second restart on, the layers are dropped, because one of them may have crashed the show.
    if link.start().is_some_and(|start| start.restarts > 1) {
        resumed.iter_mut().for_each(|saved| saved.show.layers.clear());
    }
    if link.start().is_some_and(|start| start.safe_mode) {
        settings.presets = None;
        settings.textures.clear();
        settings.layers = None;
    }
    AppSettings { settings, seed, first, problems, seconds: args.seconds, resumed }
}

/// Returns the theme that an argument stands for; reads the store only for `@NAME`.
fn saved_theme(theme: String) -> anyhow::Result<String> {
    if !theme.trim_start().starts_with('@') {
        return Ok(theme);
    }
    let (store, _) = open_store()?;
    expand_theme(&theme, &store)
}

/// Converts the settings to the show's first commands.
fn first_commands(settings: &Settings) -> Vec<Command> {
    let mut commands = Vec::new();
    commands.extend(settings.profile.as_deref().and_then(Profile::named).map(Command::Profile));
    commands.extend(settings.dwell.map(Command::Dwell));
    commands.extend(settings.input_delay_ms.map(Command::InputDelay));
    commands.extend(settings.title.clone().map(Command::SetTitle));
    commands.extend(settings.adventure.map(|value| Command::Adventure(Unipolar::new(value))));
    commands.extend(settings.macros.iter().filter_map(|(name, value)| {
        let control = named::<Control>(name)?;
        Some(Command::Macro { control, value: Unipolar::new(*value) })
    }));
    commands
}

/// Parses a value from its serialised name, as in the settings file.
fn named<T: serde::de::DeserializeOwned>(name: &str) -> Option<T> {
    serde_json::from_value(serde_json::Value::String(name.to_owned())).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_become_the_first_commands() {
        let (settings, problems) =
            Settings::parse("profile = \"peakRave\"\nadventure = 0.25\n[macros]\nm4 = 1\n");
        assert!(problems.is_empty(), "{problems:?}");
        let commands = first_commands(&settings);
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
