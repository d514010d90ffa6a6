//! A set of presets or other numbered items, one bit each.

/// A set of small numbers.
#[derive(Debug, Default)]
pub(super) struct Bits(Vec<u64>);

impl Bits {
    /// Creates an empty set for the numbers below `count`.
    pub fn new(count: usize) -> Self {
        Self(vec![0; count.div_ceil(64)])
    }

    /// Returns whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|bits| *bits == 0)
    }

    /// Returns the size of the set.
    pub fn len(&self) -> usize {
        self.0.iter().map(|bits| bits.count_ones() as usize).sum()
    }

    /// Returns whether a number is in the set.
    pub fn has(&self, number: usize) -> bool {
        self.0.get(number / 64).is_some_and(|bits| bits >> (number % 64) & 1 == 1)
    }

    /// Adds a number below the `count` of [`Self::new`]; returns whether it is new.
    pub fn insert(&mut self, number: usize) -> bool {
        let (bits, bit) = (&mut self.0[number / 64], 1_u64 << (number % 64));
        let is_new = *bits & bit == 0;
        *bits |= bit;
        is_new
    }

    /// Keeps only the numbers that are also in `other`.
    pub fn intersect(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(bits, other)| *bits &= other);
    }

    /// Returns the numbers, ascending.
    pub fn numbers(&self) -> Vec<u32> {
        let mut numbers = Vec::with_capacity(self.len());
        for (at, &bits) in self.0.iter().enumerate() {
            let mut bits = bits;
            while bits != 0 {
                numbers.push(at as u32 * 64 + bits.trailing_zeros());
                bits &= bits - 1;
            }
        }
        numbers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_kept_once_and_in_order() {
        let mut bits = Bits::new(130);
        assert!(bits.is_empty() && bits.insert(129) && bits.insert(3) && !bits.insert(129));
        assert!(bits.has(3) && !bits.has(4) && !bits.has(1000) && bits.len() == 2);
        assert_eq!(bits.numbers(), [3, 129]);
        let mut other = Bits::new(130);
        other.insert(3);
        bits.intersect(&other);
        assert_eq!(bits.numbers(), [3]);
    }
}
