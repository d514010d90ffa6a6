//! A shard: one of several parts of a library, of roughly equal size, chosen by the content of the presets.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::facts::PresetId;

/// Maximum number of shards.
const MAX_COUNT: u32 = 100_000;

/// One of `count` parts of a library; written as `INDEX/COUNT`, numbered from 0. A preset keeps its shard
/// when the library grows, because the shard depends only on the content of the preset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Shard {
    /// Number of shards, at least 1.
    count: u32,
    /// Index of this shard, below `count`.
    index: u32,
}

impl Shard {
    /// Returns shard `index` of `count`; `None` unless `index < count <= 100,000`.
    pub fn new(index: u32, count: u32) -> Option<Self> {
        (index < count && count <= MAX_COUNT).then_some(Self { count, index })
    }

    /// Returns the number of shards.
    pub fn count(self) -> u32 {
        self.count
    }

    /// Returns the index of this shard, counted from 0.
    pub fn index(self) -> u32 {
        self.index
    }

    /// Returns whether a preset belongs to this shard.
    pub fn contains(self, id: PresetId) -> bool {
        let start = u64::from_be_bytes(std::array::from_fn(|at| id.0[at]));
        start % u64::from(self.count) == u64::from(self.index)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

/// The error for text that does not name a shard.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected INDEX/COUNT with INDEX from 0 to COUNT - 1, for example 0/3 for the first of three shards")]
pub struct InvalidShard;

impl FromStr for Shard {
    type Err = InvalidShard;

    fn from_str(text: &str) -> Result<Self, InvalidShard> {
        let (index, count) = text.split_once('/').ok_or(InvalidShard)?;
        let number = |text: &str| text.trim().parse().map_err(|_| InvalidShard);
        Self::new(number(index)?, number(count)?).ok_or(InvalidShard)
    }
}

impl From<Shard> for String {
    fn from(shard: Shard) -> Self {
        shard.to_string()
    }
}

impl TryFrom<String> for Shard {
    type Error = InvalidShard;

    fn try_from(text: String) -> Result<Self, InvalidShard> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_belongs_to_exactly_one_shard() {
        let ids: Vec<PresetId> = (0..3_000_u32).map(|number| PresetId::of(&number.to_le_bytes())).collect();
        let shards: Vec<Shard> = (0..7).filter_map(|index| Shard::new(index, 7)).collect();
        for id in &ids {
            assert_eq!(shards.iter().filter(|shard| shard.contains(*id)).count(), 1);
        }
        for shard in shards {
            let size = ids.iter().filter(|id| shard.contains(**id)).count();
            assert!((350..510).contains(&size), "{shard}: {size} of 3,000");
        }
    }

    #[test]
    fn shards_are_written_as_index_and_count() {
        assert_eq!("2/3".parse::<Shard>().map(|shard| shard.to_string()), Ok("2/3".into()));
        for text in ["", "3", "3/3", "-1/3", "0/0", "a/b", "1/3/5", "0/200000"] {
            assert_eq!(text.parse::<Shard>(), Err(InvalidShard), "{text}");
        }
    }
}
