//! The consumer's side of a capture.

use super::fake::FakeHost;
use super::tap::tap;
use super::*;
use crate::audio::{Level, Resampler};

fn line(rate_hz: u32) -> (tap::Tap, Line) {
    let (tap, inbox, _) = tap();
    (tap, Line { inbox, resampler: Resampler::new(rate_hz, HOUSE_RATE_HZ), rate_hz })
}

#[test]
fn a_consumer_hears_sound_then_silence_at_the_same_pace_then_the_next_device() {
    let (mut listener, mut lines, mut retired) = listener();
    let mut block = Block::with_room_for(Seconds(1.0));
    let mut total = 0;
    let mut read = |listener: &mut CaptureThread, now: f64| {
        listener.read(Seconds(now), &mut block);
        assert_eq!(block.start.0, total);
        total = block.end().0;
        (block.frames.len(), Level::of(&block.frames).peak_dbfs)
    };
    assert_eq!(read(&mut listener, 0.0).0, 0);
    let (mut first, opened) = line(44_100);
    assert!(lines.send(opened).is_ok());
    first.take(&[0.5f32; 441], 1);
    assert_eq!(read(&mut listener, 0.01), (441, -6.0206003));
    let mut silent = 0;
    for k in 2..=100 {
        silent += read(&mut listener, f64::from(k) * 0.01).0;
    }
    assert!((37_000..=44_100).contains(&silent), "{silent} frames of silence in 0.99 s");
    let (mut second, opened) = line(88_200);
    assert!(lines.send(opened).is_ok());
    second.take(&[0.25f32; 882], 1);
    let (count, peak) = read(&mut listener, 1.01);
    assert!((400..=441).contains(&count) && (peak + 12.04).abs() < 1.0, "{count} frames, {peak} dBFS");
    assert!(retired.receive().is_some(), "the first line is handed back");
}

#[test]
fn lost_chunks_become_silence_of_the_same_length() {
    let (mut listener, mut lines, _retired) = listener();
    let (mut tap, opened) = line(44_100);
    assert!(lines.send(opened).is_ok());
    let mut block = Block::default();
    tap.take(&vec![0.5f32; 30_000], 1);
    tap.take(&[0.5f32; 100], 1);
    listener.read(Seconds(0.0), &mut block);
    let heard = block.frames.len();
    assert!(heard < 30_000);
    tap.take(&[0.5f32; 100], 1);
    listener.read(Seconds(0.1), &mut block);
    assert_eq!(heard + block.frames.len(), 30_200);
}

#[test]
fn reading_allocates_nothing() {
    let (mut listener, mut lines, _retired) = listener();
    let (mut tap, opened) = line(48_000);
    assert!(lines.send(opened).is_ok());
    let mut block = Block::with_room_for(Seconds(1.0));
    let sound = vec![0.5f32; 480];
    assert_no_alloc::assert_no_alloc(|| {
        for k in 0..200 {
            tap.take(&sound, 2);
            listener.read(Seconds(f64::from(k) * 0.005), &mut block);
        }
    });
    assert!(block.end().0 > 40_000);
}

#[test]
fn a_capture_follows_its_device_and_ends_cleanly() {
    let host = FakeHost::default();
    host.plug("mixer", 0.5);
    let clock: Clock = Arc::new(|| Seconds(0.0));
    let mut capture = Capture::on(Arc::new(host.clone()), DeviceChoice::Automatic, clock).unwrap();
    let mut block = Block::default();
    for _ in 0..2_000 {
        capture.read(Seconds(0.0), &mut block);
        if !block.frames.is_empty() {
            break;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(Level::of(&block.frames).peak_dbfs > -7.0);
    assert_eq!((capture.name().as_str(), capture.state().read().link), ("mixer", Link::Running));
}
