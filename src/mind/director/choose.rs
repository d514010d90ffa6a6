//! Chooses the next preset and records the reasons.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::status::PresetStatus;
use super::{NO_REPEAT, Pool, Target};
use crate::mind::taste::{Arm, Evidence, Feedback, Lesson, Signal, Taste};
use crate::units::{Rng, Unipolar};

/// Weight of a cluster's affinity to the scene in the base score.
const AFFINITY_WEIGHT: f64 = 0.5;
/// Amount subtracted from the base score per energy step away from the target.
const MISMATCH_COST: f64 = 0.6;
/// Softmax temperature at adventure 0 and at adventure 1, in units of reward.
const TEMPERATURE: (f64, f64) = (0.03, 0.3);
/// Penalty for the cluster shown last, in units of reward; fades to 0 over twice the number of cuts for which
/// a cluster rests.
const REPEAT_COST: f64 = 0.2;
/// Penalty for a style with similarity 0 to the previous one when the policy prefers similar styles, in units of
/// reward.
const DISSIMILARITY_COST: f64 = 0.5;
/// Penalty for an arm that does not fit the theme at all, in units of reward.
const THEME_COST: f64 = 0.6;
/// Share of choices within an arm that are drawn from the arm's favourites, if any of them may be shown.
const FAVOURITE_SHARE: f64 = 0.2;
/// Number of random draws within an arm before a linear search.
const TRIES: usize = 8;

/// How strictly the variety rules were applied. Each variant relaxes one more rule than the variant before it, for
/// libraries too small to satisfy all rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// All variety rules apply.
    All,
    /// Presets skipped in this show may return.
    SkippedToo,
    /// A cluster may follow itself.
    SameCluster,
    /// Presets may return after half the usual number of other presets.
    Sooner,
    /// Any playable preset may be shown, unless it is on air or planned.
    Anything,
}

impl Rule {
    const ALL: [Self; 5] = [Self::All, Self::SkippedToo, Self::SameCluster, Self::Sooner, Self::Anything];
}

/// A choice with its reasons.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Choice {
    /// Index of the preset in the catalogue.
    pub preset: u32,
    /// The circumstances of the choice, from which the taste model learns.
    pub evidence: Evidence,
    /// The target that the preset was chosen for.
    pub target: Target,
    /// Expected reward of the arm, including `liking`, minus the penalties for repetition, for a poor fit to
    /// the theme and for a style unlike the previous one.
    pub score: f64,
    /// Part of the expected reward that was learnt about the style.
    pub liking: f64,
    /// Probability with which the arm was drawn, 0 to 1.
    pub probability: f64,
    /// Whether the preset was drawn from the arm's favourites.
    pub favourite: bool,
    /// Whether styles similar to the previous one were preferred, as the policy requires for some choices.
    pub near: bool,
    /// The strictest variety rules that could be satisfied.
    pub rule: Rule,
}

/// The director: chooses presets and learns from the performer's feedback.
#[derive(Clone, Debug)]
pub struct Director {
    /// The library to choose from.
    pub pool: Arc<Pool>,
    /// Status of individual presets.
    pub status: PresetStatus,
    /// The taste model.
    pub taste: Taste,
    /// How far choices stray from known favourites, from 0 (hardly) to 1 (freely).
    pub adventure: Unipolar,
    shown: VecDeque<u32>,
}

/// The presets, clusters and family excluded from the current choice.
struct Bounds {
    recent: HashSet<u32>,
    clusters: Vec<u16>,
    family: Option<u64>,
    skipped_too: bool,
}

impl Director {
    /// Creates a director with this taste and an empty history.
    pub fn new(pool: Arc<Pool>, taste: Taste) -> Self {
        let status = PresetStatus::new(pool.catalogue.entries.len());
        Self::with_status(pool, status, taste, Unipolar::ZERO)
    }

    /// Creates a director with this taste, this adventure, an empty history, and the status of each preset of `pool`.
    pub fn with_status(pool: Arc<Pool>, status: PresetStatus, taste: Taste, adventure: Unipolar) -> Self {
        Self { pool, status, taste, adventure, shown: VecDeque::new() }
    }

    /// Records that the preset went on air.
    pub fn record_shown(&mut self, preset: u32) {
        self.shown.push_back(preset);
        if self.shown.len() > NO_REPEAT {
            self.shown.pop_front();
        }
    }

    /// Learns from the feedback on a choice and updates the status of the preset. [`Taste::unlearn`] undoes
    /// the lesson, but not the status.
    pub fn learn(&mut self, evidence: &Evidence, preset: u32, feedback: impl Into<Feedback>) -> Lesson {
        let feedback = feedback.into();
        let lesson = self.taste.learn(evidence, feedback);
        match feedback.signal {
            Signal::Skip if !self.status.favourite(preset) => self.status.set_skipped(preset, true),
            Signal::Failed => self.status.set_broken(preset, true),
            Signal::Favourite => self.status.set_favourite(preset, true),
            Signal::Unfavourite => self.status.set_favourite(preset, false),
            Signal::Skip | Signal::Hold | Signal::Watched => {}
        }
        lesson
    }

    /// Returns the evidence for choosing `arm` for `target`.
    pub fn evidence(&self, arm: Arm, target: &Target) -> Evidence {
        let mismatch = target.distance(arm.energy as usize as f64);
        let affinity = self.pool.affinity(arm.cluster, target.scene);
        let base = AFFINITY_WEIGHT * affinity - MISMATCH_COST * mismatch;
        Evidence { arm, scene: target.scene, base, mismatch }
    }

    /// Returns the evidence for choosing this preset for `target`.
    pub fn evidence_of(&self, preset: u32, target: &Target) -> Evidence {
        let entry = &self.pool.catalogue.entries[preset as usize];
        self.evidence(Arm { cluster: entry.cluster, energy: entry.energy }, target)
    }

    /// Chooses the next preset for `target` after those in `planned`; `None` if no preset may be shown.
    pub fn choose(&self, target: &Target, planned: &[u32], rng: &mut Rng) -> Option<Choice> {
        let mut arms: Vec<(Evidence, f64)> =
            self.pool.arms().map(|arm| self.evidence(arm, target)).map(|e| (e, 0.0)).collect();
        let recent_clusters = self.recent_clusters(target, planned);
        for (evidence, score) in &mut arms {
            let age = recent_clusters.iter().position(|cluster| *cluster == evidence.arm.cluster);
            let penalty =
                age.map_or(0.0, |age| REPEAT_COST * (1.0 - age as f64 / recent_clusters.len() as f64));
            let unfit = THEME_COST * (1.0 - self.pool.theme_fit(evidence.arm));
            *score = self.taste.expected(evidence) - penalty - unfit;
        }
        let near = self.stay_near(planned, &mut arms, rng);
        let choice = Rule::ALL.into_iter().find_map(|rule| self.draw(&arms, target, planned, rule, rng));
        choice.map(|choice| Choice { near, ..choice })
    }

    /// Lowers the scores of styles that look unlike the previous one, with the probability set by the policy. Returns
    /// whether any score was lowered. aivj's browser-based predecessor stays in the same style; here, a cluster must
    /// rest after it was shown, so similar styles are preferred instead.
    fn stay_near(&self, planned: &[u32], arms: &mut [(Evidence, f64)], rng: &mut Rng) -> bool {
        let Some(policy) = &self.pool.catalogue.policy else { return false };
        if rng.unit() >= policy.prefer_same_author_chance {
            return false;
        }
        let Some(before) = planned.last().or(self.shown.back()) else { return false };
        let before = self.pool.catalogue.entries[*before as usize].cluster;
        let mut some = false;
        for (evidence, score) in arms {
            if let Some(similarity) = self.pool.similarity(before, evidence.arm.cluster) {
                *score -= DISSIMILARITY_COST * (1.0 - similarity);
                some = true;
            }
        }
        some
    }

    /// Returns the clusters recently shown or planned, newest first; they incur a penalty even after they
    /// have rested.
    fn recent_clusters(&self, target: &Target, planned: &[u32]) -> Vec<u16> {
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
        // If the drawn arm has no eligible preset, drop it and draw another one.
        while !open.is_empty() {
            let total: f64 = weights.iter().sum();
            let at = weighted(&weights, total, rng);
            let (evidence, score) = *open[at];
            if let Some((preset, favourite)) = self.pick(evidence.arm, &bounds, rng) {
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
        // Newest first; planned presets are newer than shown ones.
        let past = || planned.iter().rev().chain(self.shown.iter().rev()).copied();
        let entry = |preset: u32| &self.pool.catalogue.entries[preset as usize];
        Bounds {
            recent: past().take(preset_rest.max(planned.len() + 1)).collect(),
            clusters: past().take(cluster_rest).map(|preset| entry(preset).cluster).collect(),
            family: past().next().map(|preset| entry(preset).family).filter(|_| rule != Rule::Anything),
            skipped_too: rule != Rule::All,
        }
    }

    /// Picks an eligible preset of an arm, if there is one. The flag is true if it was drawn from the favourites.
    fn pick(&self, arm: Arm, bounds: &Bounds, rng: &mut Rng) -> Option<(u32, bool)> {
        let entries = &self.pool.catalogue.entries;
        let may = |preset: u32| {
            self.status.usable(preset, bounds.skipped_too)
                && !bounds.recent.contains(&preset)
                && bounds.family != Some(entries[preset as usize].family)
        };
        let liked = rng.unit() < FAVOURITE_SHARE;
        if liked {
            let of_arm = |preset: &u32| {
                let entry = &entries[*preset as usize];
                entry.cluster == arm.cluster && entry.energy == arm.energy
            };
            let favourites: Vec<u32> = self.status.favourites().filter(of_arm).filter(|p| may(*p)).collect();
            if !favourites.is_empty() {
                return self.draw_fitting(&favourites, may, rng).map(|preset| (preset, true));
            }
        }
        let presets = self.pool.presets(arm);
        let tried = self.draw_fitting(presets, may, rng);
        let start = rng.below(presets.len());
        let (before, after) = presets.split_at(start);
        let searched = || after.iter().chain(before).copied().find(|preset| may(*preset));
        tried.or_else(searched).map(|preset| (preset, false))
    }

    /// Draws a random preset that may be shown; with a theme, the best fit of [`TRIES`] draws. `None` if none
    /// of the drawn presets may be shown.
    fn draw_fitting(&self, presets: &[u32], may: impl Fn(u32) -> bool, rng: &mut Rng) -> Option<u32> {
        let mut draws = (0..TRIES).map(|_| presets[rng.below(presets.len())]).filter(|preset| may(*preset));
        match self.pool.theme() {
            None => draws.next(),
            Some(theme) => draws.fold(None, |best: Option<u32>, next| match best {
                Some(best) if theme.fit(best) >= theme.fit(next) => Some(best),
                _ => Some(next),
            }),
        }
    }
}

/// Draws an index with probability proportional to its weight; `total` is the sum of the weights.
fn weighted(weights: &[f64], total: f64, rng: &mut Rng) -> usize {
    let mut left = rng.unit() * total;
    for (index, weight) in weights.iter().enumerate() {
        left -= weight;
        if left < 0.0 {
            return index;
        }
    }
    weights.len() - 1
}
