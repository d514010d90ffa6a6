//! Tests of switches to another library during a show.

use std::time::Duration;

use super::*;
use crate::library::Entry;
use crate::mind::director::Pool;
use crate::units::thread_time;

#[test]
fn the_library_can_change_during_a_show() {
    let mut test = TestShow::new();
    test.frames(50);
    let before = test.playing();
    let mut library = Catalogue::built_in();
    library.entries.truncate(12);
    test.show.change_library(Arc::new(Pool::new(Arc::new(library))));
    test.frames(5);
    assert_eq!(test.playing(), before, "the preset on air stays");
    test.frame(&[Command::Next]);
    test.frames(30);
    assert!(test.show.library().entries.iter().any(|entry| entry.id == test.playing()));
}

/// Returns the first `count` built-in presets; their styles are those of other libraries, moved by `turn`.
fn pool(count: usize, turn: usize) -> Arc<Pool> {
    let all = Catalogue::built_in();
    let mut clusters = all.clusters.clone();
    let size = clusters.len();
    for (index, cluster) in clusters.iter_mut().enumerate() {
        cluster.centroid = vec![0.1; size];
        cluster.centroid[(index + turn) % size] = 1.0;
    }
    let mut library = Catalogue::new(all.entries[..count].to_vec(), clusters, all.origin);
    library.space = "test".into();
    Arc::new(Pool::new(Arc::new(library)))
}

fn show(library: Arc<Pool>, memory: &ShowMemory) -> TestShow {
    TestShow::of(Show::with_memory(ShowSettings::default(), library, memory.clone()))
}

#[test]
fn a_prepared_library_carries_the_taste_over_as_any_other_does() {
    let [mut plain, mut prepared] = [(); 2].map(|()| show(pool(24, 0), &ShowMemory::default()));
    let marks = MarkedPresets::default();
    let next = NextLibrary::prepare(pool(12, 1), prepared.show.known_styles(), &marks);
    for test in [&mut plain, &mut prepared] {
        test.frames(50);
        test.frame(&[Command::Favourite]);
    }
    let before = plain.show.director.taste.clone();
    plain.show.change_library(next.pool().clone());
    prepared.show.change_library(next);
    assert_eq!(prepared.show.director.taste, plain.show.director.taste);
    assert_ne!(prepared.show.director.taste, before, "the styles have moved");
}

#[test]
fn a_library_prepared_for_other_styles_carries_the_taste_over_all_the_same() {
    let mut test = show(pool(24, 0), &ShowMemory::default());
    test.frames(50);
    test.frame(&[Command::Favourite]);
    let state = test.show.memory().taste;
    let elsewhere = show(pool(24, 1), &ShowMemory::default()).show.known_styles();
    let next = NextLibrary::prepare(pool(12, 1), elsewhere, &MarkedPresets::default());
    let expected = crate::mind::taste::Taste::from_state(&state, &next.pool().styles());
    test.show.change_library(next);
    assert_eq!(test.show.director.taste, expected);
}

#[test]
fn marks_given_before_and_after_a_library_was_prepared_apply_to_it() {
    let library = |count: usize| {
        let mut library = Catalogue::built_in();
        library.entries.truncate(count);
        let rejected = library.entries[..3].iter().map(|entry| (entry.id, "black output".to_owned()));
        library.rejected = Arc::new(rejected.collect());
        Arc::new(Pool::new(Arc::new(library)))
    };
    let ids: Vec<PresetId> = library(12).catalogue.entries.iter().map(|entry| entry.id).collect();
    let exclusion = || Exclusion { kind: BanKind::Soft, why: "it hangs".into() };
    let memory = ShowMemory {
        favourites: [ids[3], ids[4]].into(),
        banned: [ids[5], ids[6]].into(),
        excluded: [(ids[7], exclusion()), (ids[8], exclusion())].into(),
        rescued: [ids[0]].into(),
        ..ShowMemory::default()
    };
    let mut test = show(library(24), &memory);
    let known = test.show.known_styles();
    let next = NextLibrary::prepare(library(12), known, &MarkedPresets::of(&memory, 0));
    test.frame(&[
        Command::FavouritePreset(ids[3]),
        Command::FavouritePreset(ids[9]),
        Command::BanPreset(ids[5]),
        Command::BanPreset(ids[10]),
        Command::Rescue(ids[1]),
        Command::Rescue(ids[7]),
    ]);
    test.show.change_library(next);
    let status = &test.show.director.status;
    let marked = |is: &dyn Fn(u32) -> bool| {
        (0..12).filter(|at| test.show.pool().index_of(ids[*at]).is_some_and(is)).collect::<Vec<_>>()
    };
    assert_eq!(marked(&|preset| status.favourite(preset)), [4, 9]);
    assert_eq!(marked(&|preset| status.banned(preset)), [6, 10]);
    assert_eq!(marked(&|preset| status.broken(preset)), [2, 8]);
    assert_eq!(*status, MarkedPresets::of(&test.show.memory(), 0).status(test.show.pool()));
}

#[test]
fn what_a_switch_replaces_is_returned_to_be_freed_elsewhere() {
    let mut test = show(pool(24, 0), &ShowMemory::default());
    let replaced = Arc::downgrade(test.show.pool());
    let old = test.show.change_library(pool(12, 1));
    assert!(replaced.strong_count() > 0, "freed by the show");
    drop(old);
    assert_eq!(replaced.strong_count(), 0);
}

/// Returns a large library. An audit rejected every preset.
fn large() -> Arc<Pool> {
    let model = Catalogue::built_in();
    let entry = |number: u32| Entry {
        id: PresetId::of(&number.to_le_bytes()),
        ..model.entries[number as usize % model.entries.len()].clone()
    };
    let entries: Vec<Entry> = (0..40_000).map(entry).collect();
    let mut library = Catalogue::new(entries, model.clusters.clone(), model.origin);
    let rejected = library.entries.iter().map(|entry| (entry.id, "black output".to_owned()));
    library.rejected = Arc::new(rejected.collect());
    Arc::new(Pool::new(Arc::new(library)))
}

#[test]
fn a_prepared_switch_takes_no_longer_if_the_library_is_large() {
    let (small, large) = (pool(24, 0), large());
    let ids = large.catalogue.entries.iter().map(|entry| entry.id);
    let memory = ShowMemory { favourites: ids.step_by(2).collect(), ..ShowMemory::default() };
    let marks = MarkedPresets::of(&memory, 0);
    let cost = |prepare: bool| -> Duration {
        let mut show = show(small.clone(), &memory).show;
        let next = if prepare {
            NextLibrary::prepare(large.clone(), show.known_styles(), &marks)
        } else {
            large.clone().into()
        };
        let before = thread_time();
        let _old = show.change_library(next);
        thread_time() - before
    };
    let (plain, prepared) = (cost(false), cost(true));
    println!("a switch takes {prepared:?} if it was prepared, otherwise {plain:?}");
    assert!(prepared * 10 < plain);
}
