//! The model: independent Gaussian beliefs about the terms of a reward, updated online.

use serde::{Deserialize, Serialize};

use super::Feedback;
use crate::analysis::Scene;
use crate::facts::Energy;

pub(super) const SCENES: usize = Scene::ALL.len();
pub(super) const ENERGIES: usize = Energy::ALL.len();
/// Number of beliefs per cluster: one about the cluster itself, one per scene, and one per energy.
pub(super) const PER_CLUSTER: usize = 1 + SCENES + ENERGIES;
/// Number of beliefs that contribute to one choice.
const TERMS: usize = 7;

/// Fraction by which each signal moves every variance back towards its prior.
const DRIFT: f64 = 0.002;
/// Standard deviations of the prior beliefs.
const BIAS_SD: f64 = 0.2;
const CLUSTER_SD: f64 = 0.45;
const ENERGY_SCENE_SD: f64 = 0.25;
const CLUSTER_SCENE_SD: f64 = 0.25;
const CLUSTER_ENERGY_SD: f64 = 0.15;
const BASE_SD: f64 = 0.3;
const MISMATCH_SD: f64 = 0.15;
/// Prior weight of the director's base score.
const BASE_MEAN: f64 = 0.3;
/// Prior change in the expected reward per energy step away from the target.
const MISMATCH_MEAN: f64 = -0.15;

/// A Gaussian belief about one number.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "[f64; 2]", into = "[f64; 2]")]
pub struct GaussianBelief {
    /// Expected value of the number.
    pub mean: f64,
    /// Variance of the number.
    pub variance: f64,
}

impl GaussianBelief {
    fn new(mean: f64, sd: f64) -> Self {
        Self { mean, variance: sd * sd }
    }
}

impl From<[f64; 2]> for GaussianBelief {
    /// Clamps both numbers and replaces non-finite ones with neutral values.
    fn from([mean, variance]: [f64; 2]) -> Self {
        Self {
            mean: if mean.is_finite() { mean.clamp(-4.0, 4.0) } else { 0.0 },
            variance: if variance.is_finite() { variance.clamp(1e-6, 4.0) } else { 0.04 },
        }
    }
}

impl From<GaussianBelief> for [f64; 2] {
    fn from(belief: GaussianBelief) -> Self {
        [belief.mean, belief.variance]
    }
}

/// The unit of learning: the presets of one style and one energy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Arm {
    /// Index of the cluster in the catalogue.
    pub cluster: u16,
    /// Energy of the presets.
    pub energy: Energy,
}

/// The circumstances of a choice: all that is needed to learn from it later.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// The chosen arm.
    pub arm: Arm,
    /// The scene that the arm was chosen for.
    pub scene: Scene,
    /// The director's base score.
    pub base: f64,
    /// Energy steps between the arm and the target, 0 to 2.
    pub mismatch: f64,
}

/// The changes made by one signal, so that they can be undone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lesson {
    choice: Evidence,
    /// Number added to the mean, and factor applied to the variance, of each term.
    changes: [(f64, f64); TERMS],
}

/// The taste model.
#[derive(Clone, Debug, PartialEq)]
pub struct Taste {
    pub(super) bias: GaussianBelief,
    pub(super) base: GaussianBelief,
    pub(super) mismatch: GaussianBelief,
    /// Beliefs about each energy in each scene, indexed by energy, then scene.
    pub(super) energy_scene: [[GaussianBelief; SCENES]; ENERGIES],
    /// One block of [`PER_CLUSTER`] beliefs per cluster.
    pub(super) clusters: Vec<[GaussianBelief; PER_CLUSTER]>,
    /// Number of signals received per cluster.
    pub(super) signals: Vec<u32>,
}

fn fresh_cluster() -> [GaussianBelief; PER_CLUSTER] {
    std::array::from_fn(|term| match term {
        0 => GaussianBelief::new(0.0, CLUSTER_SD),
        _ if term <= SCENES => GaussianBelief::new(0.0, CLUSTER_SCENE_SD),
        _ => GaussianBelief::new(0.0, CLUSTER_ENERGY_SD),
    })
}

impl Taste {
    /// Creates an untrained model for `clusters` clusters.
    pub fn new(clusters: usize) -> Self {
        Self {
            bias: GaussianBelief::new(0.0, BIAS_SD),
            base: GaussianBelief::new(BASE_MEAN, BASE_SD),
            mismatch: GaussianBelief::new(MISMATCH_MEAN, MISMATCH_SD),
            energy_scene: [[GaussianBelief::new(0.0, ENERGY_SCENE_SD); SCENES]; ENERGIES],
            clusters: vec![fresh_cluster(); clusters],
            signals: vec![0; clusters],
        }
    }

    /// Returns the expected reward of a choice.
    pub fn expected(&self, choice: &Evidence) -> f64 {
        self.liking(choice) + self.base.mean * choice.base + self.mismatch.mean * choice.mismatch
    }

    /// Returns the part of [`Self::expected`] that was learnt about the style.
    pub fn liking(&self, choice: &Evidence) -> f64 {
        let (scene, energy) = (choice.scene as usize, choice.arm.energy as usize);
        let own = &self.clusters[usize::from(choice.arm.cluster)];
        self.bias.mean
            + self.energy_scene[energy][scene].mean
            + own[0].mean
            + own[1 + scene].mean
            + own[1 + SCENES + energy].mean
    }

    /// Learns from the performer's feedback on a choice. The lesson can be undone with [`Self::unlearn`].
    pub fn learn(&mut self, choice: &Evidence, feedback: impl Into<Feedback>) -> Lesson {
        let feedback = feedback.into();
        let error = feedback.reward() - self.expected(choice);
        self.signals[usize::from(choice.arm.cluster)] += 1;
        let total: f64 = self.terms(choice).iter().map(|(belief, x)| x * x * belief.variance).sum();
        let surprise = feedback.signal.noise() + total;
        let changes = self.terms(choice).map(|(belief, x)| {
            let gain = belief.variance * x / surprise;
            let change = (gain * error, 1.0 - gain * x);
            belief.mean += change.0;
            belief.variance *= change.1;
            change
        });
        self.drift();
        Lesson { choice: *choice, changes }
    }

    /// Undoes a lesson of this model; later lessons are kept.
    pub fn unlearn(&mut self, lesson: &Lesson) {
        let signals = &mut self.signals[usize::from(lesson.choice.arm.cluster)];
        *signals = signals.saturating_sub(1);
        for ((belief, _), (mean, variance)) in self.terms(&lesson.choice).into_iter().zip(lesson.changes) {
            belief.mean -= mean;
            belief.variance /= variance;
        }
    }

    /// Returns the beliefs that contribute to a choice, with their factors.
    fn terms(&mut self, choice: &Evidence) -> [(&mut GaussianBelief, f64); TERMS] {
        let (scene, energy) = (choice.scene as usize, choice.arm.energy as usize);
        let own = &mut self.clusters[usize::from(choice.arm.cluster)];
        let (itself, rest) = own.split_at_mut(1);
        let (by_scene, by_energy) = rest.split_at_mut(SCENES);
        [
            (&mut self.bias, 1.0),
            (&mut self.energy_scene[energy][scene], 1.0),
            (&mut itself[0], 1.0),
            (&mut by_scene[scene], 1.0),
            (&mut by_energy[energy], 1.0),
            (&mut self.base, choice.base),
            (&mut self.mismatch, choice.mismatch),
        ]
    }

    fn drift(&mut self) {
        let first = Self::new(0);
        let back = |belief: &mut GaussianBelief, first: &GaussianBelief| {
            belief.variance += DRIFT * (first.variance - belief.variance);
        };
        back(&mut self.bias, &first.bias);
        back(&mut self.base, &first.base);
        back(&mut self.mismatch, &first.mismatch);
        for (belief, first) in self.energy_scene.iter_mut().flatten().zip(first.energy_scene.iter().flatten())
        {
            back(belief, first);
        }
        let first = fresh_cluster();
        for own in &mut self.clusters {
            own.iter_mut().zip(&first).for_each(|(belief, first)| back(belief, first));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mind::taste::Signal;

    fn choice(cluster: u16) -> Evidence {
        let arm = Arm { cluster, energy: Energy::Groove };
        Evidence { arm, scene: Scene::Techno, base: 0.2, mismatch: 0.1 }
    }

    #[test]
    fn skips_lower_and_favourites_raise_the_expected_reward_of_their_style() {
        let mut taste = Taste::new(3);
        let before = taste.expected(&choice(2));
        for _ in 0..5 {
            taste.learn(&choice(0), Signal::Skip);
            taste.learn(&choice(1), Signal::Favourite);
        }
        let after: Vec<f64> = (0..3).map(|cluster| taste.expected(&choice(cluster))).collect();
        assert!(after[0] < before - 0.3 && after[1] > before + 0.3, "{after:?} from {before}");
        assert!((after[2] - before).abs() < 0.3, "a style without signals moved: {after:?}");
    }

    #[test]
    fn a_change_of_mind_is_followed() {
        let mut taste = Taste::new(1);
        (0..100).for_each(|_| _ = taste.learn(&choice(0), Signal::Favourite));
        let liked = taste.liking(&choice(0));
        (0..25).for_each(|_| _ = taste.learn(&choice(0), Signal::Skip));
        assert!(liked > 0.5 && taste.liking(&choice(0)) < 0.0, "{liked} -> {}", taste.liking(&choice(0)));
    }

    #[test]
    fn a_lesson_can_be_undone_and_later_ones_stay() {
        let expected = |taste: &Taste| [0, 1].map(|cluster| taste.expected(&choice(cluster)));
        let mut taste = Taste::new(2);
        taste.learn(&choice(0), Signal::Hold);
        let before = expected(&taste);
        let lesson = taste.learn(&choice(0), Signal::Skip);
        assert!(expected(&taste)[0] < before[0] - 0.05);
        taste.unlearn(&lesson);
        let after = expected(&taste);
        assert!(
            (0..2).all(|cluster| (after[cluster] - before[cluster]).abs() < 1e-9),
            "{before:?} {after:?}"
        );
        assert_eq!(taste.signals, [1, 0]);
        let lesson = taste.learn(&choice(0), Signal::Skip);
        taste.learn(&choice(1), Signal::Favourite);
        taste.unlearn(&lesson);
        assert!(expected(&taste)[1] > before[1] + 0.05, "the favourite was forgotten too");
    }

    #[test]
    fn watching_teaches_less_than_an_action() {
        let step = |signal| {
            let mut taste = Taste::new(1);
            let before = taste.expected(&choice(0));
            taste.learn(&choice(0), signal);
            (taste.expected(&choice(0)) - before) / (Signal::reward(signal) - before)
        };
        assert!(step(Signal::Watched) < 0.7 * step(Signal::Hold));
    }
}
