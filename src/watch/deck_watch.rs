//! Watches what the code of the deck on air computes, and how long the device takes to draw the deck.
//!
//! `picture_watch` watches the picture that the deck shows.

use smallvec::SmallVec;

use crate::pacing::Quality;
use crate::stage::DeckId;

/// Multiple of a step's time budget above which a frame counts as far too slow.
const FAR_TOO_SLOW: f64 = 10.0;
/// Time after which the preset is blamed, in seconds, summed over consecutive frames that are far too slow.
const SLOW_SECS: f64 = 0.6;
/// Number of consecutive frames that must be far too slow before the picture is shrunk or the preset
/// replaced; a single slow frame may have another cause.
const SLOW_FRAMES: u32 = 2;
/// Maximum number of consecutive presets replaced because they are slow. If the next one is slow too, the
/// computer is assumed to be at fault.
const MAX_CONSECUTIVE: u32 = 3;
/// Longest time, in seconds, for which the last picture is kept instead of drawing a deck that is far too slow, so that
/// the device has time to prepare another one.
const HOLD_SECS: f64 = 3.0;

/// Response to the time that a frame took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slowness {
    /// Do nothing.
    Tolerated,
    /// Let nothing else use the device, to find out whether the preset is at fault.
    Suspicious,
    /// Draw only one deck, to find out which one is at fault.
    Shared,
    /// Draw at the smallest size.
    Critical,
    /// Replace the preset, which is at fault.
    Replaced,
}

/// The decks that a frame drew.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DrawnDecks(SmallVec<[DeckId; 3]>);

impl FromIterator<DeckId> for DrawnDecks {
    fn from_iter<I: IntoIterator<Item = DeckId>>(decks: I) -> Self {
        Self(decks.into_iter().collect())
    }
}

impl DrawnDecks {
    /// Iterates over the decks.
    pub fn iter(&self) -> impl Iterator<Item = DeckId> {
        self.0.iter().copied()
    }
}

/// The state of the watch over the deck on air.
#[derive(Debug, Default)]
pub struct DeckWatch {
    deck: Option<DeckId>,
    /// Seconds for which the deck's code has exceeded its budget in every frame.
    pub over_budget_secs: f64,
    /// Seconds for which no frame of the deck has had any finite coordinates.
    pub not_finite_secs: f64,
    slow_secs: f64,
    slow_frames: u32,
    /// Number of consecutive slow frames that drew several decks.
    shared_frames: u32,
    /// Seconds since the deck was found to be far too slow; `None` if it was not.
    replaced_secs: Option<f64>,
    /// Number of consecutive presets replaced because they are slow.
    consecutive: u32,
}

impl DeckWatch {
    /// Starts over if another deck is on air, but keeps the number of consecutive replacements.
    pub fn follow(&mut self, deck: Option<DeckId>) {
        if self.deck != deck {
            *self = Self { deck, consecutive: self.consecutive, ..Self::default() };
        }
    }

    /// Judges a frame that took `took` seconds, given a time budget of `budget` seconds. `scale` is the side
    /// length at which it was drawn, relative to full size. Frames without the deck on air are ignored, and a preset is
    /// blamed only for frames that drew nothing else, and only once. If `warm_up` is set, a warm-up frame was drawn at
    /// the same time, which may be to blame; none is drawn while the preset is suspected.
    pub fn time(
        &mut self,
        took: f64,
        budget: f64,
        DrawnDecks(drawn): &DrawnDecks,
        scale: f64,
        warm_up: bool,
    ) -> Slowness {
        if self.replaced_secs.is_some() || self.deck.is_none_or(|deck| !drawn.contains(&deck)) {
            return Slowness::Tolerated;
        }
        let limit = FAR_TOO_SLOW * budget;
        if took <= limit {
            (self.slow_secs, self.slow_frames, self.shared_frames) = (0.0, 0, 0);
            self.consecutive = 0;
            return Slowness::Tolerated;
        }
        if warm_up {
            self.slow_frames = self.slow_frames.max(1);
            return Slowness::Suspicious;
        }
        if drawn.len() > 1 {
            self.shared_frames += 1;
            if self.shared_frames < SLOW_FRAMES {
                return Slowness::Suspicious;
            }
            self.shared_frames = 0;
            return Slowness::Shared;
        }
        self.slow_secs += took;
        self.slow_frames += 1;
        if self.slow_frames < SLOW_FRAMES {
            return Slowness::Suspicious;
        }
        // Estimated time at the smallest size, assuming that the time is proportional to the number of
        // pixels.
        let smallest = took * (Quality::SMALLEST / scale).powi(2);
        if self.slow_secs < SLOW_SECS || smallest <= limit {
            return Slowness::Critical;
        }
        (self.slow_secs, self.slow_frames) = (0.0, 0);
        if self.consecutive >= MAX_CONSECUTIVE {
            return Slowness::Tolerated;
        }
        self.consecutive += 1;
        self.replaced_secs = Some(0.0);
        Slowness::Replaced
    }

    /// Advances by `dt` seconds.
    pub fn advance(&mut self, dt: f64) {
        self.replaced_secs = self.replaced_secs.map(|secs| secs + dt);
    }

    /// Returns whether to keep the last picture instead of drawing the deck, which is about to be replaced.
    pub fn holds_picture(&self) -> bool {
        self.replaced_secs.is_some_and(|secs| secs < HOLD_SECS)
    }

    /// Returns whether the preset is suspected of being far too slow, in which case nothing else should use
    /// the device.
    pub fn suspicious(&self) -> bool {
        self.consecutive < MAX_CONSECUTIVE && (self.slow_frames > 0 || self.shared_frames > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUDGET: f64 = 0.01;

    /// Returns the [`DrawnDecks`] of a frame that drew these decks.
    fn of(decks: &[u64]) -> DrawnDecks {
        decks.iter().copied().map(DeckId).collect()
    }

    /// Judges up to `frames` frames of the deck numbered `deck`, stopping once it is replaced. Each takes `fixed`
    /// seconds, plus a time proportional to the number of pixels: `pixels` seconds at full size.
    fn judged(watch: &mut DeckWatch, deck: u64, frames: usize, fixed: f64, pixels: f64) -> Vec<Slowness> {
        watch.follow(Some(DeckId(deck)));
        let (mut scale, mut judged) = (1.0, Vec::new());
        while judged.len() < frames && judged.last() != Some(&Slowness::Replaced) {
            judged.push(watch.time(fixed + pixels * scale * scale, BUDGET, &of(&[deck]), scale, false));
            if judged.last() == Some(&Slowness::Critical) {
                scale = Quality::SMALLEST;
            }
        }
        judged
    }

    #[test]
    fn a_preset_that_stays_far_too_slow_at_the_smallest_size_is_replaced() {
        use Slowness::{Critical, Replaced, Suspicious, Tolerated};
        let mut watch = DeckWatch::default();
        assert_eq!(
            judged(&mut watch, 0, 100, 0.09, 0.0),
            [Tolerated; 100],
            "slow, but not by an order of magnitude"
        );
        assert_eq!(judged(&mut watch, 1, 9, 0.2, 0.0), [Suspicious, Critical, Replaced]);
        assert_eq!(judged(&mut watch, 2, 9, 0.0, 0.5), [Suspicious, Replaced], "too slow at any size");
        assert_eq!(judged(&mut watch, 3, 4, 0.0, 0.2), [Suspicious, Critical, Tolerated, Tolerated]);
    }

    #[test]
    fn single_slow_frames_are_tolerated() {
        let mut watch = DeckWatch::default();
        watch.follow(Some(DeckId(0)));
        for _ in 0..100 {
            assert_eq!(watch.time(3.0, BUDGET, &of(&[0]), 1.0, false), Slowness::Suspicious);
            assert!(watch.suspicious());
            assert_eq!(watch.time(0.02, BUDGET, &of(&[0]), 1.0, false), Slowness::Tolerated);
            assert!(!watch.suspicious());
        }
    }

    #[test]
    fn a_preset_is_not_blamed_for_frames_of_other_decks() {
        use Slowness::{Replaced, Shared, Suspicious, Tolerated};
        let mut watch = DeckWatch::default();
        watch.follow(Some(DeckId(1)));
        let mut time = |decks: &[u64]| watch.time(1.0, BUDGET, &of(decks), Quality::SMALLEST, false);
        assert_eq!(
            [time(&[0]), time(&[0]), time(&[]), time(&[0, 2])],
            [Tolerated; 4],
            "drawn before the cut"
        );
        let together = [0; 6].map(|_| time(&[1, 2]));
        assert_eq!(together, [Suspicious, Shared, Suspicious, Shared, Suspicious, Shared]);
        assert_eq!([time(&[1]), time(&[1])], [Suspicious, Replaced], "too slow alone");
    }

    #[test]
    fn a_preset_is_not_blamed_for_a_warm_up() {
        let mut watch = DeckWatch::default();
        watch.follow(Some(DeckId(0)));
        let mut time = |took, warm_up| watch.time(took, BUDGET, &of(&[0]), Quality::SMALLEST, warm_up);
        assert_eq!([0; 6].map(|_| time(1.0, true)), [Slowness::Suspicious; 6]);
        assert_eq!(time(0.02, false), Slowness::Tolerated);
        assert_eq!([time(1.0, true), time(1.0, false)], [Slowness::Suspicious, Slowness::Replaced]);
    }

    #[test]
    fn a_preset_is_replaced_only_once_and_its_successor_is_judged() {
        let mut watch = DeckWatch::default();
        for deck in 0..2 {
            assert_eq!(judged(&mut watch, deck, 9, 0.5, 0.0).last(), Some(&Slowness::Replaced));
            assert!(watch.holds_picture());
            for _ in 0..20 {
                let judged = watch.time(0.5, BUDGET, &of(&[deck]), Quality::SMALLEST, false);
                assert_eq!(judged, Slowness::Tolerated);
                assert!(!watch.suspicious(), "other decks must become warm");
            }
            watch.advance(HOLD_SECS);
            assert!(!watch.holds_picture());
        }
        assert_eq!(watch.consecutive, 2);
    }

    #[test]
    fn presets_are_not_all_blamed_for_a_slow_computer() {
        let mut watch = DeckWatch::default();
        let mut replaced = 0;
        for deck in 0..20 {
            replaced += usize::from(judged(&mut watch, deck, 10, 0.3, 0.0).contains(&Slowness::Replaced));
        }
        assert_eq!(replaced, MAX_CONSECUTIVE as usize);
    }
}
