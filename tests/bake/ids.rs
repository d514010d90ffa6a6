//! A pack of the browser-based predecessor: every file uses its IDs, and its embeddings are used unchanged.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::fixture::{BakeFixture, good_presets};

/// Encodes a matrix of 32-bit floats in NumPy's `.npy` format.
fn npy(rows: &[[f32; 4]]) -> Vec<u8> {
    let mut header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, 4), }}", rows.len());
    header += &" ".repeat((64 - (11 + header.len()) % 64) % 64);
    header.push('\n');
    let length = (header.len() as u16).to_le_bytes();
    let mut bytes = [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes()].concat();
    rows.iter().flatten().for_each(|value| bytes.extend(value.to_le_bytes()));
    bytes
}

#[test]
fn ids_of_an_imported_pack_match_in_every_file_and_its_embeddings_are_clustered() {
    let Some(fixture) = BakeFixture::new() else { return };
    good_presets(&fixture.library, 4);
    let ids = ["run3-good-0-0a1b2c", "run3-good-1-1b2c3d", "run3-good-2-2c3d4e"];
    let preset = |(number, id): (usize, &&str)| {
        format!(
            r#"{{"id":"{id}","label":"good {number}.milk","relPath":"run3/good {number}.milk","pack":"run3"}}"#
        )
    };
    let presets: Vec<String> = ids.iter().enumerate().map(preset).collect();
    let manifest = format!(r#"{{"version":"v0","target":"run3","presets":[{}]}}"#, presets.join(","));
    std::fs::write(fixture.library.join("library-manifest.json"), manifest).expect("written");
    let library = fixture.library.to_string_lossy().into_owned();
    let small = ["--size", "48x32", "--out-size", "24", "--warmup-frames", "2", "--capture-every", "2"];
    let frames = [&["frames", "--capture-count", "1"], &small[..]].concat();
    let frames = fixture.bake(&frames, &["--library", &library, "--out", "OUT"]);
    assert!(frames.status.success(), "{}", frames.stderr);
    let out = fixture.folder("out");
    let read = |name: &str| std::fs::read_to_string(out.join(name)).expect(name);
    let json = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
    let named = |value: &Value, key: &str| value[key].as_str().expect(key).to_owned();
    let rendered: BTreeSet<(String, String)> = read("frames-index.jsonl")
        .lines()
        .map(|line| (named(&json(line), "presetId"), named(&json(line), "relPath")))
        .collect();
    let expected = ids.iter().enumerate().map(|(n, id)| ((*id).to_owned(), format!("run3/good {n}.milk")));
    assert_eq!(rendered, expected.collect(), "the manifest limits the frames to what it lists");

    let rows = [[1.0, 0.0, 0.0, 0.1], [0.0, 1.0, 0.0, 0.1], [0.9, 0.1, 0.0, 0.1]];
    std::fs::write(out.join("embeddings.npy"), npy(&rows)).expect("written");
    std::fs::write(out.join("ids.txt"), ids.join("\n") + "\n").expect("written");
    let cluster = fixture.bake(&["cluster", "--k", "8"], &["--out", "OUT"]);
    assert!(cluster.status.success(), "{}", cluster.stderr);
    assert!(cluster.stdout.contains("8 clusters requested for 3 presets"), "{}", cluster.stdout);
    let index = json(&read("aivj-style-index.v1.json"));
    let indexed = index["entries"].as_array().expect("a list").iter().map(|entry| named(entry, "presetId"));
    assert_eq!(indexed.collect::<Vec<_>>(), ids);
    for entry in index["entries"].as_array().expect("a list") {
        let tags = entry["tags"].as_array().expect("tags");
        let different: BTreeSet<&str> = tags.iter().filter_map(Value::as_str).collect();
        assert_eq!(different.len(), tags.len(), "{entry}");
    }
    assert!(!out.join("embeddings.npy.broken").exists() && out.join("embeddings.npy").exists());
    // A show with this library uses an index with these IDs.
    std::fs::copy(out.join("aivj-style-index.v1.json"), fixture.library.join("aivj-style-index.v1.json"))
        .expect("copied");
    let check = fixture.aivj(&["index", "check", &library]);
    assert!(check.stdout.starts_with("HIT: v1\npresets: 3\n"), "{}{}", check.stdout, check.stderr);
    // Favourites are matched by manifest ID or path.
    let package = fixture.folder("feedback.json");
    let favourites =
        r#""run3-good-0-0a1b2c",{"presetId":"run3-good-1-1b2c3d"},"run3/good 2.milk","gone-1-123456""#;
    let text = format!(
        r#"{{"version":"v0","favorites":[{favourites}],"dislikes":[],"skips":[],"banditState":{{}}}}"#
    );
    std::fs::write(&package, text).expect("written");
    let import = fixture.aivj(&["taste", "import", &package.to_string_lossy(), "--presets", &library]);
    assert!(import.stdout.contains("3 favourites"), "{}{}", import.stdout, import.stderr);
    // Styles without embeddings.
    let tags = fixture.bake(&["cluster", "--mode", "tag", "--library", &library], &["--out", "OUT"]);
    assert!(
        tags.status.success() && tags.stdout.contains("by visual element"),
        "{}{}",
        tags.stdout,
        tags.stderr
    );
    assert_eq!(json(&read("aivj-style-index.v1.json"))["entries"].as_array().map(Vec::len), Some(3));
}
