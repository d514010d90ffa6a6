//! Audio without music: speech, crowds, weather, streets, machines, impacts.

use super::bus::Bus;
use super::draw::{RATE, between, chance, octaves, pick};
use super::kind::Kind;
use super::nature;
use super::places::{self, burst};
use crate::audio::demo::tone::{Filter, Noise, Osc};
use crate::units::Rng;

/// Composes a piece of audio without music.
pub fn compose(kind: Kind, secs: f32, rng: &mut Rng) -> Bus {
    let content = match kind {
        Kind::Speech => places::talk(pick(rng, &[1, 1, 1, 1, 2, 5]), 0.0, secs, rng),
        Kind::Babble => places::babble(secs, rng),
        Kind::Venue => places::venue(secs, rng),
        Kind::Applause => places::applause(secs, rng),
        Kind::Traffic => places::traffic(secs, rng),
        Kind::Train => places::train(secs, rng),
        Kind::Wind => nature::wind(secs, rng),
        Kind::Rain => nature::rain(secs, rng),
        Kind::Storm => nature::storm(secs, rng),
        Kind::Water => nature::water(secs, rng),
        Kind::Birds => nature::birds(secs, rng),
        Kind::Machine => machine(secs, rng),
        Kind::Impacts => impacts(secs, rng),
        _ => noise(secs, rng),
    };
    let mut mix = Bus::new(secs);
    mix.mix(&content, 0.0);
    // Background noise, so that a piece is never completely silent.
    mix.mix(&noise(secs, rng), between(rng, -45.0, -10.0));
    if chance(rng, 0.5) {
        mix.hall(between(rng, 0.2, 1.5), between(rng, 0.05, 0.5), rng);
    }
    mix
}

/// Renders noise of a random colour, steady or in gusts.
fn noise(secs: f32, rng: &mut Rng) -> Bus {
    let mut bus = Bus::new(secs);
    let mut source = Noise::new(rng.next_u64());
    let (hz, q) = (octaves(rng, 80.0, 6_000.0), octaves(rng, 0.5, 2.0));
    let mut filter = Filter::new(RATE, hz, q);
    let (low, band, high) = (between(rng, 0.0, 1.0), between(rng, 0.0, 1.0), between(rng, 0.0, 0.6));
    for sample in bus.samples() {
        let bands = filter.next(source.next());
        *sample = low * bands.low + band * bands.band + high * bands.high;
    }
    if chance(rng, 0.4) {
        let (pace, depth) = (octaves(rng, 0.1, 3.0), between(rng, 0.0, 1.0));
        let phase = rng.unit_f32() * 7.0;
        bus.shape(|t| {
            let wave = (pace * t * 6.3 + phase).sin() + 0.6 * (pace * t * 10.1 + 2.0 * phase).sin();
            (depth * wave).exp2()
        });
    }
    bus
}

/// Renders mains hum, a fan or a motor, sometimes with audible rotation.
fn machine(secs: f32, rng: &mut Rng) -> Bus {
    let mut bus = noise(secs, rng);
    let hz = pick(rng, &[50.0, 60.0, 100.0, 120.0, 75.0, 230.0, 440.0]) * between(rng, 0.97, 1.03);
    let (partials, loud) = (1 + rng.below(12), octaves(rng, 0.02, 1.0));
    let mut oscs: Vec<(Osc, f32)> = (0..partials).map(|_| (Osc::default(), rng.unit_f32())).collect();
    for sample in bus.samples() {
        for (n, (osc, level)) in oscs.iter_mut().enumerate() {
            *sample += loud * *level * osc.sine(hz * (n + 1) as f32 / RATE) / (n + 1) as f32;
        }
    }
    if chance(rng, 0.4) {
        let (rate, depth) = (octaves(rng, 0.8, 20.0), between(rng, 0.1, 0.9));
        bus.shape(|t| 1.0 - depth * (0.5 + 0.5 * (std::f32::consts::TAU * rate * t).sin()));
    }
    bus
}

/// Renders impacts at irregular times, such as footsteps, dishes and doors.
fn impacts(secs: f32, rng: &mut Rng) -> Bus {
    let mut bus = Bus::new(secs);
    let mean = octaves(rng, 0.15, 1.5);
    let mut at = 0.0;
    while at < secs {
        let (hz, q, tail) = (octaves(rng, 80.0, 4_000.0), octaves(rng, 0.7, 15.0), octaves(rng, 0.01, 0.15));
        bus.add(at, &burst(hz, q, tail, rng), octaves(rng, 0.1, 1.0));
        at -= mean * rng.unit_f32().max(1e-3).ln();
    }
    bus
}
