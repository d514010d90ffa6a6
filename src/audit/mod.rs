//! The audit: every preset of a library gets a verdict with its evidence, kept the moment it is known.
//!
//! The store is the checkpoint. A preset is known by its content, so identical files are audited once and renamed ones
//! are recognised; a second run goes on where the first one ended, however it ended.

mod judge;
mod ledger;
mod live;
mod plan;
pub mod probe;
mod reference;
pub mod repeats;
pub mod report;
mod snapshot;
pub mod verdict;
mod work;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::audit::probe::ProbeSettings;
use crate::audit::verdict::{Gates, LookVerdict, Record, Safety};
use crate::jobs::folder_lock::FolderLock;
use crate::jobs::now;
use crate::jobs::workers::{self, Limits, Outcome, PoolSettings, WorkerPool};
use crate::library::{PresetId, Store};

use judge::{JobVerdict, judge};

pub use ledger::{Ledger, recipe};
pub use live::LiveAudit;
pub use plan::{AuditPlan, Library, PlannedFile};
pub use reference::write_reference_files;
pub use snapshot::{Blacklist, MissingQuality, SnapshotSettings, snapshot};
pub use work::{AuditJob, work};

/// What one preset may cost: far more than any preset that could be played live.
const LIMITS: Limits = Limits {
    cpu: Duration::from_secs(20),
    wall: Duration::from_secs(180),
    memory_mib: 960,
    recycle_mib: 420,
};
/// So many troubles in a row that are no preset's fault end the run: the machine needs a person.
const TROUBLES_IN_A_ROW: u32 = 20;
/// Name of the file in the out folder that says what was audited and how.
const RUN_FILE: &str = "audit-run.json";

/// How an audit runs.
#[derive(Clone, Debug)]
pub struct AuditSettings {
    /// Folders with presets.
    pub libraries: Vec<PathBuf>,
    /// Where reports go.
    pub out: PathBuf,
    /// Processes at work at the same time.
    pub workers: usize,
    /// Most presets to audit in this run; all without.
    pub limit: Option<usize>,
    /// Time after which no new preset is begun; none without.
    pub budget: Option<Duration>,
    /// Audit those again that were not ok or missed an image.
    pub retry_failed: bool,
    /// Processor time one preset may use.
    pub preset_cpu: Duration,
    /// Presets this run is limited to, by their path as reports tell it; all without.
    pub only: Option<BTreeSet<String>>,
    /// Set by whoever wants the run to end after the presets at work.
    pub stop: Arc<AtomicBool>,
    /// The sign of a show to give way to.
    pub pause_for: Option<PathBuf>,
    /// How each is probed.
    pub probe: ProbeSettings,
}

/// What was audited and how; lies in the out folder so that a snapshot needs nothing else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditRun {
    /// Version of this file's format.
    pub version: String,
    /// The libraries, as they are called in the store.
    pub libraries: Vec<crate::jobs::wire::WirePath>,
    /// Fingerprint of what decides a verdict.
    pub recipe: String,
    /// When the newest run began, seconds since 1970.
    pub started_at: i64,
    /// Verdicts this run had reached when it last ended.
    pub judged: usize,
}

/// Something to tell whoever watches.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum AuditEvent {
    /// The libraries were looked through.
    Scanned {
        /// Files that can be used.
        files: usize,
        /// Different presets among them.
        presets: usize,
        /// Presets that already have a verdict.
        known: usize,
        /// Presets to audit now.
        todo: usize,
        /// Files of the last scan that are gone.
        deleted: usize,
        /// Files that cannot be used.
        left_out: usize,
    },
    /// One preset has its verdict.
    Judged {
        /// Which preset.
        id: PresetId,
        /// Where it lies.
        path: String,
        /// Whether it can be played.
        safety: Safety,
        /// What is thought of its look so far.
        look: LookVerdict,
        /// Everything that speaks against it, in words.
        reasons: Vec<String>,
    },
    /// A try came to no verdict: something outside the preset went wrong, or its process died and that has to be
    /// confirmed.
    Trouble {
        /// Where it happened.
        path: String,
        /// What, in words.
        why: String,
        /// It is not tried again in this run.
        given_up: bool,
    },
}

/// How an audit ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct AuditReport {
    /// Different presets in the libraries.
    pub presets: usize,
    /// Presets that had a verdict before.
    pub known: usize,
    /// Verdicts of this run.
    pub judged: usize,
    /// Presets without a verdict, with what went wrong outside of them.
    pub troubles: Vec<(String, String)>,
    /// Why it ended early, in words.
    pub stopped: Option<String>,
    /// Seconds from the first job to the last verdict.
    pub seconds: f64,
    /// Where looks stop being ok in this library.
    pub gates: Option<Gates>,
}

/// Audits what has no verdict yet, then writes the reports.
pub fn audit(
    settings: &AuditSettings,
    store: Store,
    mut tell: impl FnMut(AuditEvent),
) -> anyhow::Result<AuditReport> {
    let _lock = FolderLock::take(&settings.out)?;
    anyhow::ensure!(
        store.path().is_some(),
        "the store in the data folder cannot be written, so no verdict could be kept; make room or set AIVJ_DATA"
    );
    let mut crew = WorkerPool::new(&PoolSettings {
        workers: settings.workers,
        limits: Limits { cpu: settings.preset_cpu, ..LIMITS },
        arguments: vec!["worker".into(), "audit".into(), serde_json::to_string(&settings.probe)?],
        environment: workers::drawing_environment(settings.workers),
        pause_for: settings.pause_for.clone(),
        stop: settings.stop.clone(),
    });
    // Opening a device takes as long as looking through a library.
    crew.wake();
    let plan = AuditPlan::make(&store, settings)?;
    let ledger = Ledger::new(store, recipe(&settings.probe));
    let mut run = AuditRun {
        version: "v0".into(),
        libraries: plan.libraries.iter().map(|l| crate::jobs::wire::WirePath(l.root.clone())).collect(),
        recipe: ledger.recipe().to_owned(),
        started_at: now(),
        judged: 0,
    };
    let earlier = settings.out.join(RUN_FILE).exists();
    save_run(&settings.out, &run)?;
    let todo = plan.todo(&ledger, settings, earlier, run.started_at.unsigned_abs())?;
    let mut report = AuditReport { presets: plan.presets(), known: todo.known, ..AuditReport::default() };
    tell(AuditEvent::Scanned {
        files: plan.files(),
        presets: report.presets,
        known: todo.known,
        todo: todo.jobs.len(),
        deleted: plan.libraries.iter().map(|library| library.deleted.len()).sum(),
        left_out: plan.libraries.iter().map(|library| library.left_out.len()).sum(),
    });
    let mut judging =
        Judging { plan: &plan, ledger: &ledger, tell: &mut tell, report: &mut report, in_a_row: 0 };
    let started = Instant::now();
    let mut jobs = todo.jobs;
    while !jobs.is_empty() && judging.report.stopped.is_none() {
        jobs = judging.round(&mut crew, jobs, settings.budget, started, &settings.stop);
    }
    drop(crew);
    report.seconds = started.elapsed().as_secs_f64();
    run.judged = report.judged;
    match (conclude(&settings.out, &run, &plan, &ledger), &mut report.stopped) {
        (Ok(gates), _) => report.gates = Some(gates),
        (Err(error), None) => return Err(error),
        // What stopped the run, a full disk for one, may well keep its reports from being written.
        (Err(error), Some(why)) => {
            *why += &format!("; the reports are still those of an earlier run ({error})");
        }
    }
    Ok(report)
}

/// Judges the looks by the library's own gates, which it returns, and writes every report.
fn conclude(out: &Path, run: &AuditRun, plan: &AuditPlan, ledger: &Ledger) -> anyhow::Result<Gates> {
    save_run(out, run)?;
    let gates = ledger.settle(plan)?;
    write_reference_files(out, plan, ledger)?;
    crate::audit::report::write_with(out, plan, ledger)?;
    Ok(gates)
}

/// What was audited into this out folder.
pub fn read_run(out: &Path) -> anyhow::Result<AuditRun> {
    use anyhow::Context as _;
    let path = out.join(RUN_FILE);
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("no audit was begun in this folder: reading {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("reading {}", path.display()))
}

fn save_run(out: &Path, run: &AuditRun) -> anyhow::Result<()> {
    Ok(crate::library::whole_file::write_json(&out.join(RUN_FILE), run)?)
}

/// The supervisor's state while verdicts come in.
struct Judging<'a> {
    plan: &'a AuditPlan,
    ledger: &'a Ledger,
    tell: &'a mut dyn FnMut(AuditEvent),
    report: &'a mut AuditReport,
    in_a_row: u32,
}

impl Judging<'_> {
    /// Runs these jobs once; returns those that have to be tried again.
    fn round(
        &mut self,
        crew: &mut WorkerPool,
        jobs: Vec<AuditJob>,
        budget: Option<Duration>,
        started: Instant,
        stop: &Arc<AtomicBool>,
    ) -> Vec<AuditJob> {
        let within = |_: &AuditJob| {
            !stop.load(Ordering::Relaxed) && budget.is_none_or(|budget| started.elapsed() < budget)
        };
        let mut again = Vec::new();
        crew.run_all(
            jobs.into_iter().take_while(within),
            |mut job: AuditJob, outcome: Outcome<_>| match judge(outcome, job.tries) {
                JobVerdict::Verdict(record) => self.keep(&job, &record),
                JobVerdict::Confirm(why) => {
                    self.tell_trouble(&job, why, false);
                    job.tries.deaths += 1;
                    again.push(job);
                    true
                }
                JobVerdict::Again(why) => {
                    let go_on = self.trouble(&job, why, false);
                    job.tries.spoiled += 1;
                    again.push(job);
                    go_on
                }
                JobVerdict::GivenUp(why) => self.trouble(&job, why, true),
            },
        );
        if stop.load(Ordering::Relaxed) {
            self.report.stopped.get_or_insert_with(|| "it was asked to stop; start it again to go on".into());
        }
        if budget.is_some_and(|budget| started.elapsed() >= budget) && self.report.stopped.is_none() {
            self.report.stopped = Some("the time set for this run is over; start it again to go on".into());
        }
        again
    }

    /// Keeps a verdict; false ends the run, because there is nowhere to keep it.
    fn keep(&mut self, job: &AuditJob, record: &Record) -> bool {
        if let Err(error) = self.ledger.put(job.id, record) {
            self.report.stopped = Some(format!(
                "a verdict could not be kept ({error}); make room on the disk and start again: nothing is lost"
            ));
            return false;
        }
        self.in_a_row = 0;
        self.report.judged += 1;
        let gates = Gates::default();
        (self.tell)(AuditEvent::Judged {
            id: job.id,
            path: self.plan.name(job.id),
            safety: record.safety,
            look: record.look_verdict(&gates),
            reasons: record.reasons(&gates),
        });
        true
    }

    /// Something outside the preset went wrong; false ends the run, because it goes on going wrong.
    fn trouble(&mut self, job: &AuditJob, why: String, given_up: bool) -> bool {
        if given_up {
            self.report.troubles.push((self.plan.name(job.id), why.clone()));
        }
        self.in_a_row += 1;
        if self.in_a_row >= TROUBLES_IN_A_ROW {
            self.report.stopped = Some(format!(
                "{TROUBLES_IN_A_ROW} presets in a row could not be judged; the last one: {why}"
            ));
        }
        self.tell_trouble(job, why, given_up);
        self.in_a_row < TROUBLES_IN_A_ROW
    }

    fn tell_trouble(&mut self, job: &AuditJob, why: String, given_up: bool) {
        (self.tell)(AuditEvent::Trouble { path: self.plan.name(job.id), why, given_up });
    }
}
