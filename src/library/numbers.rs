//! Tables whose keys are evenly spread numbers already: hashes of contents and of names. Hashing them again would be most
//! of the work.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash as _, Hasher};

use serde::Deserialize;

/// A table by such keys.
pub(super) type NumberMap<K, V> = HashMap<K, V, BuildHasherDefault<IdentityHasher>>;

/// Takes the first eight bytes of a key as they are.
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

    /// The length of a key, which is the same for all.
    fn write_usize(&mut self, _: usize) {}
}

/// A text where it stands in a file, copied only where it was written with escapes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub(super) struct Word<'a>(#[serde(borrow)] pub Cow<'a, str>);

/// The number of a text, the same in every run.
pub(super) fn number_of(text: &str) -> u64 {
    let mut hasher = std::hash::DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::PresetId;

    #[test]
    fn contents_and_names_are_found_again() {
        let ids: Vec<PresetId> = (0..2000_u32).map(|number| PresetId::of(&number.to_le_bytes())).collect();
        let table: NumberMap<PresetId, usize> = ids.iter().copied().zip(0..).collect();
        assert!(ids.iter().enumerate().all(|(at, id)| table.get(id) == Some(&at)));
        let numbers: NumberMap<u64, u32> =
            (0..2000).map(|at| (number_of(&format!("{at}.milk")), at)).collect();
        assert_eq!((numbers.len(), numbers.get(&number_of("77.milk"))), (2000, Some(&77)));
    }
}
