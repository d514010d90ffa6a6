//! Compares the network with its Python reference, and checks activations on drums and noise.

use super::network::OUTPUTS;
use super::*;
use crate::units::Rng;

/// A number of frames, and the logits of the Python network after them (`tests/tools/train_beats.py --check`). Input
/// `n` of frame `t` is `sin(0.1 * (t + 1) * (n + 1))`.
const EXPECTED: [(usize, [f32; OUTPUTS]); 3] = [
    (1, [-2.22141, -3.494, -0.82446]),
    (50, [-1.77202, -3.57445, 2.21364]),
    (300, [-2.1594, -3.62181, 1.15682]),
];

#[test]
fn the_forward_pass_equals_the_python_network() {
    let mut network = Network::<INPUTS>::new(WEIGHTS);
    let mut frame = 0;
    for (frames, expected) in EXPECTED {
        let mut logits = [0.0; OUTPUTS];
        while frame < frames {
            let input = |n: usize| (0.1 * ((frame + 1) * (n + 1)) as f64).sin() as f32;
            logits = network.step(&std::array::from_fn(input));
            frame += 1;
        }
        for (ours, theirs) in logits.iter().zip(expected) {
            assert!((ours - theirs).abs() < 2e-4, "after {frames} frames: {logits:?}, expected {expected:?}");
        }
    }
}

#[test]
fn activations_peak_on_the_beat_and_noise_has_none() {
    // Kicks every 50 hops in the low bands and hats every 25 hops in the high bands, over noise at a hundredth of the
    // kicks' power.
    let mean = |kicks: bool| {
        let mut detector = ActivationDetector::new();
        let mut rng = Rng::new(5);
        let (mut low, mut high) = (0.0_f32, 0.0_f32);
        let (mut on, mut off) = ((0.0, 0), (0.0, 0));
        for hop in 0..1_500 {
            low = if kicks && hop % 50 == 0 { 1.0 } else { low * 0.85 };
            high = if kicks && hop % 25 == 0 { 0.1 } else { high * 0.6 };
            let bands: [f32; BANDS] = std::array::from_fn(|band| {
                let noise = -(1.0 - rng.unit_f32()).max(1e-3).ln() * 0.01;
                let drums = match band {
                    0..6 => low,
                    26.. => high,
                    _ => 0.0,
                };
                noise + drums
            });
            let activation = detector.step(&bands, 1.0, 1.0);
            if hop >= 500 {
                // These bands are not delayed by a transform window, so activations come slightly early.
                let place = if (1..=6).contains(&(hop % 50)) { &mut on } else { &mut off };
                *place = (place.0 + activation.beat, place.1 + 1);
            }
        }
        (on.0 / on.1 as f32, off.0 / off.1 as f32)
    };
    let (on, off) = mean(true);
    assert!(on > 4.0 * off, "{on} on the beat, {off} off it");
    let (on, off) = mean(false);
    assert!(on.max(off) < 0.2, "noise: {on} {off}");
}

#[test]
fn inputs_depend_neither_on_the_level_nor_on_steady_filters() {
    let mut rng = Rng::new(3);
    let mut all = [Inputs::<BANDS>::new(), Inputs::new(), Inputs::new()];
    let mut frames = [[0.0; INPUTS]; 3];
    for _ in 0..400 {
        let bands: [f32; BANDS] = std::array::from_fn(|_| 0.1 + rng.unit_f32());
        let quiet = bands.map(|power| power * 1e-3);
        let muffled =
            std::array::from_fn::<_, BANDS, _>(|band| bands[band] * if band > 20 { 0.05 } else { 1.0 });
        for ((inputs, frame), (bands, reference)) in
            all.iter_mut().zip(&mut frames).zip([(bands, 1.0), (quiet, 1e-3), (muffled, 1.0)])
        {
            inputs.push(&bands, reference, 1.0, frame);
        }
    }
    let [plain, quiet, muffled] = frames;
    for n in 0..INPUTS {
        assert!((plain[n] - quiet[n]).abs() < 1e-3, "input {n}: {} and {}", plain[n], quiet[n]);
        assert!(
            n < BANDS || (plain[n] - muffled[n]).abs() < 0.01,
            "input {n}: {} and {}",
            plain[n],
            muffled[n]
        );
    }
}
