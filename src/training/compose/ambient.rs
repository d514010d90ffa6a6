//! Ambient music: drones, pads, bells in a hall, wind, a soft pulse, a slow piano, a sparse melody.

use super::bus::Bus;
use super::draw::{RATE, above, between, chance, octaves, pick, scale};
use super::kind::Kind;
use super::patch::Patch;
use super::strings::Strings;
use super::voice::{Syllable, Voice};
use crate::audio::demo::tone::{Filter, Noise};
use crate::units::Rng;

/// Composes a piece of ambient music.
pub fn compose(kind: Kind, secs: f32, rng: &mut Rng) -> Bus {
    let scale = scale(rng);
    let root_hz = octaves(rng, 40.0, 130.0);
    match kind {
        Kind::Field => field(root_hz, &scale, secs, rng),
        Kind::Piano => piano(root_hz, &scale, secs, rng),
        Kind::Melody => melody(root_hz, &scale, secs, rng),
        _ => drift(root_hz, &scale, secs, rng),
    }
}

/// Composes slowly changing chords with a few other layers.
fn drift(root_hz: f32, scale: &[f32], secs: f32, rng: &mut Rng) -> Bus {
    let mut mix = Bus::new(secs);
    for _ in 0..1 + rng.below(3) {
        let mut bus = pads(root_hz, scale, secs, rng);
        breathe(&mut bus, rng);
        mix.mix(&bus, between(rng, -10.0, 0.0));
    }
    if chance(rng, 0.4) {
        let mut bus = wind(secs, rng);
        breathe(&mut bus, rng);
        mix.mix(&bus, between(rng, -22.0, -2.0));
    }
    if chance(rng, 0.5) {
        mix.mix(&drops(root_hz, scale, secs, rng), between(rng, -16.0, 0.0));
    }
    if chance(rng, 0.2) {
        mix.mix(&pulse(root_hz, scale, secs, rng), between(rng, -14.0, 0.0));
    }
    if chance(rng, 0.15) {
        mix.mix(&choir(root_hz, scale, secs, rng), between(rng, -10.0, 0.0));
    }
    if chance(rng, 0.7) {
        mix.hall(octaves(rng, 1.0, 9.0), between(rng, 0.2, 0.9), rng);
    }
    mix
}

/// Composes continuous noise with a few deep or distant notes.
fn field(root_hz: f32, scale: &[f32], secs: f32, rng: &mut Rng) -> Bus {
    let mut mix = Bus::new(secs);
    for _ in 0..1 + rng.below(2) {
        let mut bus = wind(secs, rng);
        breathe(&mut bus, rng);
        mix.mix(&bus, between(rng, -6.0, 0.0));
    }
    for _ in 0..1 + rng.below(3) {
        let mut bus = Bus::new(secs);
        let octave = pick(rng, &[0.7, 1.0, 2.0, 4.0, 8.0]);
        let patch = if chance(rng, 0.6) { Patch::pad(rng) } else { Patch::drop(rng) };
        let mean = octaves(rng, 1.0, 4.0);
        let mut at = between(rng, 0.0, 2.0);
        while at < secs {
            let hz = above(root_hz * octave, pick(rng, scale));
            bus.add(at, &patch.note(hz, between(rng, 0.5, 4.0), rng), between(rng, 0.4, 1.0));
            at += mean * between(rng, 0.3, 1.7);
        }
        mix.mix(&bus, between(rng, -6.0, 8.0));
    }
    if chance(rng, 0.5) {
        mix.hall(octaves(rng, 1.0, 9.0), between(rng, 0.2, 0.9), rng);
    }
    mix
}

/// Composes slow music for a keyboard: broken chords in a free tempo, or single notes that ring on.
fn piano(root_hz: f32, scale: &[f32], secs: f32, rng: &mut Rng) -> Bus {
    let mut bus = Bus::new(secs);
    let patch = Patch::keys(rng);
    let (pace, loose) = (octaves(rng, 0.35, 1.8), between(rng, 0.0, 0.25));
    let (rests, bass) = (between(rng, 0.05, 0.5), chance(rng, 0.7));
    let (mut at, mut root) = (between(rng, 0.0, 0.5), 0);
    let mut played = 0;
    while at < secs {
        if played % 8 == 0 {
            root = pick(rng, &[0, 0, 2, 3, 4]);
            if bass {
                bus.add(at, &patch.note(above(root_hz, scale[root]), 6.0 * pace, rng), 0.8);
            }
        }
        if !chance(rng, rests) {
            let tone = scale[(root + pick(rng, &[0, 2, 4, 7])) % scale.len()];
            let hz = above(root_hz * pick(rng, &[2.0, 4.0, 4.0, 8.0]), tone).min(3_000.0);
            bus.add(at, &patch.note(hz, between(rng, 1.0, 4.0), rng), between(rng, 0.3, 1.0));
        }
        at += pace * (1.0 + loose * rng.normal() as f32).max(0.3);
        played += 1;
    }
    bus.hall(octaves(rng, 0.8, 7.0), between(rng, 0.1, 0.8), rng);
    let mut mix = Bus::new(secs);
    mix.mix(&bus, 0.0);
    if chance(rng, 0.4) {
        mix.mix(&pads(root_hz, scale, secs, rng), between(rng, -20.0, -6.0));
    }
    mix
}

/// Composes a sparse melody in phrases over quiet chords, sometimes with a soft pulse, as in many games.
fn melody(root_hz: f32, scale: &[f32], secs: f32, rng: &mut Rng) -> Bus {
    let mut mix = Bus::new(secs);
    mix.mix(&pads(root_hz, scale, secs, rng), between(rng, -14.0, 0.0));
    if chance(rng, 0.5) {
        mix.mix(&pulse(root_hz, scale, secs, rng), between(rng, -16.0, -2.0));
    }
    let patches = [Patch::drop(rng), Patch::keys(rng), Patch::pad(rng)];
    let (patch, strings, plucked) =
        (&patches[rng.below(patches.len())], Strings::guitar(rng), chance(rng, 0.25));
    let (beat, octave) = (between(rng, 0.4, 1.0), pick(rng, &[4.0, 4.0, 8.0]));
    let mut bus = Bus::new(secs);
    let (mut at, mut degree) = (between(rng, 0.0, 1.0), rng.below(scale.len()));
    while at < secs {
        for _ in 0..3 + rng.below(5) {
            let length = beat * pick(rng, &[0.5, 1.0, 1.0, 2.0]);
            degree = (degree + scale.len() + pick(rng, &[0, 1, 1, 2, 3]) - pick(rng, &[0, 1, 1, 2, 3]))
                % scale.len();
            let hz = above(root_hz * octave, scale[degree]).min(3_000.0);
            let note =
                if plucked { strings.note(hz, 3.0, false, 0.0, rng) } else { patch.note(hz, length, rng) };
            bus.add(at, &note, between(rng, 0.6, 1.0));
            at += length;
        }
        at += beat * (1 + rng.below(6)) as f32;
    }
    bus.hall(octaves(rng, 1.0, 7.0), between(rng, 0.2, 0.8), rng);
    mix.mix(&bus, between(rng, -4.0, 6.0));
    mix
}

/// Applies a slow tremolo, with a probability of 50%.
fn breathe(bus: &mut Bus, rng: &mut Rng) {
    if chance(rng, 0.5) {
        let (hz, depth, phase) = (octaves(rng, 0.05, 0.5), between(rng, 0.1, 0.8), rng.unit_f32());
        bus.shape(|t| 1.0 - depth * (0.5 + 0.5 * (std::f32::consts::TAU * (hz * t + phase)).sin()));
    }
}

/// Composes overlapping chords, or a single drone.
fn pads(root_hz: f32, scale: &[f32], secs: f32, rng: &mut Rng) -> Bus {
    let mut bus = Bus::new(secs);
    let patch = Patch::pad(rng);
    let octave = pick(rng, &[1.0, 2.0, 2.0, 4.0]);
    let length = octaves(rng, 2.5, 16.0);
    let notes = 1 + rng.below(4);
    let mut at = -between(rng, 0.0, length);
    while at < secs {
        for _ in 0..notes {
            let hz = above(root_hz * octave, pick(rng, scale));
            let note = patch.note(hz, length, rng);
            let skip = ((-at).max(0.0) * RATE) as usize;
            bus.add(at.max(0.0), note.get(skip..).unwrap_or(&[]), 0.5);
        }
        at += length * between(rng, 0.8, 1.1);
    }
    bus
}

/// Composes moving noise: wind, surf, tape hiss, rumble.
fn wind(secs: f32, rng: &mut Rng) -> Bus {
    let mut bus = Bus::new(secs);
    let mut noise = Noise::new(rng.next_u64());
    let (hz, q) = (octaves(rng, 60.0, 5_000.0), octaves(rng, 0.5, 6.0));
    let mut filter = Filter::new(RATE, hz, q);
    let (pace, depth) = (octaves(rng, 0.03, 0.4), between(rng, 0.0, 1.5));
    for (n, sample) in bus.samples().iter_mut().enumerate() {
        if n % 64 == 0 {
            let wave = (std::f32::consts::TAU * pace * n as f32 / RATE).sin();
            filter.tune(hz * (depth * wave).exp2(), q);
        }
        let bands = filter.next(noise.next());
        *sample = bands.band + 0.3 * bands.low;
    }
    bus
}

/// Composes sparse notes of a bell-like synthesiser or of a plucked string.
fn drops(root_hz: f32, scale: &[f32], secs: f32, rng: &mut Rng) -> Bus {
    let mut bus = Bus::new(secs);
    let (patch, strings, plucked) = (Patch::drop(rng), Strings::guitar(rng), chance(rng, 0.3));
    let octave = pick(rng, &[2.0, 4.0, 8.0]);
    let mean = octaves(rng, 0.4, 5.0);
    let mut at = between(rng, 0.0, mean);
    while at < secs {
        let hz = above(root_hz * octave, pick(rng, scale)).min(3_000.0);
        let note = if plucked { strings.note(hz, 3.0, false, 0.0, rng) } else { patch.note(hz, 3.0, rng) };
        bus.add(at, &note, between(rng, 0.3, 1.0));
        at += mean * between(rng, 0.3, 1.7);
    }
    if chance(rng, 0.5) {
        bus.echo(between(rng, 0.3, 0.9), between(rng, 0.2, 0.7), 0.5);
    }
    bus.hall(octaves(rng, 1.5, 8.0), between(rng, 0.3, 0.9), rng);
    bus
}

/// Composes a soft pulse at a resting heart rate, or a gentle repeating figure.
fn pulse(root_hz: f32, scale: &[f32], secs: f32, rng: &mut Rng) -> Bus {
    let mut bus = Bus::new(secs);
    let figure = chance(rng, 0.5);
    let period = if figure { between(rng, 0.25, 0.8) } else { between(rng, 0.75, 1.4) };
    let patch = Patch::drop(rng);
    let notes: Vec<f32> = (0..pick(rng, &[3, 4, 6, 8])).map(|_| pick(rng, scale)).collect();
    let octave = pick(rng, &[2.0, 4.0]);
    for n in 0..(secs / period) as usize {
        let hz = if figure { above(root_hz * octave, notes[n % notes.len()]) } else { root_hz };
        bus.add(n as f32 * period, &patch.note(hz, period * 1.5, rng), 1.0);
    }
    let soft_hz = between(rng, 200.0, 1_500.0);
    bus.low_pass(soft_hz, 0.7);
    bus
}

/// Composes wordless voices.
fn choir(root_hz: f32, scale: &[f32], secs: f32, rng: &mut Rng) -> Bus {
    let mut bus = Bus::new(secs);
    for _ in 0..3 {
        let voice = Voice::new(rng, 0.008);
        let mut at = 0.0;
        let mut syllables = Vec::new();
        while at < secs {
            let secs = between(rng, 2.0, 5.0);
            let hz = above(root_hz * 2.0, pick(rng, scale));
            syllables.push(Syllable { at, secs, hz: (hz, hz), level: 0.7 });
            at += secs;
        }
        voice.render(&syllables, bus.samples(), rng);
    }
    bus.low_pass(2_500.0, 0.7).hall(between(rng, 2.0, 6.0), 0.8, rng);
    bus
}
