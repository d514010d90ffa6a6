//! Sounds of places: rooms full of people, streets and trains.

use super::bus::Bus;
use super::draw::{RATE, Wander, between, chance, octaves, pick};
use super::kit::{Shot, shot};
use super::nature::swell;
use super::voice::{Voice, speech};
use crate::audio::demo::tone::{Decay, Filter, Noise, Osc};
use crate::units::Rng;

/// Renders `count` people who talk at the same time, each up to `depth_db` decibels below the full level.
pub fn talk(count: usize, depth_db: f32, secs: f32, rng: &mut Rng) -> Bus {
    let mut mix = Bus::new(secs);
    for _ in 0..count {
        let voice = Voice::new(rng, 0.0);
        let mut bus = Bus::new(secs);
        let syllables = speech(rng, secs);
        voice.render(&syllables, bus.samples(), rng);
        mix.mix(&bus, between(rng, -depth_db, 0.0));
    }
    mix
}

/// Renders 20 to 40 people talking in a room.
pub fn babble(secs: f32, rng: &mut Rng) -> Bus {
    let mut bus = talk(20 + rng.below(21), 15.0, secs, rng);
    bus.low_pass(octaves(rng, 1_500.0, 10_000.0), 0.7);
    bus.hall(octaves(rng, 0.4, 2.5), between(rng, 0.1, 0.8), rng);
    bus
}

/// Renders a bar, a café or a foyer.
pub fn venue(secs: f32, rng: &mut Rng) -> Bus {
    let mut mix = Bus::new(secs);
    mix.mix(&babble(secs, rng), 0.0);
    mix.mix(&glasses(secs, rng), between(rng, -20.0, -4.0));
    if chance(rng, 0.6) {
        mix.mix(&steps(secs, rng), between(rng, -20.0, -6.0));
    }
    mix
}

/// Renders clinking glasses and dishes.
fn glasses(secs: f32, rng: &mut Rng) -> Bus {
    let mut bus = Bus::new(secs);
    let mean = octaves(rng, 0.15, 1.5);
    let mut at = 0.0;
    while at < secs {
        let hz = octaves(rng, 1_200.0, 5_000.0);
        let mut partials = [1.0, 2.76, 5.4].map(|ratio| (Osc::default(), ratio * between(rng, 0.9, 1.1)));
        let tail = octaves(rng, 0.02, 0.25);
        let mut level = Decay::new(RATE, tail);
        level.strike(1.0);
        let clink = shot(4.0 * tail, || {
            let ring = |(osc, ratio): &mut (Osc, f32)| osc.sine((hz * *ratio / RATE).min(0.45));
            level.next() * partials.iter_mut().map(ring).sum::<f32>()
        });
        bus.add(at, &clink, octaves(rng, 0.1, 1.0));
        at -= mean * rng.unit_f32().max(1e-3).ln();
    }
    bus
}

/// Renders the footsteps of one to four people.
fn steps(secs: f32, rng: &mut Rng) -> Bus {
    let mut bus = Bus::new(secs);
    for _ in 0..1 + rng.below(4) {
        let (pace, heel) = (between(rng, 0.45, 0.65), burst(octaves(rng, 100.0, 1_500.0), 1.0, 0.03, rng));
        let mut at = between(rng, 0.0, 1.0);
        while at < secs {
            bus.add(at, &heel, between(rng, 0.5, 1.0));
            at += pace * (1.0 + 0.03 * rng.normal() as f32);
        }
    }
    bus
}

/// Renders applause.
pub fn applause(secs: f32, rng: &mut Rng) -> Bus {
    let mut bus = Bus::new(secs);
    let count = (octaves(rng, 9.375, 187.5) * secs) as usize;
    for _ in 0..count {
        let clap = burst(octaves(rng, 700.0, 2_500.0), 2.0, between(rng, 0.004, 0.015), rng);
        bus.add(between(rng, 0.0, secs), &clap, between(rng, 0.2, 1.0));
    }
    if chance(rng, 0.5) {
        bus.mix(&talk(1, 0.0, secs, rng), -12.0);
    }
    bus
}

/// Renders a street: vehicles that pass by, over a distant rumble.
pub fn traffic(secs: f32, rng: &mut Rng) -> Bus {
    let mut vehicles = Bus::new(secs);
    let mean = octaves(rng, 1.0, 6.0);
    let mut at = 0.0;
    while at < secs {
        vehicles.add(at, &vehicle(rng), octaves(rng, 0.2, 1.0));
        at += mean * between(rng, 0.2, 1.8);
    }
    if chance(rng, 0.2) {
        let hz = between(rng, 300.0, 500.0);
        let (mut one, mut two) = (Osc::default(), Osc::default());
        let horn = shot(between(rng, 0.2, 1.0), || 0.2 * (one.saw(hz / RATE) + two.saw(1.26 * hz / RATE)));
        vehicles.add(between(rng, 0.0, secs), &horn, 1.0);
    }
    let mut mix = Bus::new(secs);
    mix.mix(&vehicles, 0.0);
    mix.mix(&rumble(secs, rng), between(rng, -14.0, 6.0));
    mix
}

/// Renders one vehicle from its approach to its departure: tyres and an engine.
fn vehicle(rng: &mut Rng) -> Shot {
    let near = octaves(rng, 0.3, 2.0);
    let middle = 3.0 * near;
    let (hz, loud) = (octaves(rng, 30.0, 150.0), between(rng, 0.0, 0.6));
    let tyres_hz = octaves(rng, 400.0, 2_000.0);
    let mut filter = Filter::new(RATE, tyres_hz, 0.7);
    let mut source = Noise::new(rng.next_u64());
    let mut engine = Osc::default();
    let mut t = 0.0_f32;
    shot(2.0 * middle, || {
        t += 1.0 / RATE;
        let away = (t - middle) / near;
        let level = 1.0 / (1.0 + away * away);
        let doppler = 1.0 - 0.04 * away / (1.0 + away.abs());
        level * (filter.next(source.next()).band + loud * engine.saw(hz * doppler / RATE))
    })
}

/// Renders a train: a rumble, and pairs of wheels that clack over the rail joints.
pub fn train(secs: f32, rng: &mut Rng) -> Bus {
    let mut wheels = Bus::new(secs);
    let (period, pair) = (between(rng, 0.45, 1.4), between(rng, 0.08, 0.25));
    let clack = burst(octaves(rng, 150.0, 1_500.0), between(rng, 0.7, 3.0), between(rng, 0.02, 0.08), rng);
    for n in 0..(secs / period) as usize + 1 {
        for late in [0.0, pair] {
            let at = n as f32 * period + late + 0.01 * rng.normal() as f32;
            wheels.add(at, &clack, between(rng, 0.4, 1.0));
        }
    }
    let mut mix = Bus::new(secs);
    mix.mix(&rumble(secs, rng), 0.0);
    mix.mix(&wheels, between(rng, -16.0, 0.0));
    mix
}

/// Renders the low noise of distant vehicles.
fn rumble(secs: f32, rng: &mut Rng) -> Bus {
    let changes = Wander::new(secs, octaves(rng, 0.5, 4.0), rng);
    let tone = (octaves(rng, 60.0, 500.0), pick(rng, &[0.5, 0.7, 1.0]));
    let depth = (between(rng, 0.0, 0.3), between(rng, 0.0, 4.0));
    swell(secs, tone, &changes, depth, rng)
}

/// Renders a short burst of noise around `hz` that decays to 37% within `tail_secs`.
pub fn burst(hz: f32, q: f32, tail_secs: f32, rng: &mut Rng) -> Shot {
    let mut filter = Filter::new(RATE, hz, q);
    let mut level = Decay::new(RATE, tail_secs);
    let mut source = Noise::new(rng.next_u64());
    level.strike(1.0);
    shot(5.0 * tail_secs, || filter.next(source.next()).band * level.next())
}
