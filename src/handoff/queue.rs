//! A bounded queue between two threads, without locks (rtrb).
//!
//! When it is full the newest item is refused, handed back and counted; nothing waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The sending end.
pub struct Outbox<T> {
    ring: rtrb::Producer<T>,
    refused: Arc<AtomicU64>,
}

/// The receiving end.
pub struct Inbox<T> {
    ring: rtrb::Consumer<T>,
    refused: Arc<AtomicU64>,
}

/// A queue that holds at most `capacity` items.
pub fn queue<T>(capacity: usize) -> (Outbox<T>, Inbox<T>) {
    let (producer, consumer) = rtrb::RingBuffer::new(capacity.max(1));
    let refused = Arc::new(AtomicU64::new(0));
    (Outbox { ring: producer, refused: refused.clone() }, Inbox { ring: consumer, refused })
}

impl<T> Outbox<T> {
    /// Sends one item. A full queue hands it back and counts the loss.
    pub fn send(&mut self, item: T) -> Result<(), T> {
        self.ring.push(item).map_err(|rtrb::PushError::Full(item)| {
            self.refused.fetch_add(1, Ordering::Relaxed);
            item
        })
    }

    /// Sends as many of `items` as there is room for, in order. The rest is refused and counted.
    pub fn send_all(&mut self, items: &[T])
    where
        T: Copy,
    {
        let (_, rest) = self.ring.push_partial_slice(items);
        self.refused.fetch_add(rest.len() as u64, Ordering::Relaxed);
    }

    /// True when the receiving end is gone.
    pub fn abandoned(&self) -> bool {
        self.ring.is_abandoned()
    }
}

impl<T> Inbox<T> {
    /// The oldest item, if there is one.
    pub fn receive(&mut self) -> Option<T> {
        self.ring.pop().ok()
    }

    /// Appends everything that has arrived to `into`, oldest first.
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

    /// How many items were refused because the queue was full.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_queue_refuses_and_counts() {
        let (mut out, mut inbox) = queue(2);
        assert_eq!([out.send(1), out.send(2), out.send(3)], [Ok(()), Ok(()), Err(3)]);
        assert_eq!(inbox.refused(), 1);
        assert_eq!([inbox.receive(), inbox.receive(), inbox.receive()], [Some(1), Some(2), None]);
    }

    #[test]
    fn items_in_bulk_keep_their_order_and_the_surplus_is_counted() {
        let (mut out, mut inbox) = queue(4);
        let mut received = vec![0];
        out.send_all(&[1, 2, 3]);
        inbox.receive_all(&mut received);
        // The second batch wraps around the end of the ring, and one item too many is refused.
        out.send_all(&[4, 5, 6, 7, 8]);
        inbox.receive_all(&mut received);
        assert_eq!(received, [0, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(inbox.refused(), 1);
        inbox.receive_all(&mut received);
        assert_eq!(received.len(), 8);
    }
}
