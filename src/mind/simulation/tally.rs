//! What many evenings cost and brought, in the figures the algorithms are compared by.

use std::collections::BTreeSet;

use serde::Serialize;

use super::world::CHANGE_AT;
use super::{Algorithm, Scenario};

/// Switches at the end of an evening by which it is judged.
const LAST: usize = 100;
/// Mean regret over so many switches below which a change of mind has been followed: half of what chance costs.
const FOLLOWED: f64 = 0.47;
const FOLLOWED_OVER: usize = 20;
/// Switches after which a change counts as never followed.
const NEVER: usize = 130;

/// One switch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Switch {
    /// Expected reward lost against the best choice.
    pub regret: f64,
    /// Chance that it was skipped.
    pub skip: f64,
    /// Chance that it became a favourite.
    pub favourite: f64,
    pub cluster: usize,
    pub preset: u32,
    /// It was shown within the last 40.
    pub repeat: bool,
}

/// Means over all users.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// A to F.
    pub scenario: char,
    /// How choices were made.
    pub algorithm: &'static str,
    /// Evenings.
    pub users: usize,
    /// Seed of the first user.
    pub seed: u64,
    /// Reward lost in an evening against the best choices.
    pub regret: f64,
    /// Standard error of `regret`.
    pub regret_se: f64,
    /// Share of the last 100 switches that were skipped.
    pub skip_last_100: f64,
    /// Share of the last 100 switches that became favourites.
    pub favourite_last_100: f64,
    /// Switches after number 150 until the regret is half that of chance; 130 is never. Tells something in scenario B.
    pub adaptation: f64,
    /// Entropy of the clusters in the last 100 switches, 0 one to 1 all alike.
    pub entropy: f64,
    /// Different presets by switches.
    pub distinct: f64,
    /// Presets shown again within 40 switches, over all evenings.
    pub repeats: usize,
}

pub(super) struct Tally {
    scenario: Scenario,
    algorithm: Algorithm,
    seed: u64,
    evenings: Vec<Evening>,
}

struct Evening {
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
        Self { scenario, algorithm, seed, evenings: Vec::new() }
    }

    pub fn evening(&mut self, switches: Vec<Switch>) {
        let last = &switches[switches.len().saturating_sub(LAST)..];
        let of_last =
            |value: fn(&Switch) -> f64| last.iter().map(value).sum::<f64>() / last.len().max(1) as f64;
        let mut clusters = std::collections::BTreeMap::<usize, f64>::new();
        last.iter()
            .for_each(|switch| *clusters.entry(switch.cluster).or_default() += 1.0 / last.len() as f64);
        let entropy: f64 = clusters.values().map(|share| -share * share.ln()).sum();
        let presets: BTreeSet<u32> = switches.iter().map(|switch| switch.preset).collect();
        self.evenings.push(Evening {
            regret: switches.iter().map(|switch| switch.regret).sum(),
            skip: of_last(|switch| switch.skip),
            favourite: of_last(|switch| switch.favourite),
            adaptation: adaptation(&switches),
            entropy: entropy / (self.scenario.clusters() as f64).ln(),
            distinct: presets.len() as f64 / switches.len().max(1) as f64,
            repeats: switches.iter().filter(|switch| switch.repeat).count(),
        });
    }

    pub fn report(&self) -> Report {
        let users = self.evenings.len();
        let mean =
            |value: fn(&Evening) -> f64| self.evenings.iter().map(value).sum::<f64>() / users.max(1) as f64;
        let regret = mean(|evening| evening.regret);
        let squares = self.evenings.iter().map(|evening| (evening.regret - regret).powi(2)).sum::<f64>();
        let mut adaptations: Vec<f64> = self.evenings.iter().map(|evening| evening.adaptation).collect();
        adaptations.sort_by(f64::total_cmp);
        let middle = adaptations.len() / 2;
        let adaptation = match adaptations.len() {
            0 => NEVER as f64,
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
            skip_last_100: mean(|evening| evening.skip),
            favourite_last_100: mean(|evening| evening.favourite),
            adaptation,
            entropy: mean(|evening| evening.entropy),
            distinct: mean(|evening| evening.distinct),
            repeats: self.evenings.iter().map(|evening| evening.repeats).sum(),
        }
    }
}

fn adaptation(switches: &[Switch]) -> f64 {
    let followed = |after: usize| {
        let window = switches.get(CHANGE_AT + after..CHANGE_AT + after + FOLLOWED_OVER);
        window.is_some_and(|window| {
            window.iter().map(|switch| switch.regret).sum::<f64>() / FOLLOWED_OVER as f64 <= FOLLOWED
        })
    };
    (0..NEVER).find(|after| followed(*after)).unwrap_or(NEVER) as f64
}
