//! Timestamps of the store.

/// Seconds since 1970.
pub type UnixSecs = i64;
