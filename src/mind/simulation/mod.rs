//! Simulated users with hidden preferences, who skip, favourite and hold presets, to measure how fast the
//! director learns.
//!
//! Drives the same [`Director`](super::director::Director) as a live show; the users, the music and the
//! library are synthetic. Two other algorithms serve as baselines.

mod algorithm;
mod chooser;
mod scenario;
mod tally;
mod world;

pub use algorithm::Algorithm;
use chooser::Chooser;
use scenario::CUTS;
pub use scenario::Scenario;
pub use tally::Report;
use tally::{CutOutcome, Tally};
use world::User;
pub use world::large_library;

/// Simulates one session for each of `users` users, seeded with `seed`, `seed + 1` and so on.
pub fn simulate(scenario: Scenario, algorithm: Algorithm, users: usize, seed: u64) -> Report {
    let mut tally = Tally::new(scenario, algorithm, seed);
    for user in 0..users as u64 {
        tally.session(session(scenario, algorithm, seed + user));
    }
    tally.report()
}

/// Simulates one session and returns the outcome of every cut.
fn session(scenario: Scenario, algorithm: Algorithm, seed: u64) -> Vec<CutOutcome> {
    let mut user = User::new(seed, scenario);
    let mut chooser = Chooser::new(algorithm, &user, seed);
    let mut cuts = Vec::with_capacity(CUTS);
    for number in 0..CUTS {
        user.drift(number);
        let target = user.target(number);
        let Some(choice) = chooser.choose(&target) else { break };
        let (cut, signal) = user.watch(number, &choice);
        chooser.learn(&choice, signal);
        cuts.push(cut);
    }
    cuts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_director_learns_within_the_regret_limits() {
        for (letter, limit) in [("A", 125.0), ("B", 152.0), ("D", 168.0), ("E", 150.0)] {
            let scenario = letter.parse().expect("a scenario");
            let report = simulate(scenario, Algorithm::Taste, 32, 1000);
            assert!(report.regret <= limit, "{letter}: regret {} above {limit}", report.regret);
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
    fn baselines_have_the_expected_regret() {
        let random = simulate("A".parse().expect("a scenario"), Algorithm::Random, 32, 1000);
        let reference = simulate("A".parse().expect("a scenario"), Algorithm::Reference, 32, 1000);
        // Expected for 32 users, with standard errors: 281.4 (6.6) and 198.9 (5.2).
        assert!((random.regret - 281.4).abs() < 4.0 * 6.6, "random {}", random.regret);
        assert!((reference.regret - 198.9).abs() < 4.0 * 5.2, "reference {}", reference.regret);
    }

    #[test]
    fn equal_seeds_give_equal_reports() {
        let run = || simulate("D".parse().expect("a scenario"), Algorithm::Taste, 2, 5);
        assert_eq!(run(), run());
    }
}
