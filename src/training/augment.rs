//! Augments audio clips with the effects of rooms, playback equipment and mixing, so that the model learns
//! structure rather than timbre.

use crate::units::Rng;

const RATE: f32 = 44_100.0;

/// Returns a random variant of `clip` (mono, 44.1 kHz) with changed speed and pitch, equalisation, saturation, room,
/// band limits, noise and level.
pub fn vary(clip: &[f32], rng: &mut Rng) -> Vec<f32> {
    let mut sound = speed(clip, 0.84 + 0.34 * rng.unit_f32());
    for _ in 0..3 {
        let hz = 60.0 * (rng.unit_f32() * 7.2).exp2();
        peak(&mut sound, hz, 12.0 * (rng.unit_f32() * 2.0 - 1.0), 0.5 + rng.unit_f32());
    }
    if rng.unit() < 0.3 {
        let drive = 1.0 + 5.0 * rng.unit_f32();
        sound.iter_mut().for_each(|sample| *sample = (drive * *sample).tanh() / drive.sqrt());
    }
    if rng.unit() < 0.5 {
        room(&mut sound, rng);
    }
    if rng.unit() < 0.5 {
        one_pole(&mut sound, 2_500.0 * (rng.unit_f32() * 1.8).exp2(), true);
        one_pole(&mut sound, 60.0 + 140.0 * rng.unit_f32(), false);
    }
    let power = sound.iter().map(|s| s * s).sum::<f32>() / sound.len().max(1) as f32;
    if rng.unit() < 0.35 {
        // Background such as a crowd, a street or rain: 6 to 26 dB below the music.
        let background = noise(sound.len() as f32 / RATE, rng);
        let own = background.iter().map(|s| s * s).sum::<f32>() / background.len().max(1) as f32;
        let share = (power / own.max(1e-9) * 10.0_f32.powf(-(0.6 + 2.0 * rng.unit_f32()))).sqrt();
        sound.iter_mut().zip(&background).for_each(|(sample, background)| *sample += share * background);
    }
    let hiss = (power * 10.0_f32.powf(-(2.0 + 3.0 * rng.unit_f32()))).sqrt();
    let gain = 10.0_f32.powf((rng.unit_f32() * 18.0 - 12.0) / 20.0);
    for sample in &mut sound {
        *sample = (gain * (*sample + hiss * rng.normal() as f32)).clamp(-1.0, 1.0);
    }
    sound
}

/// Returns non-musical noise of a random colour, steady or swelling, like wind, rain, traffic or a bad cable.
fn noise(seconds: f32, rng: &mut Rng) -> Vec<f32> {
    let mut sound: Vec<f32> = (0..(seconds * RATE) as usize).map(|_| 0.2 * rng.normal() as f32).collect();
    for _ in 0..rng.below(3) {
        one_pole(&mut sound, 200.0 * (rng.unit_f32() * 5.0).exp2(), true);
    }
    let hz = 100.0 * (rng.unit_f32() * 6.0).exp2();
    peak(&mut sound, hz, 15.0 * rng.unit_f32(), 0.5 + rng.unit_f32());
    // Swells: the level in decibels drifts between random targets, with a random depth.
    let depth = 12.0 * rng.unit_f32() * rng.unit_f32();
    let pace = 0.3 + 6.0 * rng.unit_f32();
    let (mut level, mut target) = (0.0_f32, 0.0_f32);
    for (n, sample) in sound.iter_mut().enumerate() {
        if n % 4_410 == 0 && rng.unit_f32() < 0.1 * pace {
            target = depth * rng.normal() as f32;
        }
        level += (target - level) * pace / RATE;
        *sample *= 10.0_f32.powf(level / 20.0);
    }
    let power = sound.iter().map(|s| s * s).sum::<f32>() / sound.len().max(1) as f32;
    let gain = 10.0_f32.powf((rng.unit_f32() * 24.0 - 34.0) / 20.0) / power.sqrt().max(1e-6);
    sound.iter_mut().for_each(|sample| *sample = (*sample * gain).clamp(-1.0, 1.0));
    sound
}

/// Applies a first-order filter with its corner at `hz`: a low-pass, or a high-pass if `low_pass` is false.
fn one_pole(sound: &mut [f32], hz: f32, low_pass: bool) {
    let share = 1.0 - (-std::f32::consts::TAU * hz / RATE).exp();
    let mut low = 0.0;
    for sample in sound {
        low += (*sample - low) * share;
        *sample = if low_pass { low } else { *sample - low };
    }
}

/// Changes speed and pitch together; a `factor` above 1 is faster and higher.
fn speed(clip: &[f32], factor: f32) -> Vec<f32> {
    let count = (clip.len() as f32 / factor) as usize;
    (0..count)
        .map(|n| {
            let place = n as f64 * f64::from(factor);
            let (whole, part) = (place as usize, place.fract() as f32);
            let at = |index: usize| clip.get(index).copied().unwrap_or(0.0);
            at(whole) + (at(whole + 1) - at(whole)) * part
        })
        .collect()
}

/// Applies a peaking filter (Robert Bristow-Johnson, Audio EQ Cookbook).
fn peak(sound: &mut [f32], hz: f32, gain_db: f32, q: f32) {
    let amplitude = 10.0_f32.powf(gain_db / 40.0);
    let turn = std::f32::consts::TAU * (hz / RATE).min(0.45);
    let alpha = turn.sin() / (2.0 * q);
    let scale = 1.0 / (1.0 + alpha / amplitude);
    let (b0, b1, b2) =
        ((1.0 + alpha * amplitude) * scale, -2.0 * turn.cos() * scale, (1.0 - alpha * amplitude) * scale);
    let (a1, a2) = (b1, (1.0 - alpha / amplitude) * scale);
    let (mut x1, mut x2, mut y1, mut y2) = (0.0, 0.0, 0.0, 0.0);
    for sample in sound {
        let y = b0 * *sample + b1 * x1 + b2 * x2 - a1 * y1 - a2 * y2;
        (x2, x1, y2, y1) = (x1, *sample, y1, y);
        *sample = y;
    }
}

/// Adds the reverberation of a small room: four parallel comb filters (Schroeder, 1962).
fn room(sound: &mut [f32], rng: &mut Rng) {
    let (seconds, wet) = (0.2 + 0.8 * rng.unit_f32(), 0.1 + 0.3 * rng.unit_f32());
    let delays =
        [0.0297, 0.0371, 0.0411, 0.0437].map(|d: f32| (d * (0.7 + 0.6 * rng.unit_f32()) * RATE) as usize);
    let mut lines: Vec<Vec<f32>> = delays.iter().map(|&n| vec![0.0; n]).collect();
    for (n, sample) in sound.iter_mut().enumerate() {
        let dry = *sample;
        let mut sum = 0.0;
        for line in &mut lines {
            let length = line.len();
            let at = n % length;
            let out = line[at];
            line[at] = dry + out * 10.0_f32.powf(-3.0 * length as f32 / RATE / seconds);
            sum += out;
        }
        *sample = dry + wet * 0.5 * sum;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variants_are_valid_distinct_and_reproducible() {
        let clip: Vec<f32> = (0..44_100).map(|n| 0.3 * (n as f32 * 0.05).sin()).collect();
        let mut rng = Rng::new(9);
        let (one, two) = (vary(&clip, &mut rng), vary(&clip, &mut rng));
        assert_ne!(one, two);
        assert_eq!(one, vary(&clip, &mut Rng::new(9)));
        for sound in [one, two, noise(1.0, &mut rng)] {
            assert!(sound.iter().all(|s| s.is_finite() && s.abs() <= 1.0));
            assert!(sound.iter().map(|s| s * s).sum::<f32>() / sound.len() as f32 > 1e-6);
        }
    }
}
