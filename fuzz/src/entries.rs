//! The entry points of the fuzz targets. `tests/properties` compiles this file too and runs the same functions on the
//! seeds and on generated input, so a target and its test cannot drift apart.
//!
//! Every function accepts arbitrary bytes, always returns, and asserts its invariants. None uses a graphics device.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aivj::desk::{Action, Dial, MidiRequest};
use aivj::disk::npy;
use aivj::eel::{self, Budget, Code, EelRandom, Machine, Memory, RunOutcome, Scope, Shared};
use aivj::layers::{LayerContent, LayerFiles, LayerFrame, LayerInput, LayerOnAir, LayerPlayer, LayerVertex};
use aivj::library::Settings;
use aivj::library::looks::LookMap;
use aivj::library::pack::{Manifest, QualityBlacklist};
use aivj::library::style::{IndexVersion, StyleIndex, StylePolicy};
use aivj::midi::{Midi, MidiProfile, MidiSource, PortEvent};
use aivj::milk::{Frame, Modulation, Player, PresetAudio, Program, Tick};
use aivj::salvage::{self, Depth, Kind, Shape};
use aivj::show::{Command, Snapshot, setlog};
use aivj::units::thread_time;

/// Maximum input size of any target; longer inputs are truncated.
pub const MAX_BYTES: usize = 1 << 16;
/// Instruction budget of one run of [`eel`].
pub const EEL_BUDGET: u64 = 200_000;
/// Maximum CPU time of [`EEL_BUDGET`] instructions, in seconds: a hundred times the usual, so that unoptimised builds
/// pass too.
const EEL_SECONDS: f64 = 2.0;

/// EEL source: compiles or is rejected. A program ends within its budget and leaves the same variables every time, in
/// the interpreter and as machine code.
pub fn eel(data: &[u8]) {
    let source = String::from_utf8_lossy(cut(data));
    let mut scope = Scope::new();
    let Ok(mut code) = eel::compile(&source, &mut scope) else { return };
    let run = |code: &Code| {
        let mut vars = vec![0.0; scope.len()];
        let mut budget = Budget::new(EEL_BUDGET);
        let outcome = code.run(&mut Machine {
            vars: &mut vars,
            megabuf: &mut Memory::new(),
            shared: &mut Shared::new(),
            rng: &mut EelRandom::default(),
            budget: &mut budget,
        });
        assert_eq!(budget.exhausted(), outcome == RunOutcome::OutOfBudget, "{source}");
        vars
    };
    let began = thread_time();
    let first = run(&code);
    let took = (thread_time() - began).as_secs_f64();
    assert!(took < EEL_SECONDS, "{EEL_BUDGET} instructions took {took:.2} s: {source}");
    // Which of two NaN payloads an operation returns depends on the processor.
    let bits = |value: f64| if value.is_nan() { f64::NAN.to_bits() } else { value.to_bits() };
    let bits = |vars: Vec<f64>| vars.into_iter().map(bits).collect::<Vec<_>>();
    let first = bits(first);
    assert_eq!(first, bits(run(&code)), "two runs differ: {source}");
    code.make_native();
    assert_eq!(first, bits(run(&code)), "interpreter and machine code differ: {source}");
}

/// A `.milk` or `.milk2` file: rejected, or two of its frames contain only numbers that the graphics device accepts.
pub fn preset(data: &[u8]) {
    let Ok(program) = Program::compile(cut(data)) else { return };
    let second = program.second.as_ref().map(|(program, _)| program.clone());
    for program in std::iter::once(program).chain(second) {
        let mut player = Player::new(program, 7);
        let mut frame = Frame::default();
        for number in 0..2_u32 {
            let time = f64::from(number) / 30.0;
            let tick = Tick { time, fps: 30.0, frame: number.into(), size: [64, 48], mesh: [8, 6] };
            player.step(&PresetAudio::default(), tick, &Modulation::default(), &mut frame);
            check_frame(&frame);
        }
    }
}

fn check_frame(frame: &Frame) {
    assert_eq!(frame.sources.len(), 9 * 7);
    assert!(frame.sources.iter().all(|source| finite(source)), "a mesh vertex samples a non-finite position");
    assert!(
        frame.segments.iter().all(|line| finite(&line.a) && finite(&line.b)),
        "a line has a non-finite end"
    );
    assert!(frame.dots.iter().all(|dot| finite(&dot.at)), "a dot has a non-finite position");
    assert!(
        frame.shapes.iter().all(|shape| finite(&shape.center) && finite(&shape.radius)),
        "a shape is not finite"
    );
    assert!(frame.triangles.iter().all(|corner| finite(&corner.at)), "a triangle is not finite");
}

fn finite(values: &[f32]) -> bool {
    values.iter().all(|value| value.is_finite())
}

/// `MILK_IMG.INI`, or `MILK_MSG.INI`, which has the same form: the first layers in it can be drawn.
pub fn layers(data: &[u8]) {
    let image: &[u8] = include_bytes!("../seeds/picture/small.png");
    with_folder(&[("a.png", image), ("milk_img.ini", cut(data))], |folder| {
        let files = Arc::new(LayerFiles::read(folder));
        let [sprites, messages] = files.numbers();
        let sprites = sprites.into_iter().take(4).map(LayerContent::Sprite);
        let layers = sprites.chain(messages.into_iter().take(4).map(LayerContent::Message));
        let (mut player, mut frame) = (LayerPlayer::new(false), LayerFrame::default());
        let input = LayerInput { audio: &PresetAudio::default(), fps: 30.0, aspect: 1.5 };
        for (id, content) in (0..).zip(layers) {
            for age_secs in [0.0, 0.1] {
                let layer = LayerOnAir { id, age_secs, seed: 7, content: content.clone() };
                player.step(&files, &[layer], &input, &mut frame);
                drop(player.take_retired());
                let good =
                    |corner: &LayerVertex| finite(&corner.at) && finite(&corner.uv) && finite(&corner.color);
                assert!(frame.vertices.iter().all(good), "a vertex is not finite");
            }
        }
    });
}

/// The JSON files next to presets: style indexes, policy, manifest, blacklist, map. An index survives a round trip.
pub fn library_files(data: &[u8]) {
    let data = cut(data);
    for version in [IndexVersion::V0, IndexVersion::V1] {
        if let Ok(index) = StyleIndex::parse(data, version) {
            std::hint::black_box(index.entries.iter().filter_map(|entry| entry.cluster()).count());
            let written = serde_json::to_vec(&index).expect("plain data");
            let again = StyleIndex::parse(&written, version).expect("what was written");
            assert_eq!(again.entries, index.entries);
        }
    }
    with_file("file.json", data, |path| {
        StylePolicy::read(path).ok();
        QualityBlacklist::read(path).ok();
        LookMap::read(path).ok();
        if let Ok(manifest) = Manifest::read(path) {
            assert!(manifest.presets.iter().all(|preset| preset.names(&manifest.target).next().is_some()));
        }
    });
}

/// A `.npy` file: rejected, or read whole and row by row with the same result.
pub fn matrix(data: &[u8]) {
    with_file("matrix.npy", cut(data), |path| {
        let Ok(matrix) = npy::read(path) else { return };
        let rows = npy::Rows::open(path).expect("it was read whole");
        assert_eq!((rows.count, rows.width), matrix.dim());
        for (at, wanted) in matrix.rows().into_iter().enumerate() {
            let row = rows.row(at).expect("a row");
            assert!(row.iter().zip(wanted).all(|(a, b)| a.to_bits() == b.to_bits()), "row {at}");
        }
    });
}

/// An audio file, WAV or any other format: rejected, or decoded at a playable sample rate.
pub fn sound(data: &[u8]) {
    with_file("sound.wav", cut(data), |path| {
        if let Ok(pcm) = aivj::audio::decode(path) {
            assert!(pcm.rate_hz > 0 && !pcm.frames.is_empty());
        }
    });
}

/// An image of any format: rejected, or decoded to a valid texture size.
pub fn picture(data: &[u8]) {
    for name in ["image.png", "image.tga", "image.dds"] {
        with_file(name, cut(data), |path| {
            if let Ok(picture) = aivj::disk::picture(path) {
                assert!(picture.width().max(picture.height()) <= 8192);
            }
        });
    }
}

/// A vision model's `model.onnx`: rejected, or the names of its external files are returned.
pub fn model(data: &[u8]) {
    with_file("model.onnx", cut(data), |path| drop(aivj::embed::check_model(path)));
}

/// The description of a vision model, in any of its formats: rejected, or all numbers are finite.
pub fn model_config(data: &[u8]) {
    for name in ["aivj-model.toml", "preprocessor_config.json", "open_clip_config.json"] {
        with_folder(&[(name, cut(data))], |folder| {
            if let Ok(text) = aivj::embed::check_config(folder) {
                assert!(!text.contains("inf") && !text.contains("NaN"), "{name}: {text}");
            }
        });
    }
}

/// `keys.toml`: whatever it contains, keys are bound only to actions that a key can trigger.
pub fn keys(data: &[u8]) {
    with_folder(&[("keys.toml", cut(data))], |folder| {
        let (lines, _) = aivj::app::keys(Some(folder));
        assert!(lines.iter().all(|line| !matches!(line.action, Action::Turn(_))));
    });
}

/// `settings.toml`: whatever it contains, the resulting settings are within their limits.
pub fn settings(data: &[u8]) {
    let (settings, _) = Settings::parse(&String::from_utf8_lossy(cut(data)));
    assert!(settings.size.is_none_or(|size| size.iter().all(|side| (1..=8192).contains(side))));
    assert!(settings.adventure.is_none_or(|value| (0.0..=1.0).contains(&value)));
    assert!(settings.macros.iter().all(|(_, value)| (0.0..=1.0).contains(value)));
}

/// A taste or feedback package: rejected, or its taste can be exported and imported again.
pub fn taste(data: &[u8]) {
    let Ok(text) = aivj::disk::decode(cut(data)) else { return };
    if let Ok(package) = aivj::mind::taste::import(&text) {
        let written = package.to_json(0).expect("plain data");
        assert!(aivj::mind::taste::import(&written).is_ok(), "an exported taste cannot be imported");
    }
}

/// A damaged store: no more rows are recovered than its bytes can hold.
pub fn store(data: &[u8]) {
    const SHAPES: [Shape; 2] = [
        Shape {
            table: "opinions",
            columns: &[Kind::Id, Kind::Integer, Kind::IntegerOrNull, Kind::Text, Kind::Integer],
            required: 5,
        },
        Shape { table: "memory", columns: &[Kind::Text, Kind::Text, Kind::Integer], required: 3 },
    ];
    let data = cut(data);
    with_file("store.db", data, |path| {
        let mut rows = 0;
        salvage::rows(path, &SHAPES, Depth::Remains, |row| {
            assert!(matches!(row.values.len(), 3 | 5));
            rows += 1;
        })
        .expect("the file can be read");
        assert!(rows <= 2 * data.len(), "{rows} rows in {} bytes", data.len());
    });
}

/// A MIDI profile: the bindings that are accepted survive a round trip.
pub fn midi_profile(data: &[u8]) {
    let (profile, _) = MidiProfile::read(&String::from_utf8_lossy(cut(data)));
    let (again, problems) = MidiProfile::read(&profile.written());
    assert_eq!((again, problems.len()), (profile, 0));
}

/// Messages of a MIDI device, each after a byte with its length, while controls are learnt: dials stay within their
/// range, and the messages that set LEDs are valid.
pub fn midi_messages(data: &[u8]) {
    let device = || "device".to_owned();
    let mut events = VecDeque::from([PortEvent::Connected { device: device(), leds: true }]);
    let mut rest = cut(data);
    while let Some((length, after)) = rest.split_first() {
        let (message, after) = after.split_at(after.len().min(usize::from(length % 8)));
        events.push_back(PortEvent::Bytes { device: device(), bytes: message.to_vec() });
        rest = after;
    }
    let frames = events.len();
    let mut midi = Midi::over(Box::new(Recording { events, sent: false }), None);
    let snapshot = Snapshot::default();
    for frame in 0..frames {
        match frame % 32 {
            0 => midi.handle(MidiRequest::AutoMap),
            8 => midi.handle(MidiRequest::Learn(Action::Turn(Dial::Adventure))),
            16 => midi.handle(MidiRequest::Learn(Action::Show(Command::Hold))),
            24 => midi.handle(MidiRequest::Encoding { device: device(), at: 0, encoding: "relative" }),
            _ => {}
        }
        midi.gather(frame as f64 / 30.0);
        let mut commands = Vec::new();
        midi.process(&snapshot, &mut commands);
        for command in &commands {
            if let Command::Macro { value, .. } | Command::Adventure(value) = command {
                assert!((0.0..=1.0).contains(&value.get()), "{command:?}");
            }
        }
        midi.light(&snapshot);
    }
    assert!(midi.view().devices.iter().all(|shown| shown.name == device()));
}

/// A MIDI device that sends one message per frame.
struct Recording {
    events: VecDeque<PortEvent>,
    /// Whether the message of this frame has been sent.
    sent: bool,
}

impl MidiSource for Recording {
    fn receive(&mut self) -> Option<PortEvent> {
        self.sent = !self.sent;
        if self.sent { self.events.pop_front() } else { None }
    }

    fn send(&mut self, _device: &str, bytes: &[u8]) {
        assert!(matches!(bytes, [0x80..=0xff, 0..=0x7f, 0..=0x7f]), "{bytes:?}");
    }
}

/// A set log: rejected, or its frames can be iterated and its lines written again.
pub fn set_log(data: &[u8]) {
    let Ok((header, entries)) = setlog::parse(&String::from_utf8_lossy(cut(data))) else { return };
    assert!(!setlog::to_line(&header).contains('\n'));
    for entry in &entries {
        assert!(!setlog::to_line(entry).contains('\n'));
        if let setlog::Event::Frames(frames) = &entry.event {
            assert!(frames.iter().take(MAX_BYTES).count() < MAX_BYTES, "more frames than the line can hold");
        }
    }
}

fn cut(data: &[u8]) -> &[u8] {
    &data[..data.len().min(MAX_BYTES)]
}

/// Passes a file with these bytes to `read`, for code that only reads from disk. `TMPDIR=/dev/shm` makes this cheap.
fn with_file(name: &str, data: &[u8], read: impl FnOnce(&Path)) {
    let path = temporary(name);
    std::fs::write(&path, data).expect("a folder for temporary files");
    read(&path);
    std::fs::remove_file(&path).ok(); // The next input overwrites it anyway.
}

/// Like [`with_file`], for code that reads a folder.
fn with_folder(files: &[(&str, &[u8])], read: impl FnOnce(&Path)) {
    let folder = temporary("folder");
    std::fs::remove_dir_all(&folder).ok(); // There is one only if the last input failed.
    std::fs::create_dir(&folder).expect("a folder for temporary files");
    for (name, data) in files {
        std::fs::write(folder.join(name), data).expect("a new file");
    }
    read(&folder);
    std::fs::remove_dir_all(&folder).expect("a folder without links");
}

/// Returns a path that no other thread or process uses.
fn temporary(name: &str) -> PathBuf {
    let thread = format!("{:?}", std::thread::current().id());
    let number: String = thread.chars().filter(char::is_ascii_digit).collect();
    std::env::temp_dir().join(format!("aivj-fuzz-{}-{number}-{name}", std::process::id()))
}
