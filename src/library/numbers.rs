//! Hash maps whose keys are already hashes, of contents or names. Hashing them again would dominate the cost
//! of a lookup.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash as _, Hasher};

use serde::Deserialize;

/// A hash map whose keys are already hashes.
pub(super) type NumberMap<K, V> = HashMap<K, V, BuildHasherDefault<IdentityHasher>>;

/// A hasher that returns the first eight bytes of a key, or the key itself if it is a `u64`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct IdentityHasher(u64);

impl Hasher for IdentityHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }

    /// Ignores the length prefix, which is the same for all keys.
    fn write_usize(&mut self, _: usize) {}
}

/// A string borrowed from the input; copied only if it contains escapes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub(super) struct Word<'a>(#[serde(borrow)] pub Cow<'a, str>);

/// Hashes a string; the result is the same in every run.
pub(super) fn hash_text(text: &str) -> u64 {
    let mut hasher = std::hash::DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::PresetId;

    #[test]
    fn contents_and_names_can_be_looked_up() {
        let ids: Vec<PresetId> = (0..2000_u32).map(|number| PresetId::of(&number.to_le_bytes())).collect();
        let table: NumberMap<PresetId, usize> = ids.iter().copied().zip(0..).collect();
        assert!(ids.iter().enumerate().all(|(at, id)| table.get(id) == Some(&at)));
        let numbers: NumberMap<u64, u32> =
            (0..2000).map(|at| (hash_text(&format!("{at}.milk")), at)).collect();
        assert_eq!((numbers.len(), numbers.get(&hash_text("77.milk"))), (2000, Some(&77)));
    }
}
