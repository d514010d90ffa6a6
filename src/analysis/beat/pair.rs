//! Runs two trackers, one on the drums alone and one that also follows the network, and decides which one leads.
//!
//! The plain tracker, on the drums alone, is precise on clear music and rarely finds a beat where there is none. The
//! informed tracker, which also follows the network, finds the beat in unfamiliar music, rooms and crowds. It leads
//! only if it is confident, the network's beats lie on its grid and there are kicks or bass lines. While the plain
//! tracker has a different grid that is trusted, the network must also support the informed grid more.
//!
//! While both have the same grid, the plain tracker places the bars on it, because the drums show where a bar starts
//! better than the network does.

use super::super::features::{BeatGrid, TRUSTED_CONFIDENCE};
use super::super::onset::Onset;
use super::super::spectrum::Spectrum;
use super::drums::Accent;
use super::fusion::Fusion;
use super::grid::Count;
use super::manual::{TapSeries, TempoRequest};
use super::support::{ActivationHistory, Support};
use super::tracker::Tracker;
use crate::activation::Activation;
use crate::units::{Seconds, Unipolar};

/// Interval of the decisions, in hops.
const UPDATE_HOPS: u64 = 10;
/// Length of a hop, in seconds.
const HOP_SECS: f64 = 0.01;
/// Consecutive decisions for the other tracker after which it takes the lead from a trusted one.
const SWITCH_UPDATES: u32 = 5;
/// Support that the informed grid must exceed to lead.
const SUPPORTED: Support = Support { level: 0.3, z: 3.0 };
/// Hysteresis of the support level when the tempi of a trusted plain grid and of the informed one are multiples of each
/// other.
const MULTIPLE_LEAD: f32 = 0.1;
/// Presence below which there is no music with a beat.
const PRESENT: f32 = 0.5;
/// Probability of a scene with a beat that the informed tracker needs to lead: the network finds a beat in weather and
/// crackling fires too.
const RHYTHMIC: f32 = 0.3;
/// Maximum distance by which the performer can move the beats, in seconds.
const MAX_NUDGE_SECS: f64 = 0.25;
/// Mean low onset strength of kicks and bass lines; pads stay below.
const KICKS: f32 = 0.04;

/// How two grids relate.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Relation {
    Same,
    /// One counts two or three times as many beats as the other.
    Multiple,
    Different,
}

fn relation(a: Count, b: Count) -> Relation {
    let ratio = b.period / a.period;
    let away = (b.anchor - a.anchor) / a.period.min(b.period);
    let near = |octave: f64| (ratio / octave - 1.0).abs() < 0.03 && (away - away.round()).abs() < 0.15;
    if near(1.0) {
        Relation::Same
    } else if [2.0, 0.5, 3.0, 1.0 / 3.0].into_iter().any(near) {
        Relation::Multiple
    } else {
        Relation::Different
    }
}

/// The two trackers, and the choice of the one that leads.
pub struct TrackerPair {
    plain: Tracker,
    informed: Tracker,
    fusion: Fusion,
    history: ActivationHistory,
    taps: TapSeries,
    hop: u64,
    /// Probability of a scene with a beat.
    rhythmic: f32,
    /// Whether the informed tracker leads.
    informed_leads: bool,
    /// Number of consecutive decisions in favour of the other tracker.
    changes: u32,
    /// Beat number of the result minus that of the leading tracker.
    offset: i64,
    /// How much later the beats of the result fall than those of the leading tracker, in seconds.
    nudge_secs: f64,
}

impl TrackerPair {
    /// Builds trackers without a grid.
    pub fn new() -> Self {
        Self {
            plain: Tracker::new(),
            informed: Tracker::informed(),
            fusion: Fusion::new(),
            history: ActivationHistory::new(),
            taps: TapSeries::default(),
            hop: 0,
            rhythmic: 0.0,
            informed_leads: false,
            changes: 0,
            offset: 0,
            nudge_secs: 0.0,
        }
    }

    /// Records the probability of a scene with a beat, 0 to 1.
    pub fn note_rhythmic(&mut self, probability: f32) {
        self.rhythmic = probability;
    }

    /// Processes the accent, the activation, the onsets and the spectrum of a hop; `sound` is false in silence.
    pub fn step(
        &mut self,
        accent: Accent,
        activation: Activation,
        onset: Onset,
        spectrum: &Spectrum,
        sound: bool,
    ) {
        let (plain, informed) = self.fusion.step(accent, activation);
        self.plain.step(plain, onset, spectrum, sound);
        self.informed.step(informed, onset, spectrum, sound);
        self.history.push(activation.beat, activation.presence);
        self.hop += 1;
        if self.hop.is_multiple_of(UPDATE_HOPS) {
            self.update();
        }
    }

    /// Applies a tempo request from the performer. A beat that the performer indicates corrects both trackers. The
    /// leading tracker keeps the lead while a tempo or an octave is set, and for the first beats after the performer
    /// indicated one.
    pub fn apply(&mut self, request: TempoRequest) {
        let (leader, other) = match self.informed_leads {
            true => (&mut self.informed, &mut self.plain),
            false => (&mut self.plain, &mut self.informed),
        };
        match request {
            TempoRequest::Nudge(milliseconds) => {
                let secs = self.nudge_secs + f64::from(milliseconds) / 1000.0;
                self.nudge_secs = secs.clamp(-MAX_NUDGE_SECS, MAX_NUDGE_SECS);
                return;
            }
            // A newly indicated beat is not moved.
            TempoRequest::Tap | TempoRequest::Resync | TempoRequest::Set(None) => self.nudge_secs = 0.0,
            TempoRequest::Half | TempoRequest::Double | TempoRequest::Set(Some(_)) => {}
        }
        if let Some(hint) = leader.apply(request, &mut self.taps) {
            other.follow_hint(hint);
        }
        if request == TempoRequest::Set(None) {
            other.release();
        }
    }

    fn leader(&self) -> &Tracker {
        if self.informed_leads { &self.informed } else { &self.plain }
    }

    /// Returns how the grids of the two trackers relate; `None` unless both have one.
    fn relation(&self) -> Option<Relation> {
        self.informed.count().zip(self.plain.count()).map(|(a, b)| relation(a, b))
    }

    /// Returns the tracker that places the bars: the plain one while both have the same grid and metre, and the informed
    /// one if only the metres differ, because only the network may recognise a metre.
    fn bar_leader(&self) -> &Tracker {
        let leader = self.leader();
        if leader.is_manual() || leader.bar().is_set() || self.relation() != Some(Relation::Same) {
            leader
        } else if self.plain.bar().beats_per_bar() == self.informed.bar().beats_per_bar() {
            &self.plain
        } else {
            &self.informed
        }
    }

    fn update(&mut self) {
        let absent = self.history.presence() < PRESENT;
        self.plain.note_absence(absent);
        self.informed.note_absence(absent);
        if self.leader().count().is_none() {
            self.offset = 0; // The next grid counts from 0.
        }
        if self.leader().is_manual() {
            self.changes = 0;
            return;
        }
        self.history.update();
        let plain_trusted = self.plain.confidence() >= TRUSTED_CONFIDENCE;
        let support = |tracker: &Tracker| tracker.count().map(|count| self.history.support(count));
        let (own, other) =
            (support(&self.informed).unwrap_or_default(), support(&self.plain).unwrap_or_default());
        let regular = own.z > SUPPORTED.z && own.level > SUPPORTED.level && self.informed.low() > KICKS;
        let supported = (regular || self.informed.is_backed() && !plain_trusted)
            && !absent
            && self.rhythmic > RHYTHMIC
            && self.informed.confidence() >= TRUSTED_CONFIDENCE;
        let better = match self.relation() {
            Some(Relation::Multiple) if plain_trusted => {
                let lead = if self.informed_leads { -MULTIPLE_LEAD } else { MULTIPLE_LEAD };
                own.z > other.z && own.level > other.level + lead
            }
            Some(Relation::Different) if plain_trusted => own.z > other.z,
            _ => true,
        };
        let change = (supported && better) != self.informed_leads;
        self.changes = if change { self.changes + 1 } else { 0 };
        // A leader that is not trusted is replaced immediately.
        let trusted = if self.informed_leads { supported } else { plain_trusted };
        if self.changes >= if trusted { SWITCH_UPDATES } else { 1 } {
            self.change();
        }
    }

    fn now(&self) -> Seconds {
        Seconds(self.hop as f64 * HOP_SECS)
    }

    /// Makes the other tracker lead; the beat numbers continue.
    fn change(&mut self) {
        let now = self.now();
        let before = self.grid().beats_at(now + Seconds(self.nudge_secs)); // As if there were no nudge.
        self.informed_leads = !self.informed_leads;
        self.changes = 0;
        self.offset = (before - self.leader().grid().beats_at(now)).round() as i64;
    }

    /// Returns the current grid on the audio clock, with manual overrides applied.
    pub fn grid(&self) -> BeatGrid {
        let mut grid = self.leader().grid();
        let bar_leader = self.bar_leader();
        let bars = bar_leader.grid();
        let ahead = grid.anchor_beat as i64 - bars.beats_at(grid.anchor).round() as i64 + self.offset;
        grid.beats_per_bar = bars.beats_per_bar;
        grid.downbeat = (bars.downbeat as i64 + ahead).rem_euclid(i64::from(bars.beats_per_bar)) as u64;
        grid.downbeat_confidence = Unipolar::new(bar_leader.bar().downbeat().1 * grid.confidence.get());
        grid.anchor = grid.anchor + Seconds(self.nudge_secs);
        grid.anchor_beat = grid.anchor_beat.saturating_add_signed(self.offset);
        grid
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Rng;

    /// Period of the beats, in hops.
    const BEAT: usize = 50;

    /// Runs `pair` for `hops` hops of random accents, with drums of strength `drums` on the beats, activations just
    /// after them and a constant low onset strength `low`.
    fn run(pair: &mut TrackerPair, rng: &mut Rng, hops: usize, drums: f32, low: f32) {
        pair.note_rhythmic(1.0);
        for hop in 0..hops {
            let beat = if hop % BEAT == 0 { drums } else { 0.0 };
            let accent = Accent { all: 0.3 * rng.unit_f32() + beat, low: beat, ..Accent::default() };
            let activation = Activation {
                beat: if (1..4).contains(&(hop % BEAT)) { 0.8 } else { 0.02 },
                downbeat: 0.0,
                presence: 1.0,
            };
            pair.step(accent, activation, Onset { low, mid: 1.0, high: 0.1 }, &Spectrum::default(), true);
        }
    }

    /// Runs `pair` for `hops` hops of random accents with activations of this strength on the beats.
    fn run_without_drums(pair: &mut TrackerPair, rng: &mut Rng, hops: usize, strength: f32) {
        for hop in 0..hops {
            let near = (1..4).contains(&(hop % BEAT));
            let beat = if near { strength } else { 0.15 * rng.unit_f32() };
            let accent = Accent { all: 0.5 * rng.unit_f32(), ..Accent::default() };
            let activation = Activation { beat, downbeat: 0.0, presence: 1.0 };
            pair.step(
                accent,
                activation,
                Onset { low: 0.01, mid: 1.0, high: 0.1 },
                &Spectrum::default(),
                true,
            );
        }
    }

    #[test]
    fn the_network_leads_where_the_drums_show_no_beat_and_the_scene_has_one() {
        for (rhythmic, leads) in [(0.9, true), (0.1, false)] {
            let (mut pair, mut rng) = (TrackerPair::new(), Rng::new(3));
            pair.note_rhythmic(rhythmic);
            run_without_drums(&mut pair, &mut rng, 40 * BEAT, 0.8);
            let grid = pair.grid();
            assert_eq!((pair.informed_leads, grid.trusted()), (leads, leads), "{rhythmic}: {grid:?}");
            assert!(!leads || (grid.tempo.bpm() - 120.0).abs() < 1.0, "{grid:?}");
        }
    }

    #[test]
    fn weak_activations_suffice_where_they_are_regular() {
        let (mut pair, mut rng) = (TrackerPair::new(), Rng::new(4));
        pair.note_rhythmic(0.9);
        run_without_drums(&mut pair, &mut rng, 60 * BEAT, 0.27);
        let grid = pair.grid();
        assert!(pair.informed_leads && grid.trusted(), "{grid:?}");
        let away = grid.beats_at(pair.now());
        // The last activations peaked 48 hops before the end; they lag 52 ms behind the beat.
        let beat = away - (0.48 + 0.052) / 0.5;
        assert!(
            (grid.tempo.bpm() - 120.0).abs() < 1.5 && (beat - beat.round()).abs() < 0.1,
            "{beat} {grid:?}"
        );
    }

    #[test]
    fn beat_numbers_continue_when_the_leader_changes() {
        let (mut pair, mut rng) = (TrackerPair::new(), Rng::new(3));
        run(&mut pair, &mut rng, 30 * BEAT, 1.0, 0.1);
        assert!(pair.informed_leads);
        let last = |pair: &TrackerPair| pair.grid().beats_at(pair.now());
        let (mut beats, mut changed) = (last(&pair), false);
        for _ in 0..40 {
            run(&mut pair, &mut rng, BEAT, 1.0, 0.0);
            let now = last(&pair);
            assert!((now - beats - 1.0).abs() < 0.1, "{beats} {now}");
            beats = now;
            changed |= !pair.informed_leads;
        }
        assert!(changed);
    }

    #[test]
    fn the_drums_place_the_bars_while_the_grids_agree() {
        for late in 0..4 {
            let (mut pair, mut rng) = (TrackerPair::new(), Rng::new(3));
            pair.note_rhythmic(1.0);
            for hop in 0..60 * BEAT {
                let (beat, on) = (hop / BEAT % 4, hop % BEAT == 0);
                let [low, sharp] = match beat {
                    _ if !on => [0.0; 2],
                    0 => [1.0, 0.0],
                    2 => [0.7, 0.0],
                    _ => [0.2, 0.7],
                };
                let all = 0.3 * rng.unit_f32() + low + sharp;
                let accent = Accent { all, low, mid: sharp, high: sharp, sharp, ..Accent::default() };
                let near = (1..4).contains(&(hop % BEAT));
                let downbeat = if near && beat == late { 0.8 } else { 0.02 };
                let activation = Activation { beat: if near { 0.8 } else { 0.02 }, downbeat, presence: 1.0 };
                let onset = Onset { low: 0.1, mid: 1.0, high: 0.1 };
                pair.step(accent, activation, onset, &Spectrum::default(), true);
            }
            let of_bar = |grid: BeatGrid| grid.beat_of_bar(grid.beats_at(pair.now()).round() as i64);
            assert!(pair.informed_leads && pair.relation() == Some(Relation::Same));
            assert_eq!(of_bar(pair.grid()), of_bar(pair.plain.grid()), "activations on beat {late}");
        }
    }

    #[test]
    fn a_series_of_taps_continues_when_the_leader_changes() {
        let (mut pair, mut rng) = (TrackerPair::new(), Rng::new(3));
        run(&mut pair, &mut rng, 30 * BEAT, 1.0, 0.1);
        pair.apply(TempoRequest::Tap);
        run(&mut pair, &mut rng, 60, 1.0, 0.1);
        pair.change();
        pair.apply(TempoRequest::Tap);
        let grid = pair.grid();
        assert!((grid.tempo.bpm() - 100.0).abs() < 0.1 && grid.trusted(), "{grid:?}");
    }

    #[test]
    fn the_network_may_lead_again_after_a_downbeat_and_the_bar_stays() {
        for detect in [false, true] {
            let (mut pair, mut rng) = (TrackerPair::new(), Rng::new(3));
            run(&mut pair, &mut rng, 30 * BEAT, 1.0, 0.0);
            assert!(!pair.informed_leads);
            pair.apply(TempoRequest::Resync);
            let started = pair.now();
            if detect {
                pair.apply(TempoRequest::Set(None));
            }
            run(&mut pair, &mut rng, 16 * BEAT, 1.0, 0.1);
            assert_eq!(pair.informed_leads, detect, "four bars after the downbeat");
            run(&mut pair, &mut rng, 30 * BEAT, 1.0, 0.1);
            assert!(pair.informed_leads);
            let grid = pair.grid();
            let bars = (grid.beats_at(started).round() - grid.downbeat as f64) / 4.0;
            assert!(detect || bars == bars.round(), "{bars} bars; {grid:?}");
        }
    }

    #[test]
    fn a_nudge_moves_the_beats_until_the_next_request_for_one() {
        let (mut pair, mut rng) = (TrackerPair::new(), Rng::new(3));
        run(&mut pair, &mut rng, 30 * BEAT, 1.0, 0.1);
        let anchor = |pair: &TrackerPair| pair.grid().anchor.0;
        let before = anchor(&pair);
        pair.apply(TempoRequest::Nudge(-10.0));
        pair.apply(TempoRequest::Nudge(30.0));
        assert!((anchor(&pair) - before - 0.02).abs() < 1e-9);
        pair.change();
        assert!((anchor(&pair) - pair.leader().grid().anchor.0 - 0.02).abs() < 1e-9, "for both trackers");
        pair.apply(TempoRequest::Nudge(1_000.0));
        assert!((anchor(&pair) - pair.leader().grid().anchor.0 - MAX_NUDGE_SECS).abs() < 1e-9);
        let beats = |pair: &TrackerPair| pair.grid().beats_at(pair.now());
        let before = beats(&pair);
        pair.change();
        assert!((beats(&pair) - before).abs() < 0.3, "the beat numbers continue");
        pair.apply(TempoRequest::Set(None));
        assert_eq!(anchor(&pair), pair.leader().grid().anchor.0);
    }

    #[test]
    fn grids_are_compared_up_to_double_and_triple_time() {
        let count = |anchor, period| Count { anchor, period, number: 0 };
        let of = |anchor, period| relation(count(1_000.0, 50.0), count(anchor, period));
        assert_eq!(of(1_104.0, 50.5), Relation::Same);
        assert_eq!(of(1_050.0, 100.0), Relation::Multiple);
        assert_eq!(of(975.0, 25.0), Relation::Multiple);
        assert_eq!(of(1_050.0, 150.0), Relation::Multiple);
        assert_eq!(of(1_025.0, 50.0), Relation::Different);
        assert_eq!(of(1_000.0, 75.0), Relation::Different);
    }
}
