//! Audio without music: speech, crowds, machines, weather, impacts.

use super::bus::Bus;
use super::draw::{RATE, between, chance, octaves, pick};
use super::kit::shot;
use super::voice::{Voice, speech};
use crate::audio::demo::tone::{Decay, Filter, Noise, Osc};
use crate::units::Rng;

/// Composes a piece of audio without music.
pub fn compose(secs: f32, rng: &mut Rng) -> Bus {
    let mut mix = Bus::new(secs);
    match rng.below(20) {
        0..9 => {
            let speakers = pick(rng, &[1, 1, 1, 1, 2, 5]);
            for _ in 0..speakers {
                let voice = Voice::new(rng, 0.0);
                let mut bus = Bus::new(secs);
                let syllables = speech(rng, secs);
                voice.render(&syllables, bus.samples(), rng);
                mix.mix(&bus, 0.0);
            }
        }
        9..11 => mix.mix(&applause(secs, rng), 0.0),
        11..14 => mix.mix(&machine(secs, rng), 0.0),
        14..16 => mix.mix(&impacts(secs, rng), 0.0),
        16 => mix.mix(&birds(secs, rng), 0.0),
        _ => {}
    }
    // Background noise, so that a piece is never completely silent; sometimes it is the only content.
    let background = noise(secs, rng);
    mix.mix(&background, between(rng, -45.0, -10.0));
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

/// Renders applause.
fn applause(secs: f32, rng: &mut Rng) -> Bus {
    let mut bus = Bus::new(secs);
    let count = (octaves(rng, 9.375, 187.5) * secs) as usize;
    for _ in 0..count {
        let (hz, decay_secs) = (octaves(rng, 700.0, 2_500.0), between(rng, 0.004, 0.015));
        let mut filter = Filter::new(RATE, hz, 2.0);
        let mut level = Decay::new(RATE, decay_secs);
        let mut source = Noise::new(rng.next_u64());
        level.strike(1.0);
        let clap = shot(0.06, || filter.next(source.next()).band * level.next());
        bus.add(between(rng, 0.0, secs), &clap, between(rng, 0.2, 1.0));
    }
    if chance(rng, 0.5) {
        let voice = Voice::new(rng, 0.0);
        let shouts = speech(rng, secs);
        let mut crowd = Bus::new(secs);
        voice.render(&shouts, crowd.samples(), rng);
        bus.mix(&crowd, -12.0);
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
        let (hz, q, secs) = (octaves(rng, 80.0, 4_000.0), octaves(rng, 0.7, 15.0), octaves(rng, 0.01, 0.15));
        let mut filter = Filter::new(RATE, hz, q);
        let mut level = Decay::new(RATE, secs);
        let mut source = Noise::new(rng.next_u64());
        level.strike(1.0);
        let impact = shot(secs * 5.0, || filter.next(source.next()).band * level.next());
        bus.add(at, &impact, octaves(rng, 0.1, 1.0));
        at -= mean * rng.unit_f32().max(1e-3).ln();
    }
    bus
}

/// Renders chirps and trills.
fn birds(secs: f32, rng: &mut Rng) -> Bus {
    let mut bus = Bus::new(secs);
    let mut at = 0.0;
    while at < secs {
        let (hz, to, notes) = (octaves(rng, 1_500.0, 6_000.0), between(rng, 0.6, 1.6), 1 + rng.below(8));
        let secs = octaves(rng, 0.03, 0.2);
        for note in 0..notes {
            let mut osc = Osc::default();
            let count = secs * RATE;
            let mut n = 0.0;
            let chirp = shot(secs, || {
                n += 1.0;
                osc.sine(hz * to.powf(n / count) / RATE) * (std::f32::consts::PI * n / count).sin()
            });
            bus.add(at + note as f32 * secs * 1.3, &chirp, 0.8);
        }
        at += between(rng, 0.2, 2.5);
    }
    bus
}
