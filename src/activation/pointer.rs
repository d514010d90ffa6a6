//! Exact forward inference of tempo and phase from activations: the bar pointer model of Whiteley, Cemgil and Godsill
//! ("Bayesian modelling of temporal structure in musical audio", ISMIR 2006), reduced to one beat, with the states and
//! tempo changes of Krebs, Böck and Widmer ("An efficient state-space model for joint tempo and meter tracking",
//! ISMIR 2015).
//!
//! A state is a beat period and the number of hops since the beat. The number grows by one per hop; the period may change
//! at each beat.

/// Shortest and longest period, in hops of 10 ms: 214 and 55 BPM.
const MIN_PERIOD: usize = 28;
const MAX_PERIOD: usize = 109;
const PERIODS: usize = MAX_PERIOD - MIN_PERIOD + 1;
/// Decay of the probability of a change in period, per unit of relative change.
const STEADINESS: f32 = 100.0;
/// Probability that the tempo jumps to any other at a beat, and probability per hop that tempo and phase are forgotten.
const JUMP: f32 = 1e-4;
const RESTART: f32 = 1e-6;
/// Log-normal tempo prior: centre in BPM and deviation in octaves.
const TEMPO_PRIOR: (f32, f32) = (120.0, 0.6);
/// Hops of a beat in which its activation is high, and the odds against a high activation in any other hop.
const PEAK: usize = 5;
const ODDS: f32 = 6.0;
/// Activations are limited to this distance from 0 and 1.
const LIMIT: f32 = 0.02;
/// Differences in period, as a share, and in phase, in beats, up to which states belong to one hypothesis.
const SAME_TEMPO: f32 = 0.03;
const SAME_PHASE: f32 = 0.1;

/// A hypothesis of beat period and phase.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Hypothesis {
    /// Beat period, in hops.
    pub period: f32,
    /// Hops since the peak of the last activation of a beat.
    pub since: f32,
    /// Probability of these and similar values, 0 to 1.
    pub probability: f32,
}

/// Probability distribution over beat period and phase.
pub struct BarPointer {
    /// Probability of each state: for each period, from the shortest, the hops since the beat.
    states: Vec<f32>,
    next: Vec<f32>,
    /// Index of the first state of each period, and the number of states.
    first: [usize; PERIODS + 1],
    /// Probability of each period, given the period of the last beat.
    transition: Vec<[f32; PERIODS]>,
    prior: [f32; PERIODS],
}

impl Default for BarPointer {
    fn default() -> Self {
        Self::new()
    }
}

impl BarPointer {
    /// Builds the distribution before any activation: the tempo prior, and any phase.
    pub fn new() -> Self {
        let period = |place: usize| (MIN_PERIOD + place) as f32;
        let mut prior: [f32; PERIODS] = std::array::from_fn(|place| {
            let deviations = (6000.0 / period(place) / TEMPO_PRIOR.0).log2() / TEMPO_PRIOR.1;
            (-0.5 * deviations * deviations).exp() / period(place)
        });
        normalise(&mut prior);
        let transition = (0..PERIODS).map(|from| {
            let mut to: [f32; PERIODS] =
                std::array::from_fn(|to| (-STEADINESS * (period(to) / period(from) - 1.0).abs()).exp());
            normalise(&mut to);
            std::array::from_fn(|place| (1.0 - JUMP) * to[place] + JUMP * prior[place])
        });
        let transition = transition.collect();
        let mut first = [0; PERIODS + 1];
        for place in 0..PERIODS {
            first[place + 1] = first[place] + MIN_PERIOD + place;
        }
        let states: Vec<f32> = (0..PERIODS)
            .flat_map(|place| std::iter::repeat_n(prior[place] / period(place), MIN_PERIOD + place))
            .collect();
        Self { next: states.clone(), states, first, transition, prior }
    }

    /// Advances by one hop with this activation, 0 to 1.
    pub fn step(&mut self, activation: f32) {
        let activation = activation.clamp(LIMIT, 1.0 - LIMIT);
        let (on, off) = (activation, (1.0 - activation) / ODDS);
        let mut entering = [0.0; PERIODS];
        for (place, transition) in self.transition.iter().enumerate() {
            let leaving = self.states[self.first[place + 1] - 1];
            for (entering, share) in entering.iter_mut().zip(transition) {
                *entering += leaving * share;
            }
        }
        let mut total = 0.0;
        for (place, entering) in entering.into_iter().enumerate() {
            let range = self.first[place]..self.first[place + 1];
            let (now, next) = (&self.states[range.clone()], &mut self.next[range]);
            next[1..].copy_from_slice(&now[..now.len() - 1]);
            next[0] = entering;
            let (peak, rest) = next.split_at_mut(PEAK);
            peak.iter_mut().for_each(|state| *state *= on);
            rest.iter_mut().for_each(|state| *state *= off);
            total += next.iter().sum::<f32>();
        }
        let scale = (1.0 - RESTART) / total;
        for (place, prior) in self.prior.iter().enumerate() {
            let restarted = RESTART * prior / (MIN_PERIOD + place) as f32;
            for state in &mut self.next[self.first[place]..self.first[place + 1]] {
                *state = *state * scale + restarted;
            }
        }
        std::mem::swap(&mut self.states, &mut self.next);
    }

    /// Returns the most probable hypothesis.
    pub fn best(&self) -> Hypothesis {
        self.best_of(|_, _| true)
    }

    /// Returns the most probable hypothesis within 2.5% of `period` whose last beat was `since` hops ago, give or take
    /// 12% of a period; the default if the period is out of range.
    pub fn near(&self, period: f32, since: f32) -> Hypothesis {
        self.best_of(|candidate, position| {
            let away = (position - since) / candidate;
            (candidate / period - 1.0).abs() < 0.025 && (away - away.round()).abs() < 0.12
        })
    }

    /// Returns the hypothesis around the most probable state that `fits` accepts, given its period and the hops since its
    /// peak.
    fn best_of(&self, fits: impl Fn(f32, f32) -> bool) -> Hypothesis {
        let (mut best, mut most) = (None, 0.0);
        for place in 0..PERIODS {
            for (hops, &state) in self.states[self.first[place]..self.first[place + 1]].iter().enumerate() {
                if state > most && fits((MIN_PERIOD + place) as f32, since_peak(hops as f32)) {
                    (best, most) = (Some((place, hops)), state);
                }
            }
        }
        best.map_or(Hypothesis::default(), |(place, hops)| self.hypothesis(place, hops))
    }

    /// Returns the hypothesis of the states around one. Period and phase are their means.
    fn hypothesis(&self, place: usize, hops: usize) -> Hypothesis {
        let centre = (MIN_PERIOD + place) as f32;
        let phase = hops as f32 / centre;
        let reach = (SAME_TEMPO * centre).ceil() as usize;
        let (mut probability, mut period, mut away) = (0.0, 0.0, 0.0);
        for place in place.saturating_sub(reach)..(place + reach + 1).min(PERIODS) {
            let length = MIN_PERIOD + place;
            let (middle, reach) = (phase * length as f32, (SAME_PHASE * length as f32) as isize);
            for step in -reach..=reach {
                let position = middle.round() as isize + step;
                let state = self.states[self.first[place] + position.rem_euclid(length as isize) as usize];
                probability += state;
                period += state * length as f32;
                away += state * (position as f32 - middle) / length as f32;
            }
        }
        let (period, phase) = (period / probability, phase + away / probability);
        Hypothesis { period, since: since_peak(phase * period).rem_euclid(period), probability }
    }
}

/// Returns the hops since the middle of the peak, which is before it if negative, given the hops since the beat.
fn since_peak(hops: f32) -> f32 {
    hops - 0.5 * (PEAK - 1) as f32
}

fn normalise(values: &mut [f32]) {
    let total: f32 = values.iter().sum();
    values.iter_mut().for_each(|value| *value /= total);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Rng;

    /// Steps through `hops` activations that peak at every multiple of `period`, with noise.
    fn run(pointer: &mut BarPointer, rng: &mut Rng, hops: std::ops::Range<usize>, period: f32) {
        for hop in hops {
            let away = hop as f32 - (hop as f32 / period).round() * period;
            let peak = (1.0 - away.abs() / 4.0).max(0.0);
            pointer.step(0.6 * peak + 0.2 * rng.unit_f32());
        }
    }

    #[test]
    fn period_and_phase_are_found_and_survive_a_missing_beat() {
        for period in [33.3, 46.5, 70.0, 100.0] {
            let (mut pointer, mut rng) = (BarPointer::new(), Rng::new(5));
            run(&mut pointer, &mut rng, 0..1_000, period);
            let found = pointer.best();
            assert!(
                (found.period / period - 1.0).abs() < 0.02 && found.probability > 0.9,
                "{period}: {found:?}"
            );
            let away = (999.0 - found.since) / period;
            assert!((away - away.round()).abs() < 0.06, "{period}: {found:?}");
            for _ in 0..50 {
                pointer.step(0.05);
            }
            let near = pointer.near(period, found.since + 50.0);
            assert!(near.probability > 0.5, "{period}: {near:?}");
        }
    }

    #[test]
    fn a_new_tempo_is_found_within_seconds() {
        let (mut pointer, mut rng) = (BarPointer::new(), Rng::new(6));
        run(&mut pointer, &mut rng, 0..1_500, 50.0);
        run(&mut pointer, &mut rng, 1_500..2_100, 41.0);
        let found = pointer.best();
        assert!((found.period / 41.0 - 1.0).abs() < 0.02 && found.probability > 0.9, "{found:?}");
    }

    #[test]
    fn the_states_stay_a_distribution_whatever_the_activations() {
        let mut pointer = BarPointer::new();
        for activation in [0.0, 1.0, -1.0, 2.0, f32::MIN_POSITIVE].into_iter().cycle().take(4_000) {
            pointer.step(activation);
        }
        let total: f32 = pointer.states.iter().sum();
        assert!((total - 1.0).abs() < 1e-3, "{total}");
        assert!(pointer.states.iter().all(|&state| state > 0.0));
        assert_eq!(pointer.near(400.0, 10.0), Hypothesis::default());
    }
}
