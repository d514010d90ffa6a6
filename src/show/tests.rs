//! Facts about the show, with decks that become ready when the test says so.

use std::sync::Arc;

use super::setlog::{Cause, Entry, Event};
use super::*;
use crate::analysis::{Features, Scene, Section};
use crate::library::{BanKind, Catalogue, PresetId};
use crate::milk::PresetAudio;
use crate::mind::taste::Signal;
use crate::stage::{DeckId, PictureStats};
use crate::units::{Seconds, Tempo, Unipolar};

const DT: f64 = 1.0 / 30.0;

/// A show whose decks are ready one frame after they were wished for, unless `cold`.
struct Stagehand {
    show: Show,
    features: Features,
    cold: bool,
    picture_stats: Option<PictureStats>,
    coming: Vec<DeckId>,
    log: Vec<Entry>,
}

impl Stagehand {
    fn new() -> Self {
        Self::of(Show::new(
            ShowSettings { fps: 30.0, ..ShowSettings::default() },
            Arc::new(Catalogue::built_in()),
        ))
    }

    fn of(show: Show) -> Self {
        let mut features = Features::default();
        features.scene.scene = Scene::Techno;
        Self { show, features, cold: false, picture_stats: None, coming: Vec::new(), log: Vec::new() }
    }

    fn frame(&mut self, commands: &[Command]) -> Step {
        let ready = if self.cold { Vec::new() } else { std::mem::take(&mut self.coming) };
        let arrived: Vec<Arrived> = ready
            .iter()
            .map(|&deck| Arrived { deck, problems: Vec::new(), took: PrepareTimes::default() })
            .collect();
        self.features.at = self.features.at + Seconds(DT);
        let step = self.show.step(&StepInput {
            dt: DT,
            heard: &PresetAudio::default(),
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
        self.show.snapshot().playing.expect("something plays").id
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
fn next_acts_in_the_same_frame_again_and_again() {
    let mut hand = Stagehand::new();
    hand.frames(40);
    for press in 0..3 {
        let before = hand.playing();
        hand.cold = true; // Nothing more becomes ready between the presses.
        let step = hand.frame(&[Command::Next]);
        assert_ne!(hand.playing(), before, "press {press}");
        assert!(step.cue.fade.is_some(), "press {press}");
    }
    assert_eq!(hand.learnt(), [Signal::Skip; 3]);
}

#[test]
fn next_with_nothing_warm_acts_the_moment_something_is() {
    let mut hand = Stagehand::new();
    hand.cold = true;
    hand.frames(3);
    assert!(!hand.show.playing());
    hand.cold = false;
    hand.frames(30);
    hand.cold = true;
    for _ in 0..6 {
        hand.frame(&[Command::Next]);
    }
    let before = hand.playing();
    hand.frames(30);
    assert_eq!(hand.playing(), before, "nothing is warm");
    hand.cold = false;
    hand.frames(2);
    assert_ne!(hand.playing(), before);
}

#[test]
fn candidates_follow_the_scene_and_the_cut_waits_for_them() {
    let mut hand = Stagehand::new();
    hand.frames(150);
    hand.features.scene.scene = Scene::Ambient;
    hand.cold = true;
    hand.frames(60);
    let snapshot = hand.show.snapshot();
    assert!(
        snapshot
            .up_next
            .iter()
            .all(|upcoming| !upcoming.warm && upcoming.reason.summary.starts_with("Ambient"))
    );
    assert!(snapshot.waiting.is_some(), "the change waits for a deck");
    let before = hand.playing();
    hand.cold = false;
    hand.frames(3);
    assert_ne!(hand.playing(), before);
    let cut = hand.log.iter().rev().find_map(|entry| match &entry.event {
        Event::Cut(cut) => Some(cut),
        _ => None,
    });
    let cut = cut.expect("a cut");
    assert_eq!(cut.target.expect("chosen").scene, Scene::Ambient);
    assert!(matches!(cut.cause, Cause::Music(_)));
}

#[test]
fn hold_keeps_the_picture_and_pleases_once() {
    let mut hand = Stagehand::new();
    hand.frames(10);
    let before = hand.playing();
    hand.frame(&[Command::Hold]);
    hand.frames(60 * 30);
    assert_eq!(hand.playing(), before);
    hand.frame(&[Command::Hold]);
    hand.frames(75);
    assert_ne!(hand.playing(), before, "released, it had its time");
    assert_eq!(hand.learnt(), [Signal::Hold], "not watched as well");
}

#[test]
fn panic_cuts_to_safety_at_once_and_back_returns() {
    let mut hand = Stagehand::new();
    hand.frames(20);
    let (before, refuge) = (hand.playing(), hand.show.snapshot().refuge.expect("a safe picture is kept"));
    hand.frame(&[Command::Panic]);
    assert_eq!(hand.show.snapshot().playing.expect("safe").name, refuge);
    hand.frames(20);
    hand.frame(&[Command::Back]);
    assert_eq!(hand.playing(), before);
}

#[test]
fn a_ban_is_for_good_and_a_favourite_is_remembered() {
    let mut hand = Stagehand::new();
    hand.frames(20);
    let banned = hand.playing();
    hand.frame(&[Command::Ban]);
    assert_ne!(hand.playing(), banned, "it leaves at once");
    let liked = hand.playing();
    hand.frame(&[Command::Favourite]);
    let memory = hand.show.changed_memory().expect("something to remember");
    assert!(memory.banned.contains(&banned) && memory.favourites.contains(&liked));
    assert!(hand.show.changed_memory().is_none(), "told once");
    let text = serde_json::to_string(&memory).expect("plain data");
    let memory: ShowMemory = serde_json::from_str(&text).expect("what was written");
    let pool = Arc::new(crate::mind::director::Pool::new(Arc::new(Catalogue::built_in())));
    let mut again = Stagehand::of(Show::remembering(ShowSettings::default(), pool, memory.clone()));
    for _ in 0..60 {
        again.frame(&[Command::Next]);
        again.frames(3);
        assert_ne!(again.playing(), banned);
    }
    assert!(again.show.memory().favourites.contains(&liked));
}

#[test]
fn what_cannot_be_played_is_left_out_and_said() {
    let mut hand = Stagehand::new();
    let step = hand.frame(&[]);
    let failed: Vec<_> = step
        .requests
        .iter()
        .map(|request| Failed { deck: request.deck, kind: BanKind::Quality, why: "no such thing".to_owned() })
        .collect();
    let named = hand.show.snapshot().up_next[0].id;
    hand.show.step(&StepInput {
        dt: DT,
        heard: &PresetAudio::default(),
        features: &Features::default(),
        commands: &[],
        arrived: &[],
        failed: &failed,
        picture_stats: None,
    });
    assert!(hand.show.snapshot().message.expect("said").contains("no such thing"));
    assert!(hand.show.memory().left_out.contains_key(&named));
    assert!(hand.show.snapshot().up_next.iter().all(|upcoming| upcoming.id != named));
    hand.frame(&[Command::PlayNow(named)]);
    hand.frames(40);
    assert_ne!(hand.playing(), named, "left out is left out");
    let step = hand.frame(&[Command::Rescue(named), Command::PlayNow(named)]);
    let request = step.requests.iter().find(|request| request.preset == named).expect("made ready");
    assert!(request.rescued, "no audit stands in its way");
    hand.frames(3);
    assert_eq!(hand.playing(), named, "rescued, it plays at once");
    assert!(!hand.show.memory().left_out.contains_key(&named));
    assert!(hand.show.memory().rescued.contains(&named));
}

#[test]
fn an_empty_library_shows_a_built_in_preset() {
    let mut hand = Stagehand::of(Show::new(ShowSettings::default(), Arc::new(Catalogue::default())));
    hand.frames(5);
    assert!(hand.show.playing());
    hand.frame(&[Command::Next]);
    hand.frames(60 * 60);
    assert!(hand.show.playing());
}

#[test]
fn every_deck_is_given_back_in_the_end() {
    let mut hand = Stagehand::new();
    let mut alive = std::collections::BTreeSet::new();
    for frame in 0..3000 {
        hand.features.scene.scene = if frame / 250 % 2 == 0 { Scene::Techno } else { Scene::Ambient };
        let commands: &[Command] = match frame % 97 {
            3 => &[Command::Next],
            50 => &[Command::Back],
            70 => &[Command::Panic],
            _ => &[],
        };
        let arriving = hand.coming.clone();
        let step = hand.frame(commands);
        alive.extend(arriving);
        step.retired.iter().for_each(|deck| {
            assert!(alive.remove(deck), "{deck:?} was not on the rack");
        });
        assert!(alive.len() <= 7, "{} decks on the rack", alive.len());
    }
}

#[test]
fn equal_seeds_give_equal_sets() {
    let run = || {
        let mut hand = Stagehand::new();
        hand.frames(2000);
        hand.frame(&[Command::Next]);
        hand.frames(2000);
        hand.log
    };
    let log = run();
    assert_eq!(log, run());
    assert!(log.iter().filter(|entry| matches!(entry.event, Event::Cut(_))).count() >= 3);
}

#[test]
fn new_styles_can_come_while_the_show_runs() {
    let mut hand = Stagehand::new();
    hand.frames(50);
    let before = hand.playing();
    let mut library = Catalogue::built_in();
    library.entries.truncate(12);
    hand.show.change_library(Arc::new(crate::mind::director::Pool::new(Arc::new(library))));
    hand.frames(5);
    assert_eq!(hand.playing(), before, "what is on air stays");
    hand.frame(&[Command::Next]);
    hand.frames(30);
    assert!(hand.show.library().entries.iter().any(|entry| entry.id == hand.playing()));
}

#[test]
fn what_is_asked_for_by_name_comes_whatever_the_music_does_meanwhile() {
    let mut hand = Stagehand::new();
    hand.frames(20);
    let playing = hand.playing();
    let wanted = hand.show.library().entries.iter().map(|entry| entry.id).find(|id| *id != playing);
    let wanted = wanted.expect("more than one");
    hand.cold = true;
    hand.frame(&[Command::PlayNow(wanted)]);
    hand.features.scene.scene = Scene::Rock;
    hand.frames(5);
    let deck = *hand.coming.first().expect("it is on its way");
    hand.show.give_up(deck); // The makers of decks had too much to do.
    hand.coming.clear();
    hand.frames(2);
    hand.cold = false;
    hand.frames(2);
    assert_eq!(hand.playing(), wanted);
    assert!(hand.learnt().is_empty(), "making room for something else says nothing");
}

#[test]
fn a_medley_is_followed_scene_by_scene_and_beat_by_beat() {
    // Twelve minutes; the music is recognised four seconds after it changed, as a listener would.
    let medley = [(Scene::Techno, 128.0), (Scene::Ambient, 0.0), (Scene::Rock, 96.0), (Scene::Techno, 140.0)];
    let (piece_frames, late_frames) = (90 * 30, 4 * 30);
    let mut hand = Stagehand::new();
    hand.features.beat.confidence = Unipolar::ONE;
    let mut matching = Vec::new();
    let mut off_beat = Vec::new();
    for frame in 0..8 * piece_frames {
        let (truth, _) = medley[frame / piece_frames % medley.len()];
        let (heard, bpm) = medley[frame.saturating_sub(late_frames) / piece_frames % medley.len()];
        hand.features.scene.scene = heard;
        hand.features.section = if heard == Scene::Ambient { Section::Calm } else { Section::Groove };
        hand.features.beat.tempo = Tempo::new(bpm);
        hand.features.beat.confidence = if bpm > 0.0 { Unipolar::ONE } else { Unipolar::ZERO };
        let before = hand.log.len();
        hand.frame(&[]);
        for entry in &hand.log[before..] {
            if let Event::Cut(cut) = &entry.event
                && matches!(cut.cause, Cause::Music(_))
            {
                matching.push(cut.target.expect("chosen").scene == truth);
                off_beat.extend(cut.off_beat_secs.map(f64::abs));
            }
        }
    }
    let share = matching.iter().filter(|matches| **matches).count() as f64 / matching.len() as f64;
    assert!(matching.len() >= 16 && share >= 0.9, "{share} of {} changes fit the music", matching.len());
    assert!(off_beat.len() >= 10 && off_beat.iter().all(|off| *off <= 0.0171), "{off_beat:?}");
}

#[test]
fn an_empty_picture_makes_way_unless_the_performer_decides() {
    let mut hand = Stagehand::new();
    hand.frames(10);
    hand.frame(&[Command::Auto]);
    hand.picture_stats = Some(PictureStats::default());
    let chosen = hand.playing();
    hand.frames(200);
    assert_eq!(hand.playing(), chosen, "nobody asked the show to choose");
    assert!(hand.show.memory().left_out.is_empty());
    hand.frame(&[Command::Auto]);
    hand.frames(120);
    assert_ne!(hand.playing(), chosen);
    let left_out = &hand.show.memory().left_out[&chosen];
    assert_eq!(left_out.kind, BanKind::Aesthetic);
}

#[test]
fn presets_that_are_long_in_coming_leave_nobody_in_the_dark() {
    let mut hand = Stagehand::new();
    hand.cold = true;
    hand.frames(30);
    let ordered = hand.coming.len();
    hand.frames(60);
    assert_eq!(hand.coming.len(), ordered + 1, "a safe picture is ordered");
    hand.coming.drain(..ordered);
    hand.cold = false;
    hand.frames(3);
    assert!(hand.show.playing(), "it goes on air alone");
}
