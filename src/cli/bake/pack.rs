//! `aivj bake pack`: a safe, varied choice of an audited library.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::pack::{self, PackFilter, PackGrade, PackSettings, Sample};

/// Chooses presets of an audited library and copies them with their images into a pack of their own.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder of the audit.
    #[arg(long)]
    audit: PathBuf,
    /// Name of the pack.
    #[arg(long)]
    name: String,
    /// Where packs lie.
    #[arg(long, default_value = "packs")]
    packs: PathBuf,
    /// What it may hold: all that can be played, or only what also has something to see.
    #[arg(long, default_value = "ok", value_parser = ["ok", "crashsafe"])]
    from: String,
    /// How many presets it holds.
    #[arg(long, default_value_t = 2000)]
    size: usize,
    /// How it is drawn.
    #[arg(long, default_value = "diverse", value_parser = ["diverse", "reservoir", "first"])]
    sample: String,
    /// Leave out presets that flash too often.
    #[arg(long)]
    safe_flash: bool,
    /// Leave out presets expected to need more milliseconds a frame at 1080p on this machine.
    #[arg(long)]
    max_cost: Option<f64>,
    /// A file with the paths the pack is limited to, one a line.
    #[arg(long)]
    rel_paths: Option<PathBuf>,
    /// A blacklist as an audit writes it.
    #[arg(long)]
    blacklist: Option<PathBuf>,
    /// Folders with images for presets.
    #[arg(long, num_args = 1..)]
    textures: Vec<PathBuf>,
    /// Decides the draw.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the command; the exit status is 4 when the pack is too uniform for a night.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let settings = PackSettings {
        audit: args.audit,
        packs: args.packs,
        name: args.name,
        from: if args.from == "crashsafe" { PackFilter::CrashSafe } else { PackFilter::Ok },
        size: args.size,
        sample: match args.sample.as_str() {
            "reservoir" => Sample::Reservoir,
            "first" => Sample::First,
            _ => Sample::Diverse,
        },
        safe_flash: args.safe_flash,
        max_cost_ms: args.max_cost,
        rel_paths: args.rel_paths.as_deref().map(pack::read_paths).transpose()?,
        blacklist: args.blacklist,
        textures: args.textures,
        seed: args.seed,
    };
    let pack = pack::make(&settings, super::store()?)?;
    let report = &pack.report;
    if args.json {
        println!("{}", serde_json::to_string(report)?);
    } else {
        println!("{} presets and {} images in {}", report.size, pack.images, pack.folder.display());
        println!("drawn from {}; compared with random packs of this size:", report.eligible);
        let line = |what, pack: f64, random: f64| println!("  {what:24} {pack:8.2}  random {random:8.2}");
        line("folders covered", report.pack.folders, report.random.folders);
        line("different codes", report.pack.families, report.random.families);
        line("different looks", report.pack.looks, report.random.looks);
        line("distance to the nearest", report.pack.mean_nearest, report.random.mean_nearest);
        let light = match report.light {
            PackGrade::Green => "GREEN",
            PackGrade::Yellow => "YELLOW",
            PackGrade::Red => "RED",
        };
        println!("{light}: {}", report.reasons.join("; "));
    }
    Ok(if report.light == PackGrade::Red { ExitCode::from(4) } else { ExitCode::SUCCESS })
}
