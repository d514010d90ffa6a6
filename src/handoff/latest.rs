//! A lock-free cell for the newest published value, built on `arc_swap`.
//!
//! Supports any number of readers and writers, none of which blocks. A value is dropped by the last thread to release
//! it.

use std::sync::Arc;

use arc_swap::ArcSwap;

/// A shared cell with the newest published value. Clones refer to the same cell.
#[derive(Debug)]
pub struct Latest<T>(Arc<ArcSwap<T>>);

impl<T> Clone for Latest<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Latest<T> {
    /// Creates a cell with the initial value `first`.
    pub fn new(first: T) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(first)))
    }

    /// Replaces the value in the cell.
    pub fn publish(&self, value: T) {
        self.0.store(Arc::new(value));
    }

    /// Replaces the value without allocating. Returns the previous value, so that its memory can be reused.
    pub fn swap(&self, value: Arc<T>) -> Arc<T> {
        self.0.swap(value)
    }

    /// Returns the newest value.
    pub fn read(&self) -> Arc<T> {
        self.0.load_full()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_clones_see_the_newest_value() {
        let cell = Latest::new(1);
        let other = cell.clone();
        other.publish(2);
        assert_eq!(*cell.read(), 2);
    }

    #[test]
    fn readers_on_other_threads_see_consistent_values_in_order() {
        let cell = Latest::new((0_u64, 0_u64));
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    let mut last = 0;
                    while last < 20_000 {
                        let (value, copy) = *cell.read();
                        assert!(value == copy && value >= last, "{value}, {copy} after {last}");
                        last = value;
                    }
                });
            }
            for value in 1..=20_000 {
                cell.publish((value, value));
            }
        });
    }

    #[test]
    fn the_value_returned_by_swap_is_unique_once_no_reader_holds_it() {
        let cell = Latest::new(1);
        let held = cell.read();
        let mut previous = cell.swap(Arc::new(2));
        assert!(*previous == 1 && Arc::get_mut(&mut previous).is_none());
        drop(held);
        assert!(Arc::get_mut(&mut previous).is_some());
    }
}
