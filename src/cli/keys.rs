//! `aivj keys`: every key, what it does, and the names of all actions for a keys file or a MIDI profile.

use std::process::ExitCode;

use crate::app::{action_names, config_folder, keys};

/// Lists the keys, and with `--actions` every name a keys file or a MIDI profile may use.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Lists the names of all actions instead.
    #[arg(long)]
    actions: bool,
}

/// Runs the command.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    if args.actions {
        for (name, title) in action_names() {
            println!("{name:<32} {title}");
        }
        return Ok(ExitCode::SUCCESS);
    }
    let folder = config_folder();
    let (lines, trouble) = keys(folder.as_deref());
    for line in &lines {
        println!("{:<12} {:<28} {}", line.keys, line.action.name(), line.action.title());
    }
    if let Some(trouble) = trouble {
        println!("\n{trouble}");
    }
    if let Some(folder) = folder {
        println!(
            "\nYour own go into {}: [keys] and lines such as \"ctrl+n\" = \"next\"",
            folder.join("keys.toml").display()
        );
    }
    Ok(ExitCode::SUCCESS)
}
