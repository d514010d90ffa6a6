//! Tests of the show, with decks that become warm under the test's control.

mod bans;
mod device;
mod library;
mod slow;
mod timeouts;

use std::sync::Arc;

use super::setlog::{Cause, Entry, Event};
use super::*;
use crate::analysis::{Features, Scene, Section};
use crate::facts::PresetId;
use crate::library::Catalogue;
use crate::milk::PresetAudio;
use crate::mind::taste::Signal;
use crate::stage::{DeckId, DeckLook, PictureStats};
use crate::store::BanKind;
use crate::units::{Seconds, Tempo, Unipolar};
use crate::warmup::PrepareTimes;

const DT: f64 = 1.0 / 30.0;

/// A show whose decks become warm one frame after they are requested, unless `cold` is set.
struct TestShow {
    show: Show,
    features: Features,
    cold: bool,
    picture_stats: Option<PictureStats>,
    coming: Vec<DeckId>,
    /// Returns the look of a deck's picture once it is warm.
    looks: Box<dyn Fn(DeckId) -> Option<DeckLook>>,
    log: Vec<Entry>,
}

impl TestShow {
    fn new() -> Self {
        Self::of(Show::new(
            ShowSettings { fps: 30.0, ..ShowSettings::default() },
            Arc::new(Catalogue::built_in()),
        ))
    }

    fn of(show: Show) -> Self {
        let mut features = Features::default();
        features.scene.scene = Scene::Techno;
        let looks = Box::new(|_| None);
        Self { show, features, cold: false, picture_stats: None, coming: Vec::new(), looks, log: Vec::new() }
    }

    fn frame(&mut self, commands: &[Command]) -> Step {
        let ready = if self.cold { Vec::new() } else { std::mem::take(&mut self.coming) };
        let arrived: Vec<Arrived> = ready
            .iter()
            .map(|&deck| Arrived {
                deck,
                problems: Vec::new(),
                look: (self.looks)(deck),
                took: PrepareTimes::default(),
            })
            .collect();
        self.features.at = self.features.at + Seconds(DT);
        let step = self.show.step(&StepInput {
            dt: DT,
            audio: &PresetAudio::default().into(),
            features: &self.features,
            commands,
            arrived: &arrived,
            failed: &[],
            picture_stats: self.picture_stats,
        });
        self.coming.extend(step.requests.iter().map(|request| request.deck));
        self.log.extend(self.show.take_log());
        step
    }

    fn frames(&mut self, count: usize) {
        (0..count).for_each(|_| drop(self.frame(&[])));
    }

    fn playing(&self) -> PresetId {
        self.show.snapshot().playing.expect("a preset on air").id
    }

    fn safe(&self) -> PresetId {
        self.show.decks.safe.as_ref().expect("a safe preset").id
    }

    fn learnt(&self) -> Vec<Signal> {
        let signal = |entry: &Entry| match &entry.event {
            Event::Learnt { signal, .. } => Some(*signal),
            _ => None,
        };
        self.log.iter().filter_map(signal).collect()
    }
}

#[test]
fn next_cuts_in_the_same_frame_repeatedly() {
    let mut test = TestShow::new();
    test.frames(40);
    for press in 0..3 {
        let before = test.playing();
        test.cold = true; // No deck becomes warm between the presses.
        let step = test.frame(&[Command::Next]);
        assert_ne!(test.playing(), before, "press {press}");
        assert!(step.cue.fade.is_some(), "press {press}");
    }
    assert_eq!(test.learnt(), [Signal::Skip; 3]);
}

#[test]
fn next_without_a_warm_deck_cuts_as_soon_as_one_is_warm() {
    let mut test = TestShow::new();
    test.cold = true;
    test.frames(3);
    assert!(!test.show.playing());
    test.cold = false;
    test.frames(30);
    test.cold = true;
    for _ in 0..6 {
        test.frame(&[Command::Next]);
    }
    let before = test.playing();
    test.frames(30);
    assert_eq!(test.playing(), before, "nothing is warm");
    test.cold = false;
    test.frames(2);
    assert_ne!(test.playing(), before);
}

#[test]
fn candidates_follow_the_scene_and_the_cut_waits_for_them() {
    let mut test = TestShow::new();
    test.frames(150);
    test.features.scene.scene = Scene::Ambient;
    test.cold = true;
    test.frames(60);
    let snapshot = test.show.snapshot();
    assert!(
        snapshot
            .up_next
            .iter()
            .all(|upcoming| !upcoming.warm && upcoming.reason.summary.starts_with("Ambient"))
    );
    assert!(snapshot.waiting.is_some(), "the cut waits for a deck");
    let before = test.playing();
    test.cold = false;
    test.frames(3);
    assert_ne!(test.playing(), before);
    let cut = test.log.iter().rev().find_map(|entry| match &entry.event {
        Event::Cut(cut) => Some(cut),
        _ => None,
    });
    let cut = cut.expect("a cut");
    assert_eq!(cut.target.expect("chosen").scene, Scene::Ambient);
    assert!(matches!(cut.cause, Cause::Music(_)));
}

#[test]
fn hold_keeps_the_preset_and_counts_once() {
    let mut test = TestShow::new();
    test.frames(10);
    let before = test.playing();
    test.frame(&[Command::Hold]);
    test.frames(60 * 30);
    assert_eq!(test.playing(), before);
    test.frame(&[Command::Hold]);
    test.frames(75);
    assert_ne!(test.playing(), before, "cut after the release");
    assert_eq!(test.learnt(), [Signal::Hold], "not also counted as watched");
}

#[test]
fn the_audio_of_a_frame_is_shared_with_the_cue() {
    let mut test = TestShow::new();
    let audio = Arc::default();
    let step = test.show.step(&StepInput {
        dt: DT,
        audio: &audio,
        features: &Features::default(),
        commands: &[],
        arrived: &[],
        failed: &[],
        picture_stats: None,
    });
    assert!(Arc::ptr_eq(&audio, &step.cue.audio));
}

#[test]
fn layers_do_not_age_while_the_picture_is_frozen() {
    let mut test = TestShow::new();
    test.frame(&[Command::Sprite(3)]);
    test.frame(&[Command::Freeze]);
    test.frames(30);
    let mut age = |commands: &[Command]| test.frame(commands).cue.layers[0].age_secs;
    assert_eq!([age(&[]), age(&[Command::Freeze]), age(&[])], [DT, DT, DT * 2.0]);
}

#[test]
fn a_hold_is_learnt_with_its_length_and_a_short_hold_is_ignored() {
    let held = |frames: usize| {
        let mut test = TestShow::new();
        test.frames(10);
        test.frame(&[Command::Hold]);
        test.frames(frames);
        test.frame(&[Command::Hold]);
        let length = |entry: &Entry| match &entry.event {
            Event::Learnt { signal: Signal::Hold, held_secs, .. } => *held_secs,
            _ => None,
        };
        test.log.iter().find_map(length)
    };
    assert_eq!(held(20), None);
    let (short, long) = (held(300).expect("learnt"), held(1500).expect("learnt"));
    assert!((short - 301.0 * DT).abs() < 1e-6 && (long - 1501.0 * DT).abs() < 1e-6, "{short} {long}");
    // A held preset that leaves the air counts as held until then, not as skipped.
    let mut test = TestShow::new();
    test.frames(10);
    test.frame(&[Command::Hold]);
    test.frames(600);
    test.frame(&[Command::Next]);
    assert_eq!(test.learnt(), [Signal::Hold]);
}

#[test]
fn macros_are_logged_once_a_second_if_enabled() {
    let log = |log_macros| {
        let settings = ShowSettings { fps: 30.0, log_macros, ..ShowSettings::default() };
        let mut test = TestShow::of(Show::new(settings, Arc::new(Catalogue::built_in())));
        test.frames((5.0 / DT) as usize);
        test.log.iter().filter(|entry| matches!(entry.event, Event::Macros { .. })).count()
    };
    assert_eq!(log(false), 0);
    assert!((5..=6).contains(&log(true)), "{}", log(true));
}

#[test]
fn panic_cuts_to_the_safe_preset_and_back_returns() {
    let mut test = TestShow::new();
    test.frames(20);
    let (before, safe) =
        (test.playing(), test.show.snapshot().safe_preset.expect("a safe preset is kept warm"));
    test.frame(&[Command::Panic]);
    assert_eq!(test.show.snapshot().playing.expect("safe").name, safe);
    test.frames(20);
    test.frame(&[Command::Back]);
    assert_eq!(test.playing(), before);
}

#[test]
fn panic_always_changes_the_picture() {
    let mut test = TestShow::of(Show::new(ShowSettings::default(), Arc::new(Catalogue::default())));
    test.frames(5);
    for _ in 0..40 {
        let before = test.playing();
        test.frame(&[Command::Panic]);
        test.frames(3);
        assert_ne!(test.playing(), before);
    }
    let mut test = TestShow::new();
    test.frames(20);
    let safe = test.safe();
    test.frame(&[Command::PlayNow(safe)]);
    test.frames(3);
    assert!(test.playing() == safe && test.safe() != safe);
}

#[test]
fn bans_and_favourites_are_remembered() {
    let mut test = TestShow::new();
    test.frames(20);
    let banned = test.playing();
    test.frame(&[Command::Ban]);
    assert_ne!(test.playing(), banned, "a banned preset leaves at once");
    let liked = test.playing();
    test.frame(&[Command::Favourite]);
    let mut memory = ShowMemory::default();
    test.show.changed_memory().expect("a changed memory").apply(&mut memory);
    assert_eq!(memory, test.show.memory());
    assert!(memory.banned.contains(&banned) && memory.favourites.contains(&liked));
    assert!(test.show.changed_memory().is_none(), "reported twice");
    let text = serde_json::to_string(&memory).expect("plain data");
    let memory: ShowMemory = serde_json::from_str(&text).expect("a round trip");
    let pool = Arc::new(crate::mind::director::Pool::new(Arc::new(Catalogue::built_in())));
    let mut again = TestShow::of(Show::with_memory(ShowSettings::default(), pool, memory.clone()));
    for _ in 0..60 {
        again.frame(&[Command::Next]);
        again.frames(3);
        assert_ne!(again.playing(), banned);
    }
    assert!(again.show.memory().favourites.contains(&liked));
}

#[test]
fn an_unplayable_preset_is_excluded_and_reported() {
    let mut test = TestShow::new();
    let step = test.frame(&[]);
    let failed: Vec<_> = step
        .requests
        .iter()
        .map(|request| Failed { deck: request.deck, kind: BanKind::Quality, why: "no such thing".to_owned() })
        .collect();
    let named = test.show.snapshot().up_next[0].id;
    test.show.step(&StepInput {
        dt: DT,
        audio: &PresetAudio::default().into(),
        features: &Features::default(),
        commands: &[],
        arrived: &[],
        failed: &failed,
        picture_stats: None,
    });
    assert!(test.show.snapshot().message.expect("a message").contains("no such thing"));
    assert!(test.show.memory().excluded.contains_key(&named));
    assert!(test.show.snapshot().up_next.iter().all(|upcoming| upcoming.id != named));
    test.frame(&[Command::PlayNow(named)]);
    test.frames(40);
    assert_ne!(test.playing(), named, "an excluded preset plays");
    let step = test.frame(&[Command::Rescue(named), Command::PlayNow(named)]);
    let request = step.requests.iter().find(|request| request.preset == named).expect("a request");
    assert!(request.admitted, "a rescued preset skips the audit");
    test.frames(3);
    assert_eq!(test.playing(), named, "a rescued preset plays at once");
    assert!(!test.show.memory().excluded.contains_key(&named));
    assert!(test.show.memory().rescued.contains(&named));
}

#[test]
fn an_empty_library_shows_a_built_in_preset() {
    let mut test = TestShow::of(Show::new(ShowSettings::default(), Arc::new(Catalogue::default())));
    test.frames(5);
    assert!(test.show.playing());
    test.frame(&[Command::Next]);
    test.frames(60 * 60);
    assert!(test.show.playing());
}

#[test]
fn every_deck_is_retired() {
    let mut test = TestShow::new();
    let mut alive = std::collections::BTreeSet::new();
    for frame in 0..3000 {
        test.features.scene.scene = if frame / 250 % 2 == 0 { Scene::Techno } else { Scene::Ambient };
        let commands: &[Command] = match frame % 97 {
            3 => &[Command::Next],
            50 => &[Command::Back],
            70 => &[Command::Panic],
            _ => &[],
        };
        let arriving = test.coming.clone();
        let step = test.frame(commands);
        alive.extend(arriving);
        step.retired.iter().for_each(|deck| {
            assert!(alive.remove(deck), "{deck:?} was retired before it arrived");
        });
        assert!(alive.len() <= 7, "{} decks alive", alive.len());
    }
}

#[test]
fn equal_seeds_give_equal_logs() {
    let run = || {
        let mut test = TestShow::new();
        test.frames(2000);
        test.frame(&[Command::Next]);
        test.frames(2000);
        test.log
    };
    let log = run();
    assert_eq!(log, run());
    assert!(log.iter().filter(|entry| matches!(entry.event, Event::Cut(_))).count() >= 3);
}

#[test]
fn only_changes_need_a_new_snapshot_of_the_history_or_a_new_saved_state() {
    let mut test = TestShow::new();
    test.frames(20);
    let (history, state) = (test.show.snapshot().history, test.show.resume_state());
    test.frames(5);
    assert!(Arc::ptr_eq(&history, &test.show.snapshot().history) && test.show.would_resume(&state));
    for command in [
        Command::Hold,
        Command::Auto,
        Command::Blackout,
        Command::Dwell(0.5),
        Command::Theme("deep sea".into()),
        Command::SetTitle("Live".into()),
        Command::Adventure(Unipolar::new(0.77)),
        Command::Next,
    ] {
        let before = test.show.resume_state();
        test.frame(std::slice::from_ref(&command));
        let after = test.show.resume_state();
        assert!(!test.show.would_resume(&before) && test.show.would_resume(&after), "{command:?}");
    }
    test.frame(&[Command::Favourite]);
    let favourite = test.show.snapshot().history[0].clone();
    assert!(favourite.id == test.playing() && favourite.favourite);
}

#[test]
fn a_new_theme_keeps_the_presets_that_the_performer_requested() {
    let mut test = TestShow::new();
    test.frames(20);
    let queue = |test: &TestShow| -> Vec<PresetId> {
        test.show.decks.candidates.iter().map(|slot| slot.id).collect()
    };
    let (playing, queued) = (test.playing(), queue(&test));
    let mut others = test.show.library().entries.iter().map(|entry| entry.id);
    let wanted = others.find(|id| *id != playing && !queued.contains(id)).expect("another");
    test.cold = true;
    test.frame(&[Command::PlayNow(wanted), Command::Theme(" deep sea \n".into())]);
    assert_eq!((test.show.theme(), queue(&test).len()), ("deep sea", 2));
    let themed = test.show.pool().with_theme(None);
    test.show.change_library(Arc::new(themed));
    assert_eq!(queue(&test), [wanted]);
    test.cold = false;
    test.frames(5);
    assert_eq!(test.playing(), wanted);
    assert!(test.log.iter().any(|entry| matches!(entry.event, Event::Library { .. })));
}

#[test]
fn a_requested_preset_plays_even_if_the_music_changes() {
    let mut test = TestShow::new();
    test.frames(20);
    let playing = test.playing();
    let wanted = test.show.library().entries.iter().map(|entry| entry.id).find(|id| *id != playing);
    let wanted = wanted.expect("more than one");
    test.cold = true;
    test.frame(&[Command::PlayNow(wanted)]);
    test.features.scene.scene = Scene::Rock;
    test.frames(5);
    let deck = *test.coming.first().expect("in preparation");
    test.show.cancel_request(deck); // The request failed.
    test.coming.clear();
    test.frames(2);
    test.cold = false;
    test.frames(2);
    assert_eq!(test.playing(), wanted);
    assert!(test.learnt().is_empty(), "being replaced by a request is not feedback");
}

#[test]
fn cuts_follow_the_scenes_and_beats_of_a_medley() {
    // Twelve minutes of music; each change of scene is detected four seconds late.
    let medley = [(Scene::Techno, 128.0), (Scene::Ambient, 0.0), (Scene::Rock, 96.0), (Scene::Techno, 140.0)];
    let (piece_frames, late_frames) = (90 * 30, 4 * 30);
    let mut test = TestShow::new();
    test.features.beat.confidence = Unipolar::ONE;
    let mut matching = Vec::new();
    let mut off_beat = Vec::new();
    for frame in 0..8 * piece_frames {
        let (truth, _) = medley[frame / piece_frames % medley.len()];
        let (detected, bpm) = medley[frame.saturating_sub(late_frames) / piece_frames % medley.len()];
        test.features.scene.scene = detected;
        test.features.section = if detected == Scene::Ambient { Section::Calm } else { Section::Groove };
        test.features.beat.tempo = Tempo::new(bpm);
        test.features.beat.confidence = if bpm > 0.0 { Unipolar::ONE } else { Unipolar::ZERO };
        let before = test.log.len();
        test.frame(&[]);
        for entry in &test.log[before..] {
            if let Event::Cut(cut) = &entry.event
                && matches!(cut.cause, Cause::Music(_))
            {
                matching.push(cut.target.expect("chosen").scene == truth);
                off_beat.extend(cut.off_beat_secs.map(f64::abs));
            }
        }
    }
    let share = matching.iter().filter(|matches| **matches).count() as f64 / matching.len() as f64;
    assert!(matching.len() >= 16 && share >= 0.9, "{share} of {} cuts match the music", matching.len());
    assert!(off_beat.len() >= 10 && off_beat.iter().all(|off| *off <= 0.0171), "{off_beat:?}");
}

#[test]
fn an_empty_picture_is_dismissed_only_in_auto_mode() {
    let mut test = TestShow::new();
    test.frames(10);
    test.frame(&[Command::Auto]);
    test.picture_stats = Some(PictureStats::default());
    let chosen = test.playing();
    test.frames(200);
    assert_eq!(test.playing(), chosen, "auto is off");
    assert!(test.show.memory().excluded.is_empty());
    test.frame(&[Command::Auto]);
    test.frames(120);
    assert_ne!(test.playing(), chosen);
    let exclusion = &test.show.memory().excluded[&chosen];
    assert_eq!(exclusion.kind, BanKind::Aesthetic);
}

#[test]
fn slow_presets_do_not_leave_the_output_black() {
    let mut test = TestShow::new();
    test.cold = true;
    test.frames(30);
    let ordered = test.coming.len();
    test.frames(60);
    assert_eq!(test.coming.len(), ordered + 1, "a safe preset is requested");
    test.coming.drain(..ordered);
    test.cold = false;
    test.frames(3);
    assert!(test.show.playing(), "the safe preset goes on air");
}

const DIM: DeckLook = DeckLook { luma: 0.04, darkest: 0.0, coverage: 0.5 };
const LIGHT: DeckLook = DeckLook { luma: 0.3, darkest: 0.1, coverage: 0.9 };

#[test]
fn panic_never_shows_a_dim_favourite() {
    for count in [3, 6, 12] {
        panic_shows_none_of_the_dim_favourites(count);
    }
}

fn panic_shows_none_of_the_dim_favourites(count: usize) {
    let mut test = TestShow::new();
    test.frames(20);
    let favourites: Vec<PresetId> =
        test.show.library().entries.iter().map(|entry| entry.id).take(count).collect();
    let mark: Vec<Command> = favourites.iter().map(|id| Command::FavouritePreset(*id)).collect();
    test.frame(&mark);
    // The favourites are dim and all other presets light, whichever of them is prepared as the safe preset.
    let dim = std::rc::Rc::new(std::cell::RefCell::new(std::collections::BTreeMap::new()));
    let known = dim.clone();
    test.looks = Box::new(move |deck| known.borrow().get(&deck).copied());
    // The first Panic uses up the safe preset that was chosen before.
    for frame in 0..60 {
        let step = test.frame(if frame == 0 { &[Command::Panic] } else { &[] });
        for request in step.requests {
            let look = if favourites.contains(&request.preset) { DIM } else { LIGHT };
            dim.borrow_mut().insert(request.deck, look);
        }
    }
    test.frame(&[Command::Panic]);
    assert!(!favourites.contains(&test.playing()), "one of {count} dim favourites");
    test.frames(20);
    assert!(test.show.snapshot().safe_preset.is_some());
}

#[test]
fn twenty_marks_can_be_undone_together_with_what_was_learnt() {
    let mut test = TestShow::new();
    test.frames(20);
    let before = test.show.memory();
    let presets: Vec<PresetId> = test.show.library().entries.iter().map(|entry| entry.id).take(10).collect();
    for id in &presets {
        test.frame(&[Command::FavouritePreset(*id)]);
        test.frame(&[Command::BanPreset(*id)]);
    }
    let undo = test.show.snapshot().undo.expect("something to undo");
    assert!(undo.what.starts_with("Banned ") && test.show.snapshot().now - undo.at < 1.0, "{undo:?}");
    assert_eq!(test.show.memory().banned.len(), presets.len());
    for _ in 0..2 * presets.len() {
        test.frame(&[Command::Undo]);
    }
    let after = test.show.memory();
    assert_eq!((&after.banned, &after.favourites), (&before.banned, &before.favourites));
    assert_eq!(test.show.snapshot().undo, None);
    test.frame(&[Command::Undo]);
    assert!(test.show.snapshot().message.expect("a message").contains("nothing to undo"));
}

#[test]
fn undo_reverts_a_ban_on_air_and_a_removal_from_up_next() {
    let mut test = TestShow::new();
    test.frames(20);
    let taste = |test: &TestShow| {
        let director = &test.show.director;
        let index = director.pool.index_of(test.show.library().entries[0].id).expect("listed");
        director.taste.expected(&director.evidence_of(index, &test.show.target()))
    };
    let (banned, expected) = (test.playing(), taste(&test));
    test.frame(&[Command::Ban]);
    test.frame(&[Command::Undo]);
    assert!(!test.show.memory().banned.contains(&banned) && (taste(&test) - expected).abs() < 1e-9);
    assert_ne!(test.playing(), banned, "undo does not change the picture");

    test.frames(5);
    let card = test.show.snapshot().up_next[0].id;
    test.frame(&[Command::Veto(card)]);
    assert!(test.show.snapshot().up_next.iter().all(|upcoming| upcoming.id != card));
    test.frame(&[Command::Undo]);
    assert_eq!(test.show.snapshot().up_next[0].id, card);
    assert!(test.show.snapshot().up_next.len() <= 2);
}

#[test]
fn presets_that_an_audit_rejected_are_only_played_after_a_rescue() {
    let mut library = Catalogue::built_in();
    let kept = library.entries.len() - 6;
    library.rejected =
        Arc::new(library.entries[..kept].iter().map(|entry| (entry.id, "too dark".to_owned())).collect());
    let rejected = library.rejected.clone();
    let mut test = TestShow::of(Show::new(
        ShowSettings { safe_preset: false, ..ShowSettings::default() },
        Arc::new(library),
    ));
    for _ in 0..40 {
        test.frames(5);
        assert!(!rejected.contains_key(&test.playing()), "a rejected preset plays");
        test.frame(&[Command::Next]);
    }
    let id = *rejected.keys().next().expect("rejected");
    test.frame(&[Command::PlayNow(id)]);
    assert!(test.show.snapshot().message.expect("a message").contains("excluded"));
    test.frame(&[Command::Rescue(id), Command::PlayNow(id)]);
    test.frames(5);
    assert_eq!(test.playing(), id);
    test.frame(&[Command::Undo]);
    assert!(!test.show.memory().rescued.contains(&id));
}

#[test]
fn presets_that_the_performer_plays_although_an_audit_rejected_them_skip_the_audit() {
    let mut library = Catalogue::built_in();
    library.forgiven = Arc::new(library.entries.iter().map(|entry| (entry.id, "hang".to_owned())).collect());
    let mut test = TestShow::of(Show::new(ShowSettings::default(), Arc::new(library)));
    let all_admitted = |test: &mut TestShow| {
        let requests: Vec<_> = (0..30).flat_map(|_| test.frame(&[]).requests).collect();
        !requests.is_empty() && requests.iter().all(|request| request.admitted)
    };
    assert!(all_admitted(&mut test));
    let themed = test.show.pool().with_theme(None);
    test.show.change_library(Arc::new(themed));
    assert!(all_admitted(&mut test), "a new theme");
}

#[test]
fn a_resumed_show_starts_with_a_safe_preset_and_continues_with_its_queue() {
    let mut test = TestShow::new();
    test.frames(100);
    test.frame(&[Command::Next]);
    test.frames(100);
    test.frame(&[Command::Dwell(2.0), Command::Profile(crate::mind::Profile::Dub), Command::Sprite(3)]);
    test.frame(&[Command::Theme("deep sea".into())]);
    let state = test.show.resume_state();
    assert!(state.history.len() == 2 && state.queue.len() == 2, "{state:?}");
    let mut again = TestShow::new();
    again.show.resume(&state);
    let step = again.frame(&[]);
    assert_eq!(step.requests.len(), 1, "the safe preset comes first");
    let safe = step.requests[0].preset;
    again.frames(2);
    assert_eq!(again.playing(), safe);
    let snapshot = again.show.snapshot();
    assert_eq!(snapshot.up_next.iter().map(|next| next.id).collect::<Vec<_>>(), state.queue);
    assert!(snapshot.now > state.now && snapshot.history.len() == 3);
    assert_eq!(again.show.resume_state().macros, state.macros);
    assert_eq!((again.show.resume_state().dwell, again.show.theme()), (2.0, "deep sea"));
    let [before, now] = [&state, &again.show.resume_state()].map(|state| state.layers.clone());
    assert!(before.len() == 1 && before[0].age_secs > 0.0, "{before:?}");
    assert!(
        now.len() == 1 && now[0].age_secs > before[0].age_secs && now[0].seed == before[0].seed,
        "{now:?}"
    );
}

#[test]
fn a_deck_that_shows_nothing_is_set_aside_while_music_plays() {
    let mut test = TestShow::new();
    test.frames(60);
    test.cold = true;
    test.frame(&[Command::Next]);
    let empty = *test.coming.last().expect("a request");
    assert!(test.show.set_aside(empty));
    test.frame(&[]);
    assert!(!test.show.decks_by_urgency().contains(&empty));
    assert_eq!(test.show.snapshot().up_next.len(), 2, "another one is chosen");
    assert!(test.show.memory().excluded.is_empty() && !test.learnt().contains(&Signal::Failed));
    let next = *test.coming.last().expect("a request");
    test.features.silent = true;
    test.frame(&[]);
    assert!(!test.show.set_aside(next), "without music it may be dark");
    test.features.silent = false;
    test.frame(&[]);
    let refused = (0..8).filter(|_| {
        let next = *test.coming.last().expect("a request");
        let aside = test.show.set_aside(next);
        test.frame(&[]);
        !aside
    });
    assert!(refused.count() >= 4, "the fifth in a row is kept");
}

#[test]
fn a_safe_preset_that_shows_nothing_is_not_chosen_again() {
    let mut test = TestShow::new();
    test.frames(60);
    test.cold = true;
    for _ in 0..4 {
        test.frame(&[Command::Panic]);
        test.coming.clear();
        test.frame(&[]);
        let safe = test.show.decks.safe.as_ref().expect("a safe preset");
        let (deck, preset) = (safe.deck, safe.id);
        assert!(!safe.warm && test.show.set_aside(deck));
        test.frame(&[]);
        assert_ne!(test.safe(), preset);
        assert!(!test.show.unfit.may_be_safe(preset, false));
    }
}

#[test]
fn a_preset_over_its_budget_leaves_the_air_and_the_log_names_the_watch_as_the_cause() {
    let mut test = TestShow::new();
    test.frames(60);
    let guilty = test.playing();
    let deck = test.show.decks.shown().expect("a deck").deck;
    test.show.graphics_event(GraphicsEvent::OverBudget { deck });
    test.frames(2);
    assert_ne!(test.playing(), guilty);
    let excluded = test.show.memory().excluded;
    assert!(excluded[&guilty].why.contains("budget"), "{excluded:?}");
    let causes: Vec<Cause> = test
        .log
        .iter()
        .filter_map(|entry| match &entry.event {
            Event::Cut(cut) => Some(cut.cause),
            _ => None,
        })
        .collect();
    assert_eq!(causes, [Cause::Start, Cause::Watch]);
    assert!(test.learnt().is_empty(), "{:?}", test.learnt());
}

#[test]
fn an_input_delay_moves_what_is_heard_when_a_frame_is_displayed_and_outlives_a_restart() {
    let mut test = TestShow::new();
    test.frames(10);
    let ahead = |show: &Show| (show.display_time() - show.audio_now).0;
    let before = ahead(&test.show);
    for (milliseconds, secs) in [(40.0, 0.04), (-20.0, -0.02), (900.0, 0.5)] {
        test.frame(&[Command::InputDelay(milliseconds)]);
        assert!((ahead(&test.show) - before - secs).abs() < 1e-6, "{milliseconds}");
        let mut again = TestShow::new();
        again.show.resume(&test.show.resume_state());
        assert!((ahead(&again.show) - before - secs).abs() < 1e-6, "{milliseconds} after a restart");
    }
}
