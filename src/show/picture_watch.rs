//! The visual watch: a preset that shows nothing, or stands still, does not stay on air.
//!
//! It begins a moment after a cut and says nothing while there is silence, a veil or a crossfade: then the picture is
//! not the preset's own doing.

use super::running::{Show, StepInput, Wanted};
use crate::library::BanKind;
use crate::stage::{OutputMode, PictureStats};

/// Time a preset has on air before it is watched, seconds.
const GRACE_SECS: f64 = 1.5;
/// How long a black or white picture is borne, seconds.
const EMPTY_SECS: f64 = 1.5;
/// How long a picture that does not move is borne, seconds.
const FROZEN_SECS: f64 = 2.5;
/// Presets sent away in a row before the watch lets one stay: then it may be the music.
const MOST_IN_A_ROW: u32 = 3;

/// What is wrong with a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PictureFault {
    /// Nothing in it gets light.
    Black,
    /// All of it is white.
    White,
    /// Nothing moves.
    Frozen,
}

impl PictureFault {
    /// In words.
    fn words(self) -> &'static str {
        match self {
            Self::Black => "it shows nothing but black",
            Self::White => "it shows nothing but white",
            Self::Frozen => "it does not move",
        }
    }

    fn of(picture_stats: &PictureStats) -> Option<Self> {
        if picture_stats.brightest <= 0.05 && picture_stats.luma <= 0.02 {
            Some(Self::Black)
        } else if picture_stats.darkest >= 0.98 {
            Some(Self::White)
        } else if picture_stats.change <= 0.0002 {
            Some(Self::Frozen)
        } else {
            None
        }
    }

    fn borne_secs(self) -> f64 {
        match self {
            Self::Black | Self::White => EMPTY_SECS,
            Self::Frozen => FROZEN_SECS,
        }
    }
}

impl Show {
    /// Looks at the picture; a preset with nothing to see makes way for the next one.
    pub(super) fn look(&mut self, input: &StepInput) {
        let alone = self.decks.front.is_some() && self.decks.fade.is_none() && self.veil == OutputMode::Open;
        // What the performer chose, or chooses to leave on, is theirs to send away.
        let by_itself = self.auto
            && self
                .decks
                .front
                .as_ref()
                .is_some_and(|slot| slot.choice.is_some() && !self.memory.rescued.contains(&slot.id));
        let now = Circumstances {
            dt: input.dt,
            on_air_secs: self.on_air_secs,
            on_its_own: alone && by_itself && !self.held && !input.features.silent,
        };
        let Some(objection) = self.watch.step(input.picture_stats.as_ref(), now) else { return };
        let Some(slot) = &self.decks.front else { return };
        let (id, name) = (slot.id, slot.name.clone());
        self.leave_out(id, BanKind::Aesthetic, objection.words());
        self.spoken = true; // An empty picture is no verdict of the performer on its style.
        self.wanted = self.wanted.or(Some(Wanted::Next));
        let lasts = BanKind::Aesthetic.lasts_words();
        self.say(format!("{name} makes way: {}; it is left out {lasts}", objection.words()));
    }
}

/// Circumstances of one step.
#[derive(Clone, Copy, Debug)]
pub(super) struct Circumstances {
    /// Seconds since the last step.
    pub dt: f64,
    /// Seconds the preset has been on air alone.
    pub on_air_secs: f64,
    /// There is music, no veil, no crossfade and nobody holds the preset.
    pub on_its_own: bool,
}

/// Watches what is on air.
#[derive(Clone, Debug, Default)]
pub(super) struct VisualWatch {
    seen: Option<PictureFault>,
    for_secs: f64,
    in_a_row: u32,
}

impl VisualWatch {
    /// One step; `picture_stats` is what the newest picture_stats told, when there is a new one. Objects once, then starts anew.
    pub fn step(&mut self, picture_stats: Option<&PictureStats>, now: Circumstances) -> Option<PictureFault> {
        if !now.on_its_own || now.on_air_secs < GRACE_SECS {
            self.seen = None;
            self.for_secs = 0.0;
            return None;
        }
        if let Some(picture_stats) = picture_stats {
            let objection = PictureFault::of(picture_stats);
            if objection != self.seen {
                self.for_secs = 0.0;
                self.seen = objection;
            }
            if objection.is_none() {
                self.in_a_row = 0;
            }
        }
        self.for_secs += now.dt;
        let objection = self.seen.filter(|objection| self.for_secs >= objection.borne_secs())?;
        self.seen = None;
        self.for_secs = 0.0;
        self.in_a_row += 1;
        (self.in_a_row <= MOST_IN_A_ROW).then_some(objection)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: PictureStats = PictureStats { luma: 0.3, darkest: 0.0, brightest: 0.9, change: 0.05 };
    const BLACK: PictureStats = PictureStats { luma: 0.0, darkest: 0.0, brightest: 0.0, change: 0.0 };
    const STILL: PictureStats = PictureStats { change: 0.0, ..GOOD };

    /// Seconds until the watch objects, within half a minute.
    fn objects_after(picture_stats: PictureStats, on_its_own: bool) -> Option<(f64, PictureFault)> {
        let mut watch = VisualWatch::default();
        (0..1800).map(|step| f64::from(step) / 60.0).find_map(|on_air_secs| {
            let now = Circumstances { dt: 1.0 / 60.0, on_air_secs, on_its_own };
            watch.step(Some(&picture_stats), now).map(|objection| (on_air_secs, objection))
        })
    }

    #[test]
    fn black_is_borne_three_seconds_after_a_cut_and_a_good_picture_for_ever() {
        let (after, objection) = objects_after(BLACK, true).expect("an objection");
        assert!((2.9..3.1).contains(&after) && objection == PictureFault::Black, "{after}");
        let (after, objection) = objects_after(STILL, true).expect("an objection");
        assert!((3.9..4.1).contains(&after) && objection == PictureFault::Frozen, "{after}");
        assert_eq!(objects_after(GOOD, true), None);
    }

    #[test]
    fn silence_a_veil_or_a_held_preset_is_no_fault() {
        assert_eq!(objects_after(BLACK, false), None);
    }

    #[test]
    fn after_some_in_a_row_it_may_be_the_music() {
        let mut watch = VisualWatch::default();
        let now = Circumstances { dt: 1.0, on_air_secs: 10.0, on_its_own: true };
        let objections = (0..60).filter(|_| watch.step(Some(&BLACK), now).is_some()).count();
        assert_eq!(objections, MOST_IN_A_ROW as usize);
        watch.step(Some(&GOOD), now);
        assert!((0..3).any(|_| watch.step(Some(&BLACK), now).is_some()));
    }
}
