//! How one picture turns into the next: calm music takes its time, a drop does not.

use crate::analysis::Features;
use crate::mind::director::Moment;
use crate::stage::FadeStyle;
use crate::units::Rng;

/// A cut by the performer's hand, seconds: quick, but not a jolt.
pub(super) const BY_HAND_SECS: f64 = 0.35;
/// A cut to safety.
pub(super) const PANIC_SECS: f64 = 0.15;
/// A cut on the drop.
const DROP_SECS: f64 = 0.15;
/// Shortest and longest crossfade without a beat, seconds.
const FREE_SECS: (f64, f64) = (0.8, 4.0);
/// Longest crossfade at all, seconds.
const LONGEST_SECS: f64 = 6.0;

/// Length in seconds and style of a crossfade by itself. On a trusted beat it lasts whole beats, so that it also ends
/// on one.
pub(super) fn plan(heard: &Features, level: f64, moment: Moment, rng: &mut Rng) -> (f64, FadeStyle) {
    let style = style(level, rng);
    if moment == Moment::Drop {
        return (DROP_SECS, FadeStyle::Mix);
    }
    if !heard.beat.trusted() {
        let (quick, slow) = FREE_SECS;
        return (slow + (quick - slow) * level / 2.0, style);
    }
    let beats = match level {
        level if level >= 1.4 => 1.0,
        level if level >= 0.7 => 2.0,
        _ => 4.0,
    };
    (LONGEST_SECS.min(beats * heard.beat.tempo.period().0), style)
}

/// Hard edges where the music is hard.
pub(super) fn style(level: f64, rng: &mut Rng) -> FadeStyle {
    let styles: [FadeStyle; 3] = match level {
        level if level >= 1.4 => [FadeStyle::Luma, FadeStyle::Zoom, FadeStyle::Radial],
        level if level >= 0.7 => [FadeStyle::Luma, FadeStyle::Zoom, FadeStyle::Mix],
        _ => [FadeStyle::Mix, FadeStyle::Mix, FadeStyle::Luma],
    };
    styles[rng.below(styles.len())]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Unipolar;

    #[test]
    fn the_harder_the_music_the_shorter_the_crossfade_and_always_whole_beats() {
        let mut rng = Rng::new(1);
        let mut heard = Features::default();
        let mut length = |heard: &Features, level| plan(heard, level, Moment::LongEnough, &mut rng).0;
        assert!(length(&heard, 0.0) > length(&heard, 1.0) && length(&heard, 1.0) > length(&heard, 2.0));
        heard.beat.confidence = Unipolar::ONE;
        for level in [0.0, 1.0, 2.0] {
            let beats = length(&heard, level) / heard.beat.tempo.period().0;
            assert!((beats - beats.round()).abs() < 1e-9, "{beats} beats at {level}");
        }
    }
}
