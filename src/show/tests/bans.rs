//! A banned or excluded preset goes on air only if the performer asks for it, or if nothing else is left.

use super::*;
use crate::facts::Energy;
use crate::mind::Control;
use crate::mind::director::Pool;

#[test]
fn a_banned_or_excluded_preset_is_neither_the_safe_preset_nor_the_spare() {
    let mut test = TestShow::new();
    test.frames(20);
    for _ in 0..8 {
        let safe = test.safe();
        test.frame(&[Command::BanPreset(safe), Command::Panic]);
        test.frames(15);
        assert!(!test.show.memory().banned.contains(&test.playing()));
    }
    let excluded = test.safe();
    test.show.exclude(excluded, BanKind::Quality, "no such thing");
    test.frame(&[Command::Panic]);
    test.frames(15);
    assert_ne!(test.playing(), excluded);
    test.cold = true;
    test.features.scene.scene = Scene::Ambient;
    test.frames(60);
    let spare = test.show.decks.spare.as_ref().expect("a spare").id;
    test.frame(&[Command::BanPreset(spare), Command::Next]);
    assert!(test.playing() != spare && test.show.decks.spare.is_none());
}

#[test]
fn panic_shows_a_banned_preset_only_if_every_preset_is_banned() {
    let mut test = TestShow::new();
    test.frames(20);
    let all: Vec<PresetId> = test.show.library().entries.iter().map(|entry| entry.id).collect();
    test.frame(&all.iter().map(|id| Command::BanPreset(*id)).collect::<Vec<_>>());
    let before = test.playing();
    test.frames(30);
    assert_eq!(test.playing(), before, "nothing else may be shown");
    test.frame(&[Command::Panic]);
    test.frames(3);
    assert_ne!(test.playing(), before);
    assert!(test.show.snapshot().message.expect("a message").contains("which is banned"));
    let allowed = *all.iter().find(|id| ![before, test.playing()].contains(id)).expect("another");
    test.frame(&[Command::BanPreset(allowed), Command::Panic]);
    test.frames(3);
    assert_eq!(test.playing(), allowed);
}

#[test]
fn a_resumed_show_never_starts_with_a_banned_preset() {
    let groove = crate::library::built_in().filter(|preset| preset.energy() == Energy::Groove);
    let memory = ShowMemory { banned: groove.map(|preset| preset.id).collect(), ..ShowMemory::default() };
    let pool = Arc::new(Pool::new(Arc::new(Catalogue::built_in())));
    let mut test = TestShow::of(Show::with_memory(ShowSettings::default(), pool, memory.clone()));
    let state = test.show.resume_state();
    test.show.resume(&state);
    test.frames(5);
    assert!(!memory.banned.contains(&test.playing()));
}

#[test]
fn undoing_an_unban_removes_the_preset_from_up_next() {
    let mut test = TestShow::new();
    test.frames(20);
    test.cold = true;
    let card = test.show.snapshot().up_next[0].id;
    test.frame(&[Command::BanPreset(card), Command::BanPreset(card), Command::PlayNow(card)]);
    assert_eq!(test.show.snapshot().up_next[0].id, card);
    test.frame(&[Command::Undo]);
    assert!(test.show.snapshot().up_next.iter().all(|upcoming| upcoming.id != card));
}

#[test]
fn fusion_never_blends_in_a_banned_preset() {
    let mut test = TestShow::new();
    test.frames(20);
    let banned = test.show.decks.shown().expect("a deck").deck;
    let fuse = Command::Macro { control: Control::Fusion, value: Unipolar::ONE };
    test.frame(&[Command::Ban, fuse]);
    let fused: Vec<DeckId> =
        (0..90).filter_map(|_| test.frame(&[]).cue.second).map(|second| second.on_air.deck).collect();
    assert!(!fused.is_empty() && !fused.contains(&banned), "{fused:?}");
}

#[test]
fn presets_that_may_have_crashed_the_show_are_excluded_until_it_crashes_without_them() {
    let [on_air, coming] = [PresetId::of(b"a"), PresetId::of(b"b")];
    let mut test = TestShow::new();
    let mut state = ResumeState {
        history: vec![(on_air, "Feedback".into())],
        involved: vec![on_air, coming],
        ..test.show.resume_state()
    };
    test.show.resume(&state);
    assert!(test.show.memory().excluded.is_empty(), "the show was killed");
    state.crashed = true;
    test.show.resume(&state);
    let excluded = test.show.memory().excluded;
    assert!(excluded.len() == 2 && excluded.values().all(|exclusion| exclusion.kind == BanKind::Soft));
    assert!(test.show.snapshot().message.expect("a message").contains("may have crashed the show"));
    test.frames(5);
    let state = ResumeState { crashed: true, ..test.show.resume_state() };
    assert_eq!(state.suspects, [on_air, coming]);
    test.show.resume(&state);
    assert!(test.show.memory().excluded.is_empty(), "a built-in preset is never suspected");
}

#[test]
fn a_crash_before_the_first_picture_is_not_blamed_on_the_preset_shown_before() {
    let shown = PresetId::of(b"a");
    let mut test = TestShow::new();
    let killed = ResumeState {
        history: vec![(shown, "Feedback".into())],
        involved: vec![shown],
        ..test.show.resume_state()
    };
    test.show.resume(&killed);
    let state = ResumeState { crashed: true, ..test.show.resume_state() };
    test.show.resume(&state);
    assert!(test.show.memory().excluded.is_empty());
}

#[test]
fn undo_keeps_an_exclusion_that_came_after_the_mark() {
    let mut test = TestShow::new();
    test.frames(20);
    let marked = test.playing();
    test.frame(&[Command::Favourite]);
    test.show.exclude(marked, BanKind::Aesthetic, "black output");
    test.frame(&[Command::Undo]);
    let memory = test.show.memory();
    assert!(!memory.favourites.contains(&marked) && memory.excluded.contains_key(&marked));
}
