//! Rock bands: drums, guitars, bass and often a singer, with human timing.

use super::bus::Bus;
use super::draw::{above, between, chance, octaves, pick, scale};
use super::kind::Kind;
use super::kit::{Kit, Shot};
use super::patch::Patch;
use super::strings::Strings;
use super::voice::{Syllable, Voice};
use crate::units::Rng;

/// Positions of the kicks and snares, in sixteenths from the start of the bar.
const GROOVES: [(&[usize], &[usize]); 12] = [
    (&[0, 8], &[4, 12]),
    (&[0, 8, 10], &[4, 12]),
    (&[0, 6, 8], &[4, 12]),
    (&[0, 2, 8, 10], &[4, 12]),
    (&[0, 7, 10], &[4, 12]),
    (&[0, 10], &[4, 12]),
    (&[0, 3, 6, 10], &[8]),
    (&[0, 2], &[8]),
    (&[0, 4, 8, 12], &[2, 6, 10, 14]),
    (&[0, 4, 8, 12], &[4, 12]),
    (&[0, 2, 6, 8, 10], &[4, 12]),
    (&[0, 6, 10, 14], &[4, 12]),
];

/// The same for metal: double bass drums and blast beats.
const METAL_GROOVES: [(&[usize], &[usize]); 5] = [
    (&[0, 2, 4, 6, 8, 10, 12, 14], &[4, 12]),
    (&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15], &[4, 12]),
    (&[0, 4, 8, 12], &[2, 6, 10, 14]),
    (&[0, 2, 3, 6, 8, 10, 11, 14], &[4, 12]),
    (&[0, 1, 2, 6, 7, 8, 12], &[8]),
];

/// Timing of a piece, with human inaccuracy.
struct Timing {
    /// Length of the piece, in seconds.
    secs: f32,
    bars: usize,
    /// Start of each sixteenth, in seconds.
    grid: Vec<f32>,
    loose: f32,
    /// Delay of every second eighth, in sixteenths.
    swing: f32,
    step: f32,
}

impl Timing {
    fn draw(kind: Kind, secs: f32, rng: &mut Rng) -> Self {
        let bpm = match rng.below(10) {
            _ if kind == Kind::Ballad => between(rng, 56.0, 84.0),
            _ if kind == Kind::Metal => between(rng, 96.0, 205.0),
            0..2 => between(rng, 54.0, 78.0),
            2..9 => between(rng, 80.0, 172.0),
            _ => between(rng, 170.0, 205.0),
        };
        let step = 15.0 / bpm;
        let bars = (secs / (16.0 * step)) as usize + 1;
        // A sequenced band, as in video games, has exact timing.
        let sequenced = chance(rng, 0.25);
        let (drift, click_track) = (between(rng, 0.0, 0.02), sequenced || chance(rng, 0.4));
        let mut at = 0.0;
        let mut pace = 1.0_f32;
        let grid = (0..bars * 16 + 1)
            .map(|_| {
                let now = at;
                at += step * pace;
                if !click_track {
                    pace = (pace + 0.2 * drift * rng.normal() as f32).clamp(1.0 - drift, 1.0 + drift);
                }
                now
            })
            .collect();
        let swing = if chance(rng, 0.15) { between(rng, 0.2, 0.6) } else { 0.0 };
        let loose = if sequenced { 0.0 } else { between(rng, 0.001, 0.012) };
        Self { secs, bars, grid, loose, swing, step }
    }

    /// Returns the times of the quarter notes on the grid.
    fn beats(&self) -> Vec<f32> {
        self.grid.iter().step_by(4).copied().filter(|at| *at < self.secs).collect()
    }

    fn at(&self, bar: usize, step: usize, rng: &mut Rng) -> f32 {
        let late = if step % 4 == 2 { self.swing * self.step } else { 0.0 };
        self.grid[(bar * 16 + step).min(self.grid.len() - 1)] + late + self.loose * rng.normal() as f32
    }
}

struct Song {
    kind: Kind,
    time: Timing,
    root_hz: f32,
    scale: Vec<f32>,
    /// Chord root of each half bar, in semitones from the root of the song; repeats from the start.
    chords: Vec<f32>,
}

impl Song {
    fn chord(&self, bar: usize, step: usize) -> f32 {
        self.chords[(bar * 2 + step / 8) % self.chords.len()]
    }
}

/// Composes a piece; returns it with the times of its quarter notes, in seconds.
pub fn compose(kind: Kind, secs: f32, rng: &mut Rng) -> (Bus, Vec<f32>) {
    let scale = scale(rng);
    let slow = chance(rng, 0.6);
    let mut chords: Vec<f32> =
        (0..4).map(|_| pick(rng, &[0.0, 5.0, 7.0, -2.0, -4.0, 3.0, 9.0, -7.0])).collect();
    chords[0] = 0.0;
    if slow {
        chords = chords.iter().flat_map(|&chord| [chord; 2]).collect();
    }
    let time = Timing::draw(kind, secs, rng);
    let song = Song { kind, time, root_hz: octaves(rng, 73.0, 147.0), scale, chords };
    let mut mix = Bus::new(secs);
    let drummer = chance(rng, 0.9);
    if drummer {
        drums(&song, &mut mix, rng);
    }
    if chance(rng, 0.9) {
        mix.mix(&bass(&song, rng), between(rng, -9.0, 0.0));
    }
    for _ in 0..1 + rng.below(2) {
        let loudest = if drummer { 3.0 } else { 0.0 };
        mix.mix(&guitar(&song, rng), between(rng, -8.0, loudest));
    }
    let sung = if kind == Kind::Metal { 0.4 } else { 0.75 };
    if chance(rng, sung) {
        mix.mix(&singer(&song, rng), between(rng, -4.0, 6.0));
        if chance(rng, 0.3) {
            mix.mix(&singer(&song, rng), between(rng, -12.0, -3.0));
        }
    }
    if chance(rng, 0.25) {
        mix.mix(&solo(&song, rng), between(rng, -8.0, 1.0));
    }
    let with_keys = if kind == Kind::Ballad { 0.7 } else { 0.3 };
    if chance(rng, with_keys) {
        mix.mix(&keys(&song, rng), between(rng, -12.0, -1.0));
    }
    (mix, song.time.beats())
}

fn drums(song: &Song, mix: &mut Bus, rng: &mut Rng) {
    let kit = if chance(rng, 0.85) { Kit::acoustic(rng) } else { Kit::machine(rng) };
    let mut bus = Bus::new(song.time.secs);
    let (kicks, snares) = match song.kind {
        Kind::Metal => pick(rng, &METAL_GROOVES),
        // Without the double time of punk.
        Kind::Ballad => pick(rng, &GROOVES[..8]),
        _ => pick(rng, &GROOVES),
    };
    let (every, ride) = (pick(rng, &[2, 2, 2, 4, 1]), chance(rng, 0.3));
    let (cymbal, gain) = (chance(rng, 0.3), between(rng, 0.1, 0.8));
    let time_keeper: &Shot = if cymbal {
        &kit.crash
    } else if ride {
        &kit.open_hat
    } else {
        &kit.hat
    };
    let ghosts = chance(rng, 0.3);
    let (kick_gain, snare_gain) = (between(rng, 0.5, 1.0), between(rng, 0.4, 1.1));
    let hard = |rng: &mut Rng| between(rng, 0.75, 1.0);
    for bar in 0..song.time.bars {
        let fill = bar % 4 == 3 && chance(rng, 0.6);
        if bar % 4 == 0 && chance(rng, 0.7) {
            bus.add(song.time.at(bar, 0, rng), &kit.crash, between(rng, 0.3, 0.8));
        }
        for step in 0..16 {
            let at = song.time.at(bar, step, rng);
            if fill && step >= 8 {
                if chance(rng, 0.7) {
                    let drum = if chance(rng, 0.5) { &kit.snare } else { &kit.toms[2 - (step - 8) / 3] };
                    bus.add(at, drum, 0.8 * hard(rng));
                }
                continue;
            }
            if kicks.contains(&step) {
                bus.add(at, &kit.kick, kick_gain * hard(rng));
            }
            if snares.contains(&step) {
                bus.add(at, &kit.snare, snare_gain * hard(rng));
            } else if ghosts && chance(rng, 0.12) {
                bus.add(at, &kit.snare, 0.2 * snare_gain * hard(rng));
            }
            if step % every == 0 {
                let accent = if step % 4 == 0 { 1.0 } else { 0.7 };
                bus.add(at, time_keeper, gain * accent * hard(rng));
            }
        }
    }
    bus.hall(between(rng, 0.2, 1.2), between(rng, 0.05, 0.4), rng);
    mix.mix(&bus, 0.0);
}

fn bass(song: &Song, rng: &mut Rng) -> Bus {
    let mut bus = Bus::new(song.time.secs);
    let strings = Strings::bass(rng);
    let every = pick(rng, &[2, 2, 4, 8]);
    let wander = between(rng, 0.0, 0.3);
    for bar in 0..song.time.bars {
        for step in (0..16).step_by(every) {
            let step_up = if chance(rng, wander) { pick(rng, &[7.0, 12.0, 5.0, 3.0]) } else { 0.0 };
            let hz = above(song.root_hz * 0.5, song.chord(bar, step) + step_up);
            let secs = every as f32 * song.time.step * 0.9;
            let note = strings.note(hz, secs, false, 0.0, rng);
            bus.add(song.time.at(bar, step, rng), &note, between(rng, 0.7, 1.0));
        }
    }
    bus.drive(octaves(rng, 0.4, 4.0));
    bus
}

/// How a guitar is played.
#[derive(Clone, Copy, PartialEq)]
enum GuitarStyle {
    Held,
    Chugged,
    Strummed,
    Picked,
}

fn guitar(song: &Song, rng: &mut Rng) -> Bus {
    use GuitarStyle::{Chugged, Held, Picked, Strummed};
    let mut bus = Bus::new(song.time.secs);
    let strings = Strings::guitar(rng);
    let styles: &[GuitarStyle] = match song.kind {
        Kind::Metal => &[Chugged, Chugged, Held],
        Kind::Ballad => &[Picked, Picked, Strummed, Held],
        _ => &[Held, Chugged, Strummed, Strummed, Picked],
    };
    let style = pick(rng, styles);
    let distorted = match style {
        Held | Chugged => chance(rng, 0.9),
        Strummed => chance(rng, 0.4),
        Picked => chance(rng, 0.15),
    };
    let third = pick(rng, &[3.0, 4.0]);
    let full = [0.0, 7.0, 12.0, 12.0 + third, 19.0];
    let chord: &[f32] = if distorted { &full[..3] } else { &full };
    let strum: Vec<bool> = (0..16)
        .map(|step| step % 4 == 0 || (step % 2 == 0 && chance(rng, 0.6)) || chance(rng, 0.1))
        .collect();
    let chug: Vec<bool> = (0..16).map(|_| chance(rng, 0.75)).collect();
    let every = pick(rng, &[1, 2, 2]);
    let (takes, sour) = (pick(rng, &[1, 1, 2]), between(rng, 0.01, 0.12));
    for bar in 0..song.time.bars {
        for step in 0..16 {
            let root = above(song.root_hz, song.chord(bar, step));
            let at = song.time.at(bar, step, rng);
            let unit = song.time.step;
            let (strikes, secs, muted) = match style {
                GuitarStyle::Held => (step % 8 == 0, 7.8 * unit, false),
                GuitarStyle::Chugged => {
                    (step % every == 0 && chug[step], every as f32 * unit * 0.9, step % 4 != 0)
                }
                GuitarStyle::Strummed => (strum[step], 2.5 * unit, false),
                GuitarStyle::Picked => (step % 2 == 0, 4.0 * unit, false),
            };
            if !strikes {
                continue;
            }
            let level = between(rng, 0.7, 1.0);
            if style == GuitarStyle::Picked {
                let string = pick(rng, &full);
                bus.add(at, &strings.note(above(root, string), secs, false, 0.0, rng), level);
                continue;
            }
            let down = step % 4 == 0;
            for (n, &string) in chord.iter().enumerate() {
                let order = if down { n } else { chord.len() - n };
                for take in 0..takes {
                    // Strings are never perfectly in tune.
                    let hz = above(root, string + sour * rng.normal() as f32);
                    let late = if take == 0 { 0.0 } else { between(rng, 0.0, 0.025) };
                    let note = strings.note(hz, secs, muted, 0.0, rng);
                    bus.add(at + 0.006 * order as f32 + late, &note, level * 0.5);
                }
            }
        }
    }
    if distorted {
        bus.high_pass(between(rng, 70.0, 160.0)).drive(octaves(rng, 3.0, 40.0));
        bus.low_pass(between(rng, 2_800.0, 6_000.0), 0.9).low_pass(between(rng, 3_000.0, 7_000.0), 0.7);
    } else {
        bus.high_pass(between(rng, 60.0, 200.0));
    }
    if chance(rng, 0.4) {
        bus.hall(between(rng, 0.3, 1.5), between(rng, 0.05, 0.3), rng);
    }
    bus
}

/// Composes sung phrases from the notes of the scale.
fn singer(song: &Song, rng: &mut Rng) -> Bus {
    let mut bus = Bus::new(song.time.secs);
    let vibrato = between(rng, 0.0, 0.015);
    let voice = Voice::new(rng, vibrato);
    let octave = pick(rng, &[1.0, 2.0, 2.0]);
    let mut syllables = Vec::new();
    let dense = between(rng, 0.4, 0.9);
    let mut degree = rng.below(song.scale.len());
    for bar in 0..song.time.bars {
        if bar % 4 == 3 && chance(rng, 0.6) {
            continue; // A pause for breath.
        }
        let mut step = pick(rng, &[0, 0, 2, 4]);
        while step < 16 {
            let steps = pick(rng, &[1, 2, 2, 2, 3, 4, 6]);
            if chance(rng, dense) {
                let move_by = rng.below(5) as i32 - 2;
                degree = (degree as i32 + move_by).clamp(0, song.scale.len() as i32 - 1) as usize;
                let hz = above(song.root_hz * octave, song.scale[degree]);
                let scoop = if chance(rng, 0.4) { hz * between(rng, 0.93, 1.0) } else { hz };
                let secs = steps as f32 * song.time.step * between(rng, 0.7, 0.98);
                let at = song.time.at(bar, step, rng);
                syllables.push(Syllable { at, secs, hz: (scoop, hz), level: between(rng, 0.6, 1.0) });
            }
            step += steps;
        }
    }
    voice.render(&syllables, bus.samples(), rng);
    bus.hall(between(rng, 0.3, 2.0), between(rng, 0.05, 0.3), rng);
    bus
}

/// Composes a distorted guitar solo with vibrato.
fn solo(song: &Song, rng: &mut Rng) -> Bus {
    let mut bus = Bus::new(song.time.secs);
    let strings = Strings::guitar(rng);
    let mut degree = song.scale.len() / 2;
    for bar in 0..song.time.bars {
        let mut step = 0;
        while step < 16 {
            let steps = pick(rng, &[1, 2, 2, 4, 8]);
            degree = (degree as i32 + rng.below(5) as i32 - 2).clamp(0, song.scale.len() as i32 - 1) as usize;
            let hz = above(song.root_hz * 2.0, song.scale[degree]);
            let note = strings.note(hz, steps as f32 * song.time.step, false, 0.006, rng);
            bus.add(song.time.at(bar, step, rng), &note, 1.0);
            step += steps;
        }
    }
    bus.drive(octaves(rng, 2.0, 30.0)).low_pass(between(rng, 3_000.0, 6_000.0), 0.8);
    bus.echo(between(rng, 0.2, 0.5), 0.3, 0.2);
    bus
}

fn keys(song: &Song, rng: &mut Rng) -> Bus {
    let mut bus = Bus::new(song.time.secs);
    let patch = Patch::keys(rng);
    let every = pick(rng, &[4, 8, 8]);
    for bar in 0..song.time.bars {
        for step in (0..16).step_by(every) {
            for tone in [0.0, 4.0, 7.0] {
                let hz = above(song.root_hz * 2.0, song.chord(bar, step) + tone);
                let note = patch.note(hz, every as f32 * song.time.step * 0.9, rng);
                bus.add(song.time.at(bar, step, rng), &note, 0.5);
            }
        }
    }
    bus
}
