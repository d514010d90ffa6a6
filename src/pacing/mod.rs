//! The pace of a live show: when a step is due, and at what quality it is drawn.
//!
//! This module reads no clock: times are passed in.

mod governor;
mod pacer;

pub use governor::{Governor, Quality};
pub use pacer::{DEFAULT_RATE, DroppedSteps, Due, Pacer};
