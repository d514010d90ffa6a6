//! Scene: what kind of music this is.

mod ear;
mod model;
mod rhythm;
mod scores;
mod summary;
mod traits;
mod watch;

pub(super) use ear::SIZE_SAMPLES;
pub use ear::SceneEar;
pub use model::SceneModel;
pub use scores::ScoreInput;
pub use summary::SIZE;
pub(super) use summary::Summary;
pub(super) use watch::LOOK_SECS;
pub use watch::SceneWatch;
