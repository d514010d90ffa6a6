//! Embeddings written by other programs: a matrix, the ID of every row, and optionally a description in the other
//! program's own format.

use std::path::Path;

use ndarray::Array2;
use serde_json::Value;

use super::npy;
use crate::disk;
use crate::units::counted;

/// Keys under which other programs store the name of their model.
const MODEL_KEYS: [&str; 8] =
    ["model", "modelName", "model_name", "modelId", "pretrained", "loraDir", "lora", "checkpoint"];

/// Embeddings written by another program.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ForeignSet {
    /// Description of the model.
    pub model: String,
    /// IDs of the presets, in row order.
    pub ids: Vec<String>,
    /// The embeddings, one per row.
    pub rows: Array2<f32>,
}

/// File names of a set: matrix, IDs, description.
pub(super) type SetNames = [&'static str; 3];

/// File names of the sets that other programs write.
const SETS: [SetNames; 2] = [
    ["embeddings.npy", "ids.txt", "embeddings.meta.json"],
    ["embeddings.hf.npy", "ids.hf.txt", "embeddings.hf.meta.json"],
];

/// Reads the set that another program wrote to `folder`; `None` if there is none.
///
/// # Errors
/// Fails if the files of a set do not match or cannot be read.
pub(super) fn read(folder: &Path) -> Result<Option<ForeignSet>, String> {
    let set =
        SETS.into_iter().find(|[rows, ids, _]| folder.join(rows).is_file() && folder.join(ids).is_file());
    set.map(|set| read_set(folder, set)).transpose()
}

/// Reads a matrix written by another program, and the IDs from the file next to it.
pub(super) fn read_matrix(path: &Path) -> Result<ForeignSet, String> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let set = SETS.into_iter().find(|[rows, ..]| *rows == name);
    let set = set.ok_or_else(|| format!("{name}: expected embeddings.npy or embeddings.hf.npy"))?;
    read_set(folder, set)
}

fn read_set(folder: &Path, [rows_name, ids_name, meta_name]: SetNames) -> Result<ForeignSet, String> {
    let rows = npy::read(&folder.join(rows_name)).map_err(|why| format!("{rows_name}: {why}"))?;
    let ids = disk::read_text(&folder.join(ids_name), disk::limit::LIST)
        .map_err(|error| format!("{ids_name}: {error}"))?;
    let ids: Vec<String> = disk::lines(&ids).map(str::to_owned).collect();
    if ids.len() != rows.nrows() {
        let (lines, rows) = (counted(ids.len(), "line"), counted(rows.nrows(), "row"));
        return Err(format!("{ids_name} has {lines}, {rows_name} has {rows}"));
    }
    let meta: Option<Value> = disk::read_json(&folder.join(meta_name)).ok();
    let named = MODEL_KEYS.iter().filter_map(|key| meta.as_ref()?.get(key)?.as_str());
    let mut model = named.collect::<Vec<_>>().join(" ");
    if model.is_empty() {
        model = format!("{rows_name} with {} values per row", rows.ncols());
    }
    Ok(ForeignSet { model, ids, rows })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::arr2;

    #[test]
    fn sets_with_and_without_a_description_are_read_under_both_names() {
        let folder = tempfile::tempdir().expect("a folder");
        let write =
            |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).expect("written");
        assert_eq!(read(folder.path()), Ok(None));
        let rows = arr2(&[[1.0, 0.0, 0.5], [0.0, 1.0, 0.5]]);
        write("embeddings.hf.npy", &npy::encode(&rows));
        write("ids.hf.txt", b"run3-a-1b2c3d\r\nrun3-b-2c3d4e\r\n");
        let table = read(folder.path()).expect("read").expect("a set");
        assert_eq!(
            (table.ids.as_slice(), &table.rows),
            (&["run3-a-1b2c3d".to_owned(), "run3-b-2c3d4e".to_owned()][..], &rows)
        );
        write("embeddings.npy", &npy::encode(&rows));
        write("ids.txt", b"a.milk\nb.milk\n");
        write("embeddings.meta.json", br#"{"model":"ViT-B-32","pretrained":"laion2b_s34b_b79k","dim":512}"#);
        let table = read(folder.path()).expect("read").expect("a set");
        assert_eq!(table.model, "ViT-B-32 laion2b_s34b_b79k");
        let other = read_matrix(&folder.path().join("embeddings.hf.npy")).expect("read");
        assert_eq!(other.ids[0], "run3-a-1b2c3d");
        write("ids.txt", b"a.milk\n");
        let why = read(folder.path()).expect_err("rows without ids");
        assert!(why.contains("has 1 line, ") && why.contains("2 rows"), "{why}");
    }
}
