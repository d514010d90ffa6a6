//! The analyser on synthetic audio: hits, level independence, silence and corrupt input.

use assert_no_alloc::assert_no_alloc;

use super::{Analyser, Features};
use crate::units::{Rng, Unipolar};

const RATE: f32 = 44_100.0;

/// Returns a sample of a kick (a sine falling from 160 to 50 Hz) `since` seconds after its start; 0 if
/// `since` is negative.
fn kick(since: f32) -> f32 {
    if since < 0.0 {
        0.0
    } else {
        (std::f32::consts::TAU * (50.0 * since - 110.0 * 0.03 * (-since / 0.03).exp())).sin()
            * (-since / 0.12).exp()
    }
}

/// Returns kicks at `bpm` over a quiet pad.
fn kicks(bpm: f32, seconds: f32, gain: f32) -> Vec<[f32; 2]> {
    let period = 60.0 / bpm;
    (0..(seconds * RATE) as usize)
        .map(|n| {
            let t = n as f32 / RATE;
            let pad = 0.05 * (std::f32::consts::TAU * 220.0 * t).sin();
            [gain * (0.6 * kick(t % period) + pad); 2]
        })
        .collect()
}

fn noise(seconds: f32, gain: f32) -> Vec<[f32; 2]> {
    let mut rng = Rng::new(3);
    (0..(seconds * RATE) as usize).map(|_| [gain * rng.normal() as f32; 2]).collect()
}

/// Analyses `sound` in blocks of 5 ms; returns the features after each block.
fn analyse(analyser: &mut Analyser, sound: &[[f32; 2]]) -> Vec<Features> {
    sound
        .chunks(220)
        .map(|block| {
            analyser.push(block);
            *analyser.features()
        })
        .collect()
}

/// Returns the values of every feature that must not depend on the level.
fn numbers(features: &Features) -> [f32; 11] {
    let Features { bands, hit, flux, centroid, flatness, energy_fast, energy_slow, onset, .. } = features;
    [
        bands.sub_bass,
        bands.bass,
        bands.mid,
        bands.high,
        *hit,
        *flux,
        *centroid,
        *flatness,
        *energy_fast,
        *energy_slow,
        *onset,
    ]
    .map(Unipolar::get)
}

#[test]
fn a_quarter_of_the_level_changes_only_the_meters() {
    let loud = analyse(&mut Analyser::new(), &kicks(125.0, 6.0, 1.0));
    let quiet = analyse(&mut Analyser::new(), &kicks(125.0, 6.0, 0.25));
    let mut sums = [0.0; 11];
    for (loud, quiet) in loud.iter().zip(&quiet) {
        for ((sum, a), b) in sums.iter_mut().zip(numbers(loud)).zip(numbers(quiet)) {
            *sum += (a - b).abs();
        }
    }
    for (place, sum) in sums.iter().enumerate() {
        assert!(sum / (loud.len() as f32) < 0.05, "feature {place} differs by {}", sum / loud.len() as f32);
    }
    let (loud, quiet) = (loud.last().unwrap().level, quiet.last().unwrap().level);
    assert!((loud.loudness_lufs - quiet.loudness_lufs - 12.0).abs() < 0.5, "{loud:?} {quiet:?}");
}

#[test]
fn every_kick_is_a_hit_within_20_ms_and_noise_has_none() {
    let features = analyse(&mut Analyser::new(), &kicks(120.0, 8.0, 0.5));
    for beat in 4..15 {
        let at = beat as f64 * 0.5;
        let value = |t: f64| features[(t / (220.0 / 44_100.0)) as usize].hit.get();
        assert!(
            value(at - 0.01) < 0.3 && value(at + 0.02) > 0.6,
            "kick at {at}: {} {}",
            value(at - 0.01),
            value(at + 0.02)
        );
    }
    for sound in [noise(8.0, 0.1), noise(8.0, 0.0003), vec![[0.0; 2]; 44_100]] {
        let rises = analyse(&mut Analyser::new(), &sound).windows(2).filter(|w| w[1].hit > w[0].hit).count();
        assert_eq!(rises, 0, "rises on sound without hits");
    }
}

#[test]
fn silence_and_hiss_read_zero_within_a_second_of_the_last_note() {
    let mut analyser = Analyser::new();
    analyse(&mut analyser, &kicks(120.0, 4.0, 0.8));
    let last = *analyse(&mut analyser, &noise(1.0, 0.0003)).last().unwrap();
    assert!(last.silent);
    assert!(numbers(&last).iter().all(|&n| n < 0.05), "{:?}", numbers(&last));
    let again = analyse(&mut analyser, &kicks(120.0, 2.0, 0.8));
    assert!(again.iter().any(|features| features.hit.get() > 0.6), "no hits after the music returned");
}

#[test]
fn corrupt_input_gives_finite_features_and_still_finds_hits() {
    let clean = kicks(120.0, 4.0, 0.5);
    type Break = Box<dyn Fn(usize, [f32; 2]) -> [f32; 2]>;
    let cases: [(&str, Break); 6] = [
        ("DC offset", Box::new(|_, f| f.map(|s| s + 0.5))),
        ("one channel inverted", Box::new(|_, [l, r]| [l, -r])),
        ("one channel silent", Box::new(|_, [l, _]| [l, 0.0])),
        ("clipped", Box::new(|_, f| f.map(|s| (s * 8.0).clamp(-1.0, 1.0)))),
        (
            "occasional NaN and infinity",
            Box::new(|n, f| if n % 5_000 == 0 { [f32::NAN, f32::INFINITY] } else { f }),
        ),
        ("far too loud", Box::new(|_, f| f.map(|s| s * 1e30))),
    ];
    for (name, corrupt) in cases {
        let corrupted: Vec<[f32; 2]> =
            clean.iter().enumerate().map(|(n, &frame)| corrupt(n, frame)).collect();
        let features = analyse(&mut Analyser::new(), &corrupted);
        let finite =
            features.iter().all(|f| numbers(f).iter().all(|n| n.is_finite()) && f.level.rms.is_finite());
        assert!(finite, "{name}");
        let hits = features.windows(2).skip(500).filter(|w| w[1].hit.get() > w[0].hit.get() + 0.3).count();
        assert!(hits >= 2, "{name}: {hits} hits in the last few seconds");
    }
}

#[test]
fn analysis_does_not_allocate() {
    let sound = kicks(120.0, 3.0, 0.5);
    let mut analyser = Analyser::new();
    let mut hits = 0;
    assert_no_alloc(|| {
        for block in sound.chunks(441) {
            analyser.push(block);
            hits += usize::from(analyser.features().hit.get() > 0.5);
        }
    });
    assert!(hits > 0, "no hits found");
}
