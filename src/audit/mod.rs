//! The audit: probes every preset of a library and saves a verdict with its evidence.
//!
//! Every verdict is saved in the store immediately, so that the next run can resume an interrupted one.
//! Presets are identified by content, so identical files are audited once and renamed files are recognised.

mod checkpoint;
mod entry;
mod event;
mod gates;
mod import;
mod judge;
mod ledger;
mod live;
mod look_verdict;
mod plan;
mod predecessor;
pub mod probe;
mod reference;
pub mod repeats;
pub mod report;
mod run;
mod settings;
mod snapshot;
pub mod verdict;
mod work;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::audit::probe::ProbeReport;
use crate::audit::verdict::{Gates, Record};
use crate::confine::Rights;
use crate::disk::{self, WirePath};
use crate::jobs::folder_lock::FolderLock;
use crate::jobs::now;
use crate::jobs::workers::{self, Limits, Outcome, PoolSettings, WorkerPool};
use crate::stage::texture_folders;
use crate::store::Store;

use checkpoint::Checkpoint;
pub use event::{AuditEvent, AuditReport};
pub use gates::GateLimits;
pub use import::import;
use judge::{JobVerdict, judge};
pub use ledger::{Ledger, judged_by, recipe};
pub use live::LiveAudit;
pub use plan::{AuditPlan, Library, PlannedFile};
pub use predecessor::{ImportedVerdicts, audited_library, import_predecessor};
pub use reference::write_reference_files;
pub use run::{AuditRun, read_run};
use run::{RUN_FILE, save_run};
use settings::LIMITS;
pub use settings::{AuditSettings, Continuation, WORKER_MEMORY_MIB};
pub use snapshot::{Blacklist, MissingQuality, SnapshotSettings, snapshot};
pub use work::{AuditJob, serve, work};

/// Number of consecutive failures outside presets after which the run stops: the computer needs attention.
const MAX_CONSECUTIVE_FAILURES: u32 = 20;

/// Audits the presets that `settings` selects and that have no verdict yet or are to be retried, then writes
/// the reports.
pub fn audit(
    settings: &AuditSettings,
    store: Store,
    mut on_event: impl FnMut(AuditEvent),
) -> anyhow::Result<AuditReport> {
    let _lock = FolderLock::take_output(&settings.out)?;
    anyhow::ensure!(
        store.path().is_some(),
        "the data folder is not writable, so verdicts cannot be saved; free some space or set AIVJ_DATA"
    );
    let thumbs = settings.probe.thumbs.as_slice();
    for folder in thumbs {
        disk::create_folder(folder)?;
    }
    let mut rights = Rights { read: texture_folders(&settings.probe.textures), write: thumbs.to_vec() };
    let arguments = match &settings.continuation {
        Some(Continuation { arguments, rights: more, .. }) => {
            rights.read.extend_from_slice(&more.read);
            rights.write.extend_from_slice(&more.write);
            arguments.clone()
        }
        None => vec!["worker".into(), "audit".into(), serde_json::to_string(&settings.probe)?],
    };
    let mut pool = WorkerPool::new(&PoolSettings {
        workers: settings.workers,
        limits: Limits { cpu: settings.preset_cpu, ..LIMITS },
        arguments,
        rights,
        environment: workers::drawing_environment(settings.workers),
        start_pauses: &workers::START_PAUSES,
        pause_for: settings.pause_for.clone(),
        stop: settings.stop.clone(),
    });
    // Opening a device takes as long as scanning a library, so do both in parallel.
    pool.start();
    let plan = AuditPlan::scan(&store, &settings.libraries)?;
    let ledger = Ledger::new(store, recipe(&settings.probe)).within(settings.gates);
    let mut run = AuditRun {
        version: "v0".into(),
        libraries: plan.libraries.iter().map(|l| WirePath(l.root.clone())).collect(),
        recipe: ledger.recipe().to_owned(),
        gates: settings.gates,
        started_at: now(),
        judged: 0,
    };
    let resumed = settings.out.join(RUN_FILE).exists();
    if !resumed && let Some(imported) = import_predecessor(&settings.out, &plan, &ledger)? {
        predecessor::keep_original(&settings.out)?;
        on_event(AuditEvent::Imported {
            verdicts: imported.verdicts,
            again: imported.again,
            unknown: imported.unknown,
        });
    }
    save_run(&settings.out, &run)?;
    let pending = plan.pending(&ledger.known()?, settings, resumed, run.started_at.unsigned_abs())?;
    let mut report = AuditReport { presets: pending.presets, known: pending.known, ..AuditReport::default() };
    on_event(AuditEvent::Scanned {
        files: plan.files(),
        presets: report.presets,
        known: pending.known,
        pending: pending.jobs.len(),
        deleted: plan.libraries.iter().map(|library| library.deleted.len()).sum(),
        unusable: plan.libraries.iter().map(|library| library.unusable).sum(),
    });
    let mut supervisor = Supervisor {
        plan: &plan,
        ledger: &ledger,
        on_event: &mut on_event,
        report: &mut report,
        consecutive_failures: 0,
        checkpoint: Checkpoint::new(&settings.out),
    };
    let started = Instant::now();
    let mut jobs = pending.jobs;
    while !jobs.is_empty() && supervisor.report.stopped.is_none() {
        jobs = supervisor.round(&mut pool, jobs, settings.budget, started, &settings.stop);
    }
    drop(pool);
    report.seconds = started.elapsed().as_secs_f64();
    run.judged = report.judged;
    match (write_reports(&settings.out, &run, &plan, &ledger), &mut report.stopped) {
        (Ok(gates), _) => report.gates = Some(gates),
        (Err(error), None) => return Err(error),
        // The cause of the early stop, such as a full disk, may also prevent writing the reports.
        (Err(error), Some(why)) => {
            *why += &format!("; the reports were not updated ({error})");
        }
    }
    Ok(report)
}

/// Re-evaluates every preset's look against thresholds derived from the library, writes all reports, and
/// returns the thresholds.
fn write_reports(out: &Path, run: &AuditRun, plan: &AuditPlan, ledger: &Ledger) -> anyhow::Result<Gates> {
    save_run(out, run)?;
    let gates = ledger.rejudge(plan)?;
    write_reference_files(out, plan, ledger)?;
    crate::audit::report::write_with(out, plan, ledger)?;
    Ok(gates)
}

/// Runs the jobs of an audit and saves their verdicts.
struct Supervisor<'a> {
    plan: &'a AuditPlan,
    ledger: &'a Ledger,
    on_event: &'a mut dyn FnMut(AuditEvent),
    report: &'a mut AuditReport,
    consecutive_failures: u32,
    checkpoint: Checkpoint<'a>,
}

impl Supervisor<'_> {
    /// Runs these jobs once; returns those to try again.
    fn round(
        &mut self,
        pool: &mut WorkerPool,
        jobs: Vec<AuditJob>,
        budget: Option<Duration>,
        started: Instant,
        stop: &Arc<AtomicBool>,
    ) -> Vec<AuditJob> {
        let within = |_: &AuditJob| {
            !stop.load(Ordering::Relaxed) && budget.is_none_or(|budget| started.elapsed() < budget)
        };
        let mut retries = Vec::new();
        pool.run_all(
            jobs.into_iter().take_while(within),
            |mut job: AuditJob, outcome: Outcome<ProbeReport>| {
                if job.failed_in_continuation(&outcome) {
                    retries.push(job);
                    return true;
                }
                match judge(outcome, job.attempts) {
                    JobVerdict::Verdict(record) => self.save(&job, &record),
                    JobVerdict::Confirm(why) => {
                        self.report_trouble(&job, why, false);
                        job.attempts.deaths += 1;
                        job.continue_as = None;
                        retries.push(job);
                        true
                    }
                    JobVerdict::Retry(why) => {
                        let proceed = self.trouble(&job, why, false);
                        job.attempts.external += 1;
                        retries.push(job);
                        proceed
                    }
                    JobVerdict::Deferred(why) => self.trouble(&job, why, true),
                }
            },
        );
        if stop.load(Ordering::Relaxed) {
            self.report.stopped.get_or_insert_with(|| "stopped; run it again to resume".into());
        }
        if budget.is_some_and(|budget| started.elapsed() >= budget) && self.report.stopped.is_none() {
            self.report.stopped = Some("time limit reached; run it again to resume".into());
        }
        retries
    }

    /// Saves a verdict; returns `false` to end the run if it cannot be saved.
    fn save(&mut self, job: &AuditJob, record: &Record) -> bool {
        if let Err(error) = self.ledger.put(job.id, record) {
            self.report.stopped = Some(format!(
                "cannot save a verdict ({error}); free some disk space and run it again to resume"
            ));
            return false;
        }
        self.consecutive_failures = 0;
        self.report.judged += 1;
        self.checkpoint.write_if_due(self.plan, self.ledger);
        let gates = self.ledger.first_gates();
        (self.on_event)(AuditEvent::Judged {
            id: job.id,
            path: self.plan.name(job.id),
            safety: record.safety,
            look: record.look_verdict(&gates),
            reasons: record.reasons(&gates),
        });
        true
    }

    /// Records a failure outside the preset; returns `false` to end the run after too many in a row.
    fn trouble(&mut self, job: &AuditJob, why: String, deferred: bool) -> bool {
        if deferred {
            self.report.troubles.push((self.plan.name(job.id), why.clone()));
        }
        self.consecutive_failures += 1;
        if self.consecutive_failures >= MAX_CONSECUTIVE_FAILURES {
            self.report.stopped = Some(format!(
                "{MAX_CONSECUTIVE_FAILURES} presets in a row could not be audited; last error: {why}"
            ));
        }
        self.report_trouble(job, why, deferred);
        self.consecutive_failures < MAX_CONSECUTIVE_FAILURES
    }

    fn report_trouble(&mut self, job: &AuditJob, why: String, deferred: bool) {
        (self.on_event)(AuditEvent::Trouble { path: self.plan.name(job.id), why, deferred });
    }
}
