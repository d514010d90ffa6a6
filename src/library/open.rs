//! Opens a library for a show: scans the folder, loads known facts from the store, and applies the manifest,
//! blacklist and style index in the folder.
//!
//! A manifest or style index that cannot be used is reported and ignored; styles then come from the v0 index
//! or from the presets' code. A blacklist that cannot be used is not ignored, because it also keeps harmful
//! presets out of a show: the library is held back until the performer decides.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{Scope, ScopedJoinHandle};

use super::numbers::NumberMap;
use super::pack::{BLACKLIST_FILE, Listing, MANIFEST_FILE, QualityBlacklist};
use super::preset_names::add_contents_and_files;
use super::style::{self, IndexLookup, NameTable};
use super::{Catalogue, Entry, FolderError, ScanError, ScanReport, SourceLocation, library_root, scan};
use crate::disk::{self, FileKind};
use crate::facts::{PresetFacts, PresetId};
use crate::store::{FileFacts, ScanCommit, Store, StoreError, UnixSecs, bytes_of, path_of, text_of};
use crate::units::counted;

/// Why a library could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder could not be scanned.
    #[error(transparent)]
    Scan(#[from] ScanError),
    /// The store could not be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The quality blacklist cannot be used, so it is unknown which presets may be played.
    #[error("{0}; the presets of this folder are held back until the file is repaired or deleted")]
    HeldBack(String),
}

/// A library ready for a show.
pub struct OpenedLibrary {
    /// The catalogue.
    pub catalogue: Catalogue,
    /// The scan report; `None` if the library was loaded without a scan.
    pub report: Option<ScanReport>,
    /// Messages for the performer.
    pub messages: Vec<String>,
}

/// A preset folder, or the manifest of a pack, as given by the performer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LibraryLocation {
    /// The preset folder.
    pub folder: PathBuf,
    /// The manifest, if the location is a pack.
    pub manifest: Option<PathBuf>,
    /// Whether the presets are played even if they would be held back.
    pub play_anyway: bool,
    /// The engine, graphics driver and audit method of a show that audits presets before it plays them. Rejections by
    /// any other combination are ignored, because the show audits those presets again. `None` if every rejection
    /// counts.
    pub judged_by: Option<String>,
}

impl LibraryLocation {
    /// Interprets `path`: a `.json` file is the manifest of a pack, and a folder that contains a manifest is
    /// a pack.
    pub fn of(path: &Path) -> Self {
        let is_json = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json"));
        if is_json && matches!(disk::kind(path), Ok(FileKind::Regular)) {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            return Self {
                folder: folder.unwrap_or(Path::new(".")).to_owned(),
                manifest: Some(path.to_owned()),
                play_anyway: false,
                judged_by: None,
            };
        }
        let manifest = path.join(MANIFEST_FILE);
        let manifest = (!disk::is_missing(&manifest)).then_some(manifest);
        Self { folder: path.to_owned(), manifest, play_anyway: false, judged_by: None }
    }
}

/// Scans and opens a library; `progress` receives the number of files scanned so far.
pub fn open(
    store: &Store,
    location: &LibraryLocation,
    now: UnixSecs,
    progress: impl FnMut(usize),
) -> Result<OpenedLibrary, OpenError> {
    let report = scan(store, &location.folder, now, progress)?;
    let mut opened = load(store, location)?;
    let skipped = report.skipped.len() + report.skipped_more;
    if let Some((path, why)) = report.skipped.first() {
        let first = format!("{}: {why}", path.display());
        opened.messages.push(format!("unreadable files or folders skipped: {skipped}; the first is {first}"));
    }
    opened.report = Some(report);
    Ok(opened)
}

/// Opens a library as of the last scan, without reading any presets.
pub fn load(store: &Store, location: &LibraryLocation) -> Result<OpenedLibrary, OpenError> {
    let root = library_root(&location.folder);
    let (index_of, manifest) = (&root, &location.manifest);
    let blacklist = &root.join(BLACKLIST_FILE);
    // In a large library these files take as long to read as the catalogue, so they are read in parallel.
    let (builder, lookup, listing, blacklisted) = std::thread::scope(|scope| {
        let lookup = spawn_or_run(scope, "style index", move || style::find_index(index_of));
        let listing =
            manifest.as_ref().map(|path| spawn_or_run(scope, "manifest", move || Listing::read(path)));
        // A broken link, a folder with this name, or a file that cannot be examined is treated as a blacklist that
        // cannot be read.
        let blacklisted = (!disk::is_missing(blacklist)).then(|| {
            spawn_or_run(scope, "quality blacklist", move || QualityBlacklist::read_hashes(blacklist))
        });
        let builder = CatalogueBuilder::of(&root, store);
        (builder, lookup(), listing.map(|listing| listing()), blacklisted.map(|blacklisted| blacklisted()))
    });
    let mut builder = builder?;
    let mut messages = Vec::new();
    match listing {
        Some(Ok(listing)) => builder.keep_listed(&listing, &mut messages),
        Some(Err(error)) => {
            messages.push(format!("ignoring the manifest ({error}); using all presets in the folder"));
        }
        None => {}
    }
    let blacklisted = match blacklisted {
        Some(Ok(blacklisted)) => builder.drop_blacklisted(&blacklisted, &mut messages),
        Some(Err(error)) => Err(format!("cannot read the quality blacklist {error}")),
        None => Ok(()),
    };
    match blacklisted {
        Err(why) if location.play_anyway => {
            messages.push(format!("{why}; ignoring it"));
        }
        blacklisted => blacklisted.map_err(OpenError::HeldBack)?,
    }
    builder.style(lookup, &mut messages);
    builder.reject(store.rejected(location.judged_by.as_deref())?, &mut messages);
    let catalogue = builder.catalogue;
    if catalogue.entries.is_empty() {
        return Err(ScanError::from(FolderError::Empty(location.folder.clone())).into());
    }
    Ok(OpenedLibrary { catalogue, report: None, messages })
}

/// Starts `work` on a new thread. The returned closure waits for the result; if the thread could not be
/// started or panicked, it runs `work` itself.
fn spawn_or_run<'scope, T: Send + 'scope>(
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

/// Loads the built-in presets. They are recorded in the store like files, so that full-text search covers
/// them; if the store cannot be written at the moment, they are recorded the next time. Fails if the store is
/// damaged.
pub fn load_built_in(store: &Store) -> Result<Catalogue, StoreError> {
    let catalogue = Catalogue::built_in();
    match record_built_in(store, &catalogue) {
        Err(error) if !store.mark_if_damaged(&error) => {
            log::warn!("cannot record the built-in presets: {error}");
        }
        recorded => recorded?,
    }
    Ok(catalogue)
}

fn record_built_in(store: &Store, catalogue: &Catalogue) -> Result<(), StoreError> {
    let root = Path::new("(built-in)");
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
            preset_facts: PresetFacts { tags: entry.tags, energy: entry.energy, family: entry.family },
        });
        store.commit_scan(library, &ScanCommit { read: read.collect(), gone: Vec::new() })?;
    }
    Ok(())
}

/// A catalogue under construction.
struct CatalogueBuilder {
    catalogue: Catalogue,
    /// Paths of files with the same content as an earlier file, each with the index of the earlier file's
    /// entry.
    copies: Vec<(String, usize)>,
    /// Names of the presets; built on first use.
    names: Option<NameTable>,
}

impl CatalogueBuilder {
    /// Loads the files of a library. A preset stored in several files appears once, under the first path.
    fn of(root: &Path, store: &Store) -> Result<Self, StoreError> {
        let mut catalogue = Catalogue::default();
        catalogue.folder = Some(root.to_owned());
        let folder: Arc<Path> = root.into();
        let mut indices: NumberMap<PresetId, usize> = NumberMap::default();
        let mut copies = Vec::new();
        let mut buckets = HashMap::new();
        store.each_file(root, |id, path, preset_facts| {
            let text = text_of(path);
            let index = catalogue.entries.len();
            let first = *indices.entry(id).or_insert(index);
            if first < index {
                copies.push((text, first));
                return;
            }
            let location = match std::str::from_utf8(path) {
                Ok(_) => SourceLocation::Below(folder.clone()),
                Err(_) => SourceLocation::File(root.join(path_of(path))),
            };
            let PresetFacts { tags, energy, family } = preset_facts;
            let cluster = *buckets.entry(tags).or_insert_with(|| catalogue.cluster(&tags.bucket()));
            catalogue.push(Entry { id, path: text, location, cluster, energy, family, tags });
        })?;
        Ok(Self { catalogue, copies, names: None })
    }

    fn names(&mut self) -> &mut NameTable {
        let (catalogue, copies) = (&self.catalogue, &self.copies);
        self.names.get_or_insert_with(|| {
            let mut names = NameTable::for_presets(catalogue.entries.len());
            for (index, entry) in catalogue.entries.iter().enumerate() {
                names.add(&entry.path, index);
            }
            copies.iter().for_each(|(path, index)| names.add(path, *index));
            names
        })
    }

    /// Adds the presets' IDs (content hashes) and full file paths to the names if `is_needed` returns true.
    /// Few manifests, blacklists and indexes use such names, and adding them takes time in a large library.
    fn learn_other_names(&mut self, is_needed: impl FnOnce(&NameTable) -> bool) {
        if let Some(names) = &mut self.names
            && is_needed(names)
        {
            add_contents_and_files(&self.catalogue, names);
        }
    }

    /// Keeps only the presets listed in a manifest, and records the names that it gives them. A manifest that
    /// lists none of them is ignored.
    fn keep_listed(&mut self, listing: &Listing, messages: &mut Vec<String>) {
        let mut kept = vec![false; self.catalogue.entries.len()];
        let mut gone = 0;
        let names = self.names();
        for preset in &listing.presets {
            let Some(index) = preset.hashes().iter().find_map(|&hash| names.index_of_hash(hash)) else {
                gone += 1;
                continue;
            };
            kept[index] = true;
            preset.hashes().iter().for_each(|&hash| names.add_hash(hash, index));
        }
        if gone > 0 {
            let all = listing.presets.len();
            messages.push(format!("missing presets: {gone} of {all} listed in the manifest"));
        }
        if kept.contains(&true) {
            self.keep(&kept);
        } else {
            messages.push("the manifest lists none of the folder's presets; ignoring it".into());
        }
    }

    /// Drops the presets whose name hashes are in `blacklisted`; fails if none would remain.
    fn drop_blacklisted(&mut self, blacklisted: &[u64], messages: &mut Vec<String>) -> Result<(), String> {
        let mut kept = vec![true; self.catalogue.entries.len()];
        self.names();
        self.learn_other_names(|names| blacklisted.iter().any(|&hash| names.index_of_hash(hash).is_none()));
        let names = self.names();
        blacklisted
            .iter()
            .filter_map(|&hash| names.index_of_hash(hash))
            .for_each(|index| kept[index] = false);
        if !kept.contains(&true) && !kept.is_empty() {
            return Err("the quality blacklist lists every preset".into());
        }
        if !kept.contains(&false) && !blacklisted.is_empty() {
            let all = counted(blacklisted.len(), "name");
            messages.push(format!("0 of {all} in the quality blacklist match a preset of this library"));
        }
        self.keep(&kept);
        Ok(())
    }

    /// Drops the entries not marked in `kept`.
    fn keep(&mut self, kept: &[bool]) {
        if !kept.contains(&false) {
            return;
        }
        let moved = self.catalogue.keep(kept);
        self.names().reindex(&moved);
    }

    /// Applies the style index and policy found by `lookup`; without an index, the styles from the presets'
    /// code remain.
    fn style(&mut self, lookup: IndexLookup, messages: &mut Vec<String>) {
        if lookup.index.is_some() {
            self.names();
        }
        self.learn_other_names(|names| lookup.lists_others(names));
        let lookup = match &self.names {
            Some(names) => lookup.matching(names),
            None => lookup,
        };
        messages.extend(lookup.problems.iter().map(|why| format!("ignoring a style index: {why}")));
        self.catalogue.policy = lookup.policy;
        let (Some(index), Some(names)) = (lookup.index, &self.names) else { return };
        let applied = style::apply(&index, names, &mut self.catalogue);
        if applied.gone > 0 {
            let (gone, all, version) = (applied.gone, index.entries.len(), index.version.word());
            messages.push(format!("missing presets: {gone} of {all} listed in style index {version}"));
        }
    }

    /// Records which presets an audit rejected.
    fn reject(&mut self, rejected: Vec<(PresetId, String)>, messages: &mut Vec<String>) {
        let catalogue = &mut self.catalogue;
        let rejected: BTreeMap<PresetId, String> =
            rejected.into_iter().filter(|(id, _)| catalogue.index_of(*id).is_some()).collect();
        let count = rejected.len();
        if count > 0 {
            messages.push(format!(
                "{} rejected by an audit: not played unless rescued",
                counted(count, "preset")
            ));
        }
        catalogue.rejected = Arc::new(rejected);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Energy, Tag};
    use crate::library::StyleOrigin;
    use crate::library::pack::{Manifest, ManifestPreset};
    use crate::library::style::{INDEX_V0, INDEX_V1, IndexEntry, IndexVersion, StyleIndex};

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
    fn a_folder_opens_with_tags_and_without_duplicates() {
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
        assert_eq!(opened.catalogue.index_of(entry.id), Some(0));
        assert!(entry.source().read().is_ok() && opened.messages.is_empty());
    }

    #[test]
    fn a_folder_without_presets_is_an_error() {
        let folder = library(&[]);
        let store = Store::in_memory().expect("opens");
        let error = open(&store, &LibraryLocation::of(folder.path()), 1, |_| ()).err().expect("an error");
        assert!(error.to_string().contains("no presets"), "{error}");
    }

    #[test]
    fn a_pack_follows_its_manifest_and_an_index_uses_its_names() {
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
    fn an_index_and_a_blacklist_may_name_contents_and_files() {
        let folder = library(&[("x/a.milk", "zoom=1"), ("x/b.milk", "zoom=2"), ("x/c.milk", "zoom=3")]);
        let file = library_root(folder.path()).join("x/b.milk");
        let index = StyleIndex {
            version: IndexVersion::V1,
            generated_at: String::new(),
            pack: "pack".into(),
            entries: vec![
                IndexEntry::of_cluster(PresetId::of(b"zoom=1").to_string(), "c05", Energy::Calm, None),
                IndexEntry::of_cluster(file.to_string_lossy().into_owned(), "c06", Energy::Peak, None),
            ],
            clusters: Vec::new(),
            space: String::new(),
        };
        index.write(&folder.path().join(INDEX_V1)).expect("written");
        let blacklist = format!(r#"{{"badIds":["{}"]}}"#, PresetId::of(b"zoom=3"));
        std::fs::write(folder.path().join(BLACKLIST_FILE), blacklist).expect("written");
        let opened = opened(folder.path());
        assert_eq!((names(&opened), &opened.messages), (vec!["a", "b"], &Vec::new()));
        let keys: Vec<&str> = opened.catalogue.clusters.iter().map(|cluster| cluster.key.as_str()).collect();
        assert_eq!(keys, ["c05", "c06"]);
    }

    #[test]
    fn invalid_library_files_are_reported_and_ignored() {
        let folder = library(&[("a.milk", "zoom=1"), ("b.milk", "zoom=2")]);
        for name in [MANIFEST_FILE, INDEX_V1, INDEX_V0] {
            std::fs::write(folder.path().join(name), "{\"version\":").expect("written");
        }
        let opened = opened(folder.path());
        assert_eq!((names(&opened), opened.messages.len()), (vec!["a", "b"], 3));
        assert_eq!(opened.catalogue.origin, StyleOrigin::Tags);
    }

    /// Returns a verdict that rejects the preset with this text.
    fn rejection(text: &str, judged_by: &str) -> crate::store::VerdictRow {
        crate::store::VerdictRow {
            id: PresetId::of(text.as_bytes()),
            recipe: format!("recipe of {judged_by}"),
            judged_by: judged_by.into(),
            safety: "ok".into(),
            completeness: "ok".into(),
            look: "too-dark".into(),
            flash: "pass".into(),
            seen: Default::default(),
            cost_ms: None,
            json: "{}".into(),
            at: 1,
        }
    }

    #[test]
    fn a_show_that_audits_presets_ignores_what_another_engine_or_driver_rejected() {
        let folder = library(&[("a.milk", "zoom=1"), ("b.milk", "zoom=2"), ("c.milk", "zoom=3")]);
        let store = Store::in_memory().expect("opens");
        store.put_verdicts(&[rejection("zoom=2", "aivj 1"), rejection("zoom=3", "aivj 2")]).expect("stored");
        let rejected = |judged_by: Option<&str>| {
            let place = LibraryLocation {
                judged_by: judged_by.map(str::to_owned),
                ..LibraryLocation::of(folder.path())
            };
            let opened = open(&store, &place, 1, |_| ()).expect("opens");
            opened.catalogue.rejected.keys().copied().collect::<Vec<_>>()
        };
        assert_eq!(rejected(None).len(), 2, "nothing audits the presets");
        assert_eq!(rejected(Some("aivj 2")), [PresetId::of(b"zoom=3")]);
    }

    #[test]
    fn presets_rejected_by_an_audit_stay_in_the_library_with_the_reason() {
        let folder = library(&[("a.milk", "zoom=1"), ("b.milk", "zoom=2")]);
        let store = Store::in_memory().expect("opens");
        let reject = |text: &str| store.put_verdicts(&[rejection(text, "aivj 1")]).expect("stored");
        let open = || open(&store, &LibraryLocation::of(folder.path()), 1, |_| ()).expect("opens");
        reject("zoom=2");
        reject("a preset of another library");
        let opened = open();
        assert_eq!(names(&opened), ["a", "b"]);
        let rejected: Vec<_> = opened.catalogue.rejected.iter().collect();
        assert_eq!(rejected, [(&PresetId::of(b"zoom=2"), &"too dark".to_owned())]);
        reject("zoom=1");
        assert_eq!(open().catalogue.rejected.len(), 2);
    }

    #[test]
    fn a_blacklist_drops_presets_and_one_that_drops_all_holds_the_library_back() {
        let folder = library(&[("a.milk", "zoom=1"), ("b.milk", "zoom=2")]);
        let path = folder.path().join(BLACKLIST_FILE);
        std::fs::write(&path, r#"{"badSourceRelPaths":["a.milk"]}"#).expect("written");
        assert_eq!(names(&opened(folder.path())), ["b"]);
        std::fs::write(&path, r#"{"badRelPaths":["a.milk","b.milk"]}"#).expect("written");
        assert!(held_back(folder.path()).contains("every preset"));
    }

    fn held_back(folder: &Path) -> String {
        let store = Store::in_memory().expect("opens");
        let mut place = LibraryLocation::of(folder);
        let error = open(&store, &place, 1, |_| ()).err().expect("held back");
        assert!(matches!(error, OpenError::HeldBack(_)), "{error}");
        place.play_anyway = true;
        let opened = open(&store, &place, 1, |_| ()).expect("opens without it");
        assert_eq!((names(&opened).len(), opened.messages.len()), (2, 1));
        error.to_string()
    }

    #[test]
    fn an_unusable_blacklist_holds_the_library_back_until_the_performer_decides() {
        let folder = library(&[("a.milk", "zoom=1"), ("b.milk", "zoom=2")]);
        let path = folder.path().join(BLACKLIST_FILE);
        let broken = [
            &b""[..],
            b"{",
            b"[\"a.milk\"]",
            b"{\"badIds\":7}",
            b"{\"badIds\":[7]}",
            b"{\"version\":\"v9\",\"bad\":[\"a.milk\"]}",
            b"{}",
            b"\xff\xfe{",
            b"\0\0\0\0",
        ];
        for bytes in broken {
            std::fs::write(&path, bytes).expect("written");
            let why = held_back(folder.path());
            assert!(why.contains(BLACKLIST_FILE) && why.contains("deleted"), "{why}");
        }
        std::fs::remove_file(&path).expect("removed");
        std::fs::create_dir(&path).expect("made");
        held_back(folder.path());
        std::fs::remove_dir(&path).expect("removed");
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink("gone", &path).expect("linked");
            held_back(folder.path());
            std::fs::remove_file(&path).expect("removed");
        }
        assert_eq!(names(&opened(folder.path())), ["a", "b"]);
    }

    #[test]
    fn a_blacklist_that_matches_no_preset_is_reported() {
        let folder = library(&[("a.milk", "zoom=1")]);
        let path = folder.path().join(BLACKLIST_FILE);
        std::fs::write(&path, r#"{"version":"v0","badRelPaths":["b.milk","c.milk"]}"#).expect("written");
        let reported = opened(folder.path());
        assert_eq!((names(&reported), reported.messages.len()), (vec!["a"], 1));
        assert!(reported.messages[0].starts_with("0 of 2 names"), "{:?}", reported.messages);
        std::fs::write(&path, r#"{"version":"v0","badRelPaths":[]}"#).expect("written");
        assert!(opened(folder.path()).messages.is_empty());
    }

    #[test]
    fn a_blacklist_on_a_disk_that_does_not_respond_holds_the_library_back() {
        let folder = library(&[("a.milk", "zoom=1"), ("b.milk", "zoom=2")]);
        let store = Store::in_memory().expect("opens");
        let place = LibraryLocation::of(folder.path());
        open(&store, &place, 1, |_| ()).expect("no blacklist");
        // Links cannot be resolved while the disk is stalled.
        let place = LibraryLocation { folder: library_root(folder.path()), ..place };
        let _stalled = disk::stall(folder.path());
        assert!(matches!(load(&store, &place), Err(OpenError::HeldBack(_))));
    }

    #[test]
    fn files_made_on_windows_are_used() {
        let folder = library(&[("x/a.milk", "zoom=1"), ("x/b.milk", "zoom=2"), ("x/c.milk", "zoom=3")]);
        let write = |name: &str, text: &str, mark: &[u8], units: Option<fn(u16) -> [u8; 2]>| {
            let text = text.replace('\n', "\r\n");
            let text = units
                .map_or(text.clone().into_bytes(), |units| text.encode_utf16().flat_map(units).collect());
            std::fs::write(folder.path().join(name), [mark, &text].concat()).expect("written");
        };
        type Encoding = Option<fn(u16) -> [u8; 2]>;
        let forms: [(&[u8], Encoding); 3] = [
            (b"\xef\xbb\xbf", None),
            (b"\xff\xfe", Some(u16::to_le_bytes)),
            (b"\xfe\xff", Some(u16::to_be_bytes)),
        ];
        for (mark, units) in forms {
            let manifest = r#"{"version":"v1","presets":[{"id":"x\\a.milk"},
                {"relPath":"x\\b.milk"}]}"#;
            write(MANIFEST_FILE, manifest, mark, units);
            write(BLACKLIST_FILE, "{\"badRelPaths\":\n[\"x\\\\b.milk\"]}", mark, units);
            let index = r#"{"version":"v0","entries":[
                {"presetId":"x\\a.milk","authorKey":"geiss","energy":"peak"}]}"#;
            write(INDEX_V0, index, mark, units);
            let opened = opened(folder.path());
            assert_eq!((names(&opened), &opened.messages), (vec!["a"], &Vec::new()));
            assert_eq!(
                (opened.catalogue.origin, opened.catalogue.entries[0].energy),
                (StyleOrigin::V0, Energy::Peak)
            );
        }
    }
}
