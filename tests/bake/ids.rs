//! A pack of the browser-based predecessor: every file uses its IDs, and its embeddings are used unchanged.

use std::collections::BTreeSet;
use std::path::Path;

use aivj::library::looks::{Looks, first_frame};
use aivj::library::{LibraryLocation, StyleOrigin, open};
use aivj::store::Store;
use serde_json::{Value, json};

use crate::fixture::{BakeFixture, good_presets};

/// IDs of the first three presets of the library.
const IDS: [&str; 3] = ["run3-good-0-0a1b2c", "run3-good-1-1b2c3d", "run3-good-2-2c3d4e"];
const ROWS: [[f32; 4]; 3] = [[1.0, 0.0, 0.0, 0.1], [0.0, 1.0, 0.0, 0.1], [0.9, 0.1, 0.0, 0.1]];

/// Writes a manifest of the predecessor that lists the first three presets.
fn write_manifest(library: &Path) {
    let preset = |(number, id): (usize, &&str)| {
        let path = format!("good {number}.milk");
        json!({"id": id, "label": path, "relPath": format!("run3/{path}"), "pack": "run3"})
    };
    let presets: Vec<Value> = IDS.iter().enumerate().map(preset).collect();
    let manifest = json!({"version": "v0", "target": "run3", "presets": presets});
    std::fs::write(library.join("library-manifest.json"), manifest.to_string()).expect("written");
}

/// Writes embeddings as the predecessor's embedder does.
fn write_embeddings(out: &Path) {
    std::fs::write(out.join("embeddings.npy"), npy(&ROWS)).expect("written");
    std::fs::write(out.join("ids.txt"), IDS.join("\n") + "\n").expect("written");
}

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
    write_manifest(&fixture.library);
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
    let expected = IDS.iter().enumerate().map(|(n, id)| ((*id).to_owned(), format!("run3/good {n}.milk")));
    assert_eq!(rendered, expected.collect(), "the manifest limits the frames to what it lists");

    write_embeddings(&out);
    let cluster = fixture.bake(&["cluster", "--k", "8", "--publish", &library], &["--out", "OUT"]);
    assert!(cluster.status.success(), "{}", cluster.stderr);
    assert!(cluster.stdout.contains("8 clusters requested for 3 presets"), "{}", cluster.stdout);
    let index = json(&read("aivj-style-index.v1.json"));
    let indexed = index["entries"].as_array().expect("a list").iter().map(|entry| named(entry, "presetId"));
    assert_eq!(indexed.collect::<Vec<_>>(), IDS);
    for entry in index["entries"].as_array().expect("a list") {
        let tags = entry["tags"].as_array().expect("tags");
        let different: BTreeSet<&str> = tags.iter().filter_map(Value::as_str).collect();
        assert_eq!(different.len(), tags.len(), "{entry}");
    }
    assert!(!out.join("embeddings.npy.broken").exists() && out.join("embeddings.npy").exists());
    // A show with this library uses an index with these IDs.
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

#[test]
fn a_folder_of_the_predecessor_is_taken_over_from_its_audit_to_the_show() {
    let Some(fixture) = BakeFixture::new() else { return };
    good_presets(&fixture.library, 3);
    write_manifest(&fixture.library);
    let (audit, out) = (fixture.folder("audit"), fixture.folder("out"));
    std::fs::create_dir(&audit).expect("made");
    std::fs::create_dir(&out).expect("made");
    let (mut entries, mut lines) = (Vec::new(), String::new());
    for (number, id) in IDS.iter().enumerate() {
        let quality = json!({"ok": true, "reasons": [], "avgLuma": 0.3, "avgFrameDelta": 0.02});
        entries.push(
            json!({"relPath": format!("run3/good {number}.milk"), "decodedAs": null, "quality": quality}),
        );
        let frame = first_frame(&out, id).with_extension("png");
        std::fs::create_dir_all(frame.parent().expect("a folder")).expect("made");
        image::RgbImage::from_pixel(24, 24, image::Rgb([80, 40, 20])).save(&frame).expect("saved");
        let frame = frame.strip_prefix(&out).expect("below").to_string_lossy().replace('\\', "/");
        let line = json!({
            "version": "v0", "at": "2025-12-24T10:00:00.000Z", "presetId": id, "status": "ok", "frames": [frame],
            "relPath": format!("run3/good {number}.milk"), "filePath": format!("D:\\run3\\good {number}.milk"),
            "metrics": {"avgLuma": 0.3, "motion": 0.05, "bandResponse": null, "bandClass": null},
        });
        lines += &format!("{line}\n");
    }
    let verdicts = json!({"version": "v0", "sourceRoot": "D:\\presets", "entries": entries});
    std::fs::write(audit.join("preset-audit.json"), verdicts.to_string()).expect("written");
    std::fs::write(out.join("frames-index.jsonl"), lines).expect("written");
    write_embeddings(&out);
    let rows = std::fs::read(out.join("embeddings.npy")).expect("read");

    let small = ["--size", "48x32", "--out-size", "24", "--warmup-frames", "2", "--capture-every", "2"];
    let audit = audit.to_str().expect("a plain path");
    let night = ["overnight", "--pack", "run3", "--capture-count", "1", "--audit", audit];
    let night: Vec<&str> = night.into_iter().chain(small).collect();
    let library = fixture.library.to_str().expect("a plain path");
    let done = fixture.bake(&night, &["--out", "OUT", "--library", library]);
    assert!(done.status.success(), "{}{}", done.stdout, done.stderr);
    for note in ["reused 3 verdicts from a finished audit", "using the existing embeddings of 3 presets"] {
        assert!(done.stdout.contains(note), "{note}: {}", done.stdout);
    }
    assert_eq!(std::fs::read(out.join("embeddings.npy")).expect("read"), rows);
    assert!(IDS.iter().all(|id| !first_frame(&out, id).exists()), "no preset was rendered again");

    let store = Store::open(&fixture.folder("show"), 1).expect("a store").store;
    let place = LibraryLocation::of(&fixture.library);
    let catalogue = open(&store, &place, 1, |_| ()).expect("opens").catalogue;
    assert_eq!((catalogue.origin, catalogue.entries.len()), (StyleOrigin::V1, 3));
    let looks = Looks::of(&catalogue);
    assert!(looks.mapped() && looks.problems.is_empty(), "{:?}", looks.problems);
    for entry in &catalogue.entries {
        assert!(looks.frames(entry).iter().any(|frame| frame.exists()), "{}", entry.path);
    }
    let similarity = looks.similarity(0).expect("embedded").expect("read");
    assert!(similarity.iter().all(Option::is_some) && similarity[2] > similarity[1], "{similarity:?}");
}
