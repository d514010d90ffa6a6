//! The performer's word over the beat: tapping, setting, halving and doubling the tempo, and where the bar begins.

use crate::units::Tempo;

/// What the performer asks of the beat.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TempoWish {
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
}

impl Hand {
    /// Whether the performer set the tempo.
    pub fn holds(&self) -> bool {
        self.held
    }

    /// Takes a wish at `now`, given the anchor and period of the grid, all in hops; returns the new ones.
    pub fn obey(&mut self, wish: TempoWish, now: f64, grid: Option<(f64, f64)>) -> Option<(f64, f64)> {
        let default = 60.0 / Tempo::default().bpm() * 100.0;
        match wish {
            TempoWish::Tap => self.tap(now, grid.map_or(default, |(_, period)| period)),
            TempoWish::Resync => Some((now, grid.map_or(default, |(_, period)| period))),
            TempoWish::Half | TempoWish::Double => {
                self.octaves = (self.octaves + if wish == TempoWish::Double { 1 } else { -1 }).clamp(-2, 2);
                None
            }
            TempoWish::Set(None) => {
                *self = Self::default();
                None
            }
            TempoWish::Set(Some(bpm)) => {
                *self = Self { held: true, ..Self::default() };
                let period = 6000.0 / Tempo::new(f64::from(bpm)).bpm();
                Some((grid.map_or(now, |(anchor, _)| anchor), period))
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

    /// Anchor, period and number of the grid as the performer counts it.
    pub fn scaled(&self, anchor: f64, period: f64, number: u64) -> (f64, f64, u64) {
        let (mut anchor, mut period, mut number) = (anchor, period, number);
        for _ in 0..self.octaves.unsigned_abs() {
            if self.octaves > 0 {
                (period, number) = (period / 2.0, number * 2);
            } else {
                anchor -= (number % 2) as f64 * period;
                (period, number) = (period * 2.0, number / 2);
            }
        }
        (anchor, period, number)
    }
}
