//! The current time, and timestamps in ISO 8601.

pub use crate::units::iso_date as iso;

/// Returns the current Unix time in seconds.
pub fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs() as i64)
}
