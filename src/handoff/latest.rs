//! A cell in which only the newest value matters, without locks (arc-swap).
//!
//! Any number of readers and writers. Neither waits for the other, and whoever lets go of a value last drops it.

use std::sync::Arc;

use arc_swap::ArcSwap;

/// The newest value somebody published; older ones are forgotten. Cheap to clone, shared by all clones.
#[derive(Clone, Debug)]
pub struct Latest<T>(Arc<ArcSwap<T>>);

impl<T> Latest<T> {
    /// A cell that holds `first` until something newer arrives.
    pub fn new(first: T) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(first)))
    }

    /// Replaces the value.
    pub fn publish(&self, value: T) {
        self.0.store(Arc::new(value));
    }

    /// Replaces the value without allocating and returns the one before, whose memory the next swap may use.
    pub fn swap(&self, value: Arc<T>) -> Arc<T> {
        self.0.swap(value)
    }

    /// The newest value.
    pub fn read(&self) -> Arc<T> {
        self.0.load_full()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_value_wins_on_every_clone() {
        let cell = Latest::new(1);
        let other = cell.clone();
        other.publish(2);
        assert_eq!(*cell.read(), 2);
    }

    #[test]
    fn readers_on_other_threads_see_whole_values_in_order() {
        let cell = Latest::new((0_u64, 0_u64));
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    let mut last = 0;
                    while last < 20_000 {
                        let (value, twin) = *cell.read();
                        assert!(value == twin && value >= last, "{value}, {twin} after {last}");
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
    fn a_value_comes_back_from_a_swap_and_is_free_to_use_when_nobody_reads_it() {
        let cell = Latest::new(1);
        let held = cell.read();
        let mut back = cell.swap(Arc::new(2));
        assert!(*back == 1 && Arc::get_mut(&mut back).is_none());
        drop(held);
        assert!(Arc::get_mut(&mut back).is_some());
    }
}
