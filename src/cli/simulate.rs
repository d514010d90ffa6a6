//! `aivj simulate`: measures how well the director learns from simulated users, and how fast it decides.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use serde::Serialize;

use crate::analysis::Scene;
use crate::mind::director::{Director, Pool, Target};
use crate::mind::simulation::{Algorithm, Scenario, large_library, simulate};
use crate::mind::taste::{Signal, Taste};
use crate::units::Rng;
use crate::units::counted;

/// Measure how well the director learns from simulated users, or how fast it decides.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Scenario: A (fixed taste), B (sudden change), C (drifting taste), D (sparse feedback), E (misleading
    /// prior) or F (64 styles)
    #[arg(long, default_value = "A")]
    scenario: Scenario,
    /// Number of users
    #[arg(long, value_name = "COUNT", default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    users: u32,
    /// Seed of the first user, incremented for each subsequent user
    #[arg(long, default_value_t = 1000)]
    seed: u64,
    /// Algorithm: taste (the director), reference (softmax over mean rewards) or random
    #[arg(long, default_value = "taste")]
    algorithm: Algorithm,
    /// Print the results as JSON
    #[arg(long)]
    json: bool,
    /// Benchmark the director's decisions on a library of COUNT presets in 256 styles instead of simulating
    /// users
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    decisions: Option<u32>,
}

/// Runs `aivj simulate`.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    if let Some(presets) = args.decisions {
        println!("{}", serde_json::to_string(&time_decisions(presets as usize, args.seed))?);
        return Ok(ExitCode::SUCCESS);
    }
    let report = simulate(args.scenario, args.algorithm, args.users as usize, args.seed);
    if args.json {
        println!("{}", serde_json::to_string(&report)?);
        return Ok(ExitCode::SUCCESS);
    }
    let users = counted(report.users, "user");
    println!("scenario {}, {}, {users}", report.scenario, report.algorithm);
    println!("  regret                     {:.1} (standard error {:.1})", report.regret, report.regret_se);
    println!("  skip rate, last 100        {:.2}", report.skip_last_100);
    println!("  favourite rate, last 100   {:.2}", report.favourite_last_100);
    if let Some(cuts) = report.cuts_to_adapt() {
        println!("  cuts to adapt, median      {cuts}");
    }
    println!("  distinct presets per cut   {:.2}", report.distinct);
    println!("  style entropy, last 100    {:.2}", report.entropy);
    println!("  repeats within 40          {}", report.repeats);
    Ok(ExitCode::SUCCESS)
}

/// Timings of the director's decisions.
#[derive(Serialize)]
struct Decisions {
    presets: usize,
    clusters: usize,
    decisions: usize,
    /// Time to build the pool, in milliseconds.
    pool_ms: f64,
    /// Median time to choose a preset and learn from the reaction to it, in milliseconds.
    median_ms: f64,
    p99_ms: f64,
    max_ms: f64,
}

fn time_decisions(presets: usize, seed: u64) -> Decisions {
    const CLUSTERS: usize = 256;
    const DECISIONS: usize = 2000;
    let library = Arc::new(large_library(presets, CLUSTERS));
    let started = Instant::now();
    let pool = Arc::new(Pool::new(library));
    let pool_ms = started.elapsed().as_secs_f64() * 1000.0;
    let mut director = Director::new(pool, Taste::new(CLUSTERS));
    let mut rng = Rng::new(seed);
    let mut took = Vec::with_capacity(DECISIONS);
    for _ in 0..DECISIONS {
        let target = Target { scene: Scene::ALL[rng.below(3)], level: 2.0 * rng.unit() };
        let signal = [Signal::Skip, Signal::Favourite, Signal::Watched][rng.below(3)];
        let started = Instant::now();
        let Some(choice) = director.choose(&target, &[], &mut rng) else { break };
        director.record_shown(choice.preset);
        director.learn(&choice.evidence, choice.preset, signal);
        took.push(started.elapsed().as_secs_f64() * 1000.0);
    }
    took.sort_by(f64::total_cmp);
    let at = |share: f64| took.get((share * (took.len().max(1) - 1) as f64) as usize).copied().unwrap_or(0.0);
    Decisions {
        presets,
        clusters: CLUSTERS,
        decisions: took.len(),
        pool_ms,
        median_ms: at(0.5),
        p99_ms: at(0.99),
        max_ms: at(1.0),
    }
}
