//! What a performer may rely on.

use super::*;
use crate::analysis::{Bands, BeatGrid, Scene, SceneView, Section};
use crate::units::{Seconds, Tempo};

const DT: f64 = 1.0 / 60.0;

/// A house track at 126 BPM: a kick on every beat.
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

/// A pad: no beat, little energy.
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

/// The macros played to some music, with a clock.
struct Played {
    macros: Macros,
    rng: Rng,
    now: f64,
}

impl Played {
    fn new(state: MacroState) -> Self {
        Self { macros: Macros::new(state), rng: Rng::new(1), now: 0.0 }
    }

    fn listen(&mut self, music: impl Fn(f64) -> Features, secs: f64) -> Vec<Bank> {
        let steps = (secs / DT).round() as usize;
        (0..steps)
            .map(|_| {
                self.now += DT;
                self.macros.step(&music(self.now), DT, &mut self.rng)
            })
            .collect()
    }
}

fn furthest(path: &[Bank], from: &Bank) -> f32 {
    path.iter()
        .flat_map(|bank| bank.iter().map(|(control, value)| (value.get() - from.get(control).get()).abs()))
        .fold(0.0, f32::max)
}

#[test]
fn it_visibly_moves_within_six_seconds_of_any_music() {
    for (name, music) in [("groove", groove as fn(f64) -> Features), ("pad", pad)] {
        let path = Played::new(MacroState::default()).listen(music, 6.0);
        let moved = furthest(&path, &Bank::default());
        assert!(moved > 0.15, "{name}: moved {moved}");
    }
}

#[test]
fn the_slow_drift_has_no_steps() {
    let path = Played::new(MacroState::default()).listen(pad, 60.0);
    let worst = path.windows(2).map(|two| furthest(&two[1..], &two[0])).fold(0.0, f32::max);
    assert!(worst < 0.01, "largest move in one frame: {worst}");
}

#[test]
fn silence_leaves_the_performers_positions_as_they_are() {
    let mut set = Bank::default();
    set.set(Control::Motion, Unipolar::new(0.83));
    set.set(Control::M5, Unipolar::new(0.12));
    let mut played = Played::new(MacroState { bank: set, ..MacroState::default() });
    assert_eq!(played.listen(silence, 5.0).last(), Some(&set));
    played.listen(groove, 20.0);
    assert_eq!(played.listen(silence, 20.0).last(), Some(&set));
}

#[test]
fn a_touched_control_stands_still_at_once_and_for_nine_seconds() {
    let mut played = Played::new(MacroState::default());
    played.listen(groove, 20.0);
    let value = Unipolar::new(0.77);
    played.macros.touch(Control::Sparkle, value);
    let path = played.listen(groove, HOLD_SECS - 0.1);
    assert_eq!(played.macros.view().mode, Mode::Hold);
    assert!(path.iter().all(|bank| bank.get(Control::Sparkle) == value));
    let still = path[0];
    assert!(path.iter().all(|bank| *bank == still), "something else moved under the performer's hands");
    let path = played.listen(groove, 30.0);
    assert_eq!(played.macros.view().mode, Mode::Ai);
    assert!(furthest(&path, &still) > 0.05, "the music never came back");
}

#[test]
fn what_the_music_adds_never_reaches_the_saved_state() {
    let mut set = Bank::default();
    set.set(Control::Fusion, Unipolar::new(0.7));
    let state = MacroState { bank: set, profile: Profile::PeakRave, ..MacroState::default() };
    let mut played = Played::new(state);
    let path = played.listen(groove, 60.0);
    assert!(furthest(&path, &set) > 0.1);
    assert_eq!(*played.macros.state(), state);
}

#[test]
fn a_bank_under_midi_knobs_is_moved_by_nothing_else() {
    let mut played = Played::new(MacroState::default());
    played.listen(groove, 20.0);
    played.macros.lock(true);
    played.macros.touch(Control::M4, Unipolar::new(0.9));
    let path = played.listen(groove, 20.0);
    assert_eq!(played.macros.view().mode, Mode::Midi);
    assert!(path.iter().all(|bank| *bank == played.macros.state().bank));
    played.macros.lock(false);
    let path = played.listen(groove, 20.0);
    assert_eq!(played.macros.view().mode, Mode::Ai);
    assert!(furthest(&path, &played.macros.state().bank) > 0.05);
}

#[test]
fn switched_off_it_comes_to_rest_and_stays_there() {
    let mut played = Played::new(MacroState::default());
    played.listen(groove, 20.0);
    played.macros.toggle_follow();
    played.listen(groove, 2.0);
    let path = played.listen(groove, 10.0);
    assert_eq!(played.macros.view().mode, Mode::Off);
    assert_eq!(furthest(&path, &Bank::default()), 0.0);
}

#[test]
fn a_control_at_the_end_of_its_travel_is_nailed_there() {
    let mut set = Bank::default();
    set.set(Control::Sparkle, Unipolar::ZERO);
    set.set(Control::Motion, Unipolar::ONE);
    let path = Played::new(MacroState { bank: set, ..MacroState::default() }).listen(groove, 30.0);
    assert!(path.iter().all(|bank| bank.get(Control::Sparkle) == Unipolar::ZERO));
    assert!(path.iter().all(|bank| bank.get(Control::Motion) == Unipolar::ONE));
}

#[test]
fn profiles_pull_apart_what_the_same_music_does() {
    let mean = |profile| {
        let path = Played::new(MacroState { profile, ..MacroState::default() }).listen(groove, 60.0);
        let late = &path[path.len() / 2..];
        late.iter().map(|bank| bank.get(Control::Motion).get()).sum::<f32>() / late.len() as f32
    };
    let means = [Profile::Drone, Profile::Dub, Profile::Techno, Profile::PeakRave].map(mean);
    assert!(means.windows(2).all(|two| two[1] > two[0] + 0.02), "{means:?}");
}

#[test]
fn a_stored_setting_sets_the_whole_bank_until_a_control_moves() {
    let mut played = Played::new(MacroState::default());
    for preset in MacroPreset::ALL {
        played.macros.take(preset);
        let bank = *played.listen(groove, DT).last().expect("one step");
        assert_eq!(bank, played.macros.state().bank);
        assert_eq!(played.macros.state().preset, Some(preset));
    }
    played.macros.touch(Control::M8, Unipolar::HALF);
    assert_eq!(played.macros.state().preset, None);
}

#[test]
fn equal_seeds_give_equal_paths() {
    let run = || Played::new(MacroState::default()).listen(groove, 30.0);
    assert_eq!(run(), run());
}

#[test]
fn no_input_makes_a_number_that_is_none() {
    let mut played = Played::new(MacroState::default());
    let wild = |now: f64| {
        let mut features = groove(now);
        features.at = Seconds(f64::NAN);
        features.beat.anchor = Seconds(f64::INFINITY);
        features.beat.phrase_beats = f32::NAN;
        features
    };
    for bank in played.listen(wild, 20.0) {
        assert!(bank.iter().all(|(_, value)| (0.0..=1.0).contains(&value.get())));
    }
}
