//! Manual control of the beat: tapping, setting, halving and doubling the tempo, restarting the bar, and moving the
//! beats.

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
    /// Move the beats by this number of milliseconds; positive is later.
    Nudge(f32),
}

/// Longest gap between taps of one series, in hops of 10 ms.
const MAX_TAP_GAP: f64 = 200.0;
/// Maximum number of taps from which the tempo is computed.
const TAPS: usize = 8;

/// Standard deviation of a tap, in hops, and the number of taps as which it counts against the scatter of a series.
const TAP_ERROR: f64 = 2.5;
const TYPICAL_TAPS: f64 = 4.0;
/// Change of the interval, as a share, from which a tap belongs to a new tempo.
const NEW_TEMPO: f64 = 0.25;
/// Number of beats during which a series of taps, and the start of a bar, outweigh other evidence.
const TAPPED_BEATS: f64 = 16.0;
const BAR_BEATS: f64 = 32.0;

/// A beat and a tempo indicated by the performer, which correct the detected ones. All values are in hops.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hint {
    /// Position of a beat, and its standard deviation.
    pub anchor: f64,
    pub anchor_error: f64,
    /// Beat period, and its standard deviation.
    pub period: f64,
    pub period_error: f64,
    /// Position up to which the hint outweighs other evidence.
    pub until: f64,
    /// Whether the beat starts a bar; the tempo is then only that of the grid.
    pub bar: bool,
}

/// The current series of taps, which continues when another tracker takes the lead.
#[derive(Clone, Copy, Debug, Default)]
pub struct TapSeries {
    /// Times of the latest taps, in hops.
    taps: [f64; TAPS],
    count: usize,
}

impl TapSeries {
    /// Adds a tap at `now`, in hops, and returns the tapped beat; `None` for the first tap of a series.
    fn add(&mut self, now: f64) -> Option<Hint> {
        let gap = self.count.checked_sub(1).map(|last| now - self.taps[last]);
        if gap.is_some_and(|gap| gap > MAX_TAP_GAP) {
            self.count = 0;
        } else if let (Some(gap), Some(before)) = (gap, self.fit())
            && (gap / before.period - 1.0).abs() > NEW_TEMPO
        {
            // The series starts again with the previous tap.
            self.taps[0] = self.taps[self.count - 1];
            self.count = 1;
        } else if self.count == TAPS {
            self.taps.rotate_left(1);
            self.count -= 1;
        }
        self.taps[self.count] = now;
        self.count += 1;
        self.fit()
    }

    /// Fits equally spaced beats to the taps by least squares; `None` for fewer than two taps.
    fn fit(&self) -> Option<Hint> {
        let taps = &self.taps[..self.count];
        if taps.len() < 2 {
            return None;
        }
        let count = taps.len() as f64;
        let middle = (count - 1.0) / 2.0;
        let mean = taps.iter().sum::<f64>() / count;
        let placed = || taps.iter().enumerate().map(move |(n, tap)| (n as f64 - middle, tap - mean));
        let spread: f64 = placed().map(|(place, _)| place * place).sum();
        let slope = placed().map(|(place, tap)| place * tap).sum::<f64>() / spread;
        let scatter: f64 = placed().map(|(place, tap)| (tap - place * slope).powi(2)).sum();
        let variance = (TYPICAL_TAPS * TAP_ERROR.powi(2) + scatter) / (TYPICAL_TAPS + count - 2.0);
        let (anchor, period) = (mean + middle * slope, period_of(6000.0 / slope.max(1.0)));
        Some(Hint {
            anchor,
            anchor_error: (variance * (1.0 / count + middle * middle / spread)).sqrt(),
            period,
            period_error: (variance / spread).sqrt(),
            until: anchor + TAPPED_BEATS * period,
            bar: false,
        })
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
    /// downbeat. Returns the beat that the performer indicated, if any. Ignores a halving or doubling that would take the
    /// tempo outside the range from [`MIN_TEMPO`] to [`MAX_TEMPO`].
    pub fn apply(
        &mut self,
        request: TempoRequest,
        taps: &mut TapSeries,
        now: f64,
        grid: Option<Count>,
        downbeat: u64,
    ) -> Option<Hint> {
        let period = grid.map_or(6000.0 / Tempo::default().bpm(), |grid| grid.period);
        let exact =
            Hint { anchor: now, anchor_error: 0.0, period, period_error: 0.0, until: now, bar: false };
        match request {
            TempoRequest::Tap => {
                let tapped = taps.add(now)?;
                (self.tempo_set, self.octaves) = (false, 0);
                Some(tapped)
            }
            TempoRequest::Resync => {
                grid?; // Without a beat, no bar can start.
                let until = now + BAR_BEATS * period;
                Some(Hint { anchor_error: TAP_ERROR, until, bar: true, ..exact })
            }
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
                let anchor = grid.map_or(now, |grid| grid.anchor);
                Some(Hint { anchor, period: period_of(f64::from(bpm)), ..exact })
            }
            TempoRequest::Nudge(_) => None, // Moves the result, not the grid of a tracker.
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

/// Returns the beat period of a tempo, clamped to the tempo limits, in hops.
fn period_of(bpm: f64) -> f64 {
    6000.0 / Tempo::new(bpm).bpm()
}

/// Returns whether the tempo of a period (in hops) stays within its limits when doubled `octaves` times, or halved if
/// `octaves` is negative.
fn in_range(period: f64, octaves: i32) -> bool {
    (MIN_TEMPO..=MAX_TEMPO).contains(&(6000.0 / period * f64::from(octaves).exp2()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tapped(taps: &[f64]) -> Option<Hint> {
        let mut series = TapSeries::default();
        taps.iter().map(|&tap| series.add(tap)).last().flatten()
    }

    #[test]
    fn more_taps_give_a_more_certain_tempo() {
        assert_eq!(tapped(&[100.0]), None);
        let two = tapped(&[100.0, 150.0]).expect("a tempo");
        assert_eq!((two.anchor, two.period), (150.0, 50.0));
        assert!((two.anchor_error - TAP_ERROR).abs() < 1e-9, "{two:?}");
        assert!((two.period_error - TAP_ERROR * 2.0_f64.sqrt()).abs() < 1e-9, "{two:?}");
        let eight = tapped(&[100.0, 152.0, 198.0, 251.0, 300.0, 349.0, 401.0, 450.0]).expect("a tempo");
        assert!((eight.period - 50.0).abs() < 0.2 && eight.period_error < 0.5, "{eight:?}");
        assert!((eight.anchor - 450.0).abs() < 1.5 && eight.anchor_error < 1.7, "{eight:?}");
    }

    #[test]
    fn another_tempo_or_a_pause_starts_a_new_series() {
        let faster = tapped(&[100.0, 150.0, 200.0, 235.0]).expect("a tempo");
        assert!((faster.anchor - 235.0).abs() < 1e-9 && (faster.period - 35.0).abs() < 1e-9, "{faster:?}");
        assert_eq!(tapped(&[100.0, 150.0, 400.0]), None);
    }
}
