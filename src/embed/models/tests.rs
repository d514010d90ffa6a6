//! Tests with a local hub that interrupts transfers, sends wrong data, and refuses requests.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sha1::Digest as _;

use super::*;

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// A hub with one repository, `art/tower`.
struct Server {
    hub: Hub,
    /// The requests so far: the path and, for a range request, the first byte.
    requests: Arc<Mutex<Vec<(String, Option<u64>)>>>,
}

/// Serves these files; the first response for a path that ends with `breaks` stops halfway.
fn serve(files: &[(&str, Vec<u8>)], listed: &str, breaks: &'static str) -> Server {
    serve_interrupted(files, listed, breaks, false)
}

/// Serves these files as [`serve`] does; the interrupted response closes its connection or, if `stalls`,
/// keeps it open without sending more data.
fn serve_interrupted(files: &[(&str, Vec<u8>)], listed: &str, breaks: &'static str, stalls: bool) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let mut pages: HashMap<String, Vec<u8>> = files
        .iter()
        .map(|(name, bytes)| (format!("/art/tower/resolve/{COMMIT}/{name}"), bytes.clone()))
        .collect();
    pages.insert("/api/models/art/tower/revision/main?blobs=true".into(), listed.as_bytes().to_vec());
    let requests = Arc::new(Mutex::new(Vec::new()));
    let seen = requests.clone();
    std::thread::spawn(move || {
        let mut broken = false;
        let mut stalled = Vec::new();
        for stream in listener.incoming().flatten() {
            let mut lines = BufReader::new(&stream).lines().map_while(Result::ok);
            let Some(first) = lines.next() else { continue };
            let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
            let headers: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
            let from = headers.iter().find_map(|line| {
                let line = line.to_lowercase();
                line.strip_prefix("range: bytes=")?.trim_end_matches('-').parse::<usize>().ok()
            });
            seen.lock().expect("held").push((path.clone(), from.map(|from| from as u64)));
            let mut out = &stream;
            let Some(bytes) = pages.get(&path) else {
                write!(out, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").ok();
                continue;
            };
            let rest = &bytes[from.unwrap_or(0).min(bytes.len())..];
            let status = if from.is_some() { "206 Partial Content" } else { "200 OK" };
            let length = rest.len();
            write!(out, "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n").ok();
            let half = path.ends_with(breaks) && !broken;
            broken |= half;
            out.write_all(if half { &rest[..length / 2] } else { rest }).ok();
            if half && stalls {
                stalled.push(stream);
            }
        }
    });
    let timeout = Duration::from_millis(if stalls { 300 } else { 30_000 });
    Server { hub: Hub::with_read_timeout(&address, timeout), requests }
}

fn listing(files: &[(&str, &[u8])]) -> String {
    let entry = |(name, bytes): &(&str, &[u8])| {
        let sha256: String = sha2::Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        let blob = [format!("blob {}\0", bytes.len()).as_bytes(), bytes].concat();
        let sha1: String = sha1::Sha1::digest(blob).iter().map(|byte| format!("{byte:02x}")).collect();
        let mut entry = serde_json::json!({"rfilename": name, "size": bytes.len(), "blobId": sha1});
        if name.ends_with("onnx") {
            // For large files the blob is a pointer, and the LFS hash is that of the file.
            entry["blobId"] = "f00".into();
            entry["lfs"] = serde_json::json!({"sha256": sha256, "size": bytes.len()});
        }
        entry
    };
    let siblings: Vec<_> = files.iter().map(entry).collect();
    serde_json::json!({"sha": COMMIT, "siblings": siblings}).to_string()
}

const CONFIG: &[u8] = br#"{"size":16,"crop_size":16}"#;

fn large() -> Vec<u8> {
    (0..300_000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

fn fetch(server: &Server, folder: &Path, on_progress: OnProgress) -> Result<(), ModelError> {
    server.hub.fetch(&Repository::parse("art/tower").expect("a repository"), folder, on_progress)
}

#[test]
fn a_download_resumes_after_a_broken_or_stalled_connection() {
    for stalls in [false, true] {
        check_resume(stalls);
    }
}

fn check_resume(stalls: bool) {
    let folder = tempfile::tempdir().expect("a folder");
    let model = large();
    let files =
        [("onnx/vision_model.onnx", &model[..]), ("preprocessor_config.json", CONFIG), ("README.md", b"x")];
    let served = files.map(|(name, bytes)| (name, bytes.to_vec()));
    let server = serve_interrupted(&served, &listing(&files), "vision_model.onnx", stalls);
    let mut most = 0;
    fetch(&server, folder.path(), &mut |progress| {
        most = progress.done.max(most);
        progress.done <= progress.total
    })
    .expect("fetched");
    assert_eq!(std::fs::read(folder.path().join("onnx/vision_model.onnx")).expect("there"), model);
    assert_eq!(std::fs::read(folder.path().join("preprocessor_config.json")).expect("there"), CONFIG);
    assert!(most == model.len() && !folder.path().join("README.md").exists());
    let requests = server.requests.lock().expect("held");
    let ranges: Vec<_> =
        requests.iter().filter(|(path, _)| path.ends_with("onnx")).map(|(_, from)| *from).collect();
    assert_eq!(ranges, [None, Some(model.len() as u64 / 2)]);
}

#[test]
fn a_cancelled_download_is_resumed_by_the_next_command() {
    let folder = tempfile::tempdir().expect("a folder");
    let model = large();
    let files = [("model.onnx", &model[..]), ("preprocessor_config.json", CONFIG)];
    let served = files.map(|(name, bytes)| (name, bytes.to_vec()));
    let server = serve(&served, &listing(&files), "nothing");
    let stopped = fetch(&server, folder.path(), &mut |progress| progress.done < 100_000);
    assert!(matches!(stopped, Err(ModelError::Stopped)));
    fetch(&server, folder.path(), &mut |_| true).expect("fetched");
    assert_eq!(std::fs::read(folder.path().join("model.onnx")).expect("there"), model);
    let requests = server.requests.lock().expect("held");
    let last = requests.iter().rfind(|(path, _)| path.ends_with("onnx")).expect("requested");
    assert!(last.1.is_some_and(|from| from >= 100_000), "{last:?}");
}

#[test]
fn a_file_with_a_wrong_hash_is_deleted_and_a_repository_without_a_tower_is_reported() {
    let folder = tempfile::tempdir().expect("a folder");
    let model = large();
    let mut damaged = model.clone();
    damaged[77] ^= 1;
    let files = [("model.onnx", &model[..]), ("preprocessor_config.json", CONFIG)];
    let served = [("model.onnx", damaged), ("preprocessor_config.json", CONFIG.to_vec())];
    let why = fetch(&serve(&served, &listing(&files), "nothing"), folder.path(), &mut |_| true)
        .expect_err("refused")
        .to_string();
    assert!(why.contains("hash"), "{why}");
    assert!(!folder.path().join("model.onnx").exists() && !folder.path().join("model.onnx.part").exists());
    let other = [("pytorch_model.bin", &b"x"[..])];
    let why = fetch(&serve(&[], &listing(&other), "nothing"), folder.path(), &mut |_| true)
        .expect_err("refused")
        .to_string();
    assert!(why.contains("pytorch_model.bin") && why.contains("model.onnx"), "{why}");
}

#[test]
fn a_partial_download_that_cannot_be_read_is_reported_as_such() {
    let folder = tempfile::tempdir().expect("a folder");
    // Complete, judging by its length, but a folder.
    let part = folder.path().join("model.onnx.part");
    std::fs::create_dir_all(part.join("x")).expect("made");
    let model = vec![7; std::fs::metadata(&part).expect("there").len() as usize];
    let files = [("model.onnx", &model[..]), ("preprocessor_config.json", CONFIG)];
    let served = files.map(|(name, bytes)| (name, bytes.to_vec()));
    let fetched = fetch(&serve(&served, &listing(&files), "nothing"), folder.path(), &mut |_| true);
    assert!(matches!(fetched, Err(ModelError::Read { path, .. }) if path == part));
}

#[test]
fn a_download_whose_commit_cannot_be_read_is_not_resumed() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = [("model.onnx", CONFIG), ("preprocessor_config.json", CONFIG)];
    let served = files.map(|(name, bytes)| (name, bytes.to_vec()));
    let server = serve(&served, &listing(&files), "nothing");
    fetch(&server, folder.path(), &mut |_| true).expect("fetched");
    let commit = folder.path().join(".commit");
    let large = std::fs::File::create(&commit).and_then(|file| file.set_len(disk::limit::TEXT + 1));
    large.expect("holes");
    let fetched = fetch(&server, folder.path(), &mut |_| true);
    assert!(matches!(fetched, Err(ModelError::Read { path, .. }) if path == commit));
}

#[test]
fn an_invalid_source_is_reported_and_an_unusable_folder_leaves_nothing() {
    let models = tempfile::tempdir().expect("a folder");
    let hub = Hub::at("http://127.0.0.1:9");
    let add = |from: &str| super::add(from, None, models.path(), &hub, 1, &mut |_| true);
    assert!(matches!(add("no such folder"), Err(ModelError::NoSource(_))));
    assert!(matches!(add("../up"), Err(ModelError::NoSource(_))));
    assert!(matches!(add("art/tower"), Err(ModelError::Hub(_))));
    let from = tempfile::tempdir().expect("a folder");
    let unfit = from.path().join("unfit");
    std::fs::create_dir(&unfit).expect("made");
    assert!(matches!(add(&unfit.to_string_lossy()), Err(ModelError::Unfit(_))));
    assert!(list(models.path()).is_empty());
}

#[test]
fn repositories_are_parsed_from_owner_name_and_revision() {
    let name = |text: &str| Repository::parse(text).map(|found| found.short_name().to_owned());
    assert_eq!(name("openai/clip-vit-base-patch32@v1.0"), Some("clip-vit-base-patch32".into()));
    for other in ["clip", "a/b/c", "a/b@../x", "/b", "a/ b"] {
        assert_eq!(name(other), None, "{other}");
    }
}

#[test]
fn invalid_model_names_are_rejected() {
    let folder = tempfile::tempdir().expect("a folder");
    let hub = Hub::at("http://127.0.0.1:9");
    let from = folder.path().to_string_lossy();
    for name in ["builtin", "Builtin", "", "a/b", "a\\b", "..", ".x", "c:x", "a\nb", "x.part", "x ", "-x"] {
        let added = super::add(&from, Some(name.into()), &folder.path().join("m"), &hub, 1, &mut |_| true);
        assert!(matches!(added, Err(ModelError::Name(_))), "{name:?}");
    }
    for name in ["ViT-B-32", "clip vit", "siglip2_base.patch16", "bild-größe"] {
        assert!(is_valid_name(name), "{name}");
    }
}

#[test]
fn an_unfit_folder_is_named_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().expect("a folder");
    let (models, from) = (folder.path().join("models"), folder.path().join("lib"));
    std::fs::create_dir_all(&from).expect("made");
    std::fs::write(from.join("a.milk"), "zoom=1").expect("written");
    let (server, from) = (serve(&[], "", ""), from.to_string_lossy().into_owned());
    let added = add(&from, None, &models, &server.hub, 1, &mut |_| true);
    let Err(ModelError::Unfit(why)) = added else { panic!("accepted") };
    assert_eq!(why, format!("no model.onnx in {from}"));
    assert!(!models.join("lib.part").exists());
}
