//! Sounds of nature: wind, rain, thunder, water and birds.

use super::bus::Bus;
use super::draw::{RATE, Wander, between, chance, octaves};
use super::kit::{Shot, shot};
use crate::audio::demo::tone::{Decay, Filter, Noise, Osc};
use crate::units::Rng;

/// Renders noise around `hz` that follows `gusts`: its pitch by `rise` octaves and its level by `db` decibels per unit.
pub fn swell(secs: f32, (hz, q): (f32, f32), gusts: &Wander, (rise, db): (f32, f32), rng: &mut Rng) -> Bus {
    let mut bus = Bus::new(secs);
    let mut source = Noise::new(rng.next_u64());
    let mut filter = Filter::new(RATE, hz, q);
    let low = between(rng, 0.0, 0.7);
    let mut level = 1.0;
    for (n, sample) in bus.samples().iter_mut().enumerate() {
        if n % 64 == 0 {
            let gust = gusts.at(n as f32 / RATE);
            filter.tune((hz * (rise * gust).exp2()).min(12_000.0), q);
            level = 10.0_f32.powf(db * gust / 20.0);
        }
        let bands = filter.next(source.next());
        *sample = level * (bands.band + low * bands.low);
    }
    bus
}

/// Renders wind: gusts are louder and brighter than lulls, and sometimes howl.
pub fn wind(secs: f32, rng: &mut Rng) -> Bus {
    let mut mix = Bus::new(secs);
    let gusts = Wander::new(secs, octaves(rng, 0.4, 4.0), rng);
    for _ in 0..1 + rng.below(3) {
        let q = if chance(rng, 0.3) { octaves(rng, 2.0, 12.0) } else { octaves(rng, 0.5, 1.5) };
        let tone = (octaves(rng, 80.0, 1_500.0), q);
        let depth = (between(rng, 0.0, 0.6), between(rng, 1.0, 8.0));
        mix.mix(&swell(secs, tone, &gusts, depth, rng), between(rng, -12.0, 0.0));
    }
    mix
}

/// Renders drops, from a crackling fire to heavy rain, over steady noise.
pub fn rain(secs: f32, rng: &mut Rng) -> Bus {
    let mut drops = Bus::new(secs);
    let (low_hz, high_hz) = (octaves(rng, 300.0, 1_500.0), octaves(rng, 2_000.0, 8_000.0));
    let longest = octaves(rng, 0.004, 0.03);
    for _ in 0..(octaves(rng, 5.0, 1_000.0) * secs) as usize {
        let mut filter = Filter::new(RATE, octaves(rng, low_hz, high_hz), between(rng, 0.7, 4.0));
        let tail = octaves(rng, 0.001, longest);
        let mut level = Decay::new(RATE, tail);
        let mut source = Noise::new(rng.next_u64());
        level.strike(1.0);
        let drop = shot(4.0 * tail, || filter.next(source.next()).band * level.next());
        drops.add(between(rng, 0.0, secs), &drop, octaves(rng, 0.05, 1.0));
    }
    let mut mix = Bus::new(secs);
    mix.mix(&drops, 0.0);
    let changes = Wander::new(secs, octaves(rng, 1.0, 6.0), rng);
    let tone = (octaves(rng, 200.0, 6_000.0), octaves(rng, 0.5, 1.0));
    let depth = (between(rng, 0.0, 0.2), between(rng, 0.0, 3.0));
    mix.mix(&swell(secs, tone, &changes, depth, rng), between(rng, -20.0, 6.0));
    mix
}

/// Renders thunder over rain or wind.
pub fn storm(secs: f32, rng: &mut Rng) -> Bus {
    let mut mix = Bus::new(secs);
    let weather = if chance(rng, 0.7) { rain(secs, rng) } else { wind(secs, rng) };
    mix.mix(&weather, 0.0);
    if chance(rng, 0.4) {
        mix.mix(&wind(secs, rng), between(rng, -10.0, 3.0));
    }
    mix.mix(&thunder(secs, rng), between(rng, -8.0, 8.0));
    mix
}

/// Renders rolling claps of thunder, each with a crack of random strength.
fn thunder(secs: f32, rng: &mut Rng) -> Bus {
    let mut bus = Bus::new(secs);
    let mut at = between(rng, 0.0, 0.2 * secs);
    while at < secs {
        let length = between(rng, 2.0, 8.0);
        let rolls = Wander::new(length, octaves(rng, 0.1, 0.6), rng);
        let mut source = Noise::new(rng.next_u64());
        let mut filter = Filter::new(RATE, octaves(rng, 50.0, 300.0), 0.7);
        let mut crack = Decay::new(RATE, between(rng, 0.02, 0.12));
        crack.strike(between(rng, 0.0, 0.6));
        let mut t = 0.0_f32;
        let clap = shot(length, || {
            t += 1.0 / RATE;
            let level = (t / 0.05).min(1.0) * (-3.0 * t / length).exp() * rolls.at(t).exp2();
            let noise = source.next();
            5.0 * level * filter.next(noise).low + crack.next() * noise
        });
        bus.add(at, &clap, between(rng, 0.3, 1.0));
        at += length * between(rng, 0.5, 1.5);
    }
    bus
}

/// Renders waves, a stream or water against a hull: swells of noise with bubbles.
pub fn water(secs: f32, rng: &mut Rng) -> Bus {
    let mut mix = Bus::new(secs);
    let waves = Wander::new(secs, octaves(rng, 0.3, 5.0), rng);
    let tone = (octaves(rng, 200.0, 3_000.0), octaves(rng, 0.5, 1.5));
    let depth = (between(rng, 0.0, 0.6), between(rng, 0.0, 8.0));
    mix.mix(&swell(secs, tone, &waves, depth, rng), 0.0);
    let mut bubbles = Bus::new(secs);
    for _ in 0..(octaves(rng, 0.5, 80.0) * secs) as usize + 1 {
        let bubble = chirp(octaves(rng, 300.0, 2_500.0), between(rng, 0.9, 1.8), octaves(rng, 0.01, 0.08));
        bubbles.add(between(rng, 0.0, secs), &bubble, octaves(rng, 0.1, 1.0));
    }
    mix.mix(&bubbles, between(rng, -24.0, 0.0));
    mix
}

/// Renders chirps and trills.
pub fn birds(secs: f32, rng: &mut Rng) -> Bus {
    let mut bus = Bus::new(secs);
    let mut at = 0.0;
    while at < secs {
        let (hz, to, notes) = (octaves(rng, 1_500.0, 6_000.0), between(rng, 0.6, 1.6), 1 + rng.below(8));
        let length = octaves(rng, 0.03, 0.2);
        for note in 0..notes {
            bus.add(at + note as f32 * length * 1.3, &chirp(hz, to, length), 0.8);
        }
        at += between(rng, 0.2, 2.5);
    }
    bus
}

/// Renders a sine that glides from `hz` to `to` times that frequency.
fn chirp(hz: f32, to: f32, secs: f32) -> Shot {
    let mut osc = Osc::default();
    let count = secs * RATE;
    let mut n = 0.0;
    shot(secs, || {
        n += 1.0;
        osc.sine(hz * to.powf(n / count) / RATE) * (std::f32::consts::PI * n / count).sin()
    })
}
