//! A mono track of a piece: sounds are added to it, and effects are applied to the whole track.

use super::draw::{RATE, between, chance};
use super::reverb::Reverb;
use crate::audio::demo::tone::{Filter, soft};
use crate::units::Rng;

/// A mono track of samples.
#[derive(Clone)]
pub struct Bus {
    sound: Vec<f32>,
}

impl Bus {
    /// Builds a silent track of `secs` seconds.
    pub fn new(secs: f32) -> Self {
        Self { sound: vec![0.0; (secs * RATE) as usize] }
    }

    /// Returns the samples of the track.
    pub fn into_sound(self) -> Vec<f32> {
        self.sound
    }

    /// Returns the samples, to be modified in place.
    pub fn samples(&mut self) -> &mut [f32] {
        &mut self.sound
    }

    /// Adds the samples `shot` at `at_secs`; the part past the end is cut off.
    pub fn add(&mut self, at_secs: f32, shot: &[f32], gain: f32) {
        let from = (at_secs.max(0.0) * RATE) as usize;
        let Some(rest) = self.sound.get_mut(from..) else { return };
        for (out, sample) in rest.iter_mut().zip(shot) {
            *out += gain * sample;
        }
    }

    /// Adds another track, normalised to a loudness `db` decibels above an RMS level of 0.1.
    pub fn mix(&mut self, other: &Self, db: f32) {
        let gain = 10.0_f32.powf(db / 20.0) * 0.1 / other.loudness();
        self.sound.iter_mut().zip(&other.sound).for_each(|(out, sample)| *out += gain * sample);
    }

    /// Returns the root mean square of the parts that are not silent.
    fn loudness(&self) -> f32 {
        let (mut sum, mut parts) = (0.0, 0.0);
        let power = |part: &[f32]| part.iter().map(|s| s * s).sum::<f32>() / part.len() as f32;
        let most = self.sound.chunks(4_410).map(power).fold(0.0_f32, f32::max);
        for part in self.sound.chunks(4_410).map(power).filter(|&power| power > 0.01 * most) {
            sum += part;
            parts += 1.0;
        }
        (sum / f32::max(parts, 1.0)).sqrt().max(1e-6)
    }

    /// Saturates the track; a `drive` of 1 adds warmth, one of 30 distorts heavily.
    pub fn drive(&mut self, drive: f32) -> &mut Self {
        let gain = drive / self.loudness() * 0.3;
        self.sound.iter_mut().for_each(|sample| *sample = soft(gain * *sample));
        self
    }

    /// Applies a two-pole low-pass.
    pub fn low_pass(&mut self, hz: f32, q: f32) -> &mut Self {
        let mut filter = Filter::new(RATE, hz, q);
        self.sound.iter_mut().for_each(|sample| *sample = filter.next(*sample).low);
        self
    }

    /// Applies a two-pole high-pass.
    pub fn high_pass(&mut self, hz: f32) -> &mut Self {
        let mut filter = Filter::new(RATE, hz, 0.7);
        self.sound.iter_mut().for_each(|sample| *sample = filter.next(*sample).high);
        self
    }

    /// Multiplies the track by `gain`, a function of the time in seconds.
    pub fn shape(&mut self, gain: impl Fn(f32) -> f32) -> &mut Self {
        let mut now = 0.0;
        for (n, sample) in self.sound.iter_mut().enumerate() {
            if n % 64 == 0 {
                now = gain(n as f32 / RATE);
            }
            *sample *= now;
        }
        self
    }

    /// Adds echoes, `secs` seconds apart.
    pub fn echo(&mut self, secs: f32, feedback: f32, wet: f32) -> &mut Self {
        let length = ((secs * RATE) as usize).max(1);
        let mut line = vec![0.0_f32; length];
        for (n, sample) in self.sound.iter_mut().enumerate() {
            let back = line[n % length];
            line[n % length] = *sample + back * feedback;
            *sample += wet * back;
        }
        self
    }

    /// Adds reverb with a decay of 60 dB in `secs`.
    pub fn hall(&mut self, secs: f32, wet: f32, rng: &mut Rng) -> &mut Self {
        let mut reverb = Reverb::new(secs, rng);
        for sample in &mut self.sound {
            *sample = *sample * (1.0 - 0.5 * wet) + wet * 0.35 * reverb.next(*sample);
        }
        self
    }

    /// Lowers the track by `depth`, 0 to 1, at each of the times and lets it recover within `secs` seconds,
    /// like a compressor side-chained to the kick.
    pub fn duck(&mut self, at_secs: &[f32], depth: f32, secs: f32) -> &mut Self {
        for &at in at_secs {
            let from = (at.max(0.0) * RATE) as usize;
            for n in 0..(secs * RATE) as usize {
                let Some(sample) = self.sound.get_mut(from + n) else { break };
                *sample *= 1.0 - depth * (1.0 - n as f32 / (secs * RATE));
            }
        }
        self
    }

    /// Masters the track: compression, saturation and normalisation.
    pub fn master(&mut self, rng: &mut Rng) {
        if chance(rng, 0.6) {
            let (ratio, release) = (between(rng, 0.2, 0.8), between(rng, 0.05, 0.3));
            let target = self.loudness();
            let (mut level, fall) = (target, (-1.0 / (release * RATE)).exp());
            for sample in &mut self.sound {
                level = (level * fall).max(sample.abs()).max(1e-4);
                *sample *= (target / level).powf(ratio).min(4.0);
            }
        }
        if chance(rng, 0.4) {
            let drive = between(rng, 0.5, 2.0);
            self.drive(drive);
        }
        let most = self.sound.iter().fold(1e-6_f32, |most, s| most.max(s.abs()));
        self.sound.iter_mut().for_each(|sample| *sample *= 0.9 / most);
    }
}
