//! A preset that is far too slow leaves the air at once, and no other preset is blamed.

use super::*;
use crate::mind::Control;

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
