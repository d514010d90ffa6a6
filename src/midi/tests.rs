//! End-to-end tests from MIDI bytes to commands and LEDs.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use super::*;
use crate::show::Playing;

/// A MIDI source driven by the test.
#[derive(Clone, Default)]
struct FakeSource {
    events: Arc<Mutex<VecDeque<PortEvent>>>,
    sent: Arc<Mutex<Vec<(String, Vec<u8>)>>>,
}

impl MidiSource for FakeSource {
    fn receive(&mut self) -> Option<PortEvent> {
        self.events.lock().expect("free").pop_front()
    }

    fn send(&mut self, device: &str, bytes: &[u8]) {
        self.sent.lock().expect("free").push((device.to_owned(), bytes.to_vec()));
    }
}

/// MIDI fed by a fake source; [`Fixture::new`] connects one device, "pads", and uses no profile folder.
struct Fixture {
    source: FakeSource,
    midi: Midi,
    snapshot: Snapshot,
    now: f64,
}

#[test]
fn bindings_learnt_while_loading_are_added_to_the_profile() {
    let folder = tempfile::tempdir().expect("a folder");
    let pad = |number, command| {
        let address = Address { kind: Kind::Note, channel: 1, number };
        Binding::new(address, Action::Show(command), Encoding::Absolute)
    };
    let store = || ProfileStore::open(Some(folder.path().to_owned()));
    let bindings = vec![pad(36, Command::Next), pad(37, Command::Hold)];
    store().save(MidiProfile { device: "pads".into(), bindings });
    let source = FakeSource::default();
    let midi = Midi::over(Box::new(source.clone()), Some(folder.path().to_owned()));
    let mut fixture = Fixture { source, midi, snapshot: Snapshot::default(), now: 0.0 };
    fixture.midi.handle(MidiRequest::Learn(Action::Show(Command::Hold)));
    fixture.port_event(PortEvent::Connected { device: "pads".into(), leds: false });
    fixture.send(&[0x90, 40, 99]);
    fixture.midi.gather(0.0);
    let profile = fixture.midi.profiles.wait().expect("the profile");
    fixture.midi.fetched(profile);
    drop(fixture);
    let again = store();
    again.fetch("pads");
    let bindings = vec![pad(36, Command::Next), pad(40, Command::Hold)];
    assert_eq!(again.wait(), Some(Fetched::MidiProfile(MidiProfile { device: "pads".into(), bindings })));
}

impl Fixture {
    fn new() -> Self {
        let source = FakeSource::default();
        let midi = Midi::over(Box::new(source.clone()), None);
        let mut fixture = Self { source, midi, snapshot: Snapshot::default(), now: 0.0 };
        fixture.port_event(PortEvent::Connected { device: "pads".into(), leds: true });
        fixture.frame();
        let profile = fixture.midi.profiles.wait().expect("an empty profile");
        fixture.midi.fetched(profile);
        fixture
    }

    fn port_event(&self, event: PortEvent) {
        self.source.events.lock().expect("free").push_back(event);
    }

    fn send(&self, bytes: &[u8]) {
        self.port_event(PortEvent::Bytes { device: "pads".into(), bytes: bytes.to_vec() });
    }

    /// Runs one frame; returns its commands and the actions of pressed buttons.
    fn frame(&mut self) -> (Vec<Command>, Vec<Action>) {
        self.now += 1.0;
        let mut commands = Vec::new();
        self.midi.gather(self.now);
        let pressed = self.midi.process(&self.snapshot, &mut commands);
        self.midi.lock(&mut commands);
        (commands, pressed)
    }

    fn learn(&mut self, action: Action, messages: &[[u8; 3]]) {
        self.midi.handle(MidiRequest::Learn(action));
        for message in messages {
            self.send(message);
        }
        // The second frame adds a pause, after which the encoding is determined.
        self.frame();
        self.frame();
    }

    fn leds(&mut self) -> Vec<Vec<u8>> {
        self.midi.light(&self.snapshot);
        self.source.sent.lock().expect("free").drain(..).map(|(_, bytes)| bytes).collect()
    }
}

const FUSION: Action = Action::Turn(Dial::Macro(Control::Fusion));

fn sets(control: Control, value: f32) -> Command {
    Command::Macro { control, value: Unipolar::new(value) }
}

#[test]
fn a_learnt_knob_moves_its_macro_in_the_same_frame() {
    let mut fixture = Fixture::new();
    fixture.learn(FUSION, &[[0xb0, 16, 10], [0xb0, 16, 12]]);
    fixture.send(&[0xb0, 16, 127]);
    // The macro is at one half. The first message only sets the position of the knob; with the second, the knob
    // passes the value and takes hold.
    fixture.send(&[0xb0, 16, 0]);
    let (commands, _) = fixture.frame();
    assert_eq!(commands.last(), Some(&sets(Control::Fusion, 0.0)));
}

#[test]
fn every_action_can_be_bound_and_unbound() {
    for (number, action) in Action::all().into_iter().enumerate() {
        let mut fixture = Fixture::new();
        let note = (number % 128) as u8;
        fixture.learn(action.clone(), &[[0x90, note, 100]]);
        assert_eq!(fixture.midi.view().rows[0].action, action);
        fixture.send(&[0x90, note, 127]);
        let (commands, pressed) = fixture.frame();
        assert_eq!(commands.len() + pressed.len(), 1, "{}", action.name());
        fixture.midi.handle(MidiRequest::Unbind { device: "pads".into(), at: 0 });
        fixture.send(&[0x90, note, 127]);
        assert_eq!(fixture.frame(), (vec![], vec![]), "{}", action.name());
    }
}

#[test]
fn steps_of_an_encoder_add_up_within_a_frame() {
    let mut fixture = Fixture::new();
    fixture.learn(FUSION, &[[0xb0, 16, 1]; 6]);
    for _ in 0..10 {
        fixture.send(&[0xb0, 16, 1]);
    }
    fixture.send(&[0xb0, 16, 127]);
    let (commands, _) = fixture.frame();
    let Some(Command::Macro { value, .. }) = commands.last() else { panic!("{commands:?}") };
    assert!((value.get() - (0.5 + 9.0 / 127.0)).abs() < 1e-4, "{value:?}");
}

#[test]
fn an_encoder_that_sends_1_and_65_is_learnt_as_signed_bit() {
    let right = [[0xb0, 16, 1]; 6];
    let both = [1, 1, 65, 65, 1, 65].map(|value| [0xb0, 16, value]);
    let left = [[0xb0, 16, 65]; 6];
    for (learnt, sent, steps) in
        [(right, [1, 65, 66], -2.0), (both, [1, 65, 66], -2.0), (left, [1, 65, 65], -1.0)]
    {
        let mut fixture = Fixture::new();
        fixture.learn(FUSION, &learnt);
        for value in sent {
            fixture.send(&[0xb0, 16, value]);
        }
        let (commands, _) = fixture.frame();
        let Some(Command::Macro { value, .. }) = commands.last() else { panic!("{commands:?}") };
        assert!((value.get() - (0.5 + steps / 127.0)).abs() < 1e-4, "{learnt:?}: {value:?}");
        assert_eq!(fixture.midi.view().rows[0].encoding, "signed_bit", "{learnt:?}");
    }
}

#[test]
fn every_encoding_can_be_chosen_by_hand() {
    let mut fixture = Fixture::new();
    fixture.learn(FUSION, &[[0xb0, 16, 10], [0xb0, 16, 12]]);
    assert_eq!(fixture.midi.view().rows[0].soft_takeover, Some(true));
    for (encoding, _) in fixture.midi.view().encodings.clone() {
        fixture.midi.handle(MidiRequest::Encoding { device: "pads".into(), at: 0, encoding });
        assert_eq!(fixture.midi.view().rows[0].encoding, encoding);
    }
    fixture.midi.handle(MidiRequest::Encoding { device: "pads".into(), at: 0, encoding: "signed_bit2" });
    assert_eq!(fixture.midi.view().rows[0].soft_takeover, None, "an endless encoder has no position");
    fixture.send(&[0xb0, 16, 66]);
    let (commands, _) = fixture.frame();
    assert_eq!(commands, [sets(Control::Fusion, 0.5 + 2.0 / 127.0)]);
}

#[test]
fn auto_map_binds_eight_controllers_and_locks_the_macros() {
    let mut fixture = Fixture::new();
    fixture.midi.handle(MidiRequest::AutoMap);
    for number in [20, 21, 22, 20, 23, 24, 25, 26] {
        fixture.send(&[0xb0, number, 3]);
    }
    fixture.send(&[0x90, 5, 100]);
    fixture.frame();
    let (commands, _) = fixture.frame();
    assert!(fixture.midi.view().mapping, "the eighth is missing");
    assert!(!commands.contains(&Command::MidiLock(true)));
    fixture.send(&[0xb0, 27, 3]);
    fixture.send(&[0xb0, 28, 3]);
    fixture.frame();
    let (commands, _) = fixture.frame();
    assert!(commands.contains(&Command::MidiLock(true)), "{commands:?}");
    let view = fixture.midi.view();
    let rows: Vec<_> = view.rows.iter().map(|row| (row.action.name(), row.control.clone())).collect();
    assert_eq!(rows.len(), 8);
    assert_eq!(rows[0], ("fusion".into(), "CC 20 ch 1".into()));
    assert_eq!(rows[7], ("m8".into(), "CC 27 ch 1".into()));
    assert!(!view.mapping && view.locked);
    fixture.port_event(PortEvent::Disconnected { device: "pads".into() });
    assert_eq!(fixture.frame().0, [Command::MidiLock(false)]);
}

#[test]
fn what_is_unbound_during_auto_map_stays_unbound() {
    let mut fixture = Fixture::new();
    let pads = || "pads".to_owned();
    let mut bound = |request: MidiRequest| {
        fixture.midi.handle(request);
        fixture.send(&[0xb0, 20, 3]);
        (0..3).for_each(|_| drop(fixture.frame()));
        fixture.midi.view().rows.len()
    };
    assert_eq!(bound(MidiRequest::AutoMap), 1);
    assert_eq!(bound(MidiRequest::Unbind { device: pads(), at: 0 }), 0);
    assert_eq!(bound(MidiRequest::AutoMap), 1, "Auto-map was started again");
    assert_eq!(bound(MidiRequest::Clear { device: pads() }), 0);
}

/// Auto-maps a knob that sends `first`, pauses, and sends `then`. Returns the position of its macro after each of the
/// later values, in steps from the middle, and the encoding.
fn auto_mapped(first: &[u8], then: &[u8]) -> (Vec<f32>, &'static str) {
    let mut fixture = Fixture::new();
    fixture.midi.handle(MidiRequest::AutoMap);
    first.iter().for_each(|value| fixture.send(&[0xb0, 20, *value]));
    for _ in 0..2 {
        let (commands, _) = fixture.frame();
        assert!(commands.is_empty(), "{first:?}: {commands:?}");
    }
    let mut step = |value: &u8| {
        fixture.send(&[0xb0, 20, *value]);
        let (commands, _) = fixture.frame();
        let Some(Command::Macro { value, .. }) = commands.last() else { return 0.0 };
        ((value.get() - 0.5) * 254.0).round() / 2.0
    };
    let steps = then.iter().map(&mut step).collect();
    (steps, fixture.midi.view().rows[0].encoding)
}

#[test]
fn auto_map_detects_endless_encoders() {
    for (first, then, steps, encoding) in [
        (&[1, 65][..], &[1, 65][..], [1.0, -1.0], "signed_bit"),
        (&[1, 127], &[1, 127], [1.0, -1.0], "twos_complement"),
        (&[65, 65, 63], &[65, 63], [1.0, -1.0], "offset64"),
        (&[1, 1, 1], &[1, 65], [1.0, -1.0], "signed_bit"),
    ] {
        assert_eq!(auto_mapped(first, then), (steps.to_vec(), encoding), "{first:?}");
    }
}

#[test]
fn auto_map_corrects_an_encoding_guessed_from_one_value() {
    assert_eq!(auto_mapped(&[1], &[65, 1]), (vec![-1.0, 1.0], "signed_bit"));
    assert_eq!(auto_mapped(&[1], &[127, 1]), (vec![-1.0, 1.0], "twos_complement"));
    assert_eq!(auto_mapped(&[65], &[65, 63]), (vec![1.0, -1.0], "offset64"));
}

#[test]
fn auto_map_keeps_absolute_knobs_absolute() {
    for first in [&[3, 4, 5, 6, 7, 8][..], &[60, 61, 62], &[100]] {
        let (steps, encoding) = auto_mapped(first, &[40, 90]);
        assert_eq!((steps[1], encoding), (26.5, "absolute"), "{first:?}");
    }
}

#[test]
fn a_reconnected_device_keeps_its_bindings() {
    let mut fixture = Fixture::new();
    fixture.learn(Action::Show(Command::Next), &[[0x90, 36, 100], [0x80, 36, 0]]);
    fixture.port_event(PortEvent::Disconnected { device: "pads".into() });
    fixture.frame();
    assert!(fixture.midi.message().is_some_and(|message| message.contains("'pads' disconnected")));
    assert!(!fixture.midi.view().devices[0].connected);
    fixture.port_event(PortEvent::Connected { device: "pads".into(), leds: true });
    fixture.send(&[0x90, 36, 100]);
    assert_eq!(fixture.frame().1, [Action::Show(Command::Next)]);
    assert!(fixture.midi.message().is_some_and(|message| message.contains("'pads' reconnected")));
}

#[test]
fn the_view_is_shared_until_it_changes() {
    let mut fixture = Fixture::new();
    let first = fixture.midi.view();
    fixture.frame();
    assert!(Arc::ptr_eq(&first, &fixture.midi.view()), "nothing has changed");
    fixture.learn(FUSION, &[[0xb0, 16, 10], [0xb0, 16, 12]]);
    let learnt = fixture.midi.view();
    assert_eq!((first.rows.len(), learnt.rows.len()), (0, 1));
    fixture.send(&[0xb0, 16, 20]);
    fixture.frame();
    assert_ne!(fixture.midi.view().last_message, learnt.last_message);
}

#[test]
fn a_control_with_two_actions_is_a_conflict() {
    let mut fixture = Fixture::new();
    fixture.learn(Action::Show(Command::Next), &[[0x90, 36, 100], [0x80, 36, 0]]);
    fixture.learn(Action::Show(Command::Back), &[[0x90, 36, 100], [0x80, 36, 0]]);
    fixture.learn(Action::Show(Command::Hold), &[[0x90, 37, 100], [0x80, 37, 0]]);
    let conflicts: Vec<_> = fixture.midi.view().rows.iter().map(|row| row.conflict.clone()).collect();
    let [Some(next), Some(back), None] = conflicts.as_slice() else { panic!("{conflicts:?}") };
    assert_eq!((next.as_str(), back.as_str()), (Command::Back.title(), Command::Next.title()));
}

#[test]
fn leds_follow_the_show_and_are_restored_after_reconnection() {
    let mut fixture = Fixture::new();
    fixture.learn(Action::Show(Command::Hold), &[[0x99, 36, 100]]);
    fixture.learn(Action::Show(Command::Favourite), &[[0xb0, 50, 127]]);
    fixture.learn(FUSION, &[[0xb0, 16, 65]; 6]);
    assert_eq!(fixture.leds(), [vec![0x99, 36, 0], vec![0xb0, 50, 0], vec![0xb0, 16, 64]]);
    assert!(fixture.leds().is_empty(), "nothing changed");
    fixture.snapshot.held = true;
    fixture.snapshot.playing = Some(Playing { favourite: true, ..playing() });
    assert_eq!(fixture.leds(), [vec![0x99, 36, 127], vec![0xb0, 50, 127]]);
    fixture.port_event(PortEvent::Connected { device: "pads".into(), leds: true });
    fixture.frame();
    assert_eq!(fixture.leds().len(), 3);
}

fn playing() -> Playing {
    Playing {
        id: crate::facts::PresetId::of(b"a"),
        name: "a".into(),
        for_secs: 1.0,
        favourite: false,
        problems: Vec::new(),
        reason: crate::show::Reason::default(),
        took: Default::default(),
    }
}

#[test]
fn a_flood_of_noise_changes_nothing() {
    let mut fixture = Fixture::new();
    fixture.learn(FUSION, &[[0xb0, 16, 10], [0xb0, 16, 12]]);
    let mut rng = crate::units::Rng::new(5);
    for _ in 0..5000 {
        let length = rng.below(6);
        let bytes: Vec<u8> = (0..length).map(|_| 0xf0 | rng.below(16) as u8).collect();
        fixture.send(&bytes);
    }
    assert_eq!(fixture.frame(), (vec![], vec![]));
}
