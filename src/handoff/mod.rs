//! Data exchange between threads: a newest-value cell, and a bounded queue that delivers items in order.
//!
//! Neither blocks: [`Latest`] swaps a pointer without a lock, and a full [`Outbox`] rejects and counts items.

mod latest;
mod queue;

pub use latest::Latest;
pub use queue::{Inbox, Outbox, queue};
