//! `aivj generate`: writes man pages and shell completions for packages.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap_complete::Shell;

/// Shells for which packages include completions.
const SHELLS: [Shell; 3] = [Shell::Bash, Shell::Fish, Shell::Zsh];

/// Write man pages and shell completions.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder to write `man` and `completions` into
    out: PathBuf,
}

/// Writes man pages and completions for `command`, the top-level command, and its subcommands.
pub fn run(args: &Args, command: clap::Command) -> anyhow::Result<ExitCode> {
    let mut command = without_help(command);
    let (man, completions) = (args.out.join("man"), args.out.join("completions"));
    for folder in [&man, &completions] {
        std::fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
    }
    for shell in SHELLS {
        clap_complete::generate_to(shell, &mut command, "aivj", &completions)
            .with_context(|| format!("writing {}", completions.display()))?;
    }
    clap_mangen::generate_to(command, &man).with_context(|| format!("writing {}", man.display()))?;
    Ok(ExitCode::SUCCESS)
}

/// Returns `command` without the `help` subcommands, each of which would get a man page.
fn without_help(command: clap::Command) -> clap::Command {
    command.disable_help_subcommand(true).mut_subcommands(without_help)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    fn names(folder: &std::path::Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).expect("written").flatten();
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn every_command_has_a_page_and_every_shell_its_completions() {
        let out = tempfile::tempdir().expect("a folder");
        super::run(&super::Args { out: out.path().into() }, crate::cli::Cli::command()).expect("written");
        let pages = names(&out.path().join("man"));
        assert!(pages.iter().any(|page| page == "aivj.1"));
        for command in crate::cli::Cli::command().get_subcommands() {
            let page = format!("aivj-{}.1", command.get_name());
            assert_ne!(pages.contains(&page), command.is_hide_set(), "{page}");
        }
        assert!(pages.iter().any(|page| page == "aivj-bake-audit.1"));
        assert!(!pages.iter().any(|page| page.contains("help")), "{pages:?}");
        let mut completions = names(&out.path().join("completions"));
        completions.sort();
        assert_eq!(completions, ["_aivj", "aivj.bash", "aivj.fish"]);
        let page = std::fs::read_to_string(out.path().join("man/aivj-perform.1")).expect("a page");
        assert!(page.contains("seconds"));
    }
}
