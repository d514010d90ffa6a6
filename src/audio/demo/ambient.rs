//! Ambient part of the demo track: slow chords, a low root, wind and a few bells, without a beat.

use super::part::PartFrame;
use super::tone::{Decay, Filter, Noise, Osc, hz, ramp, sine};

/// Length of a chord, in seconds; not a multiple of the beat period of any part.
const CHORD_SECS: f32 = 8.0;
/// Crossfade between two chords, in seconds.
const CROSSFADE_SECS: f32 = 3.5;
/// Am9, Fmaj7, C6, Em7 as MIDI notes, root first.
const CHORDS: [[f32; 5]; 4] = [
    [45.0, 60.0, 64.0, 67.0, 71.0],
    [41.0, 60.0, 64.0, 69.0, 72.0],
    [48.0, 60.0, 64.0, 67.0, 69.0],
    [40.0, 59.0, 62.0, 67.0, 71.0],
];
/// Time in seconds and MIDI note of each bell; uneven intervals to avoid a detectable beat.
const BELLS: [(f32, f32); 14] = [
    (3.1, 76.0),
    (5.87, 83.0),
    (7.23, 79.0),
    (10.74, 81.0),
    (13.19, 72.0),
    (14.02, 88.0),
    (17.36, 79.0),
    (18.45, 84.0),
    (21.97, 76.0),
    (22.71, 91.0),
    (25.93, 71.0),
    (27.64, 83.0),
    (28.31, 86.0),
    (30.2, 79.0),
];

/// Position of the ambient part in the track.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Fades in and opens its filter towards the next part.
    Opening,
    /// Fades out at the end of the track.
    Closing,
}

/// Generator of the ambient part.
#[derive(Clone, Debug)]
pub(super) struct Ambient {
    rate_hz: f32,
    role: Role,
    length_secs: f32,
    saws: [[Osc; 8]; 2],
    root: Osc,
    warmth: [Filter; 2],
    wind: Filter,
    noise: Noise,
    bell: [Osc; 2],
    bell_level: Decay,
    bell_note: f32,
    control: u32,
}

impl Ambient {
    pub(super) fn new(rate_hz: f32, role: Role, length_secs: f32) -> Self {
        let saws = [0.0, 0.41].map(|from| std::array::from_fn(|i| Osc::at((from + i as f32 * 0.137) % 1.0)));
        Self {
            rate_hz,
            role,
            length_secs,
            saws,
            root: Osc::default(),
            warmth: [Filter::new(rate_hz, 500.0, 0.8); 2],
            wind: Filter::new(rate_hz, 700.0, 1.5),
            noise: Noise::new(5),
            bell: [Osc::default(); 2],
            bell_level: Decay::new(rate_hz, 1.3),
            bell_note: 76.0,
            control: 0,
        }
    }

    pub(super) fn next(&mut self, at: u64) -> PartFrame {
        let t = at as f32 / self.rate_hz;
        let (rising, opening) = match self.role {
            Role::Opening => (ramp(0.0, 2.5, t), ramp(self.length_secs - 9.0, self.length_secs, t)),
            Role::Closing => (1.0 - ramp(self.length_secs - 8.0, self.length_secs - 0.5, t), 0.0),
        };
        if self.control == 0 {
            self.tune(t, opening);
        }
        self.control = (self.control + 1) % 32;
        let place = t / CHORD_SECS;
        let chord = place as usize;
        let fade = ramp(1.0 - CROSSFADE_SECS / CHORD_SECS, 1.0, place - chord as f32);
        let mut pad = [0.0f32; 2];
        for (slot, gain) in [(chord % 2, 1.0 - fade), ((chord + 1) % 2, fade)] {
            if gain > 0.0 {
                let notes = &CHORDS[(chord + usize::from(slot != chord % 2)) % 4];
                self.pad(slot, notes, gain, &mut pad);
            }
        }
        let root = CHORDS[chord % 4][0] + (CHORDS[(chord + 1) % 4][0] - CHORDS[chord % 4][0]) * fade.round();
        // The root fades out during the chord change to hide its jump.
        let level = 1.0 - ramp(0.0, 0.5, 0.5 - (fade - 0.5).abs());
        let low = self.root.sine(hz(root) / self.rate_hz) * 0.12 * level;
        let noise = self.noise.next();
        let wind = self.wind.next(noise).band * (0.02 + 0.10 * opening * opening);
        let bell = self.bell(at);
        let body = [0, 1].map(|side| self.warmth[side].next(pad[side]).low * 0.10);
        PartFrame {
            dry: body.map(|body| (body + low + wind + bell * 0.5) * rising),
            hall: body.map(|body| (body * 0.5 + wind * 0.4 + bell) * rising),
        }
    }

    fn tune(&mut self, t: f32, opening: f32) {
        for (side, filter) in self.warmth.iter_mut().enumerate() {
            let slow = sine(t * 0.043 + side as f32 * 0.25) + sine(t * 0.071);
            filter.tune(700.0 + 240.0 * slow + 2_400.0 * opening * opening, 0.9);
        }
        self.wind.tune(600.0 + 350.0 * sine(t * 0.059) + 3_500.0 * opening, 1.4);
    }

    fn pad(&mut self, slot: usize, notes: &[f32; 5], gain: f32, out: &mut [f32; 2]) {
        for (index, saw) in self.saws[slot].iter_mut().enumerate() {
            let detune = if index % 2 == 0 { 0.997 } else { 1.0035 };
            let step = hz(notes[1 + index / 2] - 12.0) * detune / self.rate_hz;
            out[index % 2] += saw.saw(step) * gain;
        }
    }

    fn bell(&mut self, at: u64) -> f32 {
        let struck = |&&(when, _): &&(f32, f32)| at == (f64::from(when) * f64::from(self.rate_hz)) as u64;
        if let Some(&(_, note)) = BELLS.iter().find(struck) {
            self.bell_note = note;
            self.bell_level.strike(0.12);
        }
        let level = self.bell_level.next();
        let step = hz(self.bell_note) / self.rate_hz;
        let [carrier, modulator] = &mut self.bell;
        let bend = modulator.sine(step * 3.5) * level * 1.2;
        sine(carrier.turn(step) + bend) * level
    }
}
