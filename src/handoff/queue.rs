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
}
