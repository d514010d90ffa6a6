//! `aivj bake overnight`: everything, while one sleeps.

use std::io::{BufRead as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context as _;

use super::common::{Capture, Embedding, Work};
use crate::jobs::{iso, now, show_lock, workers};
use crate::library::UserFolders;
use crate::night::{NightEvent, NightOutcome, NightSettings, overnight};

/// Bakes a library: audit, pack, frames, embeddings, clusters, and the index the director uses in the morning.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    work: Work,
    /// The name of the pack.
    #[arg(long)]
    pack: String,
    /// Where its files go; the program's data folder without.
    #[arg(long)]
    out: Option<PathBuf>,
    /// How long it may take, what earlier starts of the same night have taken included.
    #[arg(long, default_value_t = 8.0)]
    hours: f64,
    /// Presets of the pack, drawn so that they vary; all that are fit without.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pack_size: Option<u32>,
    /// Clusters, 8 to 256; suggested from the size of the library without.
    #[arg(long, value_parser = clap::value_parser!(u16).range(8..=256))]
    k: Option<u16>,
    #[command(flatten)]
    embedding: Embedding,
    /// Only sends a few presets through every stage.
    #[arg(long)]
    smoke: bool,
    #[command(flatten)]
    capture: Capture,
    /// Lets everything else on the machine go first.
    #[arg(long)]
    modest: bool,
    /// Tells what happens in JSON lines, and stops at the word `stop` on standard input.
    #[arg(long)]
    json: bool,
    /// Stops as well when standard input ends: whoever started it is gone.
    #[arg(long, requires = "json")]
    tethered: bool,
}

/// Runs the command.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let json = args.json;
    let ended = spend(args);
    let last = match &ended {
        Ok(ending) => NightEvent::Ended { ending: *ending },
        Err(error) => NightEvent::Failed { why: format!("{error:#}") },
    };
    if json {
        tell(&last).ok(); // Who is gone need not be told.
    }
    if ended? == NightOutcome::Stopped {
        eprintln!("aivj: {STOPPED}");
    }
    Ok(ExitCode::SUCCESS)
}

fn spend(args: Args) -> anyhow::Result<NightOutcome> {
    anyhow::ensure!(args.hours > 0.0 && args.hours < 1000.0, "--hours must be a number above 0");
    let plain = !args.pack.is_empty() && !args.pack.contains(['/', '\\']) && !args.pack.starts_with('.');
    anyhow::ensure!(plain, "--pack is a name, not a path; a place is named with --out");
    let own = || UserFolders::of_user().map(|places| places.data.join("packs").join(&args.pack));
    let folder = args.out.clone().or_else(own);
    let folder = folder.context("no place for the pack is known; name one with --out")?;
    let limit = args.work.limit();
    let Work { library, workers: processes, seed, .. } = args.work;
    let settings = NightSettings {
        library,
        pack: args.pack,
        folder: folder.clone(),
        time: Duration::from_secs_f64(args.hours * 3600.0),
        limit,
        pack_size: args.pack_size.map(|size| size as usize),
        clusters: args.k.map(usize::from),
        embedder: args.embedding.embedder,
        models: crate::cli::models::folder(),
        smoke_only: args.smoke,
        capture: args.capture.settings(seed),
        workers: processes.max(1),
        seed,
        pause_for: show_lock::of_user(),
        stop: Arc::default(),
    };
    let store = super::store()?;
    if args.modest {
        workers::give_way();
    }
    if args.json {
        listen_for_stop(settings.stop.clone(), args.tethered)?;
    }
    std::fs::create_dir_all(&folder).with_context(|| format!("making the folder {}", folder.display()))?;
    let log = folder.join("overnight.log");
    let mut log =
        std::fs::OpenOptions::new().create(true).append(true).open(log).context("opening the log")?;
    let mut show = super::bar();
    let ending = overnight(&settings, &store, &mut |news| {
        if let Some(line) = line(&news) {
            writeln!(log, "{} {line}", iso(now())).ok(); // A full disk is told by the stage itself.
            if !args.json {
                println!("{line}");
            }
        }
        if args.json {
            if tell(&news).is_err() {
                settings.stop.store(true, Ordering::Relaxed); // Nobody listens any more.
            }
        } else if let NightEvent::Progress(progress) = &news {
            show(progress);
        }
    });
    let last = match &ending {
        Ok(NightOutcome::Finished) => return Ok(NightOutcome::Finished),
        Ok(NightOutcome::Stopped) => STOPPED,
        Err(why) => why,
    };
    writeln!(log, "{} {last}", iso(now())).ok(); // Told on the screen as well.
    ending.map_err(anyhow::Error::msg)
}

/// What is said of a night that was stopped.
const STOPPED: &str = "stopped; the same command goes on from here";

/// One line for a program that listens.
fn tell(news: &NightEvent) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", serde_json::to_string(news)?)
}

/// How news reads in the log.
fn line(news: &NightEvent) -> Option<String> {
    match news {
        NightEvent::Check(check) => Some(format!("{}: {}", check.what, check.said)),
        NightEvent::Stage { stage } => Some(format!("[overnight] {stage}")),
        NightEvent::Note { text } => Some(text.clone()),
        NightEvent::Progress(_) | NightEvent::Failed { .. } | NightEvent::Ended { .. } => None,
    }
}

fn listen_for_stop(stop: Arc<AtomicBool>, tethered: bool) -> anyhow::Result<()> {
    let listen = move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if line.trim() == "stop" {
                stop.store(true, Ordering::Relaxed);
            }
        }
        if tethered {
            stop.store(true, Ordering::Relaxed);
        }
    };
    std::thread::Builder::new().name("stop listener".into()).spawn(listen).context("listening for stop")?;
    Ok(())
}
