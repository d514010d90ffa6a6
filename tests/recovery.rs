//! Graphics device failures in a real rig: the picture returns, the state of the show is kept, and no preset is blamed
//! unless the device is lost whenever it draws. Needs the feature `faults`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aivj::analysis::Features;
use aivj::audit::probe::{ProbeOutcome, ProbeSettings, Prober};
use aivj::facts::PresetId;
use aivj::faults::FaultSchedule;
use aivj::handoff::Latest;
use aivj::jobs::wire::WirePreset;
use aivj::library::{Catalogue, PresetSource, built_in};
use aivj::milk::PresetAudio;
use aivj::mind::Control;
use aivj::mind::taste::Signal;
use aivj::show::setlog::Event;
use aivj::show::{Command, Rig, RigFrame, Show, ShowSettings};
use aivj::stage::{DeckSettings, Gpu, Readback, RenderContext, Stage, StageError, Wait};
use aivj::store::BanKind;
use aivj::units::Unipolar;
use aivj::warmup::{Admission, DeckError, Warmer};

const FPS: f64 = 30.0;
const SIZE: [u32; 2] = [96, 54];

/// Creates a show whose decks are prepared on threads, or synchronously.
fn rig(threads: bool) -> Option<Rig> {
    rig_with(threads, None)
}

/// Creates a show like [`rig`], whose presets must pass `admission`.
fn rig_with(threads: bool, admission: Option<Arc<dyn Admission>>) -> Option<Rig> {
    let context = Arc::new(RenderContext::new(Gpu::for_test()?, &[]));
    let settings = DeckSettings { size: SIZE, mesh: [24, 18], fps: FPS };
    let heard = Latest::new(PresetAudio::default());
    let warmer =
        if threads { Warmer::threads } else { Warmer::in_place }(&context, &heard, settings, admission);
    let mut stage = Stage::new(context, SIZE);
    stage.limit_flashes(true);
    stage.measure_picture(true);
    let show = ShowSettings { auto: false, fps: FPS, warm_frames: 2, ..ShowSettings::default() };
    Some(Rig::new(Show::new(show, Catalogue::built_in().into()), stage, warmer, heard))
}

/// Returns a loud sine, so that presets move.
fn sound(frame: usize) -> Vec<[f32; 2]> {
    let sample = |i: usize| ((frame * 1470 + i) as f32 * 0.03).sin() * 0.6;
    (0..1470).map(|i| [sample(i); 2]).collect()
}

struct PlayedRig {
    rig: Rig,
    frame: usize,
    learnt: Vec<Signal>,
}

impl PlayedRig {
    fn new(rig: Rig) -> Self {
        Self { rig, frame: 0, learnt: Vec::new() }
    }

    fn frame(&mut self, commands: &[Command]) {
        let features = Features::default();
        let sound = sound(self.frame);
        self.frame += 1;
        self.rig.frame(&RigFrame { dt: 1.0 / FPS, sound: &sound, features: &features, commands });
        self.learnt.extend(self.rig.show.take_log().into_iter().filter_map(|entry| match entry.event {
            Event::Learnt { signal, .. } => Some(signal),
            _ => None,
        }));
    }

    /// Runs frames until `done` returns true; fails the test if it never does.
    fn until(&mut self, what: &str, done: impl Fn(&Rig) -> bool) {
        for _ in 0..3000 {
            if done(&self.rig) {
                return;
            }
            self.frame(&[]);
            std::thread::sleep(Duration::from_millis(2)); // Warm-up threads need the processor.
        }
        assert!(
            done(&self.rig),
            "{what} did not happen; the message is {:?}",
            self.rig.show.snapshot().message
        );
    }

    /// Loses the device, and waits until the picture is back.
    fn lose(&mut self) {
        self.rig.stage.render_context().gpu.lose();
        self.until("the loss", |rig| rig.picture_held());
        self.until("the picture", |rig| !rig.picture_held() && rig.show.playing());
    }

    fn playing(&self) -> PresetId {
        self.rig.show.snapshot().playing.expect("a preset on air").id
    }

    fn lit(&self) -> bool {
        let picture = self.rig.stage.screenshot().expect("a picture");
        picture.pixels().filter(|pixel| pixel.0[..3].iter().any(|channel| *channel > 12)).count() > 50
    }
}

fn ready(rig: &Rig) -> bool {
    let snapshot = rig.show.snapshot();
    rig.show.playing() && !snapshot.up_next.is_empty() && snapshot.up_next.iter().all(|next| next.warm)
}

#[test]
fn a_lost_device_is_replaced_and_the_show_continues() {
    for threads in [true, false] {
        let Some(rig) = rig(threads) else { return };
        let mut played = PlayedRig::new(rig);
        played.until("the start", ready);
        let turned = Command::Macro { control: Control::M4, value: Unipolar::new(0.8) };
        played.frame(&[turned, Command::Hold]);
        for loss in 1..=3_u64 {
            // Another preset each time: one that was there twice would be suspected.
            played.frame(&[Command::Next]);
            (0..30).for_each(|_| played.frame(&[]));
            played.until("warm decks", |rig| ready(rig) && rig.show.snapshot().safe_preset.is_some());
            let before = (played.playing(), played.rig.show.snapshot().history);
            played.rig.set_faults(FaultSchedule::parse("device-lost@200ms", false).expect("a fault"));
            played.until("the loss", |rig| rig.picture_held());
            played.until("the picture", |rig| !rig.picture_held());
            assert_eq!(played.rig.generation(), loss);
            assert_eq!((played.playing(), played.rig.show.snapshot().history), before);
            (0..200).for_each(|_| played.frame(&[]));
            assert!(played.lit(), "the picture is dark");
        }
        assert!(
            played.rig.show.snapshot().held
                && played.rig.show.memory().macros.bank.get(Control::M4).get() == 0.8
        );
        assert!(played.rig.stage.options().limiter && played.rig.stage.options().meter);
        played.until("warm decks", ready);
        assert!(played.rig.show.memory().excluded.is_empty());
        assert!(!played.learnt.contains(&Signal::Failed));
    }
}

/// Admits every preset at once until it is paused. Then, admission blocks, and ends with a rejection when the pause
/// does.
#[derive(Default)]
struct PausedAudit {
    paused: AtomicBool,
    /// Presets whose admission has blocked, in order.
    asked: Mutex<Vec<PresetId>>,
}

impl PausedAudit {
    fn asked(&self) -> Vec<PresetId> {
        self.asked.lock().expect("no panic").clone()
    }
}

impl Admission for PausedAudit {
    fn admit(&self, _source: &PresetSource, id: PresetId) -> Result<(), DeckError> {
        if !self.paused.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.asked.lock().expect("no panic").push(id);
        // Not forever, because a failed test waits for the warm-up threads.
        for _ in 0..6000 {
            if !self.paused.load(Ordering::Relaxed) {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Err(DeckError::Excluded("it hangs".to_owned()))
    }
}

#[test]
fn a_preset_that_is_being_audited_when_the_device_is_lost_is_audited_again() {
    let audit = Arc::new(PausedAudit::default());
    let Some(rig) = rig_with(true, Some(audit.clone())) else { return };
    let mut played = PlayedRig::new(rig);
    played.until("the start", ready);
    audit.paused.store(true, Ordering::Relaxed);
    played.frame(&[Command::Next]); // Needs another deck.
    let audited = |rig: &Rig| {
        let asked = audit.asked();
        rig.show.snapshot().up_next.iter().map(|next| next.id).find(|id| asked.contains(id))
    };
    played.until("the audit", |rig| audited(rig).is_some());
    let preset = audited(&played.rig).expect("a preset");
    let playing = played.playing();
    played.rig.stage.render_context().gpu.lose();
    played.until("the loss", |rig| rig.picture_held());
    played.until("the picture", |rig| !rig.picture_held());
    assert_eq!(played.playing(), playing, "it was admitted before");
    let asks = |id: PresetId| audit.asked().into_iter().filter(|asked| *asked == id).count();
    played.until("the second audit", |_| asks(preset) == 2);
    assert_eq!(asks(playing), 0);
    audit.paused.store(false, Ordering::Relaxed);
    played.until("the rejection", |rig| rig.show.memory().excluded.contains_key(&preset));
    assert_ne!(played.playing(), preset);
    let excluded = played.rig.show.memory().excluded;
    assert_eq!(excluded[&preset].kind, BanKind::Audit, "the verdict is stored, not a ban");
}

#[test]
fn a_preset_that_loses_every_device_is_quarantined_and_another_one_plays() {
    let Some(rig) = rig(true) else { return };
    let mut played = PlayedRig::new(rig);
    played.until("the start", ready);
    played.frame(&[Command::Next]);
    let guilty = played.playing();
    // The device is lost whenever this preset draws.
    for loss in 1..=2 {
        assert_eq!(played.playing(), guilty, "loss {loss}");
        played.lose();
    }
    let replacement = played.playing();
    assert_ne!(replacement, guilty);
    assert!(built_in().any(|preset| preset.id == replacement && !preset.shaders), "slow to prepare");
    let why = |rig: &Rig| rig.show.memory().excluded.get(&guilty).map(|exclusion| exclusion.why.clone());
    assert!(why(&played.rig).is_some_and(|why| why.contains("may make")));
    played.until("the verdict", |rig| why(rig).is_some_and(|why| why.contains("makes")));
    assert_eq!(played.rig.show.memory().excluded.len(), 1);
    assert!(played.lit());
}

#[test]
fn losses_with_another_cause_are_blamed_on_no_preset() {
    let Some(rig) = rig(true) else { return };
    let mut played = PlayedRig::new(rig);
    played.until("the start", ready);
    for loss in 1..=6 {
        played.lose();
        let excluded = played.rig.show.memory().excluded;
        let blamed = excluded.values().any(|exclusion| !exclusion.why.contains("may make"));
        assert!(excluded.len() <= 1 && !blamed, "loss {loss}: {excluded:?}");
    }
}

#[test]
fn out_of_memory_reduces_decks_before_resolution_and_blames_no_preset() {
    let Some(rig) = rig(true) else { return };
    let mut played = PlayedRig::new(rig);
    played.until("the start", ready);
    let shortage = |played: &mut PlayedRig| {
        played.rig.set_faults(FaultSchedule::parse("oom@3s", false).expect("a fault"));
        (0..100).for_each(|_| played.frame(&[]));
        played.frame(&[Command::Next]); // Needs another deck.
        played.until("decks", |rig| ready(rig) && !rig.picture_held());
    };
    shortage(&mut played);
    assert_eq!((played.rig.stage.size(), played.rig.show.snapshot().up_next.len()), (SIZE, 1));
    shortage(&mut played);
    assert_eq!(played.rig.stage.size(), [81, 45]);
    (0..10).for_each(|_| played.frame(&[]));
    assert!(played.lit());
    assert!(played.rig.show.memory().excluded.is_empty());
    assert!(!played.learnt.contains(&Signal::Failed));
}

#[test]
fn a_failing_device_is_never_blamed_on_the_preset_that_is_being_audited() {
    let Some(gpu) = Gpu::for_test() else { return };
    let context = Arc::new(RenderContext::new(gpu, &[]));
    let settings = ProbeSettings { size: SIZE, ..ProbeSettings::default() };
    let mut prober = Prober::on(context.clone(), settings.clone()).expect("a device that draws");
    let preset = built_in().nth(1).expect("a preset");
    let mut outcome = || {
        let sent = WirePreset::of_bytes("a.milk".into(), preset.text.as_bytes());
        prober.probe(&sent, preset.id).outcome
    };
    assert_eq!(outcome(), ProbeOutcome::Drawn);
    context.gpu.fail_allocations(1);
    let starved = outcome();
    assert!(matches!(&starved, ProbeOutcome::Infrastructure(why) if why.contains("memory")), "{starved:?}");
    assert_eq!(outcome(), ProbeOutcome::Drawn, "the device still works");
    context.gpu.lose();
    let lost = outcome();
    assert!(matches!(lost, ProbeOutcome::DeviceLost(_)), "{lost:?}");
    let failure = prober.device_failure();
    assert!(
        matches!(failure, Some(ProbeOutcome::DeviceLost(_))),
        "a later panic is not the preset's: {failure:?}"
    );
    assert!(Prober::on(context, settings).is_err(), "a preset is judged on a device that draws nothing");
}

#[test]
fn waiting_for_a_lost_device_ends_with_an_error() {
    let Some(rig) = rig(false) else { return };
    let mut played = PlayedRig::new(rig);
    played.until("the start", |rig| rig.show.playing());
    let gpu = &played.rig.stage.render_context().gpu;
    let mut readback = Readback::new(gpu, SIZE);
    assert!(played.rig.stage.read_back(&mut readback));
    gpu.lose();
    played.rig.stage.read_back(&mut readback);
    assert!(matches!(readback.receive(gpu, Wait::Never), Err(StageError::Lost(_))));
    assert!(matches!(readback.receive(gpu, Wait::Always), Err(StageError::Lost(_))));
    readback.reset(gpu);
    played.rig.stage.finish();
    assert!(matches!(played.rig.stage.screenshot(), Err(StageError::Lost(_))));
}
