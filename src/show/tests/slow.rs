//! A preset that is far too slow leaves the air at once, whoever chose it, and no other preset is blamed.

use super::timeouts::{rig, rig_of};
use super::*;
use crate::library::PresetSource;
use crate::mind::Control;
use crate::pacing::Quality;
use crate::warmup::Urgency;

impl TestShow {
    fn on_air(&self) -> DeckId {
        self.show.decks.shown().expect("a deck").deck
    }

    fn condemn_slow(&mut self) {
        let deck = self.on_air();
        self.show.graphics_event(GraphicsEvent::TooSlow { deck });
    }
}

#[test]
fn a_preset_that_is_far_too_slow_is_not_drawn_again() {
    let mut test = TestShow::new();
    test.frames(60);
    let (slow, preset) = (test.on_air(), test.playing());
    test.condemn_slow();
    let cue = test.frame(&[]).cue;
    assert!(cue.fade.is_none() && cue.front.is_some_and(|front| front.deck != slow));
    assert!(test.show.memory().excluded[&preset].why.contains("too slow"));
    let fuse = Command::Macro { control: Control::Fusion, value: Unipolar::ONE };
    test.frame(&[fuse]);
    let drawn = (0..90).any(|_| test.frame(&[]).cue.second.is_some_and(|second| second.on_air.deck == slow));
    assert!(!drawn, "Fusion draws the slow deck again");
}

#[test]
fn no_command_crossfades_from_a_preset_that_is_far_too_slow() {
    for command in [Command::Next, Command::Ban, Command::Back, Command::Panic] {
        let mut test = TestShow::new();
        test.frames(60);
        test.frame(&[Command::Next]);
        test.frames(60);
        let slow = test.on_air();
        test.condemn_slow();
        let cue = test.frame(std::slice::from_ref(&command)).cue;
        let shown = cue.front.map(|front| front.deck);
        assert!(cue.fade.is_none() && shown != Some(slow), "{command:?}");
    }
}

#[test]
fn without_a_warm_deck_a_built_in_preset_soon_replaces_one_at_fault() {
    let faults: [fn(DeckId) -> GraphicsEvent; 2] =
        [|deck| GraphicsEvent::TooSlow { deck }, |deck| GraphicsEvent::NotFinite { deck }];
    for fault in faults {
        let mut test = TestShow::new();
        test.frames(60);
        test.cold = true;
        (0..3).for_each(|_| drop(test.frame(&[Command::Next])));
        let deck = test.on_air();
        test.show.graphics_event(fault(deck));
        let step = test.frame(&[]);
        assert_eq!(test.on_air(), deck, "nothing is warm");
        let [request] = &step.requests[..] else { panic!("{:?}", step.requests) };
        assert!(request.urgency == Urgency::Performer && request.warm_frames <= 4, "{request:?}");
        assert!(matches!(request.source, PresetSource::BuiltIn(_)));
        test.frames(30);
        assert_eq!(test.show.decks.safe.as_ref().map(|safe| safe.deck), Some(request.deck), "requested once");
        test.coming = vec![request.deck];
        test.cold = false;
        test.frame(&[]);
        assert_eq!(test.on_air(), request.deck);
    }
}

#[test]
fn a_preset_that_harms_the_show_is_replaced_whatever_the_performer_wants() {
    let harms: [fn(DeckId) -> GraphicsEvent; 2] =
        [|deck| GraphicsEvent::OverBudget { deck }, |deck| GraphicsEvent::TooSlow { deck }];
    for harm in harms {
        let mut test = TestShow::new();
        test.frames(60);
        let before = test.playing();
        let mut all = test.show.library().entries.iter().map(|entry| entry.id);
        let chosen = all.find(|id| *id != before).expect("another");
        test.show.exclude(chosen, BanKind::Soft, "black output");
        test.frame(&[Command::Rescue(chosen), Command::PlayNow(chosen), Command::Auto, Command::Hold]);
        test.frames(20);
        let deck = test.on_air();
        test.show.graphics_event(GraphicsEvent::NotFinite { deck });
        test.frames(3);
        assert_eq!(test.playing(), chosen, "a rescued preset with a faulty picture stays");
        test.show.graphics_event(harm(deck));
        test.frames(3);
        assert_ne!(test.playing(), chosen);
        assert!(test.show.memory().excluded.contains_key(&chosen));
    }
}

#[test]
fn of_two_decks_that_are_too_slow_together_only_one_is_drawn() {
    let mut test = TestShow::new();
    test.frames(60);
    assert!(test.frame(&[Command::Next]).cue.fade.is_some());
    let to = test.on_air();
    test.show.graphics_event(GraphicsEvent::SlowTogether);
    let cue = test.frame(&[]).cue;
    assert!(cue.fade.is_none() && cue.front.is_some_and(|front| front.deck == to), "the crossfade ends");

    test.frame(&[Command::Macro { control: Control::Fusion, value: Unipolar::ONE }, Command::Hold]);
    let fused = (0..90).find_map(|_| test.frame(&[]).cue.second).expect("a second deck").on_air.deck;
    test.show.graphics_event(GraphicsEvent::SlowTogether);
    let later: Vec<DeckId> =
        (0..60).filter_map(|_| test.frame(&[]).cue.second).map(|second| second.on_air.deck).collect();
    assert!(!later.contains(&fused), "{later:?}");
    assert_eq!(test.on_air(), to);
    assert!(test.show.memory().excluded.is_empty(), "no preset is blamed");
}

/// Plays `count` frames of a rig, the first of them with these commands.
fn play(rig: &mut Rig, commands: &[Command], count: usize) {
    let features = Features::default();
    for frame in 0..count {
        let commands = if frame == 0 { commands } else { &[] };
        rig.frame(&RigFrame { dt: DT, sound: &[], features: &features, commands });
    }
}

#[test]
fn code_is_judged_only_in_frames_that_are_drawn() {
    let text = b"per_frame_1=loop(1000000,loop(1000000,n+=1));";
    let library = Catalogue::of_one("endless.milk".as_ref(), Arc::new(*text));
    let settings = ShowSettings { fps: 30.0, warm_frames: 0, safe_preset: false, ..ShowSettings::default() };
    let Some(mut rig) = rig_of(settings, library) else { return };
    play(&mut rig, &[], 3);
    play(&mut rig, &[Command::Freeze], 90);
    assert!(rig.show.memory().excluded.is_empty(), "nothing was drawn");
    play(&mut rig, &[Command::Freeze], 60);
    let excluded = rig.show.memory().excluded;
    assert!(excluded.values().any(|exclusion| exclusion.why.contains("budget")), "{excluded:?}");
}

#[test]
fn a_frame_longer_than_the_hold_does_not_end_the_hold() {
    let Some(mut rig) = rig() else { return };
    play(&mut rig, &[], 1);
    let deck = rig.show.decks.shown().expect("a deck").deck;
    let drawn: DrawnDecks = [deck].into_iter().collect();
    let mut judge = || rig.watch_time(5.5, DT, &drawn, Quality::SMALLEST, 0);
    assert_eq!([judge(), judge()], [Slowness::Suspicious, Slowness::Replaced]);
    rig.advance_watch(5.5);
    assert!(rig.deck_watch.holds_picture(), "the slow deck is drawn again");
}
