//! Infers how many beats a bar has from how the accents repeat and from the activations of downbeats.
//!
//! For each candidate length, every beat is predicted from the beats at the same place in earlier bars. Compared with
//! predicting the mean of all beats, the errors give the likelihood of the length. Since each beat is predicted before
//! it is learnt, long bars, which have more to learn, are not favoured (Dawid, "Present position and potential
//! developments: the prequential approach", JRSS A 147, 1984).

use super::cells::{PARTS, Ranges};

/// Numbers of beats that a bar may have; the first is assumed until another is clearly more likely.
pub const METRES: [u8; 5] = [4, 3, 5, 6, 7];
/// Log prior of each metre, relative to the first.
const PRIOR: [f32; METRES.len()] = [0.0, -8.0, -10.0, -13.0, -10.0];
/// Candidate lengths of a bar in fast beats: each metre, and twice as many if only every second fast beat counts.
const LENGTHS: [usize; 9] = [3, 4, 5, 6, 7, 8, 10, 12, 14];
const LONGEST: usize = 14;
/// Factor by which evidence decays per fast beat.
const KEEP: f32 = 1.0 - 1.0 / 48.0;
/// Fast beats before the metre is evaluated.
const MIN_BEATS: f32 = 11.0;
/// Number of bars over which the accents at a place are averaged, and the weight in that average of the mean over all
/// places, in bars.
const AVERAGE_BARS: f32 = 8.0;
const SHRINKAGE: f32 = 0.5;
/// Weights of low, mid, high and sharp accents, and of the parts of a beat, in the error of a prediction.
const RANGE_WEIGHTS: [f32; RANGES] = [1.0, 0.7, 0.3, 0.5];
const PART_WEIGHTS: [f32; PARTS] = [1.0, 0.4, 0.7, 0.4];
/// Error that even an exact prediction counts as.
const EXACT: f32 = 0.03;
/// Number of independent values per beat that the error amounts to.
const VALUES: f32 = 1.5;
/// Weight of the log-likelihood of the downbeat activations, which depend on each other, and the range of an
/// activation.
const DOWNBEAT_WEIGHT: f32 = 0.5;
const DOWNBEAT_RANGE: (f32, f32) = (0.03, 0.97);
/// Log-likelihood by which bars with an odd number of fast beats must exceed those with four or eight to rule out that
/// only every second fast beat counts.
const ODD_MARGIN: f32 = 6.0;
/// Weight of a low accent and of a sharp one in the log-likelihood that a place starts the bar, except in bars of four
/// beats.
const FIRST_WEIGHTS: [f32; 2] = [6.0, -3.0];

/// Number of ranges whose accents are compared: low, mid, high and sharp.
const RANGES: usize = 4;
type Beat = [[f32; RANGES]; PARTS];

/// Returns the weighted squared distance between the accents of two beats.
fn distance(a: &Beat, b: &Beat) -> f32 {
    let part = |(a, b): (&[f32; RANGES], &[f32; RANGES])| {
        a.iter().zip(b).zip(RANGE_WEIGHTS).map(|((a, b), weight)| weight * (a - b).powi(2)).sum::<f32>()
    };
    a.iter().zip(b).map(part).zip(PART_WEIGHTS).map(|(error, weight)| weight * error).sum()
}

/// Moves `mean` towards `beat` by a share of the distance.
fn approach(mean: &mut Beat, beat: &Beat, share: f32) {
    for (mean, value) in mean.iter_mut().flatten().zip(beat.iter().flatten()) {
        *mean += (value - *mean) * share;
    }
}

/// Returns the index of the highest of several log-likelihoods, and the confidence in it.
pub fn most_likely(scores: &[f32]) -> (usize, f32) {
    let best = (0..scores.len()).fold(0, |best, n| if scores[n] > scores[best] { n } else { best });
    (best, confidence(scores, best))
}

/// Returns the confidence in the log-likelihood at index `of`: its probability, scaled so that 0 is no better than
/// chance and 1 is certain.
pub fn confidence(scores: &[f32], of: usize) -> f32 {
    let highest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let all: f32 = scores.iter().map(|score| (score - highest).exp()).sum();
    let chance = 1.0 / scores.len() as f32;
    (((scores[of] - highest).exp() / all - chance) / (1.0 - chance)).max(0.0)
}

/// The evidence for bars of one length.
#[derive(Default)]
struct Candidate {
    /// Mean accents at each place in the bar, and the number of bars averaged.
    mean: [Beat; LONGEST],
    bars: [f32; LONGEST],
    /// Log-likelihood that each place starts the bar, from the activations.
    downbeats: [f32; LONGEST],
    /// Sums over the predicted beats of the error of the prediction, of the error of predicting the mean of all beats,
    /// and of one.
    error: f32,
    chance: f32,
    predicted: f32,
}

impl Candidate {
    /// Adds a beat. `all` is the mean over all beats; `on` and `off` are the log-likelihoods that the beat is a
    /// downbeat, and that it is not.
    fn add(&mut self, place: usize, beat: &Beat, all: &Beat, on: f32, off: f32) {
        for sum in [&mut self.error, &mut self.chance, &mut self.predicted] {
            *sum *= KEEP;
        }
        if self.bars[place] == 0.0 {
            self.mean[place] = *all;
        } else {
            self.error += EXACT + distance(beat, &self.mean[place]);
            self.chance += EXACT + distance(beat, all);
            self.predicted += 1.0;
        }
        self.bars[place] = (self.bars[place] + 1.0).min(AVERAGE_BARS);
        approach(&mut self.mean[place], beat, 1.0 / (self.bars[place] + SHRINKAGE));
        for (at, likelihood) in self.downbeats.iter_mut().enumerate() {
            *likelihood = *likelihood * KEEP + if at == place { on } else { off };
        }
    }
}

/// Evidence for every metre, collected from the fast beats of a grid.
#[derive(Default)]
pub struct MetreEvidence {
    candidates: [Candidate; LENGTHS.len()],
    /// Number of the current fast beat, and its strongest accents; `None` before the first beat.
    number: Option<i64>,
    current: [Ranges; PARTS],
    /// Mean accents and downbeat activation of all beats.
    mean: Beat,
    downbeat: f32,
    /// Number of beats, with the weight of older ones decaying.
    beats: f32,
}

impl MetreEvidence {
    /// Adds the strongest accents in a cell, counted from beat 0 of the grid.
    pub fn push(&mut self, cell: i64, accents: Ranges) {
        let parts = PARTS as i64;
        let (number, part) = (cell.div_euclid(parts), cell.rem_euclid(parts) as usize);
        match self.number {
            // Wait for a whole beat; ignore a beat that is over, if a phase correction has led back to it.
            None if part != 0 => return,
            Some(current) if number < current => return,
            Some(current) if number > current => {
                self.end_beat(current);
                self.current = Default::default();
            }
            None | Some(_) => {}
        }
        self.number = Some(number);
        for (strongest, accent) in self.current[part].iter_mut().zip(accents) {
            *strongest = strongest.max(accent);
        }
    }

    fn end_beat(&mut self, number: i64) {
        let beat: Beat = self.current.map(|[low, mid, high, sharp, ..]| [low, mid, high, sharp]);
        let downbeat = self.current[0][5].clamp(DOWNBEAT_RANGE.0, DOWNBEAT_RANGE.1);
        if self.beats == 0.0 {
            (self.mean, self.downbeat) = (beat, downbeat);
        }
        let on = (downbeat / self.downbeat).ln();
        let off = ((1.0 - downbeat) / (1.0 - self.downbeat)).ln();
        for (candidate, length) in self.candidates.iter_mut().zip(LENGTHS) {
            candidate.add(number.rem_euclid(length as i64) as usize, &beat, &self.mean, on, off);
        }
        self.beats = self.beats * KEEP + 1.0;
        approach(&mut self.mean, &beat, 1.0 / self.beats);
        self.downbeat += (downbeat - self.downbeat) / self.beats;
    }

    fn candidate(&self, length: usize) -> Option<&Candidate> {
        LENGTHS.iter().zip(&self.candidates).find(|(of, _)| **of == length).map(|(_, candidate)| candidate)
    }

    /// Returns the log-likelihood of bars of `length` fast beats.
    fn likelihood(&self, length: usize) -> f32 {
        let Some(candidate) = self.candidate(length) else { return f32::NEG_INFINITY };
        let starts = &candidate.downbeats[..length];
        let best = starts.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let mean = starts.iter().map(|start| (start - best).exp()).sum::<f32>() / length as f32;
        let unexplained = candidate.error.max(EXACT) / candidate.chance.max(EXACT);
        DOWNBEAT_WEIGHT * (best + mean.ln()) - 0.5 * VALUES * candidate.predicted * unexplained.ln()
    }

    /// Returns the log odds of [`METRES`] if every `every`-th fast beat counts; `None` while there are too few
    /// beats.
    pub fn metres(&self, every: usize) -> Option<[f32; METRES.len()]> {
        (self.beats >= MIN_BEATS)
            .then(|| std::array::from_fn(|n| PRIOR[n] + self.likelihood(every * usize::from(METRES[n]))))
    }

    /// Returns whether the accents repeat after an odd number of fast beats, so that every second one cannot be a
    /// beat.
    pub fn is_odd(&self) -> bool {
        let even = self.likelihood(4).max(self.likelihood(8));
        self.beats >= MIN_BEATS
            && [3, 5, 7].into_iter().any(|odd| {
                let likelihood = self.likelihood(odd);
                likelihood > even + ODD_MARGIN && likelihood >= self.likelihood(2 * odd)
            })
    }

    /// Returns which of the `metre` beats in a bar is the first, and the confidence in it, 0 to 1. Beat n is the fast
    /// beat n · `every` + `parity`.
    pub fn first(&self, metre: u8, every: usize, parity: usize) -> (u64, f32) {
        let metre = usize::from(metre);
        let Some(candidate) = self.candidate(every * metre) else { return (0, 0.0) };
        let mut scores = [0.0; LONGEST];
        for (beat, score) in scores[..metre].iter_mut().enumerate() {
            let place = beat * every + parity;
            let [low, _, _, sharp] = candidate.mean[place][0];
            *score = candidate.downbeats[place] + FIRST_WEIGHTS[0] * low + FIRST_WEIGHTS[1] * sharp;
        }
        let (first, confidence) = most_likely(&scores[..metre]);
        (first as u64, confidence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Rng;

    /// Accents of a beat: low, mid, high, sharp, and the activations of a beat and of a downbeat.
    const KICK: Ranges = [1.0, 0.2, 0.2, 0.0, 0.0, 0.0];
    const SNARE: Ranges = [0.2, 0.9, 0.6, 0.5, 0.0, 0.0];
    const HAT: Ranges = [0.0, 0.05, 0.6, 0.0, 0.0, 0.0];

    /// Plays `bar` for `beats` beats, each with a hat halfway to the next and random deviations of up to `loose`.
    fn play(evidence: &mut MetreEvidence, bar: &[Ranges], beats: usize, loose: f32, rng: &mut Rng) {
        for beat in 0..beats {
            for part in 0..PARTS {
                let strokes = [bar[beat % bar.len()], [0.0; 6], HAT, [0.0; 6]][part];
                let accents = strokes.map(|stroke| (stroke + loose * (rng.unit_f32() - 0.5)).clamp(0.0, 1.0));
                evidence.push((beat * PARTS + part) as i64, accents);
            }
        }
    }

    fn metre(evidence: &MetreEvidence, every: usize) -> u8 {
        METRES[most_likely(&evidence.metres(every).expect("enough beats")).0]
    }

    #[test]
    fn repeating_accents_show_the_metre_within_a_few_bars() {
        for (bar, beats) in [
            (vec![KICK, SNARE, SNARE], 18),
            (vec![KICK, HAT, SNARE], 18),
            (vec![KICK, HAT, SNARE, KICK, SNARE], 20),
            (vec![KICK, HAT, HAT, SNARE, HAT, HAT], 24),
            (vec![KICK, HAT, SNARE, HAT, KICK, SNARE, HAT], 28),
        ] {
            let (mut evidence, mut rng) = (MetreEvidence::default(), Rng::new(3));
            play(&mut evidence, &bar, beats, 0.3, &mut rng);
            assert_eq!(usize::from(metre(&evidence, 1)), bar.len(), "{:?}", evidence.metres(1));
            assert_eq!(bar[evidence.first(bar.len() as u8, 1, 0).0 as usize], KICK, "a kick starts the bar");
        }
    }

    #[test]
    fn bars_have_four_beats_unless_the_accents_clearly_repeat_otherwise() {
        for bar in [
            vec![KICK],
            vec![KICK, SNARE],
            vec![KICK, SNARE, HAT, SNARE],
            vec![KICK, HAT, SNARE, HAT, HAT, KICK, SNARE, HAT],
        ] {
            for loose in [0.0, 0.5, 1.0] {
                let mut rng = Rng::new(5);
                for beats in [16, 40, 200] {
                    let mut evidence = MetreEvidence::default();
                    play(&mut evidence, &bar, beats, loose, &mut rng);
                    assert_eq!(metre(&evidence, 1), 4, "{bar:?}, {loose}: {:?}", evidence.metres(1));
                    assert!(!evidence.is_odd());
                }
            }
        }
    }

    #[test]
    fn downbeat_activations_alone_show_the_metre() {
        let downbeat = |activation| [0.5, 0.5, 0.5, 0.2, 0.8, activation];
        let (mut evidence, mut rng) = (MetreEvidence::default(), Rng::new(7));
        let bar = [downbeat(0.1), downbeat(0.1), downbeat(0.8)];
        play(&mut evidence, &bar, 48, 0.05, &mut rng);
        assert_eq!(metre(&evidence, 1), 3, "{:?}", evidence.metres(1));
        let (first, confidence) = evidence.first(3, 1, 0);
        assert!(first == 2 && confidence > 0.9, "{first} {confidence}");
    }

    #[test]
    fn every_second_fast_beat_is_counted_within_bars_of_twice_the_length() {
        let (mut evidence, mut rng) = (MetreEvidence::default(), Rng::new(9));
        play(&mut evidence, &[HAT, KICK, HAT, SNARE, HAT, SNARE], 48, 0.2, &mut rng);
        assert_eq!(metre(&evidence, 2), 3, "{:?}", evidence.metres(2));
        assert_eq!(evidence.first(3, 2, 1).0, 0);
        assert!(!evidence.is_odd());
        let mut evidence = MetreEvidence::default();
        play(&mut evidence, &[KICK, SNARE, SNARE], 30, 0.2, &mut rng);
        assert!(evidence.is_odd(), "three fast beats are one and a half slow ones");
    }
}
