//! The simulated users: hidden preferences, music that wanders between scenes, and reactions to presets.

use std::sync::Arc;

use super::scenario::{CHANGE_AT, CUTS, Drift, Scenario};
use super::tally::CutOutcome;
use crate::analysis::Scene;
use crate::facts::{Energy, PresetId};
use crate::library::{Catalogue, Cluster, Entry, SourceLocation, StyleOrigin};
use crate::mind::director::{Affinity, CLUSTER_REST, Choice, Pool, Target};
use crate::mind::taste::{Arm, Signal};
use crate::units::Rng;

const ENERGIES: usize = Energy::ALL.len();
const SCENES: usize = 3;
const PRESETS_PER_ARM: usize = 20;
/// Probability that an arm has presets if its energy is not groove; groove arms always have presets.
const AVAILABLE: f64 = 0.85;
/// Probability that the scene stays the same from one cut to the next; otherwise, one is drawn at random.
const SCENE_STAYS: f64 = 0.97;
/// Mean energy level of each scene: ambient, techno, rock.
const SCENE_LEVELS: [f64; SCENES] = [0.3, 1.3, 1.1];
/// Mean preference over all arms, before costs.
const MEAN_PREFERENCE: f64 = -0.35;
/// Standard deviation of the preference for a cluster.
const CLUSTER_SD: f64 = 1.0;
/// Standard deviation of the preference for a cluster in a scene.
const CLUSTER_SCENE_SD: f64 = 0.6;
/// Standard deviation of the preference for a cluster at an energy.
const CLUSTER_ENERGY_SD: f64 = 0.35;
/// Standard deviation of the preference for a preset.
const PRESET_SD: f64 = 0.6;
/// Cost of one energy step away from the user's ideal.
const MISMATCH_COST: f64 = 0.9;
/// Standard deviation of the difference between the user's ideal energy and the energy of the music.
const LEVEL_BIAS_SD: f64 = 0.5;
/// Cost of repeating a cluster at the next cut.
const REPEAT_COST: f64 = 0.6;
/// Number of cuts over which the cost of repeating a cluster fades.
const REPEAT_CUTS: usize = 4;
/// Probability of an accidental skip.
const ACCIDENT: f64 = 0.02;
/// Probability that a change of mind affects a cluster.
const CHANGE_SHARE: f64 = 0.6;
/// Strength of the random walk of a drifting taste, per cut.
const WALK: f64 = 0.06;

/// A simulated user, their library and their session.
pub(super) struct User {
    scenario: Scenario,
    rng: Rng,
    drift_rng: Rng,
    cluster: Vec<f64>,
    cluster_scene: Vec<[f64; SCENES]>,
    cluster_energy: Vec<[f64; ENERGIES]>,
    level_bias: [f64; SCENES],
    available: Vec<[bool; ENERGIES]>,
    /// Preference for each preset, by catalogue index.
    preset: Vec<f64>,
    music: Vec<(usize, f64)>,
    pub pool: Arc<Pool>,
    clusters_shown: Vec<usize>,
    presets_shown: Vec<u32>,
}

impl User {
    pub fn new(seed: u64, scenario: Scenario) -> Self {
        let mut rng = Rng::new(seed);
        let clusters = scenario.clusters;
        let normal = |rng: &mut Rng, sd: f64| sd * rng.normal();
        let cluster: Vec<f64> = (0..clusters).map(|_| normal(&mut rng, CLUSTER_SD)).collect();
        let mut table = |sd: f64| -> Vec<[f64; 3]> {
            (0..clusters).map(|_| std::array::from_fn(|_| normal(&mut rng, sd))).collect()
        };
        let cluster_scene = table(CLUSTER_SCENE_SD);
        let cluster_energy = table(CLUSTER_ENERGY_SD);
        let noise = table(1.0);
        let level_bias = std::array::from_fn(|_| normal(&mut rng, LEVEL_BIAS_SD));
        let available: Vec<[bool; ENERGIES]> = (0..clusters)
            .map(|_| std::array::from_fn(|e| rng.unit() < AVAILABLE || e == Energy::Groove as usize))
            .collect();
        let assumed = assumed(&cluster, &cluster_scene, &noise, scenario.assumed);
        let catalogue = catalogue(&available);
        let preset = catalogue.entries.iter().map(|_| normal(&mut rng, PRESET_SD)).collect();
        let music = music(&mut rng);
        Self {
            scenario,
            drift_rng: rng.fork(1),
            rng,
            cluster,
            cluster_scene,
            cluster_energy,
            level_bias,
            available,
            preset,
            music,
            pool: Arc::new(Pool::with_affinity(Arc::new(catalogue), assumed)),
            clusters_shown: Vec::new(),
            presets_shown: Vec::new(),
        }
    }

    /// Returns the target given by the music at a cut.
    pub fn target(&self, cut: usize) -> Target {
        let (scene, level) = self.music[cut];
        Target { scene: Scene::ALL[scene], level }
    }

    /// Changes the user's preferences before a cut, as defined by the scenario.
    pub fn drift(&mut self, cut: usize) {
        let rng = &mut self.drift_rng;
        match self.scenario.drift {
            Drift::None => {}
            Drift::Change if cut == CHANGE_AT => {
                for cluster in 0..self.cluster.len() {
                    if rng.unit() < CHANGE_SHARE {
                        self.cluster[cluster] = CLUSTER_SD * rng.normal();
                        self.cluster_scene[cluster] =
                            std::array::from_fn(|_| CLUSTER_SCENE_SD * rng.normal());
                    }
                }
            }
            Drift::Change => {}
            Drift::Walk => {
                let kept = (1.0 - WALK * WALK).sqrt();
                for liking in &mut self.cluster {
                    *liking = *liking * kept + 1.6 * WALK * CLUSTER_SD * rng.normal();
                }
            }
        }
    }

    /// Shows a choice to the user; returns its outcome and the signal that the program receives.
    pub fn watch(&mut self, cut: usize, choice: &Choice) -> (CutOutcome, Signal) {
        let arm = choice.evidence.arm;
        let mean = self.utility(cut, arm);
        let best =
            self.pool.arms().filter(|arm| self.allowed(*arm)).map(|arm| reward(self.utility(cut, arm)));
        let best = best.fold(f64::NEG_INFINITY, f64::max);
        let utility = mean + self.preset[choice.preset as usize];
        let [skip, favourite, hold] = reactions(utility);
        let outcome = CutOutcome {
            regret: best - reward(mean),
            skip,
            favourite,
            cluster: usize::from(arm.cluster),
            preset: choice.preset,
            repeat: self
                .presets_shown
                .iter()
                .rev()
                .take(crate::mind::director::NO_REPEAT)
                .any(|p| *p == choice.preset),
        };
        let roll = self.rng.unit();
        let reaction = match () {
            () if roll < skip => Signal::Skip,
            () if roll < skip + favourite => Signal::Favourite,
            () if roll < skip + favourite + hold => Signal::Hold,
            () => Signal::Watched,
        };
        let attentive = self.rng.unit() < self.scenario.attention;
        let accident = self.rng.unit() < ACCIDENT;
        let signal = match (accident, attentive) {
            (true, _) => Signal::Skip,
            (false, true) => reaction,
            (false, false) => Signal::Watched,
        };
        self.clusters_shown.push(usize::from(arm.cluster));
        self.presets_shown.push(choice.preset);
        (outcome, signal)
    }

    fn allowed(&self, arm: Arm) -> bool {
        let rests =
            self.clusters_shown.iter().rev().take(CLUSTER_REST).any(|c| *c == usize::from(arm.cluster));
        !rests && self.available[usize::from(arm.cluster)][arm.energy as usize]
    }

    fn utility(&self, cut: usize, arm: Arm) -> f64 {
        let (scene, level) = self.music[cut];
        let (cluster, energy) = (usize::from(arm.cluster), arm.energy as usize);
        let ideal = (level + self.level_bias[scene]).clamp(0.0, 2.0);
        let shown = self.clusters_shown.iter().rev().take(REPEAT_CUTS).enumerate();
        let repeats = shown.filter(|(_, shown)| **shown == cluster);
        let penalty: f64 =
            repeats.map(|(age, _)| REPEAT_COST * (1.0 - age as f64 / REPEAT_CUTS as f64)).sum();
        MEAN_PREFERENCE
            + self.cluster[cluster]
            + self.cluster_scene[cluster][scene]
            + self.cluster_energy[cluster][energy]
            - MISMATCH_COST * (energy as f64 - ideal).abs()
            - penalty
    }
}

/// Returns the probabilities of a skip, a favourite and a hold at this utility.
fn reactions(utility: f64) -> [f64; 3] {
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    let skip = sigmoid(-1.2 - 1.4 * utility);
    let favourite = (1.0 - skip) * sigmoid(-3.2 + 1.3 * utility);
    let hold = (1.0 - skip - favourite) * sigmoid(-1.6 + utility);
    [skip, favourite, hold]
}

/// Returns the reward expected from an attentive user at this utility.
fn reward(utility: f64) -> f64 {
    let [skip, favourite, hold] = reactions(utility);
    favourite - skip + 0.5 * hold + 0.1 * (1.0 - skip - favourite - hold)
}

/// Returns the director's initial affinities, which have correlation `rho` with the user's preferences.
fn assumed(
    cluster: &[f64],
    cluster_scene: &[[f64; SCENES]],
    noise: &[[f64; SCENES]],
    rho: f64,
) -> Vec<Affinity> {
    let truth = |c: usize, s: usize| cluster[c] + cluster_scene[c][s];
    let all: Vec<f64> = (0..cluster.len()).flat_map(|c| (0..SCENES).map(move |s| truth(c, s))).collect();
    let mean = all.iter().sum::<f64>() / all.len() as f64;
    let sd = (all.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / all.len() as f64).sqrt();
    let one = |c: usize, s: usize| rho * (truth(c, s) - mean) / sd + (1.0 - rho * rho).sqrt() * noise[c][s];
    (0..cluster.len()).map(|c| std::array::from_fn(|s| if s < SCENES { one(c, s) } else { 0.0 })).collect()
}

/// Generates the music of a session: scene and energy level for each cut.
fn music(rng: &mut Rng) -> Vec<(usize, f64)> {
    let mut scene = rng.below(SCENES);
    let mut level = 1.0;
    (0..CUTS)
        .map(|_| {
            if rng.unit() > SCENE_STAYS {
                scene = rng.below(SCENES);
            }
            level = (0.8 * level + 0.2 * SCENE_LEVELS[scene] + 0.3 * rng.normal()).clamp(0.0, 2.0);
            (scene, level)
        })
        .collect()
}

fn catalogue(available: &[[bool; ENERGIES]]) -> Catalogue {
    let mut entries = Vec::new();
    for (cluster, energies) in available.iter().enumerate() {
        for energy in Energy::ALL.into_iter().filter(|energy| energies[*energy as usize]) {
            for _ in 0..PRESETS_PER_ARM {
                entries.push(entry(entries.len(), cluster, energy));
            }
        }
    }
    build(entries, available.len())
}

/// Builds a synthetic library of any size, spread evenly over clusters and energies; each preset shares its
/// family with one neighbour.
pub fn large_library(presets: usize, clusters: usize) -> Catalogue {
    let made = |number: usize| {
        let cluster = number / 2 % clusters.max(1);
        let energy = Energy::ALL[number / 2 / clusters.max(1) % ENERGIES];
        Entry { family: number as u64 / 2, ..entry(number, cluster, energy) }
    };
    build((0..presets).map(made).collect(), clusters)
}

fn entry(number: usize, cluster: usize, energy: Energy) -> Entry {
    let name = format!("{number}: c{cluster:02} {}", energy.label());
    Entry {
        id: PresetId::of(name.as_bytes()),
        location: SourceLocation::BuiltIn(""),
        cluster: cluster as u16,
        energy,
        family: number as u64,
        tags: Default::default(),
        path: name,
    }
}

fn build(entries: Vec<Entry>, clusters: usize) -> Catalogue {
    let cluster = |number| Cluster {
        key: format!("c{number:02}"),
        name: format!("cluster {number}"),
        ..Cluster::default()
    };
    let mut library = Catalogue::default();
    library.entries = entries;
    library.clusters = (0..clusters).map(cluster).collect();
    library.origin = StyleOrigin::V1;
    library
}
