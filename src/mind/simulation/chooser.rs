//! The algorithm under test, which chooses presets: the director, the algorithm of aivj's browser-based predecessor
//! (`reference`), or random choices.

use std::collections::VecDeque;

use super::algorithm::Algorithm;
use super::world::User;
use crate::mind::director::{CLUSTER_REST, Choice, Director, NO_REPEAT, Rule, Target};
use crate::mind::taste::{Arm, Signal, Taste};
use crate::units::Rng;

/// Softmax temperature of the reference algorithm.
const REFERENCE_TEMPERATURE: f64 = 0.5;

pub(super) struct Chooser {
    algorithm: Algorithm,
    director: Director,
    rng: Rng,
    arms: Vec<Arm>,
    /// Mean reward and number of signals of each arm, used by the reference algorithm.
    means: Vec<(f64, u32)>,
    clusters: VecDeque<u16>,
    presets: VecDeque<u32>,
}

impl Chooser {
    pub fn new(algorithm: Algorithm, user: &User, seed: u64) -> Self {
        let arms: Vec<Arm> = user.pool.arms().collect();
        let taste = Taste::new(user.pool.catalogue.clusters.len());
        Self {
            algorithm,
            director: Director::new(user.pool.clone(), taste),
            rng: Rng::new(seed).fork(2),
            means: vec![(0.0, 0); arms.len()],
            arms,
            clusters: VecDeque::new(),
            presets: VecDeque::new(),
        }
    }

    pub fn choose(&mut self, target: &Target) -> Option<Choice> {
        if self.algorithm == Algorithm::Taste {
            return self.director.choose(target, &[], &mut self.rng);
        }
        let open = (0..self.arms.len()).filter(|&at| !self.clusters.contains(&self.arms[at].cluster));
        let scores: Vec<(usize, f64)> = open.map(|at| (at, self.score(at, target))).collect();
        let best = scores.iter().map(|(_, score)| *score).fold(f64::NEG_INFINITY, f64::max);
        let weights: Vec<f64> = scores.iter().map(|(_, score)| (score - best).exp()).collect();
        let mut left = self.rng.unit() * weights.iter().sum::<f64>();
        let picked = weights.iter().position(|weight| {
            left -= weight;
            left < 0.0
        })?;
        let at = scores[picked].0;
        let fresh = |preset: &&u32| !self.presets.contains(preset);
        let presets: Vec<u32> =
            self.director.pool.presets(self.arms[at]).iter().filter(fresh).copied().collect();
        Some(Choice {
            preset: *presets.get(self.rng.below(presets.len()))?,
            evidence: self.director.evidence(self.arms[at], target),
            target: *target,
            score: scores[picked].1,
            liking: 0.0,
            probability: weights[picked] / weights.iter().sum::<f64>(),
            near: false,
            favourite: false,
            rule: Rule::All,
        })
    }

    fn score(&self, at: usize, target: &Target) -> f64 {
        match self.algorithm {
            Algorithm::Reference => {
                (self.director.evidence(self.arms[at], target).base + self.means[at].0)
                    / REFERENCE_TEMPERATURE
            }
            Algorithm::Random | Algorithm::Taste => 0.0,
        }
    }

    pub fn learn(&mut self, choice: &Choice, signal: Signal) {
        self.director.record_shown(choice.preset);
        self.director.learn(&choice.evidence, choice.preset, signal);
        if let Some(at) = self.arms.iter().position(|arm| *arm == choice.evidence.arm) {
            let (mean, count) = &mut self.means[at];
            *count += 1;
            *mean += (signal.reward() - *mean) / f64::from(*count);
        }
        self.clusters.push_back(choice.evidence.arm.cluster);
        if self.clusters.len() > CLUSTER_REST {
            self.clusters.pop_front();
        }
        self.presets.push_back(choice.preset);
        if self.presets.len() > NO_REPEAT {
            self.presets.pop_front();
        }
    }
}
