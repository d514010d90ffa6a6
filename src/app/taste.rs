//! Export and import of the taste, for another computer or from aivj's browser-based predecessor.

use std::path::Path;

use anyhow::Context as _;

use super::{catalogue, open_store, open_store_to_write, unix_now};
use crate::disk;
use crate::facts::PresetId;
use crate::jobs::show_lock;
use crate::library::style::NameTable;
use crate::library::{Catalogue, UserFolders, preset_names};
use crate::mind::taste::{self, Package, Skip, TasteState};
use crate::store::BanKind;

/// Key of the taste in the store.
const TASTE: &str = "taste";

/// Result of an import.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TasteImport {
    /// Number of styles in the file.
    pub clusters: usize,
    /// Favourites in the file that are in this library.
    pub favourites: usize,
    /// Bans in the file that are in this library.
    pub banned: usize,
    /// Skips in the file that are in this library.
    pub skipped: usize,
    /// Marks in the file whose preset is not in this library.
    pub unknown: usize,
}

/// Writes the taste, the favourites, the bans and the skips to a file.
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

/// Merges a file into the saved taste: a taste package, a bandit state keyed by `cluster:energy`, or a feedback
/// package. Presets are looked up in the library by id, path or name.
pub fn import_taste(file: &Path, presets: Option<&Path>) -> anyhow::Result<TasteImport> {
    let text =
        disk::read_text(file, disk::limit::LIST).with_context(|| format!("opening {}", file.display()))?;
    let package = taste::import(&text).with_context(|| format!("reading {}", file.display()))?;
    let store = open_store_to_write()?;
    let (library, messages) = catalogue(&store, presets)?;
    messages.iter().for_each(|message| log::warn!("{message}"));
    // A running show would overwrite the import with its own taste, so none may start until this is saved.
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

/// Returns whether a show with the same store is running on this computer.
pub fn show_is_open() -> bool {
    UserFolders::of_user().is_some_and(|places| show_lock::is_open(&places.data))
}

/// Finds the preset named in a file: by content id, which needs no library, by any name of the library or its manifest,
/// or by its name alone.
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
