//! Drum kits with random parameters, rendered as one-shots.

use super::draw::{RATE, between, chance, octaves};
use crate::audio::demo::drums::{Clap, Hiss, Kick, KickShape, Snare};
use crate::audio::demo::tone::{Decay, Filter, Noise, Osc, soft};
use crate::units::Rng;

/// The samples of one rendered sound.
pub type Shot = Vec<f32>;

/// The drums of one piece.
pub struct Kit {
    pub kick: Shot,
    pub snare: Shot,
    pub clap: Shot,
    pub hat: Shot,
    pub open_hat: Shot,
    pub crash: Shot,
    pub toms: [Shot; 3],
    pub knock: Shot,
}

impl Kit {
    /// Builds the kit of a drum machine with random parameters.
    pub fn machine(rng: &mut Rng) -> Self {
        let long = chance(rng, 0.2);
        let shape = KickShape {
            low_hz: between(rng, 36.0, 64.0),
            sweep_hz: octaves(rng, 40.0, 500.0),
            sweep_secs: octaves(rng, 0.008, 0.07),
            body_secs: if long { between(rng, 0.3, 0.6) } else { between(rng, 0.06, 0.25) },
            click: between(rng, 0.0, 0.5),
        };
        Self::with(rng, shape, 1.0)
    }

    /// Builds an acoustic kit with random parameters.
    pub fn acoustic(rng: &mut Rng) -> Self {
        let shape = KickShape {
            low_hz: between(rng, 48.0, 90.0),
            sweep_hz: octaves(rng, 15.0, 120.0),
            sweep_secs: octaves(rng, 0.006, 0.03),
            body_secs: between(rng, 0.05, 0.16),
            click: between(rng, 0.2, 0.9),
        };
        let ring = between(rng, 1.0, 3.0);
        Self::with(rng, shape, ring)
    }

    fn with(rng: &mut Rng, shape: KickShape, ring: f32) -> Self {
        let mut kick = Kick::new(RATE, shape);
        kick.strike(1.0);
        let drive = octaves(rng, 0.5, 6.0);
        let kick = shot(0.7, || soft(drive * kick.next()));
        let tom = |rng: &mut Rng, hz: f32| {
            let sweep_hz = between(rng, 20.0, 80.0);
            let body_secs = between(rng, 0.1, 0.3);
            let mut tom =
                Kick::new(RATE, KickShape { low_hz: hz, sweep_hz, sweep_secs: 0.04, body_secs, click: 0.2 });
            tom.strike(0.8);
            shot(0.7, || tom.next())
        };
        let toms = [between(rng, 70.0, 100.0), between(rng, 100.0, 150.0), between(rng, 140.0, 220.0)]
            .map(|hz| tom(rng, hz));
        Self {
            kick,
            snare: snare(rng, ring),
            clap: clap(rng),
            hat: hiss(rng, 0.012, 0.05),
            open_hat: hiss(rng, 0.06, 0.25),
            crash: hiss(rng, 0.4, 1.2),
            toms,
            knock: knock(rng),
        }
    }
}

/// Renders `secs` seconds of the samples that `next` returns, with a fade-out.
pub fn shot(secs: f32, mut next: impl FnMut() -> f32) -> Shot {
    let count = (secs * RATE) as usize;
    let fade = count / 8;
    (0..count).map(|n| next() * ((count - n) as f32 / fade as f32).min(1.0)).collect()
}

/// Renders a snare drum; `ring` ranges from 1, a tight drum-machine sound, to 3, a ringing acoustic shell.
fn snare(rng: &mut Rng, ring: f32) -> Shot {
    // A different sample rate changes both the pitch and the length.
    let mut snare = Snare::new(RATE / between(rng, 0.7, 1.5));
    snare.strike(1.0);
    let mut filter = Filter::new(RATE, octaves(rng, 700.0, 6_000.0), between(rng, 0.6, 2.0));
    let mut tail = Decay::new(RATE, 0.05 * ring);
    tail.strike(between(rng, 0.0, 0.8));
    let mut noise = Noise::new(rng.next_u64());
    let body = between(rng, 0.3, 1.0);
    let drive = octaves(rng, 0.7, 3.0);
    shot(0.5, || soft(drive * (body * snare.next() + filter.next(noise.next()).band * tail.next())))
}

fn clap(rng: &mut Rng) -> Shot {
    let mut clap = Clap::new(RATE / between(rng, 0.7, 1.4));
    clap.strike(1.0);
    shot(0.4, || clap.next())
}

/// Renders a hat or cymbal with a decay of `from` to `to` seconds.
fn hiss(rng: &mut Rng, from: f32, to: f32) -> Shot {
    let cutoff = octaves(rng, 2_500.0, 9_000.0);
    let mut hiss = Hiss::new(RATE, cutoff, between(rng, 0.0, 0.8), rng.next_u64());
    let secs = octaves(rng, from, to);
    hiss.strike(1.0, secs);
    shot((secs * 5.0).min(3.0), || hiss.next())
}

/// Renders a short pitched sound such as wood, glass, metal or a blip.
fn knock(rng: &mut Rng) -> Shot {
    let hz = octaves(rng, 200.0, 3_000.0);
    let ratio = between(rng, 1.2, 3.5);
    let mut level = Decay::new(RATE, octaves(rng, 0.01, 0.12));
    level.strike(1.0);
    let (mut one, mut two) = (Osc::default(), Osc::default());
    shot(0.4, || (one.sine(hz / RATE) + 0.6 * two.sine(hz * ratio / RATE)) * level.next())
}
