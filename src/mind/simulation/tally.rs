//! Statistics of simulated sessions, used to compare algorithms.

use std::collections::BTreeSet;

use serde::Serialize;

use super::algorithm::Algorithm;
use super::scenario::{CHANGE_AT, Scenario};

/// Number of cuts at the end of a session over which skips, favourites and entropy are evaluated.
const LAST: usize = 100;
/// Maximum mean regret over [`ADAPTED_CUTS`] cuts at which the algorithm counts as adapted to a change of
/// mind: half the regret of random choices.
const ADAPTED_REGRET: f64 = 0.47;
const ADAPTED_CUTS: usize = 20;
/// Number of cuts after a change of mind within which an algorithm must adapt; otherwise, it counts as never
/// adapting.
const NEVER_ADAPTED: usize = 130;

/// The outcome of one cut.
#[derive(Clone, Copy, Debug)]
pub(super) struct CutOutcome {
    /// Expected reward lost compared with the best arm that may be shown.
    pub regret: f64,
    /// Probability of a skip.
    pub skip: f64,
    /// Probability of a favourite.
    pub favourite: f64,
    pub cluster: usize,
    pub preset: u32,
    /// Whether the preset had been shown within the last 40 cuts.
    pub repeat: bool,
}

/// The result of a simulation: means over all users unless stated otherwise.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Scenario, A to F.
    pub scenario: char,
    /// Name of the algorithm.
    pub algorithm: &'static str,
    /// Number of users, one session each.
    pub users: usize,
    /// Seed of the first user.
    pub seed: u64,
    /// Expected reward lost per session compared with always choosing the best arm that may be shown.
    pub regret: f64,
    /// Standard error of `regret`.
    pub regret_se: f64,
    /// Probability of a skip, averaged over the last 100 cuts.
    pub skip_last_100: f64,
    /// Probability of a favourite, averaged over the last 100 cuts.
    pub favourite_last_100: f64,
    /// Median number of cuts after cut 150 until the mean regret is at most half that of random choices; 130
    /// means never. Only meaningful in scenario B.
    pub adaptation: f64,
    /// Normalised entropy of the clusters in the last 100 cuts: 0 for one cluster, 1 for a uniform distribution.
    pub entropy: f64,
    /// Number of distinct presets divided by the number of cuts.
    pub distinct: f64,
    /// Number of presets repeated within 40 cuts, summed over all sessions.
    pub repeats: usize,
}

pub(super) struct Tally {
    scenario: Scenario,
    algorithm: Algorithm,
    seed: u64,
    sessions: Vec<Session>,
}

struct Session {
    regret: f64,
    skip: f64,
    favourite: f64,
    adaptation: f64,
    entropy: f64,
    distinct: f64,
    repeats: usize,
}

impl Tally {
    pub fn new(scenario: Scenario, algorithm: Algorithm, seed: u64) -> Self {
        Self { scenario, algorithm, seed, sessions: Vec::new() }
    }

    pub fn session(&mut self, cuts: Vec<CutOutcome>) {
        let last = &cuts[cuts.len().saturating_sub(LAST)..];
        let of_last =
            |value: fn(&CutOutcome) -> f64| last.iter().map(value).sum::<f64>() / last.len().max(1) as f64;
        let mut clusters = std::collections::BTreeMap::<usize, f64>::new();
        last.iter().for_each(|cut| *clusters.entry(cut.cluster).or_default() += 1.0 / last.len() as f64);
        let entropy: f64 = clusters.values().map(|share| -share * share.ln()).sum();
        let presets: BTreeSet<u32> = cuts.iter().map(|cut| cut.preset).collect();
        self.sessions.push(Session {
            regret: cuts.iter().map(|cut| cut.regret).sum(),
            skip: of_last(|cut| cut.skip),
            favourite: of_last(|cut| cut.favourite),
            adaptation: adaptation(&cuts),
            entropy: entropy / (self.scenario.clusters as f64).ln(),
            distinct: presets.len() as f64 / cuts.len().max(1) as f64,
            repeats: cuts.iter().filter(|cut| cut.repeat).count(),
        });
    }

    pub fn report(&self) -> Report {
        let users = self.sessions.len();
        let mean =
            |value: fn(&Session) -> f64| self.sessions.iter().map(value).sum::<f64>() / users.max(1) as f64;
        let regret = mean(|session| session.regret);
        let squares = self.sessions.iter().map(|session| (session.regret - regret).powi(2)).sum::<f64>();
        let mut adaptations: Vec<f64> = self.sessions.iter().map(|session| session.adaptation).collect();
        adaptations.sort_by(f64::total_cmp);
        let middle = adaptations.len() / 2;
        let adaptation = match adaptations.len() {
            0 => NEVER_ADAPTED as f64,
            count if count % 2 == 0 => (adaptations[middle - 1] + adaptations[middle]) / 2.0,
            _ => adaptations[middle],
        };
        Report {
            scenario: self.scenario.letter,
            algorithm: self.algorithm.label(),
            users,
            seed: self.seed,
            regret,
            regret_se: (squares / users.max(1) as f64 / users.max(1) as f64).sqrt(),
            skip_last_100: mean(|session| session.skip),
            favourite_last_100: mean(|session| session.favourite),
            adaptation,
            entropy: mean(|session| session.entropy),
            distinct: mean(|session| session.distinct),
            repeats: self.sessions.iter().map(|session| session.repeats).sum(),
        }
    }
}

impl Report {
    /// Returns the number of cuts until the algorithm has adapted to the change of mind, or `never`; `None`
    /// in scenarios without such a change.
    pub fn cuts_to_adapt(&self) -> Option<String> {
        let adapted = self.adaptation < NEVER_ADAPTED as f64;
        (self.scenario == Scenario::CHANGE)
            .then(|| if adapted { self.adaptation.to_string() } else { "never".into() })
    }
}

fn adaptation(cuts: &[CutOutcome]) -> f64 {
    let adapted = |after: usize| {
        let window = cuts.get(CHANGE_AT + after..CHANGE_AT + after + ADAPTED_CUTS);
        window.is_some_and(|window| {
            window.iter().map(|cut| cut.regret).sum::<f64>() / ADAPTED_CUTS as f64 <= ADAPTED_REGRET
        })
    };
    (0..NEVER_ADAPTED).find(|after| adapted(*after)).unwrap_or(NEVER_ADAPTED) as f64
}
