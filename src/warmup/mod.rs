//! Warming decks up: presets are read, audited, compiled and drawn off the air before a show may cut to them.

mod queue;
mod rehearsal;
mod request;
mod warmer;

pub use queue::WarmUpStep;
pub use request::{DeckRequest, Urgency};
pub use warmer::{Admission, Arrival, DeckError, PrepareTimes, Warmer};
