//! `aivj keys`: lists keys, and the action names used in `keys.toml` and MIDI profiles.

use std::process::ExitCode;

use crate::app::{action_names, config_folder, keys};

/// List the keys and their actions; exit with status 1 if keys.toml has problems.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// List the action names used in keys.toml and MIDI profiles, instead of the keys
    #[arg(long)]
    actions: bool,
}

/// Runs `aivj keys`.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    if args.actions {
        for (name, title) in action_names() {
            println!("{name:<32} {title}");
        }
        return Ok(ExitCode::SUCCESS);
    }
    let folder = config_folder();
    let (lines, problems) = keys(folder.as_deref());
    for line in &lines {
        println!("{:<12} {:<28} {}", line.keys, line.action.name(), line.action.title());
    }
    if let Some(folder) = folder {
        println!(
            "\nTo change keys, add lines such as \"ctrl+n\" = \"next\" under [keys] in {}",
            folder.join("keys.toml").display()
        );
    }
    problems.iter().for_each(|problem| eprintln!("aivj: {problem}"));
    Ok(if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
