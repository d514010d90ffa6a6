//! The style index: which presets look alike and how much each moves; baked once and used by every show.
//!
//! Files and fields are compatible with those of aivj's browser-based predecessor in both directions. Reading
//! is tolerant (unknown fields, the older form of the file, missing presets); writing is strict.

mod apply;
mod compact;
mod index;
mod lookup;
mod name_table;
mod names;
mod policy;

pub use apply::Applied;
pub(super) use apply::apply;
pub use compact::{CompactEntry, CompactIndex};
pub use index::{IndexCluster, IndexEntry, IndexVersion, StyleIndex};
pub use lookup::{INDEX_V0, INDEX_V1, IndexLookup, POLICY_V0, find_index};
pub use name_table::NameTable;
pub(super) use name_table::name_hash;
pub use names::{NameFacts, author_key, by_name};
pub use policy::{MotionThresholds, StylePolicy};
