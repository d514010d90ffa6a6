//! Beat tracking on synthetic drum patterns: tempo, octave, bar, breakdown and manual overrides.

use super::TempoRequest;
use crate::analysis::{Analyser, BeatGrid, BeatPredictor};
use crate::units::{Rng, Seconds};

const RATE: f64 = 44_100.0;

/// One bar of kicks, snares and hats, each divided into as many equal steps as it has characters; `x` marks a
/// stroke.
struct Pattern {
    kick: &'static str,
    snare: &'static str,
    hat: &'static str,
}

const HOUSE: Pattern =
    Pattern { kick: "x---x---x---x---", snare: "----x-------x---", hat: "--x---x---x---x-" };
const ROCK: Pattern =
    Pattern { kick: "x-------x-x-----", snare: "----x-------x---", hat: "x-x-x-x-x-x-x-x-" };
/// A slow song with eighth-note hats, and kicks on the first and third beats and an eighth note before them: as loud
/// between the beats as on them.
const BALLAD: Pattern =
    Pattern { kick: "x-----x-x-----x-", snare: "----x-------x---", hat: "x-x-x-x-x-x-x-x-" };
const PAD_ONLY: Pattern = Pattern { kick: "-", snare: "-", hat: "-" };

/// The sounds of the drums.
#[derive(Clone, Copy, Debug)]
enum Kit {
    Acoustic,
    Electronic,
}

/// Renders patterns in sequence over a soft pad, each for its number of four-beat bars.
fn play(bpm: f64, parts: &[(&Pattern, usize)]) -> Vec<[f32; 2]> {
    play_bars(240.0 / bpm, Kit::Acoustic, parts)
}

/// Renders patterns in sequence over a soft pad, each for its number of bars of `bar` seconds.
fn play_bars(bar: f64, kit: Kit, parts: &[(&Pattern, usize)]) -> Vec<[f32; 2]> {
    let bars: usize = parts.iter().map(|(_, bars)| bars).sum();
    let mut out: Vec<[f32; 2]> = (0..(bar * bars as f64 * RATE) as usize)
        .map(|n| [0.03 * (std::f64::consts::TAU * 220.0 * n as f64 / RATE).sin() as f32; 2])
        .collect();
    let mut rng = Rng::new(5);
    let mut from = 0.0;
    for &(pattern, bars) in parts {
        for n in 0..bars {
            for (drum, row) in [pattern.kick, pattern.snare, pattern.hat].into_iter().enumerate() {
                for (step, _) in row.bytes().enumerate().filter(|(_, mark)| *mark == b'x') {
                    let at = from + bar * (n as f64 + step as f64 / row.len() as f64);
                    strike(&mut out, at, drum, kit, &mut rng);
                }
            }
        }
        from += bar * bars as f64;
    }
    out
}

fn strike(out: &mut [[f32; 2]], at: f64, drum: usize, kit: Kit, rng: &mut Rng) {
    let mut low = 0.0;
    for (n, frame) in out.iter_mut().skip((at * RATE) as usize).take((0.3 * RATE) as usize).enumerate() {
        let since = n as f64 / RATE;
        let turn = |hz: f64| (std::f64::consts::TAU * hz * since).sin();
        let noise = rng.normal();
        low += (noise - low) * 0.3;
        let sound = match (drum, kit) {
            (0, Kit::Acoustic) => {
                (std::f64::consts::TAU * (50.0 * since - 3.3 * (-since / 0.03).exp())).sin()
                    * (-since / 0.12).exp()
            }
            (0, Kit::Electronic) => {
                (std::f64::consts::TAU * (42.0 * since - 1.5 * (-since / 0.02).exp())).sin()
                    * (-since / 0.2).exp()
            }
            (1, Kit::Acoustic) => (0.5 * low + 0.2 * noise + 0.3 * turn(190.0)) * (-since / 0.07).exp(),
            // A clap: three short bursts, the last one with a tail.
            (1, Kit::Electronic) => {
                let burst = if since < 0.02 { since % 0.01 } else { since - 0.02 };
                0.4 * (noise - low) * (-burst / if since < 0.02 { 0.004 } else { 0.05 }).exp()
            }
            (_, Kit::Acoustic) => 0.15 * (noise - low) * (-since / 0.03).exp(),
            (_, Kit::Electronic) => 0.1 * (noise - low) * (-since / 0.015).exp(),
        };
        *frame = frame.map(|side| side + 0.5 * sound as f32);
    }
}

/// Analyses `sound`; returns the predicted beat times and the grid at the end.
fn analyse(analyser: &mut Analyser, sound: &[[f32; 2]]) -> (Vec<f64>, BeatGrid) {
    let mut predictor = BeatPredictor::default();
    let mut beats = Vec::new();
    for block in sound.chunks(441) {
        analyser.push(block);
        beats.extend(predictor.step(analyser.features()).map(|at| at.0));
    }
    (beats, analyser.features().beat)
}

/// Returns the signed distance of each of `beats` from the nearest multiple of the beat period, in seconds.
fn errors(beats: &[f64], bpm: f64) -> Vec<f64> {
    let beat = 60.0 / bpm;
    beats.iter().map(|at| at - (at / beat).round() * beat).collect()
}

#[test]
fn house_and_rock_patterns_give_the_right_tempo_and_beat_times() {
    for (name, pattern, bpm) in [
        ("house", &HOUSE, 126.0),
        ("rock", &ROCK, 132.0),
        ("slow rock", &ROCK, 92.0),
        ("ballad", &ROCK, 64.0),
    ] {
        let (beats, grid) = analyse(&mut Analyser::new(), &play(bpm, &[(pattern, 12)]));
        assert!((grid.tempo.bpm() / bpm - 1.0).abs() < 0.02, "{name}: {} for {bpm}", grid.tempo.bpm());
        let late: Vec<f64> = beats.iter().copied().filter(|&at| at > 60.0 / bpm * 20.0).collect();
        let errors = errors(&late, bpm);
        assert!(late.len() >= 24, "{name}: {} beats", late.len());
        assert!(errors.iter().all(|error| error.abs() < 0.05), "{name}: {errors:?}");
        let mean = errors.iter().sum::<f64>() / errors.len() as f64;
        assert!(mean.abs() < 0.02, "{name}: beats are {mean} s late on average");
    }
}

#[test]
fn a_slow_song_is_tracked_on_its_beats_from_any_starting_point() {
    let bpm = 61.0;
    let beat = 60.0 / bpm;
    for start in [0.0, 0.5, 1.0, 1.5] {
        let sound = play(bpm, &[(&BALLAD, 10)]);
        let (beats, grid) = analyse(&mut Analyser::new(), &sound[(start * beat * RATE) as usize..]);
        assert!((grid.tempo.bpm() / bpm - 1.0).abs() < 0.02, "{start}: {}", grid.tempo.bpm());
        let late: Vec<f64> =
            beats.iter().map(|at| at + start * beat).filter(|&at| at > 14.0 * beat).collect();
        let errors = errors(&late, bpm);
        assert!(late.len() >= 20, "start {start} beats late: {} beats", late.len());
        assert!(errors.iter().all(|error| error.abs() < 0.07), "start {start} beats late: {errors:?}");
    }
}

#[test]
fn a_rock_pattern_gives_the_right_downbeat() {
    let bpm = 120.0;
    let (_, grid) = analyse(&mut Analyser::new(), &play(bpm, &[(&ROCK, 12)]));
    let first = grid.beats_at(Seconds(0.0)).round() as i64;
    assert_eq!((first - grid.downbeat as i64).rem_euclid(4), 0, "{grid:?}");
    assert!(grid.downbeat_confidence.get() > 0.3, "{grid:?}");
}

/// A groove that is not in four, and the ways to count it.
struct Groove {
    name: &'static str,
    pattern: Pattern,
    /// Beats in the bar, and the tempi to play it at, in BPM.
    beats: f64,
    tempi: [f64; 2],
    /// Each correct count: its tempo relative to that of the beats, and its metre.
    counts: &'static [(f64, u8)],
}

const ODD_GROOVES: [Groove; 4] = [
    Groove {
        name: "waltz",
        pattern: Pattern { kick: "x-----------", snare: "----x---x---", hat: "x-x-x-x-x-x-" },
        beats: 3.0,
        tempi: [104.0, 168.0],
        counts: &[(1.0, 3)],
    },
    Groove {
        name: "6/8",
        pattern: Pattern { kick: "x-----------", snare: "------x-----", hat: "x-x-x-x-x-x-" },
        beats: 2.0,
        tempi: [60.0, 72.0],
        counts: &[(1.0, 4), (3.0, 6)],
    },
    Groove {
        name: "5/4",
        pattern: Pattern {
            kick: "x-----------x-------",
            snare: "--------x-------x---",
            hat: "x-x-x-x-x-x-x-x-x-x-",
        },
        beats: 5.0,
        tempi: [118.0, 150.0],
        counts: &[(1.0, 5)],
    },
    Groove {
        name: "7/8",
        pattern: Pattern { kick: "x-------x-----", snare: "----x-------x-", hat: "x-x-x-x-x-x-x-" },
        beats: 7.0,
        tempi: [176.0, 204.0],
        counts: &[(1.0, 7), (0.5, 7)],
    },
];

/// Plays a groove for 24 seconds; returns whether beats and metre are right from the twelfth second on, or what they
/// are instead.
fn follows(groove: &Groove, bpm: f64, kit: Kit) -> Result<(), String> {
    let bar = 60.0 * groove.beats / bpm;
    let sound = play_bars(bar, kit, &[(&groove.pattern, (24.0 / bar).ceil() as usize)]);
    let (first, second) = sound.split_at((12.0 * RATE) as usize);
    let mut analyser = Analyser::new();
    let (_, early) = analyse(&mut analyser, first);
    let (beats, late) = analyse(&mut analyser, second);
    let right = groove.counts.iter().any(|&(times, metre)| {
        let near = |grid: BeatGrid| {
            grid.trusted()
                && grid.beats_per_bar == metre
                && (grid.tempo.bpm() / (bpm * times) - 1.0).abs() < 0.02
        };
        let on_beat = errors(&beats, bpm * times).iter().all(|error| error.abs() < 0.07);
        near(early) && near(late) && on_beat && beats.len() as f64 >= 0.9 * 11.0 * bpm * times / 60.0
    });
    let heard = |grid: BeatGrid| format!("{} beats at {:.1} BPM", grid.beats_per_bar, grid.tempo.bpm());
    let Groove { name, .. } = groove;
    if right {
        return Ok(());
    }
    Err(format!("{name} at {bpm}, {kit:?}: {} after 12 s, {} after 24 s", heard(early), heard(late)))
}

#[test]
fn beat_and_metre_of_odd_grooves_are_right_after_12_seconds() {
    let mut wrong = Vec::new();
    for groove in &ODD_GROOVES {
        for bpm in groove.tempi {
            for kit in [Kit::Acoustic, Kit::Electronic] {
                wrong.extend(follows(groove, bpm, kit).err());
            }
        }
    }
    assert!(wrong.len() <= 3, "{} of 16 are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_waltz_starts_its_bars_on_the_kick() {
    let [waltz, ..] = &ODD_GROOVES;
    let (_, grid) = analyse(&mut Analyser::new(), &play_bars(1.5, Kit::Acoustic, &[(&waltz.pattern, 14)]));
    assert_eq!(grid.beats_per_bar, 3, "{grid:?}");
    assert_eq!(grid.beat_of_bar(grid.beats_at(Seconds(0.0)).round() as i64), 0, "{grid:?}");
    assert!(grid.downbeat_confidence.get() > 0.5, "{grid:?}");
}

#[test]
fn grooves_in_four_keep_four_beats_in_a_bar() {
    for (name, pattern, bpm) in [
        ("house", &HOUSE, 126.0),
        ("rock", &ROCK, 112.0),
        ("fast rock", &ROCK, 168.0),
        ("ballad", &BALLAD, 61.0),
    ] {
        for kit in [Kit::Acoustic, Kit::Electronic] {
            let mut analyser = Analyser::new();
            for block in play_bars(240.0 / bpm, kit, &[(pattern, 16)]).chunks(4_410) {
                analyser.push(block);
                let features = analyser.features();
                assert_eq!(features.beat.beats_per_bar, 4, "{name}, {kit:?} at {:?}", features.at);
            }
        }
    }
}

#[test]
fn drums_correct_a_grid_found_on_off_beat_bass() {
    for bpm in [92.0, 124.0] {
        let offbeat = Pattern { kick: "--x---x---x---x-", snare: "-", hat: "-" };
        let mut sound = play_bars(240.0 / bpm, Kit::Electronic, &[(&offbeat, 24)]);
        let drums = play(bpm, &[(&PAD_ONLY, 8), (&HOUSE, 16)]);
        for (frame, drums) in sound.iter_mut().zip(&drums) {
            *frame = [0.6 * frame[0] + drums[0]; 2];
        }
        let (beats, grid) = analyse(&mut Analyser::new(), &sound);
        let from = 8.0 * 240.0 / bpm + 12.0;
        let late: Vec<f64> = beats.into_iter().filter(|&at| at > from).collect();
        assert!((grid.tempo.bpm() / bpm - 1.0).abs() < 0.02, "{bpm}: {grid:?}");
        assert!(late.len() >= 24, "{bpm}: {} beats", late.len());
        assert!(errors(&late, bpm).iter().all(|error| error.abs() < 0.07), "{bpm}: {late:?}");
    }
}

#[test]
fn the_grid_survives_a_breakdown_and_is_dropped_without_a_beat() {
    let bpm = 128.0;
    let mut analyser = Analyser::new();
    let sound = play(bpm, &[(&HOUSE, 8), (&PAD_ONLY, 4), (&HOUSE, 2)]);
    let (beats, _) = analyse(&mut analyser, &sound);
    let back: Vec<f64> = beats.iter().copied().filter(|&at| at > 12.0 * 240.0 / bpm).collect();
    assert!(back.len() >= 7 && errors(&back, bpm).iter().all(|error| error.abs() < 0.05), "{back:?}");
    // Surf noise has no beat, but has highs, so that it is not rejected as texture.
    let left = analyser.features().at.0;
    let mut rng = Rng::new(9);
    let surf: Vec<[f32; 2]> = play(bpm, &[(&PAD_ONLY, 24)])
        .iter()
        .enumerate()
        .map(|(n, frame)| {
            let swell = 0.03 + 0.02 * (n as f64 / RATE * 0.7).sin();
            frame.map(|side| side + (swell * rng.normal()) as f32)
        })
        .collect();
    let (beats, grid) = analyse(&mut analyser, &surf);
    let last = beats.last().copied().unwrap_or(left);
    assert!(!grid.trusted() && last < left + 32.0, "beats continue for {} s; {grid:?}", last - left);
}

#[test]
fn a_kick_through_a_muffled_system_is_a_beat() {
    let bpm = 124.0;
    let kicks = Pattern { kick: "x---x---x---x---", snare: "-", hat: "-" };
    let mut sound = play(bpm, &[(&kicks, 14)]);
    // Four-pole low-pass filter at 600 Hz.
    let mut poles = [0.0_f32; 4];
    for frame in &mut sound {
        let mut sample = frame[0];
        for pole in &mut poles {
            *pole += (sample - *pole) * 0.082;
            sample = *pole;
        }
        *frame = [sample; 2];
    }
    let (beats, grid) = analyse(&mut Analyser::new(), &sound);
    let late: Vec<f64> = beats.into_iter().filter(|&at| at > 10.0).collect();
    assert!(grid.trusted() && late.len() >= 30, "{} beats; {grid:?}", late.len());
    assert!(errors(&late, bpm).iter().all(|error| error.abs() < 0.06), "{late:?}");
}

/// Adds reverberation that is louder than the direct sound and takes `secs` to decay by 60 dB: four parallel
/// comb filters and two all-pass filters (Schroeder, 1962).
fn room(sound: &mut [[f32; 2]], secs: f32) {
    let mut combs = [1_687, 1_601, 2_053, 2_251].map(|delay| vec![0.0_f32; delay]);
    let mut passes = [341, 113].map(|delay| vec![0.0_f32; delay]);
    for (n, frame) in sound.iter_mut().enumerate() {
        let mut wet = 0.0;
        for line in &mut combs {
            let (length, at) = (line.len(), n % line.len());
            let out = line[at];
            line[at] = frame[0] + out * 10.0_f32.powf(-3.0 * length as f32 / RATE as f32 / secs);
            wet += 0.5 * out;
        }
        for line in &mut passes {
            let at = n % line.len();
            let out = line[at] - 0.7 * wet;
            line[at] = wet + 0.7 * out;
            wet = out;
        }
        *frame = [0.5 * frame[0] + wet; 2];
    }
}

#[test]
fn beats_are_found_in_a_room_and_in_a_crowd() {
    for (name, pattern, bpm) in [("house", &HOUSE, 126.0), ("rock", &ROCK, 112.0)] {
        let mut sound = play(bpm, &[(pattern, 14)]);
        room(&mut sound, 2.0);
        // Voices, simulated by swelling noise.
        let (mut rng, mut low) = (Rng::new(11), 0.0);
        for (n, frame) in sound.iter_mut().enumerate() {
            low += (rng.normal() as f32 - low) * 0.1;
            let swell = 0.1 + 0.06 * (n as f64 / RATE * 11.0).sin() as f32;
            *frame = frame.map(|side| side + swell * low);
        }
        let (beats, grid) = analyse(&mut Analyser::new(), &sound);
        let late: Vec<f64> = beats.into_iter().filter(|&at| at > 12.0).collect();
        assert!(grid.trusted() && late.len() >= 20, "{name}: {} beats; {grid:?}", late.len());
        assert!(errors(&late, bpm).iter().all(|error| error.abs() < 0.07), "{name}: {late:?}");
    }
}

#[test]
fn noise_without_a_beat_gives_no_beats() {
    let mut rng = Rng::new(13);
    let (mut low, mut swell, mut target) = (0.0, 0.0, 0.0);
    let sound: Vec<[f32; 2]> = (0..(60.0 * RATE) as usize)
        .map(|n| {
            // Syllables, wind and footsteps, simulated by swells of random strength at random times.
            if n % 4_410 == 0 && rng.unit_f32() < 0.6 {
                target = rng.unit_f32();
            }
            swell += (target - swell) * 0.002;
            low += (rng.normal() as f32 - low) * 0.2;
            [swell * 0.2 * low; 2]
        })
        .collect();
    let (beats, _) = analyse(&mut Analyser::new(), &sound);
    assert!(beats.len() <= 2, "{} beats in a minute", beats.len());
}

#[test]
fn a_new_tempo_is_found_after_a_gap() {
    let mut analyser = Analyser::new();
    analyse(&mut analyser, &play(126.0, &[(&HOUSE, 8)]));
    let stopped = analyser.features().at.0;
    let (beats, grid) = analyse(&mut analyser, &vec![[0.0; 2]; (15.2 * RATE) as usize]);
    let last = beats.last().copied().unwrap_or(stopped);
    assert!(!grid.trusted() && last < stopped + 14.0, "beats continue for {} s of silence", last - stopped);
    let from = analyser.features().at.0;
    let (beats, grid) = analyse(&mut analyser, &play(138.0, &[(&HOUSE, 8)]));
    assert!((grid.tempo.bpm() / 138.0 - 1.0).abs() < 0.02, "{grid:?}");
    let late: Vec<f64> = beats.iter().map(|at| at - from).filter(|&at| at > 7.0).collect();
    assert!(late.len() >= 12 && errors(&late, 138.0).iter().all(|error| error.abs() < 0.05), "{late:?}");
}

#[test]
fn manual_tempo_overrides_detection() {
    let bpm = 120.0;
    let mut analyser = Analyser::new();
    analyse(&mut analyser, &play(bpm, &[(&HOUSE, 6)]));
    let tempo = |analyser: &Analyser| analyser.features().beat.tempo.bpm();
    let detected = tempo(&analyser);
    assert!((detected / bpm - 1.0).abs() < 0.01, "{detected}");
    analyser.tempo(TempoRequest::Double);
    assert_eq!(tempo(&analyser), detected, "240 BPM is above the maximum tempo");
    analyser.tempo(TempoRequest::Half);
    assert!((tempo(&analyser) / detected - 0.5).abs() < 1e-3, "{}", tempo(&analyser));
    analyser.tempo(TempoRequest::Half);
    assert!(
        (tempo(&analyser) / detected - 0.5).abs() < 1e-3,
        "30 BPM is below the minimum tempo: {}",
        tempo(&analyser)
    );
    analyser.tempo(TempoRequest::Set(None));
    assert!((tempo(&analyser) - detected).abs() < 0.5, "automatic again");

    analyser.tempo(TempoRequest::Set(Some(97.0)));
    analyse(&mut analyser, &play(bpm, &[(&HOUSE, 6)]));
    assert_eq!(tempo(&analyser), 97.0, "a manual tempo does not follow the music");
    assert!(analyser.features().beat.trusted());

    analyser.tempo(TempoRequest::Resync);
    let features = *analyser.features();
    let (beats, grid) = (features.beat.beats_at(features.at), features.beat);
    assert!((beats - beats.round()).abs() < 0.06, "resync places a beat now: {beats}");
    assert_eq!((beats.round() as u64 + 4 - grid.downbeat % 4) % 4, 0, "and makes it the downbeat: {grid:?}");
    assert_eq!(grid.downbeat_confidence.get(), 1.0);

    analyser.tempo(TempoRequest::Set(None));
    analyse(&mut analyser, &play(bpm, &[(&HOUSE, 8)]));
    assert!((tempo(&analyser) / bpm - 1.0).abs() < 0.02, "detection resumes: {}", tempo(&analyser));
}

#[test]
fn a_manual_bar_start_holds_at_any_octave() {
    let bpm = 100.0;
    for requests in [
        vec![],
        vec![TempoRequest::Double],
        vec![TempoRequest::Half],
        vec![TempoRequest::Half, TempoRequest::Double],
    ] {
        for beats in [25, 26] {
            let mut analyser = Analyser::new();
            analyse(
                &mut analyser,
                &play(bpm, &[(&HOUSE, 8)])[..(f64::from(beats) * 60.0 / bpm * RATE) as usize],
            );
            for &request in &requests {
                analyser.tempo(request);
            }
            analyser.tempo(TempoRequest::Resync);
            let resynced = analyser.features().at;
            // Two bars later, bars must still start at that beat.
            analyse(&mut analyser, &play(bpm, &[(&HOUSE, 2)]));
            let grid = analyser.features().beat;
            let since = grid.beats_at(resynced) - grid.downbeat as f64;
            let away = since / 4.0 - (since / 4.0).round();
            assert!(away.abs() < 0.05, "{requests:?} on beat {beats}: {away} of a bar; {grid:?}");
        }
    }
}

#[test]
fn taps_set_tempo_and_phase_even_in_silence() {
    let mut analyser = Analyser::new();
    for _ in 0..5 {
        analyser.tempo(TempoRequest::Tap);
        analyser.push(&vec![[0.0; 2]; (0.6 * RATE) as usize]);
    }
    let features = *analyser.features();
    assert!((features.beat.tempo.bpm() - 100.0).abs() < 1.0, "{:?}", features.beat);
    assert!(features.beat.trusted());
    let beats = features.beat.beats_at(features.at);
    assert!((beats - beats.round()).abs() < 0.1, "a beat falls now: {beats}");
}

/// Returns house music at `bpm`, and the number of its samples up to a beat, which may be fractional.
fn house(bpm: f64, bars: usize) -> (Vec<[f32; 2]>, impl Fn(f64) -> usize) {
    (play(bpm, &[(&HOUSE, bars)]), move |beat| (beat * 60.0 / bpm * RATE) as usize)
}

#[test]
fn two_inexact_taps_find_the_tempo_of_the_music() {
    let bpm = 128.0;
    for late in [-0.03, 0.03] {
        let (sound, at) = house(bpm, 16);
        let mut analyser = Analyser::new();
        analyse(&mut analyser, &sound[..at(24.0)]);
        analyser.tempo(TempoRequest::Tap);
        let second = at(25.0 + late * bpm / 60.0);
        analyse(&mut analyser, &sound[at(24.0)..second]);
        analyser.tempo(TempoRequest::Tap);
        let tapped = analyser.features().beat;
        assert!((tapped.tempo.bpm() / bpm - 1.0).abs() < 0.015, "{late} s late: {tapped:?}");
        let (beats, grid) = analyse(&mut analyser, &sound[second..at(60.0)]);
        assert!((grid.tempo.bpm() / bpm - 1.0).abs() < 0.01, "{late} s late: {grid:?}");
        assert!(beats.len() >= 32 && errors(&beats, bpm).iter().all(|error| error.abs() < 0.05), "{beats:?}");
    }
}

#[test]
fn taps_at_a_tempo_that_the_music_lacks_hold_for_a_few_bars() {
    let (sound, at) = house(128.0, 24);
    let mut analyser = Analyser::new();
    analyse(&mut analyser, &sound[..at(24.0)]);
    let mut pushed = at(24.0);
    // Five taps at 100 BPM.
    for _ in 0..5 {
        analyser.tempo(TempoRequest::Tap);
        analyse(&mut analyser, &sound[pushed..pushed + 26_460]);
        pushed += 26_460;
    }
    let tempo = |analyser: &Analyser| analyser.features().beat.tempo.bpm();
    let (_, grid) = analyse(&mut analyser, &sound[pushed..pushed + 6 * 44_100]);
    assert!((grid.tempo.bpm() - 100.0).abs() < 3.0 && grid.trusted(), "{grid:?}");
    analyse(&mut analyser, &sound[pushed + 6 * 44_100..]);
    assert!((tempo(&analyser) / 128.0 - 1.0).abs() < 0.01, "automatic again: {}", tempo(&analyser));
}

#[test]
fn a_downbeat_between_the_detected_beats_holds_for_several_bars() {
    let bpm = 126.0;
    let (sound, at) = house(bpm, 12);
    let mut analyser = Analyser::new();
    analyse(&mut analyser, &sound[..at(24.5)]);
    analyser.tempo(TempoRequest::Resync);
    let started = analyser.features().at;
    analyse(&mut analyser, &sound[at(24.5)..at(44.5)]);
    let grid = analyser.features().beat;
    let since = grid.beats_at(started) - grid.downbeat as f64;
    assert!((since / 4.0 - (since / 4.0).round()).abs() < 0.05, "{since} beats; {grid:?}");
    assert!((grid.tempo.bpm() / bpm - 1.0).abs() < 0.01, "{grid:?}");
}

#[test]
fn a_nudge_lasts_and_follows_the_music() {
    let (sound, at) = house(126.0, 12);
    let (mut nudged, mut other) = (Analyser::new(), Analyser::new());
    analyse(&mut nudged, &sound[..at(24.0)]);
    analyse(&mut other, &sound[..at(24.0)]);
    nudged.tempo(TempoRequest::Nudge(20.0));
    analyse(&mut nudged, &sound[at(24.0)..]);
    analyse(&mut other, &sound[at(24.0)..]);
    let late = nudged.features().beat.anchor.0 - other.features().beat.anchor.0;
    assert!((late - 0.02).abs() < 1e-9, "{late}");
    nudged.tempo(TempoRequest::Set(None));
    assert_eq!(nudged.features().beat.anchor, other.features().beat.anchor);
}
