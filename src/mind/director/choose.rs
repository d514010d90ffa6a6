//! What comes next, and why.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::status::PresetStatus;
use super::{NO_REPEAT, Pool, Target};
use crate::mind::taste::{Arm, Evidence, Signal, Taste};
use crate::units::{Rng, Unipolar};

/// Weight of a cluster's affinity to the scene in the base score.
const AFFINITY_WEIGHT: f64 = 0.5;
/// What a step of energy beside the target costs in the base score.
const MISMATCH_COST: f64 = 0.6;
/// Temperature of the softmax without and with all adventure, in units of reward.
const TEMPERATURE: (f64, f64) = (0.03, 0.3);
/// What it costs that a cluster was the last one shown, in units of reward; fades over twice the time that it rests.
const AGAIN_COST: f64 = 0.2;
/// What it costs that a style has nothing in common with the one before, where the policy asks to stay near, in units of
/// reward.
const AWAY_COST: f64 = 0.5;
/// Share of choices within an arm that go to a favourite, when it has one that may be shown.
const FAVOURITE_SHARE: f64 = 0.2;
/// Random tries within an arm before it is searched in order.
const TRIES: usize = 8;

/// How strict a choice could be; each step gives up one more rule for a library that is too small for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Every rule of variety holds.
    All,
    /// What was skipped tonight may come back.
    SkippedToo,
    /// A cluster may follow itself.
    SameCluster,
    /// Presets come back after half the time.
    Sooner,
    /// Anything that plays and is not on air.
    Anything,
}

impl Rule {
    const ALL: [Self; 5] = [Self::All, Self::SkippedToo, Self::SameCluster, Self::Sooner, Self::Anything];
}

/// One choice with its reasons.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Choice {
    /// Place of the preset in the catalogue.
    pub preset: u32,
    /// What the taste learns from.
    pub evidence: Evidence,
    /// What was aimed at.
    pub target: Target,
    /// Reward expected of the arm, with its part that was learnt about the style.
    pub score: f64,
    /// The part of the score that is taste.
    pub liking: f64,
    /// How likely this arm was.
    pub probability: f64,
    /// The favourites of the arm were drawn from.
    pub favourite: bool,
    /// Styles near the one before it were preferred, as the policy asks now and then.
    pub near: bool,
    /// How strict it could be.
    pub rule: Rule,
}

/// Chooses presets and learns from what becomes of them.
#[derive(Clone, Debug)]
pub struct Director {
    /// The library.
    pub pool: Arc<Pool>,
    /// What is known about single presets.
    pub standing: PresetStatus,
    /// What is known about styles.
    pub taste: Taste,
    /// How far the choice strays from what is known to please.
    pub adventure: Unipolar,
    shown: VecDeque<u32>,
}

/// What must not come now.
struct Bounds {
    recent: HashSet<u32>,
    clusters: Vec<u16>,
    family: Option<u64>,
    skipped_too: bool,
}

impl Director {
    /// A director with this taste, who has shown nothing yet.
    pub fn new(pool: Arc<Pool>, taste: Taste) -> Self {
        let standing = PresetStatus::new(pool.catalogue.entries.len());
        Self { pool, standing, taste, adventure: Unipolar::ZERO, shown: VecDeque::new() }
    }

    /// The preset went on air.
    pub fn shown(&mut self, preset: u32) {
        self.shown.push_back(preset);
        if self.shown.len() > NO_REPEAT {
            self.shown.pop_front();
        }
    }

    /// What the performer did about a choice.
    pub fn learn(&mut self, evidence: &Evidence, preset: u32, signal: Signal) {
        self.taste.learn(evidence, signal);
        match signal {
            Signal::Skip if !self.standing.favourite(preset) => self.standing.set_skipped(preset),
            Signal::Failed => self.standing.set_broken(preset, true),
            Signal::Favourite => self.standing.set_favourite(preset, true),
            Signal::Unfavourite => self.standing.set_favourite(preset, false),
            Signal::Skip | Signal::Hold | Signal::Watched => {}
        }
    }

    /// The circumstances of showing `arm` for `target`.
    pub fn evidence(&self, arm: Arm, target: &Target) -> Evidence {
        let mismatch = target.apart(arm.energy as usize as f64);
        let affinity = self.pool.affinity(arm.cluster, target.scene);
        let base = AFFINITY_WEIGHT * affinity - MISMATCH_COST * mismatch;
        Evidence { arm, scene: target.scene, base, mismatch }
    }

    /// The circumstances of showing this preset for `target`.
    pub fn evidence_of(&self, preset: u32, target: &Target) -> Evidence {
        let entry = &self.pool.catalogue.entries[preset as usize];
        self.evidence(Arm { cluster: entry.cluster, energy: entry.energy }, target)
    }

    /// The next preset for `target` after those in `planned`; none when nothing may be shown at all.
    pub fn choose(&self, target: &Target, planned: &[u32], rng: &mut Rng) -> Option<Choice> {
        let mut arms: Vec<(Evidence, f64)> =
            self.pool.arms().map(|arm| self.evidence(arm, target)).map(|e| (e, 0.0)).collect();
        let lately = self.lately(target, planned);
        for (evidence, score) in &mut arms {
            let age = lately.iter().position(|cluster| *cluster == evidence.arm.cluster);
            let again = age.map_or(0.0, |age| AGAIN_COST * (1.0 - age as f64 / lately.len() as f64));
            *score = self.taste.expected(evidence) - again;
        }
        let near = self.stay_near(planned, &mut arms, rng);
        let choice = Rule::ALL.into_iter().find_map(|rule| self.draw(&arms, target, planned, rule, rng));
        choice.map(|choice| Choice { near, ..choice })
    }

    /// As often as the policy asks, styles are preferred that look like the one before. The reference stays in the very
    /// same style; here the rest of a style holds, so it is its neighbours.
    fn stay_near(&self, planned: &[u32], arms: &mut [(Evidence, f64)], rng: &mut Rng) -> bool {
        let Some(policy) = &self.pool.catalogue.policy else { return false };
        if rng.unit() >= policy.prefer_same_author_chance {
            return false;
        }
        let Some(before) = planned.last().or(self.shown.back()) else { return false };
        let before = self.pool.catalogue.entries[*before as usize].cluster;
        let mut some = false;
        for (evidence, score) in arms {
            if let Some(likeness) = self.pool.likeness(before, evidence.arm.cluster) {
                *score -= AWAY_COST * (1.0 - likeness);
                some = true;
            }
        }
        some
    }

    /// The clusters shown and planned lately, newest first: even after its rest a style wears off.
    fn lately(&self, target: &Target, planned: &[u32]) -> Vec<u16> {
        let (cluster_rest, _) = self.pool.rests(target.scene);
        let past = planned.iter().rev().chain(self.shown.iter().rev()).take(2 * cluster_rest);
        past.map(|preset| self.pool.catalogue.entries[*preset as usize].cluster).collect()
    }

    fn draw(
        &self,
        arms: &[(Evidence, f64)],
        target: &Target,
        planned: &[u32],
        rule: Rule,
        rng: &mut Rng,
    ) -> Option<Choice> {
        let bounds = self.bounds(target, planned, rule);
        let (sure, wild) = TEMPERATURE;
        let temperature = sure + (wild - sure) * f64::from(self.adventure.get());
        let open = arms.iter().filter(|(evidence, _)| !bounds.clusters.contains(&evidence.arm.cluster));
        let mut open: Vec<&(Evidence, f64)> = open.collect();
        let best = open.iter().map(|(_, score)| *score).fold(f64::NEG_INFINITY, f64::max);
        let mut weights: Vec<f64> =
            open.iter().map(|(_, score)| ((score - best) / temperature).exp()).collect();
        // An arm whose presets are all out of bounds is put aside and another drawn.
        while !open.is_empty() {
            let total: f64 = weights.iter().sum();
            let at = weighted(&weights, total, rng);
            let (evidence, score) = *open[at];
            if let Some((preset, favourite)) = self.within(evidence.arm, &bounds, rng) {
                return Some(Choice {
                    preset,
                    evidence,
                    target: *target,
                    score,
                    liking: self.taste.liking(&evidence),
                    probability: weights[at] / total.max(f64::MIN_POSITIVE),
                    favourite,
                    near: false,
                    rule,
                });
            }
            open.swap_remove(at);
            weights.swap_remove(at);
        }
        None
    }

    fn bounds(&self, target: &Target, planned: &[u32], rule: Rule) -> Bounds {
        let (cluster_rest, preset_rest) = self.pool.rests(target.scene);
        let (cluster_rest, preset_rest) = match rule {
            Rule::All | Rule::SkippedToo => (cluster_rest, preset_rest),
            Rule::SameCluster => (0, preset_rest),
            Rule::Sooner => (0, preset_rest / 2),
            Rule::Anything => (0, 1),
        };
        // Newest first: what is planned comes after what was shown.
        let past = || planned.iter().rev().chain(self.shown.iter().rev()).copied();
        let entry = |preset: u32| &self.pool.catalogue.entries[preset as usize];
        Bounds {
            recent: past().take(preset_rest.max(planned.len() + 1)).collect(),
            clusters: past().take(cluster_rest).map(|preset| entry(preset).cluster).collect(),
            family: past().next().map(|preset| entry(preset).family).filter(|_| rule != Rule::Anything),
            skipped_too: rule != Rule::All,
        }
    }

    /// A preset of an arm within bounds; true when it was drawn from the favourites.
    fn within(&self, arm: Arm, bounds: &Bounds, rng: &mut Rng) -> Option<(u32, bool)> {
        let entries = &self.pool.catalogue.entries;
        let may = |preset: u32| {
            self.standing.usable(preset, bounds.skipped_too)
                && !bounds.recent.contains(&preset)
                && bounds.family != Some(entries[preset as usize].family)
        };
        let liked = rng.unit() < FAVOURITE_SHARE;
        if liked {
            let of_arm = |preset: &u32| {
                let entry = &entries[*preset as usize];
                entry.cluster == arm.cluster && entry.energy == arm.energy
            };
            let favourites: Vec<u32> =
                self.standing.favourites().filter(of_arm).filter(|p| may(*p)).collect();
            if !favourites.is_empty() {
                return Some((favourites[rng.below(favourites.len())], true));
            }
        }
        let presets = self.pool.presets(arm);
        let tried = (0..TRIES).map(|_| presets[rng.below(presets.len())]).find(|preset| may(*preset));
        let start = rng.below(presets.len());
        let (before, after) = presets.split_at(start);
        let searched = || after.iter().chain(before).copied().find(|preset| may(*preset));
        tried.or_else(searched).map(|preset| (preset, false))
    }
}

/// The place drawn with these weights.
fn weighted(weights: &[f64], total: f64, rng: &mut Rng) -> usize {
    let mut left = rng.unit() * total;
    for (place, weight) in weights.iter().enumerate() {
        left -= weight;
        if left < 0.0 {
            return place;
        }
    }
    weights.len() - 1
}
