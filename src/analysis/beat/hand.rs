//! The performer's word over the beat: tapping, setting, halving and doubling the tempo, and where the bar begins.

use super::grid::Count;
use crate::units::{MAX_TEMPO, MIN_TEMPO, Tempo};

/// What the performer asks of the beat.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TempoRequest {
    /// A beat falls now.
    Tap,
    /// The bar begins now.
    Resync,
    /// Half the tempo.
    Half,
    /// Twice the tempo.
    Double,
    /// This tempo in BPM, or the heard one again.
    Set(Option<f32>),
}

/// Taps further apart than this begin anew, in hops of 10 ms.
const LONGEST_TAP: f64 = 200.0;
/// Taps kept.
const TAPS: usize = 8;

/// What was asked for so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hand {
    taps: [f64; TAPS],
    count: usize,
    held: bool,
    /// Octaves by which the count was doubled (above 0) or halved (below).
    octaves: i32,
    /// Number of a beat that is also one of the halved count.
    whole: u64,
}

impl Hand {
    /// Whether the performer set the tempo.
    pub fn holds(&self) -> bool {
        self.held
    }

    /// Whether the performer chose the octave; then nobody else does.
    pub fn counts(&self) -> bool {
        self.octaves != 0
    }

    /// The bar was begun with beat `number` of the heard count.
    pub fn begin(&mut self, number: u64) {
        self.whole = number;
    }

    /// Takes a wish at `now`, in hops, given the grid as it is heard and a beat that begins its bar; returns anchor
    /// and period of the new grid. An octave that would leave the tempi the house counts is refused.
    pub fn obey(
        &mut self,
        wish: TempoRequest,
        now: f64,
        grid: Option<Count>,
        downbeat: u64,
    ) -> Option<(f64, f64)> {
        let period = grid.map_or(6000.0 / Tempo::default().bpm(), |grid| grid.period);
        match wish {
            TempoRequest::Tap => self.tap(now, period),
            TempoRequest::Resync => Some((now, period)),
            TempoRequest::Half | TempoRequest::Double => {
                let octaves = self.octaves + if wish == TempoRequest::Double { 1 } else { -1 };
                if countable(period, octaves) {
                    if self.octaves == 0 {
                        self.whole = downbeat;
                    }
                    self.octaves = octaves;
                }
                None
            }
            TempoRequest::Set(None) => {
                *self = Self::default();
                None
            }
            TempoRequest::Set(Some(bpm)) => {
                *self = Self { held: true, ..Self::default() };
                let period = 6000.0 / Tempo::new(f64::from(bpm)).bpm();
                Some((grid.map_or(now, |grid| grid.anchor), period))
            }
        }
    }

    fn tap(&mut self, now: f64, period: f64) -> Option<(f64, f64)> {
        if self.count > 0 && now - self.taps[self.count - 1] > LONGEST_TAP {
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
        self.held = true;
        let tapped = (now - self.taps[0]) / (self.count - 1) as f64;
        let tapped = 6000.0 / Tempo::new(6000.0 / tapped.max(1.0)).bpm();
        // A change of tempo in the middle of tapping begins anew.
        if self.count > 2 && (tapped / period - 1.0).abs() > 0.2 {
            self.taps[0] = now;
            self.count = 1;
        }
        self.octaves = 0;
        Some((now, tapped))
    }

    /// The grid and the number of its downbeat modulo four, as the performer counts them.
    pub fn scaled(&self, heard: Count, downbeat: u64) -> (Count, u64) {
        let Count { anchor, period, number } = heard;
        if self.octaves >= 0 || !countable(period, self.octaves) {
            // A tempo that went up since may leave room for less.
            let octaves =
                (0..=self.octaves.max(0)).rev().find(|&octaves| countable(period, octaves)).unwrap_or(0);
            let times = 1 << octaves;
            let count = Count { anchor, period: period / times as f64, number: number * times };
            return (count, downbeat * times % 4);
        }
        let every = 1 << -self.octaves;
        // Added to a number, it makes that of a beat of the halved count divisible.
        let shift = (every - self.whole % every) % every;
        let back = (number + shift) % every;
        let count = Count {
            anchor: anchor - back as f64 * period,
            period: period * every as f64,
            number: (number + shift) / every,
        };
        (count, (downbeat + shift) / every % 4)
    }
}

/// Whether the house counts this period, in hops, after so many doublings.
fn countable(period: f64, octaves: i32) -> bool {
    (MIN_TEMPO..=MAX_TEMPO).contains(&(6000.0 / period * f64::from(octaves).exp2()))
}
