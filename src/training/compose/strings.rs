//! Plucked strings (Karplus and Strong, 1983) for guitars and basses.

use super::draw::{RATE, between, octaves};
use super::kit::Shot;
use crate::audio::demo::tone::Noise;
use crate::units::Rng;

/// A string instrument.
#[derive(Clone, Copy, Debug)]
pub struct Strings {
    /// Brightness of the pluck, 0 to 1.
    pluck: f32,
    /// Treble damping, 0 to 1.
    dark: f32,
    /// Time in which an unmuted string decays by 60 dB, in seconds.
    decay_secs: f32,
    /// Position of the pluck along the string, 0 to 0.5.
    place: f32,
}

impl Strings {
    /// Draws the parameters of a guitar.
    pub fn guitar(rng: &mut Rng) -> Self {
        Self {
            pluck: between(rng, 0.3, 0.95),
            dark: between(rng, 0.1, 0.5),
            decay_secs: octaves(rng, 0.8, 5.0),
            place: between(rng, 0.08, 0.4),
        }
    }

    /// Draws the parameters of a bass guitar.
    pub fn bass(rng: &mut Rng) -> Self {
        Self {
            pluck: between(rng, 0.1, 0.6),
            dark: between(rng, 0.2, 0.7),
            decay_secs: octaves(rng, 0.4, 3.0),
            place: between(rng, 0.1, 0.4),
        }
    }

    /// Renders one string, damped after `secs`; `muted` adds palm muting, and `bend` is the vibrato depth.
    pub fn note(&self, hz: f32, secs: f32, muted: bool, bend: f32, rng: &mut Rng) -> Shot {
        let period = (RATE / hz.clamp(30.0, 2_000.0)).max(8.0);
        let length = period as usize + 40;
        let mut noise = Noise::new(rng.next_u64());
        let mut ring = vec![0.0_f32; length];
        let mut smooth = 0.0;
        let raw: Vec<f32> = (0..period as usize + 1)
            .map(|_| {
                smooth += (noise.next() - smooth) * self.pluck;
                smooth
            })
            .collect();
        let back = (self.place * period) as usize;
        for (n, place) in ring.iter_mut().enumerate().take(raw.len()) {
            *place = raw[n] - raw[(n + raw.len() - back) % raw.len()];
        }
        let (decay_secs, dark) = if muted { (0.12, 0.7) } else { (self.decay_secs, self.dark) };
        let keep = 10.0_f32.powf(-3.0 * period / RATE / decay_secs);
        let damped = 10.0_f32.powf(-3.0 * period / RATE / 0.08);
        let count = ((secs + 0.1) * RATE) as usize;
        let mut write = raw.len() % length;
        let mut last = 0.0;
        let mut out = Vec::with_capacity(count);
        for n in 0..count {
            let t = n as f32 / RATE;
            let period = period * (1.0 + bend * (std::f32::consts::TAU * 5.0 * t).sin() * (t * 2.0).min(1.0));
            let (whole, part) = (period as usize, period.fract());
            let near = ring[(write + length - whole) % length];
            let far = ring[(write + 2 * length - whole - 1) % length];
            let sample = near + (far - near) * part;
            last += (sample - last) * (1.0 - dark * 0.6);
            ring[write] = last * if t < secs { keep } else { damped };
            write = (write + 1) % length;
            out.push(sample);
        }
        out
    }
}
