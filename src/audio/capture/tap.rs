//! The callback's side of a capture: copies samples into a bounded queue and counts them.
//!
//! Takes no locks, allocates nothing and logs nothing. If the queue is full, the newest chunk is dropped and counted;
//! the consumer detects the gap in the frame numbers and fills it with silence, which keeps the audio clock correct.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use crate::audio::Frame;
use crate::audio::stereo::stereo;
use crate::handoff::{Inbox, Outbox, queue};

/// Maximum number of frames per chunk: 2.7 ms at 48 kHz; 1 KiB, passed by value.
pub(crate) const CHUNK: usize = 128;
/// Maximum number of chunks in the queue: 0.34 s of full chunks at 48 kHz, enough for a consumer that stalls for a few
/// video frames.
const QUEUE: usize = 128;
/// Maximum number of channels read; consoles with more usually send their mix on the first ones.
const MAX_CHANNELS: usize = 32;

/// Frames sent from the callback to the consumer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chunk {
    /// Number of the first frame, counted since the device was opened and including dropped frames.
    pub(crate) start: u64,
    len: u16,
    frames: [Frame; CHUNK],
}

impl Chunk {
    pub(crate) fn frames(&self) -> &[Frame] {
        &self.frames[..usize::from(self.len)]
    }
}

/// Counters of a running callback, read by the supervisor.
#[derive(Debug, Default)]
pub(crate) struct StreamStats {
    frames: AtomicU64,
    dropped: AtomicU64,
    peak: AtomicU32,
    failed: AtomicBool,
}

impl StreamStats {
    /// Returns the number of frames received from the device, including dropped ones.
    pub(crate) fn frames(&self) -> u64 {
        self.frames.load(Ordering::Relaxed)
    }

    /// Returns the number of chunks dropped because the queue was full.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Returns the largest absolute sample since the last call.
    pub(crate) fn take_peak(&self) -> f32 {
        f32::from_bits(self.peak.swap(0, Ordering::Relaxed))
    }

    /// Marks the stream as failed; called from the driver's error callback.
    pub(crate) fn fail(&self) {
        self.failed.store(true, Ordering::Relaxed);
    }

    pub(crate) fn failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }
}

/// State of the callback, which owns it.
pub(crate) struct Tap {
    out: Outbox<Chunk>,
    stats: Arc<StreamStats>,
    position: u64,
}

/// Builds a tap, the queue it fills and its counters.
pub(crate) fn tap() -> (Tap, Inbox<Chunk>, Arc<StreamStats>) {
    let (out, inbox) = queue(QUEUE);
    let stats = Arc::new(StreamStats::default());
    (Tap { out, stats: stats.clone(), position: 0 }, inbox, stats)
}

impl Tap {
    pub(crate) fn stats(&self) -> Arc<StreamStats> {
        self.stats.clone()
    }

    /// Converts and queues interleaved samples of any format.
    pub(crate) fn push<T>(&mut self, data: &[T], channels: usize)
    where
        T: Copy,
        f32: cpal::FromSample<T>,
    {
        let channels = channels.max(1);
        let used = channels.min(MAX_CHANNELS);
        let mut values = [0.0f32; MAX_CHANNELS];
        let mut peak = 0.0f32;
        for part in data.chunks(CHUNK * channels) {
            let mut chunk = Chunk { start: self.position, len: 0, frames: [[0.0; 2]; CHUNK] };
            for (frame, samples) in chunk.frames.iter_mut().zip(part.chunks_exact(channels)) {
                for (to, from) in values.iter_mut().zip(&samples[..used]) {
                    *to = <f32 as cpal::FromSample<T>>::from_sample_(*from);
                }
                *frame = stereo(&values[..used]);
                peak = peak.max(frame[0].abs()).max(frame[1].abs());
                chunk.len += 1;
            }
            self.position += u64::from(chunk.len);
            if self.out.send(chunk).is_err() {
                self.stats.dropped.fetch_add(1, Ordering::Relaxed);
            }
        }
        // The bit patterns of non-negative floats have the same order as the floats.
        self.stats.peak.fetch_max(peak.to_bits(), Ordering::Relaxed);
        self.stats.frames.store(self.position, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_format_and_channel_count_becomes_the_same_stereo() {
        let (mut tap, mut inbox, stats) = tap();
        tap.push(&[0.5f32, -0.25], 2);
        tap.push(&[i16::MAX / 2, -(i16::MAX / 4)], 2);
        tap.push(&[0x4000_0000i32, -0x2000_0000], 2);
        tap.push(&[192u8, 96], 2);
        tap.push(&[0.5f64, -0.25], 2);
        tap.push(&[0.5f32, -0.25, 0.0, 0.0, 0.0, f32::NAN], 6);
        for number in 0..6 {
            let chunk = inbox.receive().unwrap();
            assert_eq!(chunk.start, number);
            let [left, right] = chunk.frames()[0];
            assert!((left - 0.5).abs() < 1e-3 && (right + 0.25).abs() < 1e-3, "{number}: {left} {right}");
        }
        assert_eq!((stats.frames(), stats.dropped()), (6, 0));
        assert!((stats.take_peak() - 0.5).abs() < 1e-3);
        assert_eq!(stats.take_peak(), 0.0);
    }

    #[test]
    fn a_full_queue_drops_and_counts_chunks_and_leaves_a_gap() {
        let (mut tap, mut inbox, stats) = tap();
        tap.push(&vec![0.1f32; CHUNK * (QUEUE + 3)], 1);
        assert_eq!(stats.dropped(), 3);
        assert_eq!(inbox.rejected(), 3);
        let first = inbox.receive().unwrap();
        assert_eq!((first.start, first.frames().len()), (0, CHUNK));
        while inbox.receive().is_some() {}
        tap.push(&[0.1f32; 7], 1);
        let next = inbox.receive().unwrap();
        assert_eq!((next.start, next.frames().len()), ((CHUNK * (QUEUE + 3)) as u64, 7));
    }

    #[test]
    fn the_callback_does_not_allocate() {
        let (mut tap, mut inbox, _) = tap();
        let data = vec![0.2f32; 1_024];
        assert_no_alloc::assert_no_alloc(|| {
            for _ in 0..50 {
                tap.push(&data, 2);
            }
            while inbox.receive().is_some() {}
        });
    }
}
