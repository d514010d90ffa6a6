//! A synthesiser with random settings: oscillators, an envelope and a moving filter.

use super::draw::{RATE, between, chance, octaves, pick};
use super::kit::Shot;
use crate::audio::demo::tone::{Filter, Osc, soft};
use crate::units::Rng;

/// Waveform of the oscillators.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Wave {
    Saw,
    Pulse,
    Sine,
    Triangle,
    /// Phase modulation by a second sine: pitch ratio and depth.
    Bell(f32, f32),
    /// The partials of a drawbar organ.
    Organ,
}

/// Settings of a synthesiser sound.
#[derive(Clone, Debug)]
pub struct Patch {
    wave: Wave,
    voices: usize,
    detune: f32,
    /// Envelope: attack, decay and release times in seconds; `hold` is the sustain level.
    attack: f32,
    decay: f32,
    hold: f32,
    release: f32,
    cutoff_hz: f32,
    sweep_octaves: f32,
    sweep_secs: f32,
    q: f32,
    drive: f32,
    vibrato: f32,
}

impl Patch {
    fn with(rng: &mut Rng, waves: &[Wave], attack: (f32, f32), decay: (f32, f32), hold: (f32, f32)) -> Self {
        Self {
            wave: pick(rng, waves),
            voices: 1 + rng.below(4),
            detune: between(rng, 0.0, 0.012),
            attack: octaves(rng, attack.0, attack.1),
            decay: octaves(rng, decay.0, decay.1),
            hold: between(rng, hold.0, hold.1),
            release: 0.05,
            cutoff_hz: octaves(rng, 300.0, 9_000.0),
            sweep_octaves: if chance(rng, 0.6) { between(rng, 0.0, 4.0) } else { 0.0 },
            sweep_secs: octaves(rng, 0.04, 0.5),
            q: octaves(rng, 0.6, 6.0),
            drive: octaves(rng, 0.3, 4.0),
            vibrato: 0.0,
        }
    }

    fn bell(rng: &mut Rng) -> Wave {
        Wave::Bell(pick(rng, &[1.0, 2.0, 3.0, 1.41, 3.5, 7.0, 0.5]), between(rng, 0.05, 0.6))
    }

    /// Draws a bass sound.
    pub fn bass(rng: &mut Rng) -> Self {
        let bell = Self::bell(rng);
        let waves = [Wave::Saw, Wave::Pulse, Wave::Sine, Wave::Triangle, Wave::Saw, bell];
        let mut patch = Self::with(rng, &waves, (0.001, 0.01), (0.05, 0.6), (0.0, 0.9));
        patch.cutoff_hz = octaves(rng, 120.0, 1_200.0);
        patch.q = octaves(rng, 0.6, 9.0);
        patch
    }

    /// Draws the bass sound of acid house: a resonant filter that closes quickly.
    pub fn acid(rng: &mut Rng) -> Self {
        let mut patch = Self::with(rng, &[Wave::Saw, Wave::Pulse], (0.001, 0.004), (0.1, 0.6), (0.0, 0.6));
        patch.voices = 1;
        patch.cutoff_hz = octaves(rng, 150.0, 900.0);
        patch.sweep_octaves = between(rng, 1.0, 4.0);
        patch.sweep_secs = octaves(rng, 0.04, 0.3);
        patch.q = octaves(rng, 4.0, 15.0);
        patch.drive = octaves(rng, 0.7, 8.0);
        patch
    }

    /// Draws a lead, arpeggio or stab sound.
    pub fn lead(rng: &mut Rng) -> Self {
        let bell = Self::bell(rng);
        let waves = [Wave::Saw, Wave::Saw, Wave::Pulse, Wave::Triangle, bell];
        let mut patch = Self::with(rng, &waves, (0.001, 0.03), (0.04, 0.8), (0.0, 0.9));
        patch.voices = 1 + rng.below(6);
        if chance(rng, 0.3) {
            patch.vibrato = between(rng, 0.0, 0.01);
        }
        patch
    }

    /// Draws a piano, electric piano or organ sound.
    pub fn keys(rng: &mut Rng) -> Self {
        let bell = Wave::Bell(pick(rng, &[1.0, 2.0, 3.0, 14.0]), between(rng, 0.03, 0.25));
        let waves = [bell, Wave::Organ, Wave::Triangle];
        let mut patch = Self::with(rng, &waves, (0.002, 0.01), (0.4, 2.0), (0.0, 0.2));
        if patch.wave == Wave::Organ {
            patch.hold = 0.9;
        }
        patch.sweep_octaves = 1.0;
        patch.release = 0.15;
        patch
    }

    /// Draws a pad sound.
    pub fn pad(rng: &mut Rng) -> Self {
        let bell = Self::bell(rng);
        let waves = [Wave::Saw, Wave::Saw, Wave::Sine, Wave::Triangle, Wave::Pulse, Wave::Organ, bell];
        let mut patch = Self::with(rng, &waves, (0.3, 4.0), (1.0, 4.0), (0.5, 1.0));
        patch.voices = 2 + rng.below(5);
        patch.release = octaves(rng, 0.5, 4.0);
        patch.cutoff_hz = octaves(rng, 200.0, 4_000.0);
        patch.sweep_octaves = between(rng, -1.0, 2.0);
        patch.sweep_secs = between(rng, 1.0, 6.0);
        patch.q = octaves(rng, 0.6, 2.0);
        patch.drive = 0.5;
        patch.vibrato = between(rng, 0.0, 0.004);
        patch
    }

    /// Draws a bell or glass sound.
    pub fn drop(rng: &mut Rng) -> Self {
        let bell = Self::bell(rng);
        let mut patch =
            Self::with(rng, &[bell, Wave::Sine, Wave::Triangle], (0.001, 0.08), (0.3, 2.5), (0.0, 0.0));
        patch.voices = 1 + rng.below(2);
        patch.drive = 0.4;
        patch
    }

    /// Renders a note that is held for `secs` seconds and then released.
    pub fn note(&self, hz: f32, secs: f32, rng: &mut Rng) -> Shot {
        let count = ((secs + self.release) * RATE) as usize;
        let mut voices: Vec<(Osc, f32)> = (0..self.voices)
            .map(|n| {
                let spread = (n as f32 - 0.5 * (self.voices - 1) as f32) * self.detune;
                (Osc::at(rng.unit_f32()), hz * (1.0 + spread) / RATE)
            })
            .collect();
        let mut second = Osc::default();
        let mut filter = Filter::new(RATE, self.cutoff_hz, self.q);
        let mut out = Vec::with_capacity(count);
        let mut level_end = 1.0;
        for n in 0..count {
            let t = n as f32 / RATE;
            if n % 16 == 0 {
                let sweep = self.sweep_octaves * (-t / self.sweep_secs).exp();
                filter.tune((self.cutoff_hz * sweep.exp2()).clamp(40.0, 16_000.0), self.q);
            }
            let bend = 1.0 + self.vibrato * (std::f32::consts::TAU * 5.3 * t).sin();
            let mut sum = 0.0;
            for (osc, step) in &mut voices {
                let step = *step * bend;
                sum += match self.wave {
                    Wave::Saw => osc.saw(step),
                    Wave::Pulse => {
                        if osc.turn(step) < 0.4 {
                            0.8
                        } else {
                            -0.8
                        }
                    }
                    Wave::Sine => osc.sine(step),
                    Wave::Triangle => 4.0 * (osc.turn(step) - 0.5).abs() - 1.0,
                    Wave::Bell(ratio, depth) => {
                        let shift = depth * (-2.0 * t).exp() * second.sine(step * ratio);
                        crate::audio::demo::tone::sine(osc.turn(step) + shift)
                    }
                    Wave::Organ => {
                        let phase = osc.turn(step);
                        let partial = |n: f32| crate::audio::demo::tone::sine((phase * n).fract());
                        0.4 * (partial(1.0) + 0.7 * partial(2.0) + 0.5 * partial(3.0) + 0.3 * partial(4.0))
                    }
                };
            }
            let level = if t < self.attack {
                t / self.attack
            } else {
                self.hold + (1.0 - self.hold) * (-(t - self.attack) / self.decay).exp()
            };
            let level = if t < secs {
                level_end = level;
                level
            } else {
                level_end * (1.0 - (t - secs) / self.release).max(0.0)
            };
            let filtered = filter.next(sum / (self.voices as f32).sqrt()).low;
            out.push(soft(self.drive * filtered) / self.drive.max(0.6) * level);
        }
        out
    }
}
