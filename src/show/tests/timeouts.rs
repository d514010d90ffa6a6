//! A preset whose first frames the device does not finish in time is excluded after the second time, and a driver that
//! does not respond is called again.

use super::*;
use crate::handoff::Latest;
use crate::stage::{DeckSettings, Gpu, RenderContext, Stage, StageError};
use crate::warmup::Warmer;

/// Returns a rig that has requested its first two decks.
pub(super) fn rig() -> Option<Rig> {
    let settings = ShowSettings { fps: 30.0, warm_frames: 1, ..ShowSettings::default() };
    rig_of(settings, Catalogue::built_in())
}

/// Returns a rig that has requested its first decks.
pub(super) fn rig_of(show: ShowSettings, library: Catalogue) -> Option<Rig> {
    let context = Arc::new(RenderContext::new(Gpu::for_test()?, &[]));
    let heard = Latest::new(PresetAudio::default());
    let settings = DeckSettings { size: [96, 54], mesh: [24, 18], fps: 30.0 };
    let warmer = Warmer::in_place(&context, &heard, settings, None);
    let show = Show::new(show, Arc::new(library));
    let mut rig = Rig::new(show, Stage::new(context, settings.size), warmer, heard);
    rig.prepare();
    Some(rig)
}

/// Reports that a deck that was being prepared has timed out.
fn time_out(rig: &mut Rig, deck: DeckId) -> Option<Failed> {
    rig.recovery.arrived(deck);
    rig.timed_out(deck, StageError::Timeout(20))
}

#[test]
fn a_preset_that_times_out_twice_alone_is_excluded_and_another_one_is_chosen() {
    let Some(mut rig) = rig() else { return };
    let decks = rig.show.decks_by_urgency();
    let urgent = decks[0];
    let preset = rig.recovery.preset(urgent).expect("a request");
    for deck in decks {
        assert_eq!(time_out(&mut rig, deck), None, "the machine is at fault if several time out");
    }
    assert_eq!(rig.show.decks_by_urgency(), [urgent], "the other one is cancelled");
    rig.flush_backlog();
    assert_eq!(time_out(&mut rig, urgent), None);
    rig.flush_backlog();
    let failed = time_out(&mut rig, urgent).expect("a failure");
    assert_eq!(failed.kind, BanKind::Soft);
    rig.show.step(&StepInput {
        dt: DT,
        audio: &PresetAudio::default().into(),
        features: &Features::default(),
        commands: &[],
        arrived: &[],
        failed: &[failed],
        picture_stats: None,
    });
    assert!(rig.show.memory().excluded[&preset].why.contains("20 s, twice"));
    let up_next = rig.show.snapshot().up_next;
    assert!(!up_next.is_empty() && up_next.iter().all(|upcoming| upcoming.id != preset));
}

#[test]
fn a_preset_that_timed_out_is_prepared_alone() {
    let Some(mut rig) = rig() else { return };
    let decks = rig.show.decks_by_urgency();
    let (suspect, other) = (decks[0], decks[1]);
    assert_eq!(time_out(&mut rig, suspect), None);
    rig.flush_backlog();
    assert!(!rig.recovery.sent.contains(&suspect), "another deck is being prepared");
    rig.recovery.arrived(other);
    rig.flush_backlog();
    assert!(rig.recovery.sent.contains(&suspect) && !rig.recovery.may_prepare(other));
    rig.recovery.warmed(suspect);
    assert!(rig.recovery.may_prepare(other));
}

#[test]
fn a_driver_that_does_not_open_a_device_is_called_again() {
    let Some(mut rig) = rig() else { return };
    let (_never, rebuilt) = std::sync::mpsc::channel();
    rig.recovery.rebuilt = Some(rebuilt);
    let features = Features::default();
    let mut play = |count: usize| {
        for _ in 0..count {
            rig.frame(&RigFrame { dt: 1.0, sound: &[], features: &features, commands: &[] });
        }
        (rig.generation(), rig.recovery.is_rebuilding())
    };
    assert_eq!(play(15), (0, true));
    assert_eq!(play(15), (1, false));
}
