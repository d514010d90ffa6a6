//! Facts about choosing and timing.

use std::sync::Arc;

use super::*;
use crate::analysis::{Features, Passage, Scene};
use crate::library::style::StylePolicy;
use crate::mind::simulation::large_library;
use crate::mind::taste::{Signal, Taste};
use crate::units::{Rng, Seconds, Unipolar};

fn director(presets: usize, clusters: usize) -> Director {
    Director::new(Arc::new(Pool::new(Arc::new(large_library(presets, clusters)))), Taste::new(clusters))
}

const TARGET: Target = Target { scene: Scene::Techno, level: 1.2 };

fn evening(director: &mut Director, switches: usize) -> Vec<Choice> {
    let mut rng = Rng::new(7);
    let mut chosen = Vec::new();
    for _ in 0..switches {
        let Some(choice) = director.choose(&TARGET, &[], &mut rng) else { break };
        director.shown(choice.preset);
        chosen.push(choice);
    }
    chosen
}

#[test]
fn presets_clusters_and_families_rest_as_long_as_they_should() {
    let mut director = director(3000, 12);
    director.adventure = Unipolar::ONE;
    let chosen = evening(&mut director, 400);
    assert_eq!(chosen.len(), 400);
    let entries = &director.pool.catalogue.entries;
    let entry = |choice: &Choice| &entries[choice.preset as usize];
    for (at, choice) in chosen.iter().enumerate() {
        let before = &chosen[at.saturating_sub(NO_REPEAT)..at];
        assert!(before.iter().all(|other| other.preset != choice.preset), "a preset within {NO_REPEAT}");
        let lately = &chosen[at.saturating_sub(CLUSTER_REST)..at];
        assert!(
            lately.iter().all(|other| entry(other).cluster != entry(choice).cluster),
            "a cluster too soon"
        );
        assert!(at == 0 || entry(&chosen[at - 1]).family != entry(choice).family, "siblings in a row");
        assert_eq!(choice.rule, Rule::All);
    }
}

#[test]
fn a_tiny_library_goes_on_without_showing_the_same_twice_in_a_row() {
    for presets in [2, 3, 5, 30] {
        let mut director = director(presets, presets.min(4));
        let chosen = evening(&mut director, 100);
        assert_eq!(chosen.len(), 100, "{presets} presets");
        assert!(chosen.windows(2).all(|pair| pair[0].preset != pair[1].preset), "{presets} presets");
    }
    assert!(director(0, 0).choose(&TARGET, &[], &mut Rng::new(1)).is_none());
    let mut alone = director(1, 1);
    assert_eq!(evening(&mut alone, 5).len(), 1, "what is on air does not follow itself");
}

#[test]
fn what_is_banned_or_broken_never_comes_and_what_was_skipped_comes_last() {
    let mut director = director(60, 3);
    for preset in 0..20 {
        director.standing.set_banned(preset, true);
        director.standing.set_broken(preset + 20, true);
    }
    let skipped = 45;
    director.standing.set_skipped(skipped);
    let chosen = evening(&mut director, 6);
    assert!(chosen.iter().all(|choice| choice.preset >= 40 && choice.preset != skipped));
    let mut rng = Rng::new(3);
    let only = (40..60).filter(|preset| *preset != skipped);
    only.for_each(|preset| director.standing.set_banned(preset, true));
    let last = director.choose(&TARGET, &[], &mut rng).expect("the skipped one is left");
    assert_eq!(last.preset, skipped);
    assert!(last.rule >= Rule::SkippedToo, "{:?}", last.rule);
}

#[test]
fn favourites_come_more_often_than_others_of_their_kind() {
    let mut director = director(600, 3);
    (0..30).for_each(|preset| director.standing.set_favourite(preset, true));
    let chosen = evening(&mut director, 400);
    let favourites = chosen.iter().filter(|choice| choice.preset < 30).count();
    assert!((40..200).contains(&favourites), "{favourites} of 400, 20 by chance");
}

#[test]
fn what_was_skipped_is_chosen_less_and_the_numbers_tell_why() {
    let mut director = director(600, 12);
    let mut rng = Rng::new(5);
    let first = director.choose(&TARGET, &[], &mut rng).expect("a choice");
    for _ in 0..6 {
        director.learn(&first.evidence, first.preset, Signal::Skip);
    }
    let count = (0..200).filter(|_| {
        let choice = director.choose(&TARGET, &[], &mut rng).expect("a choice");
        choice.evidence.arm.cluster == first.evidence.arm.cluster
    });
    assert!(count.count() < 4, "a skipped style hardly comes back");
    let next = director.choose(&TARGET, &[], &mut rng).expect("a choice");
    assert!(next.probability > 0.0 && next.probability <= 1.0 && next.score.is_finite());
}

fn clock(now: f64, on_air_secs: f64) -> Clock {
    Clock { now: Seconds(now), frame_secs: 1.0 / 30.0, on_air_secs, dwell: 1.0 }
}

/// One frame of the music as it is, `at` seconds after the picture changed.
fn frame(timing: &mut Timing, heard: &Features, at: f64) -> Option<Moment> {
    timing.hear(heard, 1.0 / 30.0);
    timing.step(heard, &clock(at, at))
}

/// Runs from `from` to `to` seconds after the picture changed and tells when a change falls, if one does.
fn first_change(timing: &mut Timing, heard: &Features, from: f64, to: f64) -> Option<(f64, Moment)> {
    let mut frames = (0..((to - from) * 30.0) as u32).map(|number| from + f64::from(number) / 30.0);
    frames.find_map(|at| frame(timing, heard, at).map(|moment| (at, moment)))
}

fn techno() -> Features {
    let mut heard = Features::default();
    heard.scene.scene = Scene::Techno;
    heard.beat.confidence = Unipolar::ONE;
    heard.beat.anchor = Seconds(0.31);
    heard
}

#[test]
fn changes_fall_on_the_frame_nearest_to_a_beat_and_on_the_downbeat_when_it_is_known() {
    let mut heard = techno();
    for sure in [0.0, 1.0] {
        heard.beat.downbeat_confidence = Unipolar::new(sure);
        heard.beat.downbeat = 2;
        let mut timing = Timing::default();
        timing.cut(heard.scene.scene, &heard);
        let (at, moment) = first_change(&mut timing, &heard, 3.0, 60.0).expect("long enough");
        assert_eq!(moment, Moment::LongEnough);
        let beats = heard.beat.beats_at(Seconds(at));
        assert!((beats - beats.round()).abs() * 0.5 <= 0.0167, "{beats} beats");
        if sure > 0.5 {
            assert_eq!(beats.round() as u64 % 4, 2, "not the downbeat");
        }
    }
}

#[test]
fn another_scene_and_a_drop_change_the_picture_before_its_time_but_never_at_once() {
    let mut timing = Timing::default();
    timing.cut(Scene::Techno, &techno());
    let mut rock = techno();
    rock.scene.scene = Scene::Rock;
    let (at, moment) = first_change(&mut timing, &rock, 0.0, 50.0).expect("another scene");
    assert_eq!(moment, Moment::SceneChange);
    assert!((4.0..7.0).contains(&at), "{at}");
    timing.cut(Scene::Rock, &rock);
    let dropped = Features { passage: Passage::Drop, ..rock };
    assert_eq!(first_change(&mut timing, &dropped, 1.0, 3.0), None, "just changed, and the piece is young");
    first_change(&mut timing, &rock, 0.0, 9.0);
    assert_eq!(first_change(&mut timing, &dropped, 9.0, 10.0).map(|(_, moment)| moment), Some(Moment::Drop));
}

#[test]
fn a_scene_that_was_a_guess_changes_nothing() {
    let mut timing = Timing::default();
    let mut heard = techno();
    heard.scene.probabilities = [0.0, 1.0, 0.0, 0.0];
    timing.cut(Scene::Techno, &heard);
    first_change(&mut timing, &heard, 0.0, 8.0);
    let mut guess = heard;
    guess.scene.scene = Scene::Rock;
    guess.scene.probabilities = [0.05, 0.3, 0.6, 0.05];
    assert_eq!(first_change(&mut timing, &guess, 8.0, 12.0), None);
    assert_eq!(first_change(&mut timing, &heard, 12.0, 20.0), None);
}

#[test]
fn without_a_beat_a_change_waits_for_a_hit_but_not_long() {
    let mut heard = Features::default();
    heard.scene.scene = Scene::Rock;
    let mut timing = Timing::default();
    timing.cut(Scene::Rock, &heard);
    assert_eq!(first_change(&mut timing, &heard, 0.0, 50.5), None);
    let hit = Features { hit: Unipolar::new(0.9), ..heard };
    assert_eq!(frame(&mut timing.clone(), &hit, 50.5), Some(Moment::LongEnough));
    let (at, _) = first_change(&mut timing, &heard, 50.5, 60.0).expect("without a hit");
    assert!((51.5..52.5).contains(&at), "two seconds are enough: {at}");
}

#[test]
fn a_new_energy_waits_for_the_shortest_stay() {
    let heard = techno();
    let mut timing = Timing::default();
    timing.cut(Scene::Techno, &heard);
    let jump = Features { energy_fast: Unipolar::new(0.9), energy_slow: Unipolar::new(0.4), ..heard };
    let (at, moment) = first_change(&mut timing, &jump, 0.0, 50.0).expect("the jump");
    assert_eq!(moment, Moment::EnergyJump);
    assert!((12.0..17.0).contains(&at), "{at}");
}

#[test]
fn dwell_stretches_the_stay() {
    let heard = techno();
    let after = |dwell| {
        let mut timing = Timing::default();
        timing.cut(heard.scene.scene, &heard);
        let mut frames = (0..6000).map(|frame| f64::from(frame) / 30.0);
        frames.find(|&passed| {
            timing.hear(&heard, 1.0 / 30.0);
            timing.step(&heard, &Clock { dwell, ..clock(passed, passed) }).is_some()
        })
    };
    let [short, plain, long] = [0.5, 1.0, 2.0].map(|dwell| after(dwell).expect("long enough"));
    assert!((plain / short - 2.0).abs() < 0.2 && (long / plain - 2.0).abs() < 0.2, "{short} {plain} {long}");
}

#[test]
fn a_policy_keeps_the_look_near_without_repeating_the_style() {
    let mut library = large_library(1200, 12);
    // Centres on a circle: neighbours by number look alike.
    for (at, cluster) in library.clusters.iter_mut().enumerate() {
        let turn = std::f32::consts::TAU * at as f32 / 12.0;
        cluster.centroid = vec![turn.cos(), turn.sin()];
    }
    let way = |chance: f64| {
        let mut library = library.clone();
        library.policy = Some(StylePolicy { prefer_same_author_chance: chance, ..StylePolicy::default() });
        let mut director = Director::new(Arc::new(Pool::new(Arc::new(library))), Taste::new(12));
        director.adventure = Unipolar::ONE;
        let chosen = evening(&mut director, 200);
        let cluster = |choice: &Choice| i32::from(choice.evidence.arm.cluster);
        let apart = chosen.windows(2).map(|pair| {
            let apart = (cluster(&pair[0]) - cluster(&pair[1])).rem_euclid(12);
            assert_ne!(apart, 0, "a style follows itself");
            f64::from(apart.min(12 - apart))
        });
        let near = chosen.iter().filter(|choice| choice.near).count();
        (apart.sum::<f64>() / 199.0, near)
    };
    let ((free, never), (near, always)) = (way(0.0), way(1.0));
    assert!(near < 0.75 * free, "{near} steps round the circle, {free} without a policy");
    assert!(never == 0 && always > 150, "{never} {always}");
}

#[test]
fn a_change_that_can_wait_does_while_the_scene_is_in_doubt() {
    let mut heard = techno();
    heard.scene.probabilities = [0.05, 0.9, 0.05, 0.0];
    let mut timing = Timing::default();
    timing.cut(heard.scene.scene, &heard);
    assert_eq!(first_change(&mut timing, &heard, 0.0, 38.0), None);
    // Its time is up, and just then the music turns into something else.
    heard.scene.probabilities = [0.35, 0.6, 0.05, 0.0];
    assert_eq!(first_change(&mut timing, &heard, 38.0, 42.0), None, "it waits for the outcome");
    heard.scene.scene = Scene::Ambient;
    heard.scene.probabilities = [0.95, 0.04, 0.01, 0.0];
    let (at, moment) = first_change(&mut timing, &heard, 42.0, 50.0).expect("the outcome");
    assert_eq!(moment, Moment::SceneChange);
    assert!(at < 45.0, "at once: {at}");
}

#[test]
fn what_had_its_time_long_ago_goes_however_unclear_the_music() {
    let mut heard = Features::default();
    heard.scene.scene = Scene::Techno;
    heard.scene.probabilities = [0.3, 0.4, 0.2, 0.1];
    let mut timing = Timing::default();
    timing.cut(Scene::Techno, &heard);
    let (at, moment) = first_change(&mut timing, &heard, 0.0, 120.0).expect("sooner or later");
    assert_eq!(moment, Moment::LongEnough);
    assert!((50.0..70.0).contains(&at), "{at}");
}
