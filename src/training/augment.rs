//! Augments audio clips with the effects of rooms, crowds, playback equipment and mixing, so that the model learns
//! structure rather than timbre.

use super::compose::Reverb;
use crate::audio::demo::tone::Filter;
use crate::units::Rng;

const RATE: f32 = 44_100.0;

/// Returns a random variant of `clip` (mono, 44.1 kHz) with changed speed and pitch, equalisation, saturation, room,
/// background, band limits, noise and level. The background is a part of one of `backgrounds`.
pub fn vary(clip: &[f32], backgrounds: &[Vec<f32>], rng: &mut Rng) -> Vec<f32> {
    let mut sound = speed(clip, 0.84 + 0.34 * rng.unit_f32());
    for _ in 0..3 {
        let hz = 60.0 * (rng.unit_f32() * 7.2).exp2();
        peak(&mut sound, hz, 12.0 * (rng.unit_f32() * 2.0 - 1.0), 0.5 + rng.unit_f32());
    }
    if rng.unit() < 0.3 {
        let drive = 1.0 + 5.0 * rng.unit_f32();
        sound.iter_mut().for_each(|sample| *sample = (drive * *sample).tanh() / drive.sqrt());
    }
    if rng.unit() < 0.6 {
        // From a small room to a microphone at the back of a hall.
        let (secs, direct_db) = (0.25 + 2.95 * rng.unit_f32(), 6.0 - 17.0 * rng.unit_f32());
        room(&mut sound, secs, direct_db, rng);
    }
    if !backgrounds.is_empty() && rng.unit() < 0.4 {
        let background = &backgrounds[rng.below(backgrounds.len())];
        let db = -6.0 - 20.0 * rng.unit_f32();
        let share = level(db) * (power(&sound) / power(background).max(1e-9)).sqrt();
        let part = background.iter().cycle().skip(rng.below(background.len()));
        sound.iter_mut().zip(part).for_each(|(sample, background)| *sample += share * background);
    }
    if rng.unit() < 0.45 {
        let hz = 300.0 * (rng.unit_f32() * 5.0).exp2();
        for _ in 0..1 + rng.below(2) {
            let mut filter = Filter::new(RATE, hz, 0.7);
            sound.iter_mut().for_each(|sample| *sample = filter.next(*sample).low);
        }
    }
    if rng.unit() < 0.3 {
        let mut filter = Filter::new(RATE, 30.0 * (rng.unit_f32() * 3.0).exp2(), 0.7);
        sound.iter_mut().for_each(|sample| *sample = filter.next(*sample).high);
    }
    let hiss = (power(&sound) * 10.0_f32.powf(-(2.0 + 3.0 * rng.unit_f32()))).sqrt();
    let gain = level(rng.unit_f32() * 18.0 - 12.0);
    for sample in &mut sound {
        *sample = (gain * (*sample + hiss * rng.normal() as f32)).clamp(-1.0, 1.0);
    }
    sound
}

/// Adds the reverberation of a room with a decay of 60 dB in `secs`. The power of the direct sound is `direct_db`
/// decibels above that of the reverberation.
pub fn room(sound: &mut [f32], secs: f32, direct_db: f32, rng: &mut Rng) {
    let mut reverb = Reverb::new(secs, rng);
    let late: Vec<f32> = sound.iter().map(|&sample| reverb.next(sample)).collect();
    let share = level(-direct_db) * (power(sound) / power(&late).max(1e-9)).sqrt();
    sound.iter_mut().zip(&late).for_each(|(sample, late)| *sample += share * late);
}

/// Returns the mean square.
fn power(sound: &[f32]) -> f32 {
    sound.iter().map(|s| s * s).sum::<f32>() / sound.len().max(1) as f32
}

/// Converts decibels to a factor.
fn level(db: f32) -> f32 {
    10.0_f32.powf(db / 20.0)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variants_are_valid_distinct_and_reproducible() {
        let clip: Vec<f32> = (0..44_100).map(|n| 0.3 * (n as f32 * 0.05).sin()).collect();
        let mut rng = Rng::new(9);
        let backgrounds = [(0..10_000).map(|_| 0.1 * rng.normal() as f32).collect::<Vec<f32>>()];
        let fresh = rng.clone();
        let mut variants: Vec<Vec<f32>> = (0..12).map(|_| vary(&clip, &backgrounds, &mut rng)).collect();
        assert_eq!(variants[0], vary(&clip, &backgrounds, &mut fresh.clone()));
        assert_ne!(variants[0], variants[1]);
        variants.push(vary(&clip, &[], &mut rng));
        for sound in variants {
            assert!(sound.iter().all(|s| s.is_finite() && s.abs() <= 1.0));
            assert!(power(&sound) > 1e-7, "{}", power(&sound));
        }
    }

    #[test]
    fn a_room_adds_the_requested_reverberation() {
        let mut rng = Rng::new(4);
        // Half a second of noise, then silence.
        let dry: Vec<f32> =
            (0..66_150).map(|n| if n < 22_050 { 0.1 * rng.normal() as f32 } else { 0.0 }).collect();
        for direct_db in [3.0, -9.0] {
            let mut wet = dry.clone();
            room(&mut wet, 2.5, direct_db, &mut Rng::new(1));
            let added: Vec<f32> = wet.iter().zip(&dry).map(|(wet, dry)| wet - dry).collect();
            let found = 10.0 * (power(&dry) / power(&added)).log10();
            assert!((found - direct_db).abs() < 0.1, "{found}");
            assert!(power(&wet[30_000..]) > 0.05 * power(&added), "the reverberation ends with the sound");
        }
    }
}
