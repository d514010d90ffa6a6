//! Infers tempo and phase from the activations of the network, by exact forward inference in a state space of beat
//! periods and positions within the beat: the bar pointer model of Whiteley, Cemgil and Godsill (ISMIR 2006), with the
//! states and tempo changes of Krebs, Böck and Widmer (ISMIR 2015). One period per hop; positions advance by one hop.

use super::comb::Comb;

/// Shortest and longest period, in hops: 214 and 55 BPM.
const MIN_PERIOD: usize = 28;
const MAX_PERIOD: usize = 109;
const PERIODS: usize = MAX_PERIOD - MIN_PERIOD + 1;
/// Decay of the probability of a change in tempo, per unit of relative change.
const STEADINESS: f32 = 100.0;
/// Probability per beat that the tempo jumps to any other, and per hop that beat and tempo both do.
const JUMP: f32 = 1e-4;
const RESTART: f32 = 1e-6;
/// Log-normal tempo prior: centre in BPM and deviation in octaves.
const TEMPO_PRIOR: (f32, f32) = (120.0, 0.6);
/// Length of the part of a beat in which its activation peaks, in hops, and the odds against an activation elsewhere.
const PEAK: usize = 5;
const ODDS: f32 = 6.0;
/// Activations are limited to this distance from 0 and 1.
const LIMIT: f32 = 0.02;
/// Differences in period, as a share, and in phase, in beats, up to which states count as the same hypothesis.
const SAME_TEMPO: f32 = 0.03;
const SAME_PHASE: f32 = 0.1;
/// `z` of a certain hypothesis.
const CERTAIN_Z: f32 = 1.0;

/// Probability distribution over beat period and phase.
pub struct Pointer {
    /// Probability of each state: for each period, its positions in hops since the beat.
    states: Vec<f32>,
    next: Vec<f32>,
    /// First state of each period.
    first: [usize; PERIODS + 1],
    /// Probability of each period in the next beat, given the period of this one.
    transition: Vec<[f32; PERIODS]>,
    prior: [f32; PERIODS],
}

impl Pointer {
    /// Builds a distribution without any knowledge.
    pub fn new() -> Self {
        let period = |place: usize| (MIN_PERIOD + place) as f32;
        let mut prior: [f32; PERIODS] = std::array::from_fn(|place| {
            let octaves = (6000.0 / period(place) / TEMPO_PRIOR.0).log2() / TEMPO_PRIOR.1;
            (-0.5 * octaves * octaves).exp() / period(place)
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

    /// Advances by one hop with this activation.
    pub fn push(&mut self, activation: f32) {
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
        for place in 0..PERIODS {
            let range = self.first[place]..self.first[place + 1];
            let (now, next) = (&self.states[range.clone()], &mut self.next[range]);
            next[1..].copy_from_slice(&now[..now.len() - 1]);
            next[0] = entering[place];
            let (peak, rest) = next.split_at_mut(PEAK);
            peak.iter_mut().for_each(|state| *state *= on);
            rest.iter_mut().for_each(|state| *state *= off);
            total += next.iter().sum::<f32>();
        }
        let scale = (1.0 - RESTART) / total;
        for place in 0..PERIODS {
            let floor = RESTART * self.prior[place] / (MIN_PERIOD + place) as f32;
            for state in &mut self.next[self.first[place]..self.first[place + 1]] {
                *state = *state * scale + floor;
            }
        }
        std::mem::swap(&mut self.states, &mut self.next);
    }

    /// Returns the most probable hypothesis.
    pub fn best(&self) -> Comb {
        self.best_of(|_, _| Some(0.0))
    }

    /// Returns the most probable hypothesis within 2.5% of `period` whose last beat was `since` hops ago, give or take
    /// 12% of a period.
    pub fn near(&self, period: f32, since: f32) -> Comb {
        self.best_of(|candidate, position| {
            let away = (position - since) / candidate;
            ((candidate / period - 1.0).abs() < 0.025 && (away - away.round()).abs() < 0.12).then_some(0.0)
        })
    }

    /// Returns the hypothesis that agrees best with both the activations and a beat that fell `since` hops ago (negative
    /// if it is still to come), with this `period`. `errors` are the standard deviations of the period and of the beat, in
    /// hops; hypotheses more than two of them away are not considered.
    pub fn around(&self, period: f32, since: f32, errors: [f32; 2]) -> Comb {
        let [period_error, beat_error] = errors;
        self.best_of(|candidate, position| {
            let by_period = (candidate - period) / period_error.max(0.5);
            let away = (position - since) / candidate;
            let beats_back = (since / candidate).abs();
            let by_beat = (away - away.round()) * candidate / beat_error.hypot(0.5 * beats_back);
            let likely = by_period.abs() < 2.0 && by_beat.abs() < 2.0;
            likely.then_some(by_period * by_period + by_beat * by_beat)
        })
    }

    /// Returns the hypothesis around the state with the greatest probability, reduced by its cost; states without a cost
    /// are excluded. Period and phase are means over the states that count as the same hypothesis.
    fn best_of(&self, cost: impl Fn(f32, f32) -> Option<f32>) -> Comb {
        let (mut best, mut most) = (None, 0.0);
        for place in 0..PERIODS {
            let states = &self.states[self.first[place]..self.first[place + 1]];
            for (position, &state) in states.iter().enumerate() {
                if state > most
                    && let Some(cost) = cost((MIN_PERIOD + place) as f32, position_of(position))
                {
                    let value = state * (-0.5 * cost).exp();
                    if value > most {
                        (best, most) = (Some((place, position)), value);
                    }
                }
            }
        }
        best.map_or(Comb::default(), |(place, position)| self.hypothesis(place, position))
    }

    /// Returns the hypothesis around a state.
    fn hypothesis(&self, place: usize, position: usize) -> Comb {
        let centre = (MIN_PERIOD + place) as f32;
        let phase = position as f32 / centre;
        let reach = (SAME_TEMPO * centre).ceil() as usize;
        let (mut mass, mut period, mut away) = (0.0, 0.0, 0.0);
        for place in place.saturating_sub(reach)..(place + reach + 1).min(PERIODS) {
            let (length, first) = (MIN_PERIOD + place, self.first[place]);
            let (middle, reach) = (phase * length as f32, (SAME_PHASE * length as f32) as isize);
            for step in -reach..=reach {
                let position = middle.round() as isize + step;
                let state = self.states[first + position.rem_euclid(length as isize) as usize];
                mass += state;
                period += state * length as f32;
                away += state * (position as f32 - middle) / length as f32;
            }
        }
        let (period, phase) = (period / mass, phase + away / mass);
        let z = CERTAIN_Z * mass;
        Comb { period, since: position_of_phase(phase, period), z, score: z }
    }
}

/// Returns the hops since the middle of the peak, for a position in hops since its start.
fn position_of(position: usize) -> f32 {
    position as f32 - 0.5 * (PEAK - 1) as f32
}

fn position_of_phase(phase: f32, period: f32) -> f32 {
    (phase * period - 0.5 * (PEAK - 1) as f32).rem_euclid(period)
}

fn normalise(values: &mut [f32]) {
    let total: f32 = values.iter().sum();
    values.iter_mut().for_each(|value| *value /= total);
}
