//! Rhythm of the onsets: the best-fitting beat period, how regular the onsets are, and where within the beat
//! those of each range fall.

/// Shortest and longest beat period tried, in hops of 10 ms (222 and 60 BPM).
const BEAT: (usize, usize) = (27, 100);
/// Number of autocorrelation lags, one per hop.
const LAGS: usize = 4 * BEAT.1 + 8;
/// Prior of the beat period: centre in hops and deviation in octaves.
const LIKELY: (f32, f32) = (46.0, 0.8);
/// Number of profile bins per two beats.
const PLACES: usize = 16;
/// Number of rhythm features.
pub const RHYTHM: usize = 3 + 5 + 9 + 5 + 4 + 9;

/// Extractor of rhythm features from three onset tracks, with its scratch buffers.
pub struct Rhythm {
    tracks: [Vec<f32>; 3],
    lags: [Vec<f32>; 3],
    sum: Vec<f32>,
}

impl Rhythm {
    /// Allocates buffers for tracks of up to `hops` hops.
    pub fn new(hops: usize) -> Self {
        Self {
            tracks: std::array::from_fn(|_| vec![0.0; hops]),
            lags: std::array::from_fn(|_| vec![0.0; LAGS]),
            sum: vec![0.0; LAGS],
        }
    }

    /// Returns the three tracks to be filled by the caller, oldest hop first.
    pub fn tracks(&mut self) -> &mut [Vec<f32>; 3] {
        &mut self.tracks
    }

    /// Passes the features of the first `count` hops of the tracks to `put`.
    pub fn read(&mut self, count: usize, mut put: impl FnMut(f32)) {
        for track in &mut self.tracks {
            smooth(&mut track[..count]);
        }
        self.sum.fill(0.0);
        for (track, lags) in self.tracks.iter().zip(&mut self.lags) {
            autocorrelate(&track[..count], lags);
            self.sum.iter_mut().zip(lags.iter()).for_each(|(sum, lag)| *sum += lag / 3.0);
        }
        let beat = self.beat();
        let at = |lags: &[f32], ratio: f32| peak(lags, beat * ratio, 2);
        put((beat / LIKELY.0).log2());
        put(self.lags[0][BEAT.0..=BEAT.1].iter().copied().fold(0.0, f32::max));
        let tail = &self.sum[BEAT.0..2 * BEAT.1];
        let mean = tail.iter().sum::<f32>() / tail.len() as f32;
        put((tail.iter().map(|v| (v - mean) * (v - mean)).sum::<f32>() / tail.len() as f32).sqrt());
        for ratio in [0.25, 0.5, 1.0, 2.0, 4.0] {
            put(at(&self.sum, ratio));
        }
        for lags in &self.lags {
            for ratio in [0.5, 1.0, 2.0] {
                put(at(lags, ratio));
            }
        }
        let [low, mid, high] = &self.tracks;
        let cross = |a: &[f32], b: &[f32], lag: f32| {
            let lag = lag.round() as usize;
            0.5 * (cross_correlation(&a[..count], &b[..count], lag)
                + cross_correlation(&b[..count], &a[..count], lag))
        };
        put(cross(low, mid, 0.0));
        put(cross(low, mid, beat));
        put(cross(low, high, 0.0));
        put(cross(low, high, 0.5 * beat));
        put(cross(mid, high, 0.0));
        self.profile(count, beat, &mut put);
    }

    /// Returns the beat period in fractional hops, refined over four beats.
    fn beat(&self) -> f32 {
        let fit = |lag: usize| {
            let away = (lag as f32 / LIKELY.0).log2() / LIKELY.1;
            let sum = &self.sum;
            (sum[lag] + 0.7 * peak(sum, 2.0 * lag as f32, 1) + 0.5 * peak(sum, 4.0 * lag as f32, 3))
                * (-0.5 * away * away).exp()
        };
        let best = (BEAT.0..=BEAT.1).max_by(|&a, &b| fit(a).total_cmp(&fit(b))).unwrap_or(BEAT.0);
        let around = |middle: usize, reach: usize| {
            (middle - reach..=middle + reach)
                .max_by(|&a, &b| self.sum[a].total_cmp(&self.sum[b]))
                .unwrap_or(middle)
        };
        let two = around(2 * best, 1);
        around(2 * two, 2).min(LAGS - 1) as f32 / 4.0
    }

    /// Passes to `put` where in a cycle of four beats the onsets fall; the phase with the strongest low
    /// onsets counts as the beat.
    fn profile(&self, count: usize, beat: f32, put: &mut impl FnMut(f32)) {
        let mut folded = [[0.0_f32; 2 * PLACES]; 3];
        for (track, folded) in self.tracks.iter().zip(&mut folded) {
            for (hop, value) in track[..count].iter().enumerate() {
                let turn = (hop as f32 / (4.0 * beat)).fract();
                folded[(turn * (2 * PLACES) as f32) as usize % (2 * PLACES)] += value.max(0.0);
            }
        }
        let per_beat = PLACES / 2;
        let low = &folded[0];
        let on = |row: &[f32; 2 * PLACES], place: usize| row[place % (2 * PLACES)];
        let four = |row: &[f32; 2 * PLACES], place: usize| {
            (0..4).map(|n| on(row, place + n * per_beat)).sum::<f32>()
        };
        let first = (0..per_beat).max_by(|&a, &b| four(low, a).total_cmp(&four(low, b))).unwrap_or(0);
        let beats = |row: &[f32; 2 * PLACES]| -> [f32; 4] {
            std::array::from_fn(|n| {
                (0..3).map(|near| on(row, first + n * per_beat + 2 * PLACES + near - 1)).sum::<f32>()
            })
        };
        let kicks = beats(low);
        let mean = kicks.iter().sum::<f32>() / 4.0 + 1e-6;
        put(kicks.iter().copied().fold(f32::MAX, f32::min) / mean);
        put(kicks.iter().copied().fold(0.0, f32::max) / mean);
        put(4.0 * mean / (low.iter().sum::<f32>() + 1e-6));
        let alternate = |four: [f32; 4]| {
            (four[0] + four[2] - four[1] - four[3]).abs() / (four.iter().sum::<f32>() + 1e-6)
        };
        put(alternate(kicks));
        // For each range, the backbeat, and the shares of onsets halfway and a quarter of the way between
        // beats.
        for row in &folded {
            let sum = row.iter().sum::<f32>() + 1e-6;
            put(alternate(beats(row)));
            put(four(row, first + per_beat / 2) / sum);
            put((four(row, first + per_beat / 4) + four(row, first + 3 * per_beat / 4)) / sum);
        }
    }
}

/// Spreads each onset over three hops and removes the mean.
fn smooth(track: &mut [f32]) {
    let mut before = 0.0;
    for n in 0..track.len() {
        let (now, next) = (track[n], track.get(n + 1).copied().unwrap_or(0.0));
        track[n] = 0.25 * before + 0.5 * now + 0.25 * next;
        before = now;
    }
    let mean = track.iter().sum::<f32>() / track.len().max(1) as f32;
    track.iter_mut().for_each(|value| *value -= mean);
}

/// Computes the autocorrelation, 1 at lag 0, corrected for the finite length; 0 at lags that leave fewer than 100 hops.
fn autocorrelate(track: &[f32], lags: &mut [f32]) {
    let power = track.iter().map(|v| v * v).sum::<f32>().max(1e-6);
    for (lag, out) in lags.iter_mut().enumerate() {
        if lag + 100 > track.len() {
            *out = 0.0;
            continue;
        }
        let sum: f32 = track.iter().zip(&track[lag..]).map(|(a, b)| a * b).sum();
        *out = sum / power * track.len() as f32 / (track.len() - lag) as f32;
    }
}

/// Returns the largest autocorrelation of `track` at the periods of one or two beats: 1 if it repeats exactly, about 0 if
/// it does not.
pub fn regularity(track: &[f32]) -> f32 {
    let mean = track.iter().sum::<f32>() / track.len().max(1) as f32;
    let power = track.iter().map(|v| (v - mean) * (v - mean)).sum::<f32>().max(1e-6);
    let repeats = |lag: usize| {
        let sum: f32 = track.iter().zip(&track[lag..]).map(|(a, b)| (a - mean) * (b - mean)).sum();
        sum / power * track.len() as f32 / (track.len() - lag) as f32
    };
    let last = (2 * BEAT.1).min(track.len().saturating_sub(100));
    (BEAT.0..=last).map(repeats).fold(0.0, f32::max)
}

/// Returns the maximum of `lags` within `reach` hops of `lag`.
fn peak(lags: &[f32], lag: f32, reach: usize) -> f32 {
    let middle = lag.round() as usize;
    let from = middle.saturating_sub(reach).min(lags.len() - 1);
    let to = (middle + reach + 1).min(lags.len());
    lags[from..to.max(from + 1)].iter().copied().fold(-1.0, f32::max)
}

/// Returns the normalised cross-correlation of `a` with `b` `lag` hops later: the largest value for `lag` and
/// its two neighbours.
fn cross_correlation(a: &[f32], b: &[f32], lag: usize) -> f32 {
    let power = |track: &[f32]| track.iter().map(|v| v * v).sum::<f32>();
    let scale = (power(a) * power(b)).sqrt().max(1e-6);
    (lag.saturating_sub(1)..=lag + 1)
        .map(|lag| a.iter().zip(b.get(lag..).unwrap_or(&[])).map(|(a, b)| a * b).sum::<f32>() / scale)
        .fold(-1.0, f32::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST_KICK: usize = 22;
    /// Length of the tracks, in hops.
    const VIEW: usize = 600;
    const MID_ALTERNATES: usize = 29;
    const HIGH_OFF: usize = 33;

    /// Returns the features of three tracks of `count` hops; each track has an onset at every hop for which its closure
    /// in `struck` returns true.
    fn read(count: usize, struck: [&dyn Fn(usize) -> bool; 3]) -> Vec<f32> {
        let mut rhythm = Rhythm::new(VIEW);
        for (track, struck) in rhythm.tracks().iter_mut().zip(struck) {
            (0..count).for_each(|hop| track[hop] = if struck(hop) { 1.0 } else { 0.0 });
        }
        let mut out = Vec::new();
        rhythm.read(count, |value| out.push(value));
        assert_eq!(out.len(), RHYTHM);
        assert!(out.iter().all(|value| value.is_finite()));
        out
    }

    #[test]
    fn four_on_the_floor_and_backbeat_differ() {
        let four = read(VIEW, [&|hop| hop % 48 == 5, &|_| false, &|hop| hop % 48 == 29]);
        let back = read(VIEW, [&|hop| hop % 96 == 5, &|hop| hop % 96 == 53, &|hop| hop % 24 == 5]);
        for out in [&four, &back] {
            assert!((out[0] - (48.0_f32 / LIKELY.0).log2()).abs() < 0.05, "beat {}", out[0]);
        }
        assert!(
            four[LEAST_KICK] > 0.8 && back[LEAST_KICK] < 0.2,
            "{} {}",
            four[LEAST_KICK],
            back[LEAST_KICK]
        );
        assert!(back[MID_ALTERNATES] > 0.9 && four[MID_ALTERNATES] < 0.1);
        assert!(four[HIGH_OFF] > 0.4 && back[HIGH_OFF] < 0.4, "{} {}", four[HIGH_OFF], back[HIGH_OFF]);
    }

    #[test]
    fn a_repeating_track_is_regular() {
        let beats: Vec<f32> = (0..VIEW).map(|hop| if hop % 48 < 3 { 1.0 } else { 0.0 }).collect();
        assert!(regularity(&beats) > 0.9, "{}", regularity(&beats));
        // One onset at a time that does not repeat.
        let single: Vec<f32> = (0..VIEW).map(|hop| if hop % 500 < 3 { 1.0 } else { 0.0 }).collect();
        assert!(regularity(&single) < 0.2, "{}", regularity(&single));
        for count in [0, 1, 100, 130] {
            assert!(regularity(&beats[..count]).is_finite());
        }
    }

    #[test]
    fn empty_and_short_tracks_give_finite_features() {
        for count in [1, 20, 150, VIEW] {
            read(count, [&|_| false, &|hop| hop == 0, &|_| true]);
        }
    }
}
