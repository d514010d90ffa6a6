//! The style index: which presets look alike and how much each moves, baked once, used by every show.
//!
//! Files and fields are those of the reference system, so that its indexes are read and ours can be read by it. Reading
//! is tolerant (unknown fields, the older form of the file, presets that are gone), writing is exact.

mod apply;
mod compact;
mod index;
mod lookup;
mod names;
mod policy;

pub use apply::{Applied, NameTable};
pub(super) use apply::{apply, name_number};
pub use compact::{CompactEntry, CompactIndex};
pub use index::{IndexCluster, IndexEntry, IndexVersion, StyleIndex};
pub use lookup::{INDEX_V0, INDEX_V1, IndexLookup, POLICY_V0, seek};
pub(super) use names::{CALM_WORDS, PEAK_WORDS};
pub use names::{NameFacts, author_key, by_name};
pub use policy::{MotionThresholds, StylePolicy};
