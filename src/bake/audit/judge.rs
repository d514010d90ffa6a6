//! From what became of a job to a verdict, or to another try: what is not the preset's fault is never blamed on it.

use crate::bake::probe::{Ended, Finding};
use crate::bake::verdict::{Record, Safety};
use crate::bake::workers::Outcome;

/// What to do with an outcome.
#[derive(Debug, PartialEq)]
pub(super) enum Judged {
    /// This is the verdict.
    Verdict(Box<Record>),
    /// Another try, and why.
    Again(String),
    /// No verdict, because something outside the preset keeps going wrong.
    GivenUp(String),
}

/// Judges the outcome of try number `attempt` of at most `attempts`.
///
/// A process that dies, or a device that is lost, has to do so twice before the preset is to blame: a fresh process
/// confirms it. Endless work and floods of memory show themselves at once.
pub(super) fn judge(outcome: Outcome<Finding>, attempt: u32, attempts: u32) -> Judged {
    let verdict = |safety, why| Judged::Verdict(Box::new(Record::ended(safety, why)));
    let confirmed = attempt > 1;
    let outside = |why| if attempt < attempts { Judged::Again(why) } else { Judged::GivenUp(why) };
    match outcome {
        Outcome::Done(finding) => match &finding.ended {
            Ended::DeviceLost(why) | Ended::Failed(why) if !confirmed => Judged::Again(why.clone()),
            Ended::Infrastructure(why) => outside(why.clone()),
            Ended::Drawn | Ended::Refused(_) | Ended::Failed(_) | Ended::DeviceLost(_) => {
                match Record::of(finding) {
                    Ok(record) => Judged::Verdict(Box::new(record)),
                    Err(why) => outside(why),
                }
            }
        },
        Outcome::Hang(why) => verdict(Safety::Hang, why),
        Outcome::Memory(why) => verdict(Safety::Memory, why),
        Outcome::Died(why) if out_of_memory(&why) => verdict(Safety::Memory, why),
        Outcome::Died(why) if confirmed => verdict(Safety::Abort, format!("its process died twice: {why}")),
        Outcome::Died(why) => Judged::Again(format!("its process died: {why}")),
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

    fn again(judged: &Judged) -> bool {
        matches!(judged, Judged::Again(_))
    }

    #[test]
    fn a_death_has_to_be_confirmed_and_a_hang_does_not() {
        assert!(again(&judge(Outcome::Died("signal 11".into()), 1, 3)));
        let Judged::Verdict(record) = judge(Outcome::Died("signal 11".into()), 2, 3) else {
            panic!("no verdict")
        };
        assert_eq!(record.safety, Safety::Abort);
        let Judged::Verdict(record) = judge(Outcome::Hang("20 s".into()), 1, 3) else { panic!("no verdict") };
        assert_eq!(record.safety, Safety::Hang);
    }

    #[test]
    fn a_busy_machine_is_never_blamed_on_a_preset() {
        for outcome in [Outcome::Stuck("180 s".into()), Outcome::NotTried("no process".into())] {
            assert!(again(&judge(outcome.clone(), 1, 3)));
            assert!(matches!(judge(outcome, 3, 3), Judged::GivenUp(_)));
        }
        let unreadable = || Finding::without(Ended::Infrastructure("gone".into()));
        assert!(again(&judge(Outcome::Done(unreadable()), 2, 3)));
        assert!(matches!(judge(Outcome::Done(unreadable()), 3, 3), Judged::GivenUp(_)));
    }

    #[test]
    fn a_lost_device_is_confirmed_before_it_counts() {
        let lost = || Finding::without(Ended::DeviceLost("lost".into()));
        assert!(again(&judge(Outcome::Done(lost()), 1, 3)));
        let Judged::Verdict(record) = judge(Outcome::Done(lost()), 2, 3) else { panic!("no verdict") };
        assert_eq!(record.safety, Safety::DeviceLost);
    }
}
