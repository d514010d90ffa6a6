//! Statistics of the last six seconds of audio, independent of the level.

use super::super::filterbank::Filterbank;
use super::hop::{FINE, FINES, HopFeatures, LEVEL, ONSETS, PARTIAL, RANGES, TRACKS};
use super::rhythm::{RHYTHM, Rhythm, regularity};
use crate::activation::Activation;

/// Length of the history, in hops (6 s).
pub const VIEW: usize = 600;
/// Length of the newest part of the history, in hops (2.5 s).
const RECENT: usize = 250;
/// Modulation rates measured on the envelopes, in Hz.
const RATES_HZ: [f32; 9] = [0.5, 0.8, 1.2, 1.8, 2.7, 4.0, 6.0, 9.0, 13.0];
/// Range of the levels below the loudest hop, in dB; lower levels are clamped.
const DEPTH_DB: f32 = 55.0;
/// Hops averaged per step of the self-similarity.
const STEP: usize = 5;
/// Lags of the self-similarity, in steps.
const SELF_LAGS: std::ops::Range<usize> = 20..68;

/// Number of most recent hops that are compared with the rest to detect a change in the music.
const NEWEST: usize = 100;
/// Tracks used in that comparison.
const NOVELTY_TRACKS: std::ops::Range<usize> = 0..RANGES + 1;
/// Novelty that counts as a change, in standard deviations.
const NOVELTY: f32 = 1.05;
/// Minimum number of hops between two changes.
const MIN_CHANGE_HOPS: usize = 800;
/// Minimum number of hops for a summary.
const MIN_HOPS: usize = 150;

/// Index of the track of the beat activation, and of the probability that the music has a beat at all.
const BEAT: usize = TRACKS;
const PRESENCE: usize = TRACKS + 1;

/// Number of values in a summary.
pub const SIZE: usize =
    5 * RANGES + 2 + 6 + 12 + 5 * 2 * FINES + 4 * FINES + 4 * RATES_HZ.len() + RHYTHM + 3 + 4 + 4;

/// Features of each hop of the last six seconds, from which summaries are computed.
pub struct Summary {
    features: HopFeatures,
    ring: Vec<[f32; TRACKS + 2]>,
    at: usize,
    filled: usize,
    waves: Vec<[f32; 2]>,
    rhythm: Rhythm,
    /// Hops since the last change in the music.
    since_change: usize,
    track: Vec<f32>,
    sorted: Vec<f32>,
    coarse: Vec<[f32; RANGES]>,
}

impl Summary {
    /// Builds an empty history for a transform of `size` samples and the bands of `bank`.
    pub fn new(size: usize, bank: &Filterbank) -> Self {
        let wave = |rate: f32, hop: usize| {
            let turn = std::f32::consts::TAU * rate * hop as f32 * 0.01;
            let window = (std::f32::consts::PI * (hop as f32 + 0.5) / VIEW as f32).sin();
            [window * turn.cos(), window * turn.sin()]
        };
        Self {
            features: HopFeatures::new(size, bank),
            ring: vec![[0.0; TRACKS + 2]; VIEW],
            at: 0,
            filled: 0,
            waves: RATES_HZ.iter().flat_map(|&rate| (0..VIEW).map(move |hop| wave(rate, hop))).collect(),
            rhythm: Rhythm::new(VIEW),
            since_change: 0,
            track: vec![0.0; VIEW],
            sorted: vec![0.0; VIEW],
            coarse: vec![[0.0; RANGES]; VIEW / STEP],
        }
    }

    /// Adds a hop, given the power of its bins and bands, and the activation.
    pub fn push(&mut self, power: &[f32], bands: &[f32], activation: Activation) {
        let tracks = &mut self.ring[self.at];
        tracks[..TRACKS].copy_from_slice(&self.features.step(power, bands));
        tracks[BEAT] = activation.beat;
        tracks[PRESENCE] = activation.presence;
        self.at = (self.at + 1) % VIEW;
        self.filled = (self.filled + 1).min(VIEW);
        self.since_change += 1;
    }

    /// Returns whether there is enough history for a summary: 1.5 s.
    pub fn ready(&self) -> bool {
        self.filled >= MIN_HOPS
    }

    /// Returns whether the music has just changed; if so, discards the history before the change.
    pub fn take_change(&mut self) -> bool {
        let changed = self.since_change >= MIN_CHANGE_HOPS && self.novelty() > NOVELTY;
        if changed {
            self.filled = NEWEST;
            self.since_change = 0;
        }
        changed
    }

    /// Returns the distance of the newest second from the history before it, in standard deviations; 0 with
    /// less than 3 s of history.
    fn novelty(&self) -> f32 {
        if self.filled < 3 * NEWEST {
            return 0.0;
        }
        let from = self.at + VIEW - self.filled;
        let split = self.filled - NEWEST;
        let mut far = 0.0;
        for track in NOVELTY_TRACKS {
            let moments = |hops: std::ops::Range<usize>| {
                let count = hops.len() as f32;
                let (mut sum, mut square) = (0.0, 0.0);
                for hop in hops {
                    let value = self.ring[(from + hop) % VIEW][track];
                    sum += value;
                    square += value * value;
                }
                (sum / count, (square / count - (sum / count).powi(2)).max(0.0).sqrt())
            };
            let ((before, loose), (now, tight)) = (moments(0..split), moments(split..self.filled));
            far += (now - before).abs() / (0.5 * (loose + tight) + 1.0);
        }
        far / NOVELTY_TRACKS.len() as f32
    }

    /// Copies a track into the scratch buffer, oldest hop first.
    fn load(&mut self, track: usize) {
        let from = self.at + VIEW - self.filled;
        for hop in 0..self.filled {
            self.track[hop] = self.ring[(from + hop) % VIEW][track];
        }
    }

    /// Copies a level track into the scratch buffer, clamped to at least its maximum minus [`DEPTH_DB`].
    fn load_level(&mut self, track: usize) {
        self.load(track);
        let track = &mut self.track[..self.filled];
        let floor = track.iter().copied().fold(f32::MIN, f32::max) - DEPTH_DB;
        track.iter_mut().for_each(|level| *level = level.max(floor));
    }

    /// Returns the summary of the current history.
    pub fn read(&mut self) -> [f32; SIZE] {
        let mut out = [0.0; SIZE];
        let mut at = 0;
        let mut put = |value: f32| {
            out[at] = if value.is_finite() { value.clamp(-20.0, 20.0) } else { 0.0 };
            at += 1;
        };
        let count = self.filled;
        let recent = count.saturating_sub(RECENT)..count;
        self.load_level(LEVEL);
        let level = mean(&self.track[..count]);
        let spread = deviation(&self.track[..count]);
        for range in 0..RANGES {
            self.load_level(range);
            let track = &self.track[..count];
            let middle = mean(track);
            put((middle - level) / 10.0);
            put(deviation(track) / 5.0);
            put(track.windows(6).map(|part| (part[5] - part[0]).abs()).sum::<f32>() / count as f32 / 3.0);
            self.sorted[..count].copy_from_slice(track);
            let sorted = &mut self.sorted[..count];
            sorted.sort_unstable_by(f32::total_cmp);
            let place = |share: f32| sorted[((count - 1) as f32 * share) as usize];
            put((place(0.95) - place(0.5)) / 10.0);
            put((place(0.5) - place(0.05)) / 10.0);
        }
        self.load_level(LEVEL);
        let track = &self.track[..count];
        put(spread / 5.0);
        put(deviation(&track[recent.clone()]) / 5.0);
        for edge in [-12.0_f32, -6.0, -3.0, 3.0, 6.0] {
            let beyond = track.iter().filter(|&&v| (v - level) * edge.signum() > edge.abs()).count();
            put(beyond as f32 / count as f32 * 4.0);
        }
        put((mean(&track[recent.clone()]) - level) / 5.0);
        for onset in ONSETS..ONSETS + 3 {
            self.load(onset);
            let track = &self.track[..count];
            let middle = mean(track) + 1e-3;
            let max = track.iter().copied().fold(0.0, f32::max);
            put(middle.ln());
            put(deviation(track) / middle);
            put(track.iter().filter(|&&v| v > 0.3 * max).count() as f32 / count as f32 * 10.0);
            put((mean(&track[recent.clone()]) + 1e-3).ln() - middle.ln());
        }
        for fine in FINE..PARTIAL {
            self.load(fine);
            let track = &self.track[..count];
            put(mean(track));
            put(mean(&track[recent.clone()]));
            put(deviation(track) * 4.0);
            self.sorted[..count].copy_from_slice(track);
            self.sorted[..count].sort_unstable_by(f32::total_cmp);
            put(self.sorted[count / 5]);
            put(self.sorted[count * 9 / 10]);
        }
        for partial in PARTIAL..PARTIAL + FINES {
            self.load(partial);
            let track = &self.track[..count];
            put(mean(track));
            put(deviation(track));
            self.sorted[..count].copy_from_slice(track);
            self.sorted[..count].sort_unstable_by(f32::total_cmp);
            put(self.sorted[count / 10]);
            put(self.sorted[count * 19 / 20]);
        }
        self.load_level(LEVEL);
        self.modulation(&mut put);
        for onset in 0..3 {
            self.load(ONSETS + onset);
            self.rhythm.tracks()[onset][..count].copy_from_slice(&self.track[..count]);
            self.modulation(&mut put);
        }
        self.rhythm.read(count, &mut put);
        self.self_similarity(&mut put);
        self.load(PRESENCE);
        let track = &self.track[..count];
        put(mean(track));
        put(mean(&track[recent.clone()]));
        self.sorted[..count].copy_from_slice(track);
        self.sorted[..count].sort_unstable_by(f32::total_cmp);
        put(self.sorted[count / 10]);
        put(self.sorted[count * 9 / 10]);
        self.load(BEAT);
        let track = &self.track[..count];
        put(mean(track) * 4.0);
        put(deviation(track) * 4.0);
        put(track.iter().copied().fold(0.0, f32::max));
        put(regularity(track));
        out
    }

    /// Passes to `put` the share of the loaded track's modulation at each of [`RATES_HZ`], as logarithms.
    fn modulation(&self, put: &mut impl FnMut(f32)) {
        let track = &self.track[..self.filled];
        let middle = mean(track);
        let mut power = [0.0_f32; RATES_HZ.len()];
        for (rate, power) in power.iter_mut().enumerate() {
            let waves = &self.waves[rate * VIEW..(rate + 1) * VIEW];
            let mut sums = [0.0_f32; 2];
            for (value, wave) in track.iter().zip(waves) {
                sums[0] += (value - middle) * wave[0];
                sums[1] += (value - middle) * wave[1];
            }
            *power = sums[0] * sums[0] + sums[1] * sums[1];
        }
        let total: f32 = power.iter().sum::<f32>() + 1e-6;
        for power in power {
            put((power / total + 0.01).ln() / 2.0);
        }
    }

    /// Passes to `put` the similarity of the spectrum with itself at later times: sequenced music repeats
    /// exactly; live music and speech do not.
    fn self_similarity(&mut self, put: &mut impl FnMut(f32)) {
        let steps = self.filled / STEP;
        for range in 0..RANGES {
            self.load_level(range);
            let part = |n: usize| mean(&self.track[n * STEP..(n + 1) * STEP]);
            let middle = mean(&self.track[..steps * STEP]);
            let scale = 1.0 / (deviation(&self.track[..steps * STEP]) + 1.0);
            for step in 0..steps {
                self.coarse[step][range] = (part(step) - middle) * scale;
            }
        }
        let product = |a: &[f32; RANGES], b: &[f32; RANGES]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        let coarse = &self.coarse[..steps];
        let power = coarse.iter().map(|one| product(one, one)).sum::<f32>() / steps.max(1) as f32 + 1e-3;
        let (mut max, mut min, mut sum) = (0.0_f32, 0.0_f32, 0.0);
        for lag in SELF_LAGS {
            let pairs = steps.saturating_sub(lag);
            if pairs < 20 {
                continue;
            }
            let similarity: f32 = coarse.iter().zip(&coarse[lag..]).map(|(a, b)| product(a, b)).sum();
            let similarity = similarity / pairs as f32 / power;
            max = max.max(similarity);
            min = min.min(similarity);
            sum += similarity;
        }
        put(max);
        put(min);
        put(sum / SELF_LAGS.len() as f32);
    }
}

fn mean(track: &[f32]) -> f32 {
    track.iter().sum::<f32>() / track.len().max(1) as f32
}

fn deviation(track: &[f32]) -> f32 {
    let middle = mean(track);
    (track.iter().map(|v| (v - middle) * (v - middle)).sum::<f32>() / track.len().max(1) as f32).sqrt()
}

#[cfg(test)]
mod tests {
    use super::super::SceneAnalyser;
    use crate::units::Rng;

    const RATE: f32 = 44_100.0;

    fn kicks(t: f32) -> f32 {
        let since = t % 0.47;
        (std::f32::consts::TAU * 55.0 * since).sin() * (-since * 9.0).exp() + 0.02 * (t * 3_000.0).sin()
    }

    fn sound(seconds: f32, mut at: impl FnMut(f32) -> f32) -> Vec<f32> {
        (0..(seconds * RATE) as usize).map(|n| at(n as f32 / RATE)).collect()
    }

    #[test]
    fn the_summary_does_not_depend_on_the_level() {
        let mut rng = Rng::new(6);
        let mut music = sound(8.0, kicks);
        music.iter_mut().for_each(|sample| *sample += 0.01 * rng.normal() as f32);
        let filled = |gain: f32| {
            let mut analyser = SceneAnalyser::new();
            analyser.push(&music.iter().map(|sample| gain * sample).collect::<Vec<f32>>());
            analyser.summary().unwrap()
        };
        for (place, (loud, quiet)) in filled(0.8).into_iter().zip(filled(0.1)).enumerate() {
            assert!((loud - quiet).abs() < 0.05, "number {place}: {loud} and {quiet}");
        }
    }

    #[test]
    fn silence_noise_and_short_input_give_finite_values() {
        let mut rng = Rng::new(2);
        let noise: Vec<f32> = (0..66_150 * 2).map(|_| 0.1 * rng.normal() as f32).collect();
        for sound in [vec![0.0; 66_150 * 4], noise] {
            let mut analyser = SceneAnalyser::new();
            assert!(analyser.summary().is_none());
            for part in sound.chunks(66_200) {
                analyser.push(part);
                assert!(analyser.summary().is_none_or(|numbers| numbers.iter().all(|n| n.is_finite())));
            }
        }
    }

    #[test]
    fn beats_are_present_and_regular_in_music_and_not_in_noise() {
        // The last eight values: presence (mean, recent mean, two percentiles) and beats (mean, deviation, largest,
        // regularity).
        let mut rng = Rng::new(5);
        let noise = sound(8.0, |_| 0.1 * rng.normal() as f32);
        let [music, noise] = [sound(8.0, kicks), noise].map(|sound| {
            let mut analyser = SceneAnalyser::new();
            analyser.push(&sound);
            let summary = analyser.summary().unwrap();
            let [.., presence, _, _, _, _, _, _, regularity] = summary;
            (presence, regularity)
        });
        assert!(music.0 > noise.0 + 0.3 && music.1 > noise.1 + 0.2, "{music:?}, noise {noise:?}");
    }

    #[test]
    fn a_change_discards_the_history_and_a_steady_rhythm_is_no_change() {
        let mut analyser = SceneAnalyser::new();
        let changes = |analyser: &mut SceneAnalyser, sound: &[f32]| -> usize {
            sound
                .chunks_exact(22_050)
                .filter(|part| {
                    analyser.push(part);
                    analyser.take_change()
                })
                .count()
        };
        assert_eq!(changes(&mut analyser, &sound(12.0, kicks)), 0);
        let chord = |t: f32| 0.2 * ((t * 1_400.0).sin() + (t * 2_100.0).sin() + (t * 5_300.0).sin());
        assert_eq!(changes(&mut analyser, &sound(3.0, chord)), 1);
        let after = analyser.summary().unwrap();
        let mut fresh = SceneAnalyser::new();
        changes(&mut fresh, &sound(3.0, chord));
        let alone = fresh.summary().unwrap();
        // Value 1 is the deviation of the lowest range; a kick in the history would raise it.
        assert!((after[1] - alone[1]).abs() < 0.3, "{} {}", after[1], alone[1]);
    }
}
