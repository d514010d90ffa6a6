//! Arguments to plain structs: one file per subcommand, each with its `Args` and its `run`.
//!
//! Never holds logic of its own; a command fills a struct and calls the room that does the work.

mod bake;
mod doctor;
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
mod train_scene;

use std::process::ExitCode;

use clap::Parser as _;

/// aivj: a VJ that listens. Without a command it opens the show.
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
    Doctor(doctor::Args),
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
    /// One of this program's own helper processes.
    #[command(hide = true)]
    Worker {
        kind: String,
        settings: String,
    },
}

/// Parses the process's arguments and runs the command.
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
    let done = obey(cli.command);
    if let Err(error) = &done
        && error.chain().any(crate::library::is_damage)
    {
        crate::app::suspect_store();
        eprintln!(
            "aivj: the store is damaged; it is mended when you try again with no show and no bake open"
        );
    }
    done
}

/// Whether this command only tells things, as far as its reader wants to hear them.
fn only_tells(command: &Command) -> bool {
    use Command::{Index, Keys, Library, Settings, Simulate};
    matches!(command, Index(_) | Keys(_) | Library(_) | Settings(_) | Simulate(_))
}

/// Lets the process end without a word when its reader goes, as `| head` does. Never for a show or a bake: their helpers
/// may go as well.
fn end_with_reader() {
    // SAFETY: it puts the system's own answer to one signal back, before any other thread is there.
    #[cfg(unix)]
    unsafe {
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
    }
}

fn obey(command: Option<Command>) -> anyhow::Result<ExitCode> {
    if command.as_ref().is_some_and(only_tells) {
        end_with_reader();
    }
    match command {
        None => play::run(play::Args::default()),
        Some(Command::Play(args)) => play::run(args),
        Some(Command::Perform(args)) => perform::run(args),
        Some(Command::Doctor(args)) => doctor::run(args),
        Some(Command::Keys(args)) => keys::run(args),
        Some(Command::Listen(args)) => listen::run(args),
        Some(Command::TrainScene(args)) => train_scene::run(&args),
        Some(Command::Library(args)) => library::run(args),
        Some(Command::Index(args)) => index::run(args),
        Some(Command::Settings(args)) => settings::run(&args),
        Some(Command::Midi(args)) => midi::run(args),
        Some(Command::Render(args)) => render::run(args),
        Some(Command::Simulate(args)) => simulate::run(&args),
        Some(Command::Bake(args)) => bake::run(args),
        Some(Command::Replay(args)) => replay::run(args),
        Some(Command::Taste(args)) => taste::run(&args),
        Some(Command::Models(args)) => models::run(args),
        Some(Command::Generate(args)) => generate::run(&args),
        Some(Command::Worker { kind, settings }) => {
            crate::jobs::workers::enlist();
            match kind.as_str() {
                "render" => render::work(&settings),
                "audit" => bake::audit_work(&settings),
                "frames" => bake::frames_work(&settings),
                other => anyhow::bail!("there is no helper process of kind {other}"),
            }
        }
    }
}

/// `WIDTHxHEIGHT`, both at least 1.
fn size(text: &str) -> Result<[u32; 2], String> {
    let sides = text.split_once(['x', 'X']).ok_or("write it as WIDTHxHEIGHT, for example 640x360")?;
    let side = |text: &str| match text.trim().parse::<u32>() {
        Ok(side @ 1..=8192) => Ok(side),
        _ => Err(format!("{text} is not a number from 1 to 8192; for example 640x360")),
    };
    Ok([side(sides.0)?, side(sides.1)?])
}

/// As many processes as there are cores.
fn default_workers() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
