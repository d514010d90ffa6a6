//! A simulated audience: users with hidden likings who skip, mark and hold, to measure how fast the director learns.
//!
//! Drives the very [`Director`](super::director::Director) that performs live; only the users are made up. Two other
//! ways of choosing stand beside it for comparison.

mod chooser;
mod tally;
mod world;

use std::str::FromStr;

use chooser::Chooser;
pub use tally::Report;
use tally::Tally;
use world::User;
pub use world::{Scenario, large_library};

/// Switches in one evening.
const SWITCHES: usize = 300;

/// Ways of choosing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// The director with its taste.
    Taste,
    /// A running mean for every arm on top of the base score, softmax at 0.5.
    Reference,
    /// Any arm.
    Random,
}

impl Algorithm {
    /// The name as written.
    pub fn label(self) -> &'static str {
        match self {
            Self::Taste => "taste",
            Self::Reference => "reference",
            Self::Random => "random",
        }
    }
}

impl FromStr for Algorithm {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Taste, Self::Reference, Self::Random]
            .into_iter()
            .find(|algorithm| algorithm.label() == text)
            .ok_or_else(|| format!("{text} is not one of taste, reference, random"))
    }
}

/// So many evenings with different users, whose seeds are `seed`, `seed + 1` and so on.
pub fn simulate(scenario: Scenario, algorithm: Algorithm, users: usize, seed: u64) -> Report {
    let mut tally = Tally::new(scenario, algorithm, seed);
    for user in 0..users as u64 {
        tally.evening(evening(scenario, algorithm, seed + user));
    }
    tally.report()
}

/// One evening: what every switch cost and brought.
fn evening(scenario: Scenario, algorithm: Algorithm, seed: u64) -> Vec<tally::Switch> {
    let mut user = User::new(seed, scenario);
    let mut chooser = Chooser::new(algorithm, &user, seed);
    let mut switches = Vec::with_capacity(SWITCHES);
    for number in 0..SWITCHES {
        user.drift(number);
        let target = user.target(number);
        let Some(choice) = chooser.choose(&target) else { break };
        let (switch, signal) = user.watch(number, &choice);
        chooser.learn(&choice, signal);
        switches.push(switch);
    }
    switches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_director_learns_within_its_bars() {
        for (letter, bar) in [("A", 125.0), ("B", 152.0), ("D", 168.0), ("E", 150.0)] {
            let scenario = letter.parse().expect("a scenario");
            let report = simulate(scenario, Algorithm::Taste, 32, 1000);
            assert!(report.regret <= bar, "{letter}: regret {} above {bar}", report.regret);
            assert!(report.distinct >= 0.6, "{letter}: distinct {}", report.distinct);
            assert_eq!(report.repeats, 0, "{letter}");
            let most_skips = match letter {
                "A" => 0.25,
                "D" => 0.32,
                _ => 1.0,
            };
            assert!(report.skip_last_100 <= most_skips, "{letter}: skips {}", report.skip_last_100);
        }
    }

    #[test]
    fn the_world_is_as_hard_as_documented() {
        let random = simulate("A".parse().expect("a scenario"), Algorithm::Random, 32, 1000);
        let reference = simulate("A".parse().expect("a scenario"), Algorithm::Reference, 32, 1000);
        // Published for 32 users: 281.4 (6.6) and 198.9 (5.2).
        assert!((random.regret - 281.4).abs() < 4.0 * 6.6, "random {}", random.regret);
        assert!((reference.regret - 198.9).abs() < 4.0 * 5.2, "reference {}", reference.regret);
    }

    #[test]
    fn equal_seeds_give_equal_evenings() {
        let run = || simulate("D".parse().expect("a scenario"), Algorithm::Taste, 2, 5);
        assert_eq!(run(), run());
    }
}
