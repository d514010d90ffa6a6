//! Tests of the macro bank as a performer sees it.

use super::*;
use crate::analysis::{Bands, BeatGrid, Scene, SceneView};
use crate::units::{Seconds, Tempo};

const DT: f64 = 1.0 / 60.0;

/// Returns the features of a house track at 126 BPM with a kick on every beat.
fn groove(now: f64) -> Features {
    let beat = BeatGrid {
        tempo: Tempo::new(126.0),
        confidence: Unipolar::new(0.9),
        phrase_bars: 8,
        ..BeatGrid::default()
    };
    let since_kick = beat.at(Seconds(now)).get() as f32;
    Features {
        at: Seconds(now),
        bands: Bands {
            sub_bass: Unipolar::new(0.5),
            bass: Unipolar::new(0.5),
            mid: Unipolar::new(0.4),
            high: Unipolar::new(0.3),
        },
        hit: Unipolar::new(1.0 - 3.0 * since_kick),
        flux: Unipolar::new(0.3),
        energy_fast: Unipolar::new(0.6),
        energy_slow: Unipolar::new(0.6),
        beat,
        section: Section::Groove,
        scene: SceneView { scene: Scene::Techno, ..SceneView::default() },
        ..Features::default()
    }
}

/// Returns the features of a pad, with no beat and little energy.
fn pad(now: f64) -> Features {
    Features {
        at: Seconds(now),
        bands: Bands { mid: Unipolar::new(0.3), bass: Unipolar::new(0.2), ..Bands::default() },
        energy_fast: Unipolar::new(0.25),
        energy_slow: Unipolar::new(0.25),
        scene: SceneView { scene: Scene::Ambient, ..SceneView::default() },
        ..Features::default()
    }
}

fn silence(now: f64) -> Features {
    Features { at: Seconds(now), silent: true, ..Features::default() }
}

/// A macro bank driven by music, with its clock.
struct Harness {
    macros: Macros,
    rng: Rng,
    now: f64,
}

impl Harness {
    fn new(state: MacroState) -> Self {
        Self { macros: Macros::new(state), rng: Rng::new(1), now: 0.0 }
    }

    fn play(&mut self, music: impl Fn(f64) -> Features, secs: f64) -> Vec<Bank> {
        let steps = (secs / DT).round() as usize;
        (0..steps)
            .map(|_| {
                self.now += DT;
                self.macros.step(&music(self.now), DT, &mut self.rng)
            })
            .collect()
    }
}

fn largest_change(path: &[Bank], from: &Bank) -> f32 {
    path.iter()
        .flat_map(|bank| bank.iter().map(|(control, value)| (value.get() - from.get(control).get()).abs()))
        .fold(0.0, f32::max)
}

#[test]
fn any_music_visibly_moves_the_bank_within_six_seconds() {
    for (name, music) in [("groove", groove as fn(f64) -> Features), ("pad", pad)] {
        let path = Harness::new(MacroState::default()).play(music, 6.0);
        let moved = largest_change(&path, &Bank::default());
        assert!(moved > 0.15, "{name}: moved {moved}");
    }
}

#[test]
fn the_slow_drift_has_no_steps() {
    let path = Harness::new(MacroState::default()).play(pad, 60.0);
    let worst = path.windows(2).map(|two| largest_change(&two[1..], &two[0])).fold(0.0, f32::max);
    assert!(worst < 0.01, "largest move in one frame: {worst}");
}

#[test]
fn silence_restores_the_performers_positions() {
    let mut set = Bank::default();
    set.set(Control::Motion, Unipolar::new(0.83));
    set.set(Control::M5, Unipolar::new(0.12));
    let mut harness = Harness::new(MacroState { bank: set, ..MacroState::default() });
    assert_eq!(harness.play(silence, 5.0).last(), Some(&set));
    harness.play(groove, 20.0);
    assert_eq!(harness.play(silence, 20.0).last(), Some(&set));
}

#[test]
fn a_touch_freezes_the_bank_for_nine_seconds() {
    let mut harness = Harness::new(MacroState::default());
    harness.play(groove, 20.0);
    let value = Unipolar::new(0.77);
    harness.macros.touch(Control::Sparkle, value);
    let path = harness.play(groove, HOLD_SECS - 0.1);
    assert_eq!(harness.macros.view().mode, Mode::Hold);
    assert!(path.iter().all(|bank| bank.get(Control::Sparkle) == value));
    let still = path[0];
    assert!(path.iter().all(|bank| *bank == still), "the bank moved during a hold");
    let path = harness.play(groove, 30.0);
    assert_eq!(harness.macros.view().mode, Mode::Ai);
    assert!(largest_change(&path, &still) > 0.05, "the bank did not follow the music after the hold");
}

#[test]
fn a_hold_withstands_another_section_and_silence() {
    let mut harness = Harness::new(MacroState::default());
    harness.play(groove, 20.0);
    harness.macros.touch(Control::Sparkle, Unipolar::new(0.77));
    let mut path = harness.play(groove, 1.0);
    assert!(largest_change(&path, &harness.macros.state().bank) > 0.01, "the music has not moved the bank");
    path.extend(harness.play(|now| Features { section: Section::Calm, ..groove(now) }, 2.0));
    path.extend(harness.play(|now| Features { section: Section::Peak, ..groove(now) }, 2.0));
    path.extend(harness.play(silence, HOLD_SECS - 5.1));
    assert_eq!(harness.macros.view().mode, Mode::Hold);
    assert!(path.iter().all(|bank| *bank == path[0]), "the bank moved during a hold");
    let path = harness.play(silence, 20.0);
    assert_eq!(path.last(), Some(&harness.macros.state().bank));
}

#[test]
fn offsets_never_reach_the_saved_state() {
    let mut set = Bank::default();
    set.set(Control::Fusion, Unipolar::new(0.7));
    let state = MacroState { bank: set, profile: Profile::PeakRave, ..MacroState::default() };
    let mut harness = Harness::new(state);
    let path = harness.play(groove, 60.0);
    assert!(largest_change(&path, &set) > 0.1);
    assert_eq!(*harness.macros.state(), state);
}

#[test]
fn a_locked_bank_does_not_follow_the_music() {
    let mut harness = Harness::new(MacroState::default());
    harness.play(groove, 20.0);
    harness.macros.lock(true);
    harness.macros.touch(Control::M4, Unipolar::new(0.9));
    let path = harness.play(groove, 20.0);
    assert_eq!(harness.macros.view().mode, Mode::Midi);
    assert!(path.iter().all(|bank| *bank == harness.macros.state().bank));
    harness.macros.lock(false);
    let path = harness.play(groove, 20.0);
    assert_eq!(harness.macros.view().mode, Mode::Ai);
    assert!(largest_change(&path, &harness.macros.state().bank) > 0.05);
}

#[test]
fn a_bank_that_stops_following_returns_to_rest() {
    let mut harness = Harness::new(MacroState::default());
    harness.play(groove, 20.0);
    harness.macros.toggle_follow();
    harness.play(groove, 2.0);
    let path = harness.play(groove, 10.0);
    assert_eq!(harness.macros.view().mode, Mode::Off);
    assert_eq!(largest_change(&path, &Bank::default()), 0.0);
}

#[test]
fn a_control_at_the_end_of_its_travel_stays_there() {
    let mut set = Bank::default();
    set.set(Control::Sparkle, Unipolar::ZERO);
    set.set(Control::Motion, Unipolar::ONE);
    let path = Harness::new(MacroState { bank: set, ..MacroState::default() }).play(groove, 30.0);
    assert!(path.iter().all(|bank| bank.get(Control::Sparkle) == Unipolar::ZERO));
    assert!(path.iter().all(|bank| bank.get(Control::Motion) == Unipolar::ONE));
}

#[test]
fn profiles_respond_differently_to_the_same_music() {
    let mean = |profile| {
        let path = Harness::new(MacroState { profile, ..MacroState::default() }).play(groove, 60.0);
        let late = &path[path.len() / 2..];
        late.iter().map(|bank| bank.get(Control::Motion).get()).sum::<f32>() / late.len() as f32
    };
    let means = [Profile::Drone, Profile::Dub, Profile::Techno, Profile::PeakRave].map(mean);
    assert!(means.windows(2).all(|two| two[1] > two[0] + 0.02), "{means:?}");
}

#[test]
fn a_macro_preset_stays_active_until_a_control_moves() {
    let mut harness = Harness::new(MacroState::default());
    for preset in MacroPreset::ALL {
        harness.macros.recall(preset);
        let bank = *harness.play(groove, DT).last().expect("one step");
        assert_eq!(bank, harness.macros.state().bank);
        assert_eq!(harness.macros.state().preset, Some(preset));
    }
    harness.macros.touch(Control::M8, Unipolar::HALF);
    assert_eq!(harness.macros.state().preset, None);
}

#[test]
fn equal_seeds_give_equal_paths() {
    let run = || Harness::new(MacroState::default()).play(groove, 30.0);
    assert_eq!(run(), run());
}

#[test]
fn invalid_input_never_produces_nan() {
    let mut harness = Harness::new(MacroState::default());
    let wild = |now: f64| {
        let mut features = groove(now);
        features.at = Seconds(f64::NAN);
        features.beat.anchor = Seconds(f64::INFINITY);
        features.beat.phrase_beats = f32::NAN;
        features
    };
    for bank in harness.play(wild, 20.0) {
        assert!(bank.iter().all(|(_, value)| (0.0..=1.0).contains(&value.get())));
    }
}
