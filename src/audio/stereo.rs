//! Conversion of samples with any channel count to clean stereo frames.
//!
//! Pure and allocation-free: called from the audio callback.

use super::Frame;

/// Largest absolute sample; larger values come from a broken driver and would destabilise filters.
const MAX_SAMPLE: f32 = 16.0;

/// Returns the sample clamped, with NaN and infinity replaced by silence.
pub(crate) fn clean(sample: f32) -> f32 {
    if sample.is_finite() { sample.clamp(-MAX_SAMPLE, MAX_SAMPLE) } else { 0.0 }
}

/// Mixes one interleaved frame down to stereo.
///
/// Mono goes to both sides. With more channels, the first two are left and right. With three, five or more,
/// the third is the centre, added to both at -3 dB. With six or more, the fourth is the subwoofer, added to
/// both at -6 dB so that a kick on it alone is not lost. All others are rear channels, added to their side at
/// -6 dB.
pub(crate) fn stereo(channels: &[f32]) -> Frame {
    const CENTRE: f32 = std::f32::consts::FRAC_1_SQRT_2;
    const REAR: f32 = 0.5;
    match *channels {
        [] => [0.0; 2],
        [mono] => [clean(mono); 2],
        [left, right] => [clean(left), clean(right)],
        [left, right, centre] => {
            let centre = clean(centre) * CENTRE;
            [clean(left) + centre, clean(right) + centre]
        }
        [left, right, rear_left, rear_right] => {
            [clean(left) + REAR * clean(rear_left), clean(right) + REAR * clean(rear_right)]
        }
        [left, right, centre, rear_left, rear_right] => {
            let centre = clean(centre) * CENTRE;
            [clean(left) + centre + REAR * clean(rear_left), clean(right) + centre + REAR * clean(rear_right)]
        }
        [left, right, centre, sub, ref rest @ ..] => {
            let both = clean(centre) * CENTRE + clean(sub) * REAR;
            let side = |first| rest.iter().skip(first).step_by(2).map(|&s| REAR * clean(s)).sum::<f32>();
            [clean(left) + both + side(0), clean(right) + both + side(1)]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_channel_count_becomes_stereo() {
        for (channels, expected) in [
            (&[][..], [0.0, 0.0]),
            (&[0.5], [0.5, 0.5]),
            (&[0.25, -0.5], [0.25, -0.5]),
            (&[0.0, 0.5, 0.0], [0.0, 0.5]),
            (&[0.0, 0.0, 1.0, 0.5], [0.5, 0.25]),
            (&[0.1, 0.2, 0.0, 0.0, 0.4], [0.1, 0.4]),
            (&[0.0, 0.0, 0.0, 1.0, 0.0, 0.0], [0.5, 0.5]),
            (&[0.0, 0.0, 0.0, 0.0, 1.0, 0.0], [0.5, 0.0]),
            (&[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0], [0.0, 0.5]),
        ] {
            assert_eq!(stereo(channels), expected, "from {channels:?}");
        }
    }

    #[test]
    fn nan_and_infinity_become_silence() {
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            assert_eq!(stereo(&[bad, 0.5]), [0.0, 0.5], "from {bad}");
            assert_eq!(stereo(&[bad; 6]), [0.0, 0.0], "from six of {bad}");
        }
        assert_eq!(stereo(&[1e30]), [MAX_SAMPLE; 2]);
    }
}
