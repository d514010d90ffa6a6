//! Lost graphics devices and full graphics memory.

use super::*;
use crate::library::built_in;
use crate::warmup::Urgency;

#[test]
fn after_a_lost_device_the_preset_on_air_stays_and_every_deck_is_prepared_again() {
    let mut test = TestShow::new();
    test.frames(200);
    test.frame(&[Command::Next, Command::Hold]);
    test.frame(&[]);
    let before = (test.playing(), test.show.snapshot().history, test.show.snapshot().up_next.len());
    let on_air = test.show.decks.shown().expect("a deck").deck;
    test.cold = true;
    test.show.graphics_event(GraphicsEvent::Lost);
    let urgent = test.show.decks_by_urgency();
    assert_eq!(urgent[0], on_air, "the deck on air comes first");
    test.frames(3);
    assert!(test.show.snapshot().up_next.iter().all(|upcoming| !upcoming.warm));
    test.frame(&[Command::Back]);
    assert!(test.show.snapshot().message.expect("a message").contains("being restored"));
    test.coming = urgent;
    test.cold = false;
    test.frames(3);
    let after = test.show.snapshot();
    assert_eq!((test.playing(), after.history, after.up_next.len()), before);
    assert!(after.held && after.up_next.iter().all(|upcoming| upcoming.warm));
    test.frame(&[Command::Back]);
    assert_ne!(test.playing(), before.0, "the previous deck is warm again");
    assert!(!test.learnt().contains(&Signal::Failed) && test.show.memory().excluded.is_empty());
}

#[test]
fn a_preset_that_causes_device_losses_is_taken_off_the_air_with_a_reason() {
    let mut test = TestShow::new();
    test.frames(100);
    let guilty = test.playing();
    let excluded = |test: &TestShow| test.show.memory().excluded.get(&guilty).cloned();
    let suspect = |test: &mut TestShow| {
        test.show.graphics_event(GraphicsEvent::Lost);
        test.show.graphics_event(GraphicsEvent::Suspected { preset: guilty });
        assert!(test.show.snapshot().message.expect("a message").contains("graphics device fail"));
        test.coming = test.show.decks_by_urgency();
        test.frames(3);
        assert!(test.playing() != guilty && !test.show.may_be_shown(guilty));
    };
    suspect(&mut test);
    test.show.graphics_event(GraphicsEvent::Cleared { preset: guilty });
    assert_eq!(excluded(&test), None, "the device was lost without the preset");
    test.frame(&[Command::PlayNow(guilty)]);
    test.frames(3);
    assert_eq!(test.playing(), guilty);
    suspect(&mut test);
    test.show.graphics_event(GraphicsEvent::AtFault { preset: guilty });
    let exclusion = excluded(&test).expect("excluded");
    assert!(exclusion.kind == BanKind::Quality && exclusion.why.contains("graphics device fail"));
    test.frame(&[Command::Rescue(guilty)]);
    test.show.graphics_event(GraphicsEvent::AtFault { preset: guilty });
    assert_eq!(excluded(&test), None, "the performer knows better");
}

#[test]
fn if_nothing_is_left_on_air_a_preset_that_is_quick_to_prepare_comes_first() {
    let removals: [fn(&mut Show, PresetId, DeckId); 2] = [
        |show, preset, _| show.graphics_event(GraphicsEvent::Suspected { preset }),
        |show, _, deck| show.cancel_request(deck), // Its file cannot be read.
    ];
    for remove in removals {
        let mut test = TestShow::new();
        test.frames(100);
        let (left, deck) = (test.playing(), test.show.decks.shown().expect("a deck").deck);
        let wanted = built_in().find(|preset| preset.shaders && preset.id != left).expect("another").id;
        test.cold = true;
        test.coming.clear();
        test.show.graphics_event(GraphicsEvent::Lost);
        remove(&mut test.show, left, deck);
        let step = test.frame(&[Command::PlayNow(wanted)]);
        assert!(step.cue.front.is_none());
        let first = test.show.decks_by_urgency()[0];
        let request = step.requests.iter().find(|request| request.deck == first).expect("a request");
        assert!(request.urgency == Urgency::Performer && request.warm_frames <= 4, "{request:?}");
        assert!(built_in().any(|preset| preset.id == request.preset && !preset.shaders));
        test.coming = vec![first];
        test.cold = false;
        test.frame(&[]);
        assert_eq!(test.playing(), request.preset, "the requested preset is not warm");
        let cause = test.log.iter().rev().find_map(|entry| match &entry.event {
            Event::Cut(cut) => Some(cut.cause),
            _ => None,
        });
        assert_eq!(cause, Some(Cause::Watch));
        test.coming = test.show.decks_by_urgency();
        test.frames(2);
        assert_eq!(test.playing(), wanted);
    }
}

#[test]
fn if_memory_runs_out_fewer_decks_are_kept_and_no_preset_is_blamed() {
    let mut test = TestShow::new();
    test.frames(100);
    test.frame(&[Command::Next]);
    test.frames(100);
    let playing = test.playing();
    test.show.graphics_event(GraphicsEvent::OutOfMemory);
    test.frames(30);
    assert_eq!((test.playing(), test.show.snapshot().up_next.len()), (playing, 1));
    assert!(test.show.decks.previous.is_none() && test.show.decks.spare.is_none());
    assert!(test.show.memory().excluded.is_empty() && !test.learnt().contains(&Signal::Failed));
    test.frame(&[Command::Next]);
    test.frames(100);
    assert!(test.playing() != playing && test.show.decks.previous.is_none());
    test.cold = true;
    test.features.scene.scene = Scene::Ambient;
    test.frames(60);
    assert!(test.show.decks.spare.is_none(), "a spare is kept although memory is low");
}
