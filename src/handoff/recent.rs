//! A cache of recently used values, shared by threads.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// The most recently used values, by key. Locked only while it is searched or changed.
pub struct Recent<K, V> {
    /// Most recently used entry first.
    entries: Mutex<Vec<(K, V)>>,
    capacity: usize,
}

impl<K: PartialEq, V: Clone> Recent<K, V> {
    /// Creates an empty cache for at most `capacity` values.
    pub fn new(capacity: usize) -> Self {
        Self { entries: Mutex::default(), capacity }
    }

    /// Returns the value with this key, if there is one.
    pub fn get(&self, key: &K) -> Option<V> {
        let mut entries = self.entries();
        let at = entries.iter().position(|(known, _)| known == key)?;
        entries[..=at].rotate_right(1);
        Some(entries[0].1.clone())
    }

    /// Adds a value. It replaces the value with the same key or, if the cache is full, the least recently used one.
    pub fn insert(&self, key: K, value: V) {
        let mut entries = self.entries();
        let known = entries.iter().position(|(known, _)| *known == key);
        let last = entries.len().checked_sub(1).filter(|_| entries.len() >= self.capacity);
        let replaced = known.or(last).map(|at| entries.remove(at));
        entries.insert(0, (key, value));
        drop(entries);
        drop(replaced); // Without holding the lock, because freeing it may take a while.
    }

    fn entries(&self) -> MutexGuard<'_, Vec<(K, V)>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn the_least_recently_used_value_is_replaced() {
        let cache = Recent::new(2);
        cache.insert("a", 1);
        cache.insert("b", 2);
        assert_eq!(cache.get(&"a"), Some(1));
        cache.insert("c", 3);
        assert_eq!(["a", "b", "c"].map(|key| cache.get(&key)), [Some(1), None, Some(3)]);
    }

    #[test]
    fn a_value_replaces_the_one_with_the_same_key() {
        let (old, new, other) = (Arc::new(1), Arc::new(2), Arc::new(3));
        let cache = Recent::new(2);
        cache.insert("a", old.clone());
        cache.insert("b", other.clone());
        cache.insert("a", new.clone());
        assert_eq!((cache.get(&"a"), cache.get(&"b")), (Some(new), Some(other)));
        assert_eq!(Arc::strong_count(&old), 1, "the old value is still in the cache");
    }
}
