//! A library of 136,109 presets: searches return the right results, and the desk can draw its pages. Times
//! and memory are printed with `--nocapture` and never fail the test.
//!
//! `tests/tools/scale.py` measures libraries of other sizes.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use aivj::archive::{LibraryRequest, LibraryView};
use aivj::audit::probe::{PerceptualHash, VIEWS};
use aivj::audit::repeats::{Member, look_groups};
use aivj::desk::{BakeView, Desk, DeskRequest, DeskView, MidiView, Page, SettingsView};
use aivj::facts::{Energy, PresetId, Tags};
use aivj::find::{SearchIndex, SearchOrder, SearchQuery};
use aivj::library::looks::{LookMap, MAP_FILE};
use aivj::library::{Catalogue, Cluster, Entry, SourceLocation, StyleOrigin};
use aivj::mind::director::Pool;
use aivj::show::{AudioLine, FrameTimes, PresetAudio, Snapshot};
use aivj::store::Store;
use aivj::units::Rng;

const PRESETS: usize = 136_109;
const CLUSTERS: usize = 256;
const WORDS: [&str; 24] = [
    "acid",
    "altars",
    "amber",
    "bass",
    "blue",
    "cathedral",
    "deep",
    "dream",
    "fractal",
    "glass",
    "ink",
    "liquid",
    "mash",
    "neon",
    "ocean",
    "paper",
    "pulse",
    "rain",
    "reactor",
    "river",
    "storm",
    "sun",
    "the",
    "wire",
];

fn library(folder: &Path, presets: usize) -> Catalogue {
    let mut rng = Rng::new(1);
    let root = folder;
    let folder: Arc<Path> = folder.into();
    let entry = |at: usize| {
        let mut word = || WORDS[rng.below(WORDS.len())];
        let name = format!("{} {} - {} {} {at}", word(), word(), word(), word());
        let path = format!("{:03}/{name}.milk", at % 400);
        Entry {
            id: PresetId::of(&at.to_le_bytes()),
            location: SourceLocation::Below(folder.clone()),
            path,
            cluster: (at % CLUSTERS) as u16,
            energy: Energy::of_rank((at % 3) as u8),
            family: at as u64,
            tags: Tags((at as u32).wrapping_mul(2_654_435_761) >> 16),
        }
    };
    let entries = (0..presets).map(entry).collect();
    let cluster =
        |at| Cluster { key: format!("c{at:02}"), name: format!("style {at}"), ..Cluster::default() };
    let mut library = Catalogue::new(entries, (0..CLUSTERS).map(cluster).collect(), StyleOrigin::V1);
    library.folder = Some(root.to_owned());
    library
}

fn write_map(folder: &Path, library: &Catalogue) {
    let mut rng = Rng::new(2);
    let middles: Vec<[f32; 2]> = (0..CLUSTERS).map(|_| [0, 1].map(|_| 1.8 * rng.unit_f32() - 0.9)).collect();
    let mut point =
        |entry: &Entry| middles[usize::from(entry.cluster)].map(|at| at + 0.03 * rng.normal() as f32);
    let map = LookMap {
        version: "v0".into(),
        generated_at: String::new(),
        ids: library.entries.iter().map(|entry| entry.path.clone()).collect(),
        points: library.entries.iter().map(&mut point).collect(),
        clusters: library.entries.iter().map(|entry| u32::from(entry.cluster)).collect(),
    };
    std::fs::write(folder.join(MAP_FILE), serde_json::to_vec(&map).expect("JSON")).expect("written");
}

/// Returns the resident memory of this process in MB, or 0 if the system does not report it.
fn memory_mb() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").trim().parse::<usize>().ok()).unwrap_or(0) / 1024
}

fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let started = Instant::now();
    let result = work();
    println!("{what}: {:.2} ms", started.elapsed().as_secs_f64() * 1000.0);
    result
}

#[test]
fn a_large_library_is_searched_and_drawn() {
    let folder = tempfile::tempdir().expect("a folder");
    let before = memory_mb();
    let library = library(folder.path(), PRESETS);
    write_map(folder.path(), &library);
    let library = Arc::new(library);
    let mut searcher = timed("index built", || SearchIndex::new(library.clone(), &HashMap::new()));
    let matches = |word: &str, path: &str| path.split([' ', '/']).any(|part| part.starts_with(word));
    for text in ["t", "the", "m", "milk", "deep ink", "reactor storm 12", "1", "zzz"] {
        let query = SearchQuery { text: text.into(), ..SearchQuery::default() };
        let results = timed(&format!("search {text:?}"), || searcher.find(&query));
        if text.chars().all(char::is_alphabetic) && text.len() > 2 && text != "milk" {
            let expected = library.entries.iter().filter(|entry| matches(text, &entry.path)).count();
            assert_eq!(results.indices.len(), expected, "{text}");
        }
    }
    let all = timed("empty query", || searcher.find(&SearchQuery::default()));
    assert_eq!(all.indices.len(), PRESETS);
    let peaks = SearchQuery { energy: Some(Energy::Peak), cluster: Some(5), ..SearchQuery::default() };
    let peaks = timed("one style, peak energy", || searcher.find(&peaks));
    assert!(!peaks.indices.is_empty() && peaks.indices.len() < PRESETS / CLUSTERS);
    println!("memory: {} MB for the library", memory_mb().saturating_sub(before));
    draw(LibraryView { results: Arc::new(all), ..LibraryView::default() });
    println!("memory: {} MB in total", memory_mb());
}

/// Draws the Library and Map pages while scrolling; fails if a frame is empty or no search is requested.
fn draw(library: LibraryView) {
    let (snapshot, audio, heard) = (Snapshot::default(), AudioLine::default(), PresetAudio::default());
    let (midi, bake, settings) = (MidiView::default(), BakeView::default(), SettingsView::default());
    let view = DeskView {
        snapshot: &snapshot,
        audio: &audio,
        times: FrameTimes::default(),
        heard: &heard,
        preview: egui::TextureId::default(),
        preview_aspect: 1.5,
        device: "",
        prompts: &[],
        messages: &[],
        log_problem: "",
        midi: &midi,
        bake: &bake,
        library: &library,
        settings: &settings,
        keys: &[],
    };
    for page in [Page::Library, Page::Map] {
        let context = egui::Context::default();
        let mut desk = Desk::default();
        desk.open(page);
        let mut times_ms: Vec<f64> = Vec::new();
        let mut asked = Vec::new();
        for frame in 0..120 {
            let at = egui::Pos2::new(900.0, 400.0);
            let wheel = egui::Event::MouseWheel {
                unit: egui::MouseWheelUnit::Point,
                delta: egui::Vec2::new(0.0, if page == Page::Library { -5000.0 } else { 20.0 }),
                modifiers: egui::Modifiers::NONE,
                phase: egui::TouchPhase::Move,
                source: egui::MouseWheelSource::Unknown,
            };
            let input = egui::RawInput {
                screen_rect: Some(egui::Rect::from_min_size(
                    egui::Pos2::ZERO,
                    egui::Vec2::new(1920.0, 1080.0),
                )),
                time: Some(f64::from(frame) / 60.0),
                events: vec![egui::Event::PointerMoved(at), wheel],
                ..egui::RawInput::default()
            };
            let started = Instant::now();
            let output = context.run_ui(input, |ui| asked.extend(desk.show(ui, &view)));
            let drawn = context.tessellate(output.shapes, 1.0);
            assert!(!drawn.is_empty());
            times_ms.push(started.elapsed().as_secs_f64() * 1000.0);
        }
        times_ms.sort_by(f64::total_cmp);
        let [median, most] = [60, 113].map(|at| times_ms[at]);
        println!("{}: {median:.2} ms per frame while scrolling, 95th percentile {most:.2} ms", page.title());
        assert!(asked.contains(&DeskRequest::Library(LibraryRequest::Find(SearchQuery::default()))));
    }
}

/// Prints a figure for `tests/tools/scale.py`.
fn report(what: &str, value: f64) {
    println!("{}", serde_json::json!({"what": what, "value": value}));
}

/// Reports the time that `work` takes, in milliseconds: the shortest of several attempts.
fn report_ms<T>(what: &str, attempts: usize, mut work: impl FnMut() -> T) -> T {
    let mut attempt = || {
        let started = Instant::now();
        let result = work();
        (started.elapsed().as_secs_f64() * 1000.0, result)
    };
    let mut best = attempt();
    for _ in 1..attempts {
        let next = attempt();
        if next.0 < best.0 {
            best = next;
        }
    }
    report(what, best.0);
    best.1
}

/// Measures a library of `AIVJ_SCALE_PRESETS` presets, whose embeddings are in the folder `AIVJ_SCALE_BAKE`.
#[test]
#[ignore = "run by tests/tools/scale.py"]
fn a_library_of_any_size_is_measured() {
    let presets = std::env::var("AIVJ_SCALE_PRESETS").expect("a number").parse().expect("a number");
    let folder = PathBuf::from(std::env::var_os("AIVJ_SCALE_BAKE").expect("a folder"));
    let before = memory_mb();
    let library = library(&folder, presets);
    write_map(&folder, &library);
    let ids: String = library.entries.iter().map(|entry| format!("{}\n", entry.path)).collect();
    std::fs::write(folder.join("ids.txt"), ids).expect("written");
    let library = Arc::new(library);
    report("memory of the catalogue, MB", memory_mb().saturating_sub(before) as f64);
    report_ms("pool for the director", 1, || Pool::new(library.clone()));
    let mut index = report_ms("search index", 1, || SearchIndex::new(library.clone(), &HashMap::new()));
    report("memory with the search index, MB", memory_mb().saturating_sub(before) as f64);
    let store = Store::in_memory().expect("opens");
    let query = SearchQuery::default;
    let named = |text: &str| SearchQuery { text: text.into(), ..query() };
    for (what, query) in [
        ("empty query", query()),
        ("search by a word", named("reactor storm")),
        ("search by one letter", named("m")),
        (
            "filter by style and energy",
            SearchQuery { cluster: Some(5), energy: Some(Energy::Peak), ..query() },
        ),
        ("one per family", SearchQuery { one_per_family: true, ..query() }),
        ("description of a look", SearchQuery { describe: true, ..named("dark blue, no waves") }),
    ] {
        index.prepare(&query, &store);
        report_ms(what, 3, || index.find(&query));
    }
    let by_name = SearchQuery { order: SearchOrder::Name, ..query() };
    report_ms("first sort by name", 1, || index.prepare(&by_name, &store));
    report_ms("sort by name", 3, || index.find(&by_name));
    let models: Vec<usize> = (0..20).map(|at| at * (presets / 20)).collect();
    let like = |at: usize| SearchQuery { like: Some(library.entries[at].id), ..query() };
    let exact: Vec<_> = models[..5].iter().map(|&at| index.find(&like(at)).indices).collect();
    report_ms("more like this, all embeddings", 1, || index.find(&like(models[6])));
    report_ms("sketch of the embeddings", 1, || index.make_sketch());
    let mut times_ms = Vec::new();
    for &at in &models[5..] {
        let started = Instant::now();
        index.find(&like(at));
        times_ms.push(started.elapsed().as_secs_f64() * 1000.0);
    }
    times_ms.sort_by(f64::total_cmp);
    report("more like this", times_ms[times_ms.len() / 2]);
    let mut same = 0;
    for (&at, exact) in models.iter().zip(&exact) {
        let found = index.find(&like(at)).indices;
        same += exact.iter().filter(|&preset| found.contains(preset)).count();
    }
    report(
        "recall of more like this",
        same as f64 / exact.iter().map(|found| found.len()).sum::<usize>() as f64,
    );
    near_duplicates(presets);
    report("memory at the end, MB", memory_mb().saturating_sub(before) as f64);
}

/// Measures the search for presets that look alike, with a near-duplicate of every hundredth preset.
fn near_duplicates(presets: usize) {
    let mut rng = Rng::new(3);
    let mut hashes: Vec<[u64; VIEWS]> = (0..presets).map(|_| [0; VIEWS].map(|_| rng.next_u64())).collect();
    let pairs: Vec<(usize, usize)> = (0..presets / 100).map(|at| (100 * at, 100 * at + 50)).collect();
    for &(one, other) in &pairs {
        hashes[other] = hashes[one];
        for _ in 0..8 {
            hashes[other][rng.below(VIEWS)] ^= 1 << rng.below(64);
        }
    }
    let member = |(at, hash): (usize, &[u64; VIEWS])| Member {
        id: PresetId::of(&at.to_le_bytes()),
        family: at as u64,
        perceptual_hash: Some(PerceptualHash(*hash)),
    };
    let members: Vec<Member> = hashes.iter().enumerate().map(member).collect();
    let groups = report_ms("near-duplicates", 1, || look_groups(&members));
    let found = pairs.iter().filter(|(one, other)| groups[*one] == groups[*other]).count();
    report("recall of near-duplicates", found as f64 / pairs.len().max(1) as f64);
}
