//! From what a device or a decoder delivers (any channel count) to clean stereo frames.
//!
//! Pure and allocation-free: the audio callback runs through here.

use super::Frame;

/// Largest sample let through; a driver that delivers more is broken, and filters must stay finite.
const LOUDEST: f32 = 16.0;

/// A sample as the house can bear it: not-a-number and infinity are silence.
pub(crate) fn clean(sample: f32) -> f32 {
    if sample.is_finite() { sample.clamp(-LOUDEST, LOUDEST) } else { 0.0 }
}

/// One moment of interleaved sound as left and right.
///
/// Mono goes to both sides; from three channels up the first two are left and right, the third (centre) joins
/// both at -3 dB and what stands behind joins its side at -6 dB. The fourth of six or more is the subwoofer
/// channel and joins both at -6 dB, so that a kick that sits only there is heard.
pub(crate) fn stereo(channels: &[f32]) -> Frame {
    const CENTRE: f32 = std::f32::consts::FRAC_1_SQRT_2;
    const BEHIND: f32 = 0.5;
    match *channels {
        [] => [0.0; 2],
        [mono] => [clean(mono); 2],
        [left, right] => [clean(left), clean(right)],
        [left, right, centre] => {
            let centre = clean(centre) * CENTRE;
            [clean(left) + centre, clean(right) + centre]
        }
        [left, right, rear_left, rear_right] => {
            [clean(left) + BEHIND * clean(rear_left), clean(right) + BEHIND * clean(rear_right)]
        }
        [left, right, centre, rear_left, rear_right] => {
            let centre = clean(centre) * CENTRE;
            [
                clean(left) + centre + BEHIND * clean(rear_left),
                clean(right) + centre + BEHIND * clean(rear_right),
            ]
        }
        [left, right, centre, sub, ref rest @ ..] => {
            let both = clean(centre) * CENTRE + clean(sub) * BEHIND;
            let side = |first| rest.iter().skip(first).step_by(2).map(|&s| BEHIND * clean(s)).sum::<f32>();
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
    fn what_is_no_number_becomes_silence() {
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            assert_eq!(stereo(&[bad, 0.5]), [0.0, 0.5], "from {bad}");
            assert_eq!(stereo(&[bad; 6]), [0.0, 0.0], "from six of {bad}");
        }
        assert_eq!(stereo(&[1e30]), [LOUDEST; 2]);
    }
}
