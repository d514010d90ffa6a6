//! `aivj bake audit`: audits every preset of a library.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::common::GateArgs;
use crate::audit::probe::ProbeSettings;
use crate::audit::report;
use crate::audit::verdict::{LookVerdict, Safety};
use crate::audit::{self, AuditEvent, AuditReport, AuditSettings};
use crate::cli::args;
use crate::disk;
use crate::jobs::folder_lock::check_output;
use crate::jobs::shard::Shard;
use crate::jobs::workers::WorkerCount;
use crate::shards;
use crate::units::{counted, printable};

/// Audit every preset in supervised worker processes, resuming an earlier run; exit with status 3 if
/// stopped early.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Preset folders
    #[arg(long, value_name = "DIR", required = true, num_args = 1..)]
    library: Vec<PathBuf>,
    /// Audit output folder: empty, new, or that of an earlier bake
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Texture folders
    #[arg(long, value_name = "DIR", num_args = 1..)]
    textures: Vec<PathBuf>,
    /// Number of worker processes; `auto` starts one per core if there is enough memory, and adds more as long as that
    /// speeds up the audit
    #[arg(long, value_name = "COUNT", default_value_t = WorkerCount::Auto)]
    workers: WorkerCount,
    /// Maximum number of presets to audit in this run [default: all]
    #[arg(long, value_name = "COUNT")]
    limit: Option<usize>,
    /// Start no more presets after SECONDS; those in progress are finished
    #[arg(long, value_name = "SECONDS", value_parser = args::seconds(args::ANY_SECONDS))]
    seconds: Option<f64>,
    /// Audit only this shard of the library, for `aivj bake merge`; the verdicts are stored in the output
    /// folder
    #[arg(long, value_name = "INDEX/COUNT")]
    shard: Option<Shard>,
    /// Render size in pixels
    #[arg(long, default_value = "256x144", value_name = "WIDTHxHEIGHT", value_parser = args::size)]
    size: [u32; 2],
    /// Number of warm-up frames before the measured ones
    #[arg(long, value_name = "FRAMES", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=600))]
    warmup: u32,
    /// Number of measured frames
    #[arg(long, value_name = "COUNT", default_value_t = 24, value_parser = clap::value_parser!(u32).range(3..=6000))]
    frames: u32,
    /// Random seed
    #[arg(long, default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    gates: GateArgs,
    /// CPU time limit per preset, in seconds
    #[arg(long, alias = "preset-seconds", value_name = "SECONDS", default_value_t = 20,
        value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,
    /// Re-audit presets that were not ok, or that had missing textures or broken parts
    #[arg(long)]
    retry_failed: bool,
    /// Do not save thumbnails
    #[arg(long)]
    no_thumbs: bool,
    /// Emit events and the final report as JSON Lines
    #[arg(long)]
    json: bool,
}

/// Runs `aivj bake audit`.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let budget = args.seconds.map(Duration::from_secs_f64);
    args::check_textures(&args.textures);
    let settings = AuditSettings {
        libraries: args.library,
        workers: args.workers,
        limit: args.limit,
        budget,
        retry_failed: args.retry_failed,
        gates: args.gates.limits()?,
        preset_cpu: Duration::from_secs(args.timeout),
        only: None,
        shard: args.shard,
        stop: std::sync::Arc::default(),
        pause_for: crate::jobs::show_lock::user_path(),
        probe: ProbeSettings {
            size: args.size,
            warm_up: args.warmup,
            frames: args.frames,
            seed: args.seed,
            textures: args.textures,
            thumbs: (!args.no_thumbs).then(|| args.out.join("thumbs")),
        },
        out: args.out,
        continuation: None,
    };
    let mut progress = AuditProgress::new(args.json, &settings.out);
    let store = match args.shard {
        Some(_) => {
            // The audit also checks the output folder, but only after the store has been created in it, so check it
            // here first.
            check_output(&settings.out)?;
            shards::break_seal(&settings.out)?;
            let place = settings.out.join(shards::STORE);
            disk::create_folder(&place)?;
            super::common::store_in(&place)?
        }
        None => super::common::store()?,
    };
    let verdicts = store.another()?;
    let report = audit::audit(&settings, store, |event| progress.handle(&event))?;
    progress.finish(&report)?;
    if let (Some(shard), Some(verdicts)) = (args.shard, verdicts) {
        let attempted = report.known + report.judged + report.troubles.len();
        let finished = report.stopped.is_none() && attempted >= report.presets;
        shards::seal_audit(&settings.out, shard, &verdicts, &settings.probe.textures, finished)?;
    }
    Ok(if report.stopped.is_none() { ExitCode::SUCCESS } else { ExitCode::from(3) })
}

/// Runs this process as a worker of `bake audit`.
pub fn work(settings: &str) -> anyhow::Result<ExitCode> {
    audit::work(settings)?;
    Ok(ExitCode::SUCCESS)
}

/// Shows progress as JSON Lines, as a bar on a terminal, or otherwise as occasional lines.
struct AuditProgress {
    json: bool,
    out: PathBuf,
    bar: ProgressBar,
    counts: BTreeMap<&'static str, usize>,
    seen: u64,
}

/// Number of verdicts between progress lines if stderr is not a terminal.
const LINE_EVERY: u64 = 500;

impl AuditProgress {
    fn new(json: bool, out: &Path) -> Self {
        let bar = if json { ProgressBar::hidden() } else { ProgressBar::no_length() };
        let style = ProgressStyle::with_template("{bar:24} {pos}/{len}  {per_sec}  {eta} left  {wide_msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self { json, out: out.to_owned(), bar, counts: BTreeMap::new(), seen: 0 }
    }

    fn handle(&mut self, event: &AuditEvent) {
        if self.json {
            match serde_json::to_string(event) {
                Ok(line) => println!("{line}"),
                Err(error) => eprintln!("aivj: could not write an event: {error}"),
            }
            return;
        }
        match event {
            AuditEvent::Scanned { files, presets, known, pending, deleted, unusable } => {
                self.bar.println(format!(
                    "{} with {}; {known} already audited, {pending} to do",
                    counted(*files, "file"),
                    counted(*presets, "distinct preset")
                ));
                if deleted + unusable > 0 {
                    self.bar.println(format!(
                        "{} missing since an earlier scan, {unusable} unusable",
                        counted(*deleted, "file")
                    ));
                }
                self.bar.set_length(*pending as u64);
                self.bar.enable_steady_tick(Duration::from_millis(250));
            }
            AuditEvent::Imported { verdicts, again, unknown } => {
                self.bar.println(format!(
                    "reused {} from a finished audit; {again} to audit again because that audit failed on them; \
                     {unknown} not in this library",
                    counted(*verdicts, "verdict")
                ));
            }
            AuditEvent::Judged { safety, look, .. } => {
                let word = if *safety == Safety::Ok { look.label() } else { safety.label() };
                *self.counts.entry(word).or_default() += 1;
                self.seen += 1;
                self.bar.inc(1);
                self.bar.set_message(self.summary());
                if !std::io::stderr().is_terminal() && self.seen.is_multiple_of(LINE_EVERY) {
                    eprintln!("{} audited: {}", self.seen, self.summary());
                }
            }
            AuditEvent::Trouble { path, why, deferred } => {
                let then = if *deferred { "deferred to the next run" } else { "retrying" };
                self.bar.println(format!("{}: {why}; {then}", printable(path)));
            }
        }
    }

    fn summary(&self) -> String {
        let ok = self.counts.get(LookVerdict::Ok.label()).copied().unwrap_or(0);
        let rest = self.counts.iter().filter(|(word, _)| **word != LookVerdict::Ok.label());
        let rest: Vec<String> = rest.map(|(word, count)| format!("{word} {count}")).collect();
        format!("ok {ok}  {}", rest.join("  "))
    }

    fn finish(&self, report: &AuditReport) -> anyhow::Result<()> {
        if self.json {
            println!("{}", serde_json::json!({"event": "ended", "report": report}));
            return Ok(());
        }
        self.bar.finish_and_clear();
        let AuditReport { presets, known, judged, troubles, stopped, seconds, gates } = report;
        let rate = *judged as f64 / seconds.max(1e-3);
        println!(
            "{} in {seconds:.1} s ({rate:.2} per second); already audited: {known} of {}",
            counted(*judged, "verdict"),
            counted(*presets, "preset")
        );
        println!("{}", self.summary());
        if !troubles.is_empty() {
            println!(
                "{} could not be audited because of system or file errors (run the audit again to retry):",
                counted(troubles.len(), "preset")
            );
            troubles.iter().take(10).for_each(|(path, why)| println!("  {}: {why}", printable(path)));
        }
        if gates.is_some() {
            println!("report: {}", self.out.join(report::PAGE).display());
        }
        if let Some(why) = stopped {
            println!("stopped early: {why}");
        }
        Ok(())
    }
}
