//! `aivj simulate`: how fast the director learns, on simulated users.

use std::process::ExitCode;

use crate::mind::simulation::{Algorithm, Scenario, simulate};

/// Measures the director's learning on simulated users.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A stationary, B change of mind, C wandering taste, D few signals, E misleading assumption, F 64 clusters.
    #[arg(long, default_value = "A")]
    scenario: Scenario,
    /// How many users.
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    users: u32,
    /// Seed of the first user; the others follow.
    #[arg(long, default_value_t = 1000)]
    seed: u64,
    /// taste, reference or random.
    #[arg(long, default_value = "taste")]
    algorithm: Algorithm,
    /// The figures as one JSON line.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let report = simulate(args.scenario, args.algorithm, args.users as usize, args.seed);
    if args.json {
        println!("{}", serde_json::to_string(&report)?);
        return Ok(ExitCode::SUCCESS);
    }
    println!("scenario {}, {}, {} users", report.scenario, report.algorithm, report.users);
    println!("  reward lost in an evening  {:.1} (standard error {:.1})", report.regret, report.regret_se);
    println!("  skipped, last 100          {:.2}", report.skip_last_100);
    println!("  favourites, last 100       {:.2}", report.favourite_last_100);
    println!("  a change followed after    {:.0} switches", report.adaptation);
    println!("  different presets          {:.2}, entropy {:.2}", report.distinct, report.entropy);
    println!("  repeats within 40          {}", report.repeats);
    Ok(ExitCode::SUCCESS)
}
