//! Adopts a grid once the evidence is significant or has held for some time, keeps it through breakdowns, and replaces
//! it only when a rival wins for several updates.

use super::super::features::{BeatGrid, TRUSTED_CONFIDENCE};
use super::super::onset::Onset;
use super::super::spectrum::Spectrum;
use super::backing::Backing;
use super::bar::Bar;
use super::comb::{Comb, Combs};
use super::drums::Accent;
use super::fusion::LAG;
use super::grid::{Count, Grid};
use super::manual::{Hint, ManualTempo, TapSeries, TempoRequest};
use crate::activation::Hypothesis;
use crate::units::{Seconds, Tempo, Unipolar};

/// Interval between updates, in hops (100 ms).
const UPDATE_HOPS: u64 = 10;
const UPDATE_SECS: f32 = 0.1;
/// Hops received before the first update.
const FIRST_UPDATE: u64 = 150;
/// Length of a hop, in seconds.
const HOP_SECS: f64 = 0.01;
/// Latency of accents, in seconds: onsets peak when they reach the middle of the window, and accents are then delayed
/// until their activations arrive.
const LATENCY_SECS: f64 = 0.032 + LAG as f64 * HOP_SECS;
/// `z` above which a grid is adopted, with a confidence of at least 0.5.
const ADOPT_Z: f32 = 4.4;
/// `z` above which a grid is adopted as an untrusted candidate; noise reaches it half of the time.
const CANDIDATE_Z: f32 = 1.8;
/// A grid holds if it is at least this many updates old, has led in more than this share of the recent ones, and
/// has a mean `z` above this. A candidate that holds is as significant as one that reaches [`ADOPT_Z`]: in a room,
/// in a crowd or through a muffled system, the beat may never reach that `z`, but it stays in place, whereas noise
/// peaks wander.
const HOLD_UPDATES: u32 = 50;
const HOLD_LEAD: f32 = 0.9;
const HOLD_Z: f32 = 2.2;
/// `z` above which a grid that the activations back holds as well.
const BACKED_Z: f32 = 1.0;
/// Minimum confidence in a grid that holds, and confidence in a tempo that was tapped: enough to be trusted, but less
/// than in a clear grid.
const HOLD_CONFIDENCE: f32 = 0.65;
/// Mean `z` at which a grid is trusted even if the network reports that no music with a beat is playing.
const CERTAIN_Z: f32 = 3.0;
/// Confidence in a grid that looks like texture, and in a weak one while the network reports no music with a beat.
const UNTRUSTED: f32 = 0.3;
/// Maximum confidence while it is unclear whether to count every beat or only every second one.
const DOUBTFUL_CONFIDENCE: f32 = 0.78;
/// Beat period, in hops, below which the octave also counts as unclear, unless the performer set it: in annotated
/// music, two of five grids above 165 BPM were wrong.
const FAST_PERIOD: f64 = 36.4;
/// `z` above which an adopted grid is followed, and the `z` of zero confidence.
const FOLLOW_Z: f32 = 3.4;
const ZERO_Z: f32 = 3.0;
/// Share of a weak grid's mean `z` that the evidence must exceed for the grid to be followed.
const FOLLOW_SHARE: f32 = 0.7;
/// Largest factor applied to the mean `z` of a lasting grid, and the number of updates after which it is
/// reached.
const STEADY: f32 = 1.3;
const STEADY_UPDATES: f32 = 60.0;
/// Factors by which a rival must beat the grid in score and in `z`, and the rival's minimum score as a share
/// of the grid's long-term score.
const RIVAL: f32 = 1.25;
const RIVAL_Z: f32 = 1.15;
const RIVAL_SHARE: f32 = 0.7;
/// Count at which a rival wins, against a settled grid and against a young or failing one: an update that the
/// rival wins adds one, any other subtracts two.
const RIVAL_UPDATES: u32 = 12;
const FAST_RIVAL_UPDATES: u32 = 3;
/// Count at which the faster grid is adopted: an update that finds beats between those of the grid adds one,
/// any other subtracts two. The added beats do not count until the octave evidence confirms them.
const FASTER_UPDATES: u32 = 6;
/// Updates until a grid counts as settled.
const SETTLED_UPDATES: u32 = 40;
/// Updates before the octave is evaluated.
const OCTAVE_UPDATES: u32 = 20;
/// Share of the usual onset strength below which the drums count as gone.
const GONE: f32 = 0.4;
/// Seconds without drums, and seconds of silence, after which a rival may replace the grid and its confidence starts
/// to decay.
const KEPT_SECS: f32 = 20.0;
const KEPT_SILENT_SECS: f32 = 4.0;
/// Decay of the confidence in a lost grid per update: from 1 to 0.5 in six seconds.
const CONFIDENCE_DECAY: f32 = 0.012;
/// High onset strength and mid attack below which a period shorter than `TEXTURE_PERIOD` hops is texture rather than a
/// beat, unless its `z` is at least `CLEAR_Z`. Both must be low: a beat through a muffled system has no highs, and a
/// bare kick has no attack.
const TEXTURE: f32 = 0.002;
const ATTACK: f32 = 0.75;
const TEXTURE_PERIOD: f64 = 75.0;
const CLEAR_Z: f32 = 6.5;
/// Mean low onset strength above which a grid that holds is not texture: kicks and bass lines reach it even
/// without highs; soft pads and pulses do not.
const KICKS: f32 = 0.035;
/// Initial estimate of the high onset strength.
const FIRST_HIGH: f32 = 0.006;

/// A beat tracker: finds the beat of the music and follows it.
pub struct Tracker {
    /// What the activations say about the grid, if the accents include them.
    backing: Option<Box<Backing>>,
    /// Whether the network reports that no music with a beat is playing.
    absent: bool,
    combs: Combs,
    hop: u64,
    best: Comb,
    grid: Option<Grid>,
    confidence: f32,
    rival_updates: u32,
    /// Number of updates that found beats between those of the grid, minus two for each that did not; at
    /// least 0.
    faster_updates: u32,
    /// Low and overall onset strength, averaged over about one second.
    recent: [f32; 2],
    /// Low and high onset strength, averaged over the last few seconds.
    low: f32,
    high: f32,
    /// Seconds of continuous silence.
    silent_secs: f32,
    /// Strongest mid onset of the last few seconds.
    attack: f32,
    bar: Bar,
    manual: ManualTempo,
    /// What the performer indicated last, while it outweighs other evidence.
    hint: Option<Hint>,
}

impl Tracker {
    /// Builds a tracker without a grid.
    pub fn new() -> Self {
        Self {
            backing: None,
            absent: false,
            combs: Combs::new(),
            hop: 0,
            best: Comb::default(),
            grid: None,
            confidence: 0.0,
            rival_updates: 0,
            faster_updates: 0,
            recent: [0.0; 2],
            low: 0.0,
            high: FIRST_HIGH,
            silent_secs: 0.0,
            attack: 0.0,
            bar: Bar::default(),
            manual: ManualTempo::default(),
            hint: None,
        }
    }

    /// Builds a tracker without a grid for accents that include activations.
    pub fn informed() -> Self {
        Self { backing: Some(Box::new(Backing::new())), ..Self::new() }
    }

    /// Processes the accent, the onsets and the spectrum of a hop; `sound` is false in silence.
    pub fn step(&mut self, accent: Accent, onset: Onset, spectrum: &Spectrum, sound: bool) {
        self.silent_secs = if sound { 0.0 } else { self.silent_secs + HOP_SECS as f32 };
        for (recent, now) in self.recent.iter_mut().zip([onset.low, onset.all()]) {
            *recent += (now - *recent) * 0.008;
        }
        self.low += (onset.low - self.low) * 0.003;
        self.high += (onset.high - self.high) * 0.003;
        self.attack = onset.mid.max(self.attack * 0.9985);
        self.combs.push(accent);
        if let Some(backing) = &mut self.backing {
            backing.step(accent.beat);
        }
        self.hop += 1;
        if let Some(grid) = &mut self.grid {
            grid.advance(self.hop as f64, Some(&accent));
            if sound {
                self.bar.step(grid.beats_at(self.hop as f64 - 1.0), &accent, spectrum);
            }
        }
        if self.hop.is_multiple_of(UPDATE_HOPS) && self.hop >= FIRST_UPDATE {
            self.update();
        }
    }

    /// Records whether the network reports that no music with a beat is playing. A grid then needs more evidence to be
    /// trusted.
    pub fn note_absence(&mut self, absent: bool) {
        self.absent = absent;
    }

    /// Applies a tempo request from the performer; `taps` are the earlier taps. Returns the beat that the performer
    /// indicated, if the other tracker is to follow it as well.
    pub fn apply(&mut self, request: TempoRequest, taps: &mut TapSeries) -> Option<Hint> {
        // Compensate for the detection latency.
        let now = self.hop as f64 - 1.0 + LATENCY_SECS / HOP_SECS;
        let (detected, downbeat) = (self.count(), self.bar.downbeat().0);
        let hint = self.manual.apply(request, taps, now, detected, downbeat);
        if request == TempoRequest::Set(None) {
            self.release();
        }
        let hint = hint?;
        if !self.manual.tempo_is_set() {
            self.follow_hint(hint);
            return Some(hint);
        }
        self.place(hint.anchor, hint.period, Grid::set);
        if hint.bar {
            self.start_bar(hint.anchor);
        }
        (self.hint, self.confidence) = (None, 1.0);
        None
    }

    /// Returns to automatic detection of tempo, beat and bar.
    pub fn release(&mut self) {
        self.manual = ManualTempo::default();
        self.hint = None;
        self.bar.release();
    }

    /// Corrects the grid by a beat that the performer indicated: moves it to the nearest beats that the accents support
    /// or, if there are none, exactly there. For the next beats, the hint then outweighs rivals.
    pub fn follow_hint(&mut self, hint: Hint) {
        self.combs.fold();
        self.best = self.combs.best();
        let near = self.near_hint(&hint, self.hop as f64 - 1.0);
        let (anchor, period) = near.unwrap_or((hint.anchor, hint.period));
        let same = self.grid.as_ref().is_some_and(|grid| grid.counts(anchor, period));
        self.place(anchor, period, Grid::correct);
        if hint.bar {
            self.start_bar(hint.anchor);
        } else {
            let before = if same { self.confidence } else { 0.0 };
            self.confidence = before.max(HOLD_CONFIDENCE);
        }
        self.hint = Some(hint);
        (self.rival_updates, self.faster_updates) = (0, 0);
    }

    /// Returns position and period, in hops, of the beats nearest to a hint that the accents support; `None` if there are
    /// none.
    fn near_hint(&self, hint: &Hint, now: f64) -> Option<(f64, f64)> {
        let errors = [hint.period_error as f32, hint.anchor_error as f32];
        let comb = self.combs.around(hint.period as f32, (now - hint.anchor) as f32, errors);
        let supported = comb.z > HOLD_Z.max(FOLLOW_SHARE * self.best.z);
        supported.then(|| (now - f64::from(comb.since), f64::from(comb.period)))
    }

    /// Moves the grid to a beat position and period, in hops, with `set`; adopts one there if there is none.
    fn place(&mut self, anchor: f64, period: f64, set: fn(&mut Grid, f64, f64)) {
        let grid = self.grid.get_or_insert_with(|| Grid::new(anchor, period, 0, [0.0; 2]));
        set(grid, anchor, period);
        grid.advance(self.hop as f64, None);
    }

    /// Starts a bar at the beat nearest to a position in hops.
    fn start_bar(&mut self, position: f64) {
        let number = self.grid.as_ref().map_or(0, |grid| grid.nearest(position));
        self.bar.start_at(number);
        self.manual.start_bar(number);
    }

    fn update(&mut self) {
        self.combs.fold();
        let best = self.combs.best();
        self.best = best;
        let now = self.hop as f64 - 1.0;
        if self.adopt_steady(now) {
            return;
        }
        if !self.grid.as_ref().is_some_and(|grid| grid.proven) {
            if best.z > ADOPT_Z {
                self.adopt(best, now, true);
                return;
            }
            if self.grid.is_none() {
                if best.z > CANDIDATE_Z {
                    self.adopt(best, now, false);
                }
                return;
            }
        }
        self.hint = self.hint.filter(|hint| now < hint.until);
        let hinted = self.hint.is_some();
        let indicated = self.hint.and_then(|hint| self.near_hint(&hint, now));
        let Some(grid) = &mut self.grid else { return };
        if let Some((anchor, period)) = indicated
            && !grid.counts(anchor, period)
        {
            grid.set(anchor, period);
            grid.advance(self.hop as f64, None);
        }
        grid.age += 1;
        let own = grid.evidence(&self.combs, now);
        let near = self.backing.as_mut().and_then(|backing| backing.update(grid.count(), now));
        let gone = (0..2).any(|n| self.recent[n] < GONE * grid.drums[n]);
        // Noise must not revive a grid whose music has ended.
        let ended = self.absent && !self.manual.tempo_is_set() && grid.coasting_secs >= KEPT_SECS;
        if own.z > FOLLOW_Z.min(FOLLOW_SHARE * grid.mean_z) && !gone && !ended {
            grid.follow(own, now, self.manual.tempo_is_set());
            for (drums, recent) in grid.drums.iter_mut().zip(self.recent) {
                *drums += (recent - *drums) * 0.03;
            }
        } else if let Some(near) = near
            && !gone
            && !ended
        {
            grid.follow_counted(near, own.score, now, self.manual.tempo_is_set());
        } else {
            grid.coasting_secs += UPDATE_SECS;
            grid.score *= 1.0 - UPDATE_SECS / 30.0;
        }
        if !gone {
            grid.mean_z += (own.z - grid.mean_z) / (grid.age as f32).min(STEADY_UPDATES);
            let leads = best.score <= own.score
                || grid.matches_up_to_octave(best, now)
                || grid.matches_in_triple_time(best, now);
            grid.lead += (f32::from(u8::from(leads)) - grid.lead) / (grid.age as f32).min(STEADY_UPDATES);
            if let Some(odds) = grid.metres() {
                self.bar.update_metre(&odds, |metre| grid.downbeat(metre));
            }
        }
        if self.manual.tempo_is_set() {
            return;
        }
        let free = !hinted && !self.manual.octave_is_set();
        if !gone && free && grid.age >= OCTAVE_UPDATES && grid.update_octave() {
            self.bar = Bar::default();
        }
        let lost = ended || gone && (grid.coasting_secs >= KEPT_SECS || self.silent_secs >= KEPT_SILENT_SECS);
        let backed = self.backing.as_ref().is_some_and(|backing| backing.backs()) && own.z > BACKED_Z;
        let holds = backed || grid.age >= HOLD_UPDATES && grid.lead > HOLD_LEAD && grid.mean_z > HOLD_Z;
        let doubtful = self.absent && grid.mean_z < CERTAIN_Z;
        if holds && !grid.proven && !gone && !doubtful {
            grid.proven = true;
            self.confidence = self.confidence.max(0.5);
        }
        let texture = self.high < TEXTURE
            && self.attack < ATTACK
            && grid.count().period < TEXTURE_PERIOD
            && own.z < CLEAR_Z
            && !(holds && self.low > KICKS);
        let bonus = 1.0 + (STEADY - 1.0) * (grid.age as f32 / STEADY_UPDATES).min(1.0);
        let z = if own.z > ZERO_Z { own.z.max(grid.mean_z * bonus) } else { own.z };
        let target = if lost || !grid.proven {
            0.0
        } else if gone {
            self.confidence
        } else if texture || doubtful {
            UNTRUSTED
        } else {
            let clear = ((z - ZERO_Z) / (2.0 * (ADOPT_Z - ZERO_Z))).clamp(0.0, 1.0);
            let sure = if holds { clear.max(HOLD_CONFIDENCE) } else { clear };
            let fast = grid.count().period < FAST_PERIOD && !self.manual.octave_is_set();
            let unclear = fast || self.backing.is_some() && grid.octave_is_doubtful();
            if unclear { sure.min(DOUBTFUL_CONFIDENCE) } else { sure }
        };
        let target = if hinted { target.max(self.confidence) } else { target };
        let pace = match target > self.confidence {
            true => 0.35,
            false if lost => CONFIDENCE_DECAY,
            false => 0.06,
        };
        self.confidence += (target - self.confidence) * pace;
        if hinted {
            return;
        }
        let young = grid.age < SETTLED_UPDATES;
        let stronger = (best.z > ADOPT_Z || !grid.proven)
            && best.score > RIVAL * own.score.max(1e-3)
            && (young || best.z > RIVAL_Z * own.z);
        let matches = grid.matches_up_to_octave(best, now);
        let rival =
            !matches && stronger && (young || best.score > RIVAL_SHARE * grid.score) && (!gone || lost);
        let count = |updates: u32, won: bool| if won { updates + 1 } else { updates.saturating_sub(2) };
        self.rival_updates = count(self.rival_updates, rival);
        let faster = matches && grid.is_slower_than(best) && best.z > FOLLOW_Z && best.score > own.score;
        self.faster_updates = count(self.faster_updates, faster);
        let needed = if young || own.z < FOLLOW_Z { FAST_RIVAL_UPDATES } else { RIVAL_UPDATES };
        if self.rival_updates >= needed {
            self.adopt(best, now, best.z > ADOPT_Z);
        } else if self.faster_updates >= FASTER_UPDATES {
            *grid = Grid::at_half_period(&best, now, grid);
            self.faster_updates = 0;
        } else if self.confidence < 0.08 && grid.proven {
            self.grid = None;
            self.bar.release(); // The next grid counts from 0.
        }
    }

    /// Adopts the beat that the activations have made probable for some time if there is no trusted grid; returns whether it
    /// did.
    fn adopt_steady(&mut self, now: f64) -> bool {
        let Some(backing) = &mut self.backing else { return false };
        let steady = backing.steady();
        let free = !self.manual.tempo_is_set() && self.hint.is_none() && !self.absent;
        if !free || self.confidence() >= TRUSTED_CONFIDENCE {
            return false;
        }
        let Some(Hypothesis { period, since, probability }) = steady else { return false };
        let anchor = now - f64::from(since);
        if self.grid.as_ref().is_some_and(|grid| grid.proven && grid.counts(anchor, f64::from(period))) {
            return false;
        }
        self.adopt(Comb { period, since, z: 0.0, score: 0.0 }, now, true);
        if let Some(backing) = &mut self.backing {
            backing.start(probability);
        }
        true
    }

    fn adopt(&mut self, comb: Comb, now: f64, proven: bool) {
        let number = self.grid.as_ref().map_or(0, |grid| grid.count().number + 1);
        if proven && !self.grid.as_ref().is_some_and(|grid| grid.proven) {
            self.confidence = self.confidence.max(0.5);
        }
        let mut grid = Grid::new(now - f64::from(comb.since), f64::from(comb.period), number, self.recent);
        grid.score = comb.score;
        grid.proven = proven;
        self.grid = Some(grid);
        self.bar = Bar::default();
        (self.rival_updates, self.faster_updates) = (0, 0);
    }

    /// Returns the confidence in the grid, 0 to 1.
    pub fn confidence(&self) -> f32 {
        self.grid.as_ref().map_or(0.0, |grid| if grid.proven { self.confidence } else { 0.0 })
    }

    /// Returns whether the activations back the grid.
    pub fn is_backed(&self) -> bool {
        self.backing.as_ref().is_some_and(|backing| backing.backs())
    }

    /// Returns the low onset strength, averaged over the last few seconds.
    pub fn low(&self) -> f32 {
        self.low
    }

    /// Returns whether the performer set the tempo or the octave, or has just indicated a beat.
    pub fn is_manual(&self) -> bool {
        self.manual.tempo_is_set() || self.manual.octave_is_set() || self.hint.is_some()
    }

    /// Returns the metre and the downbeat.
    pub fn bar(&self) -> &Bar {
        &self.bar
    }

    /// Returns the counted beats; `None` without a proven grid.
    pub fn count(&self) -> Option<Count> {
        self.grid.as_ref().filter(|grid| grid.proven).map(Grid::count)
    }

    /// Returns the current grid on the audio clock, with manual overrides applied, or the default if there is no
    /// proven grid.
    pub fn grid(&self) -> BeatGrid {
        let Some(grid) = self.grid.as_ref().filter(|grid| grid.proven) else { return BeatGrid::default() };
        let (downbeat, downbeat_confidence) = self.bar.downbeat();
        let (count, downbeat) = self.manual.scaled(grid.count(), downbeat);
        let beats_per_bar = self.bar.beats_per_bar();
        BeatGrid {
            anchor: Seconds((count.anchor + 1.0) * HOP_SECS - LATENCY_SECS),
            tempo: Tempo::new(60.0 / (count.period * HOP_SECS)),
            confidence: Unipolar::new(self.confidence),
            anchor_beat: count.number,
            downbeat: downbeat % u64::from(beats_per_bar),
            downbeat_confidence: Unipolar::new(downbeat_confidence * self.confidence),
            beats_per_bar,
            ..BeatGrid::default()
        }
    }
}
