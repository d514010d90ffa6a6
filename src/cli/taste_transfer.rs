//! Exports the taste and marks for use on another computer; imports them from such an export, or from aivj's
//! browser-based predecessor.

use std::path::Path;

use anyhow::Context as _;

use crate::archive::{catalogue, open_store, open_store_to_write, unix_now};
use crate::disk;
use crate::facts::PresetId;
use crate::jobs::show_lock;
use crate::library::style::NameTable;
use crate::library::{Catalogue, UserFolders, preset_names};
use crate::mind::taste::{self, Package, Skip, TasteState};
use crate::store::BanKind;

/// Key of the taste in the store.
const TASTE: &str = "taste";

/// Result of an import: how many items of each kind were imported, and how many could not be matched to a preset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TasteImport {
    /// Number of styles whose taste was merged.
    pub clusters: usize,
    /// Number of favourites that were imported.
    pub favourites: usize,
    /// Number of bans that were imported.
    pub banned: usize,
    /// Number of skips that were imported.
    pub skipped: usize,
    /// Number of favourites, bans and skips in the file whose preset was not found in this library.
    pub unknown: usize,
}

/// Writes the taste, the favourites, the permanent bans and the skips to a JSON file.
pub fn export_taste(file: &Path) -> anyhow::Result<()> {
    let (store, notice) = open_store()?;
    notice.iter().for_each(|notice| log::warn!("{notice}"));
    let ids = |ids: Vec<PresetId>| ids.iter().map(PresetId::to_string).collect();
    let banned = store.bans(unix_now())?.into_iter().filter(|ban| ban.kind == BanKind::Permanent);
    let plays = store.plays()?;
    let skips = plays.iter().filter(|(_, play)| play.skips > 0);
    let package = Package {
        favourites: ids(store.favourites()?.into_iter().collect()),
        dislikes: ids(banned.map(|ban| ban.id).collect()),
        skips: skips.map(|(id, play)| Skip { preset: id.to_string(), at: play.last_at }).collect(),
        taste: store.recall::<TasteState>(TASTE)?.unwrap_or_default(),
    };
    let text = package.to_json(unix_now())?;
    disk::write(file, text.as_bytes()).context("writing the taste")
}

/// Merges an exported taste, a bandit state keyed by `cluster:energy`, or a feedback package into the saved
/// taste and marks. Presets in `file` are identified by ID, or by path or name in the library.
pub fn import_taste(file: &Path, presets: Option<&Path>) -> anyhow::Result<TasteImport> {
    let text =
        disk::read_text(file, disk::limit::LIST).with_context(|| format!("opening {}", file.display()))?;
    let package = taste::import(&text).with_context(|| format!("reading {}", file.display()))?;
    let store = open_store_to_write()?;
    // Nothing is played, so presets that are held back count too.
    let (library, messages) = catalogue(&store, presets, None, true)?;
    messages.iter().for_each(|message| log::warn!("{message}"));
    // A running show would overwrite the import with its own taste, so no show may start until the import is saved.
    let _none_open = match UserFolders::of_user() {
        Some(places) => Some(show_lock::block_opening(&places.data)?.context(
            "a show is running on this computer and would overwrite the import; close it and try again",
        )?),
        None => None,
    };
    let names = preset_names(&library);
    let preset = |name: &str| preset(&library, &names, name);
    let mut taste = store.recall::<TasteState>(TASTE)?.unwrap_or_default();
    let mut done = TasteImport { clusters: package.taste.clusters.len(), ..TasteImport::default() };
    taste.merge(package.taste);
    store.remember(TASTE, &taste, unix_now())?;
    for name in &package.favourites {
        match preset(name) {
            Some(id) => {
                store.set_favourite(id, true, unix_now())?;
                done.favourites += 1;
            }
            None => done.unknown += 1,
        }
    }
    for name in &package.dislikes {
        match preset(name) {
            Some(id) => {
                store.ban(id, BanKind::Permanent, "imported", unix_now())?;
                done.banned += 1;
            }
            None => done.unknown += 1,
        }
    }
    for skip in &package.skips {
        match preset(&skip.preset) {
            Some(id) => {
                store.set_skipped(id, skip.at)?;
                done.skipped += 1;
            }
            None => done.unknown += 1,
        }
    }
    Ok(done)
}

/// Returns whether a show that uses the performer's store is running on this computer.
pub fn show_is_open() -> bool {
    UserFolders::of_user().is_some_and(|places| show_lock::is_open(&places.data))
}

/// Finds the preset that an imported file refers to as `name`: a content ID (which need not be in the library), any
/// name of the preset in the library or manifest, or its file name alone.
fn preset(library: &Catalogue, names: &NameTable, name: &str) -> Option<PresetId> {
    let by_name_alone = || {
        let path = name.replace('\\', "/");
        let stem = Path::new(&path).file_stem()?.to_string_lossy().into_owned();
        library.entries.iter().position(|entry| entry.name() == stem)
    };
    name.parse().ok().or_else(|| {
        let index = names.index_of(name).or_else(by_name_alone)?;
        Some(library.entries[index].id)
    })
}
