//! `aivj train-scene`: fits the scene model to a folder of labelled clips.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::training::{TrainSettings, train};

/// Fits the scene model to the clips that FOLDER/manifest.json labels and writes its weights.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Holds manifest.json, {"items":[{"file","scene","kind","source"}]}, and the clips.
    #[arg(long)]
    folder: PathBuf,
    /// Where the weights go; a build takes them from here.
    #[arg(long, default_value = "assets/scene.json")]
    out: PathBuf,
    /// Variants of each clip and piece: other equaliser, room, noise, level, tempo and pitch.
    #[arg(long, default_value_t = 2)]
    variants: usize,
    /// Pieces composed for each scene, beside the clips.
    #[arg(long, default_value_t = 300)]
    pieces: usize,
    /// Decides every variant.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Also fit without each group of clips and tell how well it is known to the rest.
    #[arg(long)]
    check: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let checks = train(&TrainSettings {
        folder: args.folder.clone(),
        out: args.out.clone(),
        variants: args.variants,
        pieces: args.pieces,
        seed: args.seed,
        workers: super::default_workers(),
        check: args.check,
    })?;
    println!("the weights are {}", args.out.display());
    for check in &checks {
        let (group, clips) = (&check.group, check.clips);
        println!(
            "without {group}: {clips} clips, {:.3} right; linear scores {:.3}",
            check.accuracy, check.baseline
        );
    }
    let real: Vec<_> = checks.iter().filter(|check| check.group.starts_with("real")).collect();
    let decisions: usize = real.iter().map(|check| check.decisions).sum();
    if decisions > 0 {
        let known: f64 = real.iter().map(|check| check.accuracy * check.decisions as f64).sum();
        println!("all real, each without its source: {:.3} right", known / decisions as f64);
    }
    if let Some(worst) = checks.iter().min_by(|a, b| a.accuracy.total_cmp(&b.accuracy)) {
        println!("least: {:.3}, {}", worst.accuracy, worst.group);
    }
    Ok(ExitCode::SUCCESS)
}
