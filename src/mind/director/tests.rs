//! Tests of choosing and timing.

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

fn run(director: &mut Director, switches: usize) -> Vec<Choice> {
    let mut rng = Rng::new(7);
    let mut chosen = Vec::new();
    for _ in 0..switches {
        let Some(choice) = director.choose(&TARGET, &[], &mut rng) else { break };
        director.record_shown(choice.preset);
        chosen.push(choice);
    }
    chosen
}

#[test]
fn presets_clusters_and_families_are_not_repeated_too_soon() {
    let mut director = director(3000, 12);
    director.adventure = Unipolar::ONE;
    let chosen = run(&mut director, 400);
    assert_eq!(chosen.len(), 400);
    let entries = &director.pool.catalogue.entries;
    let entry = |choice: &Choice| &entries[choice.preset as usize];
    for (at, choice) in chosen.iter().enumerate() {
        let before = &chosen[at.saturating_sub(NO_REPEAT)..at];
        assert!(
            before.iter().all(|other| other.preset != choice.preset),
            "a preset repeated within {NO_REPEAT}"
        );
        let recent = &chosen[at.saturating_sub(CLUSTER_REST)..at];
        assert!(
            recent.iter().all(|other| entry(other).cluster != entry(choice).cluster),
            "a cluster repeated too soon"
        );
        assert!(
            at == 0 || entry(&chosen[at - 1]).family != entry(choice).family,
            "two presets of one family in a row"
        );
        assert_eq!(choice.rule, Rule::All);
    }
}

#[test]
fn a_theme_prefers_the_styles_and_presets_that_fit() {
    let mut director = director(3000, 12);
    let entries = director.pool.catalogue.entries.clone();
    // Every other preset in the first half of the clusters.
    let fits = |preset: usize| preset.is_multiple_of(2) && entries[preset].cluster < 6;
    let count = |chosen: &[Choice]| chosen.iter().filter(|choice| fits(choice.preset as usize)).count();
    let without = count(&run(&mut director.clone(), 100));
    let theme: Vec<f32> = (0..entries.len()).map(|preset| if fits(preset) { 0.9 } else { 0.3 }).collect();
    director.pool = Arc::new(director.pool.with_theme(Some(Theme::of_fits(&theme))));
    let with = count(&run(&mut director, 100));
    assert!(without < 50 && with > 90, "{without} without the theme, {with} with it");
    let ended = director.pool.with_theme(None);
    director.pool = Arc::new(ended);
    assert!(count(&run(&mut director, 100)) < 50);
}

#[test]
fn the_performer_sets_how_well_a_style_fits_the_theme() {
    let mut director = director(3000, 12);
    let names: Vec<String> =
        director.pool.catalogue.clusters.iter().map(|cluster| cluster.name.clone()).collect();
    let mut theme = Theme::of_fits(&[]);
    theme.text = format!("style \"{}\" 0%, style \"{}\" 100%", names[2], names[3].to_uppercase());
    director.pool = Arc::new(director.pool.with_theme(Some(theme)));
    let styles = director.pool.themed_styles();
    assert_eq!(styles.len(), 12);
    let of = |at: usize| (styles[at].name.as_str(), styles[at].fit, styles[at].set);
    assert_eq!((of(0), of(11)), ((names[3].as_str(), 1.0, true), (names[2].as_str(), 0.0, true)));
    assert!(styles[1..11].iter().all(|style| style.fit == 0.5 && !style.set));
    assert!(director.pool.with_theme(None).themed_styles().is_empty());
    let chosen = run(&mut director, 200);
    let count = |cluster: u16| {
        let is_of =
            |choice: &&Choice| director.pool.catalogue.entries[choice.preset as usize].cluster == cluster;
        chosen.iter().filter(is_of).count()
    };
    assert!(count(3) > 2 * count(2), "{} and {}", count(3), count(2));
}

#[test]
fn a_tiny_library_never_shows_the_same_preset_twice_in_a_row() {
    for presets in [2, 3, 5, 30] {
        let mut director = director(presets, presets.min(4));
        let chosen = run(&mut director, 100);
        assert_eq!(chosen.len(), 100, "{presets} presets");
        assert!(chosen.windows(2).all(|pair| pair[0].preset != pair[1].preset), "{presets} presets");
    }
    assert!(director(0, 0).choose(&TARGET, &[], &mut Rng::new(1)).is_none());
    let mut alone = director(1, 1);
    assert_eq!(run(&mut alone, 5).len(), 1, "the preset on air does not follow itself");
}

#[test]
fn banned_and_broken_presets_are_never_chosen_and_skipped_ones_come_last() {
    let mut director = director(60, 3);
    for preset in 0..20 {
        director.status.set_banned(preset, true);
        director.status.set_broken(preset + 20, true);
    }
    let skipped = 45;
    director.status.set_skipped(skipped, true);
    let chosen = run(&mut director, 6);
    assert!(chosen.iter().all(|choice| choice.preset >= 40 && choice.preset != skipped));
    let mut rng = Rng::new(3);
    let only = (40..60).filter(|preset| *preset != skipped);
    only.for_each(|preset| director.status.set_banned(preset, true));
    let last = director.choose(&TARGET, &[], &mut rng).expect("the skipped preset is left");
    assert_eq!(last.preset, skipped);
    assert!(last.rule >= Rule::SkippedToo, "{:?}", last.rule);
}

#[test]
fn favourites_are_chosen_more_often_than_others_of_their_arm() {
    let mut director = director(600, 3);
    (0..30).for_each(|preset| director.status.set_favourite(preset, true));
    let chosen = run(&mut director, 400);
    let favourites = chosen.iter().filter(|choice| choice.preset < 30).count();
    assert!((40..200).contains(&favourites), "{favourites} of 400, 20 expected by chance");
}

#[test]
fn a_skipped_style_is_chosen_less_often() {
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
    assert!(count.count() < 4, "a skipped style is still chosen often");
    let next = director.choose(&TARGET, &[], &mut rng).expect("a choice");
    assert!(next.probability > 0.0 && next.probability <= 1.0 && next.score.is_finite());
}

fn clock(now: f64, on_air_secs: f64) -> Clock {
    Clock { now: Seconds(now), frame_secs: 1.0 / 30.0, on_air_secs, dwell: 1.0 }
}

/// Runs one frame, `at` seconds after the last cut.
fn frame(timing: &mut Timing, features: &Features, at: f64) -> Option<Moment> {
    timing.observe(features, 1.0 / 30.0);
    timing.step(features, &clock(at, at))
}

/// Runs from `from` to `to` seconds after the last cut and returns the first cut, if any.
fn first_change(timing: &mut Timing, features: &Features, from: f64, to: f64) -> Option<(f64, Moment)> {
    let mut frames = (0..((to - from) * 30.0) as u32).map(|number| from + f64::from(number) / 30.0);
    frames.find_map(|at| frame(timing, features, at).map(|moment| (at, moment)))
}

fn techno() -> Features {
    let mut features = Features::default();
    features.scene.scene = Scene::Techno;
    features.beat.confidence = Unipolar::ONE;
    features.beat.anchor = Seconds(0.31);
    features
}

#[test]
fn cuts_fall_on_the_frame_nearest_to_a_beat_and_on_a_known_downbeat() {
    let mut features = techno();
    for (sure, metre) in [(0.0, 4), (1.0, 4), (1.0, 3), (1.0, 7)] {
        features.beat.downbeat_confidence = Unipolar::new(sure);
        features.beat.downbeat = 2;
        features.beat.beats_per_bar = metre;
        let mut timing = Timing::default();
        timing.cut(features.scene.scene, &features);
        let (at, moment) = first_change(&mut timing, &features, 3.0, 60.0).expect("a cut");
        assert_eq!(moment, Moment::LongEnough);
        let beats = features.beat.beats_at(Seconds(at));
        assert!((beats - beats.round()).abs() * 0.5 <= 0.0167, "{beats} beats");
        if sure > 0.5 {
            assert_eq!(beats.round() as u64 % u64::from(metre), 2, "not the downbeat");
        }
    }
}

#[test]
fn a_new_scene_and_a_drop_cut_early_but_never_at_once() {
    let mut timing = Timing::default();
    timing.cut(Scene::Techno, &techno());
    let mut rock = techno();
    rock.scene.scene = Scene::Rock;
    let (at, moment) = first_change(&mut timing, &rock, 0.0, 50.0).expect("a cut to the new scene");
    assert_eq!(moment, Moment::SceneChange);
    assert!((4.0..7.0).contains(&at), "{at}");
    timing.cut(Scene::Rock, &rock);
    let dropped = Features { passage: Passage::Drop, ..rock };
    assert_eq!(
        first_change(&mut timing, &dropped, 1.0, 3.0),
        None,
        "too soon after the cut, and the track has just started"
    );
    first_change(&mut timing, &rock, 0.0, 9.0);
    assert_eq!(first_change(&mut timing, &dropped, 9.0, 10.0).map(|(_, moment)| moment), Some(Moment::Drop));
}

#[test]
fn a_guessed_scene_causes_no_cut() {
    let mut timing = Timing::default();
    let mut features = techno();
    features.scene.probabilities = [0.0, 1.0, 0.0, 0.0];
    timing.cut(Scene::Techno, &features);
    first_change(&mut timing, &features, 0.0, 8.0);
    let mut guess = features;
    guess.scene.scene = Scene::Rock;
    guess.scene.probabilities = [0.05, 0.3, 0.6, 0.05];
    assert_eq!(first_change(&mut timing, &guess, 8.0, 12.0), None);
    assert_eq!(first_change(&mut timing, &features, 12.0, 20.0), None);
}

#[test]
fn without_a_beat_a_cut_waits_for_a_hit_but_not_long() {
    let mut features = Features::default();
    features.scene.scene = Scene::Rock;
    let mut timing = Timing::default();
    timing.cut(Scene::Rock, &features);
    assert_eq!(first_change(&mut timing, &features, 0.0, 50.5), None);
    let hit = Features { hit: Unipolar::new(0.9), ..features };
    assert_eq!(frame(&mut timing.clone(), &hit, 50.5), Some(Moment::LongEnough));
    let (at, _) = first_change(&mut timing, &features, 50.5, 60.0).expect("a cut without a hit");
    assert!((51.5..52.5).contains(&at), "not after two seconds: {at}");
}

#[test]
fn an_energy_jump_waits_for_the_minimum_dwell() {
    let features = techno();
    let mut timing = Timing::default();
    timing.cut(Scene::Techno, &features);
    let jump = Features { energy_fast: Unipolar::new(0.9), energy_slow: Unipolar::new(0.4), ..features };
    let (at, moment) = first_change(&mut timing, &jump, 0.0, 50.0).expect("a cut at the jump");
    assert_eq!(moment, Moment::EnergyJump);
    assert!((12.0..17.0).contains(&at), "{at}");
}

#[test]
fn dwell_scales_the_limits() {
    let features = techno();
    let after = |dwell| {
        let mut timing = Timing::default();
        timing.cut(features.scene.scene, &features);
        let mut frames = (0..6000).map(|frame| f64::from(frame) / 30.0);
        frames.find(|&passed| {
            timing.observe(&features, 1.0 / 30.0);
            timing.step(&features, &Clock { dwell, ..clock(passed, passed) }).is_some()
        })
    };
    let [short, plain, long] = [0.5, 1.0, 2.0].map(|dwell| after(dwell).expect("a cut"));
    assert!((plain / short - 2.0).abs() < 0.2 && (long / plain - 2.0).abs() < 0.2, "{short} {plain} {long}");
}

#[test]
fn a_policy_prefers_similar_styles_without_repeating_one() {
    let mut library = large_library(1200, 12);
    // Centroids on a circle: neighbouring indices look alike.
    for (at, cluster) in library.clusters.iter_mut().enumerate() {
        let turn = std::f32::consts::TAU * at as f32 / 12.0;
        cluster.centroid = vec![turn.cos(), turn.sin()];
    }
    let run_policy = |chance: f64| {
        let mut library = library.clone();
        library.policy = Some(StylePolicy { prefer_same_author_chance: chance, ..StylePolicy::default() });
        let mut director = Director::new(Arc::new(Pool::new(Arc::new(library))), Taste::new(12));
        director.adventure = Unipolar::ONE;
        let chosen = run(&mut director, 200);
        let cluster = |choice: &Choice| i32::from(choice.evidence.arm.cluster);
        let apart = chosen.windows(2).map(|pair| {
            let apart = (cluster(&pair[0]) - cluster(&pair[1])).rem_euclid(12);
            assert_ne!(apart, 0, "a style followed itself");
            f64::from(apart.min(12 - apart))
        });
        let near = chosen.iter().filter(|choice| choice.near).count();
        (apart.sum::<f64>() / 199.0, near)
    };
    let ((free, never), (near, always)) = (run_policy(0.0), run_policy(1.0));
    assert!(near < 0.75 * free, "{near} steps round the circle, {free} without a policy");
    assert!(never == 0 && always > 150, "{never} {always}");
}

#[test]
fn a_cut_that_can_wait_is_delayed_while_the_scene_is_in_doubt() {
    let mut features = techno();
    features.scene.probabilities = [0.05, 0.9, 0.05, 0.0];
    let mut timing = Timing::default();
    timing.cut(features.scene.scene, &features);
    assert_eq!(first_change(&mut timing, &features, 0.0, 38.0), None);
    // The maximum dwell has just passed when the scene becomes uncertain.
    features.scene.probabilities = [0.35, 0.6, 0.05, 0.0];
    assert_eq!(first_change(&mut timing, &features, 38.0, 42.0), None, "not delayed");
    features.scene.scene = Scene::Ambient;
    features.scene.probabilities = [0.95, 0.04, 0.01, 0.0];
    let (at, moment) = first_change(&mut timing, &features, 42.0, 50.0).expect("a cut to the new scene");
    assert_eq!(moment, Moment::SceneChange);
    assert!(at < 45.0, "not at once: {at}");
}

#[test]
fn a_long_overdue_cut_does_not_wait_for_a_clear_scene() {
    let mut features = Features::default();
    features.scene.scene = Scene::Techno;
    features.scene.probabilities = [0.3, 0.4, 0.2, 0.1];
    let mut timing = Timing::default();
    timing.cut(Scene::Techno, &features);
    let (at, moment) = first_change(&mut timing, &features, 0.0, 120.0).expect("an overdue cut");
    assert_eq!(moment, Moment::LongEnough);
    assert!((50.0..70.0).contains(&at), "{at}");
}
