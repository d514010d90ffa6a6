//! `aivj settings`: prints the settings, their file, and any problems.

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Context as _;

use crate::library::{SETTINGS_FILE, SETTINGS_TEMPLATE, Settings, UserFolders};

/// Print the settings, the path of the settings file, and any problems; exit with status 1 if there are
/// problems.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Create a commented settings file; fails if one exists
    #[arg(long)]
    init: bool,
}

/// Runs `aivj settings`.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let places = UserFolders::of_user().context("no home folder found; set AIVJ_DATA to a folder")?;
    let path = places.config.join(SETTINGS_FILE);
    if args.init {
        std::fs::create_dir_all(&places.config)
            .and_then(|()| std::fs::File::create_new(&path))
            .and_then(|mut file| file.write_all(SETTINGS_TEMPLATE.as_bytes()))
            .with_context(|| format!("writing {}", path.display()))?;
    }
    println!("{}{}", path.display(), if path.exists() { "" } else { " (missing; create it with --init)" });
    let (settings, mut problems) = Settings::read(&places.config);
    problems.extend(settings.missing(&places.config));
    println!("{settings:#?}");
    problems.iter().for_each(|problem| eprintln!("aivj: {problem}"));
    Ok(if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Reads the performer's settings; also returns a message for each problem.
pub fn read() -> (Settings, Vec<String>) {
    UserFolders::of_user().map_or_else(Default::default, |places| Settings::read(&places.config))
}
