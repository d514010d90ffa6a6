//! Turns the outcome of a job into a verdict or another attempt. Failures outside a preset are never blamed
//! on it.

use crate::audit::probe::{ProbeOutcome, ProbeReport};
use crate::audit::verdict::{Record, Safety};
use crate::jobs::workers::{self, Outcome};

/// Number of failures outside a preset after which it is deferred to the next run.
const ATTEMPTS: u32 = 3;

/// Decision after an attempt to probe a preset.
#[derive(Debug, PartialEq)]
pub(super) enum JobVerdict {
    /// The preset is given this verdict.
    Verdict(Box<Record>),
    /// The worker died, the engine panicked or the device was lost, for this reason; confirm it in a new
    /// worker.
    Confirm(String),
    /// The attempt failed for this reason outside the preset; retry.
    Retry(String),
    /// There is no verdict because of repeated failures outside the preset, the last for this reason.
    Deferred(String),
}

/// Earlier attempts to probe a preset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Attempts {
    /// Number of attempts that ended with a dead worker, a panic or a lost device.
    pub deaths: u32,
    /// Number of attempts that failed for reasons outside the preset.
    pub external: u32,
}

/// Judges the outcome of an attempt after the earlier `attempts`.
///
/// A dead worker, a panic or a lost device must be confirmed in a new worker before the preset is blamed. A worker that
/// cannot draw a built-in preset on its device never becomes ready for a job, so a failing computer cannot confirm a
/// failure. Hangs and excessive memory use need no confirmation.
pub(super) fn judge(outcome: Outcome<ProbeReport>, attempts: Attempts) -> JobVerdict {
    judge_with(outcome, attempts, workers::can_limit())
}

/// Implements [`judge`]. On systems that report no CPU times (`has_cpu_times` is false), a preset on which
/// the worker repeatedly stops responding counts as a hang.
fn judge_with(outcome: Outcome<ProbeReport>, attempts: Attempts, has_cpu_times: bool) -> JobVerdict {
    let verdict = |safety, why| JobVerdict::Verdict(Box::new(Record::without_evidence(safety, why)));
    let confirmed = attempts.deaths > 0;
    let last = attempts.external + 1 >= ATTEMPTS;
    let outside = |why| if last { JobVerdict::Deferred(why) } else { JobVerdict::Retry(why) };
    match outcome {
        Outcome::Done(report) => match &report.outcome {
            ProbeOutcome::DeviceLost(why) | ProbeOutcome::Failed(why) if !confirmed => {
                JobVerdict::Confirm(why.clone())
            }
            ProbeOutcome::Infrastructure(why) => outside(why.clone()),
            ProbeOutcome::Drawn
            | ProbeOutcome::Refused(_)
            | ProbeOutcome::Endless(_)
            | ProbeOutcome::Failed(_)
            | ProbeOutcome::DeviceLost(_) => match Record::of(report) {
                Ok(record) => JobVerdict::Verdict(Box::new(record)),
                Err(why) => outside(why),
            },
        },
        Outcome::Hang(why) => verdict(Safety::Hang, why),
        Outcome::Memory(why) => verdict(Safety::Memory, why),
        // Exceeding the memory limit has its own outcome, so here the computer ran out of memory.
        Outcome::Died(why) if out_of_memory(&why) => outside(why),
        Outcome::Died(why) if confirmed => verdict(Safety::Abort, format!("the process died twice: {why}")),
        Outcome::Died(why) => JobVerdict::Confirm(format!("the process died: {why}")),
        Outcome::Stuck(why) if last && !has_cpu_times => verdict(Safety::Hang, why),
        Outcome::Stuck(why) | Outcome::Skipped(why) => outside(why),
    }
}

/// Returns whether `why` is the message of a Rust process that failed to allocate memory.
fn out_of_memory(why: &str) -> bool {
    why.contains("memory allocation of")
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Attempts = Attempts { deaths: 0, external: 0 };
    const DIED: Attempts = Attempts { deaths: 1, external: 0 };
    const FAILED: Attempts = Attempts { deaths: 0, external: 2 };

    fn safety(judged: JobVerdict) -> Safety {
        let JobVerdict::Verdict(record) = judged else { panic!("no verdict: {judged:?}") };
        record.safety
    }

    #[test]
    fn a_death_must_be_confirmed_and_a_hang_need_not() {
        let died = || Outcome::Died("signal 11".into());
        assert!(matches!(judge(died(), FIRST), JobVerdict::Confirm(_)));
        assert!(
            matches!(judge(died(), FAILED), JobVerdict::Confirm(_)),
            "other failures do not confirm a death"
        );
        assert_eq!(safety(judge(died(), DIED)), Safety::Abort);
        assert_eq!(safety(judge(Outcome::Hang("20 s".into()), FIRST)), Safety::Hang);
    }

    #[test]
    fn a_busy_machine_is_never_blamed_on_a_preset() {
        for outcome in [Outcome::Stuck("180 s".into()), Outcome::Skipped("no process".into())] {
            assert!(matches!(judge_with(outcome.clone(), FIRST, true), JobVerdict::Retry(_)));
            assert!(matches!(judge_with(outcome, FAILED, true), JobVerdict::Deferred(_)));
        }
        let unreadable =
            || Outcome::Done(ProbeReport::without_evidence(ProbeOutcome::Infrastructure("gone".into())));
        assert!(matches!(judge(unreadable(), DIED), JobVerdict::Retry(_)));
        let starved = || Outcome::Died("signal: 6 memory allocation of 4096 bytes failed".into());
        assert!(matches!(judge(starved(), DIED), JobVerdict::Retry(_)));
        assert!(matches!(judge(unreadable(), FAILED), JobVerdict::Deferred(_)));
    }

    #[test]
    fn without_cpu_times_repeated_silence_counts_as_a_hang() {
        let silent = || Outcome::Stuck("180 s".into());
        assert!(matches!(judge_with(silent(), FIRST, false), JobVerdict::Retry(_)));
        assert_eq!(safety(judge_with(silent(), FAILED, false)), Safety::Hang);
    }

    #[test]
    fn a_lost_device_must_be_confirmed() {
        let lost = || Outcome::Done(ProbeReport::without_evidence(ProbeOutcome::DeviceLost("lost".into())));
        assert!(matches!(judge(lost(), FIRST), JobVerdict::Confirm(_)));
        let not_ready = || Outcome::Skipped("the worker ended before it was ready".into());
        assert!(matches!(judge(not_ready(), DIED), JobVerdict::Retry(_)), "nothing can be drawn any more");
        let given_up = Attempts { external: 2, ..DIED };
        assert!(matches!(judge(not_ready(), given_up), JobVerdict::Deferred(_)));
        assert_eq!(safety(judge(lost(), DIED)), Safety::DeviceLost);
    }
}
