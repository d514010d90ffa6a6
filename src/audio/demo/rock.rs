//! Rock part of the demo track: drums with a backbeat, two distorted guitars, bass and a lead line, in A minor.

use super::drums::{Hiss, Kick, KickShape, Snare};
use super::guitar::{Guitar, Touch};
use super::part::{PartFrame, Steps};
use super::space::Echo;
use super::tone::{Decay, Filter, Osc, hz, sine, soft};

/// Beats per minute.
pub(super) const BPM: f64 = 116.0;
/// First bar of each passage.
pub(super) const VERSE: u64 = 2;
pub(super) const CHORUS: u64 = 10;
pub(super) const BRIDGE: u64 = 18;
pub(super) const FINALE: u64 = 22;
pub(super) const END: u64 = 30;

/// Roots of the verse (A A F G) and the chorus (A F C G) as MIDI notes, one bar each.
const VERSE_ROOTS: [f32; 4] = [45.0, 45.0, 41.0, 43.0];
const CHORUS_ROOTS: [f32; 4] = [45.0, 41.0, 48.0, 43.0];
/// Lead line over four bars: step, MIDI note, length in steps.
const LEAD: [(u64, f32, u64); 14] = [
    (0, 76.0, 6),
    (6, 74.0, 2),
    (8, 72.0, 4),
    (12, 69.0, 4),
    (16, 72.0, 6),
    (22, 74.0, 2),
    (24, 72.0, 8),
    (32, 76.0, 4),
    (36, 79.0, 4),
    (40, 81.0, 8),
    (48, 79.0, 4),
    (52, 76.0, 4),
    (56, 74.0, 6),
    (62, 71.0, 2),
];

/// Passage of the rock part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RockPassage {
    Riff,
    Verse,
    Chorus,
    Bridge,
}

fn passage(bar: u64) -> RockPassage {
    match bar {
        0..VERSE => RockPassage::Riff,
        VERSE..CHORUS => RockPassage::Verse,
        BRIDGE..FINALE => RockPassage::Bridge,
        _ => RockPassage::Chorus,
    }
}

/// Generator of the rock part.
#[derive(Clone, Debug)]
pub(super) struct Rock {
    rate_hz: f32,
    steps: Steps,
    kick: Kick,
    snare: Snare,
    tom: Kick,
    hat: Hiss,
    ride: Hiss,
    crash: Hiss,
    guitars: [Guitar; 2],
    bass: Osc,
    bass_note: f32,
    bass_level: Decay,
    bass_filter: Filter,
    lead: [Osc; 2],
    lead_note: f32,
    lead_left: u64,
    lead_level: f32,
    lead_filter: Filter,
    echo: Echo,
}

impl Rock {
    pub(super) fn new(rate_hz: f32) -> Self {
        let kick =
            KickShape { low_hz: 58.0, sweep_hz: 120.0, sweep_secs: 0.018, body_secs: 0.10, click: 0.55 };
        let tom = KickShape { low_hz: 110.0, sweep_hz: 60.0, sweep_secs: 0.05, body_secs: 0.16, click: 0.2 };
        Self {
            rate_hz,
            steps: Steps::new(rate_hz, BPM),
            kick: Kick::new(rate_hz, kick),
            snare: Snare::new(rate_hz),
            tom: Kick::new(rate_hz, tom),
            hat: Hiss::new(rate_hz, 6_500.0, 0.5, 61),
            ride: Hiss::new(rate_hz, 5_000.0, 0.7, 62),
            crash: Hiss::new(rate_hz, 3_500.0, 0.35, 63),
            guitars: [Guitar::new(rate_hz, 64, 0.001), Guitar::new(rate_hz, 65, 0.013)],
            bass: Osc::default(),
            bass_note: 33.0,
            bass_level: Decay::new(rate_hz, 0.35),
            bass_filter: Filter::new(rate_hz, 650.0, 0.9),
            lead: [Osc::default(), Osc::at(0.3)],
            lead_note: 76.0,
            lead_left: 0,
            lead_level: 0.0,
            lead_filter: Filter::new(rate_hz, 3_200.0, 1.0),
            echo: Echo::new(rate_hz, (60.0 / BPM) as f32, 0.35),
        }
    }

    pub(super) fn next(&mut self, at: u64) -> PartFrame {
        if let Some(step) = self.steps.reached(at) {
            self.strike(step);
        }
        let kick = self.kick.next();
        let snare = self.snare.next();
        let tom = self.tom.next();
        let hat = self.hat.next();
        let ride = self.ride.next();
        let crash = self.crash.next();
        let [left, right] = &mut self.guitars;
        let guitars = [left.next(), right.next()];
        let step = hz(self.bass_note) / self.rate_hz;
        let bass = soft(self.bass_filter.next(self.bass.saw(step)).low * self.bass_level.next() * 1.8);
        let lead = self.lead(at);
        let echo = self.echo.next(lead);
        let middle = kick * 0.75 + snare * 0.6 + bass * 0.36 + lead * 0.26;
        let dry = [
            middle + tom * 0.45 + hat * 0.30 + ride * 0.16 + crash * 0.36 + guitars[0] * 0.34 + echo[0] * 0.1,
            middle + tom * 0.55 + hat * 0.18 + ride * 0.26 + crash * 0.30 + guitars[1] * 0.34 + echo[1] * 0.1,
        ];
        let room = snare * 0.16 + tom * 0.14 + crash * 0.10 + kick * 0.04;
        let hall = [0, 1].map(|side| room + guitars[side] * 0.05 + echo[side] * 0.06 + lead * 0.05);
        PartFrame { dry, hall }
    }

    fn strike(&mut self, step: u64) {
        let (bar, step) = (step / 16, step % 16);
        if bar >= END {
            self.finish(bar, step);
            return;
        }
        let now = passage(bar);
        let fill = matches!(bar, 1 | 9 | 17 | 21 | 29) && step >= 8;
        if fill {
            self.fill(step);
        } else {
            self.drums(now, bar, step);
        }
        self.strings(now, bar, step);
        if bar >= FINALE || now == RockPassage::Bridge {
            let first = if bar >= FINALE { FINALE } else { BRIDGE };
            let place = (bar - first) % 4 * 16 + step;
            if let Some(&(_, note, length)) = LEAD.iter().find(|(start, _, _)| *start == place) {
                self.lead_note = note;
                self.lead_left = (length as f64 * self.steps.step_samples() * 0.92) as u64;
            }
        }
    }

    fn drums(&mut self, now: RockPassage, bar: u64, step: u64) {
        let (kicks, snares, every): (&[u64], &[u64], u64) = match now {
            RockPassage::Riff => (&[0, 8], &[4, 12], 4),
            RockPassage::Verse => (&[0, 7, 8, 10], &[4, 12], 2),
            RockPassage::Chorus => (&[0, 3, 8, 10, 11], &[4, 12], 2),
            RockPassage::Bridge => (&[0, 10], &[8], 4),
        };
        if kicks.contains(&step) {
            self.kick.strike(if step == 0 { 1.0 } else { 0.88 });
        }
        if snares.contains(&step) {
            self.snare.strike(1.0);
        }
        if now == RockPassage::Verse && matches!(step, 7 | 15) && bar % 2 == 1 {
            self.snare.strike(0.18); // a ghost note
        }
        if step.is_multiple_of(every) {
            let accent = if step.is_multiple_of(4) { 1.0 } else { 0.65 };
            match now {
                RockPassage::Riff => self.hat.strike(accent * 0.8, 0.05),
                RockPassage::Verse => self.hat.strike(accent * 0.8, if step == 14 { 0.16 } else { 0.04 }),
                RockPassage::Chorus => self.hat.strike(accent, 0.14),
                RockPassage::Bridge => self.ride.strike(accent, 0.4),
            }
        }
        let crashes = match now {
            RockPassage::Riff => bar == 0,
            RockPassage::Verse => bar == VERSE,
            RockPassage::Chorus => bar % 4 == 2,
            RockPassage::Bridge => bar == BRIDGE,
        };
        if step == 0 && crashes {
            self.crash.strike(0.9, 0.8);
        }
    }

    fn fill(&mut self, step: u64) {
        if step.is_multiple_of(4) {
            self.kick.strike(0.8);
        }
        if step < 12 {
            self.snare.strike(0.55 + 0.1 * (step - 8) as f32);
        } else {
            self.tom.strike_at(0.95, [180.0, 150.0, 118.0, 92.0][(step - 12) as usize]);
        }
    }

    fn strings(&mut self, now: RockPassage, bar: u64, step: u64) {
        let roots = if now == RockPassage::Chorus { &CHORUS_ROOTS } else { &VERSE_ROOTS };
        let first = if bar >= FINALE {
            FINALE
        } else if now == RockPassage::Bridge {
            BRIDGE
        } else {
            VERSE
        };
        let root = roots[((bar + 16 - first) % 4) as usize];
        let open: &[u64] = match now {
            RockPassage::Riff | RockPassage::Verse => &[0, 6, 12],
            RockPassage::Chorus => &[0, 3, 6, 10, 14],
            RockPassage::Bridge => &[0],
        };
        let eighth = step.is_multiple_of(2);
        let touch = if open.contains(&step) {
            Some(Touch::Open)
        } else if eighth && matches!(now, RockPassage::Riff | RockPassage::Verse) {
            Some(Touch::Muted)
        } else {
            None
        };
        if let Some(touch) = touch {
            for (guitar, detune) in self.guitars.iter_mut().zip([0.9985, 1.0015]) {
                guitar.strike(hz(root) * detune, touch);
            }
        }
        if eighth && (now != RockPassage::Bridge || step.is_multiple_of(8)) {
            self.bass_note = root - 12.0;
            self.bass_level.strike(if step == 0 { 1.0 } else { 0.8 });
        }
    }

    /// Plays the last chord, then damps the guitars.
    fn finish(&mut self, bar: u64, step: u64) {
        match (bar - END, step) {
            (0, 0) => {
                self.kick.strike(1.0);
                self.crash.strike(1.0, 1.3);
                for guitar in &mut self.guitars {
                    guitar.strike(hz(45.0), Touch::Open);
                }
                self.bass_note = 33.0;
                self.bass_level.strike(1.0);
            }
            (1, 8) => self.guitars.iter_mut().for_each(Guitar::stop),
            _ => {}
        }
    }

    fn lead(&mut self, at: u64) -> f32 {
        let wanted = if self.lead_left > 0 { 1.0 } else { 0.0 };
        self.lead_left = self.lead_left.saturating_sub(1);
        self.lead_level += (wanted - self.lead_level) * (60.0 / self.rate_hz);
        if self.lead_level < 1e-4 {
            return 0.0;
        }
        let vibrato = 1.0 + 0.006 * sine(at as f32 / self.rate_hz * 5.6);
        let step = hz(self.lead_note) * vibrato / self.rate_hz;
        let [first, second] = &mut self.lead;
        let raw = first.saw(step) + second.saw(step * 1.003);
        self.lead_filter.next(soft(raw * 2.5)).low * self.lead_level
    }
}
