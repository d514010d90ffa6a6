//! The users and their evening: hidden likings, music that wanders between scenes, and what they do about a preset.

use std::str::FromStr;
use std::sync::Arc;

use super::SWITCHES;
use super::tally::Switch;
use crate::analysis::Scene;
use crate::library::{Catalogue, Cluster, Energy, Entry, PresetId, SourceLocation, StyleOrigin};
use crate::mind::director::{Affinity, CLUSTER_REST, Choice, Pool, Target};
use crate::mind::taste::{Arm, Signal};
use crate::units::Rng;

const ENERGIES: usize = Energy::ALL.len();
const SCENES: usize = 3;
const PRESETS_PER_ARM: usize = 20;
/// Chance that an arm of an energy other than groove exists.
const AVAILABLE: f64 = 0.85;
/// Chance that the scene stays from one switch to the next.
const SCENE_STAYS: f64 = 0.97;
/// Where the energy of each scene wanders around.
const SCENE_LEVELS: [f64; SCENES] = [0.3, 1.3, 1.1];
/// Likings: of anything, and deviations of those of a cluster, cluster in scene, cluster at energy, preset.
const ANYTHING: f64 = -0.35;
const CLUSTER_SD: f64 = 1.0;
const CLUSTER_SCENE_SD: f64 = 0.6;
const CLUSTER_ENERGY_SD: f64 = 0.35;
const PRESET_SD: f64 = 0.6;
/// What a step of energy beside the music costs, and how far a user's idea of it lies beside the music's.
const MISMATCH_COST: f64 = 0.9;
const LEVEL_BIAS_SD: f64 = 0.5;
/// What showing a cluster again costs, and for how many switches.
const AGAIN_COST: f64 = 0.6;
const AGAIN_SWITCHES: usize = 4;
/// Chance of a skip by accident.
const ACCIDENT: f64 = 0.02;
/// The switch at which a user may change their mind, and the share of clusters it concerns.
pub(super) const CHANGE_AT: usize = 150;
const CHANGE_SHARE: f64 = 0.6;
/// Step of the wandering taste.
const WALK: f64 = 0.06;

/// What kind of users and how much they say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scenario {
    /// A to F.
    pub letter: char,
    clusters: usize,
    /// Correlation of what the director assumes with what users like.
    assumed: f64,
    /// Chance that a deed reaches the program.
    attention: f64,
    drift: Drift,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Drift {
    None,
    Change,
    Walk,
}

impl Scenario {
    /// How many clusters the library has.
    pub(super) fn clusters(&self) -> usize {
        self.clusters
    }
}

impl FromStr for Scenario {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let usual = Self { letter: 'A', clusters: 24, assumed: 0.35, attention: 0.65, drift: Drift::None };
        Ok(match text {
            "A" | "a" => usual,
            "B" | "b" => Self { letter: 'B', drift: Drift::Change, ..usual },
            "C" | "c" => Self { letter: 'C', drift: Drift::Walk, ..usual },
            "D" | "d" => Self { letter: 'D', attention: 0.2, ..usual },
            "E" | "e" => Self { letter: 'E', assumed: -0.35, ..usual },
            "F" | "f" => Self { letter: 'F', clusters: 64, ..usual },
            _ => {
                return Err(format!(
                    "{text} is not a scenario: A stationary, B change of mind, C wandering taste, D few signals, \
                     E misleading assumption, F 64 clusters"
                ));
            }
        })
    }
}

/// One user with the library they watch.
pub(super) struct User {
    scenario: Scenario,
    rng: Rng,
    drift_rng: Rng,
    cluster: Vec<f64>,
    cluster_scene: Vec<[f64; SCENES]>,
    cluster_energy: Vec<[f64; ENERGIES]>,
    level_bias: [f64; SCENES],
    available: Vec<[bool; ENERGIES]>,
    /// By place in the catalogue.
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

    /// What the music asks for at a switch.
    pub fn target(&self, switch: usize) -> Target {
        let (scene, level) = self.music[switch];
        Target { scene: Scene::ALL[scene], level }
    }

    /// The user's mind moves on.
    pub fn drift(&mut self, switch: usize) {
        let rng = &mut self.drift_rng;
        match self.scenario.drift {
            Drift::None => {}
            Drift::Change if switch == CHANGE_AT => {
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

    /// The user watches a choice: what it cost and brought, and the signal that reaches the program.
    pub fn watch(&mut self, switch: usize, choice: &Choice) -> (Switch, Signal) {
        let arm = choice.evidence.arm;
        let mean = self.utility(switch, arm);
        let best =
            self.pool.arms().filter(|arm| self.allowed(*arm)).map(|arm| reward(self.utility(switch, arm)));
        let best = best.fold(f64::NEG_INFINITY, f64::max);
        let utility = mean + self.preset[choice.preset as usize];
        let [skip, favourite, hold] = deeds(utility);
        let seen = Switch {
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
        let fate = self.rng.unit();
        let deed = match () {
            () if fate < skip => Signal::Skip,
            () if fate < skip + favourite => Signal::Favourite,
            () if fate < skip + favourite + hold => Signal::Hold,
            () => Signal::Watched,
        };
        let attentive = self.rng.unit() < self.scenario.attention;
        let accident = self.rng.unit() < ACCIDENT;
        let signal = match (accident, attentive) {
            (true, _) => Signal::Skip,
            (false, true) => deed,
            (false, false) => Signal::Watched,
        };
        self.clusters_shown.push(usize::from(arm.cluster));
        self.presets_shown.push(choice.preset);
        (seen, signal)
    }

    fn allowed(&self, arm: Arm) -> bool {
        let rests =
            self.clusters_shown.iter().rev().take(CLUSTER_REST).any(|c| *c == usize::from(arm.cluster));
        !rests && self.available[usize::from(arm.cluster)][arm.energy as usize]
    }

    fn utility(&self, switch: usize, arm: Arm) -> f64 {
        let (scene, level) = self.music[switch];
        let (cluster, energy) = (usize::from(arm.cluster), arm.energy as usize);
        let wished = (level + self.level_bias[scene]).clamp(0.0, 2.0);
        let again = self.clusters_shown.iter().rev().take(AGAIN_SWITCHES).enumerate();
        let again = again.filter(|(_, shown)| **shown == cluster);
        let again: f64 = again.map(|(age, _)| AGAIN_COST * (1.0 - age as f64 / AGAIN_SWITCHES as f64)).sum();
        ANYTHING
            + self.cluster[cluster]
            + self.cluster_scene[cluster][scene]
            + self.cluster_energy[cluster][energy]
            - MISMATCH_COST * (energy as f64 - wished).abs()
            - again
    }
}

/// Chances of a skip, a favourite and a hold.
fn deeds(utility: f64) -> [f64; 3] {
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    let skip = sigmoid(-1.2 - 1.4 * utility);
    let favourite = (1.0 - skip) * sigmoid(-3.2 + 1.3 * utility);
    let hold = (1.0 - skip - favourite) * sigmoid(-1.6 + utility);
    [skip, favourite, hold]
}

/// The reward expected of an attentive user.
fn reward(utility: f64) -> f64 {
    let [skip, favourite, hold] = deeds(utility);
    favourite - skip + 0.5 * hold + 0.1 * (1.0 - skip - favourite - hold)
}

/// What the director assumes: correlated with the truth.
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

/// The evening's music, switch by switch: scene and level of energy.
fn music(rng: &mut Rng) -> Vec<(usize, f64)> {
    let mut scene = rng.below(SCENES);
    let mut level = 1.0;
    (0..SWITCHES)
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
    of(entries, available.len())
}

/// A made-up library of any size, its presets spread over clusters and energies; two of a family in a row.
pub fn large_library(presets: usize, clusters: usize) -> Catalogue {
    let made = |number: usize| {
        let cluster = number / 2 % clusters.max(1);
        let energy = Energy::ALL[number / 2 / clusters.max(1) % ENERGIES];
        Entry { family: number as u64 / 2, ..entry(number, cluster, energy) }
    };
    of((0..presets).map(made).collect(), clusters)
}

fn entry(number: usize, cluster: usize, energy: Energy) -> Entry {
    let name = format!("{number}: c{cluster:02} {}", energy.label());
    Entry {
        id: PresetId::of(name.as_bytes()),
        lies: SourceLocation::BuiltIn(""),
        cluster: cluster as u16,
        energy,
        family: number as u64,
        tags: Default::default(),
        path: name,
    }
}

fn of(entries: Vec<Entry>, clusters: usize) -> Catalogue {
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
