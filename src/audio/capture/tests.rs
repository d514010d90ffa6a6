//! Tests of the consumer's side of a capture.

use super::fake::FakeHost;
use super::tap::tap;
use super::*;
use crate::audio::{Level, Resampler};

fn stream(rate_hz: u32) -> (tap::Tap, DeviceStream) {
    let (tap, inbox, _) = tap();
    (tap, DeviceStream { inbox, resampler: Resampler::new(rate_hz, SAMPLE_RATE_HZ), rate_hz })
}

#[test]
fn reading_continues_with_silence_until_the_next_device() {
    let (mut reader, mut streams, mut retired) = reader();
    let mut block = Block::with_capacity(Seconds(1.0));
    let mut total = 0;
    let mut read = |reader: &mut CaptureReader, now: f64| {
        reader.read(Seconds(now), &mut block);
        assert_eq!(block.start.0, total);
        total = block.end().0;
        (block.frames.len(), Level::of(&block.frames).peak_dbfs)
    };
    assert_eq!(read(&mut reader, 0.0).0, 0);
    let (mut first, opened) = stream(44_100);
    assert!(streams.send(opened).is_ok());
    first.push(&[0.5f32; 441], 1);
    assert_eq!(read(&mut reader, 0.01), (441, -6.0206003));
    let mut silent = 0;
    for k in 2..=100 {
        silent += read(&mut reader, f64::from(k) * 0.01).0;
    }
    assert!((37_000..=44_100).contains(&silent), "{silent} frames of silence in 0.99 s");
    let (mut second, opened) = stream(88_200);
    assert!(streams.send(opened).is_ok());
    second.push(&[0.25f32; 882], 1);
    let (count, peak) = read(&mut reader, 1.01);
    assert!((400..=441).contains(&count) && (peak + 12.04).abs() < 1.0, "{count} frames, {peak} dBFS");
    assert!(retired.receive().is_some(), "the first stream is returned to the supervisor");
}

#[test]
fn lost_chunks_become_silence_of_equal_length() {
    let (mut reader, mut streams, _retired) = reader();
    let (mut tap, opened) = stream(44_100);
    assert!(streams.send(opened).is_ok());
    let mut block = Block::default();
    tap.push(&vec![0.5f32; 30_000], 1);
    tap.push(&[0.5f32; 100], 1);
    reader.read(Seconds(0.0), &mut block);
    let received = block.frames.len();
    assert!(received < 30_000);
    tap.push(&[0.5f32; 100], 1);
    reader.read(Seconds(0.1), &mut block);
    assert_eq!(received + block.frames.len(), 30_200);
}

#[test]
fn reading_does_not_allocate() {
    let (mut reader, mut streams, _retired) = reader();
    let (mut tap, opened) = stream(48_000);
    assert!(streams.send(opened).is_ok());
    let mut block = Block::with_capacity(Seconds(1.0));
    let sound = vec![0.5f32; 480];
    assert_no_alloc::assert_no_alloc(|| {
        for k in 0..200 {
            tap.push(&sound, 2);
            reader.read(Seconds(f64::from(k) * 0.005), &mut block);
        }
    });
    assert!(block.end().0 > 40_000);
}

#[test]
fn a_capture_reads_its_device_and_stops_when_dropped() {
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
