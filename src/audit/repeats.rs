//! Repeats in a library: presets with the same code, and presets that look alike.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::audit::probe::{Look, PerceptualHash, VIEWS};
use crate::facts::PresetId;

/// Maximum number of bits, out of `64 * VIEWS`, in which the hashes of presets that look alike differ. As
/// this is less than the number of words in a hash, two such hashes agree in at least one word, so the search
/// by words misses none unless a word is very common.
const MAX_DISTANCE: u32 = 11;
/// Number of bits in each word of a hash.
const WORD_BITS: usize = 16;
/// Number of words in a hash.
const WORDS: usize = 64 * VIEWS / WORD_BITS;
/// Maximum number of hashes that are all compared with each other, even if they agree in a single word.
const MAX_BUCKET: usize = 256;
/// Number of words in which hashes agree before only neighbours are compared in a large bucket.
const MAX_AGREED: usize = 4;
/// Number of hashes with which each one in such a bucket is compared.
const NEIGHBOURS: usize = 64;
/// Contrast below which a picture is too flat to be compared.
const MIN_CONTRAST: f64 = 0.01;

/// A preset to compare.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// ID of the preset.
    pub id: PresetId,
    /// ID shared by presets with the same code.
    pub family: u64,
    /// Hash of the preset's frames; `None` if the preset was not drawn or its picture is flat.
    pub perceptual_hash: Option<PerceptualHash>,
}

impl Member {
    /// Creates a member; the hash of a flat picture is dropped.
    pub fn new(
        id: PresetId,
        family: u64,
        perceptual_hash: Option<PerceptualHash>,
        look: Option<&Look>,
    ) -> Self {
        let shaped = look.is_some_and(|look| look.contrast >= MIN_CONTRAST);
        Self { id, family, perceptual_hash: perceptual_hash.filter(|_| shaped) }
    }
}

/// The repeats of a library.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Repeats {
    /// Number of files in the library.
    pub files: usize,
    /// Number of files whose content equals that of an earlier file.
    pub identical: usize,
    /// Number of distinct presets.
    pub presets: usize,
    /// Number of presets with the same code as an earlier one.
    pub same_code: usize,
    /// Number of presets that look like an earlier one.
    pub same_look: usize,
    /// Number of presets that repeat the code or look of an earlier one.
    pub repeats: usize,
    /// Groups of presets with the same code, largest first.
    pub families: Vec<Vec<PresetId>>,
    /// Groups of presets that look alike, largest first.
    pub look_alikes: Vec<Vec<PresetId>>,
}

impl Repeats {
    /// Groups the presets of a library with `files` files.
    pub fn of(files: usize, members: &[Member]) -> Self {
        let mut by_code = Groups::new(members.len());
        let mut first_of: BTreeMap<u64, usize> = BTreeMap::new();
        for (at, member) in members.iter().enumerate() {
            by_code.join(*first_of.entry(member.family).or_insert(at), at);
        }
        let by_look = look_alikes(members);
        let mut either = by_code.clone();
        (0..members.len()).for_each(|at| either.join(at, by_look.root(at)));
        let named = |groups: &Groups| {
            let groups = groups.of_two_or_more().into_iter();
            groups.map(|group| group.into_iter().map(|at| members[at].id).collect()).collect()
        };
        Self {
            files,
            identical: files - members.len().min(files),
            presets: members.len(),
            same_code: by_code.repeats(),
            same_look: by_look.repeats(),
            repeats: either.repeats(),
            families: named(&by_code),
            look_alikes: named(&by_look),
        }
    }
}

/// Returns a group number per member; presets that look alike share it.
pub fn look_groups(members: &[Member]) -> Vec<usize> {
    let groups = look_alikes(members);
    (0..members.len()).map(|at| groups.root(at)).collect()
}

/// Groups the members by hash, comparing only those whose hashes agree in at least one word.
fn look_alikes(members: &[Member]) -> Groups {
    let mut groups = Groups::new(members.len());
    // The first member with a hash stands for all that have the same.
    let mut first_of: BTreeMap<PerceptualHash, usize> = BTreeMap::new();
    for (at, member) in members.iter().enumerate() {
        if let Some(perceptual_hash) = member.perceptual_hash {
            groups.join(*first_of.entry(perceptual_hash).or_insert(at), at);
        }
    }
    join_alike(&first_of.into_iter().collect::<Vec<_>>(), 0, 0, &mut groups);
    groups
}

/// Joins the members of a bucket that look alike. They are in the order of their hashes and agree in `agreed` words
/// before `first_word`. A large bucket is divided by further words, of which hashes that differ in few bits have
/// several in common, so that the number of comparisons grows in proportion to the number of members.
fn join_alike(bucket: &[(PerceptualHash, usize)], first_word: usize, agreed: usize, groups: &mut Groups) {
    let is_large = bucket.len() > MAX_BUCKET;
    if !is_large || agreed == MAX_AGREED || first_word == WORDS {
        let reach = if is_large { NEIGHBOURS } else { bucket.len() };
        for (place, (one, at)) in bucket.iter().enumerate() {
            for (other, with) in bucket[place + 1..].iter().take(reach) {
                if one.distance(other) <= MAX_DISTANCE {
                    groups.join(*at, *with);
                }
            }
        }
        return;
    }
    for word in first_word..WORDS {
        let mut buckets: BTreeMap<u16, Vec<(PerceptualHash, usize)>> = BTreeMap::new();
        for member in bucket {
            let view = member.0.0[word * WORD_BITS / 64];
            buckets.entry((view >> (word * WORD_BITS % 64)) as u16).or_default().push(*member);
        }
        let parts = buckets.values().filter(|part| part.len() > 1);
        parts.for_each(|part| join_alike(part, word + 1, agreed + 1, groups));
        if buckets.len() == 1 {
            break; // All agree in this word, so the pairs that agree in a later one have been compared.
        }
    }
}

/// Disjoint sets of members, each identified by its smallest index.
#[derive(Clone)]
struct Groups(Vec<usize>);

impl Groups {
    fn new(count: usize) -> Self {
        Self((0..count).collect())
    }

    fn root(&self, mut at: usize) -> usize {
        while self.0[at] != at {
            at = self.0[at];
        }
        at
    }

    /// Returns the root as [`Self::root`] does, and shortens the way to it.
    fn find(&mut self, mut at: usize) -> usize {
        while self.0[at] != at {
            self.0[at] = self.0[self.0[at]];
            at = self.0[at];
        }
        at
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.find(one), self.find(other));
        let (first, last) = (one.min(other), one.max(other));
        self.0[last] = first;
    }

    /// Returns the number of members that are not the first of their group.
    fn repeats(&self) -> usize {
        (0..self.0.len()).filter(|&at| self.root(at) != at).count()
    }

    fn of_two_or_more(&self) -> Vec<Vec<usize>> {
        let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        (0..self.0.len()).for_each(|at| groups.entry(self.root(at)).or_default().push(at));
        let mut groups: Vec<_> = groups.into_values().filter(|group| group.len() > 1).collect();
        groups.sort_by_key(|group| (std::cmp::Reverse(group.len()), group[0]));
        groups
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Rng;

    fn member(number: u8, family: u64, views: [u64; VIEWS]) -> Member {
        Member { id: PresetId([number; 16]), family, perceptual_hash: Some(PerceptualHash(views)) }
    }

    #[test]
    fn repeats_by_code_and_look_are_counted() {
        let far = [u64::MAX, 0, u64::MAX];
        let members = [
            member(0, 1, [0, 0, 0]),
            member(1, 1, far),                     // same code as member 0
            member(2, 2, [0b111, 0, 0x8000]),      // looks like member 0
            member(3, 3, [u64::MAX, u64::MAX, 0]), // unlike all others
        ];
        let repeats = Repeats::of(6, &members);
        assert_eq!((repeats.identical, repeats.same_code, repeats.same_look, repeats.repeats), (2, 1, 1, 2));
        assert_eq!(repeats.look_alikes, [[PresetId([0; 16]), PresetId([2; 16])]]);
    }

    #[test]
    fn hashes_up_to_eleven_bits_apart_are_found() {
        // One bit in each of eleven words: only the twelfth word agrees.
        let spread = |bits: usize| {
            let mut views = [0; VIEWS];
            (0..bits).for_each(|bit| views[bit / 4] |= 1 << (16 * (bit % 4)));
            views
        };
        let alike = |bits| Repeats::of(2, &[member(0, 1, [0; VIEWS]), member(1, 2, spread(bits))]).same_look;
        assert_eq!((alike(11), alike(12)), (1, 0));
    }

    #[test]
    fn look_alikes_are_found_although_every_word_is_common() {
        let mut rng = Rng::new(4);
        // Two values for each word: half of the hashes agree in any given word.
        let mut views = || {
            [0; VIEWS].map(|_| {
                (0..4)
                    .fold(0, |view, _| view << 16 | if rng.next_u64().is_multiple_of(2) { 0xffff } else { 0 })
            })
        };
        let mut members: Vec<Member> = (0..3000).map(|at| member_of(at, views())).collect();
        for at in 0..200 {
            let mut views = members[at as usize].perceptual_hash.expect("a hash").0;
            // Bits that are coprime steps apart are spread over the words.
            (0..8).for_each(|bit| views[(at + bit) as usize % VIEWS] ^= 1 << ((at * 7 + bit * 11) % 64));
            members.push(member_of(3000 + at, views));
        }
        let groups = look_groups(&members);
        let found = (0..200).filter(|&at| groups[at] == groups[3000 + at]).count();
        assert!(found >= 194, "{found} of 200 pairs");
    }

    fn member_of(number: u32, views: [u64; VIEWS]) -> Member {
        let id = PresetId::of(&number.to_le_bytes());
        Member { id, family: u64::from(number), perceptual_hash: Some(PerceptualHash(views)) }
    }

    #[test]
    fn flat_pictures_are_not_compared() {
        let flat = Look { contrast: 0.001, ..Look::default() };
        let of = |number| {
            Member::new(
                PresetId([number; 16]),
                u64::from(number),
                Some(PerceptualHash::default()),
                Some(&flat),
            )
        };
        assert_eq!(Repeats::of(2, &[of(0), of(1)]).same_look, 0);
    }
}
