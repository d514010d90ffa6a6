//! Opening a library for a show: the folder is scanned, what is known about its presets comes from the store, and the
//! files beside it say what belongs to it and how it looks.
//!
//! Whatever is wrong with those files is told, and the show goes on with what is left: an index v1, else v0, else the
//! presets' own text.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{Scope, ScopedJoinHandle};

use super::numbers::NumberMap;
use super::pack::{BLACKLIST_FILE, Listing, MANIFEST_FILE, QualityBlacklist};
use super::store::{FileFacts, ScanCommit, Store, StoreError, UnixSecs, bytes_of, path_of, text_of};
use super::style::{self, IndexLookup, NameTable};
use super::{
    Catalogue, Entry, FolderError, PresetFacts, PresetId, ScanError, ScanReport, SourceLocation,
    library_root, scan,
};

/// Why a library cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder could not be looked through.
    #[error(transparent)]
    Scan(#[from] ScanError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A library ready for a show.
pub struct OpenedLibrary {
    /// The table.
    pub catalogue: Catalogue,
    /// What the scan found; nothing when the library was opened as it was last scanned.
    pub report: Option<ScanReport>,
    /// What the performer should know.
    pub messages: Vec<String>,
}

/// A folder, or the manifest of a pack, as the performer named it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LibraryLocation {
    /// The folder its presets lie in.
    pub folder: PathBuf,
    /// The manifest that makes it a pack.
    pub manifest: Option<PathBuf>,
}

impl LibraryLocation {
    /// What `path` names. A folder with a manifest in it is a pack.
    pub fn of(path: &Path) -> Self {
        if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json")) && path.is_file() {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            return Self {
                folder: folder.unwrap_or(Path::new(".")).to_owned(),
                manifest: Some(path.to_owned()),
            };
        }
        let manifest = path.join(MANIFEST_FILE);
        Self { folder: path.to_owned(), manifest: manifest.is_file().then_some(manifest) }
    }
}

/// Scans a library and opens it; `progress` hears the files looked at so far.
pub fn open(
    store: &Store,
    place: &LibraryLocation,
    now: UnixSecs,
    progress: impl FnMut(usize),
) -> Result<OpenedLibrary, OpenError> {
    let report = scan(store, &place.folder, now, progress)?;
    let mut opened = load(store, place)?;
    let left_out = report.left_out.len() + report.left_out_more;
    if let Some((path, why)) = report.left_out.first() {
        let first = format!("{}: {why}", path.display());
        opened.messages.push(format!("{left_out} files or folders are left out, the first is {first}"));
    }
    opened.report = Some(report);
    Ok(opened)
}

/// Opens a library as it was last scanned; nothing is read but the store and the files beside the presets.
pub fn load(store: &Store, place: &LibraryLocation) -> Result<OpenedLibrary, OpenError> {
    let root = library_root(&place.folder);
    let (index_of, manifest) = (&root, &place.manifest);
    let blacklist = &root.join(BLACKLIST_FILE);
    // The files beside a large library take as long to read as its presets.
    let (draft, sought, listing, bad) = std::thread::scope(|scope| {
        let sought = aside(scope, "style index", move || style::seek(index_of));
        let listing = manifest.as_ref().map(|path| aside(scope, "manifest", move || Listing::read(path)));
        let bad = blacklist
            .is_file()
            .then(|| aside(scope, "quality blacklist", move || QualityBlacklist::read_numbers(blacklist)));
        let draft = CatalogueBuilder::of(&root, store);
        (draft, sought(), listing.map(|listing| listing()), bad.map(|bad| bad()))
    });
    let mut draft = draft?;
    let mut messages = Vec::new();
    match listing {
        Some(Ok(listing)) => draft.keep_listed(&listing, &mut messages),
        Some(Err(error)) => {
            messages.push(format!("the manifest is passed over, all presets of the folder play: {error}"));
        }
        None => {}
    }
    match bad {
        Some(Ok(bad)) => draft.drop_bad(&bad, &mut messages),
        Some(Err(error)) => messages.push(format!("the quality blacklist is passed over: {error}")),
        None => {}
    }
    draft.style(sought, &mut messages);
    let catalogue = draft.catalogue;
    if catalogue.entries.is_empty() {
        return Err(ScanError::from(FolderError::Empty(place.folder.clone())).into());
    }
    Ok(OpenedLibrary { catalogue, report: None, messages })
}

/// Starts `work` on a thread of its own; the answer waits for it, and does the work itself where there is no thread.
fn aside<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    name: &str,
    work: impl Fn() -> T + Copy + Send + 'scope,
) -> impl FnOnce() -> T + 'scope {
    let thread = std::thread::Builder::new().name(name.into()).spawn_scoped(scope, work);
    move || match thread.map(ScopedJoinHandle::join) {
        Ok(Ok(done)) => done,
        Ok(Err(_)) | Err(_) => work(),
    }
}

/// The presets that come with the program. The store learns them as it learns files, so that they are searched alike.
pub fn load_built_in(store: &Store) -> Result<Catalogue, StoreError> {
    let root = Path::new("(built-in)");
    let catalogue = Catalogue::built_in();
    let known = store.load(root)?;
    let known_ids: BTreeSet<PresetId> = known.iter().map(|row| row.id).collect();
    let wanted: BTreeSet<PresetId> = catalogue.entries.iter().map(|entry| entry.id).collect();
    if known_ids != wanted {
        let library = store.library_key(root)?;
        let gone = known.iter().map(|row| bytes_of(&row.path)).collect();
        store.commit_scan(library, &ScanCommit { read: Vec::new(), gone })?;
        let read = catalogue.entries.iter().map(|entry| FileFacts {
            path: entry.path.clone().into_bytes(),
            size: 0,
            modified_ns: 0,
            id: entry.id,
            outline: PresetFacts { tags: entry.tags, energy: entry.energy, family: entry.family },
        });
        store.commit_scan(library, &ScanCommit { read: read.collect(), gone: Vec::new() })?;
    }
    Ok(catalogue)
}

/// A table in the making.
struct CatalogueBuilder {
    catalogue: Catalogue,
    /// Paths of presets that lie in several files, but for the first one, with their places.
    copies: Vec<(String, usize)>,
    /// Made when first needed.
    names: Option<NameTable>,
}

impl CatalogueBuilder {
    /// A preset that lies in several files is there once, under the first of their paths.
    fn of(root: &Path, store: &Store) -> Result<Self, StoreError> {
        let mut catalogue = Catalogue::default();
        catalogue.folder = Some(root.to_owned());
        let folder: Arc<Path> = root.into();
        let mut places: NumberMap<PresetId, usize> = NumberMap::default();
        let mut copies = Vec::new();
        let mut buckets = HashMap::new();
        store.each_file(root, |id, path, outline| {
            let text = text_of(path);
            let place = catalogue.entries.len();
            let first = *places.entry(id).or_insert(place);
            if first < place {
                copies.push((text, first));
                return;
            }
            let lies = match std::str::from_utf8(path) {
                Ok(_) => SourceLocation::Below(folder.clone()),
                Err(_) => SourceLocation::File(root.join(path_of(path))),
            };
            let PresetFacts { tags, energy, family } = outline;
            let cluster = *buckets.entry(tags).or_insert_with(|| catalogue.cluster(&tags.bucket()));
            catalogue.push(Entry { id, path: text, lies, cluster, energy, family, tags });
        })?;
        Ok(Self { catalogue, copies, names: None })
    }

    fn names(&mut self) -> &mut NameTable {
        let (catalogue, copies) = (&self.catalogue, &self.copies);
        self.names.get_or_insert_with(|| {
            let mut names = NameTable::for_presets(catalogue.entries.len());
            for (place, entry) in catalogue.entries.iter().enumerate() {
                names.add(&entry.path, place);
            }
            copies.iter().for_each(|(path, place)| names.add(path, *place));
            names
        })
    }

    /// Keeps the presets a manifest lists and learns what it calls them.
    fn keep_listed(&mut self, listing: &Listing, messages: &mut Vec<String>) {
        let mut kept = vec![false; self.catalogue.entries.len()];
        let mut gone = 0;
        let names = self.names();
        for preset in &listing.presets {
            let Some(place) = preset.numbers().iter().find_map(|&number| names.place_of(number)) else {
                gone += 1;
                continue;
            };
            kept[place] = true;
            preset.numbers().iter().for_each(|&number| names.add_number(number, place));
        }
        if gone > 0 {
            let all = listing.presets.len();
            messages.push(format!("{gone} of {all} presets of the manifest are gone; the others play"));
        }
        self.keep(&kept, messages, "the manifest lists none of this folder's presets");
    }

    /// Drops the presets with names of these numbers.
    fn drop_bad(&mut self, bad: &[u64], messages: &mut Vec<String>) {
        let mut kept = vec![true; self.catalogue.entries.len()];
        let names = self.names();
        bad.iter().filter_map(|&number| names.place_of(number)).for_each(|place| kept[place] = false);
        self.keep(&kept, messages, "the quality blacklist names every preset of this library");
    }

    /// Drops what is not kept; when nothing would be left, everything stays and `why` is told.
    fn keep(&mut self, kept: &[bool], messages: &mut Vec<String>, why: &str) {
        if !kept.contains(&true) {
            messages.push(format!("{why}; all of them play"));
            return;
        }
        if !kept.contains(&false) {
            return;
        }
        let moved = self.catalogue.keep(kept);
        self.names().moved(&moved);
    }

    /// An index v1, strictly else v0, else the presets' own text, which is there already.
    fn style(&mut self, sought: IndexLookup, messages: &mut Vec<String>) {
        messages.extend(sought.problems.iter().map(|why| format!("a style index is passed over: {why}")));
        self.catalogue.policy = sought.policy;
        let Some(index) = sought.index else { return };
        self.names();
        let Some(names) = &self.names else { return };
        let applied = style::apply(&index, names, &mut self.catalogue);
        let version = index.version.word();
        if applied.styled == 0 && !index.entries.is_empty() {
            messages
                .push(format!("the style index {version} names none of these presets; it is passed over"));
        } else if applied.gone > 0 {
            let (gone, all) = (applied.gone, index.entries.len());
            messages.push(format!("{gone} of {all} presets of the style index {version} are gone"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::pack::{Manifest, ManifestPreset};
    use crate::library::style::{INDEX_V0, INDEX_V1, IndexEntry, IndexVersion, StyleIndex};
    use crate::library::{Energy, StyleOrigin, Tag};

    fn library(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            std::fs::write(path, text).expect("written");
        }
        folder
    }

    fn opened(folder: &Path) -> OpenedLibrary {
        let store = Store::in_memory().expect("opens");
        open(&store, &LibraryLocation::of(folder), 1, |_| ()).expect("opens")
    }

    fn names(opened: &OpenedLibrary) -> Vec<&str> {
        opened.catalogue.entries.iter().map(Entry::name).collect()
    }

    #[test]
    fn a_folder_opens_with_tags_and_each_content_once() {
        let text = "fWaveAlpha=1.0\nwarp=0\nzoom=1.2\n";
        let folder = library(&[("b/Geiss - Rave Storm Laser.milk", text), ("copy.milk", text)]);
        let opened = opened(folder.path());
        assert_eq!(
            (opened.report.as_ref().map(|report| report.files), opened.catalogue.entries.len()),
            (Some(2), 1)
        );
        let entry = &opened.catalogue.entries[0];
        assert_eq!((entry.name(), entry.energy), ("Geiss - Rave Storm Laser", Energy::Peak));
        assert!(entry.tags.has(Tag::Wave) && entry.path == "b/Geiss - Rave Storm Laser.milk");
        assert_eq!(opened.catalogue.place(entry.id), Some(0));
        assert!(entry.source().read().is_ok() && opened.messages.is_empty());
    }

    #[test]
    fn a_folder_without_presets_says_so() {
        let folder = library(&[]);
        let store = Store::in_memory().expect("opens");
        let error =
            open(&store, &LibraryLocation::of(folder.path()), 1, |_| ()).err().expect("nothing there");
        assert!(error.to_string().contains("no presets"), "{error}");
    }

    #[test]
    fn a_pack_is_its_manifest_and_an_index_speaks_the_manifests_names() {
        let folder = library(&[("x/a.milk", "zoom=1"), ("x/b.milk", "zoom=2"), ("stray.milk", "zoom=3")]);
        let preset = |name: &str| ManifestPreset {
            id: format!("pack-{name}-0a1b2c"),
            label: format!("x/{name}.milk"),
            rel_path: format!("pack/x/{name}.milk"),
            ..Default::default()
        };
        let presets = vec![preset("a"), preset("b"), preset("gone")];
        let manifest =
            Manifest { version: "v1".into(), target: "pack".into(), presets, ..Default::default() };
        manifest.write(&folder.path().join(MANIFEST_FILE)).expect("written");
        let index = StyleIndex {
            version: IndexVersion::V1,
            generated_at: String::new(),
            pack: "pack".into(),
            entries: vec![
                IndexEntry::of_cluster("pack-b-0a1b2c".into(), "c05", Energy::Calm, None),
                IndexEntry::of_cluster("pack-lost-0a1b2c".into(), "c05", Energy::Calm, None),
            ],
            clusters: Vec::new(),
            space: String::new(),
        };
        index.write(&folder.path().join(INDEX_V1)).expect("written");
        let opened = opened(folder.path());
        assert_eq!(names(&opened), ["a", "b"]);
        let entry = &opened.catalogue.entries[1];
        assert_eq!(opened.catalogue.clusters[usize::from(entry.cluster)].key, "c05");
        assert_eq!((entry.energy, opened.catalogue.origin), (Energy::Calm, StyleOrigin::V1));
        assert_eq!(opened.messages.len(), 2, "{:?}", opened.messages);
    }

    #[test]
    fn broken_files_beside_the_presets_are_told_and_passed_over() {
        let folder = library(&[("a.milk", "zoom=1"), ("b.milk", "zoom=2")]);
        for name in [MANIFEST_FILE, BLACKLIST_FILE, INDEX_V1, INDEX_V0] {
            std::fs::write(folder.path().join(name), "{\"version\":").expect("written");
        }
        let opened = opened(folder.path());
        assert_eq!((names(&opened), opened.messages.len()), (vec!["a", "b"], 4));
        assert_eq!(opened.catalogue.origin, StyleOrigin::Tags);
    }

    #[test]
    fn a_blacklist_drops_presets_but_never_all() {
        let folder = library(&[("a.milk", "zoom=1"), ("b.milk", "zoom=2")]);
        let path = folder.path().join(BLACKLIST_FILE);
        std::fs::write(&path, r#"{"badSourceRelPaths":["a.milk"]}"#).expect("written");
        assert_eq!(names(&opened(folder.path())), ["b"]);
        std::fs::write(&path, r#"{"badRelPaths":["a.milk","b.milk"]}"#).expect("written");
        let all = opened(folder.path());
        assert_eq!((names(&all).len(), all.messages.len()), (2, 1));
    }
}
