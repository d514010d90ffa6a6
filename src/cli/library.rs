//! `aivj library`: scans, searches and marks presets without opening the show.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context as _;
use clap::builder::{OsStringValueParser, TypedValueParser as _};

use super::taste_transfer::show_is_open;
use crate::archive::{self, allow, catalogue, open_store, open_store_to_write, unix_now};
use crate::embed::open_encoder;
use crate::facts::{Energy, PresetId, Tag};
use crate::find::{Description, Reference, SearchIndex, SearchQuery};
use crate::library::{self, LibraryLocation};
use crate::store::{BanKind, Store};
use crate::units::{counted, printable};

/// Scan, search and mark presets.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: LibraryCommand,
}

/// A preset, given as its file or its ID (32 hexadecimal digits).
#[derive(Clone, Debug)]
enum PresetArg {
    Id(PresetId),
    File(PathBuf),
}

#[derive(Debug, clap::Subcommand)]
enum LibraryCommand {
    /// Scan a preset folder; unchanged files are not read again
    Scan {
        /// Preset folder or pack manifest
        folder: PathBuf,
    },
    /// List presets whose name, path or tags match all WORDS
    Search {
        /// Words or word prefixes
        #[arg(required = true)]
        words: Vec<String>,
        /// Maximum number of presets to list
        #[arg(long, value_name = "COUNT", default_value_t = 50)]
        limit: usize,
    },
    /// Find presets by a picture, or by a description of their look, such as `slow blue tunnel`, `like NAME but
    /// darker`, or `like 3` for the third preset of the last list
    Find {
        /// Description: colours, brightness, motion, shapes and other elements, tags, names and authors
        #[arg(required_unless_present = "picture")]
        words: Vec<String>,
        /// Picture that the presets should resemble
        #[arg(long, value_name = "FILE")]
        picture: Option<PathBuf>,
        /// Preset folder or pack manifest [default: built-in presets]
        #[arg(long, value_name = "PATH")]
        presets: Option<PathBuf>,
        /// Maximum number of presets to list
        #[arg(long, value_name = "COUNT", default_value_t = 20)]
        limit: usize,
        /// Print one JSON object per preset
        #[arg(long)]
        json: bool,
    },
    /// Print the files, marks, plays and verdict of a preset
    Show {
        /// Preset file or ID
        #[arg(value_parser = OsStringValueParser::new().map(preset_arg))]
        preset: PresetArg,
    },
    /// Mark a preset as a favourite, ban it, or set its rating, note and tags
    Mark {
        /// Preset file or ID
        #[arg(value_parser = OsStringValueParser::new().map(preset_arg))]
        preset: PresetArg,
        /// Mark as a favourite, or remove from favourites
        #[arg(long, value_name = "yes|no", value_parser = yes_or_no)]
        favourite: Option<bool>,
        /// Rating from 1 to 5; 0 removes it
        #[arg(long, value_parser = clap::value_parser!(u8).range(0..=5))]
        rating: Option<u8>,
        /// Note; an empty string removes it
        #[arg(long)]
        note: Option<String>,
        /// Add a tag; repeatable
        #[arg(long)]
        tag: Vec<String>,
        /// Remove a tag; repeatable
        #[arg(long)]
        untag: Vec<String>,
        /// Ban or unban; `no` also rescues an excluded preset
        #[arg(long, value_name = "yes|no", value_parser = yes_or_no)]
        ban: Option<bool>,
    },
}

/// Parses an ID or a path, which need not be valid Unicode.
fn preset_arg(text: OsString) -> PresetArg {
    let id = text.to_str().and_then(|text| text.parse::<PresetId>().ok());
    id.map_or_else(|| PresetArg::File(text.into()), PresetArg::Id)
}

fn yes_or_no(text: &str) -> Result<bool, String> {
    match text {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err("expected yes or no".into()),
    }
}

impl PresetArg {
    fn id(&self) -> anyhow::Result<PresetId> {
        match self {
            Self::Id(id) => Ok(*id),
            Self::File(path) => {
                let bytes = library::PresetSource::File(path.clone()).read().map_err(anyhow::Error::msg);
                Ok(PresetId::of(&bytes.with_context(|| format!("reading the preset {}", path.display()))?))
            }
        }
    }
}

/// Runs `aivj library`.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let store = match args.command {
        LibraryCommand::Mark { .. } => open_store_to_write()?,
        LibraryCommand::Scan { .. }
        | LibraryCommand::Search { .. }
        | LibraryCommand::Find { .. }
        | LibraryCommand::Show { .. } => {
            let (store, notice) = open_store()?;
            notice.iter().for_each(|notice| eprintln!("aivj: {notice}"));
            store
        }
    };
    match args.command {
        LibraryCommand::Scan { folder } => scan(&store, &folder)?,
        LibraryCommand::Search { words, limit } => {
            let started = Instant::now();
            let all = store.count(&words.join(" "))?;
            let took_ms = started.elapsed().as_secs_f64() * 1000.0;
            for found in store.search(&words.join(" "), limit)? {
                println!("{}  {}", found.id, printable(&found.path));
            }
            eprintln!("{}, found in {took_ms:.1} ms", counted(all, "preset"));
        }
        LibraryCommand::Find { words, picture, presets, limit, json } => {
            find(&store, &words.join(" "), picture, presets.as_deref(), limit, json)?;
        }
        LibraryCommand::Show { preset } => {
            let id = preset.id()?;
            report_unknown(&store, &preset, "nothing is known about its files")?;
            show(&store, id)?;
        }
        LibraryCommand::Mark { preset, favourite, rating, note, tag, untag, ban } => {
            let (id, now) = (preset.id()?, unix_now());
            if let Some(favourite) = favourite {
                store.set_favourite(id, favourite, now)?;
            }
            if let Some(rating) = rating {
                store.set_rating(id, (rating > 0).then_some(rating), now)?;
            }
            if let Some(note) = note {
                store.set_note(id, &note, now)?;
            }
            tag.iter().try_for_each(|label| store.set_label(id, label, true))?;
            untag.iter().try_for_each(|label| store.set_label(id, label, false))?;
            match ban {
                Some(true) => archive::ban(&store, id)?,
                Some(false) => allow(&store, id)?,
                None => {}
            }
            report_unknown(
                &store,
                &preset,
                "the mark is kept and applies once a library with it is scanned",
            )?;
            show(&store, id)?;
            if show_is_open() {
                eprintln!(
                    "aivj: a show is running on this computer; the change takes effect when it is restarted"
                );
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn scan(store: &Store, folder: &std::path::Path) -> anyhow::Result<()> {
    let place = LibraryLocation::of(folder);
    let bar = indicatif::ProgressBar::new_spinner();
    bar.set_style(
        indicatif::ProgressStyle::with_template("{spinner} {human_pos} files, {per_sec}")
            .expect("the template is valid"),
    );
    let started = Instant::now();
    let report =
        library::scan(store, &place.folder, unix_now(), |looked_at| bar.set_position(looked_at as u64))?;
    let scan_secs = started.elapsed().as_secs_f64();
    bar.finish_and_clear();
    for (path, why) in &report.skipped {
        eprintln!("aivj: skipped {}: {why}", printable(&path.to_string_lossy()));
    }
    if report.skipped_more > 0 {
        eprintln!("aivj: skipped {} more", report.skipped_more);
    }
    println!(
        "{}, {} read, {} missing, {scan_secs:.2} s",
        counted(report.files, "preset file"),
        report.read,
        report.gone
    );
    let started = Instant::now();
    let opened = library::load(store, &place)?;
    let open_ms = started.elapsed().as_secs_f64() * 1000.0;
    let catalogue = &opened.catalogue;
    println!(
        "{} in {} ({}), opened in {open_ms:.0} ms",
        counted(catalogue.entries.len(), "distinct preset"),
        counted(catalogue.clusters.len(), "style"),
        catalogue.origin.word(),
    );
    for message in &opened.messages {
        println!("{message}");
    }
    for energy in Energy::ALL {
        let count = catalogue.entries.iter().filter(|entry| entry.energy == energy).count();
        println!("  {}: {count}", energy.label());
    }
    for tag in Tag::ALL {
        let count = catalogue.entries.iter().filter(|entry| entry.tags.has(tag)).count();
        if count > 0 {
            println!("  {}: {count}", tag.word());
        }
    }
    let families: std::collections::BTreeSet<u64> =
        catalogue.entries.iter().map(|entry| entry.family).collect();
    println!("  families: {}", families.len());
    Ok(())
}

fn find(
    store: &Store,
    text: &str,
    picture: Option<PathBuf>,
    presets: Option<&std::path::Path>,
    limit: usize,
    json: bool,
) -> anyhow::Result<()> {
    // Nothing is played, so presets that are held back are found too.
    let (library, messages) = catalogue(store, presets, None, true)?;
    messages.iter().for_each(|message| eprintln!("aivj: {message}"));
    let library = std::sync::Arc::new(library);
    let description = Description::parse(text);
    anyhow::ensure!(
        picture.is_some() || !description.is_empty(),
        "describe a look, for example: slow blue tunnel"
    );
    // With a picture, "this" is the picture.
    let reference = description.reference().filter(|found| picture.is_none() || *found != Reference::This);
    let referent = reference.map(|reference| referent(store, reference)).transpose()?;
    let query =
        SearchQuery { text: text.into(), describe: true, referent, picture, ..SearchQuery::default() };
    let mut index = SearchIndex::new(library.clone(), &store.labels()?).with_encoder(open_encoder);
    index.prepare(&query, store);
    let (mut best, problem) = index.describe(&description, &query);
    // Every preset fits a picture to some degree, so an empty list means that the picture cannot be used.
    if let Some(problem) = problem.as_ref().filter(|_| query.picture.is_some() && best.is_empty()) {
        anyhow::bail!("{problem}");
    }
    problem.iter().for_each(|problem| eprintln!("aivj: {problem}"));
    best.truncate(limit);
    let mut listed = Vec::with_capacity(best.len());
    for (number, (index, fit)) in (1..).zip(best) {
        let entry = &library.entries[index as usize];
        listed.push(entry.id);
        if json {
            println!(
                "{}",
                serde_json::json!({"number": number, "id": entry.id, "path": entry.path, "fit": fit})
            );
        } else {
            println!("{number:4}  {:3.0}%  {}", fit * 100.0, printable(&entry.path));
        }
    }
    if let Err(error) = store.remember(LAST_FOUND, &listed, unix_now()) {
        eprintln!("aivj: `like NUMBER` cannot refer to this list: {error}");
    }
    Ok(())
}

/// Name under which the store keeps the presets that were listed last.
const LAST_FOUND: &str = "last-found";

/// Returns the preset that a description refers to.
fn referent(store: &Store, reference: Reference) -> anyhow::Result<PresetId> {
    let number = match reference {
        Reference::This => anyhow::bail!(
            "\"this\" refers to the preset selected or on air in a running show; write `like NAME`, or `like 3` for the \
             third preset of the last list"
        ),
        Reference::Number(number) => number,
    };
    let listed: Vec<PresetId> = store.recall(LAST_FOUND)?.unwrap_or_default();
    let preset = number.checked_sub(1).and_then(|at| listed.get(at));
    preset.copied().with_context(|| {
        format!("there is no number {number}: the last list had {}", counted(listed.len(), "preset"))
    })
}

/// Warns about an ID that no scanned library contains, because it may be mistyped; `then` states the consequence.
fn report_unknown(store: &Store, preset: &PresetArg, then: &str) -> anyhow::Result<()> {
    if let PresetArg::Id(id) = preset
        && store.files_of(*id)?.is_empty()
    {
        eprintln!("aivj: no scanned library contains {id}; {then}");
    }
    Ok(())
}

fn show(store: &Store, id: PresetId) -> anyhow::Result<()> {
    println!("{id}");
    for path in store.files_of(id)? {
        println!("  file: {}", printable(&path.to_string_lossy()));
    }
    let opinion = store.opinion(id)?;
    println!("  favourite: {}", if opinion.favourite { "yes" } else { "no" });
    if let Some(rating) = opinion.rating {
        println!("  rating: {rating}");
    }
    if !opinion.note.is_empty() {
        println!("  note: {}", printable(&opinion.note));
    }
    if !opinion.labels.is_empty() {
        println!("  tags: {}", printable(&opinion.labels.join(", ")));
    }
    for ban in store.bans(unix_now())?.into_iter().filter(|ban| ban.id == id) {
        match ban.kind {
            BanKind::Permanent => println!("  banned: {}", printable(&ban.reason)),
            kind => println!("  excluded {}: {}", kind.duration_text(), printable(&ban.reason)),
        }
    }
    if let Some(play) = store.plays()?.get(&id) {
        let (plays, skips) = (counted(play.plays as usize, "time"), counted(play.skips as usize, "time"));
        println!("  on air: {plays}, {:.0} s; skipped: {skips}", play.seconds);
    }
    if let Some(verdict) = store.verdict(id)? {
        println!("  audit: {}, look {}, flash {}", verdict.safety, verdict.look, verdict.flash);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_refers_to_the_last_list_and_this_to_nothing() {
        let store = Store::in_memory().expect("opens");
        let listed = [PresetId([1; 16]), PresetId([2; 16])];
        store.remember(LAST_FOUND, &listed, 1).expect("remembered");
        assert_eq!(referent(&store, Reference::Number(2)).expect("listed"), listed[1]);
        let why = |reference| referent(&store, reference).expect_err("no such preset").to_string();
        assert_eq!(why(Reference::Number(3)), "there is no number 3: the last list had 2 presets");
        assert!(why(Reference::Number(0)).starts_with("there is no number 0"));
        assert!(why(Reference::This).starts_with("\"this\" refers to the preset selected or on air"));
    }
}
