//! Chooses the crossfade between two presets: long for calm music, short for a drop.

use crate::analysis::Features;
use crate::mind::director::Moment;
use crate::stage::FadeStyle;
use crate::units::Rng;

/// Crossfade length, in seconds, for cuts that do not wait for the music: quick, but not abrupt.
pub(super) const PERFORMER_SECS: f64 = 0.35;
/// Length of the crossfade to the safe preset, in seconds.
pub(super) const PANIC_SECS: f64 = 0.15;
/// Length of the crossfade on a drop, in seconds.
const DROP_SECS: f64 = 0.15;
/// Minimum and maximum length of a crossfade without a trusted beat, in seconds.
const FREE_SECS: (f64, f64) = (0.8, 4.0);
/// Maximum length of a crossfade with a trusted beat, in seconds.
const MAX_SECS: f64 = 6.0;

/// Returns the length in seconds and the style of an automatic crossfade; `level` is the target energy level, 0 to 2.
/// With a trusted beat, a crossfade that is not on a drop lasts a whole number of beats, so that it also ends on a
/// beat.
pub(super) fn plan(features: &Features, level: f64, moment: Moment, rng: &mut Rng) -> (f64, FadeStyle) {
    let style = style(level, rng);
    if moment == Moment::Drop {
        return (DROP_SECS, FadeStyle::Mix);
    }
    if !features.beat.trusted() {
        let (quick, slow) = FREE_SECS;
        return (slow + (quick - slow) * level / 2.0, style);
    }
    let beats = match level {
        level if level >= 1.4 => 1.0,
        level if level >= 0.7 => 2.0,
        _ => 4.0,
    };
    (MAX_SECS.min(beats * features.beat.tempo.period().0), style)
}

/// Picks a random fade style: the higher the energy level, the harder the edges.
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
    fn crossfades_shorten_with_energy_and_last_whole_beats() {
        let mut rng = Rng::new(1);
        let mut features = Features::default();
        let mut length = |features: &Features, level| plan(features, level, Moment::LongEnough, &mut rng).0;
        assert!(
            length(&features, 0.0) > length(&features, 1.0)
                && length(&features, 1.0) > length(&features, 2.0)
        );
        features.beat.confidence = Unipolar::ONE;
        for level in [0.0, 1.0, 2.0] {
            let beats = length(&features, level) / features.beat.tempo.period().0;
            assert!((beats - beats.round()).abs() < 1e-9, "{beats} beats at {level}");
        }
    }
}
