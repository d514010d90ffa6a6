//! Timestamps of the store.

/// A time in seconds since 1970.
pub type UnixSecs = i64;
