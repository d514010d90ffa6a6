//! Data exchange between threads: a newest-value cell, a bounded queue that preserves order, a cache of recently used
//! values, a thread that frees large objects, and a function that lowers the priority of a thread.
//!
//! The cell and the queue never block: [`Latest`] swaps a pointer without a lock, and a full [`Outbox`]
//! rejects and counts items.

mod latest;
mod priority;
mod queue;
mod recent;
mod retire;

pub use latest::Latest;
pub use priority::lower_thread_priority;
pub use queue::{Inbox, Outbox, queue};
pub use recent::Recent;
pub use retire::Retirement;
