//! Club music: constant tempo, repeating patterns, drops and breakdowns.

use super::bus::Bus;
use super::draw::{RATE, Wander, above, between, chance, octaves, pick, scale};
use super::kind::Kind;
use super::kit::Kit;
use super::patch::Patch;
use super::voice::{Syllable, Voice};
use crate::audio::demo::tone::{Filter, Noise};
use crate::units::Rng;

/// Positions of the kicks and snares of broken beats, in sixteenths from the start of the bar.
const BROKEN: [(&[usize], &[usize]); 5] = [
    (&[0, 10], &[4, 12]),
    (&[0, 3, 10], &[4, 12]),
    (&[0, 6, 10], &[4, 12]),
    (&[0, 3, 6, 11], &[4, 12]),
    (&[0, 7, 10], &[8]),
];

struct SongPlan {
    /// Length of the piece, in seconds.
    secs: f32,
    /// Length of a sixteenth, in seconds.
    step: f32,
    bars: usize,
    /// Whether the kick plays, for each bar.
    kick: Vec<bool>,
    root_hz: f32,
    scale: Vec<f32>,
    /// Scale degree of the chord root for each bar; repeats from the start.
    chords: Vec<usize>,
}

impl SongPlan {
    fn draw(kind: Kind, secs: f32, rng: &mut Rng) -> Self {
        let bpm = match rng.below(10) {
            _ if kind == Kind::Dub => between(rng, 108.0, 130.0),
            0..6 => between(rng, 116.0, 146.0),
            6..8 => between(rng, 146.0, 180.0),
            8 => between(rng, 96.0, 118.0),
            _ => between(rng, 170.0, 215.0),
        };
        let step = 15.0 / bpm;
        let bars = (secs / (16.0 * step)) as usize + 1;
        let mut kick = vec![true; bars];
        if kind == Kind::Breakdown {
            // At most a quarter of the bars have the kick: those before or after the breakdown.
            kick.fill(false);
            let played = rng.below(bars / 4 + 1);
            let with_kick = if chance(rng, 0.5) { 0..played } else { bars - played..bars };
            kick[with_kick].fill(true);
        } else if chance(rng, 0.15) {
            // Several bars without the kick.
            let from = rng.below(bars);
            let length = 2 + rng.below(bars);
            kick[from..(from + length).min(bars)].fill(false);
        }
        let chords = match rng.below(3) {
            0 => vec![0],
            1 => vec![0, pick(rng, &[2, 3, 4, 5])],
            _ => (0..4).map(|_| pick(rng, &[0, 0, 2, 3, 4, 5])).collect(),
        };
        Self { secs, step, bars, kick, root_hz: octaves(rng, 36.0, 72.0), scale: scale(rng), chords }
    }

    fn at(&self, bar: usize, step: f32) -> f32 {
        (bar as f32 * 16.0 + step) * self.step
    }

    /// Returns the times of the quarter notes, played or not.
    fn beats(&self) -> Vec<f32> {
        (0..self.bars * 4).map(|beat| self.at(0, beat as f32 * 4.0)).filter(|at| *at < self.secs).collect()
    }

    fn root(&self, bar: usize) -> usize {
        self.chords[bar % self.chords.len()]
    }

    fn hz(&self, degree: usize) -> f32 {
        above(self.root_hz, self.scale[degree % self.scale.len()])
    }
}

/// Composes a piece; returns it with the times of its quarter notes, in seconds.
pub fn compose(kind: Kind, secs: f32, rng: &mut Rng) -> (Bus, Vec<f32>) {
    let plan = SongPlan::draw(kind, secs, rng);
    let kit = Kit::machine(rng);
    let mut mix = Bus::new(plan.secs);
    let kicks = drums(&plan, &kit, &mut mix, rng);
    let pump = if chance(rng, 0.6) { between(rng, 0.2, 0.95) } else { 0.0 };
    let length = plan.step * between(rng, 1.5, 4.0);
    let mut add = |mut bus: Bus, db: f32, rng: &mut Rng| {
        bus.duck(&kicks, pump, length);
        if chance(rng, 0.3) {
            bus.echo(plan.step * pick(rng, &[2.0, 3.0, 4.0]), between(rng, 0.2, 0.6), between(rng, 0.1, 0.5));
        }
        if chance(rng, 0.4) {
            bus.hall(between(rng, 0.4, 3.0), between(rng, 0.1, 0.5), rng);
        }
        mix.mix(&bus, db);
    };
    if chance(rng, 0.85) {
        let db = between(rng, -8.0, 2.0);
        add(bass(&plan, rng), db, rng);
    }
    let lines = if kind == Kind::Breakdown { 1 + rng.below(3) } else { rng.below(4) };
    for _ in 0..lines {
        let db = between(rng, -14.0, 2.0);
        add(line(&plan, rng), db, rng);
    }
    if chance(rng, 0.5) {
        let db = between(rng, -14.0, 0.0);
        add(chords(&plan, rng), db, rng);
    }
    if kind == Kind::Dub {
        let mut bus = chords(&plan, rng);
        bus.low_pass(octaves(rng, 400.0, 3_000.0), octaves(rng, 0.7, 3.0));
        bus.echo(3.0 * plan.step, between(rng, 0.4, 0.8), between(rng, 0.4, 0.9));
        bus.hall(octaves(rng, 1.0, 5.0), between(rng, 0.2, 0.7), rng);
        let db = between(rng, -8.0, 3.0);
        add(bus, db, rng);
    }
    let rising = if kind == Kind::Breakdown { 0.6 } else { 0.35 };
    if chance(rng, rising) {
        let db = between(rng, -18.0, -2.0);
        add(sweep(&plan, rng), db, rng);
    }
    if chance(rng, 0.2) {
        let db = between(rng, -10.0, 2.0);
        add(singer(&plan, rng), db, rng);
    }
    if chance(rng, 0.3) {
        let db = between(rng, -20.0, -8.0);
        add(hiss(&plan, rng), db, rng);
    }
    if chance(rng, 0.1) {
        let db = between(rng, -10.0, 0.0);
        add(calls(&plan, rng), db, rng);
    }
    let muffled = if kind == Kind::Dub { 0.5 } else { 0.2 };
    if chance(rng, muffled) {
        muffle(&mut mix, secs, rng);
    }
    (mix, plan.beats())
}

/// Applies a low-pass filter whose cutoff is constant or moves, like that of a DJ mixer's filter knob.
fn muffle(mix: &mut Bus, secs: f32, rng: &mut Rng) {
    let hz = octaves(rng, 200.0, 4_000.0);
    if chance(rng, 0.4) {
        mix.low_pass(hz, between(rng, 0.6, 1.5));
        return;
    }
    let ride = Wander::new(secs, octaves(rng, 1.5, 10.0), rng);
    let mut filter = Filter::new(RATE, hz, 0.8);
    for (n, sample) in mix.samples().iter_mut().enumerate() {
        if n % 64 == 0 {
            filter.tune((hz * (1.2 * ride.at(n as f32 / RATE)).exp2()).clamp(120.0, 16_000.0), 0.8);
        }
        *sample = filter.next(*sample).low;
    }
}

/// Adds the drums; returns the times of the kicks, in seconds.
fn drums(plan: &SongPlan, kit: &Kit, mix: &mut Bus, rng: &mut Rng) -> Vec<f32> {
    let mut kicks = Vec::new();
    let mut bus = Bus::new(plan.secs);
    let broken = chance(rng, 0.15).then(|| pick(rng, &BROKEN));
    let (kick, snares) = broken.unwrap_or((&[0, 4, 8, 12], &[4, 12]));
    let clapped = if broken.is_some() { 0.9 } else { 0.6 };
    let snare = chance(rng, clapped).then(|| if chance(rng, 0.5) { &kit.clap } else { &kit.snare });
    let snare_gain = between(rng, 0.2, 1.2);
    let (offbeat, sixteenths, knocks) = (chance(rng, 0.7), chance(rng, 0.5), chance(rng, 0.5));
    let (offbeat_gain, hat_gain, knock_gain) =
        (between(rng, 0.1, 0.9), between(rng, 0.05, 0.6), between(rng, 0.1, 0.6));
    let accents: Vec<f32> =
        (0..16).map(|_| if chance(rng, 0.75) { between(rng, 0.4, 1.0) } else { 0.0 }).collect();
    let knock: Vec<bool> = (0..16).map(|_| chance(rng, 0.25)).collect();
    let hats_rest = chance(rng, 0.5);
    let roll = chance(rng, 0.4);
    for bar in 0..plan.bars {
        let rests = !plan.kick[bar];
        if !rests {
            for &step in kick {
                kicks.push(plan.at(bar, step as f32));
            }
        }
        for step in 0..16 {
            let at = plan.at(bar, step as f32);
            if let Some(snare) = snare.filter(|_| !rests && snares.contains(&step)) {
                bus.add(at, snare, snare_gain);
            }
            if !(rests && hats_rest) {
                if offbeat && step % 4 == 2 {
                    bus.add(at, &kit.open_hat, offbeat_gain);
                }
                if sixteenths {
                    bus.add(at, &kit.hat, hat_gain * accents[step]);
                }
                if knocks && knock[step] {
                    bus.add(at, &kit.knock, knock_gain);
                }
            }
            // A roll leading back to the kick.
            if rests && roll && plan.kick.get(bar + 1) == Some(&true) && (step % 2 == 0 || step >= 8) {
                bus.add(at, &kit.snare, 0.1 + 0.03 * step as f32);
            }
        }
    }
    let gain = between(rng, 0.5, 1.2);
    for &at in &kicks {
        bus.add(at, &kit.kick, gain);
    }
    if chance(rng, 0.3) {
        // Up to the distortion of hard techno.
        bus.drive(octaves(rng, 0.7, 25.0));
    }
    if chance(rng, 0.3) {
        bus.hall(between(rng, 0.3, 1.5), between(rng, 0.05, 0.3), rng);
    }
    // Hats alone are quieter than a whole kit.
    let db = if kicks.is_empty() { between(rng, -20.0, -6.0) } else { 0.0 };
    mix.mix(&bus, db);
    kicks
}

/// Composes a bass line that repeats every bar and follows the chord roots along the scale.
fn bass(plan: &SongPlan, rng: &mut Rng) -> Bus {
    let mut bus = Bus::new(plan.secs);
    let acid = chance(rng, 0.2);
    let patch = if acid { Patch::acid(rng) } else { Patch::bass(rng) };
    let octave = pick(rng, &[1.0, 1.0, 2.0]);
    let kind = if acid { 2 } else { rng.below(4) };
    let line: Vec<Option<(usize, f32)>> = (0..16)
        .map(|step| match kind {
            0 => (step % 4 == 2).then_some((0, 1.8)),
            1 => (step % 4 != 0).then_some((0, 0.9)),
            2 => chance(rng, 0.6).then(|| (pick(rng, &[0, 0, 0, 2, 4, 7]), 0.9)),
            _ => (step % 8 == 0).then_some((0, 7.5)),
        })
        .collect();
    let rests = chance(rng, 0.6);
    for bar in (0..plan.bars).filter(|&bar| plan.kick[bar] || !rests) {
        for (step, note) in line.iter().enumerate() {
            if let Some((degree, steps)) = note {
                let note = patch.note(octave * plan.hz(plan.root(bar) + degree), steps * plan.step, rng);
                bus.add(plan.at(bar, step as f32), &note, 1.0);
            }
        }
    }
    bus
}

/// Composes a repeating arpeggio or melody that follows the chord roots along the scale.
fn line(plan: &SongPlan, rng: &mut Rng) -> Bus {
    let mut bus = Bus::new(plan.secs);
    let patch = Patch::lead(rng);
    let octave = pick(rng, &[4.0, 8.0, 8.0, 16.0]);
    let (length, density) = (pick(rng, &[8, 16, 16, 32]), between(rng, 0.35, 1.0));
    let steps = pick(rng, &[0.6, 0.9, 1.8]);
    let notes: Vec<Option<usize>> =
        (0..length).map(|_| chance(rng, density).then(|| rng.below(plan.scale.len()))).collect();
    let from = if chance(rng, 0.3) { rng.below(plan.bars) } else { 0 };
    for bar in from..plan.bars {
        for step in 0..16 {
            if let Some(degree) = notes[(bar * 16 + step) % length] {
                let hz = octave * plan.hz(degree + plan.root(bar));
                bus.add(plan.at(bar, step as f32), &patch.note(hz.min(4_000.0), steps * plan.step, rng), 0.8);
            }
        }
    }
    bus
}

/// Composes off-beat stabs, or a pad holding each chord.
fn chords(plan: &SongPlan, rng: &mut Rng) -> Bus {
    let mut bus = Bus::new(plan.secs);
    let held = chance(rng, 0.5);
    let patch = match held {
        true => Patch::pad(rng),
        false if chance(rng, 0.3) => Patch::keys(rng),
        false => Patch::lead(rng),
    };
    let octave = pick(rng, &[2.0, 4.0, 8.0]);
    let rhythm: Vec<usize> = match rng.below(3) {
        0 => vec![2, 6, 10, 14],
        1 => vec![0, 3, 6, 10, 13],
        _ => (0..16).filter(|_| chance(rng, 0.3)).collect(),
    };
    for bar in 0..plan.bars {
        for third in [0, 2, 4] {
            let hz = octave * plan.hz(plan.root(bar) + third);
            if held {
                bus.add(plan.at(bar, 0.0), &patch.note(hz, 15.0 * plan.step, rng), 0.5);
            } else {
                let note = patch.note(hz, 1.2 * plan.step, rng);
                rhythm.iter().for_each(|&step| bus.add(plan.at(bar, step as f32), &note, 0.5));
            }
        }
    }
    bus
}

/// Composes noise that rises over several bars, as before a drop.
fn sweep(plan: &SongPlan, rng: &mut Rng) -> Bus {
    let mut bus = Bus::new(plan.secs);
    let mut noise = Noise::new(rng.next_u64());
    let mut filter = Filter::new(RATE, 500.0, 2.0);
    let length = plan.at(pick(rng, &[2, 4, 8]), 0.0);
    for (n, sample) in bus.samples().iter_mut().enumerate() {
        let share = (n as f32 / RATE / length).fract();
        if n % 32 == 0 {
            filter.tune(300.0 * (share * 4.5).exp2(), 2.0);
        }
        *sample = filter.next(noise.next()).band * share * share;
    }
    bus
}

/// Composes constant noise: vinyl, tape or a layer under the hats.
fn hiss(plan: &SongPlan, rng: &mut Rng) -> Bus {
    let mut bus = Bus::new(plan.secs);
    let mut noise = Noise::new(rng.next_u64());
    let mut filter = Filter::new(RATE, octaves(rng, 800.0, 8_000.0), 0.7);
    bus.samples().iter_mut().for_each(|sample| *sample = filter.next(noise.next()).band);
    bus
}

/// Composes a voice sample cut into a repeating pattern.
fn calls(plan: &SongPlan, rng: &mut Rng) -> Bus {
    let mut bus = Bus::new(plan.secs);
    let voice = Voice::new(rng, 0.005);
    let steps: Vec<(usize, usize)> =
        (0..16).filter_map(|step| if chance(rng, 0.2) { Some((step, rng.below(7))) } else { None }).collect();
    let every = pick(rng, &[1, 2]);
    let mut syllables = Vec::new();
    for bar in (0..plan.bars).filter(|bar| bar % every == 0) {
        for &(step, degree) in &steps {
            let hz = plan.hz(degree) * 4.0;
            let at = plan.at(bar, step as f32);
            syllables.push(Syllable { at, secs: 1.6 * plan.step, hz: (hz, hz), level: 0.8 });
        }
    }
    voice.render(&syllables, bus.samples(), rng);
    bus
}

/// Composes sung phrases that follow the grid.
fn singer(plan: &SongPlan, rng: &mut Rng) -> Bus {
    let mut bus = Bus::new(plan.secs);
    let vibrato = between(rng, 0.0, 0.012);
    let voice = Voice::new(rng, vibrato);
    let dense = between(rng, 0.3, 0.9);
    let mut degree = rng.below(plan.scale.len());
    let mut syllables = Vec::new();
    for bar in (0..plan.bars).filter(|bar| bar % 4 != 3) {
        let mut step = pick(rng, &[0, 0, 2, 4]);
        while step < 16 {
            let steps = pick(rng, &[1, 2, 2, 3, 4, 6]);
            if chance(rng, dense) {
                degree = (degree + plan.scale.len() + rng.below(5) - 2) % plan.scale.len();
                let hz = plan.hz(degree) * 4.0;
                let (at, secs) = (plan.at(bar, step as f32), 0.9 * steps as f32 * plan.step);
                syllables.push(Syllable { at, secs, hz: (hz, hz), level: between(rng, 0.6, 1.0) });
            }
            step += steps;
        }
    }
    voice.render(&syllables, bus.samples(), rng);
    bus
}
