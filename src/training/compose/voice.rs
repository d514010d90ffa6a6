//! Voice synthesis: a sawtooth source, three formants moving between vowels, and noise consonants.
//!
//! Formants from Peterson and Barney, "Control methods used in a study of the vowels", JASA 1952.

use super::draw::{RATE, between, chance};
use crate::audio::demo::tone::{Filter, Noise, Osc};
use crate::units::Rng;

/// First three formants of nine vowels, in Hz.
const VOWELS: [[f32; 3]; 9] = [
    [270.0, 2_290.0, 3_010.0],
    [390.0, 1_990.0, 2_550.0],
    [530.0, 1_840.0, 2_480.0],
    [660.0, 1_720.0, 2_410.0],
    [730.0, 1_090.0, 2_440.0],
    [570.0, 840.0, 2_410.0],
    [440.0, 1_020.0, 2_240.0],
    [300.0, 870.0, 2_240.0],
    [490.0, 1_350.0, 1_690.0],
];

/// A syllable that is spoken or sung.
#[derive(Clone, Copy, Debug)]
pub struct Syllable {
    /// Start of the vowel, in seconds.
    pub at: f32,
    /// Length of the vowel, in seconds.
    pub secs: f32,
    /// Pitch at the start and the end, in Hz.
    pub hz: (f32, f32),
    /// Loudness, 0 to 1.
    pub level: f32,
}

/// Parameters of a speaker or singer.
#[derive(Clone, Copy, Debug)]
pub struct Voice {
    /// Factor applied to all formants; depends on the length of the vocal tract.
    throat: f32,
    breath: f32,
    vibrato: f32,
    consonants: f32,
    shake: f32,
    glide: f32,
}

impl Voice {
    /// Draws a voice; use a `vibrato` of 0 for speech.
    pub fn new(rng: &mut Rng, vibrato: f32) -> Self {
        Self {
            throat: between(rng, 0.9, 1.25),
            breath: between(rng, 0.0, 0.15),
            vibrato,
            consonants: between(rng, 0.3, 2.0),
            shake: between(rng, 0.0, 0.06),
            glide: between(rng, 1.0, 4.0),
        }
    }

    /// Adds spoken or sung syllables to `out`.
    pub fn render(&self, syllables: &[Syllable], out: &mut [f32], rng: &mut Rng) {
        for syllable in syllables {
            self.one(syllable, out, rng);
        }
    }

    fn one(&self, syllable: &Syllable, out: &mut [f32], rng: &mut Rng) {
        let mut noise = Noise::new(rng.next_u64());
        if chance(rng, 0.75) {
            self.consonant(syllable, out, &mut noise, rng);
        }
        let (from, to) = (VOWELS[rng.below(9)], VOWELS[rng.below(9)]);
        let mut formants = [0, 1, 2].map(|n| Filter::new(RATE, from[n] * self.throat, 8.0));
        let mut osc = Osc::at(rng.unit_f32());
        let (mut round, mut shake) = (0.0, 0.0);
        let count = (syllable.secs * RATE) as usize;
        let start = (syllable.at.max(0.0) * RATE) as usize;
        let attack = between(rng, 0.015, 0.05);
        for n in 0..count {
            let Some(out) = out.get_mut(start + n) else { break };
            let (t, share) = (n as f32 / RATE, n as f32 / count as f32);
            if n % 64 == 0 {
                // The vowel changes during the first third, then stays the same.
                let moved = (3.0 * share).min(1.0);
                for (place, filter) in formants.iter_mut().enumerate() {
                    let hz = (from[place] + (to[place] - from[place]) * moved) * self.throat;
                    filter.tune(hz, 5.0 + 3.0 * place as f32);
                }
            }
            let wave = (std::f32::consts::TAU * 5.5 * t).sin() * (t * 3.0 - 0.5).clamp(0.0, 1.0);
            // The pitch glides in and is slightly unsteady.
            if n % 256 == 0 {
                shake += (self.shake * rng.normal() as f32 - shake) * 0.15;
            }
            let hz = syllable.hz.0 + (syllable.hz.1 - syllable.hz.0) * (share * self.glide).min(1.0);
            let buzz = osc.saw(hz * (1.0 + shake + self.vibrato * wave) / RATE) + self.breath * noise.next();
            round += (buzz - round) * 0.25;
            let [one, two, three] = &mut formants;
            let sound = one.next(round).band
                + 0.6 * two.next(round).band
                + 0.35 * three.next(round).band
                + 0.05 * round;
            let level = (t / attack).min(1.0) * ((syllable.secs - t) / 0.04).min(1.0);
            *out += syllable.level * level * sound;
        }
    }

    fn consonant(&self, syllable: &Syllable, out: &mut [f32], noise: &mut Noise, rng: &mut Rng) {
        let hissing = chance(rng, 0.5);
        let secs = if hissing { between(rng, 0.05, 0.14) } else { between(rng, 0.008, 0.03) };
        let hz = if hissing { between(rng, 2_500.0, 7_500.0) } else { between(rng, 600.0, 4_000.0) };
        let mut filter = Filter::new(RATE, hz, 1.2);
        let start = ((syllable.at - secs).max(0.0) * RATE) as usize;
        let count = (secs * RATE) as usize;
        for n in 0..count {
            let Some(out) = out.get_mut(start + n) else { break };
            let level = (std::f32::consts::PI * n as f32 / count as f32).sin();
            *out += 0.4 * self.consonants * syllable.level * level * filter.next(noise.next()).band;
        }
    }
}

/// Returns syllables for `secs` seconds of speech: phrases of falling pitch, separated by pauses.
pub fn speech(rng: &mut Rng, secs: f32) -> Vec<Syllable> {
    let pitch = if chance(rng, 0.5) { between(rng, 85.0, 150.0) } else { between(rng, 160.0, 260.0) };
    let (pace, lively) = (between(rng, 3.2, 6.5), between(rng, 0.05, 0.25));
    let pauses = between(rng, 0.1, 0.9);
    let mut syllables = Vec::new();
    let mut at = between(rng, 0.0, 0.5);
    while at < secs {
        let words = 3 + rng.below(14);
        for n in 0..words {
            let length = between(rng, 0.5, 1.5) / pace;
            let fall = 1.15 - 0.3 * n as f32 / words as f32;
            let hz = pitch * fall * (1.0 + lively * rng.normal() as f32).clamp(0.6, 1.7);
            let end = hz * between(rng, 0.85, 1.1);
            let level = between(rng, 0.4, 1.0);
            syllables.push(Syllable { at, secs: length * between(rng, 0.6, 0.95), hz: (hz, end), level });
            at += length + if chance(rng, 0.12) { between(rng, 0.05, 0.2) } else { 0.0 };
        }
        at += between(rng, 0.1, 1.2) * pauses;
    }
    syllables
}
