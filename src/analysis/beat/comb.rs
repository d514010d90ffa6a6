//! Folds the accents of the last few seconds over the beat period of every candidate tempo and finds the phases at
//! which they peak.
//!
//! A comb of `n` beats whose mean accent is `f`, among accents with mean `m` and standard deviation `s`,
//! scores `z = (f - m) / s * sqrt(n)`: its distance from chance in standard deviations. The statistic
//! compares tempi fairly: a comb at twice the tempo has more teeth, but half of them hit nothing. Banks of
//! comb filters for tempo go back to Scheirer, "Tempo and beat analysis of acoustic musical signals", JASA
//! 103 (1998).

use super::drums::Accent;

/// Length of the accent history, in hops (8 s).
const HISTORY: usize = 800;
/// Decay constant of the weight of older hops, in hops.
const DECAY: f32 = 500.0;
/// Phase bins per period.
const PHASES: usize = 48;
/// Tempi per octave; neighbours are 1.2% apart.
const PER_OCTAVE: usize = 58;
/// Half the distance between neighbouring tempi, as a share of the period.
const HALF_BIN: f32 = 0.006;
/// Shortest period, in hops of 10 ms (218 BPM).
const MIN_PERIOD: f32 = 27.5;
/// Number of periods: a little over three octaves. Those of the last octave are used only as doubles of
/// other periods.
const PERIODS: usize = 3 * PER_OCTAVE + 10;
/// Number of periods that may be a beat: up to 1.22 s (49 BPM).
const BEATS: usize = PERIODS - PER_OCTAVE;
/// Log-normal tempo prior: centre in BPM and deviation in octaves.
const TEMPO_PRIOR: (f32, f32) = (130.0, 1.1);
/// Penalty exponent for unevenly accented beats (one strong, one weak).
const EVENNESS: f32 = 0.3;
/// Length of a repeating pattern in beats, the autocorrelation above which a repetition counts, and the extra
/// weight of a comb whose pattern repeats exactly.
const PATTERN: f32 = 4.0;
const SIMILAR: f32 = 0.7;
const REPETITION: f32 = 1.0;
/// Minimum number of pairs of hops to correlate.
const MIN_PAIRS: usize = 250;

/// A hypothesis of beat period and phase.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Comb {
    /// Beat period, in hops.
    pub period: f32,
    /// Hops since the last beat.
    pub since: f32,
    /// Distance from chance in standard deviations, multiplied by the weight of the repetition.
    pub z: f32,
    /// `z` weighted by the tempo prior and by how evenly the beats are accented.
    pub score: f32,
}

/// Accent history, folded over every period.
pub struct Combs {
    ring: Vec<Accent>,
    at: usize,
    filled: usize,
    weight: Vec<f32>,
    /// Mean accent per period and phase bin; bin 0 is now.
    fold: Vec<[f32; PHASES]>,
    mean: f32,
    deviation: f32,
    /// Total weight of the history, in hops.
    total_weight: f32,
    periods: Vec<f32>,
    prior: Vec<f32>,
    /// Weight of each period by how well its pattern repeats, 1 to 2.
    repetition: Vec<f32>,
}

impl Combs {
    /// Builds an empty history.
    pub fn new() -> Self {
        let periods: Vec<f32> =
            (0..PERIODS).map(|n| MIN_PERIOD * (n as f32 / PER_OCTAVE as f32).exp2()).collect();
        let common = |period: &f32| {
            let octaves = (6000.0 / period / TEMPO_PRIOR.0).log2();
            (-0.5 * (octaves / TEMPO_PRIOR.1).powi(2)).exp()
        };
        Self {
            ring: vec![Accent::default(); HISTORY],
            at: 0,
            filled: 0,
            weight: (0..HISTORY).map(|age| (-(age as f32) / DECAY).exp()).collect(),
            fold: vec![[0.0; PHASES]; PERIODS],
            mean: 0.0,
            deviation: 1.0,
            total_weight: 0.0,
            prior: periods.iter().map(common).collect(),
            repetition: vec![1.0; PERIODS],
            periods,
        }
    }

    /// Appends the accent of a hop.
    pub fn push(&mut self, accent: Accent) {
        self.ring[self.at] = accent;
        self.at = (self.at + 1) % HISTORY;
        self.filled = (self.filled + 1).min(HISTORY);
    }

    fn accent(&self, age: usize) -> &Accent {
        &self.ring[(self.at + HISTORY - 1 - age) % HISTORY]
    }

    /// Recomputes the fold of every period.
    pub fn fold(&mut self) {
        let mut accents = [0.0; HISTORY];
        let count = self.filled;
        for (age, out) in accents[..count].iter_mut().enumerate() {
            let (newer, older) = (age.saturating_sub(1), (age + 1).min(count - 1));
            *out = 0.25 * self.accent(newer).all + 0.5 * self.accent(age).all + 0.25 * self.accent(older).all;
        }
        let accents = &accents[..count];
        let total_weight: f32 = self.weight[..count].iter().sum();
        let weighed = |power: i32| {
            accents.iter().zip(&self.weight).map(|(accent, weight)| weight * accent.powi(power)).sum::<f32>()
                / total_weight.max(1e-6)
        };
        let (mean, square) = (weighed(1), weighed(2));
        self.mean = mean;
        self.deviation = (square - mean * mean).max(0.0).sqrt().max(1e-4);
        self.total_weight = total_weight;
        for (fold, period) in self.fold.iter_mut().zip(&self.periods) {
            *fold = fold_period(accents, &self.weight, *period, mean);
        }
        for (repetition, period) in self.repetition[..BEATS].iter_mut().zip(&self.periods) {
            let similarity = autocorrelation(accents, (PATTERN * period).round() as usize);
            *repetition = 1.0 + REPETITION * ((similarity - SIMILAR) / (1.0 - SIMILAR)).max(0.0);
        }
    }

    /// Returns the best hypothesis at any tempo and phase.
    pub fn best(&self) -> Comb {
        self.best_of(0..BEATS, |_, _| Some(0.0))
    }

    /// Returns the best hypothesis within about 2.5% of `period` whose last beat was `since` hops ago, give or take 12%
    /// of a period.
    pub fn near(&self, period: f32, since: f32) -> Comb {
        let place = ((period / MIN_PERIOD).log2() * PER_OCTAVE as f32).round();
        let place = place.clamp(0.0, (BEATS - 1) as f32) as usize;
        self.best_of(place.saturating_sub(2)..(place + 3).min(BEATS), |place, part| {
            let away = part as f32 / PHASES as f32 - since / self.periods[place];
            ((away - away.round()).abs() < 0.12).then_some(0.0)
        })
    }

    /// Returns the hypothesis that agrees best with both the accents and a beat that fell `since` hops ago (negative if
    /// it is still to come), with this `period`. `errors` are the standard deviations of the period and of the beat, in
    /// hops; hypotheses more than two of them away are not considered.
    pub fn around(&self, period: f32, since: f32, errors: [f32; 2]) -> Comb {
        let [period_error, beat_error] = errors;
        self.best_of(0..BEATS, |place, part| {
            let candidate = self.periods[place];
            let half_bin = candidate * HALF_BIN;
            // A bin stands for a range of periods, so the further back the beat, the less certain its distance.
            let by_period = (candidate - period) / period_error.max(half_bin);
            let away = part as f32 / PHASES as f32 - since / candidate;
            let by_beat = (away - away.round()) * candidate / beat_error.hypot(since * HALF_BIN);
            let likely = by_period.abs() < 2.0 && by_beat.abs() < 2.0;
            likely.then_some(by_period * by_period + by_beat * by_beat)
        })
    }

    /// Returns the hypothesis with the greatest squared score minus its cost; those without a cost are excluded.
    fn best_of(&self, places: std::ops::Range<usize>, cost: impl Fn(usize, usize) -> Option<f32>) -> Comb {
        let (mut best, mut most) = ((Comb::default(), 0, 0), 0.0);
        for place in places {
            for part in 0..PHASES {
                // Check the cheap half of the score first, since most bins are not candidates.
                if self.fold[place][part] > self.mean
                    && let Some(cost) = cost(place, part)
                {
                    let comb = self.comb(place, part);
                    let value = comb.score * comb.score - cost;
                    if value > most {
                        (best, most) = ((comb, place, part), value);
                    }
                }
            }
        }
        let (comb, place, part) = best;
        if comb.score <= 0.0 { comb } else { self.sharpen(comb, place, part) }
    }

    fn comb(&self, place: usize, part: usize) -> Comb {
        let (period, fold) = (self.periods[place], &self.fold[place]);
        // A tooth is wider than one bin to tolerate loose playing.
        let mean = 0.5 * fold[part] + 0.25 * (fold[(part + 1) % PHASES] + fold[(part + PHASES - 1) % PHASES]);
        let z = (mean - self.mean) / self.deviation
            * (self.total_weight / period).sqrt()
            * self.repetition[place];
        let twice = &self.fold[place + PER_OCTAVE];
        let level = |at: usize| (twice[at % PHASES] - 0.5 * self.mean).max(0.0);
        let (one, other) = (part / 2, part / 2 + PHASES / 2);
        let (one, other) = (level(one) + level(one + 1), level(other) + level(other + 1));
        let even = one.min(other) / one.max(other).max(1e-6);
        Comb {
            period,
            since: part as f32 / PHASES as f32 * period,
            z,
            score: z.max(0.0) * self.prior[place] * even.powf(EVENNESS),
        }
    }

    /// Refines period and phase by parabolic interpolation between neighbouring bins.
    fn sharpen(&self, comb: Comb, place: usize, part: usize) -> Comb {
        let top = |before: f32, here: f32, after: f32| {
            let bend = before - 2.0 * here + after;
            if bend < -1e-9 { (0.5 * (before - after) / bend).clamp(-0.5, 0.5) } else { 0.0 }
        };
        let fold = &self.fold[place];
        let shift = top(fold[(part + PHASES - 1) % PHASES], fold[part], fold[(part + 1) % PHASES]);
        let mut period = comb.period;
        if place > 0 && place + 1 < BEATS {
            let peak = |place: usize| self.fold[place].iter().copied().fold(0.0, f32::max);
            let step = top(peak(place - 1), peak(place), peak(place + 1));
            period *= (step / PER_OCTAVE as f32).exp2();
        }
        Comb { period, since: (part as f32 + shift) / PHASES as f32 * comb.period, ..comb }
    }
}

/// Returns the Pearson correlation of the accents with themselves `lag` hops later, -1 to 1; 0 with fewer than
/// [`MIN_PAIRS`] pairs. A plain product would count a step in the level as similarity.
fn autocorrelation(accents: &[f32], lag: usize) -> f32 {
    let pairs = accents.len().saturating_sub(lag);
    if pairs < MIN_PAIRS {
        return 0.0;
    }
    let mean = |part: &[f32]| part.iter().sum::<f32>() / pairs as f32;
    let (newer, older) = (&accents[..pairs], &accents[lag..]);
    let (of_newer, of_older) = (mean(newer), mean(older));
    let (mut both, mut newer_power, mut older_power) = (0.0, 1e-6_f32, 1e-6_f32);
    for (newer, older) in newer.iter().zip(older) {
        let (newer, older) = (newer - of_newer, older - of_older);
        both += newer * older;
        newer_power += newer * newer;
        older_power += older * older;
    }
    both / (newer_power * older_power).sqrt()
}

/// Returns the mean accent in each phase bin of a period; empty bins get the overall mean.
fn fold_period(accents: &[f32], weight: &[f32], period: f32, mean: f32) -> [f32; PHASES] {
    let mut sums = [0.0; PHASES + 1];
    let mut weights = [1e-9; PHASES + 1];
    let step = PHASES as f32 / period;
    let mut part = 0.0_f32;
    for (accent, weight) in accents.iter().zip(weight) {
        let low = part as usize;
        let high = (part - low as f32) * weight;
        sums[low] += (weight - high) * accent;
        weights[low] += weight - high;
        sums[low + 1] += high * accent;
        weights[low + 1] += high;
        part += step;
        if part >= PHASES as f32 {
            part -= PHASES as f32;
        }
    }
    sums[0] += sums[PHASES];
    weights[0] += weights[PHASES];
    std::array::from_fn(|part| if weights[part] > 0.2 { sums[part] / weights[part] } else { mean })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Rng;

    /// Returns the best `z` with and without the repetition weight, after four bars of 240 hops.
    fn best_z(mut accent: impl FnMut(usize) -> f32) -> (f32, f32) {
        let mut combs = Combs::new();
        for hop in 0..960 {
            combs.push(Accent { all: accent(hop), ..Accent::default() });
        }
        combs.fold();
        let with = combs.best().z;
        combs.repetition.fill(1.0);
        (with, combs.best().z)
    }

    #[test]
    fn a_repeating_pattern_raises_the_score_even_with_weak_beats() {
        let mut rng = Rng::new(3);
        let hands: [f32; 16] = std::array::from_fn(|step| if step % 4 == 0 { 0.2 } else { rng.unit_f32() });
        let (with, without) = best_z(|hop| if hop % 15 == 0 { hands[hop / 15 % 16] } else { 0.0 });
        assert!(with > 1.7 * without, "{with} {without}");
        // Random drums without repetition.
        let (with, without) = best_z(|hop| if hop % 15 == 0 { rng.unit_f32() * rng.unit_f32() } else { 0.0 });
        assert!(with < 1.2 * without, "{with} {without}");
        // Silence followed by hiss.
        let (with, without) = best_z(|hop| if hop < 600 { 0.0 } else { 0.5 + 0.1 * rng.unit_f32() });
        assert!(with < 1.2 * without, "{with} {without}");
    }

    #[test]
    fn a_rough_beat_and_period_find_the_comb_nearby() {
        let mut combs = Combs::new();
        for hop in 0..801 {
            combs.push(Accent { all: if hop % 47 == 0 { 1.0 } else { 0.0 }, ..Accent::default() });
        }
        combs.fold();
        // The last accent was one hop ago.
        for (period, since) in [(44.0, 3.0), (50.0, -2.0), (47.0, 1.0 + 4.0 * 47.0)] {
            let comb = combs.around(period, since, [3.5, 2.5]);
            assert!((comb.period - 47.0).abs() < 0.3 && (comb.since - 1.0).abs() < 0.6, "{comb:?}");
        }
        for (period, since, why) in [(58.0, 1.0, "another tempo"), (47.0, 24.0, "off the beat")] {
            let comb = combs.around(period, since, [3.5, 2.5]);
            assert!(comb.z < 0.5 * combs.best().z, "{why}: {comb:?}");
        }
    }
}
