//! Techno part of the demo track: four on the floor in A minor, a rolling bass, an acid line, breakdown, build and
//! drop.

use super::drums::{Clap, Hiss, Kick, KickShape, Snare};
use super::part::{PartFrame, Steps};
use super::space::Echo;
use super::tone::{Decay, Filter, Noise, Osc, hz, ramp, sine, soft};

/// Beats per minute.
pub(super) const BPM: f64 = 130.0;
/// First bar of each passage.
pub(super) const ACID: u64 = 8;
pub(super) const BREAKDOWN: u64 = 16;
pub(super) const BUILD: u64 = 20;
pub(super) const DROP: u64 = 24;
pub(super) const END: u64 = 36;

/// Acid line of one bar: semitones above A and whether the step is accented; `None` is a rest.
const ACID_LINE: [Option<(f32, bool)>; 16] = [
    Some((0.0, true)),
    Some((0.0, false)),
    Some((12.0, false)),
    None,
    Some((0.0, false)),
    Some((3.0, true)),
    None,
    Some((0.0, false)),
    Some((10.0, false)),
    Some((0.0, true)),
    Some((12.0, false)),
    Some((0.0, false)),
    None,
    Some((7.0, true)),
    Some((5.0, false)),
    Some((3.0, false)),
];
/// Steps of a bar that play a chord stab.
const STABS: [u64; 3] = [3, 6, 11];
/// The chords A minor, F, C and G as MIDI notes. The breakdown plays all four, one bar each; the stabs
/// alternate between the first two every two bars.
const CHORDS: [[f32; 3]; 4] =
    [[57.0, 60.0, 64.0], [57.0, 60.0, 65.0], [55.0, 60.0, 64.0], [55.0, 59.0, 62.0]];

/// Generator of the techno part.
#[derive(Clone, Debug)]
pub(super) struct Techno {
    rate_hz: f32,
    steps: Steps,
    kick: Kick,
    clap: Clap,
    closed: Hiss,
    open: Hiss,
    crash: Hiss,
    snare: Snare,
    duck: Decay,
    bass: Bass,
    acid: Acid,
    chord: [Osc; 6],
    chord_notes: [f32; 3],
    stab: Decay,
    chord_filter: Filter,
    echo: Echo,
    riser: Filter,
    noise: Noise,
}

impl Techno {
    pub(super) fn new(rate_hz: f32) -> Self {
        let shape =
            KickShape { low_hz: 47.0, sweep_hz: 210.0, sweep_secs: 0.028, body_secs: 0.16, click: 0.35 };
        Self {
            rate_hz,
            steps: Steps::new(rate_hz, BPM),
            kick: Kick::new(rate_hz, shape),
            clap: Clap::new(rate_hz),
            closed: Hiss::new(rate_hz, 8_500.0, 0.3, 41),
            open: Hiss::new(rate_hz, 7_000.0, 0.4, 42),
            crash: Hiss::new(rate_hz, 4_500.0, 0.3, 43),
            snare: Snare::new(rate_hz),
            duck: Decay::new(rate_hz, 0.11),
            bass: Bass::new(rate_hz),
            acid: Acid::new(rate_hz),
            chord: std::array::from_fn(|i| Osc::at(i as f32 * 0.17)),
            chord_notes: CHORDS[0],
            stab: Decay::new(rate_hz, 0.11),
            chord_filter: Filter::new(rate_hz, 1_500.0, 1.2),
            echo: Echo::new(rate_hz, (60.0 / BPM * 0.75) as f32, 0.55),
            riser: Filter::new(rate_hz, 500.0, 3.0),
            noise: Noise::new(7),
        }
    }

    pub(super) fn next(&mut self, at: u64) -> PartFrame {
        let bars = (at as f64 / self.steps.bar_samples()) as f32;
        if let Some(step) = self.steps.reached(at) {
            self.strike(step, bars);
        }
        let build = ramp(BUILD as f32, DROP as f32, bars) * f32::from(u8::from(bars < DROP as f32));
        if at.is_multiple_of(16) {
            self.sweep(bars, build);
        }
        let duck = 1.0 - 0.85 * self.duck.next();
        let kick = self.kick.next();
        let drums = self.clap.next() * 0.42 + self.snare.next() * 0.4;
        let hats = [self.closed.next() * 0.42, self.open.next() * 0.42];
        let crash = self.crash.next() * 0.4;
        let low = self.bass.next() * duck * 0.5;
        let acid = self.acid.next() * (0.55 + 0.45 * duck) * 0.36;
        let chord = self.chord(bars) * duck;
        let echo = self.echo.next(chord * 0.4 + acid * 0.18);
        let noise = self.noise.next();
        let riser = self.riser.next(noise).band * build * build * 0.45;
        let middle = kick * 0.95 + drums + low + acid * 0.8 + riser;
        let left = middle + hats[0] * 0.8 + hats[1] * 0.6 + chord * 0.5 + echo[0] + crash;
        let right = middle + hats[0] * 0.6 + hats[1] * 0.8 + chord * 0.5 + echo[1] + crash * 0.9;
        let hall = drums * 0.25 + crash * 0.3 + chord * 0.35 + riser * 0.3;
        PartFrame { dry: [left, right], hall: [hall + echo[0] * 0.4, hall + echo[1] * 0.4] }
    }

    fn strike(&mut self, step: u64, bars: f32) {
        let (bar, step) = (step / 16, step % 16);
        if bar >= END {
            return;
        }
        let kick_plays = !(BREAKDOWN..DROP).contains(&bar);
        let fill = matches!(bar, 7 | 15 | 31 | 35) && step >= 12;
        if step == 0 && matches!(bar, 0 | ACID | BREAKDOWN | DROP | 32) {
            self.crash.strike(0.8, 0.9);
        }
        if kick_plays && step.is_multiple_of(4) && !fill {
            self.kick.strike(1.0);
            self.duck.strike(1.0);
        }
        let hats_play = kick_plays && bar >= 2;
        if hats_play && step % 4 == 2 {
            self.open.strike(0.9, 0.07);
        }
        if (hats_play && bar >= 4) || (BUILD..DROP).contains(&bar) {
            let accent = [0.75, 0.35, 0.5, 0.4][(step % 4) as usize];
            self.closed.strike(accent, 0.022);
        }
        if kick_plays && bar >= 4 && step % 8 == 4 {
            self.clap.strike(0.9);
        }
        if fill {
            self.snare.strike(0.4 + 0.12 * (step - 12) as f32);
        }
        if kick_plays && bar >= 1 && !step.is_multiple_of(4) {
            let note = if bar % 4 == 3 && step > 11 { 36.0 } else { 33.0 };
            self.bass.strike(note, if step % 4 == 2 { 1.0 } else { 0.7 });
        }
        if bar >= ACID && !(BREAKDOWN..BREAKDOWN + 2).contains(&bar) {
            self.acid.strike(ACID_LINE[step as usize]);
        }
        if (12..BREAKDOWN).contains(&bar) || bar >= DROP {
            if STABS.contains(&step) {
                self.chord_notes = CHORDS[(bar / 2 % 2) as usize];
                self.stab.strike(1.0);
            }
        } else if bar >= BREAKDOWN {
            self.chord_notes = CHORDS[(bar % 4) as usize];
        }
        self.roll(bar, step, bars);
    }

    /// Plays the snare roll of the build: quarters, eighths, sixteenths, and a rest before the drop.
    fn roll(&mut self, bar: u64, step: u64, bars: f32) {
        let every = match bar {
            20 => 4,
            21 => 2,
            22 | 23 => 1,
            _ => return,
        };
        let rest = bar == 23 && step >= 13;
        if step.is_multiple_of(every) && !rest {
            self.snare.strike(0.25 + 0.6 * ramp(20.0, 24.0, bars));
        }
    }

    fn sweep(&mut self, bars: f32, build: f32) {
        let first = 250.0 + 1_500.0 * ramp(ACID as f32, BREAKDOWN as f32, bars);
        let cutoff_hz = if bars < BREAKDOWN as f32 {
            first
        } else if bars < DROP as f32 {
            180.0 + 2_600.0 * build * build
        } else {
            900.0 + 900.0 * (0.5 - 0.5 * sine(bars / 8.0 + 0.25))
        };
        self.acid.cutoff_hz = cutoff_hz;
        self.acid.level = if bars < DROP as f32 { 0.5 + 0.4 * ramp(8.0, 12.0, bars) } else { 1.0 };
        self.chord_filter.tune(if in_breakdown(bars) { 500.0 + 4_000.0 * build } else { 2_200.0 }, 1.0);
        self.riser.tune(400.0 * (1.0 + 14.0 * build), 2.5);
    }

    fn chord(&mut self, bars: f32) -> f32 {
        let held = ramp(16.0, 17.0, bars) * (1.0 - ramp(23.7, 23.9, bars));
        let level = if in_breakdown(bars) { held * 0.5 } else { self.stab.next() };
        if level < 1e-4 {
            return 0.0;
        }
        let mut sum = 0.0;
        for (index, osc) in self.chord.iter_mut().enumerate() {
            let detune = if index % 2 == 0 { 0.996 } else { 1.004 };
            sum += osc.saw(hz(self.chord_notes[index / 2]) * detune / self.rate_hz);
        }
        self.chord_filter.next(sum * 0.25).low * level
    }
}

fn in_breakdown(bars: f32) -> bool {
    (BREAKDOWN as f32..DROP as f32).contains(&bars)
}

/// Rolling bass: a saw and a sub oscillator through a low-pass filter, with a short decay.
#[derive(Clone, Debug)]
struct Bass {
    rate_hz: f32,
    saw: Osc,
    sub: Osc,
    level: Decay,
    filter: Filter,
    note: f32,
}

impl Bass {
    fn new(rate_hz: f32) -> Self {
        let filter = Filter::new(rate_hz, 320.0, 1.4);
        Self {
            rate_hz,
            saw: Osc::default(),
            sub: Osc::default(),
            level: Decay::new(rate_hz, 0.09),
            filter,
            note: 33.0,
        }
    }

    fn strike(&mut self, note: f32, level: f32) {
        self.note = note;
        self.level.strike(level);
    }

    fn next(&mut self) -> f32 {
        let step = hz(self.note) / self.rate_hz;
        let raw = self.saw.saw(step * 2.0) * 0.5 + self.sub.sine(step);
        soft(self.filter.next(raw).low * self.level.next() * 1.5)
    }
}

/// Acid line: one saw through a resonant filter opened by every note, sliding between notes.
#[derive(Clone, Debug)]
struct Acid {
    rate_hz: f32,
    saw: Osc,
    filter: Filter,
    open: Decay,
    volume: Decay,
    note: f32,
    target: f32,
    cutoff_hz: f32,
    level: f32,
}

impl Acid {
    fn new(rate_hz: f32) -> Self {
        Self {
            rate_hz,
            saw: Osc::default(),
            filter: Filter::new(rate_hz, 400.0, 9.0),
            open: Decay::new(rate_hz, 0.07),
            volume: Decay::new(rate_hz, 0.16),
            note: 45.0,
            target: 45.0,
            cutoff_hz: 300.0,
            level: 0.0,
        }
    }

    fn strike(&mut self, step: Option<(f32, bool)>) {
        let Some((above, hard)) = step else { return };
        self.target = 45.0 + above;
        self.open.strike(if hard { 1.0 } else { 0.5 });
        self.volume.strike(if hard { 1.0 } else { 0.7 });
    }

    fn next(&mut self) -> f32 {
        self.note += (self.target - self.note) * (90.0 / self.rate_hz);
        let open = self.open.next();
        self.filter.tune(self.cutoff_hz * (1.0 + 2.5 * open), 8.0);
        let raw = self.saw.saw(hz(self.note) / self.rate_hz);
        soft(self.filter.next(raw * 0.6).low * 1.6) * self.volume.next() * self.level
    }
}
