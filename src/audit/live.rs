//! The sentry: lets audited presets pass, and audits unknown ones in a process of its own before they may be shown.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::judge::{JobVerdict, Tries, judge};
use super::{AuditJob, LIMITS, Ledger, recipe};
use crate::audit::probe::ProbeSettings;
use crate::audit::verdict::{Gates, LookVerdict, Record, Safety};
use crate::jobs::wire::WirePath;
use crate::jobs::workers::{Limits, PoolSettings, Worker};
use crate::library::{PresetId, Store};
use crate::show::DeckError;

/// Judges single presets while a show runs. Slow: asked on warm-up threads only.
pub struct LiveAudit {
    ledger: Mutex<Ledger>,
    worker: Mutex<Worker>,
}

impl LiveAudit {
    /// A sentry that keeps its verdicts in `store`; presets find their images in `textures`. Nothing is started yet.
    pub fn new(store: Store, textures: &[std::path::PathBuf]) -> anyhow::Result<Self> {
        let settings = ProbeSettings { textures: textures.to_vec(), ..ProbeSettings::default() };
        let pool = PoolSettings {
            workers: 1,
            // What does not answer for this long is asked again another time.
            limits: Limits { wall: Duration::from_secs(30), ..LIMITS },
            arguments: vec!["worker".into(), "audit".into(), serde_json::to_string(&settings)?],
            // The show comes first.
            environment: vec![("LP_NUM_THREADS", "1"), (crate::jobs::workers::MODEST, "1")],
            pause_for: None,
            stop: std::sync::Arc::default(),
        };
        Ok(Self {
            ledger: Mutex::new(Ledger::new(store, recipe(&settings))),
            worker: Mutex::new(Worker::new(pool)),
        })
    }

    /// Whether this preset may be shown; why not, in words.
    pub fn admit(&self, preset: &Path, id: PresetId) -> Result<(), DeckError> {
        if let Some(answer) = self.known(id) {
            return answer;
        }
        let asked = Instant::now();
        let mut worker = held(&self.worker);
        // Another thread may have asked for the same one meanwhile.
        if let Some(answer) = self.known(id) {
            return answer;
        }
        let mut job = AuditJob { id, path: WirePath(preset.to_owned()), tries: Tries::default() };
        loop {
            match judge(worker.run(&job), job.tries) {
                JobVerdict::Verdict(record) => {
                    if let Err(error) = held(&self.ledger).put(id, &record) {
                        log::warn!("a verdict is not remembered: {error}");
                    }
                    let (took, said) = (asked.elapsed().as_secs_f64(), record.safety.label());
                    log::info!("{} was audited in {took:.2} s: {said}", preset.display());
                    return answer(&record);
                }
                JobVerdict::Confirm(why) => {
                    log::info!("{}: {why}; it is tried again", preset.display());
                    job.tries.deaths += 1;
                }
                // The show does not wait for a busy machine.
                JobVerdict::Again(why) | JobVerdict::GivenUp(why) => return Err(DeckError::Temporary(why)),
            }
        }
    }

    fn known(&self, id: PresetId) -> Option<Result<(), DeckError>> {
        let record = held(&self.ledger).of_any_recipe(id).ok().flatten()?;
        Some(answer(&record))
    }
}

fn answer(record: &Record) -> Result<(), DeckError> {
    objection(record).map_or(Ok(()), |why| Err(DeckError::Excluded(why)))
}

/// Why a preset is kept off the stage: it is not safe, or there is nothing to see though all its images are there.
fn objection(record: &Record) -> Option<String> {
    if record.safety != Safety::Ok {
        return Some(format!("{}: {}", record.safety.label(), record.why));
    }
    match record.look_verdict(&Gates::default()) {
        LookVerdict::Black if record.evidence.missing.is_empty() => Some("it shows nothing but black".into()),
        LookVerdict::White => Some("it shows nothing but white".into()),
        _ => None,
    }
}

fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    // Whoever fell while holding it left a whole value: both are only ever asked.
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::probe::Look;

    #[test]
    fn unsafe_and_black_presets_are_kept_off_and_dark_ones_are_not() {
        let hang = Record::ended(Safety::Hang, "20 s".into());
        assert_eq!(objection(&hang).as_deref(), Some("hang: 20 s"));
        let mut black = Record::ended(Safety::Ok, String::new());
        black.evidence.look = Some(Look::default());
        assert!(objection(&black).is_some());
        black.evidence.missing.push("clouds".into());
        assert_eq!(objection(&black), None, "its images may come back");
        let mut dark = Record::ended(Safety::Ok, String::new());
        let lit = Look {
            luma: 0.01,
            luma_range: [0.005, 0.02],
            highlight: 0.2,
            motion: 0.01,
            motion_peak: 0.02,
            ..Look::default()
        };
        dark.evidence.look = Some(lit);
        assert_eq!(objection(&dark), None);
    }

    #[test]
    fn a_known_preset_passes_without_a_process() {
        let store = Store::in_memory().expect("opens");
        let sentry = LiveAudit::new(store, &[]).expect("made");
        let id = PresetId::of(b"known");
        held(&sentry.ledger).put(id, &Record::ended(Safety::Refused, "no preset".into())).expect("kept");
        let refused = DeckError::Excluded("refused: no preset".into());
        assert_eq!(sentry.admit(Path::new("/nowhere"), id), Err(refused));
    }

    #[test]
    fn an_audit_with_other_pixels_says_as_much_about_what_is_safe() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = || Store::open(folder.path(), 0).expect("opens").store;
        let id = PresetId::of(b"known");
        let small = ProbeSettings { size: [96, 54], ..ProbeSettings::default() };
        let audit = Ledger::new(store(), recipe(&small));
        audit.put(id, &Record::ended(Safety::Hang, "20 s".into())).expect("kept");
        let sentry = LiveAudit::new(store(), &[]).expect("made");
        let turned_away = Err(DeckError::Excluded("hang: 20 s".into()));
        assert_eq!(sentry.admit(Path::new("/nowhere"), id), turned_away);
    }
}
