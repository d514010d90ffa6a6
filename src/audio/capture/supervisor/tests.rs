//! Tests of the supervisor with a fake audio host whose devices are plugged and unplugged.

use super::*;
use crate::audio::capture::fake::FakeHost;
use crate::handoff::queue;

struct Bench {
    host: FakeHost,
    supervisor: Supervisor,
    state: Latest<AudioState>,
    streams: Inbox<DeviceStream>,
    now: f64,
}

fn bench(devices: &[(&str, f32)], choice: DeviceChoice) -> Bench {
    let host = FakeHost::default();
    devices.iter().for_each(|(name, level)| host.plug(name, *level));
    let (out, streams) = queue(16);
    let (_, retired) = queue(4);
    let state = Latest::new(AudioState::default());
    let supervisor = Supervisor::new(Arc::new(host.clone()), choice, out, retired, state.clone());
    Bench { host, supervisor, state, streams, now: 100.0 }
}

impl Bench {
    /// Advances by `seconds` in steps of 50 ms while every open device plays.
    fn pass(&mut self, seconds: f64) -> Arc<AudioState> {
        let end = self.now + seconds;
        while self.now < end {
            self.host.play(2_400);
            self.supervisor.step(Seconds(self.now));
            while let Some(mut stream) = self.streams.receive() {
                while stream.inbox.receive().is_some() {}
            }
            self.now += 0.05;
        }
        self.state.read()
    }

    /// Advances until `done` returns true; returns the elapsed seconds.
    fn until(&mut self, done: impl Fn(&AudioState) -> bool) -> f64 {
        let start = self.now;
        while !done(&self.state.read()) {
            assert!(self.now - start < 600.0, "never happened: {:?}", self.state.read());
            self.pass(0.05);
            // The doctor runs on other threads in real time.
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        self.now - start
    }
}

#[test]
fn a_device_that_returns_is_reopened_within_a_second() {
    for quietly in [false, true] {
        let mut bench = bench(&[("mixer", 0.5)], DeviceChoice::Automatic);
        assert_eq!(bench.pass(1.0).link, Link::Running);
        bench.host.pull("mixer", quietly);
        let noticed = bench.until(|state| state.link == Link::Lost);
        assert!(noticed < 0.9, "noticed after {noticed} s (quietly: {quietly})");
        let state = bench.pass(3.0);
        assert!(state.link == Link::Lost && state.message.contains("no audio input"), "{state:?}");
        bench.host.plug("mixer", 0.5);
        let back = bench.until(|state| state.link == Link::Running);
        assert!(back < 0.7, "back after {back} s");
        assert_eq!(bench.state.read().connections, 2);
    }
}

#[test]
fn another_device_takes_over_until_the_chosen_one_returns() {
    let mut bench = bench(&[("mixer", 0.5), ("webcam", 0.2)], DeviceChoice::Named("MIX".into()));
    assert_eq!(bench.pass(1.0).device, "mixer");
    bench.host.pull("mixer", false);
    let state = bench.pass(1.0);
    assert_eq!((state.device.as_str(), state.link), ("webcam", Link::Running));
    assert!(state.message.contains("'MIX' not found"), "{}", state.message);
    bench.host.plug("mixer", 0.5);
    let back = bench.until(|state| state.device == "mixer");
    assert!(back < 2.0, "back after {back} s");
}

#[test]
fn a_device_without_audio_is_tried_last() {
    let mut bench = bench(&[("dead", 0.0), ("alive", 0.3)], DeviceChoice::Automatic);
    bench.host.mute("dead");
    assert_eq!(bench.pass(1.0).device, "dead");
    let found = bench.until(|state| state.device == "alive");
    assert!(found < 4.0, "found after {found} s");
    assert_eq!(bench.pass(0.5).link, Link::Running);
}

#[test]
fn a_busy_device_is_retried() {
    let mut bench = bench(&[("mixer", 0.5)], DeviceChoice::Automatic);
    bench.host.set_busy("mixer", true);
    let state = bench.pass(1.0);
    assert!(
        state.link == Link::Starting && state.message.contains("could not open 'mixer': busy"),
        "{state:?}"
    );
    bench.host.set_busy("mixer", false);
    assert_eq!(bench.pass(0.7).link, Link::Running);
}

#[test]
fn automatic_choice_switches_from_a_silent_input_to_a_live_one() {
    let mut bench = bench(&[("line", 0.0), ("mixer", 0.5)], DeviceChoice::Automatic);
    assert_eq!(bench.pass(1.0).device, "line");
    bench.until(|state| state.device == "mixer");
    bench.pass(10.0);
    let state = bench.state.read();
    assert!(state.device == "mixer" && !state.silent && state.connections == 2, "{state:?}");
}

#[test]
fn a_silent_chosen_input_is_kept_and_a_live_one_suggested() {
    let mut bench = bench(&[("line", 0.0), ("mixer", 0.5)], DeviceChoice::Named("line".into()));
    bench.until(|state| state.message.contains("but 'mixer' has a signal"));
    let state = bench.state.read();
    assert!(state.device == "line" && state.silent, "{state:?}");
}

#[test]
fn dropped_chunks_are_counted() {
    let mut bench = bench(&[("mixer", 0.5)], DeviceChoice::Automatic);
    bench.supervisor.step(Seconds(bench.now));
    for _ in 0..20 {
        bench.host.play(2_400);
        bench.now += 0.05;
        bench.supervisor.step(Seconds(bench.now));
    }
    let dropped = bench.state.read().dropped_blocks;
    assert!(dropped > 200, "{dropped} of about 380 chunks were dropped");
}

#[test]
fn a_name_that_matches_no_input_is_reported() {
    let mut bench = bench(&[], DeviceChoice::Named("zzz".into()));
    let state = bench.pass(0.2);
    assert!(state.message.starts_with("no input matches 'zzz'; no audio input found"), "{state:?}");
}
