//! Tests with a local hub that interrupts transfers, sends wrong data, and refuses requests.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sha1::Digest as _;

use super::*;
use crate::embed::installed_models;

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
    // A folder, whose length equals that of the complete file.
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
    assert!(matches!(add("no such file.onnx"), Err(ModelError::NoSource(_))));
    let from = tempfile::tempdir().expect("a folder");
    let unfit = from.path().join("unfit");
    std::fs::create_dir(&unfit).expect("made");
    assert!(matches!(add(&unfit.to_string_lossy()), Err(ModelError::Unfit(_))));
    assert!(installed_models(models.path()).is_empty());
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
    for name in
        ["builtin", "Builtin", "auto", "", "a/b", "a\\b", "..", ".x", "c:x", "a\nb", "x.part", "x ", "-x"]
    {
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

/// Starts a hub that serves `listed` as the listing of a repository, and answers every other request with `respond`,
/// which receives the path and the connection.
fn hub_with(listed: String, respond: impl Fn(&str, &std::net::TcpStream) + Send + 'static) -> Hub {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let lines = BufReader::new(&stream).lines().map_while(Result::ok);
            let request: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
            let path = request.first().and_then(|line| line.split(' ').nth(1)).unwrap_or_default();
            match path.starts_with("/api/") {
                true => {
                    answer(
                        &stream,
                        "200 OK",
                        &format!("Content-Length: {}", listed.len()),
                        listed.as_bytes(),
                    );
                }
                false => respond(path, &stream),
            }
        }
    });
    Hub::at(&address)
}

/// Sends a response; fails silently if the client has closed the connection.
fn answer(mut stream: &std::net::TcpStream, status: &str, header: &str, body: &[u8]) {
    write!(stream, "HTTP/1.1 {status}\r\n{header}\r\nConnection: close\r\n\r\n").ok();
    stream.write_all(body).ok();
}

fn download(hub: &Hub, folder: &Path) -> Result<(), String> {
    let repository = Repository::parse("art/tower").expect("a repository");
    hub.fetch(&repository, folder, &mut |_| true).map_err(|error| error.to_string())
}

#[test]
fn redirects_are_followed_on_the_same_host_only() {
    let files = [("preprocessor_config.json", CONFIG), ("model.onnx", b"tower")];
    let redirecting = |target: &'static str| {
        hub_with(listing(&files), move |path, stream| match path.strip_prefix("/moved") {
            None if path.ends_with("json") => {
                answer(stream, "200 OK", &format!("Content-Length: {}", CONFIG.len()), CONFIG);
            }
            None => answer(stream, "302 Found", &format!("Location: {target}\r\nContent-Length: 0"), b""),
            Some("/model") => answer(stream, "200 OK", "Content-Length: 5", b"tower"),
            Some(_) => answer(stream, "302 Found", "Location: /moved/around\r\nContent-Length: 0", b""),
        })
    };
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(download(&redirecting("/moved/model"), folder.path()), Ok(()));
    assert_eq!(std::fs::read(folder.path().join("model.onnx")).expect("there"), b"tower");
    for target in [
        "http://127.0.0.1:9/model.onnx",
        "https://127.0.0.1/model.onnx",
        "https://hf.co@example.org/model.onnx",
        "ftp://hf.co/model.onnx",
        "file:///etc/passwd",
        "//example.org/model.onnx",
        "",
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let why = download(&redirecting(target), folder.path()).expect_err("refused");
        assert!(why.contains("which is not allowed"), "{target}: {why}");
        assert!(!folder.path().join("model.onnx").exists());
    }
    let folder = tempfile::tempdir().expect("a folder");
    let why = download(&redirecting("/moved/around"), folder.path()).expect_err("refused");
    assert!(why.contains("too many redirects"), "{why}");
}

#[test]
fn a_body_longer_than_the_file_ends_the_download() {
    // The listing gives 1000 bytes; one server sends 300,000, the other an endless chunked body.
    let model = large();
    let files = [("preprocessor_config.json", CONFIG), ("model.onnx", &model[..1000])];
    let config = |stream: &_| answer(stream, "200 OK", &format!("Content-Length: {}", CONFIG.len()), CONFIG);
    let lengthy = hub_with(listing(&files), move |path, stream| match path.ends_with("json") {
        true => config(stream),
        false => answer(stream, "200 OK", "Content-Length: 300000", &large()),
    });
    let endless = hub_with(listing(&files), move |path, mut stream| match path.ends_with("json") {
        true => config(stream),
        false => {
            answer(stream, "200 OK", "Transfer-Encoding: chunked", b"");
            while stream.write_all(b"400\r\n").is_ok()
                && stream.write_all(&[7; 0x400]).is_ok()
                && stream.write_all(b"\r\n").is_ok()
            {}
        }
    });
    for hub in [lengthy, endless] {
        let folder = tempfile::tempdir().expect("a folder");
        let why = download(&hub, folder.path()).expect_err("refused");
        assert!(why.contains("larger than the expected 1000 bytes"), "{why}");
        let left = std::fs::read_dir(folder.path()).expect("readable").flatten();
        let left: Vec<_> = left.map(|entry| entry.file_name()).filter(|name| name != ".commit").collect();
        assert_eq!(left, ["preprocessor_config.json"]);
    }
}

#[test]
fn an_endless_listing_and_an_invalid_commit_are_refused() {
    let endless = hub_with(" ".repeat(17 << 20), |_, _| {});
    let folder = tempfile::tempdir().expect("a folder");
    assert!(download(&endless, folder.path()).is_err());
    let files = [("preprocessor_config.json", CONFIG), ("model.onnx", b"tower")];
    for commit in ["../../other", "", "main"] {
        let listed = listing(&files).replace(COMMIT, commit);
        let why = download(&hub_with(listed, |_, _| {}), folder.path()).expect_err("refused");
        assert!(why.contains("invalid commit"), "{why}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).expect("readable").count(), 0);
}

#[test]
fn a_response_with_the_wrong_range_is_refused() {
    let model = large();
    let files = [("preprocessor_config.json", CONFIG), ("model.onnx", &model[..])];
    let hub = hub_with(listing(&files), |path, stream| match path.ends_with("json") {
        true => answer(stream, "200 OK", &format!("Content-Length: {}", CONFIG.len()), CONFIG),
        false => {
            let header = "Content-Range: bytes 0-299999/300000\r\nContent-Length: 300000";
            answer(stream, "206 Partial Content", header, &large());
        }
    });
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("model.onnx.part"), &model[..70_000]).expect("written");
    std::fs::write(folder.path().join(".commit"), COMMIT).expect("written");
    let why = download(&hub, folder.path()).expect_err("refused");
    assert!(why.contains("a different part of the file"), "{why}");
}

#[test]
fn only_files_with_plain_names_are_requested() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = [
        ("preprocessor_config.json", CONFIG),
        ("onnx/vision_model.onnx", b"tower"),
        ("onnx/vision_model.onnx_data", b"weights"),
        ("onnx/vision_model.onnx_data/../../../up", b"x"),
        ("onnx/vision_model.onnx.data\\..\\up", b"x"),
        ("../up.onnx", b"x"),
        ("text_model.onnx", b"x"),
    ];
    let served = files.map(|(name, bytes)| (name, bytes.to_vec()));
    let server = serve(&served, &listing(&files), "nothing");
    fetch(&server, folder.path(), &mut |_| true).expect("fetched");
    let requests = server.requests.lock().expect("held");
    let names: Vec<&str> = requests[1..].iter().filter_map(|(path, _)| path.split(COMMIT).nth(1)).collect();
    assert_eq!(
        names,
        ["/preprocessor_config.json", "/onnx/vision_model.onnx_data", "/onnx/vision_model.onnx"]
    );
}

#[test]
fn a_text_tower_is_fetched_with_its_tokenizer() {
    let folder = tempfile::tempdir().expect("a folder");
    let files: [(&str, &[u8]); 5] = [
        ("onnx/text_model.onnx", b"text"),
        ("onnx/text_model.onnx_data", b"weights"),
        ("onnx/vision_model.onnx", b"tower"),
        ("preprocessor_config.json", CONFIG),
        ("tokenizer.json", b"{}"),
    ];
    let served = files.map(|(name, bytes)| (name, bytes.to_vec()));
    let server = serve(&served, &listing(&files), "nothing");
    fetch(&server, folder.path(), &mut |_| true).expect("fetched");
    let missing: Vec<&str> =
        files.iter().map(|(name, _)| *name).filter(|name| !folder.path().join(name).is_file()).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn a_single_file_is_added_with_its_text_tower() {
    let (folder, from) = (tempfile::tempdir().expect("a folder"), crate::embed::onnx::tests::clip_folder());
    let file = from.path().join("model.onnx").to_string_lossy().into_owned();
    let hub = Hub::at("http://127.0.0.1:9");
    let add = || add(&file, Some("clip".into()), folder.path(), &hub, 1, &mut |_| true).expect("added");
    let description = add().description;
    assert!(description.ends_with("with text search"), "{description}");
    std::fs::write(from.path().join("tokenizer.json"), "{}").expect("written");
    let description = add().description;
    assert!(
        description.contains("text search is unavailable") && !description.contains(".part"),
        "{description}"
    );
    std::fs::remove_file(from.path().join("tokenizer.json")).expect("removed");
    assert!(!add().description.contains("text search"));
}

#[test]
fn exports_of_every_kind_are_recognised_by_their_files() {
    let model = |files: &[&'static str]| {
        let folder = tempfile::tempdir().expect("a folder");
        let files: Vec<(&str, &[u8])> = files.iter().map(|name| (*name, &b"x"[..])).collect();
        let served: Vec<(&str, Vec<u8>)> =
            files.iter().map(|(name, bytes)| (*name, bytes.to_vec())).collect();
        let server = serve(&served, &listing(&files), "nothing");
        fetch(&server, folder.path(), &mut |_| true).map_err(|error| error.to_string())?;
        let requests = server.requests.lock().expect("held");
        let last = requests.last().expect("a request").0.split_once(COMMIT).expect("a file").1;
        Ok::<_, String>(last.trim_start_matches('/').to_owned())
    };
    let [hugging_face, open_clip] = ["preprocessor_config.json", "open_clip_config.json"];
    for (files, wanted) in [
        // CLIP and SigLIP: both towers, one tower each, quantised.
        (
            &[hugging_face, "onnx/model.onnx", "onnx/text_model.onnx", "onnx/vision_model.onnx"][..],
            "onnx/vision_model.onnx",
        ),
        (
            &[hugging_face, "onnx/text_model_quantized.onnx", "onnx/vision_model_quantized.onnx"],
            "onnx/vision_model_quantized.onnx",
        ),
        // DINOv2.
        (&[hugging_face, "onnx/model.onnx", "onnx/model_quantized.onnx"], "onnx/model.onnx"),
        // OpenCLIP.
        (&[open_clip, "textual.onnx", "visual.onnx"], "visual.onnx"),
        (&["visual/preprocess_cfg.json", "textual/model.onnx", "visual/model.onnx"], "visual/model.onnx"),
        // Any other network, with our own file.
        (&["aivj-model.toml", "open_nsfw.onnx"], "open_nsfw.onnx"),
    ] {
        assert_eq!(model(files).as_deref(), Ok(wanted), "{files:?}");
    }
    assert!(model(&["visual.onnx"]).is_err_and(|why| why.contains("aivj-model.toml")));
    assert!(model(&[hugging_face, "a.onnx", "b.onnx"]).is_err_and(|why| why.contains("b.onnx")));
}

#[test]
fn a_single_file_is_added_with_its_configuration() {
    let folder = tempfile::tempdir().expect("a folder");
    let from = crate::embed::onnx::tests::tower_folder();
    let onnx = from.path().join("onnx");
    std::fs::create_dir(&onnx).expect("made");
    std::fs::rename(from.path().join("model.onnx"), onnx.join("my tower.onnx")).expect("moved");
    std::fs::write(onnx.join("text_model.onnx"), "x").expect("written");
    let hub = Hub::at("http://127.0.0.1:9");
    let file = onnx.join("my tower.onnx").to_string_lossy().into_owned();
    let added = add(&file, None, folder.path(), &hub, 1, &mut |_| true).expect("added");
    assert_eq!(added.name, "my tower");
    let files = std::fs::read_dir(folder.path().join("my tower")).expect("readable").flatten();
    let mut files: Vec<_> = files.map(|entry| entry.file_name()).collect();
    files.sort();
    assert_eq!(files, ["my tower.onnx", "preprocessor_config.json"]);
    std::fs::remove_file(from.path().join("preprocessor_config.json")).expect("removed");
    let why = add(&file, None, folder.path(), &hub, 1, &mut |_| true).expect_err("refused").to_string();
    assert!(why.contains("has none of aivj-model.toml"), "{why}");
    assert_eq!(installed_models(folder.path()), ["my tower"]);
}
