//! Data exchange between threads: a newest-value cell, a bounded queue that preserves order, and a thread that frees
//! large objects.
//!
//! None of them blocks: [`Latest`] swaps a pointer without a lock, and a full [`Outbox`] rejects and counts items.

mod latest;
mod queue;
mod retire;

pub use latest::Latest;
pub use queue::{Inbox, Outbox, queue};
pub use retire::Retirement;
