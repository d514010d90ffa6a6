//! Clicks that measure the delay of an input, and their arrival in a recording.
//!
//! Each click is a short sweep. A matched filter compresses it to a peak that stands out from noise and music. The first
//! peak of sufficient strength counts, because reflections may be stronger than the direct sound, but arrive later.

/// Number of clicks, and the time between two of them, in seconds.
pub const CLICKS: usize = 8;
pub const SPACING_SECS: f64 = 1.0;
/// Length of a click, in seconds, and the frequencies between which it sweeps, in Hz.
const SWEEP_SECS: f64 = 0.012;
const SWEEP_HZ: (f64, f64) = (1_500.0, 6_000.0);
/// Time before and after a click was played in which it may be heard, in seconds.
const BEFORE_SECS: f64 = 0.3;
const AFTER_SECS: f64 = 0.6;
/// Strength of a click's peak, as a multiple of the median of the filtered recording.
const CLEAR: f32 = 8.0;
/// Strength of the direct sound, as a share of the strongest peak.
const DIRECT: f32 = 0.5;
/// Clicks agree if they are at most this far from the median, in seconds; at least [`MIN_AGREED`] must.
const AGREE_SECS: f64 = 0.01;
const MIN_AGREED: usize = 5;

/// Measured delay of an input.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InputDelay {
    /// Median delay, in milliseconds.
    pub median_ms: f64,
    /// Median distance of the clicks from the median, in milliseconds.
    pub spread_ms: f64,
    /// Number of clicks that agree.
    pub heard: usize,
}

/// Returns the samples of a click, from -1 to 1.
pub fn click(rate_hz: u32) -> Vec<f32> {
    let rate = f64::from(rate_hz);
    let count = (SWEEP_SECS * rate).round();
    (0..count as usize)
        .map(|n| {
            let (at, share) = (n as f64 / rate, n as f64 / count);
            let turns = SWEEP_HZ.0 * at + 0.5 * (SWEEP_HZ.1 - SWEEP_HZ.0) * at * share;
            let window = 0.5 - 0.5 * (std::f64::consts::TAU * share).cos();
            (window * (std::f64::consts::TAU * turns).sin()) as f32
        })
        .collect()
}

/// Finds the clicks in a recording, given when each was played, in seconds from the start of the recording.
///
/// # Errors
/// Returns the number of clicks that agree if they are too few.
pub fn input_delay(recording: &[f32], rate_hz: u32, played: &[f64]) -> Result<InputDelay, usize> {
    let click = click(rate_hz);
    let mut delays: Vec<f64> =
        played.iter().filter_map(|&at| delay(recording, f64::from(rate_hz), &click, at)).collect();
    let middle = median(&mut delays).ok_or(0_usize)?;
    delays.retain(|delay| (delay - middle).abs() <= AGREE_SECS);
    let heard = delays.len();
    if heard < MIN_AGREED {
        return Err(heard);
    }
    let middle = median(&mut delays).ok_or(heard)?;
    let mut away: Vec<f64> = delays.iter().map(|delay| (delay - middle).abs()).collect();
    let spread = median(&mut away).ok_or(heard)?;
    Ok(InputDelay { median_ms: 1000.0 * middle, spread_ms: 1000.0 * spread, heard })
}

/// Returns how long after it was played a click is heard, in seconds, if it is.
fn delay(recording: &[f32], rate: f64, click: &[f32], played: f64) -> Option<f64> {
    let from = ((played - BEFORE_SECS) * rate).max(0.0) as usize;
    let to = (((played + AFTER_SECS) * rate).max(0.0) as usize + click.len()).min(recording.len());
    let filtered: Vec<f32> = recording
        .get(from..to)?
        .windows(click.len())
        .map(|heard| heard.iter().zip(click).map(|(heard, click)| heard * click).sum::<f32>().abs())
        .collect();
    let mut sorted = filtered.clone();
    sorted.sort_unstable_by(f32::total_cmp);
    let (strongest, middle) = (*sorted.last()?, sorted[sorted.len() / 2]);
    if strongest <= CLEAR * middle {
        return None;
    }
    let mut at = filtered.iter().position(|&strength| strength >= DIRECT * strongest)?;
    while filtered.get(at + 1).is_some_and(|&next| next > filtered[at]) {
        at += 1;
    }
    Some((from + at) as f64 / rate - played)
}

/// Sorts the values and returns the middle one; `None` if there are none.
fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Rng;

    const RATE: u32 = 48_000;

    fn played() -> Vec<f64> {
        (1..=CLICKS).map(|number| number as f64 * SPACING_SECS).collect()
    }

    /// Returns a recording of the clicks, each `delay` seconds late at the level `gain`, with reflections that decay by
    /// 60 dB in a second and start `reflected` times as loud as the direct sound, and noise.
    fn recording(delay: f64, gain: f32, reflected: f32, noise: f32) -> Vec<f32> {
        let mut rng = Rng::new(5);
        let mut out: Vec<f32> = (0..10 * RATE as usize).map(|_| noise * rng.normal() as f32).collect();
        let click = click(RATE);
        let mut add = |secs: f64, gain: f32| {
            let start = (secs * f64::from(RATE)).round() as usize;
            out.iter_mut().skip(start).zip(&click).for_each(|(out, click)| *out += gain * click);
        };
        for at in played() {
            add(at + delay, gain);
            for _ in 0..300 {
                let later = 0.004 + 0.5 * rng.unit();
                let level = reflected * 10.0_f32.powf(-3.0 * later as f32) * (2.0 * rng.unit_f32() - 1.0);
                add(at + delay + later, gain * level);
            }
        }
        out
    }

    #[test]
    fn delays_are_found_in_noise_and_in_a_room() {
        for (delay, reflected, noise) in
            [(0.042, 0.0, 0.0001), (-0.015, 0.0, 0.02), (0.25, 1.2, 0.001), (0.08, 1.2, 0.02)]
        {
            let found = input_delay(&recording(delay, 0.1, reflected, noise), RATE, &played());
            let found = found.unwrap_or_else(|heard| panic!("{delay} s: heard {heard}"));
            assert!((found.median_ms - 1000.0 * delay).abs() < 1.0, "{delay} s: {found:?}");
            assert!(found.spread_ms < 1.0 && found.heard >= 6, "{delay} s: {found:?}");
        }
    }

    #[test]
    fn silence_and_noise_contain_no_clicks() {
        assert_eq!(input_delay(&recording(0.1, 0.0, 0.0, 0.0), RATE, &played()), Err(0));
        assert!(input_delay(&recording(0.1, 0.0, 0.0, 0.1), RATE, &played()).is_err());
        assert_eq!(input_delay(&[], RATE, &played()), Err(0));
    }
}
