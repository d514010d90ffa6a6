//! From what became of a job to a verdict, or to another try: what is not the preset's fault is never blamed on it.

use crate::audit::probe::{ProbeOutcome, ProbeReport};
use crate::audit::verdict::{Record, Safety};
use crate::jobs::workers::{self, Outcome};

/// How often something outside a preset may go wrong before the preset is left for another day.
const ATTEMPTS: u32 = 3;

/// What to do with an outcome.
#[derive(Debug, PartialEq)]
pub(super) enum JobVerdict {
    /// This is the verdict.
    Verdict(Box<Record>),
    /// Its process died, or its device was lost: it is tried once more in a fresh one, and why.
    Confirm(String),
    /// Something outside the preset went wrong: another try, and why.
    Again(String),
    /// No verdict, because something outside the preset keeps going wrong.
    GivenUp(String),
}

/// What became of a preset's earlier tries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tries {
    /// Those that ended its process or its device.
    pub deaths: u32,
    /// Those that something outside of it spoiled.
    pub spoiled: u32,
}

/// Judges the outcome of one more try after `tries`.
///
/// A process that dies, or a device that is lost, has to do so twice before the preset is to blame: a fresh process
/// confirms it. Endless work and floods of memory show themselves at once.
pub(super) fn judge(outcome: Outcome<ProbeReport>, tries: Tries) -> JobVerdict {
    judge_where(outcome, tries, workers::can_limit())
}

/// The same on a system that tells processor time, or does not: there, a preset that never answers has to be taken for
/// endless in the end.
fn judge_where(outcome: Outcome<ProbeReport>, tries: Tries, tells_cpu: bool) -> JobVerdict {
    let verdict = |safety, why| JobVerdict::Verdict(Box::new(Record::ended(safety, why)));
    let confirmed = tries.deaths > 0;
    let last = tries.spoiled + 1 >= ATTEMPTS;
    let outside = |why| if last { JobVerdict::GivenUp(why) } else { JobVerdict::Again(why) };
    match outcome {
        Outcome::Done(finding) => match &finding.ended {
            ProbeOutcome::DeviceLost(why) | ProbeOutcome::Failed(why) if !confirmed => {
                JobVerdict::Confirm(why.clone())
            }
            ProbeOutcome::Infrastructure(why) => outside(why.clone()),
            ProbeOutcome::Drawn
            | ProbeOutcome::Refused(_)
            | ProbeOutcome::Endless(_)
            | ProbeOutcome::Failed(_)
            | ProbeOutcome::DeviceLost(_) => match Record::of(finding) {
                Ok(record) => JobVerdict::Verdict(Box::new(record)),
                Err(why) => outside(why),
            },
        },
        Outcome::Hang(why) => verdict(Safety::Hang, why),
        Outcome::Memory(why) => verdict(Safety::Memory, why),
        Outcome::Died(why) if out_of_memory(&why) => verdict(Safety::Memory, why),
        Outcome::Died(why) if confirmed => verdict(Safety::Abort, format!("its process died twice: {why}")),
        Outcome::Died(why) => JobVerdict::Confirm(format!("its process died: {why}")),
        Outcome::Stuck(why) if last && !tells_cpu => verdict(Safety::Hang, why),
        Outcome::Stuck(why) | Outcome::NotTried(why) => outside(why),
    }
}

/// The last words of a Rust process that could not get memory.
fn out_of_memory(why: &str) -> bool {
    why.contains("memory allocation of")
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Tries = Tries { deaths: 0, spoiled: 0 };
    const DIED: Tries = Tries { deaths: 1, spoiled: 0 };
    const SPOILED: Tries = Tries { deaths: 0, spoiled: 2 };

    fn safety(judged: JobVerdict) -> Safety {
        let JobVerdict::Verdict(record) = judged else { panic!("no verdict: {judged:?}") };
        record.safety
    }

    #[test]
    fn a_death_has_to_be_confirmed_and_a_hang_does_not() {
        let died = || Outcome::Died("signal 11".into());
        assert!(matches!(judge(died(), FIRST), JobVerdict::Confirm(_)));
        assert!(
            matches!(judge(died(), SPOILED), JobVerdict::Confirm(_)),
            "no other trouble stands for a death"
        );
        assert_eq!(safety(judge(died(), DIED)), Safety::Abort);
        assert_eq!(safety(judge(Outcome::Hang("20 s".into()), FIRST)), Safety::Hang);
    }

    #[test]
    fn a_busy_machine_is_never_blamed_on_a_preset() {
        for outcome in [Outcome::Stuck("180 s".into()), Outcome::NotTried("no process".into())] {
            assert!(matches!(judge_where(outcome.clone(), FIRST, true), JobVerdict::Again(_)));
            assert!(matches!(judge_where(outcome, SPOILED, true), JobVerdict::GivenUp(_)));
        }
        let unreadable = || Outcome::Done(ProbeReport::without(ProbeOutcome::Infrastructure("gone".into())));
        assert!(matches!(judge(unreadable(), DIED), JobVerdict::Again(_)));
        assert!(matches!(judge(unreadable(), SPOILED), JobVerdict::GivenUp(_)));
    }

    #[test]
    fn where_processor_time_is_not_told_silence_counts_in_the_end() {
        let silent = || Outcome::Stuck("180 s".into());
        assert!(matches!(judge_where(silent(), FIRST, false), JobVerdict::Again(_)));
        assert_eq!(safety(judge_where(silent(), SPOILED, false)), Safety::Hang);
    }

    #[test]
    fn a_lost_device_is_confirmed_before_it_counts() {
        let lost = || Outcome::Done(ProbeReport::without(ProbeOutcome::DeviceLost("lost".into())));
        assert!(matches!(judge(lost(), FIRST), JobVerdict::Confirm(_)));
        assert_eq!(safety(judge(lost(), DIED)), Safety::DeviceLost);
    }
}
