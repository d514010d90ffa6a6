//! Frames that the graphics device has not finished: how many there are, and how long each took.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::stage::Gpu;

/// A frame that takes longer counts as finished, seconds: the device may never say so.
const LONGEST_SECS: f64 = 1.0;

/// The frames in flight. Never blocks.
pub(super) struct InFlight {
    /// Frames that may be in flight.
    most: usize,
    /// Start of each frame, seconds, oldest first.
    started: VecDeque<f64>,
    /// Number of the oldest frame in flight.
    oldest: u64,
    finished: Arc<AtomicU64>,
    finished_at: f64,
}

impl InFlight {
    /// Allows `most` frames in flight.
    pub fn new(most: usize) -> Self {
        Self { most, started: VecDeque::new(), oldest: 0, finished: Arc::default(), finished_at: 0.0 }
    }

    /// Adds the frame that was just submitted and that was started at `started`.
    pub fn add(&mut self, gpu: &Gpu, started: f64) {
        self.started.push_back(started);
        let (number, finished) = (self.oldest + self.started.len() as u64, self.finished.clone());
        gpu.queue.on_submitted_work_done(move || {
            finished.fetch_max(number, Ordering::Relaxed);
        });
    }

    /// Returns how long each frame that is finished at `now` kept the processor and the device busy, seconds.
    pub fn finished(&mut self, gpu: &Gpu, now: f64) -> impl Iterator<Item = f64> {
        let mut lost = false;
        if !self.started.is_empty() {
            lost = gpu.poll().is_err();
        }
        let finished = self.finished.load(Ordering::Relaxed);
        let late = self.started.iter().take_while(|started| now - **started > LONGEST_SECS).count();
        // A lost device finishes nothing.
        let late = if lost { self.started.len() } else { late };
        let count = (finished.saturating_sub(self.oldest) as usize).clamp(late, self.started.len());
        self.oldest += count as u64;
        let before = self.finished_at;
        if count > 0 {
            self.finished_at = now;
        }
        // Several frames that are found finished at once share the time.
        let taken = now - self.started.front().map_or(now, |started| started.max(before));
        self.started.drain(..count).map(move |_| taken / count as f64)
    }

    /// Returns whether another frame may be started.
    pub fn has_room(&self) -> bool {
        self.started.len() < self.most
    }

    /// Returns whether no frame is in flight.
    pub fn is_empty(&self) -> bool {
        self.started.is_empty()
    }
}
