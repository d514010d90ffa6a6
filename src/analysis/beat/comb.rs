//! Folds the accents of the last seconds over every tempo, and finds where in each they gather.
//!
//! A comb of `n` beats on accents with mean `m` and deviation `s` that finds `f` on average is worth
//! `z = (f - m) / s * sqrt(n)`: how many deviations that is away from chance. The same statistic compares tempi
//! fairly: a comb of twice the tempo has more teeth, half of them in the void. Banks of combs for tempo go back to
//! Scheirer, "Tempo and beat analysis of acoustic musical signals", JASA 103 (1998).

use super::drums::Accent;

/// Hops kept, 8 s.
const KEPT: usize = 800;
/// How fast older hops lose weight, in hops.
const FADE: f32 = 500.0;
/// Parts of a period.
const PARTS: usize = 48;
/// Tempi in an octave; each is 1.2 % from the next.
const PER_OCTAVE: usize = 58;
/// Shortest period, in hops of 10 ms: 218 BPM.
const SHORTEST: f32 = 27.5;
/// Periods in all: three octaves and a little, the last one only as twice another.
const PERIODS: usize = 3 * PER_OCTAVE + 10;
/// Periods that may be a beat: up to 1.24 s, 48 BPM.
const BEATS: usize = PERIODS - PER_OCTAVE;
/// The commonest tempo, in BPM, and how far others lie from it, in octaves.
const COMMON: (f32, f32) = (130.0, 1.1);
/// How much beats that are accented unevenly, one strong and one weak, speak against a tempo.
const EVENNESS: f32 = 0.3;
/// Beats after which a pattern that repeats is the same again, and how much that counts: likeness from which on it
/// does, and how much more a comb whose pattern comes back exactly stands out.
const PATTERN: f32 = 4.0;
const LIKE: f32 = 0.7;
const REPEATS: f32 = 1.0;
/// Fewest hops a pattern is compared over.
const COMPARED: usize = 250;

/// One reading of where beats may lie.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Comb {
    /// Period in hops.
    pub period: f32,
    /// Hops since the last beat.
    pub since: f32,
    /// Deviations away from chance.
    pub z: f32,
    /// `z` weighed by how common the tempo is and how evenly its beats are accented.
    pub score: f32,
}

/// The folded accents.
pub struct Combs {
    ring: Vec<Accent>,
    at: usize,
    heard: usize,
    weight: Vec<f32>,
    /// Mean accent per period and part; part 0 is now.
    fold: Vec<[f32; PARTS]>,
    mean: f32,
    deviation: f32,
    /// Weight of everything in view, in hops.
    view: f32,
    periods: Vec<f32>,
    prior: Vec<f32>,
    /// How much a comb of each period counts because its pattern comes back, 1 or more.
    again: Vec<f32>,
}

impl Combs {
    /// Nothing folded yet.
    pub fn new() -> Self {
        let periods: Vec<f32> =
            (0..PERIODS).map(|n| SHORTEST * (n as f32 / PER_OCTAVE as f32).exp2()).collect();
        let common = |period: &f32| {
            let octaves = (6000.0 / period / COMMON.0).log2();
            (-0.5 * (octaves / COMMON.1).powi(2)).exp()
        };
        Self {
            ring: vec![Accent::default(); KEPT],
            at: 0,
            heard: 0,
            weight: (0..KEPT).map(|age| (-(age as f32) / FADE).exp()).collect(),
            fold: vec![[0.0; PARTS]; PERIODS],
            mean: 0.0,
            deviation: 1.0,
            view: 0.0,
            prior: periods.iter().map(common).collect(),
            again: vec![1.0; PERIODS],
            periods,
        }
    }

    /// Takes the accent of a hop.
    pub fn push(&mut self, accent: Accent) {
        self.ring[self.at] = accent;
        self.at = (self.at + 1) % KEPT;
        self.heard = (self.heard + 1).min(KEPT);
    }

    fn accent(&self, age: usize) -> &Accent {
        &self.ring[(self.at + KEPT - 1 - age) % KEPT]
    }

    /// Folds everything anew.
    pub fn fold(&mut self) {
        let mut accents = [0.0; KEPT];
        let count = self.heard;
        for (age, out) in accents[..count].iter_mut().enumerate() {
            let (newer, older) = (age.saturating_sub(1), (age + 1).min(count - 1));
            *out = 0.25 * self.accent(newer).all + 0.5 * self.accent(age).all + 0.25 * self.accent(older).all;
        }
        let accents = &accents[..count];
        let view: f32 = self.weight[..count].iter().sum();
        let weighed = |power: i32| {
            accents.iter().zip(&self.weight).map(|(accent, weight)| weight * accent.powi(power)).sum::<f32>()
                / view.max(1e-6)
        };
        let (mean, square) = (weighed(1), weighed(2));
        self.mean = mean;
        self.deviation = (square - mean * mean).max(0.0).sqrt().max(1e-4);
        self.view = view;
        for (fold, period) in self.fold.iter_mut().zip(&self.periods) {
            *fold = folded(accents, &self.weight, *period, mean);
        }
        for (again, period) in self.again[..BEATS].iter_mut().zip(&self.periods) {
            let like = likeness(accents, (PATTERN * period).round() as usize);
            *again = 1.0 + REPEATS * ((like - LIKE) / (1.0 - LIKE)).max(0.0);
        }
    }

    /// The best reading of all.
    pub fn best(&self) -> Comb {
        self.best_of(0..BEATS, |_, _| true)
    }

    /// The best reading close to a grid: within 2.5 % of its period and 12 % of its phase.
    pub fn near(&self, period: f32, since: f32) -> Comb {
        let place = ((period / SHORTEST).log2() * PER_OCTAVE as f32).round();
        let place = place.clamp(0.0, (BEATS - 1) as f32) as usize;
        self.best_of(place.saturating_sub(2)..(place + 3).min(BEATS), |place, part| {
            let away = part as f32 / PARTS as f32 - since / self.periods[place];
            (away - away.round()).abs() < 0.12
        })
    }

    fn best_of(&self, places: std::ops::Range<usize>, may: impl Fn(usize, usize) -> bool) -> Comb {
        let mut best = (Comb::default(), 0, 0);
        for place in places {
            for part in 0..PARTS {
                // The quick half of the score first: most parts are no candidates.
                if self.fold[place][part] > self.mean && may(place, part) {
                    let comb = self.comb(place, part);
                    if comb.score > best.0.score {
                        best = (comb, place, part);
                    }
                }
            }
        }
        let (comb, place, part) = best;
        if comb.score <= 0.0 { comb } else { self.sharpen(comb, place, part) }
    }

    fn comb(&self, place: usize, part: usize) -> Comb {
        let (period, fold) = (self.periods[place], &self.fold[place]);
        // A tooth is wider than a part, so that loose playing still meets it.
        let mean = 0.5 * fold[part] + 0.25 * (fold[(part + 1) % PARTS] + fold[(part + PARTS - 1) % PARTS]);
        let z = (mean - self.mean) / self.deviation * (self.view / period).sqrt() * self.again[place];
        let twice = &self.fold[place + PER_OCTAVE];
        let level = |at: usize| (twice[at % PARTS] - 0.5 * self.mean).max(0.0);
        let (one, other) = (part / 2, part / 2 + PARTS / 2);
        let (one, other) = (level(one) + level(one + 1), level(other) + level(other + 1));
        let even = one.min(other) / one.max(other).max(1e-6);
        Comb {
            period,
            since: part as f32 / PARTS as f32 * period,
            z,
            score: z.max(0.0) * self.prior[place] * even.powf(EVENNESS),
        }
    }

    /// Finer than the raster: a parabola through the neighbours in period and in phase.
    fn sharpen(&self, comb: Comb, place: usize, part: usize) -> Comb {
        let top = |before: f32, here: f32, after: f32| {
            let bend = before - 2.0 * here + after;
            if bend < -1e-9 { (0.5 * (before - after) / bend).clamp(-0.5, 0.5) } else { 0.0 }
        };
        let fold = &self.fold[place];
        let shift = top(fold[(part + PARTS - 1) % PARTS], fold[part], fold[(part + 1) % PARTS]);
        let mut period = comb.period;
        if place > 0 && place + 1 < BEATS {
            let peak = |place: usize| self.fold[place].iter().copied().fold(0.0, f32::max);
            let step = top(peak(place - 1), peak(place), peak(place + 1));
            period *= (step / PER_OCTAVE as f32).exp2();
        }
        Comb { period, since: (part as f32 + shift) / PARTS as f32 * comb.period, ..comb }
    }
}

/// How like themselves the accents are some hops later, -1..1 (Pearson's correlation, so that a step of the level is no
/// likeness); 0 while too few were heard.
fn likeness(accents: &[f32], lag: usize) -> f32 {
    let pairs = accents.len().saturating_sub(lag);
    if pairs < COMPARED {
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

/// Mean accent in each part of a period; parts that nothing fell into read the mean of all.
fn folded(accents: &[f32], weight: &[f32], period: f32, mean: f32) -> [f32; PARTS] {
    let mut sums = [0.0; PARTS + 1];
    let mut weights = [1e-9; PARTS + 1];
    let step = PARTS as f32 / period;
    let mut part = 0.0_f32;
    for (accent, weight) in accents.iter().zip(weight) {
        let low = part as usize;
        let high = (part - low as f32) * weight;
        sums[low] += (weight - high) * accent;
        weights[low] += weight - high;
        sums[low + 1] += high * accent;
        weights[low + 1] += high;
        part += step;
        if part >= PARTS as f32 {
            part -= PARTS as f32;
        }
    }
    sums[0] += sums[PARTS];
    weights[0] += weights[PARTS];
    std::array::from_fn(|part| if weights[part] > 0.2 { sums[part] / weights[part] } else { mean })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Rng;

    /// How far the best comb stands out, with and without what comes back, after four bars of 240 hops.
    fn heard(mut accent: impl FnMut(usize) -> f32) -> (f32, f32) {
        let mut combs = Combs::new();
        for hop in 0..960 {
            combs.push(Accent { all: accent(hop), ..Accent::default() });
        }
        combs.fold();
        let with = combs.best().z;
        combs.again.fill(1.0);
        (with, combs.best().z)
    }

    #[test]
    fn a_pattern_that_comes_back_stands_out_though_hardly_anything_falls_on_its_beats() {
        let mut rng = Rng::new(3);
        let hands: [f32; 16] = std::array::from_fn(|step| if step % 4 == 0 { 0.2 } else { rng.unit_f32() });
        let (with, without) = heard(|hop| if hop % 15 == 0 { hands[hop / 15 % 16] } else { 0.0 });
        assert!(with > 1.7 * without, "{with} {without}");
        // Other drums every bar.
        let (with, without) = heard(|hop| if hop % 15 == 0 { rng.unit_f32() * rng.unit_f32() } else { 0.0 });
        assert!(with < 1.2 * without, "{with} {without}");
        // Hiss after silence.
        let (with, without) = heard(|hop| if hop < 600 { 0.0 } else { 0.5 + 0.1 * rng.unit_f32() });
        assert!(with < 1.2 * without, "{with} {without}");
    }
}
