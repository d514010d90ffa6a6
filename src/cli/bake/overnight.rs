//! `aivj bake overnight`: runs every bake stage.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context as _;

use super::common::{Capture, GateArgs, Work};
use crate::cli::error_text;
use crate::disk::Folder;
use crate::jobs::{iso, lossy_lines, now, show_lock, workers};
use crate::library::UserFolders;
use crate::night::{BakeEvent, BakeOutcome, BakeSettings, check_folder, overnight, stage_label};

/// Bake a library: audit, pack, frames, embeddings, styles and style index.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    work: Work,
    /// Name of the pack
    #[arg(long, value_name = "NAME")]
    pack: String,
    /// Folder for the bake: empty, new, or that of an earlier bake [default: packs/NAME in the data folder]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Time limit in hours, including earlier runs of the same bake
    #[arg(long, value_name = "HOURS", default_value_t = 8.0)]
    hours: f64,
    /// Maximum number of presets in the pack, selected for diversity [default: all that pass the audit]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    pack_size: Option<u32>,
    /// Number of styles, 8 to 256 [default: as in the previous bake, or based on library size]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(8..=256))]
    k: Option<u16>,
    #[command(flatten)]
    gates: GateArgs,
    /// Folder with a finished `preset-audit.json` from the browser-based predecessor, whose verdicts are used
    #[arg(long, value_name = "DIR")]
    audit: Option<PathBuf>,
    /// Embedder, as for `aivj bake embed`, or `existing` to use the embeddings in the --out folder [default: those of
    /// another program in the --out folder if they cover every preset, otherwise builtin]
    #[arg(long, value_name = "MODEL")]
    embedder: Option<String>,
    /// Tune the embeddings, as `aivj bake tune head` does
    #[arg(long)]
    tune: bool,
    /// Run every stage on only a few presets
    #[arg(long)]
    smoke: bool,
    #[command(flatten)]
    capture: Capture,
    /// Run at low CPU priority
    #[arg(long, alias = "modest")]
    low_priority: bool,
    /// Emit JSON Lines; stop when `stop` is read from stdin
    #[arg(long)]
    json: bool,
    /// With --json, also stop when stdin closes
    #[arg(long, alias = "tethered", requires = "json")]
    stop_on_eof: bool,
}

/// Runs `aivj bake overnight`.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let json = args.json;
    let result = bake(args);
    let last = match &result {
        Ok(outcome) => BakeEvent::Ended { outcome: *outcome },
        Err(error) => BakeEvent::Failed { why: error_text(error) },
    };
    if json {
        print_json(&last).ok(); // The reader may have exited.
    }
    if result? == BakeOutcome::Stopped {
        eprintln!("aivj: {STOPPED}");
    }
    Ok(ExitCode::SUCCESS)
}

fn bake(args: Args) -> anyhow::Result<BakeOutcome> {
    anyhow::ensure!(args.hours > 0.0 && args.hours < 1000.0, "--hours must be above 0 and below 1000");
    let plain = !args.pack.is_empty() && !args.pack.contains(['/', '\\']) && !args.pack.starts_with('.');
    anyhow::ensure!(plain, "--pack must be a name, not a path; use --out to choose a folder");
    let own = || UserFolders::of_user().map(|places| places.data.join("packs").join(&args.pack));
    let folder = args.out.clone().or_else(own);
    let folder = folder.context("no data folder found; choose a folder with --out")?;
    let limit = args.work.limit();
    let Work { library, workers: count, seed, .. } = args.work;
    let settings = BakeSettings {
        library,
        pack: args.pack,
        folder: folder.clone(),
        time: Duration::from_secs_f64(args.hours * 3600.0),
        limit,
        pack_size: args.pack_size.map(|size| size as usize),
        gates: args.gates.limits()?,
        clusters: args.k.map(usize::from),
        audit: args.audit,
        embedder: args.embedder,
        models: crate::cli::models::folder(),
        tune: args.tune,
        smoke_only: args.smoke,
        capture: args.capture.settings(seed),
        workers: count,
        seed,
        pause_for: show_lock::user_path(),
        stop: Arc::default(),
    };
    check_folder(&settings)?;
    let store = super::common::store()?;
    if args.low_priority {
        workers::lower_priority();
    }
    if args.json {
        listen_for_stop(settings.stop.clone(), args.stop_on_eof)?;
    }
    let opened =
        Folder::create(&folder).with_context(|| format!("creating the folder {}", folder.display()))?;
    let mut log = opened.append(Path::new("overnight.log")).context("opening the log")?;
    let mut show = super::common::bar();
    let outcome = overnight(&settings, &store, &mut |event| {
        if let Some(line) = line(&event) {
            writeln!(log, "{} {line}", iso(now())).ok(); // If the disk is full, the stage itself reports it.
            match &event {
                _ if args.json => {}
                BakeEvent::Stage { stage } => println!("[overnight] {}", stage_label(stage)),
                _ => println!("{line}"),
            }
        }
        if args.json {
            if print_json(&event).is_err() {
                settings.stop.store(true, Ordering::Relaxed); // The reader has exited.
            }
        } else if let BakeEvent::Progress(progress) = &event {
            show(progress);
        }
    })
    .map_err(anyhow::Error::from);
    let last = match &outcome {
        Ok(BakeOutcome::Finished) => return Ok(BakeOutcome::Finished),
        Ok(BakeOutcome::Stopped) => STOPPED.to_owned(),
        Err(error) => error_text(error),
    };
    writeln!(log, "{} {last}", iso(now())).ok(); // The caller also prints this.
    outcome
}

/// Message for a bake that was stopped.
const STOPPED: &str = "stopped; run the same command to resume";

/// Prints an event as one line of JSON.
fn print_json(event: &BakeEvent) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", serde_json::to_string(event)?)
}

/// Formats an event for the log; `None` if the event is not logged.
fn line(event: &BakeEvent) -> Option<String> {
    match event {
        BakeEvent::Check(check) => Some(format!("{}: {}", check.what, check.message)),
        BakeEvent::Stage { stage } => Some(format!("[overnight] {stage}")),
        BakeEvent::Note { text } => Some(text.clone()),
        BakeEvent::Progress(_) | BakeEvent::Failed { .. } | BakeEvent::Ended { .. } => None,
    }
}

fn listen_for_stop(stop: Arc<AtomicBool>, stop_on_eof: bool) -> anyhow::Result<()> {
    let listen = move || {
        for line in lossy_lines(std::io::stdin().lock()) {
            if line.trim() == "stop" {
                stop.store(true, Ordering::Relaxed);
            }
        }
        if stop_on_eof {
            stop.store(true, Ordering::Relaxed);
        }
    };
    std::thread::Builder::new()
        .name("stop listener".into())
        .spawn(listen)
        .context("starting the stop listener")?;
    Ok(())
}
