//! The callback's side of a capture: copies samples into a bounded queue and counts, nothing else.
//!
//! No lock, no allocation, no log. When the queue is full the newest chunk is dropped and counted; the consumer
//! sees the gap in the numbering and fills it with silence, so the audio clock stays true.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use crate::audio::Frame;
use crate::audio::stereo::stereo;
use crate::handoff::{Inbox, Outbox, queue};

/// Frames a chunk holds at most: 2.7 ms at 48 kHz, and a kilobyte by value.
pub(crate) const CHUNK: usize = 128;
/// Chunks in the queue: 0.34 s at 48 kHz, enough for a consumer that stalls for a few frames.
const QUEUE: usize = 128;
/// Channels looked at; a desk with more sends its mix on the first ones.
const MOST_CHANNELS: usize = 32;

/// A few frames on their way from the callback to the consumer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chunk {
    /// Number of the first frame since the device was opened, lost ones included.
    pub(crate) start: u64,
    len: u16,
    frames: [Frame; CHUNK],
}

impl Chunk {
    pub(crate) fn frames(&self) -> &[Frame] {
        &self.frames[..usize::from(self.len)]
    }
}

/// What the supervisor can see of a running callback.
#[derive(Debug, Default)]
pub(crate) struct Vitals {
    frames: AtomicU64,
    dropped: AtomicU64,
    peak: AtomicU32,
    failed: AtomicBool,
}

impl Vitals {
    /// Frames delivered so far.
    pub(crate) fn frames(&self) -> u64 {
        self.frames.load(Ordering::Relaxed)
    }

    /// Chunks lost because the queue was full.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Largest sample since the last question.
    pub(crate) fn take_peak(&self) -> f32 {
        f32::from_bits(self.peak.swap(0, Ordering::Relaxed))
    }

    /// Called by the driver when the stream is over.
    pub(crate) fn fail(&self) {
        self.failed.store(true, Ordering::Relaxed);
    }

    pub(crate) fn failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }
}

/// Moved into the callback.
pub(crate) struct Tap {
    out: Outbox<Chunk>,
    vitals: Arc<Vitals>,
    position: u64,
}

/// A tap, the queue it fills and its vitals.
pub(crate) fn tap() -> (Tap, Inbox<Chunk>, Arc<Vitals>) {
    let (out, inbox) = queue(QUEUE);
    let vitals = Arc::new(Vitals::default());
    (Tap { out, vitals: vitals.clone(), position: 0 }, inbox, vitals)
}

impl Tap {
    pub(crate) fn vitals(&self) -> Arc<Vitals> {
        self.vitals.clone()
    }

    /// Takes interleaved samples of any format with `channels` channels.
    pub(crate) fn take<T>(&mut self, data: &[T], channels: usize)
    where
        T: Copy,
        f32: cpal::FromSample<T>,
    {
        let channels = channels.max(1);
        let seen = channels.min(MOST_CHANNELS);
        let mut moment = [0.0f32; MOST_CHANNELS];
        let mut peak = 0.0f32;
        for part in data.chunks(CHUNK * channels) {
            let mut chunk = Chunk { start: self.position, len: 0, frames: [[0.0; 2]; CHUNK] };
            for (frame, samples) in chunk.frames.iter_mut().zip(part.chunks_exact(channels)) {
                for (to, from) in moment.iter_mut().zip(&samples[..seen]) {
                    *to = <f32 as cpal::FromSample<T>>::from_sample_(*from);
                }
                *frame = stereo(&moment[..seen]);
                peak = peak.max(frame[0].abs()).max(frame[1].abs());
                chunk.len += 1;
            }
            self.position += u64::from(chunk.len);
            if self.out.send(chunk).is_err() {
                self.vitals.dropped.fetch_add(1, Ordering::Relaxed);
            }
        }
        // The bits of positive floats order like the floats.
        self.vitals.peak.fetch_max(peak.to_bits(), Ordering::Relaxed);
        self.vitals.frames.store(self.position, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_format_and_channel_count_becomes_the_same_stereo() {
        let (mut tap, mut inbox, vitals) = tap();
        tap.take(&[0.5f32, -0.25], 2);
        tap.take(&[i16::MAX / 2, -(i16::MAX / 4)], 2);
        tap.take(&[0x4000_0000i32, -0x2000_0000], 2);
        tap.take(&[192u8, 96], 2);
        tap.take(&[0.5f64, -0.25], 2);
        tap.take(&[0.5f32, -0.25, 0.0, 0.0, 0.0, f32::NAN], 6);
        for number in 0..6 {
            let chunk = inbox.receive().unwrap();
            assert_eq!(chunk.start, number);
            let [left, right] = chunk.frames()[0];
            assert!((left - 0.5).abs() < 1e-3 && (right + 0.25).abs() < 1e-3, "{number}: {left} {right}");
        }
        assert_eq!((vitals.frames(), vitals.dropped()), (6, 0));
        assert!((vitals.take_peak() - 0.5).abs() < 1e-3);
        assert_eq!(vitals.take_peak(), 0.0);
    }

    #[test]
    fn a_full_queue_drops_counts_and_leaves_a_gap_in_the_numbers() {
        let (mut tap, mut inbox, vitals) = tap();
        tap.take(&vec![0.1f32; CHUNK * (QUEUE + 3)], 1);
        assert_eq!(vitals.dropped(), 3);
        assert_eq!(inbox.rejected(), 3);
        let first = inbox.receive().unwrap();
        assert_eq!((first.start, first.frames().len()), (0, CHUNK));
        while inbox.receive().is_some() {}
        tap.take(&[0.1f32; 7], 1);
        let next = inbox.receive().unwrap();
        assert_eq!((next.start, next.frames().len()), ((CHUNK * (QUEUE + 3)) as u64, 7));
    }

    #[test]
    fn the_callback_allocates_nothing() {
        let (mut tap, mut inbox, _) = tap();
        let data = vec![0.2f32; 1_024];
        assert_no_alloc::assert_no_alloc(|| {
            for _ in 0..50 {
                tap.take(&data, 2);
            }
            while inbox.receive().is_some() {}
        });
    }
}
