//! `aivj train-scene`: fits the scene model to composed music and labelled clips.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::training::{TrainSettings, train};
use crate::units::counted;

/// Fit the scene model to generated music and, optionally, labelled clips, and write its weights.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder with clips and a manifest.json: {"items":[{"file","scene","licence","kind","source"}]}. Every clip with a
    /// scene needs a licence without restrictions on use, such as CC0 or CC BY
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// File to write the weights to; its folder must exist. The next build embeds the file at the default path
    #[arg(long, value_name = "FILE", default_value = "assets/scene.json",
        value_parser = super::args::output_file())]
    out: PathBuf,
    /// Number of augmented variants of each clip and piece (equaliser, rooms, crowds, filters, level, tempo, pitch)
    #[arg(long, value_name = "COUNT", default_value_t = 2)]
    variants: usize,
    /// Number of pieces to generate for each scene
    #[arg(long, value_name = "COUNT", default_value_t = 350)]
    pieces: usize,
    /// Random seed
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Also cross-validate: hold out each group of clips in turn and report the accuracy on it
    #[arg(long, requires = "folder")]
    check: bool,
}

/// Runs `aivj train-scene`.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let checks = train(&TrainSettings {
        folder: args.folder.clone(),
        out: args.out.clone(),
        variants: args.variants,
        pieces: args.pieces,
        seed: args.seed,
        workers: crate::cli::args::default_workers(),
        check: args.check,
    })?;
    println!("wrote {}", args.out.display());
    for check in &checks {
        let group = &check.group;
        println!(
            "held out {group}: {}, accuracy {:.3}; linear baseline {:.3}",
            counted(check.clips, "clip"),
            check.accuracy,
            check.baseline
        );
    }
    let real: Vec<_> = checks.iter().filter(|check| check.group.starts_with("real")).collect();
    let decisions: usize = real.iter().map(|check| check.decisions).sum();
    if decisions > 0 {
        let known: f64 = real.iter().map(|check| check.accuracy * check.decisions as f64).sum();
        println!("all real clips, each source held out: accuracy {:.3}", known / decisions as f64);
    }
    if let Some(worst) = checks.iter().min_by(|a, b| a.accuracy.total_cmp(&b.accuracy)) {
        println!("lowest accuracy: {:.3}, {}", worst.accuracy, worst.group);
    }
    Ok(ExitCode::SUCCESS)
}
