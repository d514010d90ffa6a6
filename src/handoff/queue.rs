//! A bounded, lock-free queue between two threads, built on `rtrb`.
//!
//! A full queue rejects new items and counts them. Neither end blocks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The sending end of a queue.
pub struct Outbox<T> {
    ring: rtrb::Producer<T>,
    rejected: Arc<AtomicU64>,
}

/// The receiving end of a queue.
pub struct Inbox<T> {
    ring: rtrb::Consumer<T>,
    rejected: Arc<AtomicU64>,
}

/// Creates a queue for up to `capacity` items; a capacity of 0 is raised to 1.
pub fn queue<T>(capacity: usize) -> (Outbox<T>, Inbox<T>) {
    let (producer, consumer) = rtrb::RingBuffer::new(capacity.max(1));
    let rejected = Arc::new(AtomicU64::new(0));
    (Outbox { ring: producer, rejected: rejected.clone() }, Inbox { ring: consumer, rejected })
}

impl<T> Outbox<T> {
    /// Sends an item.
    ///
    /// # Errors
    /// Returns the item if the queue is full, and counts it as rejected.
    pub fn send(&mut self, item: T) -> Result<(), T> {
        self.ring.push(item).map_err(|rtrb::PushError::Full(item)| {
            self.rejected.fetch_add(1, Ordering::Relaxed);
            item
        })
    }

    /// Sends as many of `items` as fit, in order. The others are rejected and counted.
    pub fn send_all(&mut self, items: &[T])
    where
        T: Copy,
    {
        let (_, rest) = self.ring.push_partial_slice(items);
        self.rejected.fetch_add(rest.len() as u64, Ordering::Relaxed);
    }

    /// Returns whether the receiving end was dropped.
    pub fn abandoned(&self) -> bool {
        self.ring.is_abandoned()
    }
}

impl<T> Inbox<T> {
    /// Returns the oldest item, or `None` if the queue is empty.
    pub fn receive(&mut self) -> Option<T> {
        self.ring.pop().ok()
    }

    /// Moves all waiting items to the end of `into`, oldest first.
    pub fn receive_all(&mut self, into: &mut Vec<T>)
    where
        T: Copy,
    {
        let waiting = self.ring.slots();
        if let Ok(chunk) = self.ring.read_chunk(waiting) {
            let (first, second) = chunk.as_slices();
            into.extend_from_slice(first);
            into.extend_from_slice(second);
            chunk.commit_all();
        }
    }

    /// Returns the number of items rejected because the queue was full.
    pub fn rejected(&self) -> u64 {
        self.rejected.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_queue_rejects_and_counts_items() {
        let (mut out, mut inbox) = queue(2);
        assert_eq!([out.send(1), out.send(2), out.send(3)], [Ok(()), Ok(()), Err(3)]);
        assert_eq!(inbox.rejected(), 1);
        assert_eq!([inbox.receive(), inbox.receive(), inbox.receive()], [Some(1), Some(2), None]);
    }

    #[test]
    fn bulk_transfers_keep_the_order_and_count_rejected_items() {
        let (mut out, mut inbox) = queue(4);
        let mut received = vec![0];
        out.send_all(&[1, 2, 3]);
        inbox.receive_all(&mut received);
        // The second batch wraps around the end of the ring, and the last item is rejected.
        out.send_all(&[4, 5, 6, 7, 8]);
        inbox.receive_all(&mut received);
        assert_eq!(received, [0, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(inbox.rejected(), 1);
        inbox.receive_all(&mut received);
        assert_eq!(received.len(), 8);
    }
}
