//! Detects presets whose picture is black, white or still while they are on air.
//!
//! The watch is inactive during silence, blackout and freeze, when the picture does not depend on the preset alone. It
//! is also inactive during a hold, while Auto is off, and for presets that the performer chose or rescued.

use crate::stage::PictureStats;

/// Seconds for which an all-black or all-white picture is tolerated.
const EMPTY_SECS: f64 = 1.0;
/// Seconds for which a still picture is tolerated.
const FROZEN_SECS: f64 = 1.1;
/// Maximum time counted per step, in seconds: a longer step is a stall of the program, not a fault in the
/// picture.
pub const LONGEST_STEP_SECS: f64 = 0.25;
/// Maximum number of consecutive faults reported; the next preset stays on air, because the music may be the
/// cause.
const MAX_CONSECUTIVE: u32 = 3;

/// A fault in a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PictureFault {
    /// The picture is all black.
    Black,
    /// The picture is all white.
    White,
    /// Nothing moves in the picture.
    Frozen,
}

impl PictureFault {
    /// Returns the reason shown to the performer.
    pub fn description(self) -> &'static str {
        match self {
            Self::Black => "black output",
            Self::White => "white output",
            Self::Frozen => "no movement",
        }
    }

    fn of(picture_stats: &PictureStats) -> Option<Self> {
        if picture_stats.black() {
            Some(Self::Black)
        } else if picture_stats.white() {
            Some(Self::White)
        } else if !picture_stats.moves() {
            Some(Self::Frozen)
        } else {
            None
        }
    }

    fn tolerance_secs(self) -> f64 {
        match self {
            Self::Black | Self::White => EMPTY_SECS,
            Self::Frozen => FROZEN_SECS,
        }
    }
}

/// The state of the show that matters to the watch in one step.
#[derive(Clone, Copy, Debug)]
pub struct Conditions {
    /// Seconds since the last step.
    pub dt: f64,
    /// Time on air, in seconds.
    pub on_air_secs: f64,
    /// Whether to watch: Auto is on, the director chose the preset, the performer has not rescued it, music
    /// is playing, and no hold, blackout or freeze is active.
    pub active: bool,
}

/// A watch for faults in the picture.
#[derive(Clone, Debug, Default)]
pub struct PictureWatch {
    seen: Option<PictureFault>,
    fault_secs: f64,
    /// Time on air at the last step, in seconds.
    on_air_secs: f64,
    consecutive: u32,
}

impl PictureWatch {
    /// Advances by one step; `picture_stats` is a new measurement, if there is one. Returns a fault once it
    /// has lasted too long, then starts over. After `MAX_CONSECUTIVE` faults in a row, returns `None` until
    /// a picture without a fault is measured.
    pub fn step(&mut self, picture_stats: Option<&PictureStats>, now: Conditions) -> Option<PictureFault> {
        let another = now.on_air_secs < self.on_air_secs;
        self.on_air_secs = now.on_air_secs;
        if !now.active || another {
            self.seen = None;
            self.fault_secs = 0.0;
            return None;
        }
        if let Some(picture_stats) = picture_stats {
            let fault = PictureFault::of(picture_stats);
            if fault != self.seen {
                self.fault_secs = 0.0;
                self.seen = fault;
            }
            if fault.is_none() {
                self.consecutive = 0;
            }
        }
        self.fault_secs += now.dt.min(LONGEST_STEP_SECS);
        let fault = self.seen.filter(|fault| self.fault_secs >= fault.tolerance_secs())?;
        self.seen = None;
        self.fault_secs = 0.0;
        self.consecutive += 1;
        (self.consecutive <= MAX_CONSECUTIVE).then_some(fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: PictureStats = PictureStats { luma: 0.3, darkest: 0.0, brightest: 0.9, change: 0.05 };
    const BLACK: PictureStats = PictureStats { luma: 0.0, darkest: 0.0, brightest: 0.0, change: 0.0 };
    const WHITE: PictureStats = PictureStats { luma: 1.0, darkest: 1.0, brightest: 1.0, change: 0.0 };
    const STILL: PictureStats = PictureStats { change: 0.0, ..GOOD };

    /// Returns the time in seconds after which the watch reports a fault, and the fault; `None` if there is none within
    /// 30 seconds.
    fn reported_after(picture_stats: PictureStats, active: bool) -> Option<(f64, PictureFault)> {
        let mut watch = PictureWatch::default();
        (0..1800).map(|step| f64::from(step) / 60.0).find_map(|on_air_secs| {
            let now = Conditions { dt: 1.0 / 60.0, on_air_secs, active };
            watch.step(Some(&picture_stats), now).map(|fault| (on_air_secs, fault))
        })
    }

    #[test]
    fn a_faulty_picture_is_reported_within_little_more_than_a_second_and_a_good_one_never() {
        for (picture_stats, fault) in
            [(BLACK, PictureFault::Black), (WHITE, PictureFault::White), (STILL, PictureFault::Frozen)]
        {
            let (after, reported) = reported_after(picture_stats, true).expect("a fault");
            assert!((0.9..1.2).contains(&after) && reported == fault, "{after} {reported:?}");
        }
        assert_eq!(reported_after(GOOD, true), None);
    }

    #[test]
    fn the_watch_starts_over_with_another_preset() {
        let mut watch = PictureWatch::default();
        let mut reported = 0;
        for step in 0..600 {
            let on_air_secs = f64::from(step % 50) / 60.0;
            let now = Conditions { dt: 1.0 / 60.0, on_air_secs, active: true };
            reported += usize::from(watch.step(Some(&BLACK), now).is_some());
        }
        assert_eq!(reported, 0, "no preset was on air for a second");
    }

    #[test]
    fn an_inactive_watch_reports_nothing() {
        assert_eq!(reported_after(BLACK, false), None);
    }

    #[test]
    fn after_several_faults_in_a_row_the_next_preset_stays() {
        let mut watch = PictureWatch::default();
        let now = Conditions { dt: 1.0, on_air_secs: 10.0, active: true };
        let faults = (0..60).filter(|_| watch.step(Some(&BLACK), now).is_some()).count();
        assert_eq!(faults, MAX_CONSECUTIVE as usize);
        watch.step(Some(&GOOD), now);
        assert!((0..7).any(|_| watch.step(Some(&BLACK), now).is_some()));
    }
}
