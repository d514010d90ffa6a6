//! The desk as a performer sees it: pages drawn off screen and compared with reviewed snapshots.
//!
//! The snapshots in `tests/snapshots` were drawn by the software rasteriser, which also draws the pages in the tests,
//! even on a computer with a graphics card. A pixel may differ by 0.6 (weighted squared YIQ distance, more than any
//! rounding error), and 400 pixels may differ by more. `UPDATE_SNAPSHOTS=force cargo test --release --test desk`
//! updates all of them, even where a changed label stays within that tolerance; review them before committing. The
//! tests of input draw nothing, and need no graphics device.

#[path = "desk/hands.rs"]
mod hands;
#[path = "desk/renderer.rs"]
mod renderer;

use egui_kittest::{Harness, SnapshotOptions, SnapshotResults};

use aivj::analysis::{Features, Scene, Section};
use aivj::archive::LibraryView;
use aivj::desk::{
    Action, BakePicture, BakeView, Desk, DeskView, MidiDevice, MidiRow, MidiView, Page, SettingsView,
};
use aivj::facts::{Energy, PresetId};
use aivj::find::{SearchIndex, SearchQuery};
use aivj::library::looks::{LookMap, MAP_FILE};
use aivj::library::style::{INDEX_V1, IndexCluster, IndexEntry, IndexVersion, StyleIndex};
use aivj::library::{LibraryLocation, OutputDisplay, Settings};
use aivj::mind::Control;
use aivj::mind::macros::{MacroView, Mode};
use aivj::night::{STAGES, stage_label};
use aivj::show::{
    AudioLine, Command, Exclusion, FrameTimes, OutputMode, PlayedPreset, Playing, PresetAudio, Reason,
    Snapshot, Undoable, Upcoming,
};
use aivj::stage::Gpu;
use aivj::store::{BanKind, Store};
use aivj::units::{Seconds, Tempo, Unipolar};

/// Initial size of the desk, in points.
const SIZE: [f32; 2] = [1240.0, 720.0];
/// Maximum number of pixels that may differ by more than rounding errors.
const FEW: usize = 400;

/// The contents of one snapshot.
struct Moment {
    page: Page,
    snapshot: Snapshot,
    audio: AudioLine,
    messages: Vec<&'static str>,
    log_problem: &'static str,
    prompt: std::cell::Cell<Option<&'static str>>,
    midi: MidiView,
    library: LibraryView,
    settings: SettingsView,
    bake: BakeView,
}

fn check(name: &str, moment: Moment) {
    check_at(SIZE, name, moment);
}

fn check_at(size: [f32; 2], name: &str, moment: Moment) {
    let Some(gpu) = Gpu::software_for_test() else { return };
    let renderer = renderer::OffScreen::new(gpu);
    let options = SnapshotOptions::new().threshold(0.6).max_failed_pixels(FEW);
    let mut desk = Desk::default();
    desk.open(moment.page);
    let (keys, _) = aivj::app::keys(None);
    let heard = if moment.snapshot.features.silent { PresetAudio::default() } else { heard() };
    let settings = &moment.settings;
    let mut picture = None;
    let mut harness =
        Harness::builder().with_size(size).with_pixels_per_point(1.0).renderer(renderer).build_ui(|ui| {
            let preview = picture.get_or_insert_with(|| preview(ui.ctx()));
            let view = DeskView {
                snapshot: &moment.snapshot,
                audio: &moment.audio,
                times: FrameTimes { fps: 60.0, median_ms: 16.6, p95_ms: 17.1 },
                heard: &heard,
                preview: preview.id(),
                preview_aspect: 16.0 / 9.0,
                device: "a graphics card (Vulkan)",
                prompts: &[],
                messages: &moment.messages,
                log_problem: moment.log_problem,
                midi: &moment.midi,
                bake: &moment.bake,
                library: &moment.library,
                settings,
                keys: &keys,
            };
            desk.show(ui, &view);
        });
    harness.run_steps(3);
    let mut results = SnapshotResults::new();
    results.add(harness.try_snapshot_options(name, &options));
}

/// Returns a picture for the preview: a gradient between two colours.
fn preview(context: &egui::Context) -> egui::TextureHandle {
    let [width, height] = [64, 36];
    let pixel = |at: usize| egui::Color32::from_rgb((at % width * 3) as u8, 40, (at / width * 5) as u8);
    let pixels = (0..width * height).map(pixel).collect();
    let image = egui::ColorImage::new([width, height], pixels);
    context.load_texture("preview", image, egui::TextureOptions::NEAREST)
}

fn heard() -> PresetAudio {
    let mut heard = PresetAudio::default();
    for channel in 0..2 {
        for (at, sample) in heard.wave[channel].iter_mut().enumerate() {
            *sample = 0.5 * (at as f32 * 0.1).sin();
        }
        for (at, bin) in heard.spectrum[channel].iter_mut().enumerate() {
            *bin = 20.0 / (1.0 + at as f32 * 0.2);
        }
    }
    heard
}

fn id(name: &str) -> PresetId {
    PresetId::of(name.as_bytes())
}

fn upcoming(name: &str, warm: bool, probability: Option<f32>, reason: &str) -> Upcoming {
    Upcoming {
        id: id(name),
        name: name.into(),
        warm,
        reason: Reason { summary: reason.into(), details: String::new() },
        probability,
    }
}

fn past(name: &str, favourite: bool, banned: bool) -> PlayedPreset {
    PlayedPreset { id: id(name), name: name.into(), favourite, banned }
}

/// Returns the snapshot of a techno set at its peak, on the third beat of a bar.
fn playing() -> Snapshot {
    let mut features = Features { at: Seconds(10.1), section: Section::Peak, ..Features::default() };
    features.beat.tempo = Tempo::new(128.0);
    features.beat.anchor = Seconds(10.0);
    features.beat.anchor_beat = 22;
    features.beat.confidence = Unipolar::new(0.9);
    features.scene.scene = Scene::Techno;
    features.scene.probabilities = [0.1, 0.8, 0.08, 0.02];
    let mut macros = MacroView { mode: Mode::Ai, ..MacroView::default() };
    for (control, value) in Control::ALL.into_iter().zip([0.8, 0.65, 0.5, 0.5, 0.35, 0.5, 0.5, 0.1]) {
        macros.values.set(control, Unipolar::new(value));
    }
    Snapshot {
        now: 100.0,
        playing: Some(Playing {
            id: id("Reactor Overdrive"),
            name: "Reactor Overdrive".into(),
            for_secs: 23.0,
            favourite: true,
            problems: Vec::new(),
            reason: Reason {
                summary: "Techno, peak energy, strong match (style: c07)".into(),
                details: "match +0.42, taste +0.14, score +0.51; probability 31%".into(),
            },
            took: Default::default(),
        }),
        up_next: vec![
            upcoming("Ink in Milk", false, None, "Requested"),
            upcoming(
                "A Cathedral of Light with a Very Long Name",
                true,
                Some(0.22),
                "Techno, peak energy, good match (style: c12)",
            ),
        ],
        history: vec![
            past("Reactor Overdrive", true, false),
            past("Paper Lantern", true, false),
            past("Deep Current", false, false),
            past("Grey Noise", false, true),
        ]
        .into(),
        auto: true,
        adventure: Unipolar::new(0.35),
        macros,
        features,
        ..Snapshot::default()
    }
}

fn moment(page: Page, snapshot: Snapshot) -> Moment {
    let audio = AudioLine { source: "Line in".into(), ..AudioLine::default() };
    Moment {
        page,
        snapshot,
        audio,
        messages: Vec::new(),
        log_problem: "",
        prompt: std::cell::Cell::default(),
        midi: MidiView::default(),
        library: LibraryView::default(),
        settings: SettingsView::default(),
        bake: BakeView::default(),
    }
}

#[test]
fn the_live_page() {
    check("live", moment(Page::Live, playing()));
}

#[test]
fn the_live_page_in_the_smallest_window() {
    let smallest = aivj::app::MIN_DESK_SIZE.map(|side| side as f32);
    check_at(smallest, "live_smallest", moment(Page::Live, playing()));
}

#[test]
fn the_live_page_with_problems() {
    let mut snapshot = playing();
    snapshot.held = true;
    snapshot.macros.mode = Mode::Midi;
    snapshot.output_mode = OutputMode::Blackout;
    snapshot.features = Features { silent: true, ..Features::default() };
    snapshot.up_next.clear();
    if let Some(playing) = &mut snapshot.playing {
        playing.favourite = false;
        playing.problems = vec!["The warp shader does not compile; playing without it".into()];
    }
    let mut moment = moment(Page::Live, snapshot);
    moment.audio.problem = "The input is silent. Check the cable or choose another input.".into();
    moment.messages = vec!["MIDI device pads disconnected; it will reconnect when plugged in again"];
    check("live_trouble", moment);
}

#[test]
fn the_live_page_with_layers() {
    let mut snapshot = playing();
    snapshot.layers = [2, 1];
    snapshot.title = "Live tonight".into();
    let mut moment = moment(Page::Live, snapshot);
    moment.settings.settings.layers = Some("/home/me/layers".into());
    check("live_layers", moment);
}

#[test]
fn the_midi_page() {
    let mut moment = moment(Page::Midi, playing());
    let row = |at, name: &str, control: &str, encoding, conflict: Option<&str>| MidiRow {
        device: "nanoPads".into(),
        at,
        action: Action::named(name).expect("an action of this name"),
        control: control.into(),
        encoding,
        soft_takeover: (at == 0).then_some(true),
        conflict: conflict.map(String::from),
    };
    moment.midi = MidiView {
        devices: vec![
            MidiDevice { name: "nanoPads".into(), connected: true, leds: true, bindings: 3 },
            MidiDevice { name: "Old Faders".into(), connected: false, leds: false, bindings: 0 },
        ],
        rows: vec![
            row(0, "fusion", "CC 16 ch 1", "absolute", None),
            row(1, "next", "Note 36 ch 10", "absolute", Some("Toggle Hold")),
            row(2, "hold", "Note 36 ch 10", "absolute", Some("Next preset")),
        ],
        encodings: vec![("absolute", "Absolute"), ("signed_bit", "Relative (signed bit)")],
        learning: Some(Action::Turn(aivj::desk::Dial::Macro(Control::Motion))),
        last_message: "nanoPads: CC 16 ch 1 = 64".into(),
        ..MidiView::default()
    };
    check("midi", moment);
}

#[test]
fn the_keys_page() {
    check("keys", moment(Page::Keys, playing()));
}

/// Returns a baked library of 480 presets in eight styles: spirals around eight centres, with the first preset alone in
/// the middle of the map.
fn baked_library() -> LibraryView {
    let folder = tempfile::tempdir().expect("a folder");
    let names = [
        "Slow Rivers",
        "Paper Suns",
        "Wire Gardens",
        "Deep Ink",
        "Neon Rain",
        "Glass Towers",
        "Moss",
        "Static",
    ];
    let paths: Vec<String> =
        (0..480).map(|at| format!("{}/{at:03} {}.milk", names[at % 8], at * 37 % 100)).collect();
    for path in &paths {
        let file = folder.path().join(path);
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("made");
        std::fs::write(file, format!("fWaveAlpha=1\nzoom={path}\n")).expect("written");
    }
    let point = |at: usize| {
        let (turn, step) = (std::f32::consts::TAU * (at % 8) as f32 / 8.0, (at / 8) as f32);
        let out = [
            0.7 * turn.cos() + 0.022 * step.sqrt() * (2.4 * step).cos(),
            0.7 * turn.sin() + 0.022 * step.sqrt() * (2.4 * step).sin(),
        ];
        if at == 0 { [0.0; 2] } else { out }
    };
    let map = LookMap {
        version: "v0".into(),
        generated_at: String::new(),
        ids: paths.clone(),
        points: (0..480).map(point).collect(),
        clusters: (0..480).map(|at| at % 8).collect(),
    };
    std::fs::write(folder.path().join(MAP_FILE), serde_json::to_vec(&map).expect("JSON")).expect("written");
    let key = |cluster: usize| format!("c{cluster:02}");
    let entry = |(at, path): (usize, &String)| {
        IndexEntry::of_cluster(path.clone(), &key(at % 8), Energy::of_rank((at % 3) as u8), None)
    };
    let cluster =
        |at: usize| IndexCluster { id: key(at), label: names[at].into(), count: 60, centroid: Vec::new() };
    let index = StyleIndex {
        version: IndexVersion::V1,
        generated_at: String::new(),
        pack: "test".into(),
        entries: paths.iter().enumerate().map(entry).collect(),
        clusters: (0..8).map(cluster).collect(),
        space: String::new(),
    };
    index.write(&folder.path().join(INDEX_V1)).expect("written");
    let store = Store::in_memory().expect("opens");
    let opened = aivj::library::open(&store, &LibraryLocation::of(folder.path()), 1, |_| ()).expect("opens");
    let mut searcher = SearchIndex::new(opened.catalogue.into(), &Default::default());
    let results = searcher.find(&SearchQuery::default());
    let id = |at: usize| results.library.entries[at].id;
    let why = Exclusion { kind: BanKind::Aesthetic, why: "black output".into() };
    LibraryView {
        favourites: std::sync::Arc::new([id(2), id(100)].into()),
        banned: std::sync::Arc::new([id(3)].into()),
        excluded: std::sync::Arc::new([(id(4), why)].into()),
        rejected: std::sync::Arc::new([(id(5), "too dark".to_owned())].into()),
        results: results.into(),
        ..LibraryView::default()
    }
}

fn library_moment(page: Page) -> Moment {
    let library = baked_library();
    let mut snapshot = playing();
    if let Some(playing) = &mut snapshot.playing {
        playing.id = library.results.library.entries[7].id;
    }
    Moment { library, ..moment(page, snapshot) }
}

#[test]
fn the_library_page() {
    check("library", library_moment(Page::Library));
}

#[test]
fn the_library_page_without_its_folder_after_a_ban() {
    let mut moment = library_moment(Page::Library);
    moment.library.missing = Some("/media/usb/presets".into());
    moment.snapshot.undo = Some(Undoable { what: "Banned 003 11".into(), at: moment.snapshot.now - 1.0 });
    check("library_trouble", moment);
}

#[test]
fn the_map_page() {
    check("map", library_moment(Page::Map));
}

#[test]
fn the_settings_page() {
    let mut moment = moment(Page::Settings, playing());
    moment.settings = SettingsView {
        settings: Settings {
            audio: Some("USB Audio".into()),
            monitor: OutputDisplay::Number(1),
            dwell: Some(1.5),
            midi: Some("club".into()),
            ..Settings::default()
        },
        inputs: vec!["Built-in Audio Analog Stereo".into(), "USB Audio".into()],
        refreshing: false,
        output_on: Some((1, true)),
        monitors: vec!["eDP-1 1920x1080".into(), "HDMI-A-1 1280x720".into()],
        libraries: vec!["/home/me/presets".into(), "/home/me/.local/share/aivj/packs/summer".into()],
        midi: vec!["club".into(), "rehearsal".into()],
        guarded: true,
        limited: true,
        file: Some("/home/me/.config/aivj/settings.toml".into()),
        problems: Vec::new(),
    };
    check("settings", moment);
}

/// Returns the view of an overnight bake, with gradients as pictures.
fn night() -> BakeView {
    let picture = |number: u64| {
        let pixel = |at: u64| [at % 96 * 2, at / 96 * 2, number * 20].map(|value| value as u8);
        let rgb = std::sync::Arc::new((0..96 * 96).flat_map(pixel).collect());
        BakePicture { number, size: [96, 96], rgb }
    };
    BakeView {
        library: Some("/home/me/presets".into()),
        stages: STAGES.map(|stage| stage_label(stage).to_owned()).to_vec(),
        stage: stage_label(STAGES[2]).into(),
        done: 4200,
        total: 13_000,
        rate: 1.8,
        left_secs: Some(4890.0),
        notes: vec!["disk: 80.1 GiB free, about 3.5 GiB needed".into(), "Render frames".into()],
        pictures: (0..12).map(picture).collect(),
        ..BakeView::default()
    }
}

#[test]
fn the_bake_page() {
    let bake = BakeView { running: true, ..night() };
    check("bake", Moment { bake, ..moment(Page::Bake, playing()) });
}

#[test]
fn the_bake_page_after_a_failure() {
    let problem = Some("The disk is full. Free some space and start the bake again to resume.".into());
    let bake = BakeView { problem, left_secs: None, ..night() };
    check("bake_trouble", Moment { bake, ..moment(Page::Bake, playing()) });
}

#[test]
fn a_preset_on_the_map_can_be_selected_and_played() {
    use egui_kittest::kittest::Queryable as _;
    let moment = library_moment(Page::Map);
    let alone =
        moment.library.results.library.entries.iter().find(|entry| entry.path.starts_with("Slow Rivers/000"));
    let alone = alone.expect("it is there").id;
    let (keys, heard, midi, bake) =
        (aivj::app::keys(None).0, heard(), MidiView::default(), BakeView::default());
    let settings = SettingsView::default();
    let mut desk = Desk::default();
    desk.open(Page::Map);
    let asked = std::cell::RefCell::new(Vec::new());
    let mut harness = Harness::builder().with_size(SIZE).build_ui(|ui| {
        let view = DeskView {
            snapshot: &moment.snapshot,
            audio: &moment.audio,
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
            library: &moment.library,
            settings: &settings,
            keys: &keys,
        };
        asked.borrow_mut().extend(desk.show(ui, &view));
    });
    harness.run_steps(2);
    harness.get_by_label("map of the library").click();
    harness.run_steps(2);
    asked.borrow_mut().clear();
    harness.get_by_label("Play").click();
    harness.run_steps(2);
    let play = aivj::desk::DeskRequest::Act(Action::Show(Command::PlayNow(alone)));
    assert_eq!(*asked.borrow(), [play], "the preset in the middle was selected");
}

#[test]
fn clicks_become_requests() {
    use egui_kittest::kittest::Queryable as _;
    let (snapshot, keys, heard, midi) = (playing(), aivj::app::keys(None).0, heard(), MidiView::default());
    let (audio, bake, library) = (AudioLine::default(), BakeView::default(), LibraryView::default());
    let settings = SettingsView::default();
    let mut desk = Desk::default();
    let asked = std::cell::RefCell::new(Vec::new());
    let mut harness = Harness::builder().with_size(SIZE).build_ui(|ui| {
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
            keys: &keys,
        };
        asked.borrow_mut().extend(desk.show(ui, &view));
    });
    for (label, command) in [
        ("Next", Command::Next),
        ("Panic", Command::Panic),
        ("Blackout", Command::Blackout),
        ("Hold", Command::Hold),
        ("Tap", Command::TapTempo),
    ] {
        harness.get_by_label(label).click();
        harness.run_steps(2);
        let asked: Vec<_> = asked.borrow_mut().drain(..).collect();
        assert_eq!(asked, [aivj::desk::DeskRequest::Act(Action::Show(command))], "{label}");
    }
}
