//! The desk as a performer sees it: pages drawn off screen and compared with pictures that people have looked at.
//!
//! The pictures in `tests/snapshots` were drawn by the software rasteriser and are compared on it only; elsewhere the
//! test says so and passes. A pixel may differ by 0.6 (weighted squared YIQ distance, which a rounding never
//! reaches), and 400 of 892,800 pixels may differ by more. `UPDATE_SNAPSHOTS=1 cargo test --release --test desk`
//! draws them anew after a wanted change: look at them before they are committed.

use egui_kittest::{Harness, SnapshotOptions, SnapshotResults};

use aivj::analysis::{Features, Scene, Section};
use aivj::desk::{Action, BakeView, Desk, DeskView, LibraryView, MidiDevice, MidiRow, MidiView, Page};
use aivj::library::PresetId;
use aivj::mind::Control;
use aivj::mind::macros::{MacroView, Mode};
use aivj::show::{AudioLine, Command, FrameTimes, Heard, Past, Playing, Snapshot, Upcoming, Veil};
use aivj::stage::Gpu;
use aivj::units::{Seconds, Tempo, Unipolar};

/// Size of the desk, points: what it opens with.
const SIZE: [f32; 2] = [1240.0, 720.0];
/// Pixels that may differ by more than a rounding.
const FEW: usize = 400;

/// What one picture shows.
struct Moment {
    page: Page,
    snapshot: Snapshot,
    audio: AudioLine,
    messages: Vec<&'static str>,
    midi: MidiView,
}

fn software() -> bool {
    let found = Gpu::headless().is_ok_and(|gpu| gpu.software());
    if !found {
        println!("skipped: the desk's pictures are compared on the software rasteriser only");
    }
    found
}

fn check(name: &str, moment: Moment) {
    if !software() {
        return;
    }
    let options = SnapshotOptions::new().threshold(0.6).max_failed_pixels(FEW);
    let mut desk = Desk::default();
    desk.turn_to(moment.page);
    let (keys, _) = aivj::app::keys(None);
    let (heard, bake, library) = (heard(), BakeView::default(), LibraryView::default());
    let mut picture = None;
    let mut harness = Harness::builder().with_size(SIZE).with_pixels_per_point(1.0).wgpu().build_ui(|ui| {
        let preview = picture.get_or_insert_with(|| preview(ui.ctx()));
        let view = DeskView {
            snapshot: &moment.snapshot,
            audio: &moment.audio,
            times: FrameTimes { fps: 60.0, median_ms: 16.6, p95_ms: 17.1 },
            heard: &heard,
            preview: preview.id(),
            preview_aspect: 16.0 / 9.0,
            device: "a graphics card (Vulkan)",
            messages: &moment.messages,
            midi: &moment.midi,
            bake: &bake,
            library: &library,
            keys: &keys,
        };
        desk.show(ui, &view);
    });
    harness.run_steps(3);
    let mut results = SnapshotResults::new();
    results.add(harness.try_snapshot_options(name, &options));
}

/// A picture for the preview: two colours that run into each other.
fn preview(context: &egui::Context) -> egui::TextureHandle {
    let [width, height] = [64, 36];
    let pixel = |at: usize| egui::Color32::from_rgb((at % width * 3) as u8, 40, (at / width * 5) as u8);
    let pixels = (0..width * height).map(pixel).collect();
    let image = egui::ColorImage::new([width, height], pixels);
    context.load_texture("preview", image, egui::TextureOptions::NEAREST)
}

fn heard() -> Heard {
    let mut heard = Heard::default();
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
    Upcoming { id: id(name), name: name.into(), warm, reason: reason.into(), probability }
}

fn past(name: &str, favourite: bool, banned: bool) -> Past {
    Past { id: id(name), name: name.into(), favourite, banned }
}

/// A techno set at its peak, on the third beat of a bar.
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
            reason: "techno, peak: style c07, base 0.82, taste 0.74, probability 0.31".into(),
            took: Default::default(),
        }),
        up_next: vec![
            upcoming("Acid Liquid", true, Some(0.22), "techno, peak: style c12, base 0.80, taste 0.61"),
            upcoming("A Cathedral of Light with a Very Long Name", true, Some(0.03), "something else"),
            upcoming("Ink in Milk", false, None, "asked for by hand"),
        ],
        history: vec![
            past("Reactor Overdrive", true, false),
            past("Paper Lantern", true, false),
            past("Deep Current", false, false),
            past("Grey Noise", false, true),
        ],
        auto: true,
        adventure: Unipolar::new(0.35),
        macros,
        features,
        ..Snapshot::default()
    }
}

fn moment(page: Page, snapshot: Snapshot) -> Moment {
    let audio = AudioLine { source: "Line in".into(), trouble: String::new() };
    Moment { page, snapshot, audio, messages: Vec::new(), midi: MidiView::default() }
}

#[test]
fn the_live_page() {
    check("live", moment(Page::Live, playing()));
}

#[test]
fn the_live_page_in_trouble() {
    let mut snapshot = playing();
    snapshot.held = true;
    snapshot.macros.mode = Mode::Midi;
    snapshot.veil = Veil::Blackout;
    snapshot.features = Features { silent: true, ..Features::default() };
    snapshot.up_next.clear();
    if let Some(playing) = &mut snapshot.playing {
        playing.favourite = false;
        playing.problems = vec!["its warp shader does not compile; the picture goes on without it".into()];
    }
    let mut moment = moment(Page::Live, snapshot);
    moment.audio.trouble = "the input is silent: check its cable or choose another".into();
    moment.messages = vec!["pads is gone; keys work as ever, and it is heard again when it comes back"];
    check("live_trouble", moment);
}

#[test]
fn the_page_of_midi() {
    let mut moment = moment(Page::Midi, playing());
    let row = |at, name: &str, control: &str, encoding, conflict: Option<&str>| MidiRow {
        device: "nanoPads".into(),
        at,
        action: Action::named(name).expect("an action of this name"),
        control: control.into(),
        encoding,
        pickup: encoding == "absolute",
        conflict: conflict.map(String::from),
    };
    moment.midi = MidiView {
        devices: vec![
            MidiDevice { name: "nanoPads".into(), connected: true, lamps: true, bindings: 3 },
            MidiDevice { name: "Old Faders".into(), connected: false, lamps: false, bindings: 0 },
        ],
        rows: vec![
            row(0, "fusion", "CC 16 ch 1", "absolute", None),
            row(1, "next", "note 36 ch 10", "absolute", Some("Hold this preset")),
            row(2, "hold", "note 36 ch 10", "absolute", Some("Next preset")),
        ],
        learning: Some(Action::Turn(aivj::desk::Dial::Macro(Control::Motion))),
        heard: "nanoPads: CC 16 ch 1 = 64".into(),
        ..MidiView::default()
    };
    check("midi", moment);
}

#[test]
fn the_page_of_keys() {
    check("keys", moment(Page::Keys, playing()));
}

#[test]
fn what_is_clicked_is_asked_for() {
    use egui_kittest::kittest::Queryable as _;
    if !software() {
        return;
    }
    let (snapshot, keys, heard, midi) = (playing(), aivj::app::keys(None).0, heard(), MidiView::default());
    let (audio, bake, library) = (AudioLine::default(), BakeView::default(), LibraryView::default());
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
            messages: &[],
            midi: &midi,
            bake: &bake,
            library: &library,
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
        assert_eq!(asked, [aivj::desk::Ask::Act(Action::Show(command))], "{label}");
    }
}
