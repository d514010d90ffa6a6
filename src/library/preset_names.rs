//! Every name by which files refer to the presets of a catalogue.

use std::path::Path;

use super::Catalogue;
use super::pack::{Listing, MANIFEST_FILE, ManifestNames};
use super::style::NameTable;
use crate::facts::PresetId;

/// Returns the names of the presets: paths relative to the library, names in the folder's manifest, IDs
/// (content hashes) and full paths. A manifest that cannot be read is ignored.
pub fn preset_names(library: &Catalogue) -> NameTable {
    let mut names = NameTable::for_presets(library.entries.len() * 3);
    library.entries.iter().enumerate().for_each(|(index, entry)| names.add(&entry.path, index));
    let manifest = library.folder.as_ref().map(|folder| folder.join(MANIFEST_FILE));
    if let Some(listing) = manifest.and_then(|path| Listing::read(&path).ok()) {
        for preset in &listing.presets {
            if let Some(index) = preset.hashes().iter().find_map(|&hash| names.index_of_hash(hash)) {
                preset.hashes().iter().for_each(|&hash| names.add_hash(hash, index));
            }
        }
    }
    add_contents_and_files(library, &mut names);
    names
}

/// Adds the ID (content hash) and the full file path of every preset.
pub(super) fn add_contents_and_files(library: &Catalogue, names: &mut NameTable) {
    for (index, entry) in library.entries.iter().enumerate() {
        names.add(&entry.id.to_string(), index);
        if let Some(folder) = &library.folder {
            names.add(&folder.join(Path::new(&entry.path)).to_string_lossy(), index);
        }
    }
}

/// Adds the names of files in the library at `root`, each given with its index and its path below `root`: paths, names in
/// the library's manifest, full paths and IDs (content hashes).
pub fn add_file_names(names: &mut NameTable, root: &Path, files: &[(usize, String, PresetId)]) {
    files.iter().for_each(|(index, below, _)| names.add(below, *index));
    if let Some(manifest) = ManifestNames::from_folder(root) {
        for (index, below, _) in files {
            manifest.names_of(below).for_each(|name| names.add(name, *index));
        }
    }
    for (index, below, id) in files {
        names.add(&root.join(below).to_string_lossy(), *index);
        names.add(&id.to_string(), *index);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::{LibraryLocation, open};
    use crate::store::Store;

    #[test]
    fn a_preset_is_found_by_id_path_file_and_content() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("x")).expect("made");
        std::fs::write(folder.path().join("x/a.milk"), "zoom=1").expect("written");
        let manifest = r#"{"version":"v0","target":"run3","presets":[
            {"id":"run3-a-1b2c3d","label":"x/a.milk","relPath":"run3/x/a.milk","url":"/presets/run3/x/a.milk"}]}"#;
        std::fs::write(folder.path().join(MANIFEST_FILE), manifest).expect("written");
        let store = Store::in_memory().expect("opens");
        let library = open(&store, &LibraryLocation::of(folder.path()), 1, |_| ()).expect("opens").catalogue;
        let names = preset_names(&library);
        let file = library.folder.as_ref().expect("a folder").join("x/a.milk");
        let content = library.entries[0].id.to_string();
        for name in ["run3-a-1b2c3d", "x/a.milk", "x\\a.milk", "run3/x/a.milk", "/presets/run3/x/a.milk"] {
            assert_eq!(names.index_of(name), Some(0), "{name}");
        }
        assert_eq!(names.index_of(&file.to_string_lossy()), Some(0));
        assert_eq!((names.index_of(&content), names.index_of("run3-b-000000")), (Some(0), None));
    }
}
