//! The command line: one file per subcommand, each with its `Args` and its `run`.
//!
//! Commands contain little logic: most fill a settings struct and call the module that does the work.

mod args;
mod bake;
mod bench;
mod calibrate;
mod doctor;
mod error_text;
mod generate;
mod index;
mod keys;
mod library;
mod listen;
mod midi;
mod models;
mod perform;
mod play;
mod render;
mod replay;
mod settings;
mod simulate;
mod taste;
mod taste_transfer;
mod train_scene;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};

pub use error_text::error_text;

/// A VJ application that listens to the room and renders MilkDrop presets.
///
/// With no command, aivj opens the show.
#[derive(Debug, clap::Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Play(play::Args),
    Perform(perform::Args),
    Render(render::Args),
    Bench(bench::Args),
    Doctor(doctor::Args),
    Calibrate(calibrate::Args),
    Listen(listen::Args),
    TrainScene(train_scene::Args),
    Library(library::Args),
    Index(index::Args),
    Settings(settings::Args),
    Simulate(simulate::Args),
    Keys(keys::Args),
    Midi(midi::Args),
    Bake(bake::Args),
    Replay(replay::Args),
    Taste(taste::Args),
    Models(models::Args),
    #[command(hide = true)]
    Generate(generate::Args),
    /// Run as a worker process of another aivj
    #[command(hide = true)]
    Worker {
        kind: String,
        settings: String,
    },
}

/// Parses the arguments and runs the command.
pub fn run() -> anyhow::Result<ExitCode> {
    let cli = Cli::parse();
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_default_env()
                .unwrap_or_else(|_| "warn,wgpu_core=error,wgpu_hal=off,naga=error,symphonia_core=off".into()),
        )
        .with_writer(std::io::stderr)
        .without_time()
        .init();
    let result = run_command(cli.command);
    if let Err(error) = &result
        && error.chain().any(crate::store::is_damage)
    {
        crate::archive::suspect_store();
        eprintln!(
            "aivj: the store is damaged; to repair it, stop all shows and bakes, then start aivj again"
        );
    }
    result
}

/// Returns whether a closed pipe may end this command. This applies to commands that mainly print, and never leave a
/// file half written.
fn only_prints(command: &Command) -> bool {
    use Command::{Index, Keys, Library, Settings, Simulate};
    matches!(command, Index(_) | Keys(_) | Library(_) | Settings(_) | Simulate(_))
}

/// Makes a write to a closed pipe end the process silently, as in `aivj keys | head`. Not for shows and bakes, which
/// must survive the exit of a worker process.
fn end_on_broken_pipe() {
    // SAFETY: restores the default action of one signal before any other thread exists.
    #[cfg(unix)]
    unsafe {
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
    }
}

fn run_command(command: Option<Command>) -> anyhow::Result<ExitCode> {
    if command.as_ref().is_some_and(only_prints) {
        end_on_broken_pipe();
    }
    match command {
        None => play::run(play::Args::default()),
        Some(Command::Play(args)) => play::run(args),
        Some(Command::Perform(args)) => perform::run(args),
        Some(Command::Doctor(args)) => doctor::run(args),
        Some(Command::Calibrate(args)) => calibrate::run(args),
        Some(Command::Keys(args)) => keys::run(args),
        Some(Command::Listen(args)) => listen::run(args),
        Some(Command::TrainScene(args)) => train_scene::run(&args),
        Some(Command::Library(args)) => library::run(args),
        Some(Command::Index(args)) => index::run(args),
        Some(Command::Settings(args)) => settings::run(&args),
        Some(Command::Midi(args)) => midi::run(args),
        Some(Command::Render(args)) => render::run(args),
        Some(Command::Bench(args)) => bench::run(&args),
        Some(Command::Simulate(args)) => simulate::run(&args),
        Some(Command::Bake(args)) => bake::run(args),
        Some(Command::Replay(args)) => replay::run(args),
        Some(Command::Taste(args)) => taste::run(&args),
        Some(Command::Models(args)) => models::run(args),
        Some(Command::Generate(args)) => generate::run(&args, Cli::command()),
        Some(Command::Worker { kind, settings }) => {
            crate::jobs::workers::init();
            match kind.as_str() {
                "render" => render::work(&settings),
                "audit" => bake::audit_work(&settings),
                "frames" => bake::frames_work(&settings),
                "audit-frames" => bake::audit_frames_work(&settings),
                "model" => Ok(crate::embed::serve_model(&settings).map(|()| ExitCode::SUCCESS)?),
                other => anyhow::bail!("unknown worker kind: {other}"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    #[test]
    fn earlier_names_of_options_still_work() {
        for line in [
            "aivj perform --unguarded --unlimited",
            "aivj play --unguarded",
            "aivj bake overnight --library a --pack b --json --modest --tethered",
        ] {
            assert!(super::Cli::try_parse_from(line.split(' ')).is_ok(), "{line}");
        }
    }
}
