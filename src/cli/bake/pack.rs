//! `aivj bake pack`: builds a safe, diverse pack from an audited library.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::pack::{self, PackFilter, PackGrade, PackSettings, Sample};
use crate::units::counted;

/// Copy a safe, diverse selection from an audited library, with its textures, into a pack; exit with status 4
/// if the pack is not diverse enough.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Audit output folder, or a folder with a finished `preset-audit.json` from the browser-based
    /// predecessor
    #[arg(long, value_name = "DIR")]
    audit: PathBuf,
    /// Preset folder covered by an audit from the predecessor [default: the folder named in the audit]
    #[arg(long, value_name = "DIR")]
    library: Option<PathBuf>,
    /// Name of the pack
    #[arg(long, value_name = "NAME")]
    name: String,
    /// Folder in which to create the pack
    #[arg(long, value_name = "DIR", default_value = "packs")]
    packs: PathBuf,
    /// Presets to select from: playable with an acceptable look (ok), or all that are playable (crashsafe)
    #[arg(long, default_value = "ok", value_parser = ["ok", "crashsafe"])]
    from: String,
    /// Maximum number of presets
    #[arg(long, value_name = "COUNT", default_value_t = 2000, value_parser = clap::value_parser!(u32).range(1..))]
    size: u32,
    /// Selection method: the most diverse presets (diverse), random ones (reservoir) or the first ones (first)
    #[arg(long, default_value = "diverse", value_parser = ["diverse", "reservoir", "first"])]
    sample: String,
    /// Exclude presets that flash too often, show a harmful regular pattern, or have not been measured for either
    #[arg(long)]
    safe_flash: bool,
    /// Exclude presets whose estimated cost at 1080p exceeds MS per frame
    #[arg(long, value_name = "MS")]
    max_cost: Option<f64>,
    /// Select only from the presets listed in FILE, one path, ID or content hash per line
    #[arg(long, value_name = "FILE")]
    rel_paths: Option<PathBuf>,
    /// Exclude the presets in this blacklist
    #[arg(long, value_name = "FILE")]
    blacklist: Option<PathBuf>,
    /// Texture folders
    #[arg(long, value_name = "DIR", num_args = 1..)]
    textures: Vec<PathBuf>,
    /// Random seed
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

/// Runs `aivj bake pack`; exits with status 4 if the pack is not diverse enough.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let settings = PackSettings {
        audit: args.audit,
        library: args.library,
        packs: args.packs,
        name: args.name,
        from: if args.from == "crashsafe" { PackFilter::CrashSafe } else { PackFilter::Ok },
        size: args.size as usize,
        sample: match args.sample.as_str() {
            "reservoir" => Sample::Reservoir,
            "first" => Sample::First,
            _ => Sample::Diverse,
        },
        safe_flash: args.safe_flash,
        max_cost_ms: args.max_cost,
        rel_paths: args.rel_paths.as_deref().map(pack::read_paths).transpose()?,
        blacklist: args.blacklist,
        keep_larger: false,
        textures: args.textures,
        seed: args.seed,
    };
    let pack = pack::make(&settings, super::common::store()?)?;
    let report = &pack.report;
    if args.json {
        println!("{}", serde_json::to_string(report)?);
    } else {
        let (presets, images) = (counted(report.size, "preset"), counted(pack.images, "image"));
        println!("{presets} and {images} in {}", pack.folder.display());
        println!(
            "selected from {}; compared with random packs of the same size:",
            counted(report.eligible, "eligible preset")
        );
        let line = |what, pack: f64, random: f64| println!("  {what:26} {pack:8.2}  random {random:8.2}");
        line("folders covered", report.pack.folders, report.random.folders);
        line("distinct code families", report.pack.families, report.random.families);
        line("distinct looks", report.pack.looks, report.random.looks);
        line("nearest-neighbour distance", report.pack.mean_nearest, report.random.mean_nearest);
        println!("diversity: {}", report.summary());
    }
    Ok(if report.grade == PackGrade::Red { ExitCode::from(4) } else { ExitCode::SUCCESS })
}
