//! Audits new presets during a live show, in a separate process, before they may be shown.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::judge::{Attempts, JobVerdict, judge};
use super::ledger::{Ledger, recipe};
use super::settings::LIMITS;
use super::work::AuditJob;
use crate::audit::probe::ProbeSettings;
use crate::audit::verdict::{Gates, LookVerdict, Record, Safety};
use crate::confine::Rights;
use crate::facts::PresetId;
use crate::jobs::wire::WirePreset;
use crate::jobs::workers::{Limits, PoolSettings, Worker, WorkerCount};
use crate::stage::texture_folders;
use crate::store::Store;
use crate::warmup::DeckError;

/// Audits individual presets during a show. [`Self::admit`] may block for seconds, so call it only on warm-up
/// threads.
pub struct LiveAudit {
    ledger: Mutex<Ledger>,
    /// Verdicts that could not be saved yet.
    unsaved: Mutex<Vec<(PresetId, Record)>>,
    worker: Mutex<Worker>,
}

impl LiveAudit {
    /// Creates an audit that saves its verdicts in `store`. `textures` lists the texture folders. The worker
    /// starts on first use.
    pub fn new(store: Store, textures: &[std::path::PathBuf]) -> anyhow::Result<Self> {
        let settings = ProbeSettings { textures: textures.to_vec(), ..ProbeSettings::default() };
        let pool = PoolSettings {
            workers: WorkerCount::Fixed(1),
            // A preset that takes longer is tried again later.
            limits: Limits { wall: Duration::from_secs(30), ..LIMITS },
            arguments: vec!["worker".into(), "audit".into(), serde_json::to_string(&settings)?],
            rights: Rights { read: texture_folders(textures), write: Vec::new() },
            // The show has priority.
            environment: vec![("LP_NUM_THREADS", "1"), (crate::jobs::workers::LOW_PRIORITY, "1")],
            start_pauses: &[],
            pause_for: None,
            stop: std::sync::Arc::default(),
        };
        Ok(Self {
            ledger: Mutex::new(Ledger::new(store, recipe(&settings))),
            unsaved: Mutex::default(),
            worker: Mutex::new(Worker::new(pool)),
        })
    }

    /// Audits a preset unless it has a verdict. Fails if the preset may not be shown, or if it cannot be
    /// audited at the moment.
    pub fn admit(&self, preset: &Path, id: PresetId) -> Result<(), DeckError> {
        if let Some(answer) = self.known(id) {
            return answer;
        }
        let started = Instant::now();
        let mut worker = lock(&self.worker);
        // Another thread may have audited the preset in the meantime.
        if let Some(answer) = self.known(id) {
            return answer;
        }
        let mut job = AuditJob {
            id,
            preset: WirePreset::new(preset.to_owned()),
            continue_as: None,
            attempts: Attempts::default(),
        };
        loop {
            match judge(worker.run(&job), job.attempts) {
                JobVerdict::Verdict(record) => {
                    self.save(id, (*record).clone());
                    let (took, safety) = (started.elapsed().as_secs_f64(), record.safety.label());
                    log::info!("audited {} in {took:.2} s: {safety}", preset.display());
                    return answer(&record);
                }
                JobVerdict::Confirm(why) => {
                    log::info!("{}: {why}; retrying", preset.display());
                    job.attempts.deaths += 1;
                }
                // The show does not wait for a busy computer.
                JobVerdict::Retry(why) | JobVerdict::Deferred(why) => return Err(DeckError::Temporary(why)),
            }
        }
    }

    /// Fails if a stored verdict rejects the preset. Audits nothing, so verdicts of other engines and drivers also
    /// count.
    pub fn unguarded(&self, id: PresetId) -> Result<(), DeckError> {
        if let Some(answer) = self.known(id) {
            return answer;
        }
        let row = lock(&self.ledger).stored(id).ok().flatten();
        row.and_then(|row| row.rejection()).map_or(Ok(()), |why| Err(DeckError::Excluded(why)))
    }

    /// Saves a verdict, after those that could not be saved earlier.
    fn save(&self, id: PresetId, record: Record) {
        let mut unsaved = lock(&self.unsaved);
        unsaved.push((id, record));
        let ledger = lock(&self.ledger);
        let saved = unsaved.iter().take_while(|(id, record)| {
            let put = ledger.put(*id, record);
            put.inspect_err(|error| log::warn!("cannot save a verdict yet: {error}")).is_ok()
        });
        let saved = saved.count();
        unsaved.drain(..saved);
    }

    fn known(&self, id: PresetId) -> Option<Result<(), DeckError>> {
        if let Some((_, record)) = lock(&self.unsaved).iter().find(|(unsaved, _)| *unsaved == id) {
            return Some(answer(record));
        }
        let record = lock(&self.ledger).of_any_recipe(id).ok().flatten()?;
        Some(answer(&record))
    }
}

fn answer(record: &Record) -> Result<(), DeckError> {
    rejection(record).map_or(Ok(()), |why| Err(DeckError::Excluded(why)))
}

/// Returns why a preset is rejected, if it is: it is unsafe, all white, or all black although no image is
/// missing.
fn rejection(record: &Record) -> Option<String> {
    if record.safety != Safety::Ok {
        return Some(format!("{}: {}", record.safety.label(), record.why));
    }
    match record.look_verdict(&Gates::default()) {
        LookVerdict::Black if record.evidence.missing.is_empty() => Some("all black".into()),
        LookVerdict::White => Some("all white".into()),
        _ => None,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic cannot leave these values inconsistent.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::probe::Look;
    use crate::store::VerdictRow;

    #[test]
    fn unsafe_and_black_presets_are_rejected_and_dark_ones_are_not() {
        let hang = Record::without_evidence(Safety::Hang, "20 s".into());
        assert_eq!(rejection(&hang).as_deref(), Some("hang: 20 s"));
        let mut black = Record::without_evidence(Safety::Ok, String::new());
        black.evidence.look = Some(Look::default());
        assert!(rejection(&black).is_some());
        black.evidence.missing.push("clouds".into());
        assert_eq!(rejection(&black), None, "its images may be found later");
        let mut dark = Record::without_evidence(Safety::Ok, String::new());
        let lit = Look {
            luma: 0.01,
            luma_range: [0.005, 0.02],
            highlight: 0.2,
            motion: 0.01,
            motion_peak: 0.02,
            ..Look::default()
        };
        dark.evidence.look = Some(lit);
        assert_eq!(rejection(&dark), None);
    }

    #[test]
    fn a_known_preset_is_answered_without_a_worker() {
        let store = Store::in_memory().expect("opens");
        let audit = LiveAudit::new(store, &[]).expect("made");
        let id = PresetId::of(b"known");
        lock(&audit.ledger)
            .put(id, &Record::without_evidence(Safety::Refused, "no preset".into()))
            .expect("kept");
        let refused = DeckError::Excluded("refused: no preset".into());
        assert_eq!(audit.admit(Path::new("/nowhere"), id), Err(refused));
    }

    #[test]
    fn a_verdict_that_cannot_be_saved_counts_and_is_saved_later() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path(), 0).expect("opens").store;
        let audit = LiveAudit::new(store.another().expect("opens").expect("a file"), &[]).expect("made");
        let (first, second) = (PresetId::of(b"first"), PresetId::of(b"second"));
        let hang = || Record::without_evidence(Safety::Hang, "20 s".into());
        store.while_locked(|| audit.save(first, hang()));
        assert!(store.verdict(first).expect("read").is_none());
        assert!(audit.admit(Path::new("/nowhere"), first).is_err());
        audit.save(second, hang());
        assert!(
            store.verdict(first).expect("read").is_some() && store.verdict(second).expect("read").is_some()
        );
    }

    #[test]
    fn verdicts_with_another_picture_size_count_for_safety() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = || Store::open(folder.path(), 0).expect("opens").store;
        let id = PresetId::of(b"known");
        let small = ProbeSettings { size: [96, 54], ..ProbeSettings::default() };
        let ledger = Ledger::new(store(), recipe(&small));
        ledger.put(id, &Record::without_evidence(Safety::Hang, "20 s".into())).expect("kept");
        let audit = LiveAudit::new(store(), &[]).expect("made");
        let rejected = Err(DeckError::Excluded("hang: 20 s".into()));
        assert_eq!(audit.admit(Path::new("/nowhere"), id), rejected);
    }

    #[test]
    fn without_an_audit_the_verdicts_of_other_engines_count() {
        let store = Store::in_memory().expect("opens");
        let verdict = |id, safety: &str, look: &str| VerdictRow {
            id,
            recipe: "old".into(),
            judged_by: "aivj 0".into(),
            safety: safety.into(),
            completeness: "ok".into(),
            look: look.into(),
            flash: "pass".into(),
            seen: Default::default(),
            cost_ms: None,
            json: "{}".into(),
            at: 1,
        };
        let ids = [b"a", b"b", b"c", b"d"].map(|name| PresetId::of(name));
        let [hang, dark, good, _] = ids;
        let rows =
            [verdict(hang, "hang", "unseen"), verdict(dark, "ok", "too-dark"), verdict(good, "ok", "ok")];
        store.put_verdicts(&rows).expect("stored");
        let audit = LiveAudit::new(store, &[]).expect("made");
        let excluded = |why: &str| Err(DeckError::Excluded(why.into()));
        assert_eq!(
            ids.map(|id| audit.unguarded(id)),
            [excluded("hang"), excluded("too dark"), Ok(()), Ok(())]
        );
    }
}
