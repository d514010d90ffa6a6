//! A cell in which only the newest value matters.

use std::sync::{Arc, Mutex};

/// The newest value somebody published; older ones are forgotten. Cheap to clone, shared by all clones.
#[derive(Clone, Debug)]
pub struct Latest<T>(Arc<Mutex<Arc<T>>>);

impl<T> Latest<T> {
    /// A cell that holds `first` until something newer arrives.
    pub fn new(first: T) -> Self {
        Self(Arc::new(Mutex::new(Arc::new(first))))
    }

    /// Replaces the value.
    pub fn publish(&self, value: T) {
        let fresh = Arc::new(value);
        // The old value is dropped after the lock is gone, so a reader never waits for a destructor.
        let old = std::mem::replace(&mut *self.lock(), fresh);
        drop(old);
    }

    /// The newest value.
    pub fn read(&self) -> Arc<T> {
        self.lock().clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Arc<T>> {
        // A poisoned lock means a panic between two assignments of a pointer: the value is whole either way.
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
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
}
