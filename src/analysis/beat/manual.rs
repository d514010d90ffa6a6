//! Manual control of the beat: tapping, setting, halving and doubling the tempo, and restarting the bar.

use super::grid::Count;
use crate::units::{MAX_TEMPO, MIN_TEMPO, Tempo};

/// A manual change of the tempo or the beat.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TempoRequest {
    /// Mark a beat now.
    Tap,
    /// Start a bar now.
    Resync,
    /// Halve the tempo.
    Half,
    /// Double the tempo.
    Double,
    /// Set the tempo in BPM, or return to the detected one with `None`.
    Set(Option<f32>),
}

/// Longest gap between taps of one series, in hops of 10 ms.
const MAX_TAP_GAP: f64 = 200.0;
/// Maximum number of taps from which the tempo is computed.
const TAPS: usize = 8;

/// The current series of taps, which continues when another tracker takes the lead.
#[derive(Clone, Copy, Debug, Default)]
pub struct TapSeries {
    /// Times of the latest taps, in hops.
    taps: [f64; TAPS],
    count: usize,
}

impl TapSeries {
    /// Adds a tap at `now` and returns the tapped period; `None` for the first tap of a series. `period` is that of the
    /// grid. All times are in hops.
    fn add(&mut self, now: f64, period: f64) -> Option<f64> {
        if self.count > 0 && now - self.taps[self.count - 1] > MAX_TAP_GAP {
            self.count = 0;
        }
        if self.count == TAPS {
            self.taps.rotate_left(1);
            self.count -= 1;
        }
        self.taps[self.count] = now;
        self.count += 1;
        if self.count < 2 {
            return None;
        }
        let tapped = (now - self.taps[0]) / (self.count - 1) as f64;
        let tapped = 6000.0 / Tempo::new(6000.0 / tapped.max(1.0)).bpm();
        // A tempo change in the middle of a series starts a new one.
        if self.count > 2 && (tapped / period - 1.0).abs() > 0.2 {
            self.taps[0] = now;
            self.count = 1;
        }
        Some(tapped)
    }
}

/// Manual overrides in effect.
#[derive(Clone, Copy, Debug, Default)]
pub struct ManualTempo {
    tempo_set: bool,
    /// Number of times the tempo is doubled (positive) or halved (negative).
    octaves: i32,
    /// Number of a detected beat that remains a beat when the tempo is halved.
    aligned_beat: u64,
}

impl ManualTempo {
    /// Returns whether the performer set the tempo.
    pub fn tempo_is_set(&self) -> bool {
        self.tempo_set
    }

    /// Returns whether the performer chose the octave, which disables automatic octave detection.
    pub fn octave_is_set(&self) -> bool {
        self.octaves != 0
    }

    /// Records that the bar starts with beat `number` of the detected count.
    pub fn start_bar(&mut self, number: u64) {
        self.aligned_beat = number;
    }

    /// Applies a request at `now` (in hops), given the earlier `taps`, the detected grid and the number of a
    /// downbeat. Returns the new anchor and period, in hops, if the request moves the grid. Ignores a halving or
    /// doubling that would take the tempo outside the range from [`MIN_TEMPO`] to [`MAX_TEMPO`].
    pub fn apply(
        &mut self,
        request: TempoRequest,
        taps: &mut TapSeries,
        now: f64,
        grid: Option<Count>,
        downbeat: u64,
    ) -> Option<(f64, f64)> {
        let period = grid.map_or(6000.0 / Tempo::default().bpm(), |grid| grid.period);
        match request {
            TempoRequest::Tap => {
                let tapped = taps.add(now, period)?;
                (self.tempo_set, self.octaves) = (true, 0);
                Some((now, tapped))
            }
            TempoRequest::Resync => Some((now, period)),
            TempoRequest::Half | TempoRequest::Double => {
                let octaves = self.octaves + if request == TempoRequest::Double { 1 } else { -1 };
                if in_range(period, octaves) {
                    if self.octaves == 0 {
                        self.aligned_beat = downbeat;
                    }
                    self.octaves = octaves;
                }
                None
            }
            TempoRequest::Set(None) => {
                *self = Self::default();
                *taps = TapSeries::default();
                None
            }
            TempoRequest::Set(Some(bpm)) => {
                *self = Self { tempo_set: true, ..Self::default() };
                *taps = TapSeries::default();
                let period = 6000.0 / Tempo::new(f64::from(bpm)).bpm();
                Some((grid.map_or(now, |grid| grid.anchor), period))
            }
        }
    }

    /// Returns the grid and the number of a downbeat, with the octave override applied.
    pub fn scaled(&self, detected: Count, downbeat: u64) -> (Count, u64) {
        let Count { anchor, period, number } = detected;
        if self.octaves >= 0 || !in_range(period, self.octaves) {
            // The detected tempo may have changed since; fewer octaves may then be in range.
            let octaves =
                (0..=self.octaves.max(0)).rev().find(|&octaves| in_range(period, octaves)).unwrap_or(0);
            let times = 1 << octaves;
            let count = Count { anchor, period: period / times as f64, number: number * times };
            return (count, downbeat * times);
        }
        let every = 1 << -self.octaves;
        // Offset that makes the numbers of the beats in the halved count divisible by `every`.
        let shift = (every - self.aligned_beat % every) % every;
        let back = (number + shift) % every;
        let count = Count {
            anchor: anchor - back as f64 * period,
            period: period * every as f64,
            number: (number + shift) / every,
        };
        (count, (downbeat + shift) / every)
    }
}

/// Returns whether the tempo of a period (in hops) stays within its limits when doubled `octaves` times, or halved if
/// `octaves` is negative.
fn in_range(period: f64, octaves: i32) -> bool {
    (MIN_TEMPO..=MAX_TEMPO).contains(&(6000.0 / period * f64::from(octaves).exp2()))
}
