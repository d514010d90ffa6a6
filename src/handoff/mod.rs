//! How data crosses threads: a newest-wins cell for values, a bounded queue for everything that counts.
//!
//! Nothing here blocks the thread that must not wait: [`Latest`] swaps a pointer without a lock,
//! and a full [`Outbox`] refuses and counts instead of waiting.

mod latest;
mod queue;

pub use latest::Latest;
pub use queue::{Inbox, Outbox, queue};
