//! Damage to files: truncation, changed or inserted bytes, and pieces lost, repeated or taken from another file.

use proptest::collection::vec;
use proptest::prelude::{Strategy, any, prop_oneof};

/// Bytes and words that often break parsers.
const TRAPS: &[&[u8]] = &[
    b"\0",
    b"\xff",
    b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff",
    b"\x80",
    b"\xc3",
    b"\r",
    b"\n",
    b"\"",
    b"\\",
    b"`",
    b"{",
    b"[",
    b"(",
    b"]]",
    b"=",
    b"-1",
    b"1e999",
    b"99999999999999999999",
    b"18446744073709551615",
    b"NaN",
    b"null",
    b"\\u0000",
    b"\xef\xbb\xbf",
    b"[[",
    b"'''",
    b"\"\"\"",
    b"//",
    b"/*",
];

/// The damage done to one file.
#[derive(Clone, Debug)]
pub struct Damage {
    /// Index of the seed file.
    of: usize,
    steps: Vec<Step>,
}

/// One change. Positions are shares of the length, in 1/65536.
#[derive(Clone, Debug)]
enum Step {
    Cut(u16),
    Change(u16, u8),
    Insert(u16, usize),
    Remove(u16, u8),
    Duplicate(u16, u8),
    Splice(u16, usize, u16),
}

/// Returns a strategy for damage to one of `seeds` files.
pub fn damage(seeds: usize) -> impl Strategy<Value = Damage> {
    let position = any::<u16>;
    let step = prop_oneof![
        1 => position().prop_map(Step::Cut),
        4 => (position(), any::<u8>()).prop_map(|(at, byte)| Step::Change(at, byte)),
        4 => (position(), 0..TRAPS.len()).prop_map(|(at, trap)| Step::Insert(at, trap)),
        2 => (position(), any::<u8>()).prop_map(|(at, length)| Step::Remove(at, length)),
        2 => (position(), any::<u8>()).prop_map(|(at, length)| Step::Duplicate(at, length)),
        1 => (position(), 0..seeds, position()).prop_map(|(at, other, from)| Step::Splice(at, other, from)),
    ];
    (0..seeds, vec(step, 1..8)).prop_map(|(of, steps)| Damage { of, steps })
}

impl Damage {
    /// Returns the damaged file.
    pub fn apply_to(&self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = seeds[self.of].clone();
        for step in &self.steps {
            step.apply(&mut bytes, seeds);
        }
        bytes
    }
}

impl Step {
    fn apply(&self, bytes: &mut Vec<u8>, seeds: &[Vec<u8>]) {
        let position = |at: u16, length: usize| usize::from(at) * length / 65_536;
        match *self {
            Self::Cut(at) => bytes.truncate(position(at, bytes.len())),
            Self::Change(at, byte) => {
                let at = position(at, bytes.len());
                if let Some(slot) = bytes.get_mut(at) {
                    *slot = byte;
                }
            }
            Self::Insert(at, trap) => {
                let at = position(at, bytes.len());
                bytes.splice(at..at, TRAPS[trap].iter().copied());
            }
            Self::Remove(at, length) => {
                let at = position(at, bytes.len());
                bytes.drain(at..(at + usize::from(length)).min(bytes.len()));
            }
            Self::Duplicate(at, length) => {
                let at = position(at, bytes.len());
                let piece = bytes[at..(at + usize::from(length)).min(bytes.len())].to_vec();
                bytes.splice(at..at, piece);
            }
            Self::Splice(at, other, from) => {
                let (at, from) = (position(at, bytes.len()), position(from, seeds[other].len()));
                bytes.truncate(at);
                bytes.extend_from_slice(&seeds[other][from..]);
            }
        }
    }
}
