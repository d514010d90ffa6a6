//! `aivj settings`: where the settings lie, what they say, and what is wrong with them.

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Context as _;

use crate::library::{SETTINGS_FILE, SETTINGS_TEMPLATE, Settings, UserFolders};

/// Says where the settings lie, what they say, and what is wrong with them.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Write a file to start from, where there is none.
    #[arg(long)]
    init: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let places =
        UserFolders::of_user().context("this user has no home folder; set AIVJ_CONFIG to a folder")?;
    let path = places.config.join(SETTINGS_FILE);
    if args.init {
        std::fs::create_dir_all(&places.config)
            .and_then(|()| std::fs::File::create_new(&path))
            .and_then(|mut file| file.write_all(SETTINGS_TEMPLATE.as_bytes()))
            .with_context(|| format!("writing {}", path.display()))?;
    }
    println!("{}{}", path.display(), if path.exists() { "" } else { " (not there; --init writes one)" });
    let (settings, problems) = Settings::read(&places.config);
    println!("{settings:#?}");
    problems.iter().for_each(|problem| eprintln!("aivj: {problem}"));
    Ok(if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The performer's settings, and what is wrong with them in words.
pub fn read() -> (Settings, Vec<String>) {
    UserFolders::of_user().map_or_else(Default::default, |places| Settings::read(&places.config))
}
